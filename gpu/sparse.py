"""A constraint matrix on the device, and its product with a witness.

Rows of any length cost what their entries cost: they are cut into segments of at most 32 entries, one a thread, sorted
by length and by number of products, so that the lanes of a warp do the same; rows of several segments are summed in a
second launch. A matrix has few distinct coefficients: an entry holds its coefficient's number in a table, 8 bytes with
the wire's instead of 36, and what is multiplied by 1 or −1 is not multiplied.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.jit import checked
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.prover.keys import Matrix

from .device import Array, Device

Words = NDArray[np.uint32]

_THREADS = 256
_WARP = 32
#: Most entries that one thread sums.
_SEGMENT = 32
#: What the table begins with: 1 and −1 as a matrix holds them.
_SIGNS = to_limbs([sign * (1 << 512) % R for sign in (1, -1)])
#: Factors of a sum of limbs by which coefficients are told apart; where it does not, they are compared.
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)
#: Entries compared at a time.
_PIECE = 1 << 20


class DeviceMatrix:
    """A matrix of a proving key where a device multiplies with it."""

    def __init__(self, device: Device, matrix: Matrix) -> None:
        """Upload; the matrix is not kept.

        Raises:
            ValueError: the arrays are not as :class:`Matrix` has them; the offsets do not start at 0, fall, or do not
                end with the entries; or there are 2^32 of them.
            ResourceError: the device has no room for it.
        """
        indptr, wires, values = matrix
        checked(indptr, None, dtype=np.int64)
        checked(wires, None, dtype=np.uint32)
        checked(values, None, 4)
        lengths = np.diff(indptr)
        if len(indptr) == 0 or indptr[0] != 0 or (lengths < 0).any():
            raise ValueError("a matrix's offsets start at 0 and do not fall")
        if not indptr[-1] == len(wires) == len(values) or max(2 * len(indptr), len(wires)) >= 1 << 32:
            raise ValueError(f"offsets end at {indptr[-1]}, with {len(wires)} wires and {len(values)} values")
        table, factors = _factors(values)
        segments, long_rows = _segments(indptr, factors >= len(_SIGNS))
        self._device = device
        self._n_rows = len(lengths)
        self._n_partial = int(long_rows[2].sum())
        self._n_columns = int(wires.max()) + 1 if len(wires) else 0
        self._segments = device.upload(segments)
        self._long_rows = device.upload(long_rows)
        self._wires = device.upload(wires)
        self._factors = device.upload(factors)
        self._table = device.upload(table)

    @property
    def nbytes(self) -> int:
        """Bytes on the device."""
        arrays = (self._segments, self._long_rows, self._wires, self._factors, self._table)
        return sum(int(array.nbytes) for array in arrays)

    def product(self, vector: Array) -> Array:
        """Matrix times a *canonical* vector on the device, uint64 (n, 4); Montgomery form, canonical, one entry a row.

        Raises:
            ValueError: the matrix has more columns than the vector entries.
        """
        if len(vector) < self._n_columns:
            raise ValueError(f"the matrix has {self._n_columns} columns, the vector {len(vector)} entries")
        count, n_long = self._segments.shape[1], self._long_rows.shape[1]
        out = self._device.empty((self._n_rows + self._n_partial, 4), np.uint64)
        entries = (self._wires, self._factors, self._table)
        blocks = -(-count // _THREADS)
        self._device.launch(
            "sparse", "sparse_segments", blocks, _THREADS, out, vector, self._segments, np.uint32(count), *entries
        )
        blocks = -(-n_long * _WARP // _THREADS)
        self._device.launch("sparse", "sparse_rows", blocks, _THREADS, out, self._long_rows, np.uint32(n_long))
        return out[: self._n_rows]


def _factors(values: Limbs) -> tuple[Limbs, Words]:
    """A table of 1, −1 and the distinct values, and each value's number in it, the lowest."""
    mixed = np.zeros(len(values), np.uint64)
    for limb, odd in zip(values.T, _MIX, strict=True):
        mixed += limb * odd
    distinct = np.unique(mixed)
    numbers, example = np.searchsorted(distinct, mixed), np.empty(len(distinct), np.intp)
    example[numbers] = np.arange(len(values))
    table = values[example]
    pieces = (slice(start, start + _PIECE) for start in range(0, len(values), _PIECE))
    if not all(np.array_equal(table[numbers[piece]], values[piece]) for piece in pieces):
        table, numbers = np.unique(values, axis=0, return_inverse=True)
    names = np.arange(len(_SIGNS), len(_SIGNS) + len(table), dtype=np.uint32)
    for sign, value in enumerate(_SIGNS):
        names[(table == value).all(axis=1)] = sign
    return np.concatenate([_SIGNS, table]), names[numbers.reshape(-1)]


def _segments(indptr: NDArray[np.int64], multiplied: NDArray[np.bool_]) -> tuple[Words, Words]:
    """The rows in segments, and the rows that have several of them: the arrays the kernels take, ``(3, count)``."""
    n_rows, lengths = len(indptr) - 1, np.diff(indptr)
    pieces = np.maximum(1, -(-lengths // _SEGMENT))
    row = np.repeat(np.arange(n_rows), pieces)
    first = indptr[row] + _SEGMENT * (np.arange(len(row)) - np.repeat(pieces.cumsum() - pieces, pieces))
    size = np.minimum(indptr[row + 1] - first, _SEGMENT)
    products = np.concatenate([[0], multiplied.cumsum()])
    longest_first = -(size * (_SEGMENT + 1) + products[first + size] - products[first]).astype(np.int16)
    order = np.argsort(longest_first, kind="stable")

    # Sums of the segments of long rows go behind the rows, in their order.
    partial = pieces[row] > 1
    target = np.where(partial, n_rows + partial.cumsum() - 1, row)
    long = np.flatnonzero(pieces > 1)
    count = pieces[long]
    segments = np.stack([column[order] for column in (first, size, target)]).astype(np.uint32)
    return segments, np.stack([long, n_rows + count.cumsum() - count, count]).astype(np.uint32)
