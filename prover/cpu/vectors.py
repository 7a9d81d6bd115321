"""Sparse products and linear combinations over Fr: what setup and proof do with whole vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import fr, simd, threads
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.jit import address, checked, kernel, stack
from aitbc_rollup.algebra.limbs import Limbs, aligned_empty, to_montgomery
from aitbc_rollup.algebra.simd import LANES, RADIX

from ..keys import Matrix

#: Entries whose products are made before they are summed; a multiple of the lanes of every path.
_CHUNK = 128


@simd.operation
def _multiply_rows(builder: Any, x: Any, y: Any, row: Any) -> None:
    """As many elements from x on as there are lanes, times those from y on, with ``fr.mul``'s factor 2^-256."""
    f = simd.lanes(builder, R)
    xs, ys = [x], [y]
    while len(xs) < LANES:
        xs.append(builder.add(xs[-1], row))
        ys.append(builder.add(ys[-1], row))
    f.scatter(xs, (f.gather(xs, R) * f.gather(ys, R)).times(1 << RADIX - 256).canonical())


@kernel
def _rows(
    out: Limbs,
    indptr: NDArray[np.int64],
    wires: NDArray[np.uint32],
    values: Limbs,
    vector: Limbs,
    start: int,
    stop: int,
    products: int,
) -> None:
    """Rows start ≤ i < stop of the product; ``products`` is the address of a chunk of elements.

    All lanes multiply whatever the rows' lengths: entries are taken as they lie, and summed afterwards.
    """
    row, total = start - 1, address(out) + 32 * (start - 1)
    for entry in range(indptr[start], indptr[stop], _CHUNK):
        count = min(_CHUNK, indptr[stop] - entry)
        for i in range(count):
            fr.copy(products + 32 * i, address(vector) + 32 * np.intp(wires[entry + i]))
        in_lanes = count // LANES * LANES
        for i in range(0, in_lanes, LANES):
            _multiply_rows(products + 32 * i, address(values) + 32 * (entry + i), 32)
        for i in range(in_lanes, count):
            fr.mul(products + 32 * i, products + 32 * i, address(values) + 32 * (entry + i))
        for i in range(count):
            while entry + i >= indptr[row + 1]:
                row, total = row + 1, total + 32
                fr.set_zero(total)
            fr.add(total, total, products + 32 * i)
    for rest in range(row + 1, stop):
        fr.set_zero(address(out) + 32 * rest)


@kernel
def _columns(out: Limbs, indptr: NDArray[np.int64], wires: NDArray[np.uint32], values: Limbs, vector: Limbs) -> None:
    product = stack(4)
    for row in range(indptr.shape[0] - 1):
        for k in range(indptr[row], indptr[row + 1]):
            total = address(out) + 32 * np.intp(wires[k])
            fr.mul(product, address(values) + 32 * k, address(vector) + 32 * row)
            fr.add(total, total, product)


def _check(matrix: Matrix) -> None:
    offsets = checked(matrix.indptr, None, dtype=np.int64)
    if len(offsets) == 0 or offsets[0] != 0 or (np.diff(offsets) < 0).any():
        raise ValueError("a matrix's offsets start at 0 and do not fall")
    entries = int(offsets[-1])
    checked(matrix.wires, entries, dtype=np.uint32)
    checked(matrix.values, entries, 4)


def sparse_product(matrix: Matrix, vector: Limbs) -> Limbs:
    """Matrix times a canonical vector; Montgomery form, one entry a row."""
    _check(matrix)
    checked(vector, None, 4)
    if len(matrix.wires) and int(matrix.wires.max()) >= len(vector):
        raise ValueError(f"the matrix has a column {matrix.wires.max()}, the vector {len(vector)} entries")
    out = np.empty((matrix.n_rows, 4), np.uint64)

    def part(start: int, stop: int) -> None:
        products = aligned_empty(_CHUNK, 4)
        simd.run(_rows, out, *matrix, vector, start, stop, products.ctypes.data)

    threads.run(partial(part, *bounds) for bounds in threads.ranges(matrix.n_rows, 1024))
    return out


def transposed_product(matrix: Matrix, vector: Limbs, n_columns: int) -> Limbs:
    """Canonical row vector times matrix; Montgomery form, one entry a column."""
    _check(matrix)
    checked(vector, matrix.n_rows, 4)
    if len(matrix.wires) and int(matrix.wires.max()) >= n_columns:
        raise ValueError(f"the matrix has a column {matrix.wires.max()}, {n_columns} were expected")
    out = np.zeros((n_columns, 4), np.uint64)
    _columns(out, *matrix, vector)
    return out


@kernel
def _combine(out: Limbs, vector: Limbs, factor: Limbs, start: int, stop: int) -> None:
    product = stack(4)
    for i in range(start, stop):
        fr.mul(product, address(vector) + 32 * i, address(factor))
        fr.add(address(out) + 32 * i, address(out) + 32 * i, product)


def combine(vectors: Sequence[Limbs], factors: Sequence[int]) -> Limbs:
    """Σ factors[k]·vectors[k], entry by entry; vectors and result in Montgomery form."""
    out = np.zeros_like(checked(vectors[0], None, 4))
    for vector, factor in zip(vectors, factors, strict=True):
        checked(vector, len(out), 4)
        scale = to_montgomery([factor], R)
        threads.run(partial(_combine, out, vector, scale, *part) for part in threads.ranges(len(out), 1024))
    return out
