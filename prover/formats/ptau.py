"""Powers of tau as files: snarkjs's .ptau on BN254, both ways.

Sections: 1 header, 2 τⁱ in G1, 3 τⁱ in G2, 4 α·τⁱ in G1, 5 β·τⁱ in G1, 6 β in G2, 7 contributions; and in a file that
is prepared for phase 2 the same points once more in the Lagrange bases of every domain up to its size: 12 for 2 (and
one domain beyond), 13 for 3, 14 for 4, 15 for 5. Points are affine in Montgomery form. There is no published
specification: the layout is that of ``powersoftau_utils.js`` and ``powersoftau_preparephase2.js`` in snarkjs 0.7.6.

A file from outside is not trusted: what is read of it is checked to be in its group, and not infinity where a power of
τ cannot be. That the points *are* powers, ``powers.check_powers`` checks. These files are large, up to 300 GB: nothing
is read before it is asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from aitbc_rollup.algebra.bn254 import FR_TWO_ADICITY, P
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.formats import sections
from aitbc_rollup.circuits.formats.files import MappedFile
from aitbc_rollup.circuits.formats.sections import Reader, SectionFile, field_header

from ..cpu.groups import Group
from . import pieces

_MAGIC, _VERSION = b"ptau", 1
HEADER, CONTRIBUTIONS = 1, 7


class Part(IntEnum):
    """A section of points, by its number."""

    TAU_G1 = 2
    TAU_G2 = 3
    ALPHA_G1 = 4
    BETA_G1 = 5
    BETA_G2 = 6
    LAGRANGE_TAU_G1 = 12
    LAGRANGE_TAU_G2 = 13
    LAGRANGE_ALPHA_G1 = 14
    LAGRANGE_BETA_G1 = 15

    @property
    def title(self) -> str:
        """Its name as errors show it."""
        return self.name.lower().replace("_", " ")

    @property
    def group(self) -> Group:
        """Where its points lie."""
        return 2 if self in (Part.TAU_G2, Part.BETA_G2, Part.LAGRANGE_TAU_G2) else 1

    def n_points(self, power: int) -> int:
        """How many there are in a file for 2^power."""
        if self is Part.BETA_G2:
            return 1
        if self is Part.LAGRANGE_TAU_G1:
            return (4 << power) - 1
        return (2 << power) - 1 if self is Part.TAU_G1 or self >= Part.LAGRANGE_TAU_G1 else 1 << power


#: The lists of powers, and in the same order their Lagrange forms.
LISTS = (Part.TAU_G1, Part.TAU_G2, Part.ALPHA_G1, Part.BETA_G1)
LAGRANGE = (Part.LAGRANGE_TAU_G1, Part.LAGRANGE_TAU_G2, Part.LAGRANGE_ALPHA_G1, Part.LAGRANGE_BETA_G1)
#: What every file has.
POWERS = (*LISTS, Part.BETA_G2)
_NAMES = {HEADER: "header", CONTRIBUTIONS: "contributions"} | {part.value: part.title for part in Part}


#: Of a contribution: points, the party's key, hash state and next challenge; then its type and its parameters' length.
_POINTS = (("tau_g1", 8), ("tau_g2", 16), ("alpha_g1", 8), ("beta_g1", 8), ("beta_g2", 16))
_KEY_BYTES = 6 * 64 + 3 * 128
_HASH_BYTES = 216 + 64
#: What a contribution's parameters begin with.
_NAME, _ITERATIONS, _BEACON_HASH = 1, 2, 3


class Contribution(NamedTuple):
    """What one party left: the first points after it, flat and unchecked; its name; whether it is a beacon."""

    tau_g1: Limbs
    tau_g2: Limbs
    alpha_g1: Limbs
    beta_g1: Limbs
    beta_g2: Limbs
    name: str
    beacon: bool


class PowersBody(Protocol):
    """The points, wherever they are."""

    def points(self, part: Part) -> Iterator[Limbs]:
        """A section in pieces, affine arrays ``(n, 8·group)``; each may be overwritten by the next."""
        ...


class PowersArrays(dict[Part, Limbs]):
    """The points in memory, a section each."""

    def points(self, part: Part) -> Iterator[Limbs]:
        """The section in one piece."""
        yield self[part]


@dataclass(frozen=True, eq=False)
class PowersOfTau:
    """Powers of tau for circuits of up to 2^power rows, cut from a ceremony for 2^ceremony_power.

    ``prepared`` says whether the Lagrange forms are there, which a setup needs; ``transcript`` is the body of the
    section of contributions.
    """

    power: int
    ceremony_power: int
    prepared: bool
    transcript: bytes
    contributions: tuple[Contribution, ...]
    body: PowersBody

    @property
    def parts(self) -> tuple[Part, ...]:
        """The sections of points."""
        return (*POWERS, *LAGRANGE) if self.prepared else POWERS


def write(path: Path, powers: PowersOfTau) -> None:
    """Write powers; the file appears whole or not at all.

    Raises:
        ResourceError: it cannot be written.
    """
    header = field_header(P) + struct.pack("<II", powers.power, powers.ceremony_power)
    content: list[tuple[int, sections.Pieces]] = [(HEADER, [header])]
    content += [(part, powers.body.points(part)) for part in powers.parts]
    content.insert(1 + len(POWERS), (CONTRIBUTIONS, [powers.transcript]))
    sections.write(path, _MAGIC, _VERSION, content)


def load(path: str | Path) -> PowersOfTau:
    """The powers in a file: head and contributions are read, points when they are asked for, and checked then.

    Raises:
        BadInputError: naming file, section and byte.
    """
    source = MappedFile(path)
    file = SectionFile(source.data, str(path), _MAGIC, _VERSION, _NAMES)
    header = file.reader(HEADER)
    header.field(P)
    power, ceremony_power = header.u32(), header.u32()
    if not 1 <= power <= ceremony_power <= FR_TWO_ADICITY:
        expected = f"1 to {FR_TWO_ADICITY}, and no more than the ceremony's"
        header.refuse("not a size of BN254's domains", expected=expected, got=f"{power} of {ceremony_power}")
    header.finish()
    prepared = any(part in file.sections for part in LAGRANGE)
    for part in (*POWERS, *LAGRANGE) if prepared else POWERS:
        file.view(part, 64 * part.group * part.n_points(power))
    contributions = tuple(_contributions(file.reader(CONTRIBUTIONS)))
    transcript = bytes(file.view(CONTRIBUTIONS))
    return PowersOfTau(power, ceremony_power, prepared, transcript, contributions, PtauBody(source, file))


class PtauBody:
    """Points in their file; they are checked as they are read. Implements :class:`PowersBody`."""

    def __init__(self, source: MappedFile, file: SectionFile) -> None:
        self._source = source
        self._file = file

    def points(self, part: Part) -> Iterator[Limbs]:
        """A section in pieces, each in the same aligned memory.

        Raises:
            BadInputError: a point is not in its group, or is infinity and no Lagrange form.
        """
        at = 0
        for found in pieces.points(self._source, self._file, part, part.group):
            nowhere = ~found.any(axis=1)
            if part in POWERS and nowhere.any():
                index = at + int(nowhere.argmax())
                self._file.refuse(part, f"point {index} is the point at infinity", 64 * part.group * index)
            yield found
            at += len(found)


def _contributions(reader: Reader) -> Iterator[Contribution]:
    """What the section says; its structure is checked, its proofs are not."""
    for _ in range(reader.u32()):
        known = {name: np.frombuffer(reader.take(8 * words), "<u8").astype(np.uint64) for name, words in _POINTS}
        reader.take(_KEY_BYTES + _HASH_BYTES)
        kind = reader.u32()
        if kind > 1:
            reader.refuse("an unknown kind of contribution", expected="0, or 1 for a beacon", got=str(kind))
        yield Contribution(**known, name=_name(reader), beacon=kind == 1)
    reader.finish()


def _name(reader: Reader) -> str:
    """The name among a contribution's parameters, which come sorted."""
    length = reader.u32()
    end, name, last = reader.left - length, "", 0
    while reader.left > end:
        (kind,) = reader.take(1)
        if not last < kind <= _BEACON_HASH:
            reader.refuse("an unknown parameter, or not in order", got=str(kind))
        (length,) = reader.take(1)
        content = b"" if kind == _ITERATIONS else bytes(reader.take(length))
        if kind == _NAME:
            name = content.decode(errors="replace")
        last = kind
    if reader.left != end:
        reader.refuse("the parameters leave their place")
    return name
