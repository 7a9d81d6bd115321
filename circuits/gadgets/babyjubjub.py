"""Baby Jubjub in circuits: complete addition, a fixed-base and a variable-base multiplication.

Points are pairs of variables. Between gadgets they are Edwards coordinates, where addition is complete: it holds for
any two points of the curve, so nothing has to be excluded. Inside the multiplications they are Montgomery coordinates,
v² = u³ + A·u² + u, where chord and tangent cost less but fail on equal or opposite points; each use below says why
that cannot happen, or asserts that it does not.

Costs: addition 6, doubling 5, curve equation 3, :func:`multiply_base8` 673, :func:`multiply` 1623.

Sources: Bernstein, Birkner, Joye, Lange, Peters, "Twisted Edwards curves", AFRICACRYPT 2008, sections 3 and 6;
Eisenträger, Lauter, Montgomery, "Fast Elliptic Curve Arithmetic and Improved Weil Pairing Evaluation", CT-RSA 2003,
for 2Q + P without the middle y. See ``algebra/reference/babyjubjub.py`` for the curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.reference import babyjubjub as curve

from ..api import Circuit, Variable

__all__ = [
    "Point", "add", "assert_on_curve", "chord", "double", "double_and_add", "multiply", "multiply_base8", "tangent",
    "to_edwards",
]  # fmt: skip

_EXCEPTIONAL = "an exceptional case of the addition"
A, D, L = curve.A, curve.D, curve.SUBGROUP_ORDER


class Point(NamedTuple):
    """Two coordinates; a constant point has constant ones."""

    x: Variable
    y: Variable


def assert_on_curve(circuit: Circuit, point: Point) -> None:
    """a·x² + y² = 1 + d·x²·y²; 3 constraints. Says nothing about the subgroup."""
    x_squared, y_squared = point.x * point.x, point.y * point.y
    circuit.assert_product(D * x_squared, y_squared, A * x_squared + y_squared - 1, "the point is not on the curve")


def add(circuit: Circuit, p: Point, q: Point) -> Point:
    """p + q for any two points of the curve; 6 constraints. Assumes that both are on it."""
    beta, gamma = p.x * q.y, p.y * q.x
    delta = (p.y - A * p.x) * (q.x + q.y)
    tau = D * (beta * gamma)
    # d is no square, so neither denominator is ever 0 on the curve
    return Point(circuit.divide(beta + gamma, 1 + tau), circuit.divide(delta + A * beta - gamma, 1 - tau))


def double(circuit: Circuit, p: Point) -> Point:
    """2p for any point of the curve; 5 constraints. Assumes that it is on it."""
    product, ax_squared, y_squared = p.x * p.y, A * (p.x * p.x), p.y * p.y
    one_plus = ax_squared + y_squared  # 1 + d·x²·y², by the curve's equation
    return Point(circuit.divide(2 * product, one_plus), circuit.divide(y_squared - ax_squared, 2 - one_plus))


# -- Montgomery coordinates -----------------------------------------------------------------------------------


def _to_montgomery(circuit: Circuit, p: Point, message: str) -> Point:
    """2 constraints; unsatisfiable for the neutral point (y = 1). Assumes that p is not (0, −1)."""
    u = circuit.divide(1 + p.y, 1 - p.y, message)
    return Point(u, circuit.divide(u, p.x))


def to_edwards(circuit: Circuit, p: Point) -> Point:
    """2 constraints. Assumes a point of odd order, so that v ≠ 0 and u ≠ −1."""
    return Point(circuit.divide(p.x, p.y), circuit.divide(p.x - 1, p.x + 1))


def chord(circuit: Circuit, p: Point, q: Point) -> Point:
    """p + q in 3 constraints. Assumes p ≠ ±q."""
    slope = circuit.divide(q.y - p.y, q.x - p.x)
    return _third(circuit, slope, p, q.x)


def tangent(circuit: Circuit, p: Point) -> Point:
    """2p in 4 constraints. Assumes that p is not of order two, so that v ≠ 0."""
    slope = circuit.divide(3 * (p.x * p.x) + 2 * curve.MONTGOMERY_A * p.x + 1, 2 * p.y)
    return _third(circuit, slope, p, p.x)


def _third(circuit: Circuit, slope: Variable, p: Point, other_x: Variable) -> Point:
    """Minus the third point of the curve on the line through p and another; 2 constraints."""
    x = circuit.multiply_add(slope, slope, -curve.MONTGOMERY_A - p.x - other_x)
    return Point(x, circuit.multiply_add(slope, p.x - x, -p.y))


def double_and_add(circuit: Circuit, q: Point, p: Point, *, checked: bool) -> Point:
    """(q + p) + q in 5 constraints: the y of q + p is never needed.

    Assumes q ≠ ±p and 2q ≠ −p; ``checked`` asserts it instead, 2 constraints more.
    """
    first = circuit.divide(q.y - p.y, q.x - p.x, _EXCEPTIONAL)
    middle_x = circuit.multiply_add(first, first, -curve.MONTGOMERY_A - q.x - p.x)
    slope = circuit.divide(2 * q.y, q.x - middle_x, _EXCEPTIONAL) - first
    if checked:
        for difference in (q.x - p.x, q.x - middle_x):
            inverse = circuit.hint_inverse(difference)
            circuit.assert_product(difference, inverse, 1, _EXCEPTIONAL)
    return _third(circuit, slope, q, middle_x)


# -- fixed base -----------------------------------------------------------------------------------------------

_FREE_BITS = 250
_WINDOWS = 83
#: The weight of the bit that fills up [0, l): 2^250 − 1 + this is l − 1.
_LAST_WEIGHT = L - (1 << _FREE_BITS)


def multiply_base8(circuit: Circuit, scalar: Variable) -> Point:
    """scalar · Base8; unsatisfiable unless the scalar is in [0, l). 673 constraints.

    The scalar is Σ bᵢ·2ⁱ (i < 250) + b₂₅₀·(l − 2^250) for bits b: such sums are exactly the integers 0 … l − 1, so the
    range costs no comparison. (Some scalars have two decompositions; both give the same point.)

    83 windows of three bits are read as signs s = ±1: a window's digit 4·s₂ + 2·s₁ + s₀ is odd, and so is every partial
    sum; it stands for twice the value, hence the base is half of Base8. The partial sum before window i has magnitude
    below 8^i, the window's term at least 8^i, and all sums stay below 8^83 < l: so chords never meet equal, opposite or
    neutral points. The last two bits and the constant enter by a complete addition.
    """
    bits = circuit.hint(_scalar_bits, [scalar], _FREE_BITS + 1)
    for bit in bits:
        circuit.assert_boolean(bit)
    weights = [*(1 << i for i in range(_FREE_BITS)), _LAST_WEIGHT]
    circuit.assert_equal(circuit.inner_product(weights, bits), scalar, "the scalar is not below the group's order")
    signs = [2 * bit - 1 for bit in bits]
    tables, last = _base8_tables()
    total: Point | None = None
    for i, table in enumerate(tables):
        term = _look_up(circuit, table, signs[3 * i : 3 * i + 3])
        total = term if total is None else chord(circuit, total, term)
    assert total is not None
    b, c = bits[-2:]
    both = b * c
    selected = Point(
        *(
            circuit.inner_product([p00, p10 - p00, p01 - p00, p11 - p10 - p01 + p00], [1, b, c, both])
            for p00, p10, p01, p11 in zip(*last, strict=True)
        )
    )
    return add(circuit, to_edwards(circuit, total), selected)


def _scalar_bits(scalar: int) -> list[int]:
    top = scalar >> _FREE_BITS & 1
    rest = scalar - top * _LAST_WEIGHT
    return [*(rest >> i & 1 for i in range(_FREE_BITS)), top]


#: Of one window and one coordinate: the coefficients of 1, s₀, s₁, s₀·s₁ for s₂ = 1.
_Coefficients = tuple[int, int, int, int]


def _look_up(circuit: Circuit, table: tuple[_Coefficients, _Coefficients], signs: Sequence[Variable]) -> Point:
    """The point of a window in 2 constraints.

    Flipping all signs negates the point: x is even in them and y odd, so

    x = X₀ + X₁·s₀s₂ + X₂·s₁s₂ + X₃·s₀s₁  and  y = Y₀·s₂ + Y₁·s₀ + Y₂·s₁ + Y₃·s₀s₁s₂.

    With q = X₁X₃·s₀ + X₂X₃·s₁ + X₁X₂·s₂, q² has the same three products as x, in proportion 2·X₁X₂X₃; and x·s₂ has the
    cubic term of y, besides linear ones.
    """
    (x0, x1, x2, x3), (y0, y1, y2, y3) = table
    s0, s1, s2 = signs
    weights = (x1 * x3, x2 * x3, x1 * x2)
    scale = pow(2 * x1 * x2 * x3, -1, R)
    root = circuit.inner_product(weights, signs)
    x = circuit.multiply_add(root * scale, root, x0 - scale * sum(weight * weight for weight in weights))
    ratio = y3 * pow(x3, -1, R)
    linear = s2 * (y0 - ratio * x0) + s0 * (y1 - ratio * x1) + s1 * (y2 - ratio * x2)
    return Point(x, circuit.multiply_add(x * ratio, s2, linear))


@cache
def _base8_tables() -> tuple[list[tuple[_Coefficients, _Coefficients]], list[curve.Point]]:
    """Coefficients of each window, and the four points of the last addition, by its bits 250 − 1 and 250."""
    half = curve.multiply(curve.BASE8, (L + 1) // 2)
    tables = []
    step = half
    for _ in range(_WINDOWS):
        twice = curve.add(step, step)
        odd = [step]
        for _ in range(3):
            odd.append(curve.add(odd[-1], twice))
        tables.append(_coefficients([curve.to_montgomery(p) for p in odd]))
        step = curve.add(odd[-1], step)
    constant = curve.multiply(half, (1 << 3 * _WINDOWS) - 1)
    last = [
        curve.add(constant, curve.multiply(curve.BASE8, (b << _FREE_BITS - 1) + c * _LAST_WEIGHT))
        for c in (0, 1)
        for b in (0, 1)
    ]
    return tables, last


def _coefficients(odd: list[curve.Point]) -> tuple[_Coefficients, _Coefficients]:
    """For the points 1, 3, 5, 7 of a window, which are at (s₀, s₁) = (−, −), (+, −), (−, +), (+, +)."""
    quarter = pow(4, -1, R)

    def transform(mm: int, pm: int, mp: int, pp: int) -> _Coefficients:
        sums = (mm + pm + mp + pp, pm + pp - mm - mp, mp + pp - mm - pm, mm + pp - pm - mp)
        a, b, c, d = (value * quarter % R for value in sums)
        return a, b, c, d

    x, y = (transform(*coordinates) for coordinates in zip(*odd, strict=True))
    assert all(x[1:]), "the look-up divides by these"
    return x, y


# -- variable base --------------------------------------------------------------------------------------------

#: The least multiple of l from 2^254 on. Added to a scalar below r it gives 255 bits, the top one set.
_OFFSET = -(-(1 << 254) // L) * L
_LOW = _OFFSET - (1 << 254)
_STEPS = 253
#: From this step on the multiplier may reach l, and the additions are checked.
_FIRST_CHECKED = 249
_DIGIT = 16


def multiply(circuit: Circuit, p: Point, scalar: Variable) -> Point:
    """scalar · p, the scalar being the canonical integer in [0, r) of any field element; 1623 constraints.

    **Assumes** that p is of order l: on the curve, in the subgroup. Unsatisfiable for the neutral point.

    *Ladder.* K = scalar + 11·l has 255 bits b, and K·p = scalar·p. The odd one of K and K + 1 is the signed sum
    2^254 + 2^253 + Σ (2·bᵢ₊₁ − 1)·2ⁱ, i < 253, so each step is 2Q ± p and there is no zero digit; if K was even, p is
    subtracted at the end, completely. Q = k·p with k odd, from 3 on: for k < 2^249, neither k ∓ 1 nor 2k ± 1 is a
    multiple of l, and no addition is exceptional; the last five steps assert it. (So a few scalars
    within 16 of a multiple of l, 0 among them, have no proof; nobody finds a hash that is one.)

    *Digits.* Of −p and p only v differs, by sign, so a step's digit is its wire z with z² = v², which binds the bit and
    selects the point at once; bits recompose to K after multiplication by v, which is not 0.

    *One K only.* K is bound mod r, so K ± r must be excluded: 2^254 + V = K as integers with V in [low, low + r).
    """
    q = _to_montgomery(circuit, p, "the point is neutral")
    even_bit, *digits = circuit.hint(_signed_digits, [scalar, q.y], 1 + _STEPS)
    circuit.assert_boolean(even_bit)
    square = q.y * q.y
    for z in digits:
        circuit.assert_product(z, z, square, "a digit is neither v nor −v")
    _assert_recomposition(circuit, q.y, scalar, even_bit, digits)

    total = chord(circuit, tangent(circuit, q), q)
    for step, z in enumerate(reversed(digits), start=1):
        total = double_and_add(circuit, total, Point(q.x, z), checked=step >= _FIRST_CHECKED)
    is_even = 1 - even_bit
    correction = Point(-(is_even * p.x), 1 + is_even * (p.y - 1))
    return add(circuit, to_edwards(circuit, total), correction)


def _signed_digits(scalar: int, v: int) -> list[int]:
    value = scalar + _LOW
    return [value & 1, *(v if value >> i & 1 else -v for i in range(1, _STEPS + 1))]


def _assert_recomposition(
    circuit: Circuit, v: Variable, scalar: Variable, lowest: Variable, digits: Sequence[Variable]
) -> None:
    """V = scalar + low as integers, V being the number of 254 bits in ``lowest`` and ``digits`` (each v or −v).

    As field elements by one equation times v. As integers because low ≤ V < high = low + r. Write x|k for ⌊x/2^16k⌋:
    V ≥ low if V|k > (low − 1)|k at some cut k, and V < high if high|k > V|k at some k. At the topmost cut where they
    differ the excess less one is in [0, 2^16), and that, times v, is asserted for some cut of each.
    For k > 0 these numbers are far below r and cannot wrap. At k = 0, V being in [0, 2^254), the first excess can wrap
    only where V ≥ high, so V ≥ low anyway; then the second can wrap only where V < low, or, 2r being more, V > 2^254.
    """
    half = pow(2, -1, R)
    doubled = [(z + v) * half for z in digits]  # v·bit
    pieces = [lowest * v, *doubled]
    parts = [
        circuit.inner_product([1 << i for i in range(len(pieces) - cut)], pieces[cut:])
        for cut in range(0, len(pieces), _DIGIT)
    ]
    circuit.assert_product(scalar + _LOW, v, parts[0], "the digits do not recompose to the scalar")
    low, high = _LOW - 1, _LOW + R
    above = [part - v * ((low >> cut * _DIGIT) + 1) for cut, part in enumerate(parts)]
    below = [v * ((high >> cut * _DIGIT) - 1) - part for cut, part in enumerate(parts)]
    _assert_one_fits(circuit, above, v, "the digits are those of scalar − r")
    _assert_one_fits(circuit, below, v, "the digits are those of scalar + r")


def _assert_one_fits(circuit: Circuit, values: Sequence[Variable], v: Variable, message: str) -> None:
    """At least one of sixteen values is v times an integer in [0, 2^16); 36 constraints."""
    hinted = circuit.hint(_which_fits, [v, *values], 4 + _DIGIT)
    for bit in hinted:
        circuit.assert_boolean(bit)
    selectors, bits = hinted[:4], hinted[4:]
    row = list(values)
    for bit in selectors:
        row = [a + bit * (b - a) for a, b in zip(row[::2], row[1::2], strict=True)]
    circuit.assert_product(circuit.inner_product([1 << i for i in range(_DIGIT)], bits), v, row[0], message)


def _which_fits(v: int, *values: int) -> list[int]:
    inverse = pow(v, R - 2, R)
    quotients = [value * inverse % R for value in values]
    found = next((i for i, quotient in enumerate(quotients) if quotient >> _DIGIT == 0), 0)
    return [*(found >> i & 1 for i in range(4)), *(quotients[found] >> i & 1 for i in range(_DIGIT))]
