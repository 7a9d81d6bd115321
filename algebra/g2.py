"""The group G2: the points of order r on the twist y² = x³ + 3/(9 + i) over Fq2 (cofactor 2p − r).

Kernels on addresses, described in ``group_kernels``: ``add(acc, other)``, ``add_affine(acc, point)``, ``double(acc)`` …

An affine point is 128 bytes, x.c0, x.c1, y.c0, y.c1; an accumulator 256 bytes. The Python functions below go between
arrays and ``((x0, x1), (y0, y1)) | None`` and are meant for the edges of a computation, not its inside.

Most points of the twist are *not* in G2: whoever takes one from outside checks it with ``pairing.is_in_g2``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from . import fq2
from .bn254 import P
from .group_kernels import build
from .jit import address, checked, kernel
from .limbs import Limbs, from_montgomery, to_montgomery
from .reference.curve import G2Point
from .reference.tower import B_TWIST

AFFINE_BYTES = 128
ACC_BYTES = 256
AFFINE_WORDS = AFFINE_BYTES // 8
ACC_WORDS = ACC_BYTES // 8

(
    set_infinity, set_affine, copy, is_infinity, is_affine_infinity, copy_affine, negate, negate_affine, double,
    add, sub, add_affine, sub_affine, equal, to_affine, batch_to_affine, scalar_mul, is_on_curve,
) = build("g2", fq2, fq2.SIZE, tuple(to_montgomery(B_TWIST, P).reshape(-1)))  # fmt: skip


def to_array(points: Iterable[G2Point]) -> Limbs:
    """Affine points in Montgomery form, shape ``(n, 16)``; ``None``, infinity, is all zero."""
    coordinates = (value for point in points for part in (point or ((0, 0), (0, 0))) for value in part)
    return to_montgomery(coordinates, P).reshape(-1, AFFINE_WORDS)


def from_array(array: Limbs) -> list[G2Point]:
    """Points of an affine array, shape ``(n, 16)``."""
    values = from_montgomery(checked(array, None, AFFINE_WORDS), P)
    points = [((values[i], values[i + 1]), (values[i + 2], values[i + 3])) for i in range(0, len(values), 4)]
    return [point if point != ((0, 0), (0, 0)) else None for point in points]


@kernel
def _normalise(out: Limbs, accumulators: Limbs) -> None:
    batch_to_affine(address(out), address(accumulators), accumulators.shape[0])


def normalise(accumulators: Limbs) -> Limbs:
    """Affine points, shape ``(n, 16)``, of accumulators, shape ``(n, 32)``, with one inversion."""
    checked(accumulators, None, ACC_WORDS)
    out = np.empty((len(accumulators), AFFINE_WORDS), dtype=np.uint64)
    _normalise(out, accumulators)
    return out


@kernel
def _multiply(out: Limbs, points: Limbs, scalars: Limbs) -> None:
    for i in range(points.shape[0]):
        scalar_mul(address(out) + ACC_BYTES * i, address(points) + AFFINE_BYTES * i, address(scalars) + 32 * i)


def multiply(points: Limbs, scalars: Limbs) -> Limbs:
    """Each point times its scalar: affine ``(n, 16)`` and canonical ``(n, 4)`` to affine ``(n, 16)``."""
    checked(scalars, len(checked(points, None, AFFINE_WORDS)), 4)
    accumulators = np.empty((len(points), ACC_WORDS), dtype=np.uint64)
    _multiply(accumulators, points, scalars)
    return normalise(accumulators)


@kernel
def _all_on_curve(points: Limbs) -> int:
    for i in range(points.shape[0]):
        if not is_on_curve(address(points) + AFFINE_BYTES * i):
            return i
    return -1


def first_off_curve(points: Limbs) -> int | None:
    """Index of the first affine point, of an array ``(n, 16)``, that is not on the curve; infinity is on it."""
    index = int(_all_on_curve(checked(points, None, AFFINE_WORDS)))
    return index if index >= 0 else None
