"""Multi-scalar multiplication Σ kᵢ·Pᵢ by buckets (Pippenger), in G1 and G2.

Scalars are cut into signed windows (``digits``). For each window, points are sorted by the size of their digit and
added up bucket by bucket in lanes; the buckets' sums S[k] become one sum for each bit of k (``reduction``). So what is
left of all windows is a sum for each bit of the scalars, and a chain of doublings takes them together.

A task is one window, or a few short ones, over a range of points. A digit of 0 costs a comparison, so the zeros and
ones that a witness is full of cost little. Every case is exact: infinity, repeated points, opposite ones.

Running time depends on the scalars. That is accepted for a prover on its own machine, and named in docs/security.md.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from aitbc_rollup.algebra import simd, threads
from aitbc_rollup.algebra.jit import address, checked, kernel, load_int16, load_uint32, stack, store_uint32
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.algebra.simd.additions import Batch

from . import digits as signed
from . import plan
from .groups import AFFINE_WORDS, Group, add_affine, batch_to_affine, double, set_infinity
from .points import RADIX_BITS, PackedPoints, pack, unpack_point
from .reduction import Adding, Room, pairs_at_once, room_words, sum_buckets, weigh
from .scratch import places

#: Points taken at once; bounds the memory of the digits.
_CHUNK = 1 << 21


class Scratch(NamedTuple):
    """Scratch of a task: addresses, or as :func:`scratch_words` sizes."""

    references: int
    counts: int
    ends: int
    rows: int
    room: Room


def scratch_words(group: Group, width: int, windows: int, items: int, most: int) -> Scratch:
    """Words of 8 bytes that each part takes, for at most ``items`` digits and rounds of at most ``most`` pairs."""
    buckets = windows * ((1 << width - 1) + 1)
    return Scratch(
        # Those of the windows' points, then those of the buckets' sums.
        references=max(items, buckets) // 2 + 1,
        counts=buckets // 2 + 1,
        ends=buckets // 2 + 1,
        rows=AFFINE_WORDS * group * buckets,
        room=room_words(group, most),
    )


@kernel
def _sort(
    count: int, digits: int, stride: int, buckets: int, windows: int, references: int, counts: int, ends: int
) -> None:
    """List the points of each bucket, one by one, and how many; a window's buckets are the sizes of its digits."""
    for i in range(0, 4 * buckets * windows, 4):
        store_uint32(counts + i, np.uint32(0))
    for window in range(windows):
        digit_at, of_window = digits + stride * window, counts + 4 * buckets * window
        for i in range(count):
            digit = np.intp(load_int16(digit_at + 2 * i))
            if digit != 0:
                at = of_window + 4 * abs(digit)
                store_uint32(at, load_uint32(at) + np.uint32(1))
    end = np.uint32(0)
    for i in range(0, 4 * buckets * windows, 4):
        store_uint32(ends + i, end)
        end += load_uint32(counts + i)
    for window in range(windows):
        digit_at, of_window = digits + stride * window, ends + 4 * buckets * window
        for i in range(count):
            digit = np.intp(load_int16(digit_at + 2 * i))
            if digit != 0:
                at = of_window + 4 * abs(digit)
                end = load_uint32(at)
                store_uint32(at, end + np.uint32(1))
                store_uint32(references + 4 * np.intp(end), np.uint32(2 * i + (digit < 0)))


@kernel
def _run_task(
    group: int, most: int, points: int, count: int, digits: int, stride: int, width: int, windows: int, out: int,
    references: int, counts: int, ends: int, rows: int,
    left: int, right: int, sums: int, chain: int, cases: int, spare: int, waiting: int, runs: int, pool: int,
) -> None:  # fmt: skip
    """Sum up a few windows over a range of points: write ``width`` rows a window to ``out``.

    All but numbers are addresses: ``points``, packed rows; ``digits``, those of the first window and point, ``stride``
    bytes from a window to the next; then a :class:`Scratch`, for rounds of at most so many pairs.
    """
    adding = Adding(group, most)
    room = Room(Batch(left, right, sums, chain, cases, spare), waiting, runs, pool)
    buckets = (1 << (width - 1)) + 1
    _sort(count, digits, stride, buckets, windows, references, counts, ends)
    sum_buckets(adding, room, points, references, counts, buckets * windows, rows)
    weigh(adding, room, rows, width, windows, references, counts, out)


@kernel
def _combine(group: int, out: Limbs, sums: Limbs) -> None:
    """The affine point of Σ 2^bit·sums[part, bit]."""
    parts, bits, words = sums.shape
    total, point = stack(32), stack(16)
    set_infinity(group, total)
    for bit in range(bits - 1, -1, -1):
        double(group, total)
        for part in range(parts):
            unpack_point(group, point, address(sums) + 8 * words * (bits * part + bit))
            add_affine(group, total, point)
    batch_to_affine(group, address(out), total, 1)


def _sum(group: Group, points: Limbs, scalars: Limbs, wires: signed.Wires | None) -> list[Limbs]:
    """Sums for each bit, arrays (bits, 8·group), of which the wanted one is Σ 2^bit·sums[bit], over all arrays."""
    lengths = signed.bit_lengths(scalars, wires)
    bits = int(np.flatnonzero(lengths)[-1])
    if bits == 0:
        return []
    if bits > signed.MAX_BITS:
        raise ValueError(f"expected scalars below 2^{signed.MAX_BITS}, got one of {bits} bits")
    width = plan.best_width(lengths)
    windows = plan.windows(lengths, width)
    digits = signed.cut(scalars, width, len(windows), wires)
    shares = plan.shares(windows, width, len(points))
    sums = np.zeros((1 + max(share.part for share in shares), len(windows) * width, AFFINE_WORDS * group), np.uint64)

    def run(share: plan.Share) -> None:
        most = pairs_at_once(group, share.items)
        words = scratch_words(group, width, share.windows, share.items, most)
        simd.run(
            _run_task, group, most, points[share.start :].ctypes.data, share.stop - share.start,
            digits[share.first, share.start :].ctypes.data, digits.strides[0], width, share.windows,
            sums[share.part, share.first * width :].ctypes.data, *places(words),
        )  # fmt: skip

    threads.run(partial(run, share) for share in shares)
    return list(sums)


def msm_packed(group: Group, packed: PackedPoints, scalars: Limbs) -> Limbs:
    """Σ scalars[i]·points[i] over points as they were before :func:`.points.pack`; else as :func:`msm`.

    Args:
        group: 1 for G1, 2 for G2.
        packed: the points.
        scalars: any values below 2^255, shape ``(packed.length, 4)``.

    Raises:
        ValueError: shapes, dtypes, lengths or the points' radix do not fit, or a scalar is too large.
    """
    points, wires = packed.points, packed.wires
    if packed.radix_bits != RADIX_BITS:
        raise ValueError(f"points packed with radix 2^{packed.radix_bits}, these kernels want 2^{RADIX_BITS}")
    checked(scalars, packed.length, 4)
    checked(points, packed.length if wires is None else len(wires), AFFINE_WORDS * group)
    if wires is not None and len(checked(wires, None, dtype=np.uint32)) and int(wires.max()) >= packed.length:
        raise ValueError(f"a point is that of wire {wires.max()}, of {packed.length}")
    sums = []
    for start in range(0, len(points), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        if wires is None:
            sums += _sum(group, points[chunk], scalars[chunk], None)
        else:
            sums += _sum(group, points[chunk], scalars, wires[chunk])
    out = np.zeros(AFFINE_WORDS * group, np.uint64)
    if sums:
        bits = max(len(part) for part in sums)
        _combine(group, out, np.stack([np.pad(part, ((0, bits - len(part)), (0, 0))) for part in sums]))
    return out


def msm(group: Group, points: Limbs, scalars: Limbs) -> Limbs:
    """Σ scalars[i]·points[i] as an affine point, shape ``(8·group,)``.

    Args:
        group: 1 for G1, 2 for G2.
        points: affine, Montgomery form, shape ``(n, 8·group)``; all zero is infinity.
        scalars: any values below 2^255, shape ``(n, 4)``.

    Raises:
        ValueError: shapes, dtypes or lengths do not fit, or a scalar is too large.
    """
    return msm_packed(group, pack(group, points), scalars)
