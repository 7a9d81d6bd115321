"""Sums and products modulo r in EVM code, reduced no more often than needed.

MULMOD takes any word, and 2²⁵⁶ > 5·r: a sum of up to five elements needs no reduction, and where a sum could overflow
ADDMOD stands in place of ADD. Bounds are exact integers, added up while the code is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aitbc_rollup.algebra.bn254 import R

from .assembler import Assembler


class Slot(NamedTuple):
    """A word in memory, below r."""

    address: int


class Item(NamedTuple):
    """A summand: coefficient · value, or one of the two alone. A value is the name of an item of the stack."""

    coefficient: int | Slot | None
    value: str | None = None


def products(coefficients: Sequence[int | Slot], values: Sequence[str]) -> list[Item]:
    """The summands of a row times a vector; a coefficient that is 1 costs nothing, one that is 0 is none."""
    pairs = zip(coefficients, values, strict=True)
    return [Item(None if c == 1 else c, value) for c, value in pairs if c != 0]


class FieldAssembler(Assembler):
    """An assembler that adds and multiplies modulo r. Named values are below r but for those in ``bounds``."""

    def __init__(self) -> None:
        super().__init__()
        self.bounds: dict[str, int] = {}

    def modulus(self, count: int = 1) -> None:
        """Put r on top, so many times."""
        for _ in range(count):
            self.constant(R)

    def item(self, item: Item) -> None:
        """Put a summand on top."""
        is_product = item.coefficient is not None and item.value is not None
        if is_product:
            self.modulus()
        if isinstance(item.coefficient, Slot):
            self.push(item.coefficient.address)
            self.op("MLOAD")
        elif item.coefficient is not None:
            self.constant(item.coefficient)
        if item.value is not None:
            self.load(item.value)
        if is_product:
            self.op("MULMOD")

    def bound(self, item: Item) -> int:
        """The largest number a summand can be."""
        if item.coefficient is None and item.value is not None:
            return self.bounds.get(item.value, R - 1)
        return item.coefficient if item.value is None and isinstance(item.coefficient, int) else R - 1

    def add(self, items: Sequence[Item], reduce: Sequence[bool]) -> None:
        """Add summands to the top. Where one is to be reduced, r lies ready below the sum."""
        for item, reduces in zip(items, reduce, strict=True):
            self.item(item)
            self.op("ADDMOD" if reduces else "ADD")

    def sum(self, items: Sequence[Item], *, reduced: bool = False) -> int:
        """Put Σ items on top, below r if ``reduced``. Returns the largest number it can be."""
        reduce, bound = reductions([self.bound(item) for item in items])
        if reduced:
            reduce[-1:] = [True] if reduce else []
        self.modulus(sum(reduce))
        self.item(items[0])
        self.add(items[1:], reduce)
        return bound

    def fifth_power(self) -> None:
        """Replace the top, and the r that lies ready below it, by its fifth power x·(x²)², below r."""
        self.modulus(2)
        self.dup(3)
        self.dup(1)
        self.op("MULMOD")
        self.dup(1)
        self.op("MULMOD", "MULMOD")


def reductions(bounds: Sequence[int]) -> tuple[list[bool], int]:
    """Which additions must reduce, of numbers of these bounds, from left to right; and the bound of the sum."""
    total, reduce = bounds[0], []
    for bound in bounds[1:]:
        reduce.append(total + bound >> 256 != 0)
        total = R - 1 if reduce[-1] else total + bound
    return reduce, total
