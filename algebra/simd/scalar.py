"""One lane: an element is one 256-bit integer, always reduced, Montgomery radix 2^256. For any processor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from ..field_kernels import I256, Arithmetic, reduce_once
from .element import Element, Lanes

_I1 = ir.IntType(1)
_I64 = ir.IntType(64)


class Scalar(Lanes):
    """The arithmetic of ``field_kernels`` as lanes."""

    count = 1
    radix = 256
    register_bytes = 32

    def __init__(self, builder: ir.IRBuilder, modulus: int) -> None:
        super().__init__(builder, modulus)
        self._field = Arithmetic(modulus)

    def _element(self, value: Any) -> Element:
        return Element(self, [value], self.modulus, 1 << 256)

    def _number(self, value: int) -> Any:
        return ir.Constant(I256, value)

    def constant(self, value: int) -> Element:
        """An integer in Montgomery form."""
        return self._element(self._number((value << self.radix) % self.modulus))

    def add(self, x: Element, y: Element) -> Element:
        """x + y."""
        return self._element(self._field.add(self.builder, x.limbs[0], y.limbs[0]))

    def sub(self, x: Element, y: Element) -> Element:
        """x − y."""
        return self._element(self._field.sub(self.builder, x.limbs[0], y.limbs[0]))

    def mul(self, x: Element, y: Element) -> Element:
        """x·y·2^-256."""
        return self._element(self._field.call_mul(self.builder, x.limbs[0], y.limbs[0]))

    def square(self, x: Element) -> Element:
        """x²·2^-256."""
        return self.mul(x, x)

    def times(self, x: Element, factor: int) -> Element:
        """x·factor, by doubling and adding."""
        if factor < 1:
            raise ValueError("the factor is not positive")
        result = x
        for bit in f"{factor:b}"[1:]:
            result = self.add(result, result)
            if bit == "1":
                result = self.add(result, x)
        return result

    def reduced(self, x: Element) -> Element:
        """As it is."""
        return x

    def canonical(self, x: Element) -> Element:
        """As it is."""
        return x

    def select(self, mask: Any, x: Element, y: Element) -> Element:
        """x where the mask is set, y elsewhere."""
        return self._element(self.builder.select(mask, x.limbs[0], y.limbs[0]))

    def may_be_zero(self, x: Element) -> Any:
        """Here exactly."""
        return self.all_null(x)

    def all_null(self, *elements: Element) -> Any:
        """Whether all are 0."""
        union = elements[0].limbs[0]
        for x in elements[1:]:
            union = self.builder.or_(union, x.limbs[0])
        return self.builder.icmp_unsigned("==", union, self._number(0))

    def bits(self, mask: Any) -> Any:
        """One bit."""
        return self.builder.zext(mask, _I64)

    def mask(self, bits: Any) -> Any:
        """From one bit."""
        return self.builder.trunc(bits, _I1)

    def odd(self, address: Any) -> Any:
        """The lowest bit."""
        return self.mask(self.builder.load(self.builder.inttoptr(address, _I64.as_pointer())))

    def gather(self, rows: Sequence[Any], below: int) -> Element:
        """One row."""
        (row,) = rows
        return self.load_block(row, below)

    def scatter(self, rows: Sequence[Any], x: Element) -> None:
        """One row."""
        (row,) = rows
        self.store_block(row, x)

    def load_block(self, address: Any, below: int) -> Element:
        """32 bytes; reduced, if the bound says that they may not be."""
        b = self.builder
        value = b.load(b.inttoptr(address, I256.as_pointer()), align=8)
        excess = -(-below // self.modulus) - 1
        while excess > 0:
            step = 1 << excess.bit_length() - 1
            value = reduce_once(b, value, self._number(step * self.modulus))
            excess = step - 1
        return self._element(value)

    def store_block(self, address: Any, x: Element) -> None:
        """32 bytes."""
        self.builder.store(x.limbs[0], self.builder.inttoptr(address, I256.as_pointer()), align=8)

    def load(self, address: Any, below: int) -> Element:
        """What :meth:`store` left, which is reduced."""
        return self.load_block(address, self.modulus)

    def store(self, address: Any, x: Element) -> None:
        """32 bytes."""
        self.store_block(address, x)

    def broadcast(self, address: Any) -> Element:
        """The element itself."""
        return self.load_block(address, self.modulus)
