"""Baby Jubjub's group law on numba kernels, for signing and verifying; parameters are in ``reference/babyjubjub.py``.

Inside, points are extended coordinates (X : Y : Z : T), x = X/Z, y = Y/Z, xy = T/Z, with the unified addition of
Hisil, Wong, Carter, Dawson, "Twisted Edwards Curves Revisited", ASIACRYPT 2008, section 3.1. Because a is a square
and d is not, that addition holds for any two points of the curve, so one kernel does everything: k·P + m·Q.

The sequence of operations depends on the scalars' length alone, but the table is read at secret places: against an
attacker who shares the processor's cache this is not constant-time.
"""

from __future__ import annotations

import numpy as np

from . import fr
from .bn254 import R
from .jit import address, kernel, load, stack, store
from .limbs import Limbs, from_limbs, to_limbs, to_montgomery
from .reference.babyjubjub import (
    BASE8,
    COFACTOR,
    GENERATOR,
    IDENTITY,
    SUBGROUP_ORDER,
    A,
    D,
    Point,
    compress,
    decompress,
    is_on_curve,
    negate,
)

__all__ = [
    "BASE8", "COFACTOR", "GENERATOR", "IDENTITY", "SUBGROUP_ORDER", "A", "D", "Point", "add", "combine", "compress",
    "decompress", "is_in_subgroup", "is_on_curve", "multiply", "negate",
]  # fmt: skip

_COEFFICIENTS = to_montgomery([A, D], R)


def add(p: Point, q: Point) -> Point:
    """p + q for any two points of the curve."""
    return combine(p, 1, q, 1)


def multiply(point: Point, scalar: int) -> Point:
    """scalar · p for a scalar in [0, 2^256).

    Raises:
        OverflowError: the scalar is not in that range.
    """
    return combine(point, scalar, IDENTITY, 0)


def combine(p: Point, k: int, q: Point, m: int) -> Point:
    """k·p + m·q for scalars in [0, 2^256): one chain of doublings for both (Straus).

    Points are trusted to be on the curve.

    Raises:
        OverflowError: a scalar is not in that range.
    """
    points = to_limbs([*p, *q])
    out = np.empty((2, 4), dtype=np.uint64)
    _combine(out, points, to_limbs([k, m]), max(k.bit_length(), m.bit_length()), _COEFFICIENTS)
    x, y = from_limbs(out)
    return x, y


def is_in_subgroup(point: Point) -> bool:
    """Whether a point is on the curve and l times it is neutral (so the neutral point is in)."""
    return is_on_curve(point) and multiply(point, SUBGROUP_ORDER) == IDENTITY


@kernel
def _combine(out: Limbs, points: Limbs, scalars: Limbs, n_bits: int, coefficients: Limbs) -> None:
    """Affine canonical result of scalars[0]·points[0:2] + scalars[1]·points[2:4]."""
    table = stack(64)  # neutral, p, q, p + q
    total = stack(16)
    for i in range(16):
        store(table + 8 * i, np.uint64(0))
    fr.set_one(table + 32)
    fr.set_one(table + 64)
    for i in range(2):
        _extend(table + 128 * (i + 1), address(points) + 64 * i)
    _add(table + 384, table + 128, table + 256, address(coefficients))
    for i in range(16):
        store(total + 8 * i, load(table + 8 * i))
    for half_step in range(2 * n_bits):  # doubling, then adding what two bits choose, be it neutral
        other = total
        if half_step & 1:
            i = n_bits - 1 - (half_step >> 1)
            word = address(scalars) + 8 * (i >> 6)
            shift = np.uint64(i & 63)
            choice = load(word) >> shift & np.uint64(1) | (load(word + 32) >> shift & np.uint64(1)) << np.uint64(1)
            other = table + 128 * np.intp(choice)
        _add(total, total, other, address(coefficients))
    inverse = stack(4)
    fr.invert(inverse, total + 64)
    for i in range(2):
        coordinate = address(out) + 32 * i
        fr.mul(coordinate, total + 32 * i, inverse)
        fr.from_montgomery(coordinate, coordinate)


@kernel
def _extend(out: int, affine: int) -> None:
    """(X : Y : 1 : XY) in Montgomery form of a canonical affine point."""
    fr.to_montgomery(out, affine)
    fr.to_montgomery(out + 32, affine + 32)
    fr.set_one(out + 64)
    fr.mul(out + 96, out, out + 32)


@kernel
def _add(out: int, p: int, q: int, coefficients: int) -> None:
    """Unified addition; ``coefficients`` is a, then d. Letters as in the paper."""
    A = stack(4)
    B = stack(4)
    C = stack(4)
    D = stack(4)
    E = stack(4)
    F = stack(4)
    fr.mul(A, p, q)
    fr.mul(B, p + 32, q + 32)
    fr.mul(C, p + 96, q + 96)
    fr.mul(C, C, coefficients + 32)
    fr.mul(D, p + 64, q + 64)
    fr.add(E, p, p + 32)
    fr.add(F, q, q + 32)
    fr.mul(E, E, F)
    fr.sub(E, E, A)
    fr.sub(E, E, B)
    fr.sub(F, D, C)
    fr.add(C, D, C)  # G
    fr.mul(A, A, coefficients)
    fr.sub(B, B, A)  # H
    fr.mul(out, E, F)
    fr.mul(out + 32, C, B)
    fr.mul(out + 96, E, B)
    fr.mul(out + 64, F, C)
