"""G1 and G2 behind one number, so that the loops over points are written, and compiled, once.

``group`` is 1 or 2; sizes scale with it: an affine point has 64·group bytes, an accumulator 128·group. The branch
costs nothing beside a point addition.
"""

from __future__ import annotations

from typing import Literal

from aitbc_rollup.algebra import fq, fq2, g1, g2
from aitbc_rollup.algebra.jit import kernel

Group = Literal[1, 2]

#: Words of an affine point and of an accumulator, times the group.
AFFINE_WORDS = 8
ACC_WORDS = 16


@kernel
def add_affine(group: int, acc: int, point: int) -> None:
    """Add an affine point to an accumulator."""
    if group == 1:
        g1.add_affine(acc, point)
    else:
        g2.add_affine(acc, point)


@kernel
def sub_affine(group: int, acc: int, point: int) -> None:
    """Subtract an affine point from an accumulator."""
    if group == 1:
        g1.sub_affine(acc, point)
    else:
        g2.sub_affine(acc, point)


@kernel
def add(group: int, acc: int, other: int) -> None:
    """Add an accumulator to an accumulator."""
    if group == 1:
        g1.add(acc, other)
    else:
        g2.add(acc, other)


@kernel
def double(group: int, acc: int) -> None:
    """Double an accumulator."""
    if group == 1:
        g1.double(acc)
    else:
        g2.double(acc)


@kernel
def set_infinity(group: int, acc: int) -> None:
    """Write the point at infinity into an accumulator."""
    if group == 1:
        g1.set_infinity(acc)
    else:
        g2.set_infinity(acc)


@kernel
def set_affine(group: int, acc: int, point: int) -> None:
    """Write an affine point into an accumulator."""
    if group == 1:
        g1.set_affine(acc, point)
    else:
        g2.set_affine(acc, point)


@kernel
def copy(group: int, acc: int, other: int) -> None:
    """Copy an accumulator."""
    if group == 1:
        g1.copy(acc, other)
    else:
        g2.copy(acc, other)


@kernel
def batch_to_affine(group: int, out: int, accs: int, count: int) -> None:
    """Affine forms of consecutive accumulators, with one inversion."""
    if group == 1:
        g1.batch_to_affine(out, accs, count)
    else:
        g2.batch_to_affine(out, accs, count)


@kernel
def field_mul(group: int, out: int, x: int, y: int) -> None:
    """Product of two coordinates."""
    if group == 1:
        fq.mul(out, x, y)
    else:
        fq2.mul(out, x, y)


@kernel
def field_sqr(group: int, out: int, x: int) -> None:
    """Square of a coordinate."""
    if group == 1:
        fq.sqr(out, x)
    else:
        fq2.sqr(out, x)


@kernel
def field_sub(group: int, out: int, x: int, y: int) -> None:
    """Difference of two coordinates."""
    if group == 1:
        fq.sub(out, x, y)
    else:
        fq2.sub(out, x, y)


@kernel
def field_neg(group: int, out: int, x: int) -> None:
    """Negative of a coordinate."""
    if group == 1:
        fq.neg(out, x)
    else:
        fq2.neg(out, x)


@kernel
def field_invert(group: int, out: int, x: int) -> None:
    """Inverse of a coordinate."""
    if group == 1:
        fq.invert(out, x)
    else:
        fq2.invert(out, x)


@kernel
def field_set_one(group: int, out: int) -> None:
    """Write the coordinate 1."""
    if group == 1:
        fq.set_one(out)
    else:
        fq2.set_one(out)


@kernel
def field_copy(group: int, out: int, x: int) -> None:
    """Copy a coordinate."""
    if group == 1:
        fq.copy(out, x)
    else:
        fq2.copy(out, x)


@kernel
def field_is_zero(group: int, x: int) -> bool:
    """Whether a coordinate is 0."""
    if group == 1:
        return fq.is_zero(x)
    return fq2.is_zero(x)


@kernel
def is_affine_infinity(group: int, point: int) -> bool:
    """Whether an affine point is infinity."""
    if group == 1:
        return g1.is_affine_infinity(point)
    return g2.is_affine_infinity(point)
