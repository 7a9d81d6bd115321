"""Poseidon of many inputs, and whole Merkle trees, on a device.

The permutation is ``algebra.poseidon_parameters``' with one change. The fifth power commutes with a scaling, so any
element of the state between two rounds may be kept divided by a constant λ of its own::

    u ← M'·(u + c/λ)⁵        M'ᵢⱼ = Mᵢⱼ·λⱼ⁵/λ'ᵢ      λ before the round, λ' after it

Fifth roots are unique in Fr (5 does not divide r − 1), so from the last round, whose λ' is 1, back to the first, λ is
chosen such that a row of each matrix is all ones: t products fewer in a full round, one fewer in a partial round, and
none at all in the last one, of which one output is wanted. Only the first round, whose inputs come as they are, keeps
its matrix. A hash of four inputs takes 925 products where the plain form takes 2,000.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs, to_montgomery
from aitbc_rollup.algebra.poseidon import MAX_INPUTS, poseidon
from aitbc_rollup.algebra.poseidon_parameters import Matrix, Row, sparse_parameters

from .device import Array, Device

_SHARED_BYTES = 48 * 1024
_FIFTH_ROOT = pow(5, -1, R - 1)


class ScaledParameters(NamedTuple):
    """One width's parameters, integers in [0, r).

    ``full`` has the constants and the matrix of each full round; row 0 is all ones, but in the first round. ``partial``
    has for each partial round its constant, the row's entries after the first, which is 1, and the column's.
    """

    full: tuple[tuple[Row, Matrix], ...]
    partial: tuple[tuple[int, Row, Row], ...]


@cache
def scaled_parameters(width: int) -> ScaledParameters:
    """The scaled parameters of a width in 2 … 17.

    Raises:
        ValueError: another width.
    """
    p = sparse_parameters(width)
    half = len(p.full_constants) // 2
    matrices = [p.matrix] * (half - 1) + [p.entry] + [p.matrix] * half
    full: list[tuple[Row, Matrix]] = []
    partial: list[tuple[int, Row, Row]] = []
    after: Row = (1,) * width
    for r in reversed(range(2 * half)):
        matrix = matrices[r]
        before = tuple(_root(after[0], x) for x in matrix[0]) if r > 0 else (1,) * width
        constants = tuple(_over(c, scale) for c, scale in zip(p.full_constants[r], before, strict=True))
        powers = [pow(scale, 5, R) for scale in before]
        scaled = [
            tuple(_over(x * power, to) for x, power in zip(row, powers, strict=True))
            for row, to in zip(matrix, after, strict=True)
        ]
        full.append((constants, tuple(scaled)))
        after = before
        if r == half:
            for constant, row, column in zip(*map(reversed, (p.partial_constants, p.rows, p.columns)), strict=True):
                first, others = _root(after[0], row[0]), after[1:]
                power = pow(first, 5, R)
                rows = tuple(_over(x * scale, after[0]) for x, scale in zip(row[1:], others, strict=True))
                columns = tuple(_over(x * power, scale) for x, scale in zip(column, others, strict=True))
                partial.append((_over(constant, first), rows, columns))
                after = (first, *others)
    return ScaledParameters(tuple(full[::-1]), tuple(partial[::-1]))


def _over(x: int, y: int) -> int:
    return x * pow(y, -1, R) % R


def _root(x: int, y: int) -> int:
    """The fifth root of x/y."""
    return pow(_over(x, y), _FIFTH_ROOT, R)


def hash_many(device: Device, inputs: Array, initial_state: Array | None = None) -> Array:
    """``Poseidon(k)`` of n rows: device array (n, k, 4) to (n, 4), both Montgomery; the result is canonical.

    Args:
        device: where.
        inputs: values below 2r, k in 1 … 16.
        initial_state: Montgomery (n, 4), values below 2r; zeros unless given.

    Raises:
        ValueError: k is not in 1 … 16, or the initial states are not n.
        ResourceError: the memory budget does not allow it.
    """
    n, k, _ = inputs.shape
    if initial_state is not None and initial_state.shape != (n, 4):
        raise ValueError(f"initial states of shape {initial_state.shape} for {n} rows")
    out = device.empty((n, 4), np.uint64)
    _launch(device, out, inputs, n * k, k + 1, inputs, initial_state)
    return out


def tree(device: Device, leaves: Array, depth: int, arity: int = 4) -> list[Array]:
    """All levels of a Merkle tree of Poseidon(arity): leaves first, the root, of shape (1, 4), last.

    The n leaves stand at indices 0 … n − 1, and everything else is empty: leaf 0, and above it the hash of ``arity``
    empty nodes. Level l > 0 holds the nodes that a leaf stands below, but at least one: ⌈n/arityˡ⌉. For arity 4 and
    depth 16 that is the tree of a shard's accounts (``docs/protocol.md``, "Account").

    Args:
        device: where.
        leaves: device array (n, 4), Montgomery, canonical, n at most arity^depth.
        depth: levels above the leaves.
        arity: 2 … 16.

    Raises:
        ValueError: depth or arity is out of range, or there are too many leaves.
        ResourceError: the memory budget does not allow it.
    """
    if depth < 0 or not 2 <= arity <= MAX_INPUTS:
        raise ValueError(f"no tree has depth {depth} and arity {arity}")
    if len(leaves) > arity**depth:
        raise ValueError(f"{len(leaves)} leaves in a tree of {arity}^{depth}")
    empty = device.upload(to_montgomery(empty_nodes(depth, arity), R))
    levels = [leaves] if depth or len(leaves) else [empty[:1]]
    for level in range(depth):
        below = levels[-1]
        above = device.empty((max(1, -(-len(below) // arity)), 4), np.uint64)
        _launch(device, above, below, len(below), arity + 1, empty[level:], None)
        levels.append(above)
    return levels


@cache
def empty_nodes(depth: int, arity: int) -> tuple[int, ...]:
    """Roots of the empty trees of depth 0 … ``depth``, integers in [0, r)."""
    nodes = [0]
    for _ in range(depth):
        nodes.append(poseidon([nodes[-1]] * arity))
    return tuple(nodes)


def _launch(
    device: Device, out: Array, values: Array, available: int, width: int, filler: Array, initial: Array | None
) -> None:
    """out[i] ← hash of its width − 1 values in order; ``filler``'s first element stands for those not available."""
    if not 2 <= width <= MAX_INPUTS + 1:
        raise ValueError(f"Poseidon takes 1 to {MAX_INPUTS} inputs, not {width - 1}")
    full, partial = _constants(device, width)
    threads = 128 if 128 * 32 * width <= _SHARED_BYTES else 64
    device.launch(
        "poseidon",
        "poseidon_hash",
        -(-len(out) // threads),
        threads,
        out,
        values,
        filler,
        np.uint64(0) if initial is None else initial,
        full,
        partial,
        np.uint64(available),
        np.uint32(width),
        np.uint32(len(scaled_parameters(width).partial)),
        np.uint32(len(out)),
        shared=32 * width * threads,
    )


#: Each device's constants by width, as long as there is the device.
_uploaded: WeakKeyDictionary[Device, dict[int, tuple[Array, Array]]] = WeakKeyDictionary()


def _constants(device: Device, width: int) -> tuple[Array, Array]:
    """Full and partial rounds' records on the device, Montgomery, as ``kernels/poseidon.cu`` reads them."""
    known = _uploaded.setdefault(device, {})
    if width not in known:
        p = scaled_parameters(width)
        full = [x for constants, matrix in p.full for x in (constants, *matrix)]
        rounds = [_partial_record(*of_round) for of_round in p.partial]
        known[width] = (
            device.upload(np.concatenate([to_montgomery(row, R) for row in full])),
            device.upload(np.concatenate(rounds)),
        )
    return known[width]


def _partial_record(constant: int, row: Row, column: Row) -> Limbs:
    """The constant; then of each other element the row's entry, and for the column's a product with a known factor:
    the factor itself, not in Montgomery form, and its quotient by r (``field.cuh``, ``mul_known``)."""
    entries = to_montgomery(row, R), to_limbs(column), to_limbs((x << 256) // R for x in column)
    return np.concatenate([to_montgomery([constant], R), np.stack(entries, axis=1).reshape(-1, 4)])
