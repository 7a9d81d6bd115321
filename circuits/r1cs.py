"""Rank-1 constraint systems in arrays: A·w ∘ B·w = C·w over the scalar field Fr of BN254.

A matrix is CSR (compressed sparse rows) with one twist: its entries are 32-bit indices into one table of distinct
coefficients, shared by the three matrices. Hash constants repeat in every instance of a hash, so ten million
entries need eighty megabytes instead of four hundred.

The witness ``w`` is one vector; wire 0 is the constant 1, then come public outputs, public inputs, private inputs
and every other wire, in this order: circom's, so that files travel both ways.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.limbs import Limbs

Indices = NDArray[np.uint32]
Offsets = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """One of A, B, C: row ``i`` holds entries ``indptr[i]`` up to ``indptr[i + 1]``.

    Shapes: ``indptr`` int64 (m + 1,); ``wires`` uint32 (nnz,), the column of each entry; ``coefficients`` uint32
    (nnz,), its index in the table of the :class:`R1CS`. Within a row no wire occurs twice.
    """

    indptr: Offsets
    wires: Indices
    coefficients: Indices

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    @property
    def n_entries(self) -> int:
        """Number of stored entries."""
        return len(self.wires)

    def row(self, index: int) -> tuple[Indices, Indices]:
        """Wires and coefficient indices of one row."""
        part = slice(self.indptr[index], self.indptr[index + 1])
        return self.wires[part], self.coefficients[part]

    def take(self, rows: NDArray[np.integer[Any]]) -> SparseMatrix:
        """The matrix of these rows, in this order; copies."""
        starts = self.indptr[rows]
        lengths = self.indptr[rows + 1] - starts
        indptr = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=indptr[1:])
        at = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
        return SparseMatrix(indptr, self.wires[at], self.coefficients[at])


@dataclass(frozen=True, eq=False)
class Commitment:
    """What a system commits to before its challenge is drawn ("BSB22").

    The verifier hashes a Pedersen commitment to ``wires`` together with the public inputs, and the hash is the value of
    the last public wire, the *challenge*, which nobody passes in. ``wires`` (uint32, increasing) are private;
    ``mask``, one of them, stands in no constraint but its own (mask · 0 = 0): the prover draws it afresh for each
    proof, so that the commitment hides the rest.
    """

    wires: Indices
    mask: int

    def fault(self, n_wires: int, n_public: int) -> str | None:
        """What is wrong with it for a system of so many wires, so many of them public; ``None`` if nothing is."""
        if n_public < 1:
            return "there is no public wire for the challenge"
        if len(self.wires) == 0 or (self.wires[1:] <= self.wires[:-1]).any():
            return "the committed wires are none, or not in increasing order"
        if self.wires[0] <= n_public or self.wires[-1] >= n_wires:
            return f"a committed wire is not private: they are {n_public + 1} to {n_wires - 1}"
        return None if self.mask in self.wires else f"the mask, wire {self.mask}, is not committed"


@dataclass(frozen=True, eq=False)
class R1CS:
    """A constraint system; ``table`` holds its distinct coefficients as canonical limbs, uint64 (k, 4).

    With a ``commitment``, the last of the public inputs (wire ``n_public``) is its challenge.
    """

    n_wires: int
    n_public_outputs: int
    n_public_inputs: int
    n_private_inputs: int
    a: SparseMatrix
    b: SparseMatrix
    c: SparseMatrix
    table: Limbs
    commitment: Commitment | None = None

    @property
    def n_constraints(self) -> int:
        """Number of rows of each matrix."""
        return self.a.n_rows

    @property
    def n_public(self) -> int:
        """Public outputs and inputs together: wires 1 up to and including this number."""
        return self.n_public_outputs + self.n_public_inputs

    @property
    def n_entries(self) -> int:
        """Stored entries of the three matrices together."""
        return self.a.n_entries + self.b.n_entries + self.c.n_entries

    @cached_property
    def structure_hash(self) -> str:
        """SHA-256, hex, of shape and matrices: equal for equal systems, whatever the order of their tables.

        Proving keys are found again by it. Names and source places do not enter.
        """
        order = sorted(range(len(self.table)), key=lambda i: tuple(self.table[i][::-1]))
        rank = np.empty(len(order), np.uint32)
        rank[order] = np.arange(len(order), dtype=np.uint32)
        shape = (self.n_wires, self.n_public_outputs, self.n_public_inputs, self.n_private_inputs, self.n_constraints)
        digest = hashlib.sha256(b"aitbc-rollup r1cs 1" + np.array(shape, "<u8").tobytes())
        digest.update(np.ascontiguousarray(self.table[order], "<u8").tobytes())
        for matrix in (self.a, self.b, self.c):
            digest.update(np.ascontiguousarray(matrix.indptr, "<i8").tobytes())
            digest.update(np.ascontiguousarray(matrix.wires, "<u4").tobytes())
            digest.update(np.ascontiguousarray(rank[matrix.coefficients], "<u4").tobytes())
        if self.commitment is not None:
            digest.update(b"commitment" + np.array([self.commitment.mask, len(self.commitment.wires)], "<u8").tobytes())
            digest.update(np.ascontiguousarray(self.commitment.wires, "<u4").tobytes())
        return digest.hexdigest()
