"""Bits, ranges, equality, order, division.

A field element has no sign and no order; these gadgets speak of its canonical value, the integer in [0, r). Where a
decomposition could stand for x and for x + r alike, the aliasing one is refused (:func:`num2bits` at 254 bits).
"""

from __future__ import annotations

from collections.abc import Sequence

from aitbc_rollup.algebra.bn254 import R

from ..api import Circuit, Variable
from ..template import template


def num2bits(circuit: Circuit, x: Variable, n_bits: int) -> list[Variable]:
    """The bits of x, least significant first; unsatisfiable if x ≥ 2^n_bits.

    Constraints: n_bits + 1 up to 253 bits. At 254 bits the decomposition is also held below r, or x and x + r would
    both fit: 407 in all. More than 254 bits are refused.

    Raises:
        ValueError: ``n_bits`` is not in 1 … 254.
    """
    if not 1 <= n_bits <= R.bit_length():
        raise ValueError(f"num2bits takes 1 to {R.bit_length()} bits, not {n_bits}")
    return _num2bits(circuit, x, n_bits=n_bits)


@template
def _num2bits(circuit: Circuit, x: Variable, *, n_bits: int) -> list[Variable]:
    bits = circuit.hint_bits(x, n_bits)
    for bit in bits:
        circuit.assert_boolean(bit)
    circuit.assert_equal(bits2num(circuit, bits), x, f"does not fit {n_bits} bits")
    if n_bits == R.bit_length():
        assert_bits_at_most(circuit, bits, R - 1)
    return bits


def bits2num(circuit: Circuit, bits: Sequence[Variable]) -> Variable:
    """Σ bitᵢ·2ⁱ; no constraint. Bits are assumed boolean."""
    return circuit.inner_product([1 << i for i in range(len(bits))], bits)


def assert_bits(circuit: Circuit, x: Variable, n_bits: int) -> None:
    """0 ≤ x < 2^n_bits; n_bits + 1 constraints, 1 for a single bit."""
    if n_bits == 1:
        circuit.assert_boolean(x)
    else:
        num2bits(circuit, x, n_bits)


def assert_bits_at_most(circuit: Circuit, bits: Sequence[Variable], bound: int) -> None:
    """Σ bitᵢ·2ⁱ ≤ bound as integers, whatever their number; bits are assumed boolean.

    From the top: once every bit where the bound has a 1 was 1, a bit where the bound has a 0 must be 0. One constraint
    for each 1 but the first (the running product) and one for each run of 0s; trailing ones of the bound cost nothing.

    Raises:
        ValueError: the bound is negative.
    """
    if bound < 0:
        raise ValueError("no bits are at most a negative number")
    if len(bits) < bound.bit_length():
        return  # they cannot say more
    for bit in bits[bound.bit_length() :]:
        circuit.assert_zero(bit, "a bit is set above the bound")
    all_ones: Variable | None = None
    zeros: list[Variable] = []
    for i in reversed(range(bound.bit_length())):
        if not bound >> i & 1:
            zeros.append(bits[i])
            if i and not bound >> i - 1 & 1:
                continue
            assert all_ones is not None  # the top bit of the bound is 1
            circuit.assert_product(all_ones, circuit.sum(zeros), 0, f"the bits exceed {bound}")
            zeros = []
        elif bound & (1 << i) - 1 != (1 << i) - 1:
            all_ones = bits[i] if all_ones is None else all_ones * bits[i]


@template
def is_zero(circuit: Circuit, x: Variable) -> Variable:
    """1 if x = 0, else 0; 2 constraints. At x = 0 the hinted inverse is free, and nothing depends on it."""
    inverse = circuit.hint_inverse(x)
    result = 1 - x * inverse
    circuit.assert_product(x, result, 0, "is_zero of a value that is not")
    return result


def is_equal(circuit: Circuit, a: Variable, b: Variable | int) -> Variable:
    """1 if a = b, else 0; 3 constraints (one binds the difference to a wire), 2 for a wire and 0."""
    return is_zero(circuit, a - b)


def less_than(circuit: Circuit, a: Variable | int, b: Variable | int, n_bits: int) -> Variable:
    """1 if a < b, else 0, for a and b *already known* to have at most ``n_bits`` ≤ 252 bits; n_bits + 3 constraints.

    Raises:
        ValueError: ``n_bits`` is not in 1 … 252, where a − b + 2^n_bits could wrap.
    """
    if not 1 <= n_bits <= 252:
        raise ValueError(f"less_than takes 1 to 252 bits, not {n_bits}")
    shifted = circuit.sum([a, (1 << n_bits) - circuit.sum([b])])
    return 1 - num2bits(circuit, shifted, n_bits + 1)[-1]


@template
def _divmod_constant(circuit: Circuit, x: Variable, *, divisor: int, quotient_bits: int) -> tuple[Variable, Variable]:
    quotient, remainder = circuit.hint_divmod(x, divisor)
    circuit.assert_equal(quotient * divisor + remainder, x, "quotient and remainder do not recompose")
    assert_bits(circuit, quotient, quotient_bits)
    if divisor > 1:
        remainder_bits = num2bits(circuit, remainder, (divisor - 1).bit_length())
        assert_bits_at_most(circuit, remainder_bits, divisor - 1)
    else:
        circuit.assert_zero(remainder)
    return quotient, remainder


def divmod_constant(circuit: Circuit, x: Variable, divisor: int, quotient_bits: int) -> tuple[Variable, Variable]:
    """x = q·divisor + remainder with remainder < divisor and q < 2^quotient_bits: one solution, or none if x is larger.

    Raises:
        ValueError: q·divisor + remainder could wrap around r, so that x would have several.
    """
    if not (divisor >= 1 and quotient_bits >= 1 and divisor << quotient_bits < R):
        raise ValueError(f"a quotient of {quotient_bits} bits by {divisor} could wrap around the field")
    return _divmod_constant(circuit, x, divisor=divisor, quotient_bits=quotient_bits)
