"""Constraint files (.r1cs, version 1), as circom writes them and snarkjs reads them.

::

    section 2  constraints: for each of A, B, C of each row: number of terms u32, then (wire u32, coefficient 32 bytes)
    section 1  field; wires, public outputs, public inputs, private inputs u32; labels u64; constraints u32
    section 3  wire2label: for each wire its label u64, the signal's number before circom's simplification

in circom's order; the reader takes any. A file read and written again is the same, byte for byte, if circom wrote it:
the order of terms is kept. Source: https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md

A wire twice in one combination is refused: some tools add such terms, others (snarkjs's ``readLC``) keep the last, and
a file must not mean two things. Custom gates (sections 4 and 5, PLONK only) are refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, is_below
from aitbc_rollup.errors import BadInputError, next_step

from ..r1cs import R1CS, Indices, SparseMatrix
from . import sections

_MAGIC, _VERSION = b"r1cs", 1
#: A term is nine 32-bit words: the wire and eight words of coefficient.
_TERM = 9


@dataclass(frozen=True, eq=False)
class R1csFile:
    """A system with circom's labels: uint64 (n_wires,); ``n_labels`` counts signals before simplification."""

    r1cs: R1CS
    labels: NDArray[np.uint64]
    n_labels: int


@next_step("compile the circuit again, or get the file again")
def read_r1cs(path: str | Path) -> R1CS:
    """The constraint system of a file.

    Raises:
        BadInputError: as :func:`decode_r1cs`.
    """
    return decode_r1cs(sections.read_file(path), str(path)).r1cs


def write_r1cs(path: str | Path, r1cs: R1CS | R1csFile) -> None:
    """Write a system to a file; without labels, each wire is its own label."""
    Path(path).write_bytes(encode_r1cs(r1cs))


# -- reading ----------------------------------------------------------------------------------------------------


def decode_r1cs(data: bytes | memoryview, place: str = "r1cs") -> R1csFile:
    """The constraint system and labels of a .r1cs file's content.

    Raises:
        BadInputError: malformed, truncated, over another field, a coefficient ≥ r, a wire out of range or twice in
            one combination, custom gates.
    """
    parts = sections.split(data, _MAGIC, _VERSION, place)
    if any(kind in parts and len(parts[kind]) > 4 for kind in (4, 5)):
        raise BadInputError("custom gates are not supported", place=place, hint="compile without custom templates")
    unknown = sorted(set(parts) - {1, 2, 3, 4, 5})
    if unknown:
        raise BadInputError(f"unknown section {unknown[0]}", place=place)
    header = sections.section(parts, 1, "header", place)
    header.field()
    n_wires, n_outputs, n_public, n_private = (header.u32() for _ in range(4))
    n_labels, n_constraints = header.u64(), header.u32()
    header.finish()
    if 1 + n_outputs + n_public + n_private > n_wires:
        raise BadInputError(
            "more inputs and outputs than wires", place=header.place,
            expected=f"at most {n_wires - 1}", got=str(n_outputs + n_public + n_private),
        )  # fmt: skip
    labels_reader = sections.section(parts, 3, "wire2label", place)
    labels = np.frombuffer(labels_reader.take(8 * n_wires), "<u8").astype(np.uint64)
    labels_reader.finish()
    constraints = sections.section(parts, 2, "constraints", place)
    matrices, table = _constraints(constraints, n_constraints, n_wires)
    return R1csFile(R1CS(n_wires, n_outputs, n_public, n_private, *matrices, table), labels, n_labels)


def _constraints(
    reader: sections.Reader, n_constraints: int, n_wires: int
) -> tuple[tuple[SparseMatrix, SparseMatrix, SparseMatrix], Limbs]:
    words = reader.take(reader.left)
    lengths = _lengths(words, 3 * n_constraints, reader.place)
    starts = np.cumsum(lengths) - lengths
    # What is left without the counts is a table of terms.
    counts_at = _TERM * starts + np.arange(len(lengths))
    terms = np.delete(np.frombuffer(words, "<u4"), counts_at).reshape(-1, _TERM)
    wires = terms[:, 0].astype(np.uint32)
    combination = np.repeat(np.arange(len(lengths)), lengths)
    _check_wires(wires, combination, n_wires, reader.place)
    table, coefficients = _distinct(np.ascontiguousarray(terms[:, 1:]).view("<u8").astype(np.uint64, copy=False))
    reduced = is_below(table, R)
    if not reduced.all():
        at = int(np.flatnonzero(~reduced[coefficients])[0])
        raise BadInputError("a coefficient is not below r", place=f"{reader.place}, constraint {combination[at] // 3}")
    by_matrix = lengths.reshape(-1, 3)

    def matrix(k: int) -> SparseMatrix:
        mine = combination % 3 == k
        indptr = np.concatenate([[0], np.cumsum(by_matrix[:, k])]).astype(np.int64)
        return SparseMatrix(indptr, wires[mine], coefficients[mine])

    return (matrix(0), matrix(1), matrix(2)), table


def _lengths(words: memoryview, n_combinations: int, place: str) -> NDArray[np.int64]:
    """Number of terms of each combination; together they fill the section exactly."""
    if len(words) % 4 or n_combinations > len(words) // 4:
        raise BadInputError(
            "truncated", place=place, expected=f"{n_combinations} linear combinations", got=f"{len(words)} bytes"
        )
    view = words.cast("I")
    total = len(view)
    lengths = np.empty(n_combinations, np.int64)
    at = 0
    for i in range(n_combinations):
        if at >= total:
            raise BadInputError("truncated", place=f"{place}, constraint {i // 3}")
        lengths[i] = length = view[at]
        at += 1 + _TERM * length
    if at != total:
        problem = "truncated" if at > total else "trailing bytes"
        raise BadInputError(problem, place=place, expected=f"{4 * at} bytes", got=f"{4 * total} bytes")
    return lengths


def _check_wires(wires: Indices, combination: NDArray[np.int64], n_wires: int, place: str) -> None:
    outside = np.flatnonzero(wires >= n_wires)
    if len(outside):
        at = outside[0]
        raise BadInputError(
            "a wire is out of range", place=f"{place}, constraint {combination[at] // 3}",
            expected=f"below {n_wires}", got=str(wires[at]),
        )  # fmt: skip
    keys = combination << 32 | wires
    if bool((keys[1:] > keys[:-1]).all()):
        return
    keys.sort()
    twice = np.flatnonzero(keys[1:] == keys[:-1])
    if len(twice):
        key = int(keys[twice[0]])
        raise BadInputError(
            f"wire {key & 0xFFFFFFFF} occurs twice in one combination", place=f"{place}, constraint {(key >> 32) // 3}"
        )


def _distinct(values: Limbs) -> tuple[Limbs, Indices]:
    """The distinct rows, in order of first appearance, and for each row its index among them."""
    # One word a row, odd multipliers: sorting it is several times faster than sorting rows. Collisions are noticed.
    factors = np.array([1, 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
    mixed = (values * factors).sum(axis=1, dtype=np.uint64)
    _, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
    if not np.array_equal(values[first][inverse], values):
        _, first, inverse = np.unique(values, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    return np.ascontiguousarray(values[first[order]]), rank[inverse.reshape(-1)]


# -- writing ----------------------------------------------------------------------------------------------------


def encode_r1cs(file: R1CS | R1csFile) -> bytes:
    """A .r1cs file's content; without labels, each wire is its own label."""
    if isinstance(file, R1CS):
        file = R1csFile(file, np.arange(file.n_wires, dtype=np.uint64), file.n_wires)
    r1cs = file.r1cs
    header = sections.field_header() + struct.pack(
        "<IIIIQI", r1cs.n_wires, r1cs.n_public_outputs, r1cs.n_public_inputs, r1cs.n_private_inputs,
        file.n_labels, r1cs.n_constraints,
    )  # fmt: skip
    labels = np.ascontiguousarray(file.labels, "<u8").tobytes()
    return sections.join(_MAGIC, _VERSION, [(2, _encode_constraints(r1cs)), (1, header), (3, labels)])


def _encode_constraints(r1cs: R1CS) -> bytes:
    matrices = (r1cs.a, r1cs.b, r1cs.c)
    by_matrix = np.stack([np.diff(matrix.indptr) for matrix in matrices], axis=1)
    lengths = by_matrix.reshape(-1)
    starts = np.cumsum(lengths) - lengths
    table = np.ascontiguousarray(r1cs.table, "<u8").view("<u4").reshape(-1, _TERM - 1)
    terms = np.empty((int(lengths.sum()), _TERM), "<u4")
    for k, matrix in enumerate(matrices):
        # Terms of one matrix keep their order; only the gaps for the other two come in between.
        shift = np.repeat(starts[k::3] - matrix.indptr[:-1], by_matrix[:, k])
        at = np.arange(matrix.n_entries) + shift
        terms[at, 0] = matrix.wires
        terms[at, 1:] = table[matrix.coefficients]
    words = np.empty(len(lengths) + terms.size, "<u4")
    counts_at = _TERM * starts + np.arange(len(lengths))
    words[counts_at] = lengths
    is_term = np.ones(len(words), np.bool_)
    is_term[counts_at] = False
    words[is_term] = terms.reshape(-1)
    return words.tobytes()
