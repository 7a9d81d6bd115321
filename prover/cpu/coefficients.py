"""A .zkey's coefficients, in any order, to matrices in compressed rows: counted once, then put in their places.

A record is eleven 32-bit words: the matrix (0 for A, 1 for B), the row, the wire, and eight words of value. Entries of
a row keep the file's order.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.jit import checked, kernel

from ..keys import Matrix

Words = NDArray[np.uint32]
Counts = NDArray[np.int64]

#: Words of a record.
RECORD = 11
_R_WORDS = np.frombuffer(R.to_bytes(32, "little"), "<u4").astype(np.uint32)


@kernel
def _count(counts: Counts, records: Words, n_wires: int, bound: Words) -> int:
    """Count entries by matrix and row; the index of the first record that is out of range, or −1."""
    for i in range(records.shape[0]):
        matrix, row = np.intp(records[i, 0]), np.intp(records[i, 1])
        if matrix > 1 or row >= counts.shape[1] or np.intp(records[i, 2]) >= n_wires:
            return i
        at = 7
        while at > 0 and records[i, 3 + at] == bound[at]:
            at -= 1
        if records[i, 3 + at] >= bound[at]:
            return i
        counts[matrix, row] += 1
    return -1


@kernel
def _place(nexts: Counts, ends: Counts, wires: Words, values: Words, records: Words) -> bool:
    """Put entries where their rows go on, which moves; false if a row is full or there is no such row."""
    for i in range(records.shape[0]):
        matrix, row = np.intp(records[i, 0]), np.intp(records[i, 1])
        if matrix > 1 or row >= nexts.shape[1]:
            return False
        to = nexts[matrix, row]
        if to >= ends[matrix, row]:
            return False
        nexts[matrix, row] = to + 1
        wires[to] = records[i, 2]
        for j in range(8):
            values[to, j] = records[i, 3 + j]
    return True


def first_wrong(counts: Counts, records: Words, n_wires: int) -> int | None:
    """Add a piece's entries, uint32 (n, 11), to ``counts``, int64 (2, rows).

    Returns:
        the index in the piece of the first record with a matrix, row or wire that there is not or a value that is not
        below r; ``None`` if there is none.
    """
    checked(counts, 2, None, dtype=np.int64)
    wrong = _count(counts, checked(records, None, RECORD, dtype=np.uint32), n_wires, _R_WORDS)
    return None if wrong < 0 else int(wrong)


def matrices(counts: Counts, pieces: Iterable[Words]) -> tuple[Matrix, Matrix]:
    """A and B of the records that :func:`first_wrong` has counted and found right, given once more.

    Raises:
        ValueError: they are other records: the file changed in between.
    """
    ends = checked(counts, 2, None, dtype=np.int64).cumsum().reshape(counts.shape)
    starts = ends - counts
    nexts, total = starts.copy(), int(ends[-1, -1])
    wires, values = np.empty(total, np.uint32), np.empty((total, 4), np.uint64)
    for records in pieces:
        if not _place(nexts, ends, wires, values.view(np.uint32), checked(records, None, RECORD, dtype=np.uint32)):
            raise ValueError("more records than were counted")
    if not np.array_equal(nexts, ends):
        raise ValueError("fewer records than were counted")
    cut = int(ends[0, -1])
    indptr = np.zeros((2, counts.shape[1] + 1), np.int64)
    indptr[:, 1:] = ends
    indptr[1, 1:] -= cut
    return Matrix(indptr[0], wires[:cut], values[:cut]), Matrix(indptr[1], wires[cut:], values[cut:])
