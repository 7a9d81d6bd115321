"""Arithmetic of a 254-bit prime field, as LLVM functions on addresses.

A modulus below 2^254 leaves two spare bits, so Montgomery multiplication needs no carry past the fourth limb
and sums never overflow 256 bits ("no-carry" CIOS; Acar's CIOS of "Analyzing and comparing Montgomery
multiplication algorithms", IEEE Micro 1996, with the shortcut described in gnark-crypto's ``field`` package).

All values are in Montgomery form with radix 2^256, fully reduced, so equality is equality of limbs. Output and
input addresses may be equal. Time does not depend on the values, except in the fields' ``invert``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir

from .jit import I64, kernel, load, operation, pointer, store

_I128 = ir.IntType(128)
I256 = ir.IntType(256)
_WORD = (1 << 64) - 1


class FieldKernels(NamedTuple):
    """The operations of one field; each takes ``intp`` addresses of four limbs and writes its first argument."""

    mul: Any
    sqr: Any
    add: Any
    sub: Any
    neg: Any
    double: Any
    from_montgomery: Any


class Arithmetic:
    """The operations as LLVM code on 256-bit values, reduced unless said: what kernels of a field are made of.

    Multiplication also takes factors below 2·modulus: its intermediate stays under 3·modulus < 2^256, its result under
    2·modulus before the last subtraction.
    """

    def __init__(self, modulus: int) -> None:
        if not (modulus % 2 and modulus.bit_length() in range(193, 255)):
            raise ValueError("the no-carry multiplication needs an odd modulus of 193 to 254 bits")
        self.modulus = modulus
        self._p = ir.Constant(I256, modulus)

    def add(self, b: ir.IRBuilder, x: Any, y: Any) -> Any:
        """Sum."""
        return reduce_once(b, b.add(x, y), self._p)

    def add_lazily(self, b: ir.IRBuilder, x: Any, y: Any) -> Any:
        """Sum, below 2·modulus."""
        return b.add(x, y)

    def sub(self, b: ir.IRBuilder, x: Any, y: Any) -> Any:
        """Difference."""
        difference = b.sub(x, y)
        return b.select(b.icmp_unsigned("<", x, y), b.add(difference, self._p), difference)

    def neg(self, b: ir.IRBuilder, x: Any) -> Any:
        """Negative."""
        zero = ir.Constant(I256, 0)
        return b.select(b.icmp_unsigned("==", x, zero), zero, b.sub(self._p, x))

    def double(self, b: ir.IRBuilder, x: Any) -> Any:
        """Double."""
        return self.add(b, x, x)

    def mul(self, b: ir.IRBuilder, x: Any, y: Any) -> Any:
        """Montgomery product x·y·2^-256."""
        return _montgomery(b, split(b, x), split(b, y), self.modulus)

    def call_mul(self, b: ir.IRBuilder, x: Any, y: Any) -> Any:
        """The same by a call, for code that multiplies in several places: it halves compile time."""
        symbol = f"aitbc_montgomery_{self.modulus:x}"
        function = b.module.globals.get(symbol)
        if function is None:
            function = ir.Function(b.module, ir.FunctionType(I256, [I256, I256]), symbol)
            function.linkage = "linkonce_odr"
            function.attributes.add("noinline")
            inner = ir.IRBuilder(function.append_basic_block())
            inner.ret(self.mul(inner, *function.args))
        return b.call(function, [x, y])

    def sqr(self, b: ir.IRBuilder, x: Any) -> Any:
        """Montgomery square."""
        return self.mul(b, x, x)

    def from_montgomery(self, b: ir.IRBuilder, x: Any) -> Any:
        """The value times 2^-256."""
        one = [ir.Constant(I64, 1)] + [ir.Constant(I64, 0)] * 3
        return _montgomery(b, split(b, x), one, self.modulus)


def build(name: str, modulus: int) -> FieldKernels:
    """Operations of the field of integers mod ``modulus`` (odd, between 2^192 and 2^254)."""
    field = Arithmetic(modulus)

    def of_values(operation: Callable[..., Any]) -> Callable[..., Any]:
        return lambda b, *operands: [operation(b, *(x for (x,) in operands))]

    return FieldKernels(
        mul=binary(f"{name}_mul", of_values(field.mul), outlined=True),
        sqr=unary(f"{name}_sqr", of_values(field.sqr), outlined=True),
        add=binary(f"{name}_add", of_values(field.add)),
        sub=binary(f"{name}_sub", of_values(field.sub)),
        neg=unary(f"{name}_neg", of_values(field.neg)),
        double=unary(f"{name}_double", of_values(field.double)),
        from_montgomery=unary(f"{name}_from_montgomery", of_values(field.from_montgomery), outlined=True),
    )


def _montgomery(b: ir.IRBuilder, x: list[Any], y: list[Any], modulus: int) -> Any:
    """x·y·2^-256 mod modulus, reduced."""
    p = [ir.Constant(I64, modulus >> 64 * i & _WORD) for i in range(4)]
    p_inverse = ir.Constant(I64, -pow(modulus, -1, 1 << 64) % (1 << 64))
    t: list[Any] = [ir.Constant(I64, 0)] * 4
    for i in range(4):
        low, high = multiply_add(b, x[0], y[i], t[0])
        m = b.mul(low, p_inverse)
        _, carry = multiply_add(b, m, p[0], low)
        row = []
        for j in range(1, 4):
            low, high = multiply_add(b, x[j], y[i], t[j], high)
            word, carry = multiply_add(b, m, p[j], low, carry)
            row.append(word)
        t = [*row, b.add(high, carry)]
    return reduce_once(b, join(b, t), ir.Constant(I256, modulus))


def multiply_add(b: ir.IRBuilder, x: Any, y: Any, *addends: Any) -> tuple[Any, Any]:
    """Low and high word of x·y + addends; with at most two addends it cannot overflow 128 bits."""
    z = b.mul(b.zext(x, _I128), b.zext(y, _I128))
    for addend in addends:
        z = b.add(z, b.zext(addend, _I128))
    return b.trunc(z, I64), b.trunc(b.lshr(z, ir.Constant(_I128, 64)), I64)


def reduce_once(b: ir.IRBuilder, x: Any, p: Any) -> Any:
    """x mod p for x < 2p."""
    return b.select(b.icmp_unsigned("<", x, p), x, b.sub(x, p))


def join(b: ir.IRBuilder, words: list[Any]) -> Any:
    """The integer of these 64-bit words, least significant first."""
    wide = ir.IntType(64 * len(words))
    x = b.zext(words[0], wide)
    for i in range(1, len(words)):
        x = b.or_(x, b.shl(b.zext(words[i], wide), ir.Constant(wide, 64 * i)))
    return x


def split(b: ir.IRBuilder, x: Any, count: int = 4) -> list[Any]:
    """The 64-bit words of an integer, least significant first."""
    return [b.trunc(b.lshr(x, ir.Constant(x.type, 64 * i)), I64) for i in range(count)]


def _function(b: ir.IRBuilder, name: str, degrees: list[int], body: Callable[..., Any], outlined: bool) -> Any:
    """The LLVM function ``name(out, in…)`` of this module, made on first use; ``degrees`` counts each one's values.

    Multiplications are kept out of line: inlined everywhere they would multiply compile time for no speed.
    """
    symbol = f"aitbc_{name}"
    existing = b.module.globals.get(symbol)
    if existing is not None:
        return existing
    function = ir.Function(b.module, ir.FunctionType(ir.VoidType(), [I64.as_pointer()] * len(degrees)), symbol)
    # One copy survives linking; "internal" would leave one for each kernel reached.
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline" if outlined else "alwaysinline")
    inner = ir.IRBuilder(function.append_basic_block())

    def value_at(argument: Any, index: int) -> Any:
        return inner.gep(inner.bitcast(argument, I256.as_pointer()), [ir.Constant(I64, index)])

    operands = [
        [inner.load(value_at(argument, index), align=8) for index in range(degree)]
        for argument, degree in zip(function.args[1:], degrees[1:], strict=True)
    ]
    for index, result in enumerate(body(inner, *operands)):
        inner.store(result, value_at(function.args[0], index), align=8)
    inner.ret_void()
    return function


def unary(name: str, body: Callable[..., Any], *, degree: int = 1, outlined: bool = False) -> Any:
    """The operation ``name(out, x)`` on elements of ``degree`` values; ``body(b, [x…]) -> [out…]``."""

    @operation("void(intp, intp)")
    def write(b: Any, out: Any, x: Any) -> None:
        b.call(_function(b, name, [degree] * 2, body, outlined), [pointer(b, out), pointer(b, x)])

    return write


def binary(
    name: str, body: Callable[..., Any], *, degree: int = 1, second_degree: int | None = None, outlined: bool = False
) -> Any:
    """The operation ``name(out, x, y)`` on elements of ``degree`` values; ``body(b, [x…], [y…]) -> [out…]``."""
    degrees = [degree, degree, second_degree or degree]

    @operation("void(intp, intp, intp)")
    def write(b: Any, *addresses: Any) -> None:
        b.call(_function(b, name, degrees, body, outlined), [pointer(b, at) for at in addresses])

    return write


@kernel
def copy(out: int, x: int) -> None:
    """Copy four limbs."""
    for i in range(4):
        store(out + 8 * i, load(x + 8 * i))


@kernel
def set_zero(out: int) -> None:
    """Write the zero element (the same in both representations)."""
    for i in range(4):
        store(out + 8 * i, 0)


@kernel
def is_zero(x: int) -> bool:
    """Whether all four limbs are zero."""
    return (load(x) | load(x + 8) | load(x + 16) | load(x + 24)) == 0


@kernel
def equal(x: int, y: int) -> bool:
    """Whether four limbs agree."""
    difference = load(x) ^ load(y)
    for i in range(1, 4):
        difference |= load(x + 8 * i) ^ load(y + 8 * i)
    return difference == 0
