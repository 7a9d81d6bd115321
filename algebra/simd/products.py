"""Products of 52-bit limbs: with integer multiply-add instructions, or by fused multiply-add on doubles.

Both give the low and the high 52 bits of a product of two limbs, added to columns; Montgomery's reduction takes the
five low columns away one by one. Its first low product is never computed: with m chosen for it, the column's low bits
vanish, and the carry is 1 unless they were 0 already.

Doubles: with rounding toward zero, fma(a, b, 2^104) holds ⌊ab / 2^52⌋ in its mantissa, and fma(a, b, 2^104 + 2^52 −
that) holds ab mod 2^52. The bits of both are summed as integers, the constant exponents taken off in advance. The
technique is that of Gueron and Krasnov, and of Emmart, Zheng and Weems, "Faster modular exponentiation using double
precision floating point arithmetic on the GPU", ARITH 2018.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from llvmlite import ir

from .vector import BITS, I32, LIMB, LIMBS, MASK, Vector, splat, split

_DOUBLE = ir.DoubleType()
#: What the bits of 2^52 and 2^104 are as integers: the exponents over empty mantissas.
_EXPONENT_52 = 0x4330 << 48
_EXPONENT_104 = 0x4670 << 48
#: Rounding toward zero, as an AVX-512 instruction's operand.
_TOWARD_ZERO = 3 | 8


def pairs(square: bool) -> list[tuple[int, int]]:
    """Products of limbs to compute: all, or for a square those that differ."""
    return [(i, j) for i in range(LIMBS) for j in range(i if square else 0, LIMBS)]


class Integer(Vector):
    """AVX-512 IFMA: ``vpmadd52luq`` and ``vpmadd52huq``, which look at the low 52 bits of their factors."""

    path = "avx512ifma"
    count = 8
    register_bytes = 8 * LIMBS * count

    def write_product(self, builder: ir.IRBuilder, x: list[Any], y: list[Any] | None) -> list[Any]:
        """Columns of a product."""
        zero = splat(self.type, 0)

        def multiply_add(half: str, a: Any, b: Any, c: Any) -> Any:
            name = f"llvm.x86.avx512.vpmadd52{half}.uq.{64 * self.count}"
            return builder.call(declared(builder, name, [self.type] * 3, self.type), [c, a, b])

        columns = [zero] * (2 * LIMBS)

        def accumulate(at: int, a: Any, b: Any) -> None:
            columns[at] = multiply_add("l", a, b, columns[at])
            columns[at + 1] = multiply_add("h", a, b, columns[at + 1])

        if y is None:
            for i, j in pairs(square=True):
                if i != j:
                    accumulate(i + j, x[i], x[j])
            columns = [builder.add(c, c) if c is not zero else c for c in columns]
            for i in range(LIMBS):
                accumulate(2 * i, x[i], x[i])
        else:
            for i, j in pairs(square=False):
                accumulate(i + j, x[i], y[j])
        p = [splat(self.type, limb) for limb in split(self.modulus)]
        p_inverse = splat(self.type, -pow(self.modulus, -1, LIMB) % LIMB)
        for i in range(LIMBS):
            m = multiply_add("l", columns[i], p_inverse, zero)
            columns[i + 1] = multiply_add("h", m, p[0], columns[i + 1])
            columns[i + 1] = builder.add(columns[i + 1], carry_of_vanished(builder, self.type, columns[i]))
            for j in range(1, LIMBS):
                accumulate(i + j, m, p[j])
        return columns[LIMBS:]


class Double(Vector):
    """Fused multiply-add on doubles."""

    def __init__(self, builder: ir.IRBuilder, modulus: int) -> None:
        super().__init__(builder, modulus)
        self.double = ir.VectorType(_DOUBLE, self.count)

    @abstractmethod
    def multiply_add(self, builder: ir.IRBuilder, x: Any, y: Any, z: Any) -> Any:
        """x·y + z, rounded toward zero."""

    def write_product(self, builder: ir.IRBuilder, x: list[Any], y: list[Any] | None) -> list[Any]:
        """Columns of a product."""
        b = builder
        high_unit, both_units = splat(self.double, 1 << 104), splat(self.double, (1 << 104) + LIMB)
        columns: list[Any] = [None] * (2 * LIMBS)
        units = [0] * (2 * LIMBS)

        def as_double(limb: Any) -> Any:
            filled = b.or_(limb, splat(self.type, _EXPONENT_52))
            return b.fsub(b.bitcast(filled, self.double), splat(self.double, LIMB))

        def add_bits(at: int, value: Any, exponent: int) -> None:
            bits = b.bitcast(value, self.type)
            columns[at] = bits if columns[at] is None else b.add(columns[at], bits)
            units[at] += exponent

        def accumulate(at: int, a: Any, c: Any, low: bool = True) -> None:
            high = self.multiply_add(b, a, c, high_unit)
            add_bits(at + 1, high, _EXPONENT_104)
            if low:
                add_bits(at, self.multiply_add(b, a, c, b.fsub(both_units, high)), _EXPONENT_52)

        def settle(at: int) -> None:
            """Take the exponents off a column."""
            columns[at] = b.sub(columns[at], splat(self.type, units[at]))
            units[at] = 0

        xs = [as_double(limb) for limb in x]
        if y is None:
            for i, j in pairs(square=True):
                if i != j:
                    accumulate(i + j, xs[i], xs[j])
            columns = [None if c is None else b.add(c, c) for c in columns]
            units = [2 * unit for unit in units]
            for i in range(LIMBS):
                accumulate(2 * i, xs[i], xs[i])
        else:
            ys = [as_double(limb) for limb in y]
            for i, j in pairs(square=False):
                accumulate(i + j, xs[i], ys[j])
        p = [splat(self.double, limb) for limb in split(self.modulus)]
        p_inverse = splat(self.type, -pow(self.modulus, -1, LIMB) % LIMB)
        for i in range(LIMBS):
            settle(i)
            m = as_double(b.and_(b.mul(columns[i], p_inverse), splat(self.type, MASK)))
            accumulate(i, m, p[0], low=False)
            columns[i + 1] = b.add(columns[i + 1], carry_of_vanished(b, self.type, columns[i]))
            for j in range(1, LIMBS):
                accumulate(i + j, m, p[j])
        for i in range(LIMBS, 2 * LIMBS):
            settle(i)
        return columns[LIMBS:]


class Double512(Double):
    """AVX-512: the instruction itself says how to round."""

    path = "avx512"
    count = 8
    register_bytes = 8 * LIMBS * count

    def multiply_add(self, builder: ir.IRBuilder, x: Any, y: Any, z: Any) -> Any:
        """x·y + z, rounded toward zero."""
        kinds = [self.double] * 3 + [I32]
        function = declared(builder, "llvm.x86.avx512.vfmadd.pd.512", kinds, self.double)
        return builder.call(function, [x, y, z, ir.Constant(I32, _TOWARD_ZERO)])


class Double256(Double):
    """AVX2: rounds as the processor's control register says, which ``operations.run`` sets."""

    path = "avx2"
    count = 4
    register_bytes = 8 * LIMBS * count

    def multiply_add(self, builder: ir.IRBuilder, x: Any, y: Any, z: Any) -> Any:
        """x·y + z, rounded as the control register says."""
        function = declared(builder, "llvm.fma.v4f64", [self.double] * 3, self.double)
        return builder.call(function, [x, y, z])


def carry_of_vanished(b: ir.IRBuilder, kind: Any, column: Any) -> Any:
    """What a column carries once a multiple of the modulus has made its low 52 bits vanish."""
    return b.lshr(b.add(column, splat(kind, MASK)), splat(kind, BITS))


def declared(builder: ir.IRBuilder, name: str, arguments: list[Any], result: Any) -> Any:
    """An LLVM intrinsic of this module."""
    found = builder.module.globals.get(name)
    return found or ir.Function(builder.module, ir.FunctionType(result, arguments), name)
