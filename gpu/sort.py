"""Scalars to the entries of their buckets, sorted by bucket: what a multi-scalar multiplication adds, in order.

Least significant digit first, as many passes as the keys' bits need, each of three launches (see ``kernels/sort.cu``):
no block waits for another, and the host waits for nothing, for the number of entries stays on the device. The first
pass reads 64 bytes a scalar and writes 8 an entry; each later one reads 12 an entry and writes 8.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .device import Argument, Array, Device
from .plan import SIGNED_BITS, DigitPlan

# As in kernels/sort.cu.
_THREADS = 256
_RADIX_BITS = 8
_TILE = 4096
_WARP = 32

#: Blocks for each multiprocessor: as many as its shared memory and registers hold at a time.
_BLOCKS_PER_MULTIPROCESSOR = 4


class Entries(NamedTuple):
    """Entries by ascending key, equal keys in an order that the scalars alone determine.

    An entry is (i + n·level) | negative << 31: the point in the table and whether it is subtracted. ``keys`` and
    ``entries``, uint32, have room for an entry a window of each scalar; the first ``count[0]`` are there, the rest is
    uninitialised. ``count``, uint32 (1,), is on the device too.
    """

    keys: Array
    entries: Array
    count: Array


def sorted_digits(device: Device, scalars: Array, plan: DigitPlan, live: Array | None = None) -> Entries:
    """The digits of n *canonical* scalars, uint64 (n, 4), that are not 0, as entries sorted by key.

    With ``live``, uint32 (n,), scalar number i is ``scalars[live[i]]``. Keys and entries are those of ``plan``.

    Raises:
        ValueError: the plan's windows are too few or too narrow, or keys or entries do not fit their words.
    """
    n = len(scalars) if live is None else len(live)
    capacity, key_bits = n * plan.windows, (plan.keys - 1).bit_length()
    if not 2 <= plan.window_bits <= 31 or plan.window_bits * plan.windows < SIGNED_BITS:
        raise ValueError(f"{plan.windows} windows of {plan.window_bits} bits for scalars of {SIGNED_BITS}")
    if plan.windows > _TILE // _WARP or key_bits > 32 or n * plan.levels > 1 << 31 or capacity > (1 << 32) - _TILE:
        raise ValueError(f"{n} scalars and {plan}: keys or entries have more than 32 bits")
    blocks = device.multiprocessors * _BLOCKS_PER_MULTIPROCESSOR
    counts = device.empty((1 << _RADIX_BITS) * blocks, np.uint32)
    totals = device.empty(1 << _RADIX_BITS, np.uint32)
    count = device.empty(1, np.uint32)
    here, there = ((device.empty(capacity, np.uint32), device.empty(capacity, np.uint32)) for _ in range(2))
    cut = tuple(np.uint32(value) for value in (n, plan.window_bits, plan.windows, plan.sets))
    digits = (scalars, np.uint64(0) if live is None else live, *cut)

    def launch(kernel: str, *arguments: Argument) -> None:
        device.launch("sort", kernel, blocks, _THREADS, *arguments)

    def sum_counts(width: np.uint32) -> None:
        in_warps = -(-(_WARP << int(width)) // _THREADS)
        device.launch("sort", "sort_sum", in_warps, _THREADS, counts, totals, np.uint32(blocks), width)

    first, *later = (np.uint32(bits) for bits in radix_widths(key_bits))
    launch("sort_count_digits", counts, *digits, first)
    sum_counts(first)
    launch("sort_scatter_digits", *here, count, counts, totals, *digits, first)
    shift = first
    for width in later:
        launch("sort_count_keys", counts, here[0], count, shift, width)
        sum_counts(width)
        launch("sort_scatter_keys", *there, counts, totals, *here, count, shift, width)
        here, there, shift = there, here, shift + width
    return Entries(*here, count)


def radix_widths(key_bits: int) -> list[int]:
    """Bits of each pass: as few passes as there can be, their widths as equal as they can be."""
    passes = max(1, -(-key_bits // _RADIX_BITS))
    return [key_bits // passes + (i < key_bits % passes) for i in range(passes)]
