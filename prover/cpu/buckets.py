"""Buckets of a window: sums of points by digit, most of them in affine coordinates.

An affine addition needs one inversion, but many additions can share one (Montgomery's trick), and then cost 5M + 1S
in place of the 8M + 2S of a mixed addition. So additions wait in a queue, at most one a bucket, and are done together
when it is full. What does not fit that scheme goes at once to a second sum of the same bucket, in XYZZ coordinates: a
second point for a bucket already in the queue (as when a witness is full of ones), and P = ±Q, where x₂ − x₁ = 0.

The scheme is folklore among MSM implementations ("batch-affine"); the two-sum form keeps every exceptional case in the
complete kernels of ``algebra``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.jit import address, kernel, stack
from aitbc_rollup.algebra.limbs import Limbs

from .digits import Digits
from .groups import (
    add,
    add_affine,
    field_copy,
    field_invert,
    field_is_zero,
    field_mul,
    field_neg,
    field_set_one,
    field_sqr,
    field_sub,
    is_affine_infinity,
    set_infinity,
    sub_affine,
)

#: Words of a waiting addition, times the group: x₂, y₂, x₂ − x₁, and the product of all differences before.
QUEUE_WORDS = 16


@kernel
def _flush(group: int, affine: Limbs, queue: Limbs, targets: NDArray[np.int64], count: int, product: int) -> None:
    """Do the ``count`` waiting additions; ``product`` is that of their differences."""
    size = 32 * group
    inverse = stack(8)
    slope = stack(8)
    x3 = stack(8)
    field_invert(group, inverse, product)
    for j in range(count):
        k = count - 1 - j
        x2 = address(queue) + 4 * size * k
        y2, difference, before = x2 + size, x2 + 2 * size, x2 + 3 * size
        x1 = address(affine) + 2 * size * targets[k]
        y1 = x1 + size
        field_mul(group, slope, inverse, before)
        field_mul(group, inverse, inverse, difference)
        field_sub(group, y2, y2, y1)
        field_mul(group, slope, slope, y2)
        field_sqr(group, x3, slope)
        field_sub(group, x3, x3, x1)
        field_sub(group, x3, x3, x2)
        field_sub(group, x1, x1, x3)
        field_mul(group, slope, slope, x1)
        field_sub(group, y1, slope, y1)
        field_copy(group, x1, x3)


@kernel
def fill(
    group: int,
    affine: Limbs,
    extra: Limbs,
    queue: Limbs,
    targets: NDArray[np.int64],
    busy: NDArray[np.uint8],
    points: Limbs,
    digits: Digits,
    start: int,
) -> None:
    """Add points[start + i] to bucket digits[i] − 1, or its negative to bucket −digits[i] − 1; digit 0 is skipped.

    A bucket's sum is its ``affine`` point plus its ``extra`` accumulator; both come in as zeros. ``queue`` and
    ``targets`` have the queue's length, which may be 0; ``busy`` has one zero byte a bucket.
    """
    size = 32 * group
    product = stack(8)
    field_set_one(group, product)
    waiting = 0
    for i in range(digits.shape[0]):
        digit = np.intp(digits[i])
        point = address(points) + 2 * size * (start + i)
        if digit == 0 or is_affine_infinity(group, point):
            continue
        index = abs(digit) - 1
        bucket = address(affine) + 2 * size * index
        if targets.shape[0] > 0 and busy[index] == 0:
            if is_affine_infinity(group, bucket):
                field_copy(group, bucket, point)
                if digit > 0:
                    field_copy(group, bucket + size, point + size)
                else:
                    field_neg(group, bucket + size, point + size)
                continue
            x2 = address(queue) + 4 * size * waiting
            field_sub(group, x2 + 2 * size, point, bucket)
            if not field_is_zero(group, x2 + 2 * size):
                field_copy(group, x2, point)
                if digit > 0:
                    field_copy(group, x2 + size, point + size)
                else:
                    field_neg(group, x2 + size, point + size)
                field_copy(group, x2 + 3 * size, product)
                field_mul(group, product, product, x2 + 2 * size)
                targets[waiting] = index
                busy[index] = 1
                waiting += 1
                if waiting == targets.shape[0]:
                    _flush(group, affine, queue, targets, waiting, product)
                    for k in range(waiting):
                        busy[targets[k]] = 0
                    field_set_one(group, product)
                    waiting = 0
                continue
        accumulator = address(extra) + 4 * size * index
        if digit > 0:
            add_affine(group, accumulator, point)
        else:
            sub_affine(group, accumulator, point)
    if waiting:
        _flush(group, affine, queue, targets, waiting, product)


@kernel
def weighted_sum(group: int, out: Limbs, task: int, affine: Limbs, extra: Limbs) -> None:
    """``out[task]`` = Σ (k + 1)·bucket[k]: the sum over k of the sums of buckets k and above."""
    point_bytes, acc_bytes = 64 * group, 128 * group
    total = address(out) + acc_bytes * task
    running = stack(32)
    set_infinity(group, total)
    set_infinity(group, running)
    for j in range(affine.shape[0]):
        k = affine.shape[0] - 1 - j
        add_affine(group, running, address(affine) + point_bytes * k)
        add(group, running, address(extra) + acc_bytes * k)
        add(group, total, running)
