"""The value a circuit computes with: an immutable linear combination of wires.

Sums, differences and multiples by integers cost no constraint. A product of two variables costs one wire and one
constraint, unless one of them is constant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from aitbc_rollup.algebra.bn254 import R

from .ir import Terms

if TYPE_CHECKING:
    from .api import Circuit


class Variable:
    """A linear combination of the wires of one circuit, with coefficients in Fr.

    Made by a circuit's methods and by arithmetic, never directly. ``terms`` maps a wire to its coefficient in
    [1, r), wire 0 being the constant one; it must not be changed.
    """

    __slots__ = ("circuit", "terms")

    def __init__(self, circuit: Circuit, terms: Terms) -> None:
        self.circuit = circuit
        self.terms = terms

    @property
    def constant(self) -> int | None:
        """The value in [0, r) if it does not depend on any wire, else ``None``."""
        if not self.terms:
            return 0
        return self.terms[0] if len(self.terms) == 1 and 0 in self.terms else None

    @property
    def wire(self) -> int | None:
        """The wire's number if this is exactly one wire, with coefficient 1, else ``None``."""
        if len(self.terms) == 1:
            ((wire, coefficient),) = self.terms.items()
            if coefficient == 1 and wire:
                return wire
        return None

    def __add__(self, other: Variable | int) -> Variable:
        return self._plus(other, 1)

    __radd__ = __add__

    def __sub__(self, other: Variable | int) -> Variable:
        return self._plus(other, R - 1)

    def __rsub__(self, other: Variable | int) -> Variable:
        return (-self)._plus(other, 1)

    def __neg__(self) -> Variable:
        return Variable(self.circuit, {wire: R - coefficient for wire, coefficient in self.terms.items()})

    def __mul__(self, other: Variable | int) -> Variable:
        if isinstance(other, Variable):
            return self.circuit.multiply(self, other)
        if not isinstance(other, int):
            return NotImplemented
        return self._scaled(other % R)

    __rmul__ = __mul__

    def _scaled(self, factor: int) -> Variable:
        if factor == 1:
            return self
        terms = {wire: coefficient * factor % R for wire, coefficient in self.terms.items()} if factor else {}
        return Variable(self.circuit, terms)

    def _plus(self, other: Variable | int, factor: int) -> Variable:
        if isinstance(other, Variable):
            if other.circuit is not self.circuit:
                self.circuit.refuse_stranger()
            addend = other.terms
        elif isinstance(other, int):
            addend = {0: other % R}
        else:
            return NotImplemented
        terms = dict(self.terms)
        for wire, coefficient in addend.items():
            value = (terms.get(wire, 0) + coefficient * factor) % R
            if value:
                terms[wire] = value
            else:
                terms.pop(wire, None)
        return Variable(self.circuit, terms)

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a Variable has no truth value while the circuit is built; use a selecting gadget instead of `if`"
        )

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("Variables cannot be compared while the circuit is built; use circuit.assert_equal or a gadget")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if not self.terms:
            return "0"
        parts = [_term(wire, coefficient) for wire, coefficient in list(self.terms.items())[:8]]
        return " + ".join(parts) + (" + …" if len(self.terms) > 8 else "")


def _term(wire: int, coefficient: int) -> str:
    signed = coefficient if coefficient <= R // 2 else coefficient - R
    if wire == 0:
        return str(signed)
    return f"w{wire}" if signed == 1 else f"{signed}·w{wire}"
