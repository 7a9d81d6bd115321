"""Witness files (.wtns, version 2), as circom's calculators write them and snarkjs reads them.

Section 1: field, number of wires u32. Section 2: one canonical 32-byte little-endian value a wire.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, is_below

from . import sections
from .files import MappedFile

_MAGIC, _VERSION = b"wtns", 2
HEADER, VALUES = 1, 2
_NAMES = {HEADER: "header", VALUES: "values"}


def decode_wtns(data: bytes | memoryview, place: str = "witness") -> Limbs:
    """Canonical limbs, uint64 (n_wires, 4), of a .wtns file's content.

    Raises:
        BadInputError: it is not a witness over BN254's scalar field, or a value is not below r.
    """
    hint = "calculate the witness again, or get the file again"
    file = sections.SectionFile(data, place, _MAGIC, _VERSION, _NAMES, hint=hint)
    header = file.reader(HEADER)
    header.field()
    n_wires = header.u32()
    header.finish()
    witness = np.frombuffer(file.view(VALUES, 32 * n_wires), "<u8").reshape(n_wires, 4).astype(np.uint64)
    reduced = is_below(witness, R)
    if not reduced.all():
        wire = int(np.argmin(reduced))
        file.refuse(VALUES, f"the value of wire {wire} is not below r", 32 * wire)
    return witness


def _sections(witness: Limbs) -> list[tuple[int, sections.Pieces]]:
    header = sections.field_header() + struct.pack("<I", len(witness))
    return [(HEADER, [header]), (VALUES, [np.ascontiguousarray(witness, "<u8")])]


def encode_wtns(witness: Limbs) -> bytes:
    """A .wtns file's content for canonical limbs (n_wires, 4)."""
    return sections.join(_MAGIC, _VERSION, _sections(witness))


def read_wtns(path: str | Path) -> Limbs:
    """As :func:`decode_wtns`, from a file."""
    return decode_wtns(MappedFile(path).data, str(path))


def write_wtns(path: str | Path, witness: Limbs) -> None:
    """As :func:`encode_wtns`, to a file, which appears whole or not at all.

    Raises:
        ResourceError: it cannot be written.
    """
    sections.write(Path(path), _MAGIC, _VERSION, _sections(witness))
