"""iden3's binary container, shared by .r1cs, .wtns, .zkey and .ptau: four letters, a version, numbered sections.

::

    magic (4 bytes) | version u32 | number of sections u32 | for each: number u32, length u64, content

All little-endian. Source: https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md and iden3's
binfileutils. Every count is compared with the length of the file before anything is allocated; each section may
occur once, and nothing may follow the last.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.errors import BadInputError

from .files import replacing

_HEADER = struct.Struct("<4sII")
_SECTION = struct.Struct("<IQ")

#: What a section is written from.
Pieces = Iterable[bytes | NDArray[Any]]


class Section(NamedTuple):
    """Where the content of a section lies, in bytes of the file."""

    offset: int
    length: int


class SectionFile:
    """The content of a file, its table of sections checked: nothing doubled, unknown, cut off or left over.

    Args:
        data: the content.
        place: what errors call the file.
        magic: its four letters.
        version: its version.
        names: the sections it may have.
        others: whether sections of other numbers are skipped rather than refused.
        hint: what errors advise.

    Raises:
        BadInputError: naming file, section and byte.
    """

    def __init__(
        self,
        data: bytes | memoryview,
        place: str,
        magic: bytes,
        version: int,
        names: Mapping[int, str],
        *,
        others: bool = False,
        hint: str = "get the file again",
    ) -> None:
        self.data = memoryview(data)
        self.place = place
        self.sections: dict[int, Section] = {}
        self._names = names
        self._hint = hint
        found_magic, found_version, count = _HEADER.unpack(self._take(0, _HEADER.size, "header"))
        if found_magic != magic:
            self._refuse(f"not a .{magic.decode()} file", 0, expected=repr(magic), got=repr(found_magic))
        if found_version != version:
            self._refuse("unknown version", 4, expected=str(version), got=str(found_version))
        self._scan(count, others)

    def _scan(self, count: int, others: bool) -> None:
        at = _HEADER.size
        # A section takes twelve bytes at least, so a hostile count ends with the file.
        for _ in range(count):
            number, length = _SECTION.unpack(self._take(at, _SECTION.size, "table of sections"))
            if number not in self._names and not others:
                self._refuse(f"unknown section {number}", at, expected=f"one of {sorted(self._names)}")
            if number in self.sections:
                self._refuse(f"{self._called(number)} is there twice", at)
            at += _SECTION.size
            self.sections[number] = Section(at, length)
            left = len(self.data) - at
            if length > left:
                self.refuse(number, "the section is longer than the file", got=f"{length} bytes, {left} left")
            at += length
        if at != len(self.data):
            self._refuse("bytes after the last section", at, got=f"{len(self.data) - at} bytes")

    def _take(self, offset: int, length: int, what: str) -> memoryview:
        found = self.data[offset : offset + length]
        if len(found) != length:
            self._refuse(f"the file ends in its {what}", offset, f"{length} bytes", f"{len(found)} bytes")
        return found

    def _called(self, number: int) -> str:
        return f"section {number} ({self._names[number]})" if number in self._names else f"section {number}"

    def _refuse(self, message: str, offset: int, expected: str | None = None, got: str | None = None) -> NoReturn:
        place = f"{self.place}, byte {offset}"
        raise BadInputError(message, place=place, expected=expected, got=got, hint=self._hint)

    def refuse(
        self,
        number: int,
        message: str,
        offset: int = 0,
        *,
        expected: str | None = None,
        got: str | None = None,
        hint: str | None = None,
    ) -> NoReturn:
        """Raise the error that names this section and the byte of the file, ``offset`` into the section."""
        at = self.sections[number].offset + offset if number in self.sections else 0
        place = f"{self.place}, {self._called(number)}, byte {at}"
        raise BadInputError(message, place=place, expected=expected, got=got, hint=hint or self._hint)

    def view(self, number: int, length: int | None = None) -> memoryview:
        """The content of a section, which must be there and, if said, have this length in bytes."""
        if number not in self.sections:
            raise BadInputError(f"{self._called(number)} is missing", place=self.place, hint=self._hint)
        found = self.sections[number]
        if length is not None and found.length != length:
            self.refuse(number, "wrong length", expected=f"{length} bytes", got=f"{found.length} bytes")
        return self.data[found.offset : found.offset + found.length]

    def reader(self, number: int) -> Reader:
        """The content of a section, which must be there, to be read field by field."""
        return Reader(self, number, self.view(number))


class Reader:
    """Reads little-endian fields off a section; running past its end is a :class:`BadInputError`."""

    def __init__(self, file: SectionFile, number: int, data: memoryview) -> None:
        self._file = file
        self._number = number
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def refuse(self, message: str, *, expected: str | None = None, got: str | None = None) -> NoReturn:
        """Raise the error that names the section and where in it the reader stands."""
        self._file.refuse(self._number, message, self._at, expected=expected, got=got)

    def take(self, size: int) -> memoryview:
        """The next ``size`` bytes."""
        if size > self.left:
            self.refuse("the section is too short", expected=f"{size} more bytes", got=f"{self.left} bytes")
        self._at += size
        return self._data[self._at - size : self._at]

    def u32(self) -> int:
        """A 32-bit unsigned integer."""
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        """A 64-bit unsigned integer."""
        return int.from_bytes(self.take(8), "little")

    def field(self, modulus: int = R) -> None:
        """A field's description: 32 bytes an element, and the prime, which must be this one of BN254's."""
        size, prime = self.u32(), int.from_bytes(self.take(32), "little")
        if (size, prime) != (32, modulus):
            expected = f"32 bytes an element, prime {modulus} (circom's default, bn128)"
            self.refuse("not the field of BN254", expected=expected, got=f"{size} bytes, prime {prime}")

    def finish(self) -> None:
        """Refuse what is left."""
        if self.left:
            self.refuse("bytes after the last field", got=f"{self.left} bytes")


def field_header(modulus: int = R) -> bytes:
    """The description of one of BN254's fields that :meth:`Reader.field` reads."""
    return struct.pack("<I", 32) + modulus.to_bytes(32, "little")


def join(magic: bytes, version: int, sections: Sequence[tuple[int, Pieces]]) -> bytes:
    """A container of these sections, in this order, each given in pieces."""
    stream = io.BytesIO()
    _write(stream, magic, version, sections)
    return stream.getvalue()


def write(path: Path, magic: bytes, version: int, sections: Sequence[tuple[int, Pieces]]) -> None:
    """As :func:`join`, to a file, which appears whole or not at all.

    Raises:
        ResourceError: it cannot be written.
    """
    with replacing(path) as stream:
        _write(stream, magic, version, sections)


def _write(stream: BinaryIO, magic: bytes, version: int, sections: Sequence[tuple[int, Pieces]]) -> None:
    stream.write(_HEADER.pack(magic, version, len(sections)))
    for number, pieces in sections:
        start = stream.tell()
        stream.write(_SECTION.pack(number, 0))
        for piece in pieces:
            stream.write(piece if isinstance(piece, bytes) else np.ascontiguousarray(piece).data)
        end = stream.tell()
        stream.seek(start)
        stream.write(_SECTION.pack(number, end - start - _SECTION.size))
        stream.seek(end)
