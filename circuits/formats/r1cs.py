"""Constraint files (.r1cs, version 1), as circom writes them and snarkjs reads them.

::

    section 2  constraints: for each of A, B, C of each row: number of terms u32, then (wire u32, coefficient 32 bytes)
    section 1  field; wires, public outputs, public inputs, private inputs u32; labels u64; constraints u32
    section 3  wire2label: for each wire its label u64, the signal's number before circom's simplification

in circom's order; the reader takes any, and skips sections it does not know, as the format asks for. A file read and
written again is the same, byte for byte, if circom wrote it: the order of terms is kept. Source:
https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md

A wire twice in one combination is refused: some tools add such terms, others (snarkjs's ``readLC``) keep the last, and
a file must not mean two things. Custom gates (sections 4 and 5, PLONK only) are refused; the empty lists that circom
writes where a circuit uses none are not.

A system with a commitment has a section of ours, number 0xA17C: the mask's wire u32, the number of committed wires u32,
each of them u32. Other programs skip it, and take the challenge, the last public input, for one that is passed in: what
a key that they make for such a file proves is worth nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import combinations
from aitbc_rollup.algebra.limbs import Limbs

from ..r1cs import R1CS, Commitment, SparseMatrix
from . import sections
from .files import MappedFile

_MAGIC, _VERSION = b"r1cs", 1
HEADER, CONSTRAINTS, LABELS, GATES, GATE_USES = range(1, 6)
COMMITMENT = 0xA17C
_NAMES = {
    HEADER: "header", CONSTRAINTS: "constraints", LABELS: "wire2label", GATES: "custom gates",
    GATE_USES: "custom gates' uses", COMMITMENT: "commitment",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class R1csFile:
    """A system with circom's labels: uint64 (n_wires,); ``n_labels`` counts signals before simplification."""

    r1cs: R1CS
    labels: NDArray[np.uint64]
    n_labels: int


def read_r1cs(path: str | Path) -> R1CS:
    """The constraint system of a file.

    Raises:
        BadInputError: as :func:`decode_r1cs`.
    """
    return decode_r1cs(MappedFile(path).data, str(path)).r1cs


def write_r1cs(path: str | Path, r1cs: R1CS | R1csFile) -> None:
    """Write a system to a file, which appears whole or not at all; without labels, each wire is its own label.

    Raises:
        ResourceError: it cannot be written.
    """
    sections.write(Path(path), _MAGIC, _VERSION, _sections(r1cs))


# -- reading ----------------------------------------------------------------------------------------------------


def decode_r1cs(data: bytes | memoryview, place: str = "r1cs") -> R1csFile:
    """The constraint system and labels of a .r1cs file's content.

    Raises:
        BadInputError: malformed, cut off, over another field, a coefficient ≥ r, a wire out of range or twice in one
            combination, custom gates, a commitment to wires that are not private.
    """
    hint = "compile the circuit again, or get the file again"
    file = sections.SectionFile(data, place, _MAGIC, _VERSION, _NAMES, others=True, hint=hint)
    for number in (GATES, GATE_USES):
        if number in file.sections and bytes(file.view(number)[:5]) not in (b"", bytes(4)):
            file.refuse(number, "custom gates are not supported", hint="compile without custom templates")
    header = file.reader(HEADER)
    header.field()
    n_wires, n_outputs, n_public, n_private = (header.u32() for _ in range(4))
    n_labels, n_constraints = header.u64(), header.u32()
    header.finish()
    if 1 + n_outputs + n_public + n_private > n_wires:
        got = f"{n_outputs} + {n_public} + {n_private}"
        file.refuse(HEADER, "more inputs and outputs than wires", 36, expected=f"at most {n_wires - 1}", got=got)
    labels = np.frombuffer(file.view(LABELS, 8 * n_wires), "<u8").astype(np.uint64)
    constraints = _constraints(file, n_constraints, n_wires)
    commitment = _commitment(file, n_wires, n_outputs + n_public) if COMMITMENT in file.sections else None
    return R1csFile(R1CS(n_wires, n_outputs, n_public, n_private, *constraints, commitment), labels, n_labels)


def _commitment(file: sections.SectionFile, n_wires: int, n_public: int) -> Commitment:
    reader = file.reader(COMMITMENT)
    mask, count = reader.u32(), reader.u32()
    found = Commitment(np.frombuffer(reader.take(4 * count), "<u4").astype(np.uint32), mask)
    reader.finish()
    fault = found.fault(n_wires, n_public)
    if fault is not None:
        file.refuse(COMMITMENT, fault)
    return found


def _constraints(
    file: sections.SectionFile, n_constraints: int, n_wires: int
) -> tuple[SparseMatrix, SparseMatrix, SparseMatrix, Limbs]:
    content = file.view(CONSTRAINTS)
    if len(content) % 4:
        file.refuse(CONSTRAINTS, "no whole number of 32-bit words", got=f"{len(content)} bytes")
    # The kernel wants words at their natural place, which a file need not give them.
    words = np.require(np.frombuffer(content, "<u4"), np.uint32, ["ALIGNED", "C_CONTIGUOUS"])
    try:
        rows, table = combinations.read(words, 3 * n_constraints, n_wires)
    except combinations.MalformedError as fault:
        message = f"constraint {fault.combination // 3}: {fault.message}"
        file.refuse(CONSTRAINTS, message, 4 * fault.word, expected=f"{n_constraints} constraints over {n_wires} wires")
    a, b, c = (SparseMatrix(*matrix) for matrix in rows)
    return a, b, c, table


# -- writing ----------------------------------------------------------------------------------------------------


def encode_r1cs(file: R1CS | R1csFile) -> bytes:
    """A .r1cs file's content; without labels, each wire is its own label."""
    return sections.join(_MAGIC, _VERSION, _sections(file))


def _sections(file: R1CS | R1csFile) -> list[tuple[int, sections.Pieces]]:
    if isinstance(file, R1CS):
        file = R1csFile(file, np.arange(file.n_wires, dtype=np.uint64), file.n_wires)
    r1cs = file.r1cs
    header = sections.field_header() + struct.pack(
        "<IIIIQI", r1cs.n_wires, r1cs.n_public_outputs, r1cs.n_public_inputs, r1cs.n_private_inputs,
        file.n_labels, r1cs.n_constraints,
    )  # fmt: skip
    rows = [combinations.Rows(m.indptr, m.wires, m.coefficients) for m in (r1cs.a, r1cs.b, r1cs.c)]
    words = combinations.write(rows, r1cs.table, r1cs.n_wires)
    labels = np.ascontiguousarray(file.labels, "<u8")
    out: list[tuple[int, sections.Pieces]] = [(CONSTRAINTS, [words]), (HEADER, [header]), (LABELS, [labels])]
    if r1cs.commitment is not None:
        wires = np.ascontiguousarray(r1cs.commitment.wires, "<u4")
        out.append((COMMITMENT, [struct.pack("<II", r1cs.commitment.mask, len(wires)), wires]))
    return out
