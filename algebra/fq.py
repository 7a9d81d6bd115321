"""The field Fq of coordinates, integers mod p: numba kernels on addresses.

Every function writes its first argument; all values are in Montgomery form (x·2^256 mod p), fully reduced.
See ``field_kernels`` for the method, ``jit`` for the rules of addresses, ``reference`` for the plain twin.
"""

from __future__ import annotations

import numpy as np

from .bn254 import P
from .field_kernels import build, copy, equal, is_zero, set_zero
from .inversion import ROUNDS, build_mix, divsteps, mix_integers
from .jit import address, checked, kernel, load, stack, store
from .limbs import MONTGOMERY_RADIX, Limbs, to_limbs

__all__ = [
    "MODULUS", "ONE", "RADIX_SQUARED", "add", "batch_from_montgomery", "batch_to_montgomery", "copy", "double",
    "equal", "from_montgomery", "invert", "is_zero", "mul", "neg", "set_one", "set_zero", "sqr", "sub", "to_montgomery",
]  # fmt: skip

MODULUS = P
mul, sqr, add, sub, neg, double, from_montgomery = build("fq", MODULUS)
mix = build_mix(MODULUS)

#: 1 in Montgomery form, and the radix squared (what ``mul`` takes to enter Montgomery form): limbs, shape (4,).
ONE = to_limbs([MONTGOMERY_RADIX % MODULUS])[0]
RADIX_SQUARED = to_limbs([MONTGOMERY_RADIX**2 % MODULUS])[0]
_ONE0, _ONE1, _ONE2, _ONE3 = (np.uint64(word) for word in ONE)
_SQUARED0, _SQUARED1, _SQUARED2, _SQUARED3 = (np.uint64(word) for word in RADIX_SQUARED)
#: Where e starts in :func:`invert`: 12 rounds leave a factor 4^-12, and x·2^256 is inverted, not x.
_START = to_limbs([MONTGOMERY_RADIX**2 * 4**ROUNDS % MODULUS])[0]
_START0, _START1, _START2, _START3 = (np.uint64(word) for word in _START)
_MODULUS0, _MODULUS1, _MODULUS2, _MODULUS3 = (np.uint64(MODULUS >> 64 * i & (1 << 64) - 1) for i in range(4))


@kernel
def set_one(out: int) -> None:
    """Write 1."""
    store(out, _ONE0)
    store(out + 8, _ONE1)
    store(out + 16, _ONE2)
    store(out + 24, _ONE3)


@kernel
def to_montgomery(out: int, x: int) -> None:
    """Montgomery form of a canonical value."""
    squared = stack(4)
    store(squared, _SQUARED0)
    store(squared + 8, _SQUARED1)
    store(squared + 16, _SQUARED2)
    store(squared + 24, _SQUARED3)
    mul(out, x, squared)


@kernel
def invert(out: int, x: int) -> None:
    """1/x by divsteps (see ``inversion``); 0 goes to 0."""
    f, g, mixed, d, e, matrix = stack(5), stack(5), stack(5), stack(4), stack(4), stack(4)
    store(f, _MODULUS0)
    store(f + 8, _MODULUS1)
    store(f + 16, _MODULUS2)
    store(f + 24, _MODULUS3)
    store(f + 32, 0)
    copy(g, x)
    store(g + 32, 0)
    set_zero(d)
    store(e, _START0)
    store(e + 8, _START1)
    store(e + 16, _START2)
    store(e + 24, _START3)
    eta = np.intp(-1)
    for _ in range(ROUNDS):
        eta = divsteps(matrix, eta, load(f), load(g))
        mix_integers(mixed, f, g, matrix)
        mix_integers(g, f, g, matrix + 16)
        copy(f, mixed)
        store(f + 32, load(mixed + 32))
        mix(mixed, d, e, matrix)
        mix(e, d, e, matrix + 16)
        copy(d, mixed)
    if load(f + 32) != 0:
        neg(out, d)
    else:
        copy(out, d)


@kernel
def _batch_to_montgomery(out: Limbs, x: Limbs) -> None:
    for i in range(x.shape[0]):
        to_montgomery(address(out) + 32 * i, address(x) + 32 * i)


@kernel
def _batch_from_montgomery(out: Limbs, x: Limbs) -> None:
    for i in range(x.shape[0]):
        from_montgomery(address(out) + 32 * i, address(x) + 32 * i)


def batch_to_montgomery(values: Limbs) -> Limbs:
    """Montgomery form of canonical limbs, shape (n, 4)."""
    out = np.empty_like(checked(values, None, 4))
    _batch_to_montgomery(out, values)
    return out


def batch_from_montgomery(values: Limbs) -> Limbs:
    """Canonical limbs, shape (n, 4), of Montgomery form."""
    out = np.empty_like(checked(values, None, 4))
    _batch_from_montgomery(out, values)
    return out
