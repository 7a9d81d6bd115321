"""Many multiples of one generator, as setup needs them: a table of multiples, then additions in lanes only.

``table[w][k − 1] = k·2^(c·w)·G`` for 1 ≤ k ≤ 2^(c−1). A multiple of G is the sum of one row for each digit that is not
0: a bucket, as ``reduction`` sums them. The table is made level by level: the rows from 2^j on are that of 2^j, a
doubling of G, plus those before it.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from aitbc_rollup.algebra import g1, g2, simd, threads
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.jit import address, checked, kernel, load_int16, store_uint32
from aitbc_rollup.algebra.limbs import Limbs, aligned_empty
from aitbc_rollup.algebra.simd.additions import Batch

from . import digits as signed
from .groups import ACC_WORDS, AFFINE_WORDS, Group, batch_to_affine, copy, double, set_affine
from .points import pack, unpack
from .reduction import Adding, Room, add_up, list_pair, pairs_at_once, room_words, sum_buckets
from .scratch import places

#: Multiples made at a time: what lists their rows stays in the cache.
_CHUNK = 1024
#: Wider windows would need fewer additions, but a table that no cache holds.
_MAX_WIDTH = 14


@kernel
def _doublings(group: int, out: Limbs, accs: Limbs, generator: Limbs) -> None:
    """``out[i] = 2^i·generator``, affine; ``accs`` is scratch."""
    acc_bytes = 128 * group
    at = address(accs)
    set_affine(group, at, address(generator))
    for _ in range(1, accs.shape[0]):
        copy(group, at + acc_bytes, at)
        at += acc_bytes
        double(group, at)
    batch_to_affine(group, address(out), address(accs), accs.shape[0])


@kernel
def _fill(
    group: int, most: int, row: int, width: int,
    left: int, right: int, sums: int, chain: int, cases: int, spare: int,
) -> None:  # fmt: skip
    """Write the rows of a window whose numbers are no powers of two."""
    batch, row_bytes = Batch(left, right, sums, chain, cases, spare), 64 * group
    for level in range(1, width - 1):
        power = row + row_bytes * ((1 << level) - 1)
        pairs = np.intp(0)
        for i in range((1 << level) - 1):
            list_pair(batch, pairs, np.uint64(power), np.uint64(row + row_bytes * i), power + row_bytes * (i + 1))
            pairs += 1
            if pairs == most:
                add_up(group, batch, pairs, np.intp(0), np.intp(0))
                pairs = np.intp(0)
        add_up(group, batch, pairs, np.intp(0), np.intp(0))


class _Scratch(NamedTuple):
    references: int
    counts: int
    room: Room


@kernel
def _multiples(
    group: int, most: int, out: int, table: int, half: int, digits: int, stride: int, windows: int, count: int,
    references: int, counts: int,
    left: int, right: int, sums: int, chain: int, cases: int, spare: int, waiting: int, runs: int, pool: int,
) -> None:  # fmt: skip
    """Write ``count`` multiples; ``digits`` are those of the first one, ``stride`` bytes from a window to the next."""
    room = Room(Batch(left, right, sums, chain, cases, spare), waiting, runs, pool)
    for first in range(0, count, _CHUNK):
        here = min(_CHUNK, count - first)
        at = references
        for i in range(here):
            before = at
            for window in range(windows):
                digit = np.intp(load_int16(digits + stride * window + 2 * (first + i)))
                if digit != 0:
                    row = half * window + abs(digit) - 1
                    store_uint32(at, np.uint32(2 * row + (digit < 0)))
                    at += 4
            store_uint32(counts + 4 * i, np.uint32((at - before) >> 2))
        sum_buckets(Adding(group, most), room, table, references, counts, here, out + 64 * group * first)


@lru_cache(maxsize=2)
def _table(group: Group, width: int) -> Limbs:
    """Rows as the kernels of sums want them, ``(windows, 2^(width − 1), 8·group)``."""
    generator = g1.to_array([G1_GENERATOR]) if group == 1 else g2.to_array([G2_GENERATOR])
    windows, half = signed.windows(R.bit_length(), width), 1 << (width - 1)
    powers = np.empty((windows * width, AFFINE_WORDS * group), np.uint64)
    _doublings(group, powers, np.empty((len(powers), ACC_WORDS * group), np.uint64), generator)
    table = aligned_empty(windows, half, AFFINE_WORDS * group)
    table[:, (1 << np.arange(width)) - 1] = pack(group, powers).points.reshape(windows, width, -1)
    most = pairs_at_once(group, half)

    def task(window: int) -> None:
        batch, *_ = room_words(group, most)
        simd.run(_fill, group, most, table[window].ctypes.data, width, *places(batch))

    threads.run(partial(task, window) for window in range(windows))
    return table


def _width(length: int) -> int:
    """The width that needs the fewest additions, the table's included."""

    def cost(width: int) -> int:
        return signed.windows(R.bit_length(), width) * (length + (1 << (width - 1)))

    return min(range(2, _MAX_WIDTH + 1), key=cost)


def multiples(group: Group, scalars: Limbs) -> Limbs:
    """scalars[i]·generator for each i: canonical ``(n, 4)`` to affine ``(n, 8·group)`` in Montgomery form.

    Raises:
        ValueError: shape or dtype do not fit, or a scalar is longer than the group's order.
    """
    if signed.bit_lengths(checked(scalars, None, 4))[R.bit_length() + 1 :].any():
        raise ValueError(f"expected scalars of at most {R.bit_length()} bits")
    out = aligned_empty(len(scalars), AFFINE_WORDS * group)
    table = _table(group, _width(len(scalars)))
    windows, half, _ = table.shape
    digits = signed.cut(scalars, half.bit_length(), windows)
    most = pairs_at_once(group, _CHUNK * windows)

    def task(start: int, stop: int) -> None:
        sizes = _Scratch(_CHUNK * windows // 2 + 1, _CHUNK // 2 + 1, room_words(group, most))
        simd.run(
            _multiples, group, most, out[start:].ctypes.data, table.ctypes.data, half, digits[:, start:].ctypes.data,
            digits.strides[0], windows, stop - start, *places(sizes),
        )  # fmt: skip
        unpack(out[start:stop])

    threads.run(partial(task, *part) for part in threads.ranges(len(scalars), 64))
    return out
