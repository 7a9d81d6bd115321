"""Sparse matrix times vector over Fr: how constraints are evaluated, by the checker, the witness and the prover.

A matrix is CSR whose entries are indices into a table of distinct coefficients (see ``circuits.r1cs``). All field
elements are in Montgomery form. Coefficients 1 and −1, the commonest, skip the multiplication.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import fr
from .jit import address, checked, kernel, stack
from .limbs import Limbs

#: What a coefficient asks for: a product, an addition or a subtraction.
GENERAL, PLUS_ONE, MINUS_ONE = 0, 1, 2

_ONE = fr.ONE
_MINUS_ONE = np.array([(fr.MODULUS - (1 << 256) % fr.MODULUS) >> 64 * i & (1 << 64) - 1 for i in range(4)], np.uint64)


def kinds(table: Limbs) -> NDArray[np.uint8]:
    """For each coefficient (Montgomery, (k, 4)) whether it is 1, −1 or neither, uint8 (k,)."""
    found = np.zeros(len(checked(table, None, 4)), np.uint8)
    found[(table == _ONE).all(axis=1)] = PLUS_ONE
    found[(table == _MINUS_ONE).all(axis=1)] = MINUS_ONE
    return found


@kernel
def combine(
    out: int,
    start: int,
    stop: int,
    wires: NDArray[np.uint32],
    coefficients: NDArray[np.uint32],
    kind: NDArray[np.uint8],
    table: int,
    vector: int,
) -> None:
    """Inside kernels: out = Σ table[coefficients[i]] · vector[wires[i]] over entries start ≤ i < stop; not in place."""
    product = stack(4)
    fr.set_zero(out)
    for i in range(start, stop):
        coefficient = np.intp(coefficients[i])
        x = vector + 32 * np.intp(wires[i])
        if kind[coefficient] == PLUS_ONE:
            fr.add(out, out, x)
        elif kind[coefficient] == MINUS_ONE:
            fr.sub(out, out, x)
        else:
            fr.mul(product, table + 32 * coefficient, x)
            fr.add(out, out, product)


@kernel
def _multiply(
    out: Limbs,
    indptr: NDArray[np.int64],
    wires: NDArray[np.uint32],
    coefficients: NDArray[np.uint32],
    kind: NDArray[np.uint8],
    table: Limbs,
    vector: Limbs,
) -> None:
    for row in range(out.shape[0]):
        to = address(out) + 32 * row
        combine(to, indptr[row], indptr[row + 1], wires, coefficients, kind, address(table), address(vector))


def multiply(
    indptr: NDArray[np.int64],
    wires: NDArray[np.uint32],
    coefficients: NDArray[np.uint32],
    table: Limbs,
    vector: Limbs,
    kind: NDArray[np.uint8] | None = None,
) -> Limbs:
    """Matrix times vector, Montgomery limbs (m, 4).

    Shapes: ``indptr`` int64 (m + 1,), ``wires`` and ``coefficients`` uint32 (nnz,), ``table`` and ``vector``
    Montgomery limbs (k, 4) and (n, 4); ``kind`` is :func:`kinds` of the table, for those who have it. Runs without the
    GIL; rows can be split among threads by slicing ``indptr``.

    Raises:
        ValueError: an array has another shape or dtype, or an index points outside.
    """
    checked(indptr, None, dtype=np.int64)
    checked(wires, None, dtype=np.uint32)
    checked(coefficients, len(wires), dtype=np.uint32)
    checked(table, None, 4)
    checked(vector, None, 4)
    check_indices(indptr, wires, coefficients, len(vector), len(table))
    kind = kinds(table) if kind is None else checked(kind, len(table), dtype=np.uint8)
    out = np.empty((len(indptr) - 1, 4), np.uint64)
    _multiply(out, indptr, wires, coefficients, kind, table, vector)
    return out


@kernel
def _multiply_pointwise(out: Limbs, x: Limbs, y: Limbs) -> None:
    for i in range(out.shape[0]):
        fr.mul(address(out) + 32 * i, address(x) + 32 * i, address(y) + 32 * i)


def multiply_pointwise(x: Limbs, y: Limbs) -> Limbs:
    """Products of two vectors' entries, Montgomery limbs (n, 4)."""
    out = np.empty_like(checked(x, None, 4))
    _multiply_pointwise(out, x, checked(y, len(x), 4))
    return out


def check_indices(
    indptr: NDArray[np.int64],
    wires: NDArray[np.uint32],
    coefficients: NDArray[np.uint32],
    n_columns: int,
    n_coefficients: int,
) -> None:
    """Refuse a matrix a kernel could not read safely: nothing is bounds-checked in there.

    Raises:
        ValueError: offsets fall or leave the entries, or an index leaves its range.
    """
    if len(indptr) == 0 or indptr[0] < 0 or indptr[-1] > len(wires) or bool((indptr[1:] < indptr[:-1]).any()):
        raise ValueError("row offsets must rise within the entries")
    if len(wires) and (int(wires.max()) >= n_columns or int(coefficients.max()) >= n_coefficients):
        raise ValueError("a matrix entry points outside the vector or the table")
