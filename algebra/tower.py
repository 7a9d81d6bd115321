"""Fq6 and Fq12 over ``fq2``: numba kernels on addresses.

::

    Fq6  = Fq2[v]/(v³ − ξ)      192 bytes: a0, a1, a2      a0 + a1·v + a2·v²,    ξ = 9 + i
    Fq12 = Fq6[w]/(w² − v)      384 bytes: b0, b1          b0 + b1·w,            w⁶ = ξ

Every function writes its first argument; output and input addresses may be equal. Karatsuba throughout; the squaring
of unitary elements is Granger and Scott's, "Faster squaring in the cyclotomic subgroup of sixth degree extensions",
PKC 2010. The plain twin is ``reference.tower``.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import fq2
from .bn254 import P
from .jit import address, kernel, stack
from .limbs import Limbs, from_montgomery, to_montgomery
from .reference import tower as reference
from .reference.tower import Fq12

FQ6_SIZE = 192
FQ12_SIZE = 384
FQ12_WORDS = FQ12_SIZE // 8

#: ξ^(k(p−1)/6), by which Frobenius multiplies wᵏ, k = 0 … 5; Montgomery form.
FROBENIUS = to_montgomery((value for constant in reference.FROBENIUS for value in constant), P)


def fq12_to_array(elements: Sequence[Fq12]) -> Limbs:
    """Elements in Montgomery form, shape ``(n, 48)``."""
    flat = (value for element in elements for half in element for coefficient in half for value in coefficient)
    return to_montgomery(flat, P).reshape(-1, FQ12_WORDS)


def fq12_from_array(array: Limbs) -> list[Fq12]:
    """The elements of an array of shape ``(n, 48)``."""
    values = from_montgomery(array, P)
    pairs = [(values[i], values[i + 1]) for i in range(0, len(values), 2)]
    sixths = [(pairs[i], pairs[i + 1], pairs[i + 2]) for i in range(0, len(pairs), 3)]
    return [(sixths[i], sixths[i + 1]) for i in range(0, len(sixths), 2)]


# -- Fq6 ------------------------------------------------------------------------------------------------------


@kernel
def fq6_copy(out: int, x: int) -> None:
    """Copy an element."""
    for i in range(3):
        fq2.copy(out + 64 * i, x + 64 * i)


@kernel
def fq6_add(out: int, x: int, y: int) -> None:
    """Sum x + y."""
    for i in range(3):
        fq2.add(out + 64 * i, x + 64 * i, y + 64 * i)


@kernel
def fq6_sub(out: int, x: int, y: int) -> None:
    """Difference x − y."""
    for i in range(3):
        fq2.sub(out + 64 * i, x + 64 * i, y + 64 * i)


@kernel
def fq6_neg(out: int, x: int) -> None:
    """Negative −x."""
    for i in range(3):
        fq2.neg(out + 64 * i, x + 64 * i)


@kernel
def fq6_mul_by_v(out: int, x: int) -> None:
    """Product with v: (ξ·a2, a0, a1)."""
    last = stack(8)
    fq2.mul_by_xi(last, x + 128)
    fq2.copy(out + 128, x + 64)
    fq2.copy(out + 64, x)
    fq2.copy(out, last)


@kernel
def _cross(out: int, x0: int, x1: int, y0: int, y1: int, v0: int, v1: int) -> None:
    """The mixed term x0·y1 + x1·y0 in Fq2, from the products v0 = x0·y0 and v1 = x1·y1; ``out`` may be no input."""
    other = stack(8)
    fq2.add(out, x0, x1)
    fq2.add(other, y0, y1)
    fq2.mul(out, out, other)
    fq2.sub(out, out, v0)
    fq2.sub(out, out, v1)


@kernel
def fq6_mul(out: int, x: int, y: int) -> None:
    """Product x·y, six products in Fq2."""
    v0 = stack(8)
    v1 = stack(8)
    v2 = stack(8)
    c0 = stack(8)
    c1 = stack(8)
    c2 = stack(8)
    fq2.mul(v0, x, y)
    fq2.mul(v1, x + 64, y + 64)
    fq2.mul(v2, x + 128, y + 128)
    _cross(c0, x + 64, x + 128, y + 64, y + 128, v1, v2)
    _cross(c1, x, x + 64, y, y + 64, v0, v1)
    _cross(c2, x, x + 128, y, y + 128, v0, v2)
    fq2.mul_by_xi(c0, c0)
    fq2.add(out, v0, c0)
    fq2.mul_by_xi(v2, v2)
    fq2.add(out + 64, c1, v2)
    fq2.add(out + 128, c2, v1)


@kernel
def _fq6_mul_by_01(out: int, x: int, k0: int, k1: int) -> None:
    """Product of x with the sparse k0 + k1·v, five products in Fq2."""
    v0 = stack(8)
    v1 = stack(8)
    c0 = stack(8)
    c1 = stack(8)
    fq2.mul(v0, x, k0)
    fq2.mul(v1, x + 64, k1)
    _cross(c1, x, x + 64, k0, k1, v0, v1)
    fq2.mul(c0, x + 128, k1)
    fq2.mul_by_xi(c0, c0)
    fq2.mul(out + 128, x + 128, k0)
    fq2.add(out + 128, out + 128, v1)
    fq2.add(out, v0, c0)
    fq2.copy(out + 64, c1)


@kernel
def fq6_invert(out: int, x: int) -> None:
    """Inverse: the adjugate of multiplication by x over its determinant; 0 goes to 0."""
    t0 = stack(8)
    t1 = stack(8)
    t2 = stack(8)
    scale = stack(8)
    term = stack(8)
    a, b, c = x, x + 64, x + 128
    fq2.mul(term, b, c)
    fq2.mul_by_xi(term, term)
    fq2.sqr(t0, a)
    fq2.sub(t0, t0, term)
    fq2.mul(term, a, b)
    fq2.sqr(t1, c)
    fq2.mul_by_xi(t1, t1)
    fq2.sub(t1, t1, term)
    fq2.mul(term, a, c)
    fq2.sqr(t2, b)
    fq2.sub(t2, t2, term)
    fq2.mul(scale, c, t1)
    fq2.mul(term, b, t2)
    fq2.add(scale, scale, term)
    fq2.mul_by_xi(scale, scale)
    fq2.mul(term, a, t0)
    fq2.add(scale, scale, term)
    fq2.invert(scale, scale)
    fq2.mul(out, t0, scale)
    fq2.mul(out + 64, t1, scale)
    fq2.mul(out + 128, t2, scale)


# -- Fq12 -----------------------------------------------------------------------------------------------------


@kernel
def fq12_set_one(out: int) -> None:
    """Write 1."""
    fq2.set_one(out)
    for i in range(1, 6):
        fq2.set_zero(out + 64 * i)


@kernel
def fq12_copy(out: int, x: int) -> None:
    """Copy an element."""
    fq6_copy(out, x)
    fq6_copy(out + 192, x + 192)


@kernel
def fq12_conjugate(out: int, x: int) -> None:
    """Conjugate b0 − b1·w, which is x^(p⁶), and 1/x for a unitary x."""
    fq6_copy(out, x)
    fq6_neg(out + 192, x + 192)


@kernel
def fq12_mul(out: int, x: int, y: int) -> None:
    """Product x·y."""
    low = stack(24)
    high = stack(24)
    left = stack(24)
    right = stack(24)
    fq6_mul(low, x, y)
    fq6_mul(high, x + 192, y + 192)
    fq6_add(left, x, x + 192)
    fq6_add(right, y, y + 192)
    fq6_mul(left, left, right)
    fq6_sub(left, left, low)
    fq6_sub(out + 192, left, high)
    fq6_mul_by_v(high, high)
    fq6_add(out, low, high)


@kernel
def fq12_sqr(out: int, x: int) -> None:
    """Square: b0² + v·b1² = (b0 + b1)(b0 + v·b1) − m − v·m with m = b0·b1; the other half is 2m."""
    m = stack(24)
    left = stack(24)
    right = stack(24)
    fq6_mul(m, x, x + 192)
    fq6_add(left, x, x + 192)
    fq6_mul_by_v(right, x + 192)
    fq6_add(right, right, x)
    fq6_mul(left, left, right)
    fq6_sub(left, left, m)
    fq6_add(out + 192, m, m)
    fq6_mul_by_v(m, m)
    fq6_sub(out, left, m)


@kernel
def fq12_mul_by_line(f: int, line: int) -> None:
    """Multiply f in place by the sparse c0 + c1·w + c3·w³, whose three Fq2 coefficients lie in a row at ``line``."""
    low = stack(24)
    high = stack(24)
    total = stack(24)
    k0 = stack(8)
    for i in range(3):
        fq2.mul(low + 64 * i, f + 64 * i, line)
    _fq6_mul_by_01(high, f + 192, line + 64, line + 128)
    fq6_add(total, f, f + 192)
    fq2.add(k0, line, line + 64)
    _fq6_mul_by_01(total, total, k0, line + 128)
    fq6_sub(total, total, low)
    fq6_sub(f + 192, total, high)
    fq6_mul_by_v(high, high)
    fq6_add(f, low, high)


@kernel
def fq12_invert(out: int, x: int) -> None:
    """Inverse (b0 − b1·w)/(b0² − v·b1²); 0 goes to 0."""
    norm = stack(24)
    square = stack(24)
    fq6_mul(norm, x, x)
    fq6_mul(square, x + 192, x + 192)
    fq6_mul_by_v(square, square)
    fq6_sub(norm, norm, square)
    fq6_invert(norm, norm)
    fq6_mul(out, x, norm)
    fq6_mul(out + 192, x + 192, norm)
    fq6_neg(out + 192, out + 192)


@kernel
def _frobenius_term(out: int, x: int, k: int) -> None:
    """Image of the coefficient of wᵏ."""
    fq2.conjugate(out, x)
    fq2.mul(out, out, address(FROBENIUS) + 64 * k)


@kernel
def fq12_frobenius(out: int, x: int) -> None:
    """Power x^p. The coefficients of w⁰ … w⁵ lie at 0, 192, 64, 256, 128, 320."""
    fq2.conjugate(out, x)
    _frobenius_term(out + 192, x + 192, 1)
    _frobenius_term(out + 64, x + 64, 2)
    _frobenius_term(out + 256, x + 256, 3)
    _frobenius_term(out + 128, x + 128, 4)
    _frobenius_term(out + 320, x + 320, 5)


# -- unitary elements: those with x^(p⁶ + 1) = 1 and x^(p⁴ − p² + 1) = 1, where the final power works -------------


@kernel
def _fq4_sqr(even: int, odd: int, x: int, y: int) -> None:
    """Square of x + y·s with s² = ξ: x² + ξ·y² and 2·x·y; outputs may be no inputs."""
    square = stack(8)
    fq2.mul(odd, x, y)
    fq2.double(odd, odd)
    fq2.sqr(square, y)
    fq2.mul_by_xi(square, square)
    fq2.sqr(even, x)
    fq2.add(even, even, square)


@kernel
def _thrice_minus_twice(z: int, t: int) -> None:
    """Write 3t − 2z to z."""
    fq2.sub(z, t, z)
    fq2.double(z, z)
    fq2.add(z, z, t)


@kernel
def _thrice_plus_twice(z: int, t: int) -> None:
    """Write 3t + 2z to z."""
    fq2.add(z, t, z)
    fq2.double(z, z)
    fq2.add(z, z, t)


@kernel
def unitary_sqr(x: int) -> None:
    """Square a unitary element in place."""
    even0 = stack(8)
    odd0 = stack(8)
    even1 = stack(8)
    odd1 = stack(8)
    even2 = stack(8)
    odd2 = stack(8)
    _fq4_sqr(even0, odd0, x, x + 256)
    _fq4_sqr(even1, odd1, x + 192, x + 128)
    _fq4_sqr(even2, odd2, x + 64, x + 320)
    fq2.mul_by_xi(odd2, odd2)
    _thrice_minus_twice(x, even0)
    _thrice_minus_twice(x + 64, even1)
    _thrice_minus_twice(x + 128, even2)
    _thrice_plus_twice(x + 192, odd2)
    _thrice_plus_twice(x + 256, odd0)
    _thrice_plus_twice(x + 320, odd1)
