"""How the scalars of a multi-scalar multiplication are cut into digits, and what becomes of each digit.

A scalar k is Σ_w d_w·2^(c·w) with signed digits −2^(c−1) < d_w ≤ 2^(c−1). A digit that is not 0 puts its point into a
bucket, the one of |d|, with the digit's sign. Windows share buckets where a table holds the points' multiples: with q
levels the table has 2^(c·s·l)·P for l < q, where s = ⌈W/q⌉ is the number of *sets* of buckets. Window w = l·s + set
then uses level l of the table and the buckets of that set. q = 1 is no table but the points themselves, q = W one set
for all windows.

A scalar k above r/2 is taken for k − r, all of whose digits then change sign: witnesses are full of small negative
numbers, and each then puts its point into one bucket, not into W. As r/2 < 2^253, W = ⌈254/c⌉ windows suffice.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from aitbc_rollup.algebra.bn254 import R

from .device import DeviceMemoryError

#: Bits of a scalar's magnitude, and one for the sign of its topmost digit, whose carry has nowhere to go.
SIGNED_BITS = (R // 2).bit_length() + 1


class DigitPlan(NamedTuple):
    """Width c of a window, number W of windows, number q of levels of the table."""

    window_bits: int
    windows: int
    levels: int

    @classmethod
    def of(cls, window_bits: int, levels: int = 1) -> DigitPlan:
        """The plan for scalars below r; no more levels than there are windows to use them."""
        windows = -(-SIGNED_BITS // window_bits)
        sets = -(-windows // levels)
        return cls(window_bits, windows, -(-windows // sets))

    @property
    def sets(self) -> int:
        """Number s of sets of buckets."""
        return -(-self.windows // self.levels)

    @property
    def buckets(self) -> int:
        """Buckets of a set: one for each size of a digit but 0."""
        return 1 << (self.window_bits - 1)

    @property
    def keys(self) -> int:
        """Buckets in all: digit d of a window that uses set s has the key s·2^(c−1) + |d| − 1."""
        return self.sets * self.buckets

    @property
    def shift(self) -> int:
        """A level of the table is the one before it times 2^shift."""
        return self.window_bits * self.sets


class SumPlan(NamedTuple):
    """A whole sum: its digits, and into how many parts the points are split that are summed one after another."""

    digits: DigitPlan
    parts: int


# What things cost, in additions of a point to a bucket's sum (8M + 2S, a reduction less): sorting an entry, some three
# passes over eight bytes; adding two sums (12M + 2S); a launch that has the whole chip wait for one addition.
_ENTRY, _SUM, _STEP = 1.1, 1.4, 50_000
_WIDTHS = range(2, 25)
_AFFINE_BYTES, _SUM_BYTES, _ENTRY_BYTES = 64, 128, 16
#: Multiples of points that are made at a time.
PIECE = 1 << 20
#: Bits of a point's number in an entry, and of an entry's.
_POINT_BITS, _COUNT_BITS = 31, 31


def cost(points: int, plan: DigitPlan) -> float:
    """Σ over so many points, in additions to buckets, for scalars without zeros.

    Each point is added once a window. Then the buckets' sums are weighed with two additions each, in a launch for each
    bit of a digit (see ``kernels/msm.cuh``). The table is made once for all sums and costs nothing here.
    """
    return points * plan.windows * _ENTRY + 2 * plan.keys * _SUM + (plan.window_bits - 1) * _STEP


def memory(points: int, group: int, plan: SumPlan) -> int:
    """Bytes of the table of all points, and of what is there besides: for one part's sum entries, sorted from one array
    to another, and buckets, halved from one to another; while levels are made, the points they are made of and a piece
    of them as sums and affine."""
    digits, part = plan.digits, -(-points // plan.parts)
    table = points * digits.levels * _AFFINE_BYTES * group
    adding = part * digits.windows * _ENTRY_BYTES + 2 * digits.keys * _SUM_BYTES * group
    piece = min(PIECE, part * digits.levels)
    making = (points * _AFFINE_BYTES + piece * (_SUM_BYTES + _AFFINE_BYTES)) * group if digits.levels > 1 else 0
    return table + max(adding, making)


def choose(points: int, group: int, budget: int, levels: int | None = None) -> SumPlan:
    """The plan of least cost that fits into so many bytes, with no more than so many levels.

    Raises:
        DeviceMemoryError: none fits.
    """
    best: tuple[float, int, SumPlan] | None = None
    least = None
    for parts in (1 << k for k in range(8)):
        part = -(-points // parts)
        for digits in _plans(levels):
            if part * digits.levels > 1 << _POINT_BITS or part * digits.windows > 1 << _COUNT_BITS:
                continue
            plan = SumPlan(digits, parts)
            size = memory(points, group, plan)
            least = size if least is None else min(least, size)
            rank = (parts * cost(part, digits), size, plan)
            if size <= budget and (best is None or rank < best):
                best = rank
    if best is None:
        raise DeviceMemoryError(
            "the points of a sum do not fit into the GPU's memory",
            place=f"{points} points in G{group}",
            expected=f"{(least or 0) / 2**20:.0f} MiB at least",
            got=f"a budget of {budget / 2**20:.0f} MiB",
            hint="raise AITBC_GPU_MEMORY, or use the engine 'cpu'",
        )
    return best[2]


@cache
def _plans(levels: int | None) -> list[DigitPlan]:
    plans = {DigitPlan.of(bits, level) for bits in _WIDTHS for level in range(1, -(-SIGNED_BITS // bits) + 1)}
    return sorted(plan for plan in plans if levels is None or plan.levels <= levels)
