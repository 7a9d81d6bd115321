"""Arithmetic modulo any odd m of up to 256 bits, in circuits over Fr.

An element is a list of *limbs*, variables of known ranges: it stands for the integer Σ limbₖ·2^(L·k), and for what that
is modulo m. Many integers stand for one residue, and limbs may be negative or wider than L bits: sums and differences
are taken limb by limb and cost nothing, their ranges grow, and what could overflow a product is refused while the
circuit is built. :func:`canonical` gives the one representative below m where it matters.

:func:`inner_product` is what everything comes down to: Σ xᵢ·yᵢ + z, reduced once. The polynomials of limbs are
multiplied at 2n − 1 small points, one constraint a point and a pair, and sums are accumulated there; the coefficients
Pₖ of the product are combinations of those values by interpolation, so nothing about them is hinted. As 2^(L·k) mod m
is a constant, Σ Pₖ·(2^(L·k) mod m) − remainder = q·m has a quotient only as wide as a Pₖ, not as m; ``congruence``
holds that equation over the integers. One product of 255-bit numbers costs 42 constraints with tables of 16 bits, 54
with 11, of which the remainder's range check is 16 and 24. ``docs/spec/emulated.md`` has the argument.

The remainder is bounded, not below m: whoever proves may add m to it where its limbs have room. It is the same residue.
Likewise the digits of :func:`from_native`, though not the integer they make.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import gcd
from typing import NamedTuple

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs

from ..api import Circuit, Variable
from ..template import template
from ..variable import Bounds, plus, times
from .compare import num2bits
from .congruence import assert_multiple, hint_of_sum, known_bounds, refuse_width
from .ranges import MAX_BITS, boolean, uint, uint_limbs

__all__ = [
    "Element",
    "EmulatedField",
    "Halves",
    "assert_equal",
    "canonical",
    "divide",
    "from_halves",
    "from_native",
    "inline_inner_product",
    "inner_product",
    "inverse",
    "multiply",
    "multiply_add",
    "reduce",
]

#: Bits of each half of an integer below 2^256.
HALF_BITS = 128


@dataclass(frozen=True)
class EmulatedField:
    """The integers modulo m, in about ``n_limbs`` limbs.

    More limbs cost more products, fewer wider carries: 6 suit single products, 3 or 4 long inner products. Limbs are as
    wide as a multiple of the circuit's ``limb_bits``, so range checks waste nothing.

    Raises:
        ValueError: the modulus is not odd, or not in 3 … 2^256; or there is no limb.
    """

    modulus: int
    n_limbs: int = 6

    def __post_init__(self) -> None:
        if not 3 <= self.modulus < 1 << 256 or not self.modulus & 1:
            raise ValueError(f"an emulated modulus is odd and in 3 … 2^256, not {self.modulus}")
        if self.n_limbs < 1:
            raise ValueError(f"an element has at least one limb, not {self.n_limbs}")

    def limb_bits(self, circuit: Circuit) -> int:
        """L, the distance of limbs in a circuit.

        Raises:
            ValueError: limbs would be wider than an integer of the circuit can be.
        """
        step = circuit.limb_bits or 1
        bits = step * -(-self.modulus.bit_length() // (step * self.n_limbs))
        if bits > MAX_BITS:
            raise ValueError(f"limbs of {bits} bits are too wide: at most {MAX_BITS}; take more of them")
        return bits

    def widths(self, circuit: Circuit) -> list[int]:
        """Bits of each limb of a remainder: together m's, rounded up to what tables check."""
        step, width = circuit.limb_bits or 1, self.limb_bits(circuit)
        total = step * -(-self.modulus.bit_length() // step)
        return [min(width, total - start) for start in range(0, total, width)]

    def weights(self, circuit: Circuit, count: int) -> list[int]:
        """2^(L·k) for so many limbs."""
        width = self.limb_bits(circuit)
        return [1 << width * k for k in range(count)]

    def residue(self, circuit: Circuit) -> Callable[[int], list[int]]:
        """What cuts an integer's residue into limbs: for hints, and for whoever assigns inputs."""
        width, n = self.limb_bits(circuit), len(self.widths(circuit))
        return lambda value: _cut(value % self.modulus, width, n)

    def constant(self, circuit: Circuit, value: int) -> Element:
        """A constant, reduced."""
        return Element([circuit.constant(limb) for limb in self.residue(circuit)(value)])

    def checked(self, circuit: Circuit, limbs: Sequence[Variable]) -> Element:
        """An element of limbs that come from outside, constrained to their widths; not to be below m.

        Raises:
            ValueError: the number of limbs is wrong.
        """
        widths = zip(limbs, self.widths(circuit), strict=True)
        return Element([uint(circuit, limb, bits) for limb, bits in widths])


class Element(NamedTuple):
    """An integer as limbs, least first; see the module's docstring."""

    limbs: list[Variable]

    def plus(self, other: Element) -> Element:
        """Sum, limb by limb; no constraint."""
        longer, shorter = sorted((self.limbs, other.limbs), key=len, reverse=True)
        return Element([x + y for x, y in zip(longer, shorter, strict=False)] + longer[len(shorter) :])

    def minus(self, other: Element) -> Element:
        """Difference, limb by limb; no constraint. Limbs become negative."""
        return self.plus(other.scaled(-1))

    def scaled(self, factor: int) -> Element:
        """A small multiple, limb by limb; no constraint."""
        return Element([limb * factor for limb in self.limbs])


class Halves(NamedTuple):
    """The integer low + 2^128·high, of two below 2^128: how values below 2^256 enter and leave a circuit."""

    low: Variable
    high: Variable


Pair = tuple[Element, Element]


def inline_inner_product(
    circuit: Circuit, pairs: Sequence[Pair], addend: Element | None, *, field: EmulatedField
) -> Element:
    """As :func:`inner_product`, written out where it is called.

    For use inside another template: there, limbs may be combinations of wires without being bound first.
    """
    coefficients = _coefficients(circuit, pairs, addend)
    weights = field.weights(circuit, len(coefficients))
    hinted = hint_of_sum(circuit, field.residue(circuit), coefficients, weights, len(field.widths(circuit)))
    remainder = field.checked(circuit, hinted)
    values = [*coefficients, *(-limb for limb in remainder.limbs)]
    weights += field.weights(circuit, len(remainder.limbs))
    assert_multiple(circuit, values, weights, field.modulus, "wrong remainder")
    return remainder


@template
def inner_product(circuit: Circuit, pairs: Sequence[Pair], addend: Element | None, *, field: EmulatedField) -> Element:
    """Σ xᵢ·yᵢ + addend modulo m, with limbs checked to L bits each; ``repeat`` it over many rows.

    Constraints: 2n − 1 a pair for elements of n limbs, the range checks of the remainder, of the quotient and of the
    carries, and 1. Limbs of operands that are no single wires cost one each.

    Raises:
        BadInputError: the operands' limbs are not known to be small enough.
    """
    return inline_inner_product(circuit, pairs, addend, field=field)


def multiply(circuit: Circuit, x: Element, y: Element, *, field: EmulatedField) -> Element:
    """x·y modulo m; see :func:`inner_product`."""
    return inner_product(circuit, [(x, y)], None, field=field)


def multiply_add(circuit: Circuit, x: Element, y: Element, z: Element, *, field: EmulatedField) -> Element:
    """x·y + z modulo m, for the price of the product."""
    return inner_product(circuit, [(x, y)], z, field=field)


def reduce(circuit: Circuit, x: Element, *, field: EmulatedField) -> Element:
    """x with limbs of L bits again, after sums and differences have made them wider."""
    return inner_product(circuit, [], x, field=field)


@template
def assert_equal(circuit: Circuit, x: Element, y: Element, *, field: EmulatedField) -> None:
    """Constrain x ≡ y modulo m: a quotient and carries of the limbs' size."""
    difference = x.minus(y).limbs
    weights = field.weights(circuit, len(difference))
    assert_multiple(circuit, difference, weights, field.modulus, "the residues differ")


@template
def inverse(circuit: Circuit, x: Element, *, field: EmulatedField) -> Element:
    """1/x modulo m, of which there is one; unsatisfiable where there is none, as for 0. Costs what a product costs."""
    weights, residue = field.weights(circuit, len(x.limbs)), field.residue(circuit)
    hinted = hint_of_sum(
        circuit, lambda value: residue(_inverse(value, field.modulus)), x.limbs, weights, len(field.widths(circuit))
    )
    result = field.checked(circuit, hinted)
    minus_one = Element([circuit.constant(-1)])
    coefficients = _coefficients(circuit, [(x, result)], minus_one)
    assert_multiple(circuit, coefficients, field.weights(circuit, len(coefficients)), field.modulus, "no inverse")
    return result


def divide(circuit: Circuit, x: Element, y: Element, *, field: EmulatedField) -> Element:
    """x/y modulo m; unsatisfiable where y has no inverse, also for x = 0. Two products."""
    return multiply(circuit, x, inverse(circuit, y, field=field), field=field)


@template
def canonical(circuit: Circuit, x: Element, *, field: EmulatedField) -> Halves:
    """The one integer below m that is x modulo m.

    Constraints: range checks of 128 bits four times, of a quotient and carries of the limbs' size, and 2.
    """
    weights = field.weights(circuit, len(x.limbs))
    hinted = hint_of_sum(circuit, lambda value: _cut(value % field.modulus, HALF_BITS, 2), x.limbs, weights, 2)
    low, high = (uint(circuit, half, HALF_BITS) for half in hinted)
    values = [*x.limbs, -low, -high]
    assert_multiple(circuit, values, [*weights, 1, 1 << HALF_BITS], field.modulus, "wrong canonical value")
    _assert_below(circuit, Halves(low, high), field.modulus)
    return Halves(low, high)


def from_halves(circuit: Circuit, low: Variable, high: Variable, *, field: EmulatedField) -> Element:
    """The integer low + 2^128·high; both are constrained to 128 bits. It need not be below m."""
    step = circuit.limb_bits or 1
    digits = [
        (digit, 1 << start + step * i)
        for start, half in ((0, low), (HALF_BITS, high))
        for i, digit in enumerate(_digits(circuit, half, HALF_BITS))
    ]
    return _placed(circuit, digits, field)


@template
def from_native(circuit: Circuit, x: Variable, *, field: EmulatedField) -> Element:
    """The canonical integer of x in [0, r), never that plus r.

    Digits of step = ``limb_bits`` bits: B bits of them, a top digit of weight W and a bit of weight w, where
    (2^step − 1)·W + w = r − 2^B. So the greatest sum of digits is r − 1, and every integer up to it is one. Costs one
    constraint a digit; a value known to fit fewer digits is cut plainly, a constant costs nothing.
    """
    if (value := x.constant) is not None:
        return field.constant(circuit, value)
    step = circuit.limb_bits or 1
    known = None if x.bits is None else step * max(-(-x.bits // step), 1)
    if known is not None and known <= MAX_BITS:
        digits = _digits(circuit, x, known)
        return _placed(circuit, [(digit, 1 << step * i) for i, digit in enumerate(digits)], field)
    plain_bits, weight, bit_weight = capped_digits(step)
    top, bit = circuit.hint(partial(_tops, step=step), [x], 2, batch=True)
    top, bit = uint(circuit, top, step), boolean(circuit, bit)
    rest = Variable(circuit, (x - top * weight - bit * bit_weight).terms)
    digits = _digits(circuit, rest, plain_bits)
    plain = [(digit, 1 << step * i) for i, digit in enumerate(digits)]
    return _placed(circuit, [*plain, (top, weight), (bit, bit_weight)], field)


@cache
def capped_digits(step: int) -> tuple[int, int, int]:
    """B, W and w of :func:`from_native`: 2^B − 1 + (2^step − 1)·W + w = r − 1, and no integer below is left out."""
    plain_bits = step * (MAX_BITS // step)
    weight, bit_weight = divmod(R - (1 << plain_bits), (1 << step) - 1)
    assert bit_weight <= weight <= 1 << plain_bits
    return plain_bits, weight, bit_weight


def _coefficients(circuit: Circuit, pairs: Sequence[Pair], addend: Element | None) -> list[Variable]:
    """The coefficients Pₖ of Σ xᵢ·yᵢ + addend as polynomials of limbs; 2n − 1 constraints a pair."""
    n_points = max((len(x.limbs) + len(y.limbs) - 1 for x, y in pairs), default=0)
    # At the points 0, 1, −1, 2, −2 …
    points = [(i + 1) // 2 * (1 if i % 2 else -1) for i in range(n_points)]
    values = [_accumulated(circuit, pairs, point) for point in points]
    bounds = _product_bounds(pairs, n_points)
    found = []
    for row, (low, high) in zip(_interpolation(tuple(points)), bounds, strict=True):
        found.append(Variable(circuit, circuit.inner_product(row, values).terms).within(low, high))
    return found if addend is None else Element(found).plus(addend).limbs


def _accumulated(circuit: Circuit, pairs: Sequence[Pair], point: int) -> Variable:
    """Σ xᵢ(point)·yᵢ(point)."""
    total = circuit.constant(0)
    for x, y in pairs:
        at_x, at_y = (circuit.inner_product([point**k for k in range(len(e.limbs))], e.limbs) for e in (x, y))
        total = circuit.multiply_add(at_x, at_y, total)
    return total


def _product_bounds(pairs: Sequence[Pair], n_points: int) -> list[Bounds]:
    """Ranges of the coefficients, from those of the limbs.

    Raises:
        BadInputError: r integers or more lie in one.
    """
    bounds = [(0, 0)] * n_points
    for x, y in pairs:
        for i, left in enumerate(x.limbs):
            for j, right in enumerate(y.limbs):
                total = plus(bounds[i + j], times(known_bounds(left), known_bounds(right)))
                if total is None:
                    refuse_width(f"{len(pairs)} products of limbs that may add up to r")
                bounds[i + j] = total
    return bounds


@cache
def _interpolation(points: tuple[int, ...]) -> list[list[int]]:
    """Row k: by what to multiply the values at the points for the coefficient k, mod r (Lagrange)."""
    columns = []
    for point in points:
        basis, denominator = [1], 1
        for other in points:
            if other != point:
                shifted, kept = [0, *basis], [*basis, 0]
                basis = [(x - other * y) % R for x, y in zip(shifted, kept, strict=True)]
                denominator = denominator * (point - other) % R
        scale = pow(denominator, -1, R)
        columns.append([coefficient * scale % R for coefficient in basis])
    return [list(row) for row in zip(*columns, strict=True)]


def _cut(value: int, width: int, n: int) -> list[int]:
    """An integer as n digits of so many bits, least first."""
    return [value >> width * k & (1 << width) - 1 for k in range(n)]


def _inverse(value: int, modulus: int) -> int:
    """1/value, or 0 where there is none."""
    return pow(value, -1, modulus) if gcd(value, modulus) == 1 else 0


def _tops(inputs: Limbs, *, step: int) -> Limbs:
    """The top digit and the bit of a value's capped digits."""
    plain_bits, weight, _ = capped_digits(step)
    found: list[int] = []
    for value in from_limbs(inputs):
        top = min(value // weight, (1 << step) - 1)
        found += [top, int(value - top * weight >= 1 << plain_bits)]
    return to_limbs(found).reshape(-1, 2, 4)


def _digits(circuit: Circuit, x: Variable, n_bits: int) -> list[Variable]:
    """x, constrained to n_bits, as digits of as many bits as the tables have."""
    if circuit.limb_bits is None:
        return [bit.within(0, 1) for bit in num2bits(circuit, x, n_bits)]
    return uint_limbs(circuit, x, n_bits, circuit.limb_bits)


def _placed(circuit: Circuit, digits: Sequence[tuple[Variable, int]], field: EmulatedField) -> Element:
    """Σ digit·weight as an element: each weight is cut into limbs; no constraint."""
    width = field.limb_bits(circuit)
    n = max(-(-weight.bit_length() // width) for _, weight in digits)
    values = [digit for digit, _ in digits]
    columns = zip(*(_cut(weight, width, n) for _, weight in digits), strict=True)
    return Element([circuit.inner_product(column, values) for column in columns])


def _assert_below(circuit: Circuit, value: Halves, bound: int) -> None:
    """low + 2^128·high < bound, for halves already known to have 128 bits: bound − 1 − value, with a borrow."""
    top_low, top_high = (bound - 1) & (1 << HALF_BITS) - 1, (bound - 1) >> HALF_BITS
    (hinted,) = circuit.hint_limbs(value.low + ((1 << HALF_BITS) - 1 - top_low), 1, 1, HALF_BITS)
    borrow = boolean(circuit, hinted)
    uint(circuit, top_low - value.low + borrow * (1 << HALF_BITS), HALF_BITS)
    uint(circuit, top_high - value.high - borrow, HALF_BITS)
