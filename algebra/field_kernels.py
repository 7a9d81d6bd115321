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
from numba.core import types
from numba.extending import intrinsic

from .jit import I64, kernel, load, pointer, store

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


def build(name: str, modulus: int) -> FieldKernels:
    """Intrinsics for the field of integers mod ``modulus`` (odd, between 2^192 and 2^254)."""
    if not (modulus % 2 and modulus.bit_length() in range(193, 255)):
        raise ValueError("the no-carry multiplication needs an odd modulus of 193 to 254 bits")
    p = ir.Constant(I256, modulus)

    def add(b: ir.IRBuilder, x: Any, y: Any) -> Any:
        return reduce_once(b, b.add(x, y), p)

    def sub(b: ir.IRBuilder, x: Any, y: Any) -> Any:
        difference = b.sub(x, y)
        return b.select(b.icmp_unsigned("<", x, y), b.add(difference, p), difference)

    def neg(b: ir.IRBuilder, x: Any) -> Any:
        zero = ir.Constant(I256, 0)
        return b.select(b.icmp_unsigned("==", x, zero), zero, b.sub(p, x))

    def double(b: ir.IRBuilder, x: Any) -> Any:
        return reduce_once(b, b.add(x, x), p)

    def mul(b: ir.IRBuilder, x: Any, y: Any) -> Any:
        return _montgomery(b, split(b, x), split(b, y), modulus)

    def sqr(b: ir.IRBuilder, x: Any) -> Any:
        return _montgomery(b, split(b, x), split(b, x), modulus)

    def from_montgomery(b: ir.IRBuilder, x: Any) -> Any:
        one = [ir.Constant(I64, 1)] + [ir.Constant(I64, 0)] * 3
        return _montgomery(b, split(b, x), one, modulus)

    return FieldKernels(
        mul=_binary(f"{name}_mul", mul, outlined=True),
        sqr=_unary(f"{name}_sqr", sqr, outlined=True),
        add=_binary(f"{name}_add", add),
        sub=_binary(f"{name}_sub", sub),
        neg=_unary(f"{name}_neg", neg),
        double=_unary(f"{name}_double", double),
        from_montgomery=_unary(f"{name}_from_montgomery", from_montgomery, outlined=True),
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


def _function(b: ir.IRBuilder, name: str, arity: int, body: Callable[..., Any], outlined: bool) -> Any:
    """The LLVM function ``name(out, in…)`` of this module, made on first use.

    Multiplications are kept out of line: inlined everywhere they would multiply compile time for no speed.
    """
    word_pointer = I64.as_pointer()
    symbol = f"aitbc_{name}"
    existing = b.module.globals.get(symbol)
    if existing is not None:
        return existing
    function = ir.Function(b.module, ir.FunctionType(ir.VoidType(), [word_pointer] * (arity + 1)), symbol)
    # One copy survives linking; "internal" would leave one for each kernel reached.
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline" if outlined else "alwaysinline")
    inner = ir.IRBuilder(function.append_basic_block())
    wide = I256.as_pointer()
    operands = [inner.load(inner.bitcast(argument, wide), align=8) for argument in function.args[1:]]
    inner.store(body(inner, *operands), inner.bitcast(function.args[0], wide), align=8)
    inner.ret_void()
    return function


def _unary(name: str, body: Callable[..., Any], outlined: bool = False) -> Any:
    @intrinsic
    def operation(typing_context: Any, out: Any, x: Any) -> Any:
        def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
            b.call(_function(b, name, 1, body, outlined), [pointer(b, a) for a in arguments])
            return context.get_dummy_value()

        return types.void(types.intp, types.intp), generate

    return operation


def _binary(name: str, body: Callable[..., Any], outlined: bool = False) -> Any:
    @intrinsic
    def operation(typing_context: Any, out: Any, x: Any, y: Any) -> Any:
        def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
            b.call(_function(b, name, 2, body, outlined), [pointer(b, a) for a in arguments])
            return context.get_dummy_value()

        return types.void(types.intp, types.intp, types.intp), generate

    return operation


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
