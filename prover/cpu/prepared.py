"""A key's body as the CPU engine wants it: checked and converted when a .zkey is first used, then kept on disk, mapped.

A file in the cache folder is found by what tells its .zkey from every other file and from itself before a change, and
by the code that checked and converted it. Head and verifying key are not in there: they are read from the .zkey, and
checked, each time. So no such file can lead to a false proof, for each proof is verified under that key before it is
handed out; what one can do is keep proofs from being made.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.circuits.formats.files import MappedFile
from aitbc_rollup.errors import ResourceError

from .. import keys
from ..formats import arrays, pieces, zkey
from ..keys import Matrix, ProvingKey, Query
from . import coefficients, key_cache, membership, points
from .groups import AFFINE_WORDS, Group
from .points import RADIX_BITS, PackedPoints, join, joined_wires, pack

#: Smaller files are prepared sooner than found.
_SMALL = 1 << 20

Found = dict[str, NDArray[Any]]


class Prepared(NamedTuple):
    """The matrices A and B and the packed lists of points, those that the key has.

    ``source`` is the mapping that all of it lies in, if it lies in one.
    """

    matrices: tuple[Matrix, Matrix]
    queries: dict[Query, PackedPoints]
    source: MappedFile | None


def prepare(key: ProvingKey) -> Prepared:
    """A key's body, from the disk if it is there, and put there if it can be.

    Raises:
        BadInputError: the body in the .zkey is wrong.
        UsageError: ``AITBC_KEY_CACHE`` is no size.
    """
    found = _kept(key) if key_cache.limit() else None
    if found is None:
        queries = {
            query: join(group, (pack(group, piece) for piece in key.body.points(query)))
            for query, group in key.queries.items()
        }
        found = Prepared(key.body.matrices(), queries, None)
    return found


def _kept(key: ProvingKey) -> Prepared | None:
    """The body on disk, written now if it was not; ``None`` if it cannot be."""
    source = key.body.source
    if source is None or source.identity is None or len(source.data) < _SMALL:
        return None
    folder = key_cache.folder()
    if folder is None:
        return None
    note = [RADIX_BITS, _definition(), *source.identity]
    path = key_cache.entry(folder, source.identity, *note)
    found = _find(path, note, key)
    if found is None and source.unchanged() and key_cache.make_room(path, len(source.data)):
        # A disk that is full is no reason not to prove.
        with suppress(ResourceError):
            arrays.write(path, note, _arrays(key, source))
            found = _find(path, note, key)
    return found


@cache
def _definition() -> str:
    """Hash of the code that says what is checked, converted and laid out."""
    modules = (keys, arrays, pieces, zkey, coefficients, membership, points)
    files = [__file__, *(str(module.__file__) for module in modules)]
    return hashlib.sha256(b"".join(hashlib.sha256(Path(file).read_bytes()).digest() for file in files)).hexdigest()


# -- writing ----------------------------------------------------------------------------------------------------


def _arrays(key: ProvingKey, source: MappedFile) -> Iterator[arrays.Named]:
    """The body as arrays, each made when it is written."""
    for name, matrix in zip("AB", key.body.matrices(), strict=True):
        for field, array in matrix._asdict().items():
            yield f"{name}.{field}", [array]
    for query, group in key.queries.items():
        rows: list[tuple[NDArray[np.uint32] | None, int]] = []
        yield f"{query}.points", _packed(key, query, group, rows)
        wires = joined_wires(rows)
        if wires is not None:
            yield f"{query}.wires", [wires]
    source.require_same()


def _packed(
    key: ProvingKey, query: Query, group: Group, rows: list[tuple[NDArray[np.uint32] | None, int]]
) -> Iterator[NDArray[np.uint64]]:
    """The points of a list, packed, in pieces; ``rows`` gets what :func:`.points.joined_wires` asks for."""
    yield np.empty((0, AFFINE_WORDS * group), np.uint64)
    for piece in key.body.points(query):
        packed = pack(group, piece)
        rows.append((packed.wires, packed.length))
        yield packed.points


# -- reading ----------------------------------------------------------------------------------------------------


def _find(path: Path, note: list[Any], key: ProvingKey) -> Prepared | None:
    """What a file holds, mapped, if it is ours, whole and for this key."""
    file = arrays.read(path) if key_cache.is_ours(path) else None
    if file is None or file.note != note:
        return None
    # The time of the last use, by which files are kept.
    with suppress(OSError):
        os.utime(path)
    try:
        a, b = (_matrix(file.arrays, name, key) for name in "AB")
        return Prepared((a, b), {query: _points(file.arrays, query, key) for query in key.queries}, file.source)
    except (KeyError, ValueError):
        return None


def _matrix(found: Found, name: str, key: ProvingKey) -> Matrix:
    """A matrix whose indices stay inside: a kernel would follow them anywhere."""
    indptr, wires, values = matrix = Matrix(*(found[f"{name}.{field}"] for field in Matrix._fields))
    _expect([array.dtype for array in matrix] == [np.int64, np.uint32, np.uint64])
    _expect(indptr.shape == (key.domain_size + 1,) and wires.ndim == 1 and values.shape == (len(wires), 4))
    _expect(bool(indptr[0] == 0 and indptr[-1] == len(wires) and (indptr[1:] >= indptr[:-1]).all()))
    _expect(int(wires.max(initial=0)) < key.n_wires)
    return matrix


def _points(found: Found, query: Query, key: ProvingKey) -> PackedPoints:
    packed, wires, length = found[f"{query}.points"], found.get(f"{query}.wires"), key.n_points(query)
    _expect(packed.dtype == np.uint64 and packed.shape[1:] == (AFFINE_WORDS * key.queries[query],))
    if wires is None:
        _expect(len(packed) == length)
    else:
        _expect(wires.dtype == np.uint32 and wires.shape == packed.shape[:1])
        _expect(int(wires.max(initial=0)) < max(length, 1) and bool((wires[1:] > wires[:-1]).all()))
    return PackedPoints(packed, wires, length, RADIX_BITS)


def _expect(fits: bool) -> None:
    if not fits:
        raise ValueError("not what was written")
