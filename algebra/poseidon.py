"""Poseidon over Fr with circomlib's parameters: one numba kernel for all widths.

The definition is in ``reference/poseidon.py``, the form the kernel runs in ``poseidon_parameters.py``. Parameters reach
the kernel as arrays, so that it compiles once. Not constant-time across machines: no branch depends on the data, but
nothing more is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from . import fr
from .bn254 import R
from .jit import address, checked, kernel, stack
from .limbs import Limbs, from_limbs, to_limbs, to_montgomery
from .poseidon_parameters import sparse_parameters
from .reference.poseidon import MAX_INPUTS, check_arguments, sponge_start

__all__ = ["MAX_INPUTS", "poseidon", "poseidon_batch", "poseidon_ex", "sponge"]


def poseidon(inputs: Sequence[int], *, initial_state: int = 0) -> int:
    """circomlib's ``Poseidon(n)`` of 1 to 16 integers in [0, r).

    Raises:
        ValueError: no input, more than 16, or an element out of range.
    """
    return poseidon_ex(inputs, 1, initial_state)[0]


def poseidon_ex(inputs: Sequence[int], n_outputs: int, initial_state: int = 0) -> list[int]:
    """circomlib's ``PoseidonEx``: the first outputs of the permuted state (initial_state, inputs …).

    Raises:
        ValueError: a count or an element out of range.
    """
    check_arguments(inputs, n_outputs, initial_state)
    states = to_limbs([initial_state, *inputs]).reshape(1, -1, 4)
    _run(states, states)
    return from_limbs(states[0, :n_outputs])


def sponge(tag: int, words: Sequence[int]) -> int:
    """Hash of any number of field elements, as in ``docs/protocol.md``; see the reference.

    Raises:
        ValueError: the tag is not in [0, 2^64), or a word not in [0, r).
    """
    state = sponge_start(tag, len(words))
    for i in range(0, len(words), MAX_INPUTS):
        block = list(words[i : i + MAX_INPUTS])
        state = poseidon(block + [0] * (MAX_INPUTS - len(block)), initial_state=state)
    return state


def poseidon_batch(inputs: Limbs, initial_state: Limbs | None = None) -> Limbs:
    """``Poseidon(k)`` of n rows: canonical limbs (n, k, 4) to canonical limbs (n, 4).

    Args:
        inputs: uint64, C-contiguous, k in 1 … 16. Values are trusted to be below r.
        initial_state: canonical limbs (n, 4); zeros unless given.

    Raises:
        ValueError: shape or dtype do not fit.
    """
    n, k, _ = checked(inputs, None, None, 4).shape
    if not 1 <= k <= MAX_INPUTS:
        raise ValueError(f"Poseidon takes 1 to {MAX_INPUTS} inputs, not {k}")
    states = np.zeros((n, k + 1, 4), dtype=np.uint64)
    states[:, 1:] = inputs
    if initial_state is not None:
        states[:, 0] = checked(initial_state, n, 4)
    _run(states, states)
    return np.ascontiguousarray(states[:, 0])


def _run(out: Limbs, states: Limbs) -> None:
    """Permute canonical states, shape (n, t, 4)."""
    _permute_batch(out, states, *_arrays(states.shape[1]))


@cache
def _arrays(width: int) -> tuple[Limbs, Limbs, Limbs]:
    """What the kernel reads, in Montgomery form.

    The matrix and the entry matrix; constants of the full rounds; for each partial round its constant, row and column.
    """
    p = sparse_parameters(width)
    dense = [x for matrix in (p.matrix, p.entry) for row in matrix for x in row]
    full = [x for row in p.full_constants for x in row]
    partial = [
        x
        for constant, row, column in zip(p.partial_constants, p.rows, p.columns, strict=True)
        for x in (constant, *row, *column)
    ]
    return to_montgomery(dense, R), to_montgomery(full, R), to_montgomery(partial, R)


@kernel
def _permute_batch(out: Limbs, states: Limbs, dense: Limbs, full: Limbs, partial: Limbs) -> None:
    width = states.shape[1]
    partial_rounds = partial.shape[0] // (2 * width)
    state = stack(68)  # 17 elements
    scratch = stack(68)
    bytes_of_state = 32 * width
    for i in range(states.shape[0]):
        for j in range(width):
            fr.to_montgomery(state + 32 * j, address(states) + bytes_of_state * i + 32 * j)
        for r in range(4):
            matrix = address(dense) + (bytes_of_state * width if r == 3 else 0)
            _full_round(state, scratch, width, address(full) + bytes_of_state * r, matrix)
        for r in range(partial_rounds):
            _partial_round(state, scratch, width, address(partial) + 2 * bytes_of_state * r)
        for r in range(4, 8):
            _full_round(state, scratch, width, address(full) + bytes_of_state * r, address(dense))
        for j in range(width):
            fr.from_montgomery(address(out) + bytes_of_state * i + 32 * j, state + 32 * j)


@kernel
def _full_round(state: int, scratch: int, width: int, constants: int, matrix: int) -> None:
    """state ← matrix·(state + constants)⁵."""
    for j in range(width):
        fr.add(scratch + 32 * j, state + 32 * j, constants + 32 * j)
        _fifth_power(scratch + 32 * j)
    for i in range(width):
        _dot(state + 32 * i, matrix + 32 * width * i, scratch, width)


@kernel
def _partial_round(state: int, scratch: int, width: int, record: int) -> None:
    """One sparse round; the record is the constant, then the row, then the column."""
    fr.add(state, state, record)
    _fifth_power(state)
    _dot(scratch, record + 32, state, width)
    product = scratch + 32
    column = record + 32 * (width + 1)
    for j in range(1, width):
        fr.mul(product, column + 32 * (j - 1), state)
        fr.add(state + 32 * j, state + 32 * j, product)
    fr.copy(state, scratch)


@kernel
def _fifth_power(x: int) -> None:
    power = stack(4)
    fr.sqr(power, x)
    fr.sqr(power, power)
    fr.mul(x, x, power)


@kernel
def _dot(out: int, x: int, y: int, n: int) -> None:
    """Σ xᵢ·yᵢ; ``out`` lies in neither."""
    product = stack(4)
    fr.mul(out, x, y)
    for j in range(1, n):
        fr.mul(product, x + 32 * j, y + 32 * j)
        fr.add(out, out, product)
