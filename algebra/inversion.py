"""Inversion by divsteps: the shared, field-free half of ``fq.invert`` and ``fr.invert``.

A divstep takes (f, g), f odd, to (f, (g or g ± f)/2) or (g, (g − f)/2); after enough of them g = 0 and f = ±gcd. Sixty-
two at a time depend only on the low words of f and g and a counter, so they are done on words and summed up as a
matrix of 62-bit integers, (u v; q r) · (f, g) = 2^62 (f′, g′), which is then applied to the long numbers; the same
matrix takes (d, e), with d·x ≡ f and e·x ≡ g up to a known power of two, along.

For a modulus below 2^254, 735 divsteps always suffice, so 12 rounds do; usually g = 0 after nine.
Time depends on the value inverted.

Source: Bernstein and Yang, "Fast constant-time gcd computation and modular inversion", ePrint 2019/266, theorem 11.2;
cancelling several low bits of g at once is described in libsecp256k1's ``doc/safegcd_implementation.md``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from .field_kernels import I256, join, multiply_add, reduce_once, split
from .jit import I64, kernel, operation, pointer, store

ROUNDS = 12
#: Divsteps a round; d and e are divided by 2^64 meanwhile, so a round leaves them a quarter of what they should be.
STEPS = 62
_I320 = ir.IntType(320)
_ALL = np.uint64((1 << 64) - 1)
_0, _1, _2, _4, _15, _63 = (np.uint64(word) for word in (0, 1, 2, 4, 15, 63))


@operation("uint64(uint64)")
def _trailing_zeros(b: Any, word: Any) -> Any:
    return b.cttz(word, ir.Constant(ir.IntType(1), 1))


@kernel
def divsteps(matrix: int, eta: Any, f: Any, g: Any) -> Any:
    """Write u, v, q, r (signed words) of 62 divsteps on the low words of f and g; ``eta`` is −δ, returned anew."""
    u, v, q, r = _1, _0, _0, _1
    left: Any = STEPS
    while True:
        zeros = _trailing_zeros(g | _ALL << np.uint64(left))
        g >>= zeros
        u <<= zeros
        v <<= zeros
        eta -= np.intp(zeros)
        left -= np.intp(zeros)
        if left == 0:
            break
        # f and g are odd. Adding w·f to g cancels as many low bits as the sign of eta lasts.
        if eta < 0:
            eta = -eta
            f, g = g, _0 - f
            u, q = q, _0 - u
            v, r = r, _0 - v
            mask = _63
            w = f * g * (f * f - _2)
        else:
            mask = _15
            w = (_0 - g) * (f + ((f + _1 & _4) << _1))
        w &= _ALL >> np.uint64(64 - min(eta + 1, left)) & mask
        g += f * w
        q += u * w
        r += v * w
    store(matrix, u)
    store(matrix + 8, v)
    store(matrix + 16, q)
    store(matrix + 24, r)
    return eta


def _signed_row(b: ir.IRBuilder, row: Any) -> tuple[list[Any], list[Any]]:
    """Of the two signed words at ``row``: whether each is negative, and its magnitude."""
    words = [b.load(b.gep(pointer(b, row), [ir.Constant(I64, i)])) for i in range(2)]
    negative = [b.icmp_signed("<", word, ir.Constant(I64, 0)) for word in words]
    return negative, [b.select(sign, b.neg(word), word) for sign, word in zip(negative, words, strict=True)]


def _add_product(b: ir.IRBuilder, total: list[Any], number: list[Any], word: Any) -> list[Any]:
    """total + number · word, as long as ``total``; what overflows is dropped."""
    carry: Any = ir.Constant(I64, 0)
    out = []
    for limb, addend in zip(number, total, strict=False):
        low, carry = multiply_add(b, limb, word, addend, carry)
        out.append(low)
    if len(total) > len(number):
        out.append(b.add(total[-1], carry))
    return out


@operation("void(intp, intp, intp, intp)")
def mix_integers(b: Any, out: Any, f: Any, g: Any, row: Any) -> None:
    """``mix_integers(out, f, g, row)``: (u·f + v·g)/2^62; f, g signed, five words; u, v the words at ``row``."""
    to, *numbers = (b.bitcast(pointer(b, at), _I320.as_pointer()) for at in (out, f, g))
    negative, magnitude = _signed_row(b, row)
    total: list[Any] = [ir.Constant(I64, 0)] * 5
    for i, number in enumerate(numbers):
        value = b.load(number, align=8)
        # Modulo 2^320, two's complement multiplies like the unsigned number it looks like.
        value = b.select(negative[i], b.neg(value), value)
        total = _add_product(b, total, split(b, value, 5), magnitude[i])
    b.store(b.ashr(join(b, total), ir.Constant(_I320, STEPS)), to, align=8)


def build_mix(modulus: int) -> Any:
    """The operation ``mix(out, d, e, row)``: (u·d + v·e)/2^64 mod ``modulus``, u and v the signed words at ``row``.

    |u| + |v| ≤ 2^62, as divsteps give them.
    """
    p = ir.Constant(I256, modulus)
    p_inverse = ir.Constant(I64, -pow(modulus, -1, 1 << 64) % (1 << 64))

    @operation("void(intp, intp, intp, intp)")
    def mix(b: Any, out: Any, d: Any, e: Any, row: Any) -> None:
        to, *numbers = (b.bitcast(pointer(b, at), I256.as_pointer()) for at in (out, d, e))
        negative, magnitude = _signed_row(b, row)
        total: list[Any] = [ir.Constant(I64, 0)] * 5
        for i, number in enumerate(numbers):
            value = b.load(number, align=8)
            value = b.select(negative[i], b.sub(p, value), value)
            total = _add_product(b, total, split(b, value), magnitude[i])
        # One Montgomery round: below (2^62·p + 2^64·p)/2^64 < 2p.
        m = b.mul(total[0], p_inverse)
        total = _add_product(b, total, split(b, p), m)[1:]
        b.store(reduce_once(b, join(b, total), p), to, align=8)

    return mix
