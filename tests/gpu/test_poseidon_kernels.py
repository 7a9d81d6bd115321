"""Poseidon on every device at hand, against the reference; the arrangement of its rounds against the plain one."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from shim_device import ShimDevice

from aitbc_rollup.algebra import poseidon as algebra
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, from_montgomery, to_limbs, to_montgomery
from aitbc_rollup.algebra.reference.poseidon import permute
from aitbc_rollup.gpu import program
from aitbc_rollup.gpu.device import Device
from aitbc_rollup.gpu.poseidon import hash_many, scaled_parameters, tree
from aitbc_rollup.rollup import tree as accounts_tree

EDGES = [0, 1, R - 1, R - 2, (1 << 253) - 1, R // 2]


def rows(k: int, count: int, seed: int = 3) -> list[list[int]]:
    rng = random.Random(seed)
    edges = [[edge] * k for edge in EDGES] + [[R - 1, *[0] * (k - 1)], [*[0] * (k - 1), 1]]
    return edges + [[rng.randrange(R) for _ in range(k)] for _ in range(count)]


def scaled_permutation(state: list[int]) -> tuple[int, int]:
    """First output, and the products it took, in the order of the kernel."""
    p, products = scaled_parameters(len(state)), 0
    for r, (constants, matrix) in enumerate(p.full):
        if r == len(p.full) // 2:
            for constant, row, column in p.partial:
                x = pow(state[0] + constant, 5, R)
                first = x + sum(a * b for a, b in zip(row, state[1:], strict=True))
                state = [first % R, *((a + b * x) % R for a, b in zip(state[1:], column, strict=True))]
                products += 3 + 2 * len(row)
        powers = [pow(a + b, 5, R) for a, b in zip(state, constants, strict=True)]
        wanted = matrix[:1] if r == len(p.full) - 1 else matrix
        state = [sum(a * b for a, b in zip(row, powers, strict=True)) % R for row in wanted]
        products += 3 * len(powers) + sum(a != 1 for row in wanted for a in row)
    return state[0], products


@pytest.mark.parametrize("width", range(2, 18))
def test_the_scaled_rounds_are_the_plain_ones(width: int) -> None:
    rng = random.Random(width)
    for state in [[0] * width, [R - 1] * width, [rng.randrange(R) for _ in range(width)]]:
        assert scaled_permutation(state)[0] == permute(state)[0]


def test_products_of_a_hash() -> None:
    assert {width: scaled_permutation([0] * width)[1] for width in (2, 3, 5, 17)} == {
        2: 344,
        3: 516,
        5: 925,
        17: 4709,
    }


@pytest.mark.parametrize("k", range(1, 17))
def test_hashes_of_every_width(device: Device, k: int) -> None:
    inputs = rows(k, 20)
    values = to_montgomery([x for row in inputs for x in row], R).reshape(-1, k, 4)
    got = device.download(hash_many(device, device.upload(values)))
    assert from_limbs(got) == from_limbs(to_montgomery([algebra.poseidon(row) for row in inputs], R))


@pytest.mark.parametrize("n", [0, 1, 300])
def test_any_number_of_hashes(device: Device, n: int) -> None:
    inputs = rows(2, 300)[:n]
    values = to_montgomery([x for row in inputs for x in row], R).reshape(-1, 2, 4)
    got = device.download(hash_many(device, device.upload(values)))
    assert from_montgomery(got, R) == [algebra.poseidon(row) for row in inputs]


def test_initial_states_and_values_that_are_not_canonical(device: Device) -> None:
    inputs, states = rows(3, 10), [row[0] for row in rows(1, 10, seed=4)]
    values = to_limbs(x + R for x in from_limbs(to_montgomery([x for row in inputs for x in row], R)))
    initial = to_limbs(x + R for x in from_limbs(to_montgomery(states, R)))
    got = hash_many(device, device.upload(values.reshape(-1, 3, 4)), device.upload(initial))
    expected = [algebra.poseidon(row, initial_state=state) for row, state in zip(inputs, states, strict=True)]
    assert from_limbs(device.download(got)) == from_limbs(to_montgomery(expected, R))


@pytest.mark.parametrize("k", [0, 17])
def test_refuses_other_numbers_of_inputs(device: Device, k: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 16 inputs, not {k}"):
        hash_many(device, device.zeros((2, k, 4), np.uint64))
    with pytest.raises(ValueError, match="for 2 rows"):
        hash_many(device, device.zeros((2, 1, 4), np.uint64), device.zeros((1, 4), np.uint64))


def plain_tree(leaves: list[int], depth: int, arity: int) -> list[list[int]]:
    """Every node of the whole tree."""
    levels = [leaves + [0] * (arity**depth - len(leaves))]
    for _ in range(depth):
        below = levels[-1]
        levels.append([algebra.poseidon(below[i : i + arity]) for i in range(0, len(below), arity)])
    return levels


@pytest.mark.parametrize(
    ("n", "depth", "arity"),
    [(64, 3, 4), (63, 3, 4), (17, 3, 4), (1, 2, 4), (0, 2, 4), (5, 3, 2), (3, 1, 16), (1, 0, 2), (0, 0, 4)],
)
def test_trees(device: Device, n: int, depth: int, arity: int) -> None:
    rng = random.Random(n)
    leaves = [rng.randrange(R) for _ in range(n)]
    got = [device.download(level) for level in tree(device, device.upload(to_montgomery(leaves, R)), depth, arity)]
    assert len(got) == depth + 1 and got[-1].shape == (1, 4)
    for level, whole in zip(got, plain_tree(leaves, depth, arity), strict=True):
        nodes = from_montgomery(level, R)
        assert nodes == whole[: len(nodes)]
        assert len(set(whole[len(nodes) :])) <= 1


def test_the_tree_of_a_shards_accounts(device: Device) -> None:
    leaves = [random.Random(9).randrange(R) for _ in range(70)]
    got = tree(device, device.upload(to_montgomery(leaves, R)), accounts_tree.TREE_DEPTH)
    empty = accounts_tree.empty_node
    _, nodes = accounts_tree.update(lambda level, _: empty(level), dict(enumerate(leaves)))
    for level, array in enumerate(got):
        assert from_montgomery(device.download(array), R) == [nodes[level, i] for i in range(len(array))]


def test_refuses_trees_that_do_not_fit(device: Device) -> None:
    leaves = device.zeros((5, 4), np.uint64)
    for depth, arity in [(-1, 4), (1, 1), (1, 17)]:
        with pytest.raises(ValueError, match=f"depth {depth} and arity {arity}"):
            tree(device, leaves, depth, arity)
    with pytest.raises(ValueError, match=r"5 leaves in a tree of 4\^1"):
        tree(device, leaves, 1)


SUM_OF_PRODUCTS = """
KERNEL sum_of_products(Fr* out, const Fr* a, const Fr* b, u32 terms) {
    Wide sum = nothing();
    for (u32 i = 0; i < terms; i++) sum = accumulate(sum, *a, *b);
    *out = finish(sum);
}
"""


def test_the_largest_sums_of_products() -> None:
    largest = (2 * R - 1, R - 1)
    source = program.source("poseidon") + SUM_OF_PRODUCTS
    a, b = (to_limbs([x]) for x in largest)
    for terms in (1, 5, 6, 17, 1000):
        got = from_limbs(sum_of_products(source, a, b, terms))[0]
        assert got < 2 * R and (got << 256) % R == terms * largest[0] * largest[1] % R
    broken = source.replace("high = Fr::fold(high);", "")
    got = from_limbs(sum_of_products(broken, a, b, 17))[0]
    assert (got << 256) % R != 17 * largest[0] * largest[1] % R


def sum_of_products(source: str, a: Limbs, b: Limbs, terms: int) -> Limbs:
    device = ShimDevice(sources={"poseidon": source})
    out = device.empty((1, 4), np.uint64)
    device.launch("poseidon", "sum_of_products", 1, 1, out, device.upload(a), device.upload(b), np.uint32(terms))
    return device.download(out)


@pytest.mark.parametrize(
    ("right", "wrong", "check"),
    [
        ("at < available", "true", test_the_tree_of_a_shards_accounts),  # no empty nodes
        ("r > 0", "true", partial(test_any_number_of_hashes, n=1)),  # the first round's matrix taken for another's
    ],
)
def test_a_broken_kernel_is_noticed(right: str, wrong: str, check: Callable[[Device], None]) -> None:
    source = program.source("poseidon")
    assert right in source
    device = ShimDevice(sources={"poseidon": source.replace(right, wrong)})
    with pytest.raises(AssertionError):
        check(device)
