"""Lanes of the field Fq2 = Fq[i]/(i² + 1), so that a formula written with field elements serves both groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from .element import Element, Lanes

#: Bytes of a coefficient in a row.
_ROW = 32


class Quadratic:
    """c0 + c1·i in every lane; ``+ - *`` write code, as for :class:`.element.Element`."""

    __slots__ = ("c0", "c1")

    def __init__(self, c0: Element, c1: Element) -> None:
        self.c0 = c0
        self.c1 = c1

    @property
    def below(self) -> int:
        """The larger bound of the two."""
        return max(self.c0.below, self.c1.below)

    def __add__(self, other: Quadratic) -> Quadratic:
        """Sum, not reduced."""
        return Quadratic(self.c0 + other.c0, self.c1 + other.c1)

    def __sub__(self, other: Quadratic) -> Quadratic:
        """Difference plus a multiple of the modulus."""
        return Quadratic(self.c0 - other.c0, self.c1 - other.c1)

    def __mul__(self, other: Quadratic) -> Quadratic:
        """Karatsuba's product; its sums are not reduced."""
        low, high = self.c0 * other.c0, self.c1 * other.c1
        cross = (self.c0 + self.c1) * (other.c0 + other.c1)
        return Quadratic(low - high, cross - (low + high))

    def square(self) -> Quadratic:
        """(c0 + c1)·(c0 − c1) + 2·c0·c1·i."""
        return Quadratic((self.c0 + self.c1) * (self.c0 - self.c1), self.c0 * (self.c1 + self.c1))

    def times(self, factor: int) -> Quadratic:
        """The value times a small positive number, not reduced."""
        return Quadratic(self.c0.times(factor), self.c1.times(factor))

    def reduced(self) -> Quadratic:
        """Both coefficients below 1.3·modulus."""
        return Quadratic(self.c0.reduced(), self.c1.reduced())

    def canonical(self) -> Quadratic:
        """Both coefficients mod the modulus."""
        return Quadratic(self.c0.canonical(), self.c1.canonical())


class QuadraticLanes:
    """What :class:`.element.Lanes` offers, for Fq2: in memory, c0 and then c1."""

    def __init__(self, base: Lanes) -> None:
        self.base = base

    def constant(self, value: int) -> Quadratic:
        """An integer."""
        return Quadratic(self.base.constant(value), self.base.constant(0))

    def select(self, mask: Any, x: Quadratic, y: Quadratic) -> Quadratic:
        """x in the lanes of the mask, y in the others."""
        return Quadratic(self.base.select(mask, x.c0, y.c0), self.base.select(mask, x.c1, y.c1))

    def may_be_zero(self, x: Quadratic) -> Any:
        """A mask with every lane that is 0."""
        return self.base.builder.and_(self.base.may_be_zero(x.c0), self.base.may_be_zero(x.c1))

    def all_null(self, *elements: Quadratic) -> Any:
        """The lanes in which all coefficients are the integer 0."""
        return self.base.all_null(*(part for x in elements for part in (x.c0, x.c1)))

    def gather(self, rows: Sequence[Any], below: int) -> Quadratic:
        """Rows of 64 bytes."""
        return Quadratic(self.base.gather(rows, below), self.base.gather(self._second(rows), below))

    def scatter(self, rows: Sequence[Any], x: Quadratic) -> None:
        """Rows of 64 bytes."""
        self.base.scatter(rows, x.c0)
        self.base.scatter(self._second(rows), x.c1)

    def load(self, address: Any, below: int) -> Quadratic:
        """What :meth:`store` left there."""
        return Quadratic(self.base.load(address, below), self.base.load(self._after(address), below))

    def store(self, address: Any, x: Quadratic) -> None:
        """Registers, without reducing."""
        self.base.store(address, x.c0)
        self.base.store(self._after(address), x.c1)

    def norm(self, x: Quadratic) -> Element:
        """c0² + c1²."""
        return x.c0.square() + x.c1.square()

    def inverse(self, x: Quadratic, norm_inverse: Element) -> Quadratic:
        """(c0 − c1·i)/norm."""
        return Quadratic(x.c0 * norm_inverse, (self.base.constant(0) - x.c1) * norm_inverse)

    def _second(self, rows: Sequence[Any]) -> list[Any]:
        return [self._plus(row, _ROW) for row in rows]

    def _after(self, address: Any) -> Any:
        return self._plus(address, self.base.register_bytes)

    def _plus(self, address: Any, offset: int) -> Any:
        return self.base.builder.add(address, ir.Constant(address.type, offset))
