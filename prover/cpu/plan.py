"""How the work of a multi-scalar multiplication is cut: how wide windows are, and which of them make a task.

Costs are in additions, from measurements on full and sparse scalars.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import threads

from . import digits

#: As many points without a digit, or buckets without a point, cost an addition: to be looked at.
_ZERO_DIGITS, _EMPTY_BUCKETS = 24, 4
#: Windows that cost less share a task.
_SHORT = 1 << 15


class Window(NamedTuple):
    """At most so many points have a digit in it; and what it costs."""

    items: int
    cost: int


class Share(NamedTuple):
    """A task: some windows, over a range of points; ``part`` counts the ranges that these windows are cut into.

    At most so many digits, ``items``, are in there.
    """

    first: int
    windows: int
    start: int
    stop: int
    part: int
    items: int


def windows(lengths: NDArray[np.int64], width: int) -> list[Window]:
    """The windows of scalars of which ``lengths`` counts each bit length; the longest has at least one bit."""
    reaching = lengths[::-1].cumsum()[::-1]
    points, bits = int(reaching[0]), int(np.flatnonzero(lengths)[-1])
    buckets = 1 << width - 1
    out = []
    for window in range(digits.windows(bits, width)):
        # What carries into window w of width c is at least 2^(c·w)/3, so it has c·w − 1 bits.
        items = int(reaching[min(max(1, width * window - 1), bits)])
        out.append(Window(items, items + 2 * min(items, buckets) + points // _ZERO_DIGITS + buckets // _EMPTY_BUCKETS))
    return out


def best_width(lengths: NDArray[np.int64]) -> int:
    """The width that costs least."""
    return min(range(2, digits.MAX_WIDTH + 1), key=lambda width: sum(cost for _, cost in windows(lengths, width)))


def shares(cut: list[Window], width: int, points: int) -> list[Share]:
    """Tasks for all threads, costly ones first.

    Short neighbours share a task. What would leave threads idle at the end is cut into ranges of points: windows that
    cost more than a thread's part of all, and the last ones, if they are fewer than threads.
    """
    thread_part = -(-sum(cost for _, cost in cut) // threads.count())
    groups: list[tuple[int, int, int, int]] = []
    for i, (items, cost) in enumerate(cut):
        if groups and groups[-1][0] + cost <= min(_SHORT, thread_part):
            before, first, count, listed = groups.pop()
            groups.append((before + cost, first, count + 1, listed + items))
        else:
            groups.append((cost, i, 1, items))
    groups.sort(reverse=True)
    whole = len(groups) - len(groups) % threads.count()
    out = []
    for i, (cost, first, count, items) in enumerate(groups):
        ranges = threads.ranges(points, 4 << width) if i >= whole or cost > thread_part else [(0, points)]
        for part, (start, stop) in enumerate(ranges):
            out.append(Share(first, count, start, stop, part, min(items, count * (stop - start))))
    return out
