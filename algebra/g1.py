"""The group G1: the points of y² = x³ + 3 over Fq, of prime order r (cofactor 1).

Kernels on addresses, described in ``group_kernels``: ``add(acc, other)``, ``add_affine(acc, point)``, ``double(acc)`` …

An affine point is 64 bytes, x then y; an accumulator 128 bytes. The Python functions below go between arrays and
``(x, y) | None`` and are meant for the edges of a computation, not its inside.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from . import fq
from .bn254 import G1_B, P
from .group_kernels import build
from .jit import address, checked, kernel
from .limbs import Limbs, from_montgomery, to_montgomery
from .reference.curve import G1Point

AFFINE_BYTES = 64
ACC_BYTES = 128
AFFINE_WORDS = AFFINE_BYTES // 8
ACC_WORDS = ACC_BYTES // 8

(
    set_infinity, set_affine, copy, is_infinity, is_affine_infinity, copy_affine, negate, negate_affine, double,
    add, sub, add_affine, sub_affine, equal, to_affine, batch_to_affine, scalar_mul, is_on_curve,
) = build("g1", fq, 32, to_montgomery([G1_B], P))  # fmt: skip


def to_array(points: Iterable[G1Point]) -> Limbs:
    """Affine points in Montgomery form, shape ``(n, 8)``; ``None``, infinity, is all zero.

    Raises:
        ValueError: a coordinate is not in [0, p), or a point is (0, 0), which is not on the curve.
    """
    coordinates: list[int] = []
    for point in points:
        x, y = point or (0, 0)
        if not (0 <= x < P and 0 <= y < P) or (x == y == 0 and point is not None):
            raise ValueError(f"expected affine coordinates in [0, p), got {point}")
        coordinates += (x, y)
    return to_montgomery(coordinates, P).reshape(-1, AFFINE_WORDS)


def from_array(array: Limbs) -> list[G1Point]:
    """Points of an affine array, shape ``(n, 8)``."""
    values = from_montgomery(checked(array, None, AFFINE_WORDS), P)
    points = zip(values[0::2], values[1::2], strict=True)
    return [point if point != (0, 0) else None for point in points]


@kernel
def _normalise(out: Limbs, accumulators: Limbs) -> None:
    batch_to_affine(address(out), address(accumulators), accumulators.shape[0])


def normalise(accumulators: Limbs) -> Limbs:
    """Affine points, shape ``(n, 8)``, of accumulators, shape ``(n, 16)``, with one inversion."""
    checked(accumulators, None, ACC_WORDS)
    out = np.empty((len(accumulators), AFFINE_WORDS), dtype=np.uint64)
    _normalise(out, accumulators)
    return out


@kernel
def _multiply(out: Limbs, points: Limbs, scalars: Limbs) -> None:
    for i in range(points.shape[0]):
        scalar_mul(address(out) + ACC_BYTES * i, address(points) + AFFINE_BYTES * i, address(scalars) + 32 * i)


def multiply(points: Limbs, scalars: Limbs) -> Limbs:
    """Each point times its scalar: affine ``(n, 8)`` and canonical ``(n, 4)`` to affine ``(n, 8)``."""
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
    """Index of the first affine point, of an array ``(n, 8)``, that is not on the curve; infinity is on it."""
    index = int(_all_on_curve(checked(points, None, AFFINE_WORDS)))
    return index if index >= 0 else None
