"""The field Fq2 = Fq[i]/(i² + 1): numba kernels on addresses.

An element c0 + c1·i is 64 bytes, c0 then c1, each in Montgomery form as in ``fq``. Every function writes its first
argument; output and input addresses may be equal. Multiplication is Karatsuba's (three products), squaring the
complex one (two); see Devegili et al., "Multiplication and squaring on pairing-friendly fields", 2006.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import fq
from .field_kernels import Arithmetic, binary, unary
from .jit import kernel, stack

#: Bytes of one element.
SIZE = 64

_F = Arithmetic(fq.MODULUS)
_Pair = list[Any]


def _by_part(operation: Callable[..., Any]) -> Callable[..., _Pair]:
    return lambda b, *operands: [operation(b, *parts) for parts in zip(*operands, strict=True)]


def _mul(b: Any, x: _Pair, y: _Pair) -> _Pair:
    low, high = _F.call_mul(b, x[0], y[0]), _F.call_mul(b, x[1], y[1])
    cross = _F.call_mul(b, _F.add_lazily(b, *x), _F.add_lazily(b, *y))
    return [_F.sub(b, low, high), _F.sub(b, _F.sub(b, cross, low), high)]


def _sqr(b: Any, x: _Pair) -> _Pair:
    """Square (c0 + c1)(c0 − c1) + 2·c0·c1·i."""
    real = _F.call_mul(b, _F.add_lazily(b, *x), _F.sub(b, *x))
    return [real, _F.call_mul(b, x[0], _F.add_lazily(b, x[1], x[1]))]


def _scale(b: Any, x: _Pair, k: _Pair) -> _Pair:
    return [_F.call_mul(b, x[0], k[0]), _F.call_mul(b, x[1], k[0])]


def _mul_by_xi(b: Any, x: _Pair) -> _Pair:
    """Product (9·c0 − c1) + (c0 + 9·c1)·i."""
    nine_times = []
    for part in x:
        eight_times = part
        for _ in range(3):
            eight_times = _F.double(b, eight_times)
        nine_times.append(_F.add(b, eight_times, part))
    return [_F.sub(b, nine_times[0], x[1]), _F.add(b, nine_times[1], x[0])]


# Inside kernels only, as the operations of fq: add(out, x, y), neg(out, x) … scale(out, x, k) takes k in Fq;
# conjugate is the power x^p; mul_by_xi multiplies by 9 + i.
add = binary("fq2_add", _by_part(_F.add), degree=2, outlined=True)
sub = binary("fq2_sub", _by_part(_F.sub), degree=2, outlined=True)
neg = unary("fq2_neg", _by_part(_F.neg), degree=2, outlined=True)
double = unary("fq2_double", _by_part(_F.double), degree=2, outlined=True)
mul = binary("fq2_mul", _mul, degree=2, outlined=True)
sqr = unary("fq2_sqr", _sqr, degree=2, outlined=True)
scale = binary("fq2_scale", _scale, degree=2, second_degree=1, outlined=True)
conjugate = unary("fq2_conjugate", lambda b, x: [x[0], _F.neg(b, x[1])], degree=2, outlined=True)
mul_by_xi = unary("fq2_mul_by_xi", _mul_by_xi, degree=2, outlined=True)
copy = unary("fq2_copy", lambda b, x: x, degree=2, outlined=True)


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
