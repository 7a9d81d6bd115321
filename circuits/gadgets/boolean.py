"""Logic on wires that are 0 or 1.

Except for :func:`assert_one_hot` and :func:`one_hot`, operands are *assumed* boolean: the caller has constrained them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..api import Circuit, Variable


def logical_not(circuit: Circuit, a: Variable) -> Variable:
    """1 − a; no constraint."""
    return 1 - a


def logical_and(circuit: Circuit, a: Variable, b: Variable) -> Variable:
    """a·b; 1 constraint."""
    return a * b


def logical_or(circuit: Circuit, a: Variable, b: Variable) -> Variable:
    """a + b − ab; 1 constraint."""
    return a + b - a * b


def logical_xor(circuit: Circuit, a: Variable, b: Variable) -> Variable:
    """a + b − 2ab; 1 constraint."""
    return a + b - 2 * (a * b)


def select(circuit: Circuit, flag: Variable, if_one: Variable | int, if_zero: Variable | int) -> Variable:
    """``if_one`` where the flag is 1, ``if_zero`` where it is 0; 1 constraint."""
    return flag * (if_one - if_zero) + if_zero


def assert_prefix(circuit: Circuit, flags: Sequence[Variable]) -> None:
    """Ones come first: no flag is 1 after one that is 0; n − 1 constraints."""
    for earlier, later in pairwise(flags):
        circuit.assert_product(later, 1 - earlier, 0, "a flag is set after one that is not")


def assert_one_hot(circuit: Circuit, flags: Sequence[Variable]) -> None:
    """Each flag is boolean and exactly one is 1; n + 1 constraints."""
    for flag in flags:
        circuit.assert_boolean(flag)
    circuit.assert_equal(circuit.sum(flags), 1, "not exactly one flag is set")


def one_hot_of_two_bits(circuit: Circuit, low: Variable, high: Variable) -> list[Variable]:
    """Four flags of which the one at low + 2·high is 1; 1 constraint. The flags are boolean as the bits are."""
    both = low * high
    return [1 - low - high + both, low - both, high - both, both]
