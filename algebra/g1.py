"""The group G1: the points of y² = x³ + 3 over Fq, of prime order r (cofactor 1).

Kernels on addresses, described in ``group_kernels``: ``add(acc, other)``, ``add_affine(acc, point)``, ``double(acc)`` …
Functions on arrays of points: ``normalise``, ``multiply``, ``first_off_curve``.

An affine point is 64 bytes, x then y; an accumulator 128 bytes. The Python functions below go between arrays and
``(x, y) | None`` and are meant for the edges of a computation, not its inside.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import fq
from .bn254 import G1_B, P
from .group_kernels import build
from .jit import checked
from .limbs import Limbs, from_montgomery, to_montgomery
from .reference.curve import G1Point

AFFINE_BYTES = 64
ACC_BYTES = 128
AFFINE_WORDS = AFFINE_BYTES // 8
ACC_WORDS = ACC_BYTES // 8

(
    set_infinity, set_affine, copy, is_infinity, is_affine_infinity, copy_affine, negate, negate_affine, double,
    add, sub, add_affine, sub_affine, equal, to_affine, batch_to_affine, scalar_mul, is_on_curve,
    normalise, multiply, first_off_curve,
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
