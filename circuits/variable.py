"""The value a circuit computes with: an immutable linear combination of wires, with what is known of its range.

Sums, differences and multiples by integers cost no constraint. A product of two variables costs one wire and one
constraint, unless one of them is constant.

A field element has no size of its own; a variable may *know* one. Its ``bounds`` (low, high) say that it stands for
an integer in low … high, which fewer than r values make unambiguous. Constants know theirs, gadgets that check a range
hand out variables that do, and sums, differences, multiples and products carry it on. Gadgets that are only right for
small values ask for it (:meth:`Variable.require_bits`) and refuse at once what nobody has checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from aitbc_rollup.algebra.bn254 import R

from .ir import Terms

if TYPE_CHECKING:
    from .api import Circuit


#: Least and greatest integer.
Bounds = tuple[int, int]


def exactly(value: int) -> Bounds:
    """Bounds of a constant: those above r/2 stand for negative numbers."""
    reduced = value % R
    signed = reduced if reduced <= R >> 1 else reduced - R
    return signed, signed


def plus(x: Bounds | None, y: Bounds | None) -> Bounds | None:
    """Bounds of a sum."""
    return None if x is None or y is None else _known(x[0] + y[0], x[1] + y[1])


def scaled(x: Bounds | None, factor: int) -> Bounds | None:
    """Bounds of a multiple."""
    return None if x is None else _known(*sorted((x[0] * factor, x[1] * factor)))


def times(x: Bounds | None, y: Bounds | None) -> Bounds | None:
    """Bounds of a product."""
    if x is None or y is None:
        return None
    corners = [left * right for left in x for right in y]
    return _known(min(corners), max(corners))


def _known(low: int, high: int) -> Bounds | None:
    """Bounds, unless r integers or more lie in them: then they say nothing of a field element."""
    return (low, high) if high - low < R else None


class Variable:
    """A linear combination of the wires of one circuit, with coefficients in Fr.

    Made by a circuit's methods and by arithmetic, never directly. ``terms`` maps a wire to its coefficient in
    [1, r), wire 0 being the constant one; it must not be changed. ``bounds`` are the least and the greatest integer it
    can stand for, or ``None`` where nothing is known: it is any field element.
    """

    __slots__ = ("_bounds", "circuit", "terms")

    def __init__(self, circuit: Circuit, terms: Terms, bounds: Bounds | None = None) -> None:
        self.circuit = circuit
        self.terms = terms
        self._bounds = bounds

    @property
    def bounds(self) -> Bounds | None:
        """Least and greatest integer this can stand for, as far as checks and arithmetic tell."""
        value = self.constant
        return self._bounds if value is None else exactly(value)

    @property
    def bits(self) -> int | None:
        """The number of bits this is known to fit as an unsigned integer, if it is."""
        bounds = self.bounds
        return None if bounds is None or bounds[0] < 0 else bounds[1].bit_length()

    def require_bits(self, n_bits: int, what: str = "this value") -> None:
        """Go on only if this is known to lie in 0 … 2^n_bits − 1: nothing is constrained here.

        Raises:
            BadInputError: it is not known.
        """
        known = self.bits
        if known is None or known > n_bits:
            got = "nothing known of its range" if self.bounds is None else f"{self.bounds[0]} … {self.bounds[1]}"
            self.circuit.refuse_narrowing(what, n_bits, got)

    def within(self, low: int, high: int) -> Variable:
        """The same value, known to lie in low … high *because the caller has constrained it so*; no constraint here.

        Raises:
            ValueError: the range is empty, or has r values or more.
        """
        if not low <= high < low + R:
            raise ValueError(f"no range for a field element: {low} … {high}")
        known = self.bounds
        if known is not None and max(high, known[1]) - min(low, known[0]) < R:
            # Both speak of the same integer; over r integers apart, one could mean x and the other x − r.
            low, high = max(low, known[0]), min(high, known[1])
        # Of contradictions, which no witness satisfies, what was known stays.
        return Variable(self.circuit, self.terms, (low, high)) if low <= high else self

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
        terms = {wire: R - coefficient for wire, coefficient in self.terms.items()}
        return Variable(self.circuit, terms, scaled(self.bounds, -1))

    def __mul__(self, other: Variable | int) -> Variable:
        if isinstance(other, Variable):
            return self.circuit.multiply(self, other)
        if not isinstance(other, int):
            return NotImplemented
        return self._scaled(other)

    __rmul__ = __mul__

    def _scaled(self, factor: int) -> Variable:
        reduced = factor % R
        if reduced == 1:
            return self
        terms = {wire: coefficient * reduced % R for wire, coefficient in self.terms.items()} if reduced else {}
        return Variable(self.circuit, terms, scaled(self.bounds, exactly(factor)[0]))

    def _plus(self, other: Variable | int, factor: int) -> Variable:
        if isinstance(other, Variable):
            if other.circuit is not self.circuit:
                self.circuit.refuse_stranger()
            addend, bounds = other.terms, other.bounds
        elif isinstance(other, int):
            addend, bounds = {0: other % R}, exactly(other)
        else:
            return NotImplemented
        terms = dict(self.terms)
        for wire, coefficient in addend.items():
            value = (terms.get(wire, 0) + coefficient * factor) % R
            if value:
                terms[wire] = value
            else:
                terms.pop(wire, None)
        return Variable(self.circuit, terms, plus(self.bounds, bounds if factor == 1 else scaled(bounds, -1)))

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
