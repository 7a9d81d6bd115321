"""Witness files (.wtns, version 2), as circom's calculators write them and snarkjs reads them.

Section 1: field, number of wires u32. Section 2: one canonical 32-byte little-endian value a wire.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, is_below
from aitbc_rollup.errors import BadInputError, next_step

from . import sections

_MAGIC, _VERSION = b"wtns", 2


def decode_wtns(data: bytes | memoryview, place: str = "witness") -> Limbs:
    """Canonical limbs, uint64 (n_wires, 4), of a .wtns file's content.

    Raises:
        BadInputError: it is not a witness over BN254's scalar field, or a value is not below r.
    """
    parts = sections.split(data, _MAGIC, _VERSION, place)
    header = sections.section(parts, 1, "header", place)
    header.field()
    n_wires = header.u32()
    header.finish()
    values = sections.section(parts, 2, "values", place)
    content = values.take(32 * n_wires)
    values.finish()
    unknown = sorted(set(parts) - {1, 2})
    if unknown:
        raise BadInputError(f"unknown section {unknown[0]}", place=place)
    witness = np.frombuffer(content, "<u8").reshape(n_wires, 4).astype(np.uint64)
    reduced = is_below(witness, R)
    if not reduced.all():
        raise BadInputError("a value is not below r", place=f"{place}, wire {int(np.argmin(reduced))}")
    return witness


def encode_wtns(witness: Limbs) -> bytes:
    """A .wtns file's content for canonical limbs (n_wires, 4)."""
    header = sections.field_header() + struct.pack("<I", len(witness))
    return sections.join(_MAGIC, _VERSION, [(1, header), (2, np.ascontiguousarray(witness, "<u8").tobytes())])


@next_step("calculate the witness again, or get the file again")
def read_wtns(path: str | Path) -> Limbs:
    """As :func:`decode_wtns`, from a file."""
    return decode_wtns(sections.read_file(path), str(path))


def write_wtns(path: str | Path, witness: Limbs) -> None:
    """As :func:`encode_wtns`, to a file."""
    Path(path).write_bytes(encode_wtns(witness))
