"""iden3's binary container, shared by .r1cs, .wtns and .zkey: a magic word, a version, and numbered sections.

::

    magic (4 bytes) | version u32 | number of sections u32 | for each: type u32, size u64, content

All little-endian. Source: https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md and iden3's
binfileutils. Every count is compared with the length of the file before anything is allocated; each section may
occur once, and nothing may follow the last.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.errors import BadInputError, unreadable

_SECTION = struct.Struct("<IQ")


class Reader:
    """Reads little-endian fields off a section; running past its end is a :class:`BadInputError`."""

    def __init__(self, data: memoryview, place: str) -> None:
        self._data = data
        self._at = 0
        self.place = place

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def take(self, size: int) -> memoryview:
        """The next ``size`` bytes."""
        if size > self.left:
            raise BadInputError("truncated", place=self.place, expected=f"{size} more bytes", got=f"{self.left} bytes")
        part = self._data[self._at : self._at + size]
        self._at += size
        return part

    def u32(self) -> int:
        """A 32-bit unsigned integer."""
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        """A 64-bit unsigned integer."""
        return int.from_bytes(self.take(8), "little")

    def field(self) -> None:
        """A field's description: 32 bytes an element, and the prime, which must be BN254's r."""
        size = self.u32()
        if size != 32:
            raise BadInputError(
                "not the field of BN254", place=self.place, expected="32 bytes an element", got=f"{size} bytes"
            )
        prime = int.from_bytes(self.take(32), "little")
        if prime != R:
            raise BadInputError(
                "not the field of BN254", place=self.place, expected=f"prime {R}", got=f"prime {prime}",
                hint="compile with circom's default prime, bn128",
            )  # fmt: skip

    def finish(self) -> None:
        """Refuse what is left."""
        if self.left:
            raise BadInputError("trailing bytes", place=self.place, expected="the end", got=f"{self.left} more bytes")


def read_file(path: str | Path) -> bytes:
    """A file's content.

    Raises:
        BadInputError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise unreadable(path, "a readable file", error) from error


def split(data: bytes | memoryview, magic: bytes, version: int, place: str) -> dict[int, memoryview]:
    """Sections by type, as views of ``data``.

    Raises:
        BadInputError: wrong magic or version, truncated, a section twice, or trailing bytes.
    """
    reader = Reader(memoryview(data), place)
    found = bytes(reader.take(4))
    if found != magic:
        raise BadInputError(f"not a .{magic.decode()} file", place=place, expected=repr(magic), got=repr(found))
    got_version = reader.u32()
    if got_version != version:
        raise BadInputError("unknown version", place=place, expected=str(version), got=str(got_version))
    sections: dict[int, memoryview] = {}
    # Each section takes twelve bytes, so a hostile count ends as "truncated".
    for _ in range(reader.u32()):
        kind, size = _SECTION.unpack(reader.take(_SECTION.size))
        if kind in sections:
            raise BadInputError(f"section {kind} occurs twice", place=place)
        sections[kind] = reader.take(size)
    reader.finish()
    return sections


def section(sections: dict[int, memoryview], kind: int, name: str, place: str) -> Reader:
    """A reader of a section that must be there."""
    if kind not in sections:
        raise BadInputError(f"section {kind} ({name}) is missing", place=place)
    return Reader(sections[kind], f"{place}, section {kind} ({name})")


def join(magic: bytes, version: int, sections: Iterable[tuple[int, bytes]]) -> bytes:
    """A container of these sections, in this order."""
    parts = list(sections)
    head = magic + struct.pack("<II", version, len(parts))
    return head + b"".join(_SECTION.pack(kind, len(content)) + content for kind, content in parts)


def field_header() -> bytes:
    """The description of BN254's scalar field that :meth:`Reader.field` reads."""
    return struct.pack("<I", 32) + R.to_bytes(32, "little")
