"""Buckets to sums by additions in pairs: what a window of a multi-scalar multiplication does with its points.

:func:`sum_buckets` reads references to points, sorted by bucket, and adds them two by two. Points wait in a list of
bounded length, in order of bucket. Each round pairs neighbours of one bucket, adds all pairs at one inversion, and
fills the list up with new references, whose points are fetched meanwhile. So rounds are always full, and what they
touch stays in the second-level cache, whatever the sizes of buckets: of m points of a bucket ⌈m/2⌉ wait on, of 2 none.

:func:`weigh` then turns sums S[k] into c sums with Σ k·S[k] = Σ 2^b·U[b]: U[b] is the sum of all S[k] with bit b of k
set. Level by level, the row of k becomes the sum of rows k … k + 2^b − 1, where 2^b is the largest power that divides
k; and U[b] is the sum of the rows of all odd multiples of 2^b. That is two additions a bucket, in pairs again.

Both serve G1 and G2: ``group`` is 1 or 2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from aitbc_rollup.algebra import fq
from aitbc_rollup.algebra.jit import kernel, load, load_uint32, store, store_uint32
from aitbc_rollup.algebra.simd.additions import Batch, add_pairs_g1, add_pairs_g2, batch_words


class Adding(NamedTuple):
    """How to add: in which group, and at most how many pairs at an inversion."""

    group: int
    most: int


class Room(NamedTuple):
    """Scratch: addresses, or as :func:`room_words` sizes.

    ``waiting`` is two lists of references; ``runs`` the bucket and count of each run of them; ``pool`` three times the
    sums of a round: a reference that is left over is paired in the next round, so no sum is needed for longer.
    """

    batch: Batch
    waiting: int
    runs: int
    pool: int


def pairs_at_once(group: int, items: int) -> int:
    """How many pairs share an inversion best: many, but what a round touches must stay in the second-level cache."""
    return min(1024 // group, max(64, items // 2))


def room_words(group: int, most: int) -> Room:
    """Words of 8 bytes that each part takes, for rounds of at most so many pairs."""
    return Room(batch_words(group, most), 2 * 2 * most, 2 * 2 * most, 3 * 8 * group * most)


@kernel
def list_pair(batch: Batch, pair: int, left: np.uint64, right: np.uint64, result: int) -> None:
    """Write a pair of references, and where their sum goes."""
    store(batch.left + 8 * pair, left)
    store(batch.right + 8 * pair, right)
    store(batch.sums + 8 * pair, np.uint64(result))


@kernel
def add_up(group: int, batch: Batch, pairs: int, ahead: int, ahead_count: int) -> None:
    """Add the pairs listed; see ``additions.add_pairs``."""
    if group == 1:
        add_pairs_g1(batch, pairs, ahead, ahead_count)
    else:
        add_pairs_g2(batch, pairs, ahead, ahead_count)


@kernel
def _copy(group: int, row: int, reference: int) -> None:
    """Write the point that a reference means."""
    for i in range(0, 64 * group, 8):
        store(row + i, load((reference & -2) + i))
    if reference & 1:
        for y in range(row + 32 * group, row + 64 * group, 32):
            fq.neg(y, y)


@kernel
def _is_infinity(group: int, row: int) -> bool:
    union = load(row)
    for i in range(8, 64 * group, 8):
        union |= load(row + i)
    return union == 0


@kernel
def _pair_up(
    adding: Adding, room: Room, turn: int, waiting_at: int, runs: int, unfinished: int, next_at: int, sums: int
) -> Any:
    """List the pairs of a round; returns how many they are, and how many points and runs are left or to come of them.

    The points waiting are those of ``runs`` runs; those of the next round are listed at ``next_at``. Of the bucket
    ``unfinished``, which can only be the last one, there are more.
    """
    batch, row_bytes = room.batch, 64 * adding.group
    pool = room.pool + row_bytes * adding.most * turn
    pairs = kept = np.intp(0)
    waiting: Any = np.intp(0)
    at: Any = waiting_at
    for run in range(room.runs, room.runs + 16 * runs, 16):
        bucket, count = np.intp(load(run)), np.intp(load(run + 8))
        target = sums + row_bytes * bucket
        if count <= 2 and bucket != unfinished:
            if count == 1:
                _copy(adding.group, target, np.intp(load(at)))
            else:
                list_pair(batch, pairs, load(at), load(at + 8), target)
                pairs += 1
        else:
            # What is left over goes first, to be paired next time. (If nothing is, a pair's sum takes its place.)
            store(next_at + 8 * waiting, load(at + 8 * (count - 1)))
            waiting += count & 1
            for pair in range(at, at + 8 * (count - 1), 16):
                result = pool + row_bytes * pairs
                list_pair(batch, pairs, load(pair), load(pair + 8), result)
                store(next_at + 8 * waiting, np.uint64(result))
                pairs += 1
                waiting += 1
            store(room.runs + 16 * kept, np.uint64(bucket))
            store(room.runs + 16 * kept + 8, np.uint64((count + 1) >> 1))
            kept += 1
        at += 8 * count
    return pairs, waiting, kept


@kernel
def sum_buckets(adding: Adding, room: Room, rows: int, references: int, counts: int, buckets: int, sums: int) -> None:
    """Write the sum of each bucket's points to its row of ``sums``.

    ``references`` are 32-bit words, bucket by bucket: the index of a row, doubled, plus 1 for its negative; ``counts``
    are 32-bit words, one a bucket.
    """
    row_bytes, capacity = 64 * adding.group, 2 * adding.most
    waiting_at, next_at = room.waiting, room.waiting + 8 * capacity
    waiting = runs = pairs = turn = np.intp(0)
    # The bucket whose references are being read, and how many of them are left.
    bucket: Any = np.intp(-1)
    left: Any = np.intp(0)
    while True:
        # Fill up. What waits is at most 2/3 of a full list after any round: there is room for one more at least.
        first = waiting
        while waiting < capacity:
            if left == 0:
                bucket += 1
                if bucket >= buckets:
                    break
                left = np.intp(load_uint32(counts + 4 * bucket))
                if left == 0:
                    for i in range(0, row_bytes, 8):
                        store(sums + row_bytes * bucket + i, np.uint64(0))
                continue
            taken = min(left, capacity - waiting)
            last = room.runs + 16 * (runs - 1)
            if runs > 0 and np.intp(load(last)) == bucket:
                store(last + 8, load(last + 8) + np.uint64(taken))
            else:
                store(last + 16, np.uint64(bucket))
                store(last + 24, np.uint64(taken))
                runs += 1
            at = waiting_at + 8 * waiting
            for i in range(taken):
                reference = np.intp(load_uint32(references + 4 * i))
                store(at + 8 * i, np.uint64(rows + row_bytes * (reference >> 1) + (reference & 1)))
            references += 4 * taken
            waiting += taken
            left -= taken
        add_up(adding.group, room.batch, pairs, waiting_at + 8 * first, waiting - first)
        if runs == 0:
            return
        unfinished = bucket if left > 0 else -1
        pairs, waiting, runs = _pair_up(adding, room, turn, waiting_at, runs, unfinished, next_at, sums)
        waiting_at, next_at = next_at, waiting_at
        turn = (turn + 1) % 3


@kernel
def weigh(
    adding: Adding, room: Room, rows: int, width: int, windows: int, references: int, counts: int, sums: int
) -> None:
    """Write U[0] … U[width − 1] of each window to ``sums``; the windows' rows are used up.

    ``rows`` holds S[0] … S[2^(width − 1)] for every window; S[0] is not looked at. ``references`` and ``counts`` are
    scratch: 32-bit words, one a row, and ``width`` a window.
    """
    batch, row_bytes = room.batch, 64 * adding.group
    half = 1 << (width - 1)
    for level in range(width - 1):
        pairs = np.intp(0)
        for window in range(windows):
            base = rows + row_bytes * (half + 1) * window
            for k in range(2 << level, half, 2 << level):
                row = base + row_bytes * k
                upper = row + (row_bytes << level)
                if _is_infinity(adding.group, upper):
                    continue
                if _is_infinity(adding.group, row):
                    _copy(adding.group, row, upper)
                    continue
                list_pair(batch, pairs, np.uint64(row), np.uint64(upper), row)
                pairs += 1
                if pairs == adding.most:
                    add_up(adding.group, batch, pairs, np.intp(0), np.intp(0))
                    pairs = np.intp(0)
        add_up(adding.group, batch, pairs, np.intp(0), np.intp(0))
    listed = 0
    for window in range(windows):
        for level in range(width):
            before = listed
            for k in range(1 << level, half + 1, 2 << level):
                index = (half + 1) * window + k
                if not _is_infinity(adding.group, rows + row_bytes * index):
                    store_uint32(references + 4 * listed, np.uint32(2 * index))
                    listed += 1
            store_uint32(counts + 4 * (width * window + level), np.uint32(listed - before))
    sum_buckets(adding, room, rows, references, counts, width * windows, sums)
