"""Large sections piece by piece: copied out of the mapping into aligned memory, checked there, and used from there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.limbs import Limbs, aligned_empty
from aitbc_rollup.circuits.formats.files import MappedFile
from aitbc_rollup.circuits.formats.sections import SectionFile

from ..cpu.groups import AFFINE_WORDS, Group
from ..cpu.membership import all_in_g2, first_invalid

#: Points of G1 that are taken at once: 16 MiB.
_POINTS_AT_ONCE = 1 << 18


def pieces(source: MappedFile, content: memoryview, size: int, at_once: int) -> Iterator[NDArray[np.uint32]]:
    """Copies of a content's items of ``size`` bytes, so many at once, as words in the same aligned memory.

    The file's pages are given back as it goes.

    Raises:
        BadInputError: the file has been changed since it was opened.
    """
    source.require_same()
    at_once = min(at_once, len(content) // size)
    buffer = aligned_empty(-(-size * at_once // 8)).view(np.uint8)
    for start in range(0, len(content), max(size * at_once, 1)):
        part = content[start : start + size * at_once]
        piece = buffer[: len(part)]
        piece[:] = part
        source.release(part)
        yield piece.view(np.uint32)


def points(source: MappedFile, file: SectionFile, number: int, group: Group) -> Iterator[Limbs]:
    """A section of points in pieces, affine arrays ``(n, 8·group)``, each checked to be in its group.

    Raises:
        BadInputError: naming the point.
    """
    at = 0
    for words in pieces(source, file.view(number), 64 * group, _POINTS_AT_ONCE // group):
        found = words.view(np.uint64).reshape(-1, AFFINE_WORDS * group)
        check_points(file, number, group, found, at)
        yield found
        at += len(found)


def check_points(file: SectionFile, number: int, group: Group, found: Limbs, first: int = 0) -> None:
    """Refuse points of a section, the first of which is its number ``first``, that are not in their group.

    Raises:
        BadInputError: naming the point.
    """
    wrong = first_invalid(group, found)
    if wrong is not None:
        index = first + wrong
        file.refuse(number, f"point {index} is not on the curve of G{group}", 64 * group * index)
    if group == 2 and not all_in_g2(found):
        hint = "do not use this file: it may be malicious"
        file.refuse(number, "a point is on the curve but not in G2", 128 * first, hint=hint)
