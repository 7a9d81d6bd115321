"""4-ary Merkle paths: against a tree in plain integers; wrong siblings, positions and roots; counts."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import compare, merkle
from aitbc_rollup.circuits.testing import survivors
from aitbc_rollup.errors import BadInputError

DEPTH = 3


def tree(leaves: list[int]) -> list[list[int]]:
    """All levels, leaves first."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        row = levels[-1]
        levels.append([poseidon(row[i : i + 4]) for i in range(0, len(row), 4)])
    return levels


def path(levels: list[list[int]], index: int) -> list[list[int]]:
    """The four children on the path, from the leaf up."""
    starts = [(index >> 2 * k) & ~3 for k in range(len(levels) - 1)]
    return [levels[k][start : start + 4] for k, start in enumerate(starts)]


@pytest.fixture(scope="module")
def leaves() -> list[int]:
    random = Random(4)
    return [random.randrange(R) for _ in range(4**DEPTH)]


@pytest.fixture(scope="module")
def updating() -> CompiledCircuit:
    circuit = Circuit()
    index = circuit.private_input("index")
    old, new = circuit.private_input("old"), circuit.private_input("new")
    levels = circuit.private_inputs("levels", DEPTH, 4)
    before, after = merkle.update(circuit, old, new, compare.num2bits(circuit, index, 2 * DEPTH), levels)
    circuit.public_output("before", before)
    circuit.public_output("after", after)
    return circuit.compile()


def assignment(leaves: list[int], index: int, new: int) -> dict[str, Any]:
    return {"index": index, "old": leaves[index], "new": new, "levels": path(tree(leaves), index)}


@pytest.mark.parametrize("index", [0, 1, 2, 3, 7, 16, 37, 63])
def test_update_equals_the_tree(updating: CompiledCircuit, leaves: list[int], index: int) -> None:
    changed = [*leaves[:index], 99, *leaves[index + 1 :]]
    witness = updating.witness(assignment(leaves, index, 99))
    assert check(updating, witness) is None
    assert updating.public_inputs(witness) == [tree(leaves)[-1][0], tree(changed)[-1][0]]


def test_an_unchanged_leaf_leaves_the_root(updating: CompiledCircuit, leaves: list[int]) -> None:
    before, after = updating.public_inputs(updating.witness(assignment(leaves, 5, leaves[5])))
    assert before == after


def test_membership() -> None:
    circuit = Circuit()
    index, leaf = circuit.private_input("index"), circuit.private_input("leaf")
    levels = circuit.private_inputs("levels", 2, 4)
    circuit.public_output("root", merkle.root(circuit, leaf, compare.num2bits(circuit, index, 4), levels))
    built = circuit.compile()
    leaves = list(range(100, 116))
    for i in range(16):
        values = {"index": i, "leaf": leaves[i], "levels": path(tree(leaves), i)}
        witness = built.witness(values)
        assert check(built, witness) is None and built.public_inputs(witness) == [tree(leaves)[-1][0]]
        assert check(built, built.witness(values | {"leaf": 1})) is not None
        assert check(built, built.witness(values | {"index": i ^ 1})) is not None
        assert check(built, built.witness(values | {"index": i ^ 8})) is not None
    assert survivors(built, {"index": 6, "leaf": 106, "levels": path(tree(leaves), 6)}) == []


@pytest.mark.parametrize("level", range(DEPTH))
def test_a_wrong_own_child_is_refused(updating: CompiledCircuit, leaves: list[int], level: int) -> None:
    index = 27
    values = assignment(leaves, index, 99)
    own = index >> 2 * level & 3
    values["levels"][level][own] += 1
    violation = check(updating, updating.witness(values))
    assert violation is not None and violation.message == "the path's own child is not the node below"


@pytest.mark.parametrize("level", range(DEPTH - 1))
def test_a_wrong_sibling_is_refused_one_level_up(updating: CompiledCircuit, leaves: list[int], level: int) -> None:
    values = assignment(leaves, 27, 99)
    values["levels"][level][(27 >> 2 * level & 3) ^ 1] += 1
    violation = check(updating, updating.witness(values))
    assert violation is not None and violation.message == "the path's own child is not the node below"


def test_a_wrong_sibling_at_the_top_is_another_root(updating: CompiledCircuit, leaves: list[int]) -> None:
    values = assignment(leaves, 27, 99)
    values["levels"][-1][0] += 1
    witness = updating.witness(values)
    assert check(updating, witness) is None
    assert updating.public_inputs(witness)[0] != tree(leaves)[-1][0]


def test_no_other_witness() -> None:
    circuit = Circuit()
    index, old, new = circuit.private_inputs("x", 3)
    levels = circuit.private_inputs("levels", 1, 4)
    roots = merkle.update(circuit, old, new, compare.num2bits(circuit, index, 2), levels)
    for i, value in enumerate(roots):
        circuit.public_output(f"root{i}", value)
    built = circuit.compile()
    for i in range(4):
        assert survivors(built, {"x": [i, 10 + i, 77], "levels": [[10, 11, 12, 13]]}) == []


LEVELS_UPDATE_COUNT = [(1, False, 300), (16, False, 4800), (1, True, 600), (16, True, 9600)]


@pytest.mark.parametrize(("levels", "update", "count"), LEVELS_UPDATE_COUNT)
def test_counts(levels: int, update: bool, count: int) -> None:
    circuit = Circuit()
    old, new, *wires = circuit.private_inputs("x", 2 + 2 * levels)
    bits = [wire.within(0, 1) for wire in wires]
    children = circuit.private_inputs("levels", levels, 4)
    if update:
        merkle.update(circuit, old, new, bits, children)
    else:
        merkle.root(circuit, old, bits, children)
    assert circuit.n_constraints == count


def test_shapes_are_refused() -> None:
    circuit = Circuit()
    x = circuit.private_inputs("x", 4)
    with pytest.raises(ValueError, match="two index bits and four children"):
        merkle.root(circuit, 0, x[:1], [x])
    with pytest.raises(ValueError, match="two index bits and four children"):
        merkle.update(circuit, 0, 1, x[:2], [x[:3]])


def test_index_bits_nobody_constrained_are_refused() -> None:
    circuit = Circuit()
    leaf, *bits = circuit.private_inputs("x", 3)
    with pytest.raises(BadInputError, match="a flag is not known"):
        merkle.root(circuit, leaf, bits, circuit.private_inputs("levels", 1, 4))
