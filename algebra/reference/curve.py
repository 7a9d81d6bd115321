"""G1 and G2 in affine coordinates, by the textbook; and the type aliases every room uses for points.

The group law of a short Weierstrass curve y² = x³ + b: Silverman, "The Arithmetic of Elliptic Curves", III.2.3.
"""

from __future__ import annotations

from ..bn254 import G1_B, P, R
from . import tower
from .tower import B_TWIST, Fq2

#: A point (x, y) of G1's curve with coordinates in [0, p); ``None`` is infinity.
G1Point = tuple[int, int] | None
#: A point of G2's curve (the twist), coordinates as (c0, c1); ``None`` is infinity.
G2Point = tuple[Fq2, Fq2] | None


def g1_is_on_curve(point: G1Point) -> bool:
    """Whether a point satisfies y² = x³ + 3 with coordinates in [0, p)."""
    if point is None:
        return True
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - x**3 - G1_B) % P == 0


def g1_neg(point: G1Point) -> G1Point:
    """Negative of a point."""
    return None if point is None else (point[0], -point[1] % P)


def g1_add(left: G1Point, right: G1Point) -> G1Point:
    """Sum of two points."""
    if left is None:
        return right
    if right is None:
        return left
    (x1, y1), (x2, y2) = left, right
    if x1 != x2:
        slope = (y2 - y1) * pow(x2 - x1, -1, P)
    elif y1 == y2 != 0:
        slope = 3 * x1 * x1 * pow(2 * y1, -1, P)
    else:
        return None
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def g1_mul(point: G1Point, scalar: int) -> G1Point:
    """``scalar``·point, for any integer; not reduced mod r."""
    if scalar < 0:
        point, scalar = g1_neg(point), -scalar
    total: G1Point = None
    for bit in bin(scalar)[2:]:
        total = g1_add(total, total)
        if bit == "1":
            total = g1_add(total, point)
    return total


def g2_is_on_curve(point: G2Point) -> bool:
    """Whether a point satisfies y² = x³ + 3/(9 + i) with coordinates in [0, p)."""
    if point is None:
        return True
    x, y = point
    if not all(0 <= c < P for c in (*x, *y)):
        return False
    cube = tower.fq2_mul(tower.fq2_sqr(x), x)
    return tower.fq2_sqr(y) == tower.fq2_add(cube, B_TWIST)


def g2_neg(point: G2Point) -> G2Point:
    """Negative of a point."""
    return None if point is None else (point[0], tower.fq2_neg(point[1]))


def g2_add(left: G2Point, right: G2Point) -> G2Point:
    """Sum of two points."""
    if left is None:
        return right
    if right is None:
        return left
    (x1, y1), (x2, y2) = left, right
    if x1 != x2:
        slope = tower.fq2_mul(tower.fq2_sub(y2, y1), tower.fq2_inv(tower.fq2_sub(x2, x1)))
    elif y1 == y2 != (0, 0):
        slope = tower.fq2_mul(tower.fq2_scale(tower.fq2_sqr(x1), 3), tower.fq2_inv(tower.fq2_scale(y1, 2)))
    else:
        return None
    x3 = tower.fq2_sub(tower.fq2_sub(tower.fq2_sqr(slope), x1), x2)
    return x3, tower.fq2_sub(tower.fq2_mul(slope, tower.fq2_sub(x1, x3)), y1)


def g2_mul(point: G2Point, scalar: int) -> G2Point:
    """``scalar``·point, for any integer; not reduced mod r."""
    if scalar < 0:
        point, scalar = g2_neg(point), -scalar
    total: G2Point = None
    for bit in bin(scalar)[2:]:
        total = g2_add(total, total)
        if bit == "1":
            total = g2_add(total, point)
    return total


def g2_is_in_subgroup(point: G2Point) -> bool:
    """Whether a point of the twist is in G2, by r·P = infinity."""
    return g2_is_on_curve(point) and g2_mul(point, R) is None
