"""The group G2: the points of order r on the twist y² = x³ + 3/(9 + i) over Fq2 (cofactor 2p − r).

Kernels on addresses, described in ``group_kernels``: ``add(acc, other)``, ``add_affine(acc, point)``, ``double(acc)`` …
Functions on arrays of points: ``normalise``, ``multiply``, ``first_off_curve``.

An affine point is 128 bytes, x.c0, x.c1, y.c0, y.c1; an accumulator 256 bytes. The Python functions below go between
arrays and ``((x0, x1), (y0, y1)) | None`` and are meant for the edges of a computation, not its inside.

Most points of the twist are *not* in G2: whoever takes one from outside checks it with :func:`first_outside`.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import fq2
from .bn254 import P, U
from .group_kernels import build
from .jit import address, checked, kernel, stack
from .limbs import Limbs, from_montgomery, to_limbs, to_montgomery
from .reference.curve import G2Point
from .reference.tower import B_TWIST, FROBENIUS

AFFINE_BYTES = 128
ACC_BYTES = 256
AFFINE_WORDS = AFFINE_BYTES // 8
ACC_WORDS = ACC_BYTES // 8

(
    set_infinity, set_affine, copy, is_infinity, is_affine_infinity, copy_affine, negate, negate_affine, double,
    add, sub, add_affine, sub_affine, equal, to_affine, batch_to_affine, scalar_mul, is_on_curve,
    normalise, multiply, first_off_curve,
) = build("g2", fq2, fq2.SIZE, to_montgomery(B_TWIST, P))  # fmt: skip


def to_array(points: Iterable[G2Point]) -> Limbs:
    """Affine points in Montgomery form, shape ``(n, 16)``; ``None``, infinity, is all zero.

    Raises:
        ValueError: a coordinate is not in [0, p), or a point is all zero, which is not on the curve.
    """
    coordinates: list[int] = []
    for point in points:
        x, y = point or ((0, 0), (0, 0))
        values = (*x, *y)
        if not all(0 <= value < P for value in values) or (not any(values) and point is not None):
            raise ValueError(f"expected affine coordinates in [0, p), got {point}")
        coordinates += values
    return to_montgomery(coordinates, P).reshape(-1, AFFINE_WORDS)


def from_array(array: Limbs) -> list[G2Point]:
    """Points of an affine array, shape ``(n, 16)``."""
    values = from_montgomery(checked(array, None, AFFINE_WORDS), P)
    points = [((values[i], values[i + 1]), (values[i + 2], values[i + 3])) for i in range(0, len(values), 4)]
    return [point if point != ((0, 0), (0, 0)) else None for point in points]


_FROBENIUS_X = to_montgomery(FROBENIUS[2], P)
_FROBENIUS_Y = to_montgomery(FROBENIUS[3], P)
#: The eigenvalue of Frobenius on G2: the trace less one, congruent to p mod r.
_EIGENVALUE = to_limbs([6 * U * U])


@kernel
def frobenius(out: int, point: int) -> None:
    """Frobenius of E(Fq12) seen on the twist, on an affine point: conjugate, then times ξ^((p−1)/3) and ξ^((p−1)/2)."""
    fq2.conjugate(out, point)
    fq2.mul(out, out, address(_FROBENIUS_X))
    fq2.conjugate(out + 64, point + 64)
    fq2.mul(out + 64, out + 64, address(_FROBENIUS_Y))


@kernel
def is_in_subgroup(point: int) -> bool:
    """Whether an affine point is on the twist and of order 1 or r, by ψ(P) = [6u²]P for ψ the Frobenius above.

    Exact, because ψ² − tψ + p = 0 on the whole twist with t = 6u² + 1: from ψ(P) = [t − 1]P follows
    [(t − 1)² − t(t − 1) + p]P = [p + 1 − t]P = [r]P = 0; and on G2, ψ is multiplication by p = t − 1 mod r.
    (El Housni, Guillevic and Piellard, "Co-factor clearing and subgroup membership testing", 2022, section 4.)
    """
    left = stack(32)
    right = stack(32)
    image = stack(16)
    if not is_on_curve(point):
        return False
    frobenius(image, point)
    set_affine(left, image)
    scalar_mul(right, point, address(_EIGENVALUE))
    return equal(left, right)


@kernel
def _first_outside(points: Limbs) -> int:
    for i in range(points.shape[0]):
        if not is_in_subgroup(address(points) + AFFINE_BYTES * i):
            return i
    return -1


def first_outside(points: Limbs) -> int | None:
    """Index of the first affine point, of an array ``(n, 16)``, that is not in G2; infinity is in it."""
    index = int(_first_outside(checked(points, None, AFFINE_WORDS)))
    return index if index >= 0 else None
