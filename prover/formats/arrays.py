"""Named arrays in one file, made to be mapped: each begins on a 64-byte boundary and is used where it lies.

::

    magic (8 bytes) | length of the description u64 | its SHA-256 (32 bytes) | the description, JSON | padding | arrays

The description names type, shape and place of each array, the file's length, and whatever its maker wrote there. For
files this program makes for itself: one that is damaged, cut short or of another version counts as not there.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.circuits.formats.files import MappedFile, replacing
from aitbc_rollup.errors import BadInputError

_MAGIC = b"aitbcarr"
_HEAD = struct.Struct("<8sQ32s")
#: Bytes kept free for head and description; the arrays follow.
_ROOM = 1 << 14
_LINE = 64
_TYPES = {"<i8", "<u4", "<u8"}

#: An array's name and its pieces, at least one, to be joined along the first axis.
Named = tuple[str, Iterable[NDArray[Any]]]


class ArrayFile(NamedTuple):
    """A file's arrays, over its mapping, and its maker's note."""

    source: MappedFile
    note: Any
    arrays: dict[str, NDArray[Any]]


def write(path: Path, note: Any, arrays: Iterable[Named]) -> None:
    """Write arrays as they come; the file appears whole, for its owner alone, or not at all.

    Args:
        path: the file.
        note: anything that JSON can say.
        arrays: of 32-bit or 64-bit integers.

    Raises:
        ResourceError: it cannot be written.
    """
    with replacing(path, 0o600) as stream:
        table, end = {}, _ROOM
        for name, pieces in arrays:
            start = stream.seek(_aligned(end))
            rows = 0
            for piece in pieces:
                stream.write(np.ascontiguousarray(piece).data)
                rows += len(piece)
                last = piece
            table[name] = (last.dtype.str, [rows, *last.shape[1:]], start)
            end = stream.tell()
        stream.truncate(end)
        text = json.dumps({"note": note, "size": end, "arrays": table}).encode()
        if _HEAD.size + len(text) > _ROOM:
            raise ValueError(f"a description of {len(text)} bytes")
        stream.seek(0)
        stream.write(_HEAD.pack(_MAGIC, len(text), hashlib.sha256(text).digest()) + text)


def read(path: Path) -> ArrayFile | None:
    """The arrays of a file; ``None`` if there is none, or if it is not as :func:`write` left it.

    What the arrays hold is not looked at.
    """
    try:
        source = MappedFile(path)
        description = _description(source.data)
        views = {name: _view(source.data, *entry) for name, entry in description["arrays"].items()}
        return ArrayFile(source, description["note"], views)
    except (BadInputError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _description(data: memoryview) -> Any:
    if len(data) < _ROOM:
        raise ValueError("too short")
    magic, length, digest = _HEAD.unpack(data[: _HEAD.size])
    text = data[_HEAD.size : _HEAD.size + length]
    if magic != _MAGIC or hashlib.sha256(text).digest() != digest:
        raise ValueError("another file")
    found = json.loads(bytes(text))
    if found["size"] != len(data):
        raise ValueError("another length")
    return found


def _view(data: memoryview, kind: str, shape: list[int], start: int) -> NDArray[Any]:
    if kind not in _TYPES or start != _aligned(start) or min(start, *shape) < 0:
        raise ValueError("not an array")
    count = math.prod(shape)
    if start + count * np.dtype(kind).itemsize > len(data):
        raise ValueError("outside the file")
    return np.frombuffer(data, kind, count, start).reshape(shape)


def _aligned(position: int) -> int:
    return -(-position // _LINE) * _LINE
