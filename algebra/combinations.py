"""Linear combinations as .r1cs files hold them, to and from sparse matrices.

A combination is its number of terms, then for each a wire and a coefficient of eight words, little-endian; all words
have 32 bits. Combinations come in threes, of A, B and C. Here they are turned into the rows of three matrices in CSR,
whose entries are indices into one table of distinct coefficients (see ``circuits.r1cs``), by kernels that go through
the words once to measure and once to read.

The table is found by hashing, with a key drawn for each file: no file can be made to collide.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .bn254 import R
from .jit import checked, kernel
from .limbs import Limbs
from .sparse import check_indices

Words = NDArray[np.uint32]

#: Words of a term.
TERM = 9
_R_WORDS = np.frombuffer(R.to_bytes(32, "little"), "<u4").astype(np.uint32)
#: What may be wrong with a term.
_FAULTS = {
    1: "a wire is out of range",
    2: "a coefficient is not below r",
    3: "a wire occurs twice in one combination",
    4: "the words changed while they were read",
}


class Rows(NamedTuple):
    """A matrix in CSR: ``indptr`` int64 (m + 1,), ``wires`` and ``coefficients`` uint32 (nnz,)."""

    indptr: NDArray[np.int64]
    wires: Words
    coefficients: Words


class MalformedError(Exception):
    """Words that are no combinations: what is wrong, in which combination, at which word."""

    def __init__(self, message: str, combination: int, word: int) -> None:
        super().__init__(message)
        self.message = message
        self.combination = combination
        self.word = word


@kernel
def _measure(words: Words, combinations: int, totals: NDArray[np.int64]) -> np.intp:
    """Words that so many combinations take, ``totals`` the terms of each matrix; −1 − i if the i-th is cut off."""
    at = np.intp(0)
    for i in range(combinations):
        if at >= words.shape[0]:
            return np.intp(-1 - i)
        length = np.intp(words[at])
        at += 1 + TERM * length
        if at > words.shape[0]:
            return np.intp(-1 - i)
        totals[i % 3] += length
    return at


@kernel
def _below(words: Words, at: int, bound: Words) -> bool:
    for i in range(7, -1, -1):
        if words[at + i] != bound[i]:
            return words[at + i] < bound[i]
    return False


@kernel
def _slot(words: Words, at: int, slots: Words, key: Limbs) -> int:
    """Where the search for a coefficient begins: the upper bits of its product with the key."""
    mixed = np.uint64(0)
    for i in range(4):
        low, high = np.uint64(words[at + 2 * i]), np.uint64(words[at + 2 * i + 1])
        mixed += (low | high << np.uint64(32)) * key[i]
    return np.intp(mixed >> key[4]) & (slots.shape[0] - 1)


@kernel
def _index(words: Words, at: int, table: Words, slots: Words, key: Limbs, count: int) -> np.intp:
    """Index of the coefficient at a word in the table; ``count`` if it has just been added there."""
    slot = _slot(words, at, slots, key)
    while slots[slot] != 0:
        found = np.intp(slots[slot]) - 1
        same = True
        for i in range(8):
            same = same and table[found, i] == words[at + i]
        if same:
            return found
        slot = (slot + 1) & (slots.shape[0] - 1)
    slots[slot] = count + 1
    for i in range(8):
        table[count, i] = words[at + i]
    return np.intp(count)


@kernel
def _read(
    words: Words,
    bound: Words,
    key: Limbs,
    indptr: NDArray[np.int64],
    ends: NDArray[np.int64],
    wires: Words,
    coefficients: Words,
    table: Words,
    slots: Words,
    last: NDArray[np.int64],
    fault: NDArray[np.int64],
) -> int:
    """Fill the three matrices; returns the table's length, or −1 and the fault: its kind, combination and word.

    Matrix k's entries go to ``ends[k]`` and on, which moves. ``last``, all −1, notes for each wire the combination it
    was last seen in. The words may lie in a mapped file, so what measured them is not relied on.
    """
    count = 0
    at = 0
    for i in range(3 * (indptr.shape[1] - 1)):
        k = i % 3
        stop = words.shape[0] + 1
        if at < words.shape[0]:
            stop = at + 1 + TERM * np.intp(words[at])
        if stop > words.shape[0]:
            fault[0], fault[1], fault[2] = 4, i, at
            return -1
        at += 1
        while at < stop:
            wire = np.intp(words[at])
            wrong = 0
            if ends[k] >= wires.shape[0]:
                wrong = 4
            elif wire >= last.shape[0]:
                wrong = 1
            elif not _below(words, at + 1, bound):
                wrong = 2
            elif last[wire] == i:
                wrong = 3
            if wrong:
                fault[0], fault[1], fault[2] = wrong, i, at
                return -1
            last[wire] = i
            index = _index(words, at + 1, table, slots, key, count)
            if index == count:
                count += 1
            wires[ends[k]] = wire
            coefficients[ends[k]] = index
            ends[k] += 1
            at += TERM
        indptr[k, i // 3 + 1] = ends[k]
    return count


def read(words: Words, n_combinations: int, n_wires: int, key: Sequence[int] = ()) -> tuple[list[Rows], Limbs]:
    """The matrices A, B, C and the table, canonical limbs (k, 4) in order of first appearance.

    Args:
        words: combinations and nothing else, uint32 (n,).
        n_combinations: how many, a multiple of three.
        n_wires: how many wires there are.
        key: four odd words to hash with; drawn if left out.

    Raises:
        MalformedError: the words are no such combinations.
    """
    checked(words, None, dtype=np.uint32)
    totals = np.zeros(3, np.int64)
    # A combination has a word at least: more would not fit, whatever a file's header says.
    used = _measure(words, min(n_combinations, len(words) + 1), totals)
    if used < 0:
        raise MalformedError("the constraints are cut off", -1 - used, len(words))
    if used != len(words):
        raise MalformedError("words after the last constraint", n_combinations, used)
    starts = np.concatenate([[0], totals.cumsum()])
    n_terms = int(starts[3])
    bits = max(2 * n_terms, 2).bit_length()
    odd = list(key) or [int.from_bytes(secrets.token_bytes(8), "little") | 1 for _ in range(4)]
    indptr = np.zeros((3, n_combinations // 3 + 1), np.int64)
    indptr[:, 0] = starts[:3]
    wires, coefficients = np.empty(n_terms, np.uint32), np.empty(n_terms, np.uint32)
    # Memory of a table and slots that are not touched is not taken.
    table, slots = np.empty((n_terms, 8), np.uint32), np.zeros(1 << bits, np.uint32)
    last, fault = np.full(n_wires, -1, np.int64), np.zeros(3, np.int64)
    hashing = np.array([*odd, 64 - bits], np.uint64)
    count = _read(words, _R_WORDS, hashing, indptr, starts[:3].copy(), wires, coefficients, table, slots, last, fault)
    if count < 0:
        raise MalformedError(_FAULTS[int(fault[0])], int(fault[1]), int(fault[2]))
    indptr -= indptr[:, :1]
    parts = [slice(int(starts[k]), int(starts[k + 1])) for k in range(3)]
    rows = [Rows(indptr[k], wires[part], coefficients[part]) for k, part in enumerate(parts)]
    return rows, table[:count].view(np.uint64).copy()


@kernel
def _write(
    words: Words, begins: NDArray[np.int64], indptr: NDArray[np.int64], wires: Words, picks: Words, table: Words
) -> None:
    """Write a matrix's combinations, each at the word where it begins."""
    for row in range(indptr.shape[0] - 1):
        at = begins[row]
        words[at] = indptr[row + 1] - indptr[row]
        at += 1
        for entry in range(indptr[row], indptr[row + 1]):
            words[at] = wires[entry]
            for i in range(8):
                words[at + 1 + i] = table[picks[entry], i]
            at += TERM


def write(matrices: Sequence[Rows], table: Limbs, n_wires: int) -> Words:
    """The words that :func:`read` reads.

    Raises:
        ValueError: the arrays have other dtypes or do not fit together.
    """
    checked(table, None, 4)
    for indptr, wires, coefficients in matrices:
        checked(indptr, len(matrices[0].indptr), dtype=np.int64)
        checked(wires, int(indptr[-1]), dtype=np.uint32)
        checked(coefficients, len(wires), dtype=np.uint32)
        check_indices(indptr, wires, coefficients, n_wires, len(table))
    lengths = np.stack([np.diff(matrix.indptr) for matrix in matrices], axis=1).reshape(-1)
    ends = np.cumsum(1 + TERM * lengths)
    words = np.empty(int(ends[-1]) if len(ends) else 0, np.uint32)
    begins = ends - 1 - TERM * lengths
    for k, (indptr, wires, coefficients) in enumerate(matrices):
        _write(words, begins[k::3].copy(), indptr, wires, coefficients, table.view(np.uint32))
    return words
