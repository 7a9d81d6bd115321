"""Arithmetic of a curve y² = x³ + b, written once for both fields of coordinates.

A point is one of two things in memory, coordinates in Montgomery form:

* *affine*: x, y. Infinity is all zero, which no other point is because b ≠ 0. This is the layout of a .zkey file.
* *accumulator*: X, Y, ZZ, ZZZ with x = X/ZZ, y = Y/ZZZ and ZZ³ = ZZZ² ("XYZZ"). Infinity is ZZ = 0.

Formulas ``madd-2008-s``, ``add-2008-s``, ``dbl-2008-s-1`` of the Explicit-Formulas Database, "XYZZ coordinates for
short Weierstrass curves". They are incomplete; the cases P = Q, P = −Q and infinity are told apart here. Nothing is
constant-time: these kernels serve public points, or secrets of a prover on its own machine.

The functions marked ``@template`` are written over the names ``field``, ``SIZE`` and ``B``, which :func:`build` fills
in (see ``jit.Templates``).
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from .jit import Templates, address, checked, load, stack
from .limbs import Limbs

# Filled in by build(); named here so that the templates read, and check, like ordinary code.
field: Any = None
SIZE = 0
B: Limbs = np.empty(0, dtype=np.uint64)

template = Templates()


class GroupKernels(NamedTuple):
    """The operations of one group; arguments are ``intp`` addresses: ``acc`` accumulators, ``point`` affine points."""

    set_infinity: Any
    set_affine: Any
    copy: Any
    is_infinity: Any
    is_affine_infinity: Any
    copy_affine: Any
    negate: Any
    negate_affine: Any
    double: Any
    add: Any
    sub: Any
    add_affine: Any
    sub_affine: Any
    equal: Any
    to_affine: Any
    batch_to_affine: Any
    scalar_mul: Any
    is_on_curve: Any
    #: Affine points of an array of accumulators, with one inversion.
    normalise: Callable[[Limbs], Limbs]
    #: Each point times its scalar: affine points and canonical limbs (n, 4) to affine points.
    multiply: Callable[[Limbs, Limbs], Limbs]
    #: Index of the first affine point of an array that is not on the curve; infinity is on it.
    first_off_curve: Callable[[Limbs], int | None]


def build(name: str, coordinates: ModuleType, size: int, b: Limbs) -> GroupKernels:
    """Kernels of the curve y² = x³ + b; ``size`` bytes a coordinate, ``b`` in Montgomery form."""
    made = template.build(name, {**globals(), "field": coordinates, "SIZE": size, "B": b})
    made |= _on_arrays(made, affine_words=size // 4, acc_words=size // 2)
    return GroupKernels(**{label: made[label] for label in GroupKernels._fields})


def _on_arrays(made: dict[str, Any], affine_words: int, acc_words: int) -> dict[str, Callable[..., Any]]:
    def normalise(accumulators: Limbs) -> Limbs:
        checked(accumulators, None, acc_words)
        out = np.empty((len(accumulators), affine_words), dtype=np.uint64)
        made["_normalise"](out, accumulators)
        return out

    def multiply(points: Limbs, scalars: Limbs) -> Limbs:
        checked(scalars, len(checked(points, None, affine_words)), 4)
        accumulators = np.empty((len(points), acc_words), dtype=np.uint64)
        made["_multiply"](accumulators, points, scalars)
        return normalise(accumulators)

    def first_off_curve(points: Limbs) -> int | None:
        index = int(made["_first_off_curve"](checked(points, None, affine_words)))
        return index if index >= 0 else None

    return {"normalise": normalise, "multiply": multiply, "first_off_curve": first_off_curve}


# Scratch of eight words holds an element of either field.


@template
def set_infinity(acc: int) -> None:
    """Write the point at infinity."""
    field.set_one(acc)
    field.set_one(acc + SIZE)
    field.set_zero(acc + 2 * SIZE)
    field.set_zero(acc + 3 * SIZE)


@template
def is_infinity(acc: int) -> bool:
    """Whether an accumulator is infinity."""
    return field.is_zero(acc + 2 * SIZE)


@template
def is_affine_infinity(point: int) -> bool:
    """Whether an affine point is infinity."""
    return field.is_zero(point) and field.is_zero(point + SIZE)


@template
def copy(acc: int, other: int) -> None:
    """Copy an accumulator."""
    for i in range(4):
        field.copy(acc + i * SIZE, other + i * SIZE)


@template
def copy_affine(point: int, other: int) -> None:
    """Copy an affine point."""
    field.copy(point, other)
    field.copy(point + SIZE, other + SIZE)


@template
def set_affine(acc: int, point: int) -> None:
    """Write an affine point into an accumulator."""
    if is_affine_infinity(point):
        set_infinity(acc)
    else:
        copy_affine(acc, point)
        field.set_one(acc + 2 * SIZE)
        field.set_one(acc + 3 * SIZE)


@template
def negate(acc: int) -> None:
    """Negate in place."""
    field.neg(acc + SIZE, acc + SIZE)


@template
def negate_affine(out: int, point: int) -> None:
    """Negative of an affine point."""
    field.copy(out, point)
    field.neg(out + SIZE, point + SIZE)


@template
def double(acc: int) -> None:
    """Double in place; infinity and points of order two become infinity by the formula itself."""
    x, y, zz, zzz = acc, acc + SIZE, acc + 2 * SIZE, acc + 3 * SIZE
    v = stack(8)
    w = stack(8)
    s = stack(8)
    m = stack(8)
    field.double(w, y)
    field.sqr(v, w)
    field.mul(w, w, v)
    field.mul(s, x, v)
    field.sqr(x, x)
    field.double(m, x)
    field.add(m, m, x)
    field.sqr(x, m)
    field.sub(x, x, s)
    field.sub(x, x, s)
    field.sub(s, s, x)
    field.mul(s, m, s)
    field.mul(y, w, y)
    field.sub(y, s, y)
    field.mul(zz, v, zz)
    field.mul(zzz, w, zzz)


@template
def _chord(acc: int, u1: int, s1: int, p: int, r: int) -> None:
    """The part both additions share: X, Y and the growth of ZZ, ZZZ from p = u2 − u1 ≠ 0 and r = s2 − s1.

    Overwrites p and r; u1 and s1 may be the accumulator's own X and Y.
    """
    pp = stack(8)
    q = stack(8)
    ppp = stack(8)
    x3 = stack(8)
    field.sqr(pp, p)
    field.mul(ppp, p, pp)
    field.mul(q, u1, pp)
    field.sqr(x3, r)
    field.sub(x3, x3, ppp)
    field.sub(x3, x3, q)
    field.sub(x3, x3, q)
    field.sub(q, q, x3)
    field.mul(q, r, q)
    field.mul(p, s1, ppp)
    field.sub(acc + SIZE, q, p)
    field.copy(acc, x3)
    field.mul(acc + 2 * SIZE, acc + 2 * SIZE, pp)
    field.mul(acc + 3 * SIZE, acc + 3 * SIZE, ppp)


@template
def add_affine(acc: int, point: int) -> None:
    """Add an affine point to an accumulator."""
    p = stack(8)
    r = stack(8)
    if is_affine_infinity(point):
        return
    if is_infinity(acc):
        set_affine(acc, point)
        return
    field.mul(p, point, acc + 2 * SIZE)
    field.mul(r, point + SIZE, acc + 3 * SIZE)
    field.sub(p, p, acc)
    field.sub(r, r, acc + SIZE)
    if not field.is_zero(p):
        _chord(acc, acc, acc + SIZE, p, r)
    elif field.is_zero(r):
        double(acc)
    else:
        set_infinity(acc)


@template
def sub_affine(acc: int, point: int) -> None:
    """Subtract an affine point from an accumulator."""
    negative = stack(16)
    negate_affine(negative, point)
    add_affine(acc, negative)


@template
def add(acc: int, other: int) -> None:
    """Add an accumulator to an accumulator; they may be the same one."""
    u1 = stack(8)
    s1 = stack(8)
    p = stack(8)
    r = stack(8)
    if is_infinity(other):
        return
    if is_infinity(acc):
        copy(acc, other)
        return
    field.mul(u1, acc, other + 2 * SIZE)
    field.mul(s1, acc + SIZE, other + 3 * SIZE)
    field.mul(p, other, acc + 2 * SIZE)
    field.mul(r, other + SIZE, acc + 3 * SIZE)
    field.sub(p, p, u1)
    field.sub(r, r, s1)
    if not field.is_zero(p):
        field.mul(acc + 2 * SIZE, acc + 2 * SIZE, other + 2 * SIZE)
        field.mul(acc + 3 * SIZE, acc + 3 * SIZE, other + 3 * SIZE)
        _chord(acc, u1, s1, p, r)
    elif field.is_zero(r):
        double(acc)
    else:
        set_infinity(acc)


@template
def sub(acc: int, other: int) -> None:
    """Subtract an accumulator from an accumulator."""
    negative = stack(32)
    copy(negative, other)
    negate(negative)
    add(acc, negative)


@template
def equal(acc: int, other: int) -> bool:
    """Whether two accumulators hold the same point."""
    left = stack(8)
    right = stack(8)
    if is_infinity(acc) or is_infinity(other):
        return is_infinity(acc) and is_infinity(other)
    field.mul(left, acc, other + 2 * SIZE)
    field.mul(right, other, acc + 2 * SIZE)
    if not field.equal(left, right):
        return False
    field.mul(left, acc + SIZE, other + 3 * SIZE)
    field.mul(right, other + SIZE, acc + 3 * SIZE)
    return field.equal(left, right)


@template
def _scale_to_affine(out: int, acc: int, zzz_inverse: int) -> None:
    """Affine point from 1/ZZZ; 1/ZZ is (ZZ/ZZZ)². The inverse may lie in ``out``'s x, and no other input in ``out``."""
    x_scale = stack(8)
    y_scale = stack(8)
    field.copy(y_scale, zzz_inverse)
    field.mul(x_scale, acc + 2 * SIZE, y_scale)
    field.sqr(x_scale, x_scale)
    field.mul(out, acc, x_scale)
    field.mul(out + SIZE, acc + SIZE, y_scale)


@template
def to_affine(out: int, acc: int) -> None:
    """Affine form of an accumulator, one inversion; the two must not overlap."""
    inverse = stack(8)
    field.invert(inverse, acc + 3 * SIZE)
    # Infinity: ZZ and the inverse are 0, and so is what they scale.
    if is_infinity(acc):
        field.set_zero(inverse)
    _scale_to_affine(out, acc, inverse)


@template
def batch_to_affine(out: int, accs: int, count: int) -> None:
    """Affine forms of consecutive accumulators with one inversion (Montgomery's trick); no overlap, no scratch.

    Going up, the product of all earlier ZZZ waits in the x of each output.
    """
    product = stack(8)
    inverse = stack(8)
    field.set_one(product)
    for i in range(count):
        point, acc = out + 2 * SIZE * i, accs + 4 * SIZE * i
        field.copy(point, product)
        if not is_infinity(acc):
            field.mul(product, product, acc + 3 * SIZE)
    field.invert(product, product)
    for j in range(count):
        i = count - 1 - j
        point, acc = out + 2 * SIZE * i, accs + 4 * SIZE * i
        if is_infinity(acc):
            field.set_zero(point)
            field.set_zero(point + SIZE)
        else:
            field.mul(inverse, product, point)
            field.mul(product, product, acc + 3 * SIZE)
            _scale_to_affine(point, acc, inverse)


@template
def scalar_mul(acc: int, point: int, scalar: int) -> None:
    """Write k·point, for an affine point and k = four canonical limbs, any 256-bit value; double and add."""
    set_infinity(acc)
    started = False
    for i in range(255, -1, -1):
        if started:
            double(acc)
        if load(scalar + 8 * (i >> 6)) >> np.uint64(i & 63) & np.uint64(1):
            add_affine(acc, point)
            started = True


@template
def is_on_curve(point: int) -> bool:
    """Whether an affine point is infinity or satisfies y² = x³ + b."""
    left = stack(8)
    right = stack(8)
    if is_affine_infinity(point):
        return True
    field.sqr(right, point)
    field.mul(right, right, point)
    field.add(right, right, address(B))
    field.sqr(left, point + SIZE)
    return field.equal(left, right)


@template
def _normalise(out: Limbs, accumulators: Limbs) -> None:
    batch_to_affine(address(out), address(accumulators), accumulators.shape[0])


@template
def _multiply(out: Limbs, points: Limbs, scalars: Limbs) -> None:
    for i in range(points.shape[0]):
        scalar_mul(address(out) + 4 * SIZE * i, address(points) + 2 * SIZE * i, address(scalars) + 32 * i)


@template
def _first_off_curve(points: Limbs) -> int:
    for i in range(points.shape[0]):
        if not is_on_curve(address(points) + 2 * SIZE * i):
            return i
    return -1
