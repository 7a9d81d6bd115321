"""Logic on wires that are *known* to be 0 or 1; other operands are refused while the circuit is built.

``ranges.boolean`` makes a flag of a value, ``compare.num2bits`` hands out bits; comparisons return flags.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from ..api import Circuit, Variable


def boolean(circuit: Circuit, x: Variable, message: str = "") -> Variable:
    """x, constrained to 0 or 1 and known to be; one constraint, none if it is known."""
    if x.bits is None or x.bits > 1:
        circuit.assert_boolean(x, message)
    return x.within(0, 1)


def require_flags(flags: Iterable[Variable]) -> None:
    """Go on only if each is known to be 0 or 1: nothing is constrained here.

    Raises:
        BadInputError: one is not.
    """
    for flag in flags:
        flag.require_bits(1, "a flag")


def logical_not(circuit: Circuit, a: Variable) -> Variable:
    """1 − a; no constraint."""
    require_flags([a])
    return 1 - a


def logical_and(circuit: Circuit, a: Variable, b: Variable) -> Variable:
    """a·b; 1 constraint."""
    require_flags([a, b])
    return a * b


def logical_or(circuit: Circuit, a: Variable, b: Variable) -> Variable:
    """a + b − ab; 1 constraint."""
    require_flags([a, b])
    return (a + b - a * b).within(0, 1)


def logical_xor(circuit: Circuit, a: Variable, b: Variable) -> Variable:
    """a + b − 2ab; 1 constraint."""
    require_flags([a, b])
    return (a + b - 2 * (a * b)).within(0, 1)


def select(circuit: Circuit, flag: Variable, if_one: Variable | int, if_zero: Variable | int) -> Variable:
    """``if_one`` where the flag is 1, ``if_zero`` where it is 0, and known to be as small as both; 1 constraint."""
    require_flags([flag])
    one, zero = circuit.sum([if_one]), circuit.sum([if_zero])
    chosen = flag * (one - zero) + zero
    if one.bounds is None or zero.bounds is None:
        return chosen
    low, high = (pick(ends) for pick, ends in zip((min, max), zip(one.bounds, zero.bounds, strict=True), strict=True))
    return chosen.within(low, high)


def assert_prefix(circuit: Circuit, flags: Sequence[Variable]) -> None:
    """Ones come first: no flag is 1 after one that is 0; n − 1 constraints."""
    require_flags(flags)
    for earlier, later in pairwise(flags):
        circuit.assert_product(later, 1 - earlier, 0, "a flag is set after one that is not")


def assert_one_hot(circuit: Circuit, flags: Sequence[Variable]) -> list[Variable]:
    """Each is constrained to be a flag, and known to be, and exactly one is 1; n + 1 constraints."""
    known = [boolean(circuit, flag) for flag in flags]
    circuit.assert_equal(circuit.sum(known), 1, "not exactly one flag is set")
    return known


def one_hot_of_two_bits(circuit: Circuit, low: Variable, high: Variable) -> list[Variable]:
    """Four flags of which the one at low + 2·high is 1; 1 constraint."""
    require_flags([low, high])
    both = low * high
    return [flag.within(0, 1) for flag in (1 - low - high + both, low - both, high - both, both)]
