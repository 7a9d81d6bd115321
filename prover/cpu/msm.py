"""Multi-scalar multiplication Σ kᵢ·Pᵢ by buckets (Pippenger), in G1 and G2.

Signed digits halve the buckets; ``buckets`` fills them. One task is one window over a range of points; window sums
meet in Horner's order. A digit of 0 costs one comparison,
so the zeros and ones a witness is full of cost little. Any points are allowed: infinity, repeated, opposite.

Running time depends on the scalars. That is accepted for a prover on its own machine, and named in docs/security.md.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from aitbc_rollup.algebra.jit import address, checked, kernel
from aitbc_rollup.algebra.limbs import Limbs

from . import buckets, threads
from . import digits as signed
from .groups import ACC_WORDS, AFFINE_WORDS, Group, add, batch_to_affine, double
from .points import RADIX_BITS, PackedPoints

#: Points taken at once; bounds the memory of the digits.
_CHUNK = 1 << 22


@kernel
def _combine(group: int, out: Limbs, sums: Limbs, width: int, windows: int) -> None:
    """The affine point of Σ 2^(width·w)·sums[j] where j mod windows = w; uses ``sums[0]`` as scratch."""
    acc_bytes = 128 * group
    total = address(sums) + acc_bytes * sums.shape[0] - acc_bytes
    at = address(sums)
    for w in range(windows - 1, -1, -1):
        for _ in range(width):
            double(group, total)
        for j in range(w, sums.shape[0] - 1, windows):
            add(group, total, at + acc_bytes * j)
    batch_to_affine(group, address(out), total, 1)


def queue_length(points: int, n_buckets: int) -> int:
    """Additions that share an inversion; none where the inversion would cost more than it saves.

    Short enough that few points meet their own bucket in the queue, and that it stays in the cache.
    """
    return 0 if points < 4 * n_buckets or n_buckets < 256 else min(512, n_buckets // 8)


def window_width(group: Group, length: int, bits: int) -> int:
    """The width that costs least for ``length`` points and scalars of ``bits`` bits.

    In units of an affine addition, from measurements: a mixed one is 1.7, a bucket's share in the weighted sum 4,
    an inversion 64 (32 in G2), calling a window's kernels 60.
    """

    def cost(width: int) -> float:
        n_buckets = 1 << (width - 1)
        queue = queue_length(length, n_buckets)
        addition = 1 + 64 / group / queue if queue else 1.7
        return signed.windows(bits, width) * (length * addition + 4 * n_buckets + 60)

    return min(range(2, signed.MAX_WIDTH + 1), key=cost)


def _msm_chunk(group: Group, points: Limbs, scalars: Limbs) -> Limbs:
    bits = signed.bit_length(scalars)
    if bits == 0:
        return np.zeros(AFFINE_WORDS * group, np.uint64)
    width = window_width(group, len(points), bits)
    windows = signed.windows(bits, width)
    digits = signed.cut(scalars, width, windows)
    # With few windows (small scalars) the points are cut too, so that every thread has work.
    parts = threads.ranges(len(points), 4096) if windows < 4 * threads.count() else [(0, len(points))]
    # One more accumulator, zero and so infinity, for the total.
    sums = np.zeros((windows * len(parts) + 1, ACC_WORDS * group), np.uint64)

    def task(part: int, window: int) -> None:
        start, stop = parts[part]
        count = 1 << (width - 1)
        affine = np.zeros((count, AFFINE_WORDS * group), np.uint64)
        extra = np.zeros((count, ACC_WORDS * group), np.uint64)
        length = queue_length(stop - start, count)
        queue = np.empty((length, buckets.QUEUE_WORDS * group), np.uint64)
        targets, busy = np.empty(length, np.int64), np.zeros(count, np.uint8)
        buckets.fill(group, affine, extra, queue, targets, busy, points, digits[window, start:stop], start)
        buckets.weighted_sum(group, sums, part * windows + window, affine, extra)

    threads.run(partial(task, part, window) for window in range(windows) for part in range(len(parts)))
    out = np.empty(AFFINE_WORDS * group, np.uint64)
    _combine(group, out, sums, width, windows)
    return out


def msm(group: Group, points: Limbs, scalars: Limbs) -> Limbs:
    """Σ scalars[i]·points[i] as an affine point, shape ``(8·group,)``.

    Args:
        group: 1 for G1, 2 for G2.
        points: affine, Montgomery form, shape ``(n, 8·group)``; all zero is infinity.
        scalars: canonical (any value below 2^255), shape ``(n, 4)``.

    Raises:
        ValueError: shapes, dtypes or lengths do not fit.
    """
    checked(points, None, AFFINE_WORDS * group)
    checked(scalars, len(points), 4)
    if len(points) <= _CHUNK:
        return _msm_chunk(group, points, scalars)
    starts = range(0, len(points), _CHUNK)
    partial_sums = [_msm_chunk(group, points[s : s + _CHUNK], scalars[s : s + _CHUNK]) for s in starts]
    ones = np.zeros((len(partial_sums), 4), np.uint64)
    ones[:, 0] = 1
    return _msm_chunk(group, np.stack(partial_sums), ones)


def msm_packed(group: Group, packed: PackedPoints, scalars: Limbs) -> Limbs:
    """Σ scalars[i]·points[i] over points as they were before :func:`.points.pack`; else as :func:`msm`.

    Args:
        group: 1 for G1, 2 for G2.
        packed: the points.
        scalars: canonical, shape ``(packed.length, 4)``.

    Raises:
        ValueError: shapes, dtypes, lengths or the points' radix do not fit.
    """
    if packed.radix_bits != RADIX_BITS:
        raise ValueError(f"points packed with radix 2^{packed.radix_bits}, these kernels want 2^{RADIX_BITS}")
    checked(scalars, packed.length, 4)
    return msm(group, packed.points, scalars if packed.wires is None else scalars[packed.wires])
