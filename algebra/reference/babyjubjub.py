"""Baby Jubjub, the twisted Edwards curve over Fr, in plain integers (EIP-2494).

::

    a·x² + y² = 1 + d·x²·y²        a = 168700 (a square), d = 168696 (not one): addition is complete
    order 8·l, l prime             l = 2736030358979909402780800718157159386076813972158567259200215660948447373041
    Montgomery form v² = u³ + A·u² + u with A = 2(a + d)/(a − d) = 168698 and B = 4/(a − d) = 1

    x = u/v, y = (u − 1)/(u + 1);  u = (1 + y)/(1 − y), v = u/x

A = 168698 is the least integer for which curve and twist have nearly prime order with cofactors 8 and 4 and
(A − 2)/4 is an integer (RFC 7748, appendix A, run over this field). The generator is the point of order 8·l with
the least u, which is 7, and ``BASE8`` is eight times it, of order l. The tests recompute each.

Points are affine pairs ``(x, y)`` of integers in [0, r); the neutral point is ``(0, 1)``. Not constant-time.

Sources: EIP-2494; Bernstein, Birkner, Joye, Lange, Peters, "Twisted Edwards curves", AFRICACRYPT 2008, section 6.
"""

from __future__ import annotations

from ..bn254 import FR_GENERATOR, FR_TWO_ADICITY, R

Point = tuple[int, int]

A = 168700
D = 168696
MONTGOMERY_A = 168698
COFACTOR = 8
#: l, the prime order of the subgroup.
SUBGROUP_ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041
IDENTITY: Point = (0, 1)
#: Of order 8·l. circomlib's Base8 is eight times it.
GENERATOR: Point = (
    995203441582195749578291179787384436505546430278305826713579947235728471134,
    5472060717959818805561601436314318772137091100104008585924551046643952123905,
)
BASE8: Point = (
    5299619240641551281634865583518297030282874472190772894086521144482721001553,
    16950150798460657717958625567821834550301663161624707787222815936182638968203,
)


def is_on_curve(point: Point) -> bool:
    """Whether both coordinates are in [0, r) and satisfy the curve's equation."""
    x, y = point
    if not (0 <= x < R and 0 <= y < R):
        return False
    return (A * x * x + y * y - 1 - D * x * x % R * y * y) % R == 0


def is_in_subgroup(point: Point) -> bool:
    """Whether a point is on the curve and l times it is neutral (so the neutral point is in)."""
    return is_on_curve(point) and multiply(point, SUBGROUP_ORDER) == IDENTITY


def add(p: Point, q: Point) -> Point:
    """p + q, complete: any two points of the curve, equal and neutral ones too."""
    (x1, y1), (x2, y2) = p, q
    product = D * x1 * x2 % R * y1 * y2 % R
    x = (x1 * y2 + y1 * x2) * pow(1 + product, -1, R) % R
    y = (y1 * y2 - A * x1 * x2) * pow(1 - product, -1, R) % R
    return x, y


def negate(point: Point) -> Point:
    """−p."""
    return -point[0] % R, point[1]


def multiply(point: Point, scalar: int) -> Point:
    """scalar · p for a scalar ≥ 0, by doubling and adding.

    Raises:
        ValueError: the scalar is negative.
    """
    if scalar < 0:
        raise ValueError("the scalar is negative")
    result = IDENTITY
    for bit in f"{scalar:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def compress(point: Point) -> bytes:
    """circomlibjs's ``packPoint``: y little-endian in 32 bytes, the top bit set if x > (r − 1)/2."""
    x, y = point
    return (y | (x > R // 2) << 255).to_bytes(32, "little")


def decompress(data: bytes) -> Point:
    """The point of :func:`compress`; on the curve, not necessarily in the subgroup.

    Raises:
        ValueError: not 32 bytes, y ≥ r, no such point, or the sign bit set for x = 0: there is one encoding a point.
    """
    if len(data) != 32:
        raise ValueError(f"a compressed point has 32 bytes, not {len(data)}")
    value = int.from_bytes(data, "little")
    sign, y = value >> 255, value & (1 << 255) - 1
    if y >= R:
        raise ValueError("y is not in [0, r)")
    # a·x² + y² = 1 + d·x²·y²; a − d·y² is never 0, for a/d is no square
    x = square_root((1 - y * y) * pow(A - D * y * y, -1, R) % R)
    if x is None or (x == 0 and sign):
        raise ValueError("no point of the curve has this encoding")
    return (R - x if (x > R // 2) != sign else x), y


def square_root(n: int) -> int | None:
    """A square root of n mod r, or ``None``; Tonelli and Shanks with the non-residue 5."""
    odd = (R - 1) >> FR_TWO_ADICITY
    root, rest = pow(n, (odd + 1) // 2, R), pow(n, odd, R)
    if pow(rest, 1 << FR_TWO_ADICITY - 1, R) not in (0, 1):
        return None
    generator = pow(FR_GENERATOR, odd, R)
    for i in range(FR_TWO_ADICITY - 2, -1, -1):
        # root² = n·rest; the order of rest divides 2^(i+1), that of the generator is 2^(i+2)
        if n and pow(rest, 1 << i, R) != 1:
            root = root * generator % R
            rest = rest * generator * generator % R
        generator = generator * generator % R
    return root


def to_montgomery(point: Point) -> Point:
    """The point (u, v) of the Montgomery form.

    Raises:
        ValueError: x = 0: the neutral point and (0, −1) have no affine image here.
    """
    x, y = point
    if x == 0:
        raise ValueError("a point with x = 0 has no affine Montgomery form")
    u = (1 + y) * pow(1 - y, -1, R) % R
    return u, u * pow(x, -1, R) % R


def from_montgomery(point: Point) -> Point:
    """The Edwards point of a Montgomery point (u, v) with v ≠ 0 and u ≠ −1."""
    u, v = point
    return u * pow(v, -1, R) % R, (u - 1) * pow(u + 1, -1, R) % R
