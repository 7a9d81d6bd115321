"""Scalars modulo the order of Baby Jubjub's subgroup, and multiples of its generator by windows that are looked up.

A field element is divided by l as an integer, so that there is one remainder. A scalar is written in odd digits
−(2^w − 1) … −1, 1 … 2^w − 1, of which none is 0, and each chooses a point from a constant table. No scalar reaches an
exceptional case of an addition, and that is a matter of integers: what must differ are multiples of one point of order
l by two numbers that differ and lie close enough to each other. ``docs/spec/eddsa.md`` has the argument in full.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.algebra.reference import babyjubjub as curve

from ..api import Circuit, Variable
from ..buses import Table
from .babyjubjub import Point, add, chord, to_edwards
from .compare import vanishes
from .ranges import uint

__all__ = ["SCALAR_BITS", "assert_below_order", "best_window", "divmod_order", "multiply_base8_windows"]

L = curve.SUBGROUP_ORDER
SCALAR_BITS = L.bit_length()


# -- scalars --------------------------------------------------------------------------------------------------

#: 8·l exceeds r by this, so with the last quotient, 7, remainders end this much earlier.
_EXCESS = 8 * L - R


def _last_of_eight() -> Limbs:
    return to_limbs([0] * 7 + [1]).reshape(8, 1, 4)


#: Quotients by l of field elements, and which is the last.
_QUOTIENTS = Table("quotient_by_l", 2, 8, _last_of_eight)


def divmod_order(circuit: Circuit, x: Variable) -> tuple[Variable, Variable, Variable]:
    """Hinted quotient and remainder of x by l, and whether the quotient is 7; 3 constraints.

    Constrained: x = quotient·l + remainder mod r, and the quotient is 0 … 7. Together with :func:`assert_below_order`
    they are the quotient and the remainder of the canonical integer x.
    """
    quotient, remainder = circuit.hint_divmod(x, L)
    (last,) = circuit.hint_limbs(quotient + 1, 1, 1, 3)
    circuit.look_up(_QUOTIENTS, [quotient, last])
    circuit.assert_equal(remainder + quotient * L, x, "quotient and remainder do not recompose")
    return quotient.within(0, 7), remainder, last.within(0, 1)


def assert_below_order(circuit: Circuit, low: Variable, high: Variable, bits: int, last: Variable) -> None:
    """low + 2^bits·high < l, and where ``last`` is 1, + 7·l < r; low is known to have ``bits`` bits, high the others.

    Compared are the halves with those of the greatest value allowed: of a number is checked that it is at least 0,
    which it is exactly if the comparison holds. Constraints: 3 and a range of so many bits as the longer half has.
    """
    greatest, at_last = L - 1, L - 1 - _EXCESS
    mask = (1 << bits) - 1
    bound_low = (greatest & mask) + last * ((at_last & mask) - (greatest & mask))
    bound_high = (greatest >> bits) + last * ((at_last >> bits) - (greatest >> bits))
    above = bound_high - 1 - high
    slack = above + vanishes(circuit, high - bound_high) * (bound_low - low - above)
    uint(circuit, slack, max(bits, SCALAR_BITS - bits))


# -- fixed base -----------------------------------------------------------------------------------------------

#: Most bits of a window: tables of all windows then have 25 · 2^10 rows.
MAX_WINDOW = 10


def best_window(multiplications: int) -> int:
    """The window for which so many multiplications and the tables together take fewest constraints."""
    counts = {w: whole_windows(w) for w in range(2, MAX_WINDOW + 1)}
    return min(counts, key=lambda w: multiplications * 6 * counts[w] + (counts[w] << w))


def multiply_base8_windows(circuit: Circuit, scalar: Variable, window: int) -> tuple[Point, list[Variable]]:
    """scalar · Base8 and the digits of the scalar, for any integer in [0, 2^251); unsatisfiable for another one.

    Of the n = ⌊250/window⌋ whole windows each has a table of 2^window rows, the bits above them one of their own. A
    digit i stands for the odd number 2·i − 2^window + 1, in units of half of Base8. Partial sums are odd, and smaller
    than what is added next: chords never meet equal, opposite or neutral points. What is above enters by a complete
    addition, and with it the constant that makes up for the odd digits.

    Constraints: 6·n + 8; 194 with windows of 8 bits.
    """
    n = whole_windows(window)
    digits = circuit.hint_limbs(scalar, n, window)
    rest = scalar - circuit.inner_product([1 << window * i for i in range(n)], digits)
    digits.append(rest * pow(1 << window * n, -1, R))
    values = circuit.hint(partial(_choose_base8, window), digits, 2 * (n + 1), batch=True)
    points = [Point(*values[2 * i : 2 * i + 2]) for i in range(n + 1)]
    for i, (digit, point) in enumerate(zip(digits, points, strict=True)):
        circuit.look_up(base8_table(window, i), [digit, *point])
    *terms, last = points
    total = terms[0]
    for term in terms[1:]:
        total = chord(circuit, total, term)
    checked = [digit.within(0, (1 << window) - 1) for digit in digits[:-1]]
    checked.append(digits[-1].within(0, (1 << SCALAR_BITS - window * n) - 1))
    return add(circuit, to_edwards(circuit, total), last), checked


def whole_windows(window: int) -> int:
    """How many windows of so many bits fit below 2^250 < l.

    Raises:
        ValueError: the window has not 2 to 10 bits.
    """
    if not 2 <= window <= MAX_WINDOW:
        raise ValueError(f"a window has 2 to {MAX_WINDOW} bits, not {window}")
    return (SCALAR_BITS - 1) // window


@cache
def base8_table(window: int, i: int) -> Table:
    """The points of one window; after the whole ones comes that of the bits above, in Edwards coordinates."""
    make = partial(base8_rows, window, i)
    bits = window if i < whole_windows(window) else SCALAR_BITS - window * i
    return Table(f"base8_{window}_{i}", 3, 1 << bits, make)


@cache
def base8_rows(window: int, i: int) -> Limbs:
    """Coordinates of a table's points, canonical limbs (rows, 2, 4)."""
    half = curve.multiply(curve.BASE8, (L + 1) // 2)
    n = whole_windows(window)
    step = curve.multiply(half, 1 << window * i)
    if i < n:
        positive = _odd_multiples(curve.to_montgomery(step), 1 << window - 1)
        points = [(u, R - v) for u, v in reversed(positive)] + positive
    else:
        points = [curve.multiply(half, (1 << window * n) - 1)]
        for _ in range((1 << SCALAR_BITS - window * n) - 1):
            points.append(curve.add(points[-1], curve.add(step, step)))
    return to_limbs([x for point in points for x in point]).reshape(len(points), 2, 4)


def _odd_multiples(p: curve.Point, count: int) -> list[curve.Point]:
    """p, 3p, 5p … in Montgomery coordinates, for p of order l and fewer than l/2 of them."""
    twice = curve.to_montgomery(curve.add(curve.from_montgomery(p), curve.from_montgomery(p)))
    found = [p]
    for _ in range(count - 1):
        (u, v), (other_u, other_v) = found[-1], twice
        slope = (other_v - v) * pow(other_u - u, -1, R) % R
        x = (slope * slope - curve.MONTGOMERY_A - u - other_u) % R
        found.append((x, (slope * (u - x) - v) % R))
    return found


def _choose_base8(window: int, inputs: Limbs) -> Limbs:
    """Batched hint: the points that digits choose."""
    n = inputs.shape[1]
    chosen = [_rows(base8_rows(window, i), inputs[:, i]) for i in range(n)]
    return np.stack(chosen, axis=1).reshape(len(inputs), 2 * n, 4)


def _rows(rows: Limbs, digits: Limbs) -> Limbs:
    """Row by digit; some row for what is no digit, as only a dishonest prover's is."""
    which: NDArray[np.int64] = np.minimum(digits[:, 0], np.uint64(len(rows) - 1)).astype(np.int64)
    return rows[which]
