"""The container of iden3's binary files (.zkey, .r1cs, .wtns): four letters, a version, numbered sections.

``circuits.formats.sections`` does this for files small enough to be one string of bytes; keys are read section by
section and written without a copy.

All numbers are little-endian: magic (4 bytes), version (u32), number of sections (u32); then for each section its
number (u32), its length in bytes (u64), its bytes.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.errors import BadInputError

_HEADER = struct.Struct("<4sII")
_SECTION = struct.Struct("<IQ")


class Section(NamedTuple):
    """Where the bytes of a section lie."""

    number: int
    offset: int
    length: int


class SectionFile:
    """A file open for reading, its table of sections checked: nothing missing, doubled, unknown or left over.

    Raises:
        BadInputError: naming file, section and offset.
    """

    def __init__(self, path: Path, stream: BinaryIO, magic: bytes, version: int, names: dict[int, str]) -> None:
        self.path = path
        self.names = names
        self._stream = stream
        self._size = os.fstat(stream.fileno()).st_size
        found_magic, found_version, count = _HEADER.unpack(self._take(0, _HEADER.size, "header"))
        if found_magic != magic:
            self._refuse("not a file of this kind", 0, expected=repr(magic), got=repr(found_magic))
        if found_version != version:
            self._refuse("unknown version", 4, expected=str(version), got=str(found_version))
        if count > len(names):
            self._refuse("too many sections", 8, expected=f"at most {len(names)}", got=str(count))
        self.sections: dict[int, Section] = {}
        self._scan(count)

    def _scan(self, count: int) -> None:
        at = _HEADER.size
        for _ in range(count):
            number, length = _SECTION.unpack(self._take(at, _SECTION.size, "table of sections"))
            if number not in self.names:
                self._refuse(f"unknown section {number}", at, expected=f"one of {sorted(self.names)}")
            if number in self.sections:
                self._refuse(f"section {number} ({self.names[number]}) is there twice", at)
            at += _SECTION.size
            self.sections[number] = Section(number, at, length)
            if length > self._size - at:
                self.refuse(
                    number, "the section is longer than the file", got=f"{length} bytes, {self._size - at} left"
                )
            at += length
        if at != self._size:
            self._refuse("bytes after the last section", at, got=f"{self._size - at} bytes")

    def _refuse(self, message: str, offset: int, expected: str | None = None, got: str | None = None) -> NoReturn:
        raise BadInputError(
            message, place=f"{self.path}, byte {offset}", expected=expected, got=got, hint="get the file again"
        )

    def refuse(
        self,
        number: int,
        message: str,
        offset: int = 0,
        *,
        expected: str | None = None,
        got: str | None = None,
        hint: str = "get the file again",
    ) -> NoReturn:
        """Raise the error that names this section and the byte of the file, ``offset`` into the section."""
        at = self.sections[number].offset + offset if number in self.sections else 0
        place = f"{self.path}, section {number} ({self.names[number]}), byte {at}"
        raise BadInputError(message, place=place, expected=expected, got=got, hint=hint)

    def _take(self, offset: int, length: int, what: str) -> bytes:
        self._stream.seek(offset)
        data = self._stream.read(length)
        if len(data) != length:
            self._refuse(f"the file ends in its {what}", offset, f"{length} bytes", f"{len(data)} bytes")
        return data

    def length(self, number: int) -> int:
        """Bytes of a section.

        Raises:
            BadInputError: the section is missing.
        """
        if number not in self.sections:
            raise BadInputError(
                f"section {number} ({self.names[number]}) is missing", place=str(self.path), hint="get the file again"
            )
        return self.sections[number].length

    def read(self, number: int, expected_length: int | None = None) -> bytes:
        """The bytes of a section, which must be there and, if said, have this length."""
        length = self.length(number)
        if expected_length is not None and length != expected_length:
            self.refuse(number, "wrong length", expected=f"{expected_length} bytes", got=f"{length} bytes")
        return self._take(self.sections[number].offset, length, self.names[number])

    def read_words(self, number: int, *shape: int) -> NDArray[np.uint64]:
        """A section of 64-bit words, which must fill exactly this shape, as a writable array."""
        expected = 8 * int(np.prod(shape, dtype=object))
        length = self.length(number)
        if length != expected:
            self.refuse(number, "wrong length", expected=f"{expected} bytes", got=f"{length} bytes")
        out = np.empty(shape, np.dtype("<u8"))
        self._stream.seek(self.sections[number].offset)
        if self._stream.readinto(out.reshape(-1).view(np.uint8).data) != length:  # type: ignore[attr-defined]
            self.refuse(number, "the file ends here")
        return out


def write(
    path: Path, magic: bytes, version: int, sections: Sequence[tuple[int, Iterable[bytes | NDArray[np.generic]]]]
) -> None:
    """Write a file of sections, each given in pieces; the file appears whole or not at all.

    A temporary file beside it is flushed to disk and takes its name.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(_HEADER.pack(magic, version, len(sections)))
            for number, pieces in sections:
                _write_section(stream, number, pieces)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files for their owner alone; a key is public.
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write_section(stream: BinaryIO, number: int, pieces: Iterable[bytes | NDArray[np.generic]]) -> None:
    start = stream.tell()
    stream.write(_SECTION.pack(number, 0))
    for piece in pieces:
        stream.write(piece if isinstance(piece, bytes) else np.ascontiguousarray(piece).data)
    end = stream.tell()
    stream.seek(start)
    stream.write(_SECTION.pack(number, end - start - _SECTION.size))
    stream.seek(end)
