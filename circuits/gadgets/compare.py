"""Bits, and whether a value is zero: what ``ranges`` stands on.

A field element has no sign and no order; these gadgets speak of its canonical value, the integer in [0, r). Where a
decomposition could stand for x and for x + r alike, the aliasing one is refused (:func:`num2bits` at 254 bits).
"""

from __future__ import annotations

from collections.abc import Sequence

from aitbc_rollup.algebra.bn254 import R

from ..api import Circuit, Variable
from ..template import template
from .boolean import require_flags

__all__ = ["assert_bits_at_most", "bits2num", "decompose", "is_zero", "num2bits", "vanishes"]


def num2bits(circuit: Circuit, x: Variable, n_bits: int) -> list[Variable]:
    """The bits of x, least significant first and known to be bits; unsatisfiable if x ≥ 2^n_bits.

    Constraints: n_bits + 1 up to 253 bits. At 254 bits the decomposition is also held below r, or x and x + r would
    both fit: 407 in all. More than 254 bits are refused.

    Raises:
        ValueError: ``n_bits`` is not in 1 … 254.
    """
    if not 1 <= n_bits <= R.bit_length():
        raise ValueError(f"num2bits takes 1 to {R.bit_length()} bits, not {n_bits}")
    return _num2bits(circuit, x, n_bits=n_bits)


def decompose(circuit: Circuit, x: Variable, *, n_bits: int) -> list[Variable]:
    """As :func:`num2bits` for 1 to 254 bits, written out where it is called: for use inside another template."""
    bits = circuit.hint_bits(x, n_bits)
    for bit in bits:
        circuit.assert_boolean(bit)
    bits = [bit.within(0, 1) for bit in bits]
    circuit.assert_equal(bits2num(circuit, bits), x, f"does not fit {n_bits} bits")
    if n_bits == R.bit_length():
        assert_bits_at_most(circuit, bits, R - 1)
    return bits


@template
def _num2bits(circuit: Circuit, x: Variable, *, n_bits: int) -> list[Variable]:
    return decompose(circuit, x, n_bits=n_bits)


def bits2num(circuit: Circuit, bits: Sequence[Variable]) -> Variable:
    """Σ bitᵢ·2ⁱ of known bits; no constraint.

    Raises:
        BadInputError: one is not known to be a bit.
    """
    require_flags(bits)
    return circuit.inner_product([1 << i for i in range(len(bits))], bits)


def assert_bits_at_most(circuit: Circuit, bits: Sequence[Variable], bound: int) -> None:
    """Σ bitᵢ·2ⁱ ≤ bound as integers, of known bits, whatever their number.

    From the top: once every bit where the bound has a 1 was 1, a bit where the bound has a 0 must be 0. One constraint
    for each 1 but the first (the running product) and one for each run of 0s; trailing ones of the bound cost nothing.

    Raises:
        BadInputError: one is not known to be a bit.
        ValueError: the bound is negative.
    """
    require_flags(bits)
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
    """1 if x = 0, else 0, known to be a bit; 2 constraints. At x = 0 the hinted inverse is free, to no effect."""
    return vanishes(circuit, x)


def vanishes(circuit: Circuit, x: Variable) -> Variable:
    """As :func:`is_zero`, written out where it is called: inside another template a combination needs no wire."""
    inverse = circuit.hint_inverse(x)
    result = 1 - x * inverse
    circuit.assert_product(x, result, 0, "is_zero of a value that is not")
    return result.within(0, 1)
