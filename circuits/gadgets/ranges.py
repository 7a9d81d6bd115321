"""Ranges: values that are checked once and then *known* to be small.

:func:`uint` is the checked narrowing from a field element to an integer of n bits. In a circuit with ``limb_bits`` it
cuts the value into limbs and looks each up in a table of all integers of that width; elsewhere it goes bit by bit. What
is known already costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aitbc_rollup.algebra.bn254 import R

from ..api import Circuit, Variable
from ..buses import range_table
from ..template import template
from .boolean import boolean, select
from .compare import assert_bits_at_most, decompose, is_zero, num2bits

__all__ = [
    "MAX_BITS", "boolean", "divmod_constant", "equal", "less_than", "n_lookups", "pack", "select_less", "uint",
    "uint_limbs",
]  # fmt: skip

#: Integers of more bits wrap around r.
MAX_BITS = R.bit_length() - 1


def uint(circuit: Circuit, x: Variable, n_bits: int) -> Variable:
    """x, constrained to 0 ≤ x < 2^n_bits and known to be.

    Constraints: with ``limb_bits`` one a limb, see :func:`n_lookups`; else n_bits + 1, or 1 for a single bit. Nothing
    if it is known already.

    Raises:
        ValueError: ``n_bits`` is not in 1 … 253.
    """
    if not 1 <= n_bits <= MAX_BITS:
        raise ValueError(f"an unsigned integer has 1 to {MAX_BITS} bits, not {n_bits}")
    known = x.bits
    if known is None or known > n_bits:
        if n_bits == 1:
            return boolean(circuit, x)
        if circuit.limb_bits is None:
            num2bits(circuit, x, n_bits)
        else:
            uint_limbs(circuit, x, n_bits, circuit.limb_bits)
    return x.within(0, (1 << n_bits) - 1)


def n_lookups(n_bits: int, limb_bits: int) -> int:
    """Constraints of a range check by lookups, beside the tables: one a limb."""
    return -(-n_bits // limb_bits)


def uint_limbs(circuit: Circuit, x: Variable, n_bits: int, width: int) -> list[Variable]:
    """The limbs of x to the base 2^width, least first, each looked up; x is bounded to n_bits ≤ 253 by them.

    The last limb is what the others leave of x, so it is no wire of its own; it is looked up in the table of its own
    width, which may be less. Limbs are unique: below 2^253 there is one way to write x.

    Raises:
        ValueError: ``n_bits`` is not in 1 … 253.
    """
    if not 1 <= n_bits <= MAX_BITS:
        raise ValueError(f"an unsigned integer has 1 to {MAX_BITS} bits, not {n_bits}")
    n = n_lookups(n_bits, width)
    limbs = circuit.hint_limbs(x, n - 1, width)
    rest = x - circuit.inner_product([1 << width * i for i in range(n - 1)], limbs)
    limbs.append(rest * pow(1 << width * (n - 1), -1, R))
    checked = []
    for i, limb in enumerate(limbs):
        bits = min(width, n_bits - width * i)
        circuit.look_up(range_table(bits), [limb])
        checked.append(limb.within(0, (1 << bits) - 1))
    return checked


def less_than(circuit: Circuit, a: Variable | int, b: Variable | int, n_bits: int) -> Variable:
    """1 if a < b, else 0, for a and b *known* to have n_bits ≤ 252 bits.

    a − b + 2^n_bits has its top bit exactly when a ≥ b. Constraints: n_bits + 3; with ``limb_bits`` those of n_bits by
    :func:`uint`, and 2. One less where a − b is a single wire.

    Raises:
        BadInputError: the circuit does not know that a and b have so few bits.
        ValueError: ``n_bits`` is not in 1 … 252, where a − b + 2^n_bits could wrap.
    """
    if not 1 <= n_bits < MAX_BITS:
        raise ValueError(f"less_than takes 1 to {MAX_BITS - 1} bits, not {n_bits}")
    left, right = circuit.sum([a]), circuit.sum([b])
    left.require_bits(n_bits, "the left side of <")
    right.require_bits(n_bits, "the right side of <")
    return _sign(circuit, left - right, n_bits=n_bits)


@template
def _sign(circuit: Circuit, difference: Variable, *, n_bits: int) -> Variable:
    """1 if the difference, of n_bits bits and a sign, is negative."""
    shifted = difference + (1 << n_bits)
    if circuit.limb_bits is None:
        return 1 - decompose(circuit, shifted, n_bits=n_bits + 1)[-1]
    (top,) = circuit.hint_limbs(shifted, 1, 1, n_bits)
    top = boolean(circuit, top)
    uint(circuit, shifted - top * (1 << n_bits), n_bits)
    return 1 - top


def select_less(circuit: Circuit, a: Variable, b: Variable, n_bits: int) -> Variable:
    """The smaller of a and b, both known to have n_bits; see :func:`less_than`, and 1 constraint more."""
    return select(circuit, less_than(circuit, a, b, n_bits), a, b)


def equal(circuit: Circuit, a: Variable | int, b: Variable | int) -> Variable:
    """1 if a = b, else 0, known to be a bit; 2 constraints, 3 where the difference is no single wire."""
    return is_zero(circuit, circuit.sum([a]) - b)


def divmod_constant(circuit: Circuit, x: Variable, divisor: int, quotient_bits: int) -> tuple[Variable, Variable]:
    """x = q·divisor + remainder with remainder < divisor and q < 2^quotient_bits: one solution, or none if x is larger.

    Raises:
        ValueError: q·divisor + remainder could wrap around r, so that x would have several.
    """
    if not (divisor >= 1 and quotient_bits >= 1 and divisor << quotient_bits < R):
        raise ValueError(f"a quotient of {quotient_bits} bits by {divisor} could wrap around the field")
    return _divmod_constant(circuit, x, divisor=divisor, quotient_bits=quotient_bits)


@template
def _divmod_constant(circuit: Circuit, x: Variable, *, divisor: int, quotient_bits: int) -> tuple[Variable, Variable]:
    quotient, remainder = circuit.hint_divmod(x, divisor)
    circuit.assert_equal(quotient * divisor + remainder, x, "quotient and remainder do not recompose")
    quotient = uint(circuit, quotient, quotient_bits)
    bits = (divisor - 1).bit_length()
    if divisor == 1:
        circuit.assert_zero(remainder)
    elif circuit.limb_bits is None:
        assert_bits_at_most(circuit, num2bits(circuit, remainder, bits), divisor - 1)
    else:
        uint(circuit, divisor - 1 - uint(circuit, remainder, bits), bits)
    return quotient, remainder.within(0, divisor - 1)


def pack(circuit: Circuit, layout: Sequence[tuple[str, int]], fields: Mapping[str, Variable | int]) -> Variable:
    """One word of a layout's fields, lowest bits first; no constraint.

    Raises:
        BadInputError: a field is not known to fit its bits.
        ValueError: the layout is wider than an unsigned integer can be.
    """
    if sum(bits for _, bits in layout) > MAX_BITS:
        raise ValueError(f"a packed word has at most {MAX_BITS} bits")
    total, start = circuit.constant(0), 0
    for name, bits in layout:
        value = circuit.sum([fields[name]])
        value.require_bits(bits, name)
        total, start = total + value * (1 << start), start + bits
    return total
