"""k·P on Baby Jubjub with half the doublings: the product is hinted, and a short relation between the two points shown.

For Y, hinted in the group of order l that P generates, integers a and b with

    a·P + b·Y = 0,    a + b·k ≡ 0 mod l,    0 < |b| < l

prove Y = k·P: with Y = y·P, b·(y − k) ≡ 0 mod l. There always are such a and b of 126 bits, a shortest vector of the
lattice {(a, b): a + b·k ≡ 0 mod l}, so one chain of 126 doublings serves both points (Antipa, Brown, Gallant, Lambert,
Struik, Vanstone, "Accelerated Verification of ECDSA Signatures", SAC 2005).

Exceptional cases of the additions. Where a slope would be free, namely for equal points, they are asserted not to
be; elsewhere they are unsatisfiable of themselves. So no prover gains by them. Nor does an honest one meet them: a
case in which α·P = β·Y for partial sums is a vector of the lattice shorter than its shortest.
``docs/spec/eddsa.md`` has the argument in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from aitbc_rollup.algebra import babyjubjub
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs
from aitbc_rollup.algebra.reference import babyjubjub as curve

from ..api import Circuit, Variable
from ..buses import Bus
from .babyjubjub import Point, add, chord, double_and_add, tangent, to_edwards
from .boolean import boolean, select
from .ranges import uint

__all__ = ["LOW_BITS", "multiply_by_halves"]

L = curve.SUBGROUP_ORDER
#: Of k, so many low bits must be known apart: see :func:`_assert_congruent`.
LOW_BITS = 125
#: a and b are odd but for a correction, and have so many digits −3, −1, 1, 3 to the base 4.
_DIGITS = 63
_BITS = 2 * _DIGITS
#: What Σ digit·4ⁱ is short of 2·Σ (digit + 3)/2·4ⁱ.
_SHIFT = (1 << _BITS) - 1
#: A digit pair (2·i − 3, 2·j − 3) is coded as i + 2^126·j, so that Σ code·4ⁱ holds both numbers side by side.
_SIDE = 1 << _BITS
#: (code and table, number of the table, P, Y, a combination of them)
_COMBINATIONS = Bus("babyjubjub_combinations", 8)


def multiply_by_halves(circuit: Circuit, p: Point, k: Variable, low: Variable, number: Variable | int) -> Point:
    """k·p in Edwards coordinates, for p of order l in Montgomery ones and k *known* to be an integer in [0, l).

    ``low`` is known to be k mod 2^125. Combinations of p and k·p are entered into a table of the circuit with both
    points beside them: entries are true whatever ``number`` is, but an honest prover needs numbers below 2^28, none
    twice in a circuit.

    Unsatisfiable where the lattice above has a vector shorter than 12: for fewer than 500 of the l values of k.

    Constraints: 938, and ranges of 126, 126, 127 and 128 bits.
    """
    odd_a, odd_b, halved, *codes = circuit.hint(_choose_vector, [k], 3 + _DIGITS, batch=True)
    packed = circuit.inner_product([1 << 2 * i for i in range(_DIGITS)], codes)
    first, second = uint(circuit, halved, _BITS), uint(circuit, (packed - halved) * pow(_SIDE, -1, R), _BITS)
    corrections = [boolean(circuit, odd_a), boolean(circuit, odd_b)]
    a, b = (2 * part - _SHIFT + bit for part, bit in zip((first, second), corrections, strict=True))
    circuit.assert_product(b, circuit.hint_inverse(b), 1, "the relation says nothing")
    _assert_congruent(circuit, a, b, k, low)

    y = _eight_times_some_point(circuit, p, k)
    combinations = _combine(circuit, p, y)
    label = circuit.sum([number])
    points = _look_up(circuit, [label, *p, *y], combinations, codes)
    total = points[-1]
    for point in reversed(points[1:-1]):
        total = tangent(circuit, total)
        _assert_differ(circuit, total, point)
        total = double_and_add(circuit, total, point, checked=False)
    total = tangent(circuit, tangent(circuit, total))

    # the last digits and the corrections may cancel: in Edwards coordinates, where that is no exception
    p_edwards, y_edwards, both = (to_edwards(circuit, point) for point in (p, y, combinations[_row(1, 1)]))
    without_y = [select(circuit, corrections[0], x, zero) for x, zero in zip(p_edwards, curve.IDENTITY, strict=True)]
    with_y = [select(circuit, corrections[0], x, other) for x, other in zip(both, y_edwards, strict=True)]
    correction = Point(*(select(circuit, corrections[1], x, z) for x, z in zip(with_y, without_y, strict=True)))
    end = add(circuit, to_edwards(circuit, points[0]), correction)
    opposite = to_edwards(circuit, total)
    circuit.assert_equal(end.x, -opposite.x, "the product is another one")
    circuit.assert_equal(end.y, opposite.y, "the product is another one")
    return y_edwards


def _assert_congruent(circuit: Circuit, a: Variable, b: Variable, k: Variable, low: Variable) -> None:
    """a + b·k ≡ 0 mod l, for integers |a|, |b| ≤ 2^126, k in [0, l), low = k mod 2^125; 2 constraints and two ranges.

    For a t with |t| ≤ 2^126, a + b·k − t·l is 0 as an integer: it is 0 mod r, 0 mod 2^125, and below 2^378 < r·2^125 in
    magnitude. The second is a + b·low − t·(l mod 2^125) = c·2^125 for a c in [−2^127, 2^127), again mod r, but the two
    sides differ by less than 2^253.1 < r.
    """
    t = (a + b * k) * pow(L, -1, R)
    uint(circuit, t + (1 << 126), 127)
    c = (a + b * low - t * (L % (1 << LOW_BITS))) * pow(1 << LOW_BITS, -1, R)
    uint(circuit, c + (1 << 127), 128)


def _eight_times_some_point(circuit: Circuit, p: Point, k: Variable) -> Point:
    """k·p as far as the prover is honest; in any case a point of order l; 15 constraints.

    8·Z for a hinted Z of the curve is in the group of order l. There is no tangent at (0, 0), the point of order two:
    so Z has not small order, and 8·Z is not neutral.
    """
    z = Point(*circuit.hint(_choose_eighth, [k, *p], 2, batch=True))
    squared = z.x * z.x
    curve_at_u = squared + curve.MONTGOMERY_A * z.x + 1
    circuit.assert_product(z.x, curve_at_u, z.y * z.y, "the point is not on the curve")
    for _ in range(3):
        z = tangent(circuit, z)
    return z


def _assert_differ(circuit: Circuit, p: Point, q: Point) -> None:
    """p ≠ ±q; 1 constraint."""
    difference = q.x - p.x
    circuit.assert_product(difference, circuit.hint_inverse(difference), 1, "an exceptional case of the addition")


# -- combinations of the two points ---------------------------------------------------------------------------


def _row(alpha: int, beta: int) -> int:
    """Where α·P + β·Y stands."""
    return (alpha + 3) // 2 + 4 * ((beta + 3) // 2)


def _combine(circuit: Circuit, p: Point, y: Point) -> list[Point]:
    """α·p + β·y for odd α and β in −3 … 3, both points being of order l; 42 constraints."""
    of_p, of_y = ({1: point, 3: chord(circuit, point, tangent(circuit, point))} for point in (p, y))
    found: dict[int, Point] = {}
    for (alpha, left), (beta, right) in product(of_p.items(), of_y.items()):
        _assert_differ(circuit, left, right)
        for sign in (1, -1):
            total = chord(circuit, left, Point(right.x, sign * right.y))
            found[_row(alpha, sign * beta)] = total
            found[_row(-alpha, -sign * beta)] = Point(total.x, -total.y)
    return [found[i] for i in range(16)]


def _look_up(
    circuit: Circuit, base: Sequence[Variable], combinations: Sequence[Point], codes: Sequence[Variable]
) -> list[Point]:
    """Enter the combinations, and return those that codes choose."""
    label = 4 * base[0]
    for i, point in enumerate(combinations):
        circuit.enter(_COMBINATIONS, [label + i % 4 + i // 4 * _SIDE, *base, *point])
    operands = [*codes, *(m.x for m in combinations), *(m.y for m in combinations)]
    values = circuit.hint(_choose_points, operands, 2 * _DIGITS, batch=True)
    points = [Point(*values[2 * i : 2 * i + 2]) for i in range(_DIGITS)]
    for code, point in zip(codes, points, strict=True):
        circuit.look_up(_COMBINATIONS, [label + code, *base, *point])
    return points


# -- hints ----------------------------------------------------------------------------------------------------


def _choose_vector(inputs: Limbs) -> Limbs:
    """Batched hint, of k: the corrections of a and b, Σ (digit of a + 3)/2·4ⁱ, and the digits' codes."""
    rows = [_digits_of(k % L) for k in from_limbs(inputs[:, 0])]
    return to_limbs([x for row in rows for x in row]).reshape(len(rows), 3 + _DIGITS, 4)


def _digits_of(k: int) -> list[int]:
    vector = short_vector(k)
    even = [1 - x % 2 for x in vector]
    a, b = ((x - e + _SHIFT) // 2 for x, e in zip(vector, even, strict=True))
    return [*even, a, *((a >> 2 * i & 3) + (b >> 2 * i & 3) * _SIDE for i in range(_DIGITS))]


def short_vector(k: int) -> tuple[int, int]:
    """A shortest (a, b) ≠ 0 with a + b·k ≡ 0 mod l, by Lagrange's reduction; at most 1.08·√l long."""
    (a, b), (c, d) = (L, 0), (-k % L, 1)
    while c * c + d * d < a * a + b * b:
        n = c * c + d * d
        q = (2 * (a * c + b * d) + n) // (2 * n)
        (a, b), (c, d) = (c, d), (a - q * c, b - q * d)
    return a, b


def _choose_eighth(inputs: Limbs) -> Limbs:
    """Batched hint, of k and p: (k/8)·p in Montgomery coordinates; zeros where there is no such point."""
    eighth = pow(8, -1, L)
    found: list[int] = []
    for row in inputs:
        k, u, v = from_limbs(row)
        try:
            point = babyjubjub.multiply(curve.from_montgomery((u, v)), k * eighth % L)
            found += curve.to_montgomery(point)
        except ValueError:  # not a point, as only a dishonest prover's is
            found += 0, 0
    return to_limbs(found).reshape(len(inputs), 2, 4)


def _choose_points(inputs: Limbs) -> Limbs:
    """Batched hint: the combinations that codes choose; inputs are codes, then all u, then all v."""
    codes = inputs[:, :_DIGITS]
    coordinates = inputs[:, _DIGITS:].reshape(-1, 2, 16, 4)
    word, bit = divmod(_BITS, 64)
    which = codes[:, :, 0] & np.uint64(3) | (codes[:, :, word] >> np.uint64(bit) & np.uint64(3)) << np.uint64(2)
    chosen = np.take_along_axis(coordinates, which.astype(np.int64)[:, None, :, None], axis=2)
    return np.ascontiguousarray(chosen.swapaxes(1, 2)).reshape(len(inputs), 2 * _DIGITS, 4)
