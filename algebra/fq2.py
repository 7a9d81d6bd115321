"""The field Fq2 = Fq[i]/(i² + 1): numba kernels on addresses.

An element c0 + c1·i is 64 bytes, c0 then c1, each in Montgomery form as in ``fq``. Every function writes its first
argument; output and input addresses may be equal. Multiplication is Karatsuba's (three products), squaring the
complex one (two); see Devegili et al., "Multiplication and squaring on pairing-friendly fields", 2006.
"""

from __future__ import annotations

from . import fq
from .jit import kernel, stack

#: Bytes of one element.
SIZE = 64


@kernel
def copy(out: int, x: int) -> None:
    """Copy an element."""
    fq.copy(out, x)
    fq.copy(out + 32, x + 32)


@kernel
def set_zero(out: int) -> None:
    """Write 0."""
    fq.set_zero(out)
    fq.set_zero(out + 32)


@kernel
def set_one(out: int) -> None:
    """Write 1."""
    fq.set_one(out)
    fq.set_zero(out + 32)


@kernel
def is_zero(x: int) -> bool:
    """Whether x = 0."""
    return fq.is_zero(x) and fq.is_zero(x + 32)


@kernel
def equal(x: int, y: int) -> bool:
    """Whether x = y."""
    return fq.equal(x, y) and fq.equal(x + 32, y + 32)


@kernel
def add(out: int, x: int, y: int) -> None:
    """Sum x + y."""
    fq.add(out, x, y)
    fq.add(out + 32, x + 32, y + 32)


@kernel
def sub(out: int, x: int, y: int) -> None:
    """Difference x − y."""
    fq.sub(out, x, y)
    fq.sub(out + 32, x + 32, y + 32)


@kernel
def neg(out: int, x: int) -> None:
    """Negative −x."""
    fq.neg(out, x)
    fq.neg(out + 32, x + 32)


@kernel
def double(out: int, x: int) -> None:
    """Double 2x."""
    fq.double(out, x)
    fq.double(out + 32, x + 32)


@kernel
def conjugate(out: int, x: int) -> None:
    """Conjugate c0 − c1·i, which is x^p."""
    fq.copy(out, x)
    fq.neg(out + 32, x + 32)


@kernel
def mul(out: int, x: int, y: int) -> None:
    """Product x·y."""
    low = stack(4)
    high = stack(4)
    cross = stack(4)
    fq.add(low, x, x + 32)
    fq.add(high, y, y + 32)
    fq.mul(cross, low, high)
    fq.mul(low, x, y)
    fq.mul(high, x + 32, y + 32)
    fq.sub(out, low, high)
    fq.sub(cross, cross, low)
    fq.sub(out + 32, cross, high)


@kernel
def sqr(out: int, x: int) -> None:
    """Square x² = (c0 + c1)(c0 − c1) + 2·c0·c1·i."""
    total = stack(4)
    difference = stack(4)
    product = stack(4)
    fq.add(total, x, x + 32)
    fq.sub(difference, x, x + 32)
    fq.mul(product, x, x + 32)
    fq.mul(out, total, difference)
    fq.double(out + 32, product)


@kernel
def scale(out: int, x: int, k: int) -> None:
    """Product of x with k in Fq."""
    fq.mul(out, x, k)
    fq.mul(out + 32, x + 32, k)


@kernel
def mul_by_xi(out: int, x: int) -> None:
    """Product with ξ = 9 + i: (9·c0 − c1) + (c0 + 9·c1)·i."""
    nine_times = stack(8)
    real = stack(4)
    double(nine_times, x)
    double(nine_times, nine_times)
    double(nine_times, nine_times)
    add(nine_times, nine_times, x)
    fq.sub(real, nine_times, x + 32)
    fq.add(out + 32, nine_times + 32, x)
    fq.copy(out, real)


@kernel
def invert(out: int, x: int) -> None:
    """Inverse (c0 − c1·i)/(c0² + c1²); 0 goes to 0."""
    norm = stack(4)
    square = stack(4)
    fq.sqr(norm, x)
    fq.sqr(square, x + 32)
    fq.add(norm, norm, square)
    fq.invert(norm, norm)
    fq.mul(out, x, norm)
    fq.mul(out + 32, x + 32, norm)
    fq.neg(out + 32, out + 32)
