"""G1 and G2 behind one number, so that the loops over points are written, and compiled, once.

``group`` is 1 or 2; sizes scale with it: an affine point has 64·group bytes, an accumulator 128·group. The branch
costs nothing beside a point addition.
"""

from __future__ import annotations

from typing import Literal

from aitbc_rollup.algebra import g1, g2
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
