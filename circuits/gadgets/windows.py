"""Multiples of Baby Jubjub points by windows: digits of the scalar choose points, which are looked up.

Everything here is *total*: it holds for any scalar in its range, and no scalar or point that a hostile prover can
choose reaches an exceptional case of an addition. That is a matter of integers. A scalar is written in odd digits
−(2^w − 1), …, −1, 1, …, 2^w − 1, of which none is 0, and everything added is a multiple of *one* point of order l by a
number that the digits give; what must differ, does so because two numbers differ and lie close enough to each other.
``docs/spec/eddsa.md`` has the argument in full.

For circuits with ``limb_bits``. Points of a fixed base are rows of constant tables; those of a variable one are rows
that the circuit enters itself, each of which says "the base, times this digit, is that point" and is constrained to be
true before it is entered.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.algebra.reference import babyjubjub as curve

from ..api import Circuit, Variable
from ..buses import Bus, Table
from .babyjubjub import Point, add, chord, double_and_add, tangent, to_edwards
from .boolean import boolean
from .compare import vanishes
from .ranges import uint

__all__ = ["SCALAR_BITS", "assert_below_order", "divmod_order", "multiply_base8_windows", "multiply_windows"]

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


def assert_below_order(circuit: Circuit, limbs: Sequence[Variable], width: int, last: Variable) -> None:
    """Σ limbᵢ·2^(width·i) < l, and where ``last`` is 1, + 7·l < r. Limbs are known to have ``width`` bits, 251 in all.

    Compared are a high and a low half with those of the greatest value allowed: of a number below 2^131 the range is
    checked that is at least 0 exactly if the comparison holds. Constraints: 3 and that range.
    """
    cut = round(SCALAR_BITS / 2 / width)
    bits = width * cut
    low, high = (
        circuit.inner_product([1 << width * i for i in range(len(part))], part) for part in (limbs[:cut], limbs[cut:])
    )
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


# -- variable base --------------------------------------------------------------------------------------------

_BITS = 4
_DIGITS = (SCALAR_BITS - 1) // _BITS
#: Digits are 2·i − 15: 16 rows, of eight multiples and their opposites.
_ROWS = 1 << _BITS
#: What all digits are short of 2·i: 15 for each but the topmost, which is 2·i − 7.
_SHIFT = (1 << SCALAR_BITS) - 1
#: (row of all tables, number of the table, base, its multiple)
_MULTIPLES = Bus("babyjubjub_multiples", 6)


def multiply_windows(circuit: Circuit, p: Point, scalar: Variable, number: Variable | int) -> Point:
    """scalar · p in Edwards coordinates, for p of order l in Montgomery ones and a scalar known to be in [1, l).

    The odd one of scalar and scalar − l, N, is Σ dᵢ·16ⁱ with odd digits dᵢ, |dᵢ| ≤ 15; Horner's rule from the top takes
    three doublings and (q + d·p) + q a digit. With |N| < l and odd, nothing in there is exceptional.

    The multiples d·p are entered into a table of the circuit with the base beside them, so an entry is a true statement
    whatever ``number`` is. An honest prover needs numbers below 2^28, and none twice in a circuit.

    Constraints: 1316.
    """
    (odd,) = circuit.hint_limbs(scalar, 1, 1)
    odd = boolean(circuit, odd)
    shifted = (scalar - (1 - odd) * L + _SHIFT) * pow(2, -1, R)
    digits = circuit.hint_limbs(shifted, _DIGITS, _BITS)
    rest = shifted - circuit.inner_product([1 << _BITS * i for i in range(_DIGITS)], digits)
    # of the topmost digit, 2·i − 7, the row is that of i + 4
    digits.append(rest * pow(1 << _BITS * _DIGITS, -1, R) + 4)

    label = circuit.sum([number])
    base = [label, *p]
    multiples = _enter_multiples(circuit, p, base)
    operands = [*digits, *(m.x for m in multiples), *(m.y for m in multiples)]
    values = circuit.hint(_choose_multiples, operands, 2 * len(digits), batch=True)
    points = [Point(*values[2 * i : 2 * i + 2]) for i in range(len(digits))]
    for digit, point in zip(digits, points, strict=True):
        circuit.look_up(_MULTIPLES, [label * _ROWS + digit, *base, *point])

    total = points[-1]
    for point in reversed(points[:-1]):
        for _ in range(_BITS - 1):
            total = tangent(circuit, total)
        total = double_and_add(circuit, total, point, checked=False)
    return to_edwards(circuit, total)


def _enter_multiples(circuit: Circuit, p: Point, base: Sequence[Variable]) -> list[Point]:
    """Enter −15·p, −13·p … 15·p, and return them."""
    twice = tangent(circuit, p)
    positive = [p]
    for _ in range(_ROWS // 2 - 1):
        positive.append(chord(circuit, positive[-1], twice))
    multiples = [*(Point(m.x, -m.y) for m in reversed(positive)), *positive]
    for i, multiple in enumerate(multiples):
        circuit.enter(_MULTIPLES, [base[0] * _ROWS + i, *base, *multiple])
    return multiples


def _choose_multiples(inputs: Limbs) -> Limbs:
    """Batched hint: the multiples that digits choose; inputs are digits, then all u, then all v."""
    n = inputs.shape[1] - 2 * _ROWS
    coordinates = inputs[:, n:].reshape(-1, 2, _ROWS, 4)
    which: NDArray[np.int64] = np.minimum(inputs[:, :n, 0], np.uint64(_ROWS - 1)).astype(np.int64)
    chosen = np.take_along_axis(coordinates, which[:, None, :, None], axis=2)
    return np.ascontiguousarray(chosen.swapaxes(1, 2)).reshape(len(inputs), 2 * n, 4)
