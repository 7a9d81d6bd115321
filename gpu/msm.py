"""Multi-scalar multiplication Σ kᵢ·Pᵢ by buckets (Pippenger) on a device, in G1 and G2.

1. Scalars are cut into signed digits, sorted by bucket (``plan``, ``sort``).
2. Each thread adds up an equal slice of the sorted entries, whatever the buckets' sizes: a witness of ones is one
   bucket with all the points, and takes no longer. What slices cut is joined in a few rounds.
3. The sums S of buckets 1 … 2^(c−1) become Σ b·S[b] by halving: a round takes pairs of buckets together and sets apart
   the odd ones, whose sum counts 2^round times; the sums of those set apart are halved along. So after c − 1 rounds of
   one addition each, 2·2^(c−1) additions in all, a sum for each bit is left.
4. The host weighs these with powers of two: as many doublings as the sets of buckets have bits.

With a table of the points' multiples, made once for all sums (:class:`Bases`), windows share buckets: less of step 3,
and wider windows. How many windows and levels of the table is chosen by cost within a budget of memory.

A scalar above r/2 is taken for a negative number, so points are of order r, as ``Engine`` has it. Running time depends
on the scalars; docs/security.md names that.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from aitbc_rollup.algebra.jit import checked
from aitbc_rollup.algebra.limbs import Limbs

from . import plan as plans
from .device import Array, Device
from .plan import SumPlan
from .points import AFFINE_WORDS, SUM_WORDS, Group, launch, normalise, weigh
from .sort import sorted_digits


class Slices(NamedTuple):
    """How entries are shared out: threads that a multiprocessor runs at a time, waves of them, at least so many entries
    for each; and how many partial sums are joined at a time."""

    threads: int
    least: int = 8
    entries: int = 1024
    waves: int = 4
    fan: int = 4

    def number(self, device: Device, entries: int) -> int:
        """Number of slices: whole waves, more of them if each slice then still has its ``entries``."""
        wave = self.threads * device.multiprocessors
        waves = min(max(entries // (wave * self.entries), 1), self.waves)
        return min(waves * wave, -(-max(entries, 1) // self.least))

    def nbytes(self, device: Device, group: Group) -> int:
        """Memory of the partial sums and their keys, at most."""
        return 2 * self.waves * self.threads * device.multiprocessors * 8 * (SUM_WORDS * group + 1)


#: What the kernels' registers allow (``kernels/msm_g1.cu``, ``kernels/msm_g2.cu``).
SLICES: dict[Group, Slices] = {1: Slices(threads=512), 2: Slices(threads=256)}


class _Part(NamedTuple):
    """Some of the points: their table, level after level, and whose scalars are theirs."""

    table: Array
    scalars: slice
    live: Array | None


class Bases:
    """Points on a device, with as many multiples as pay and fit.

    Args:
        device: where they go.
        group: 1 for G1, 2 for G2.
        pieces: the points in order, arrays (k, 8·group), affine, *canonical*, Montgomery form; all zero is infinity,
            for which nothing is kept.
        budget_bytes: memory that the table and one sum may take; what the device has left if not given.
        levels: how many levels the table may have at most.
        plan: a plan that is used in place of the best one.
        slices: how entries are shared out.

    Raises:
        ResourceError: the points do not fit into the budget.
        ValueError: a piece has another shape or dtype.
    """

    def __init__(
        self,
        device: Device,
        group: Group,
        pieces: Iterable[Limbs],
        budget_bytes: int | None = None,
        *,
        levels: int | None = None,
        plan: SumPlan | None = None,
        slices: Slices | None = None,
    ) -> None:
        self._device, self._group, self._slices = device, group, slices or SLICES[group]
        budget = device.free if budget_bytes is None else budget_bytes
        points, live, self.length = _upload(device, group, pieces)
        count = sum(map(len, points))
        self.plan = plan or plans.choose(count, group, max(budget - self._slices.nbytes(device, group), 0), levels)
        size = max(-(-count // self.plan.parts), 1)
        cuts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
        self._parts = [self._part(points, live, cut) for cut in cuts]

    @property
    def nbytes(self) -> int:
        """Memory that the points and their multiples take."""
        return sum(part.table.nbytes + (0 if part.live is None else part.live.nbytes) for part in self._parts)

    def sum(self, scalars: Array) -> Array:
        """Queue Σ scalars[i]·points[i]; :meth:`finish` has the result.

        Args:
            scalars: *canonical*, on the device, shape (n, 4).

        Raises:
            ValueError: there are not as many scalars as points.
        """
        if len(scalars) != self.length:
            raise ValueError(f"expected {self.length} scalars, got {len(scalars)}")
        digits, parts = self.plan.digits, len(self._parts)
        out = self._device.empty((parts, digits.sets, digits.window_bits, SUM_WORDS * self._group), np.uint64)
        for i, part in enumerate(self._parts):
            self._halve(out[i], self._buckets(part, scalars))
        count = parts * digits.sets * digits.window_bits
        launch(self._device, self._group, "canonical_points", count, out, np.uint32(count))
        return out

    def finish(self, sums: Array) -> Limbs:
        """The point that a :meth:`sum` amounts to, affine, shape (8·group,); waits for the device."""
        return weigh(self._group, self._device.download(sums))

    def _buckets(self, part: _Part, scalars: Array) -> Array:
        """The sums of a part's buckets, shape (keys, 16·group)."""
        device, words = self._device, SUM_WORDS * self._group
        own = scalars if part.live is not None else scalars[part.scalars]
        keys, entries, count = sorted_digits(device, own, self.plan.digits, part.live)
        slices = self._slices.number(device, len(keys))
        buckets = device.zeros((self.plan.digits.keys, words), np.uint64)
        partials, partial_keys = device.empty((2 * slices, words), np.uint64), device.empty(2 * slices, np.uint32)
        queue = functools.partial(launch, device, self._group)
        slicing = (keys, entries, count, np.uint32(slices), np.uint32(self._slices.least))
        queue("sum_slices", slices, buckets, partials, partial_keys, part.table, *slicing)
        starts, n, fan = device.empty(2 * slices, np.uint32), np.uint32(2 * slices), np.uint32(self._slices.fan)
        queue("run_starts", 2 * slices, starts, partial_keys, n)
        stride = 1
        while stride < 2 * slices:
            queue("join_runs", 2 * slices, buckets, partials, partial_keys, starts, n, np.uint32(stride), fan)
            stride *= self._slices.fan
        return buckets

    def _halve(self, out: Array, buckets: Array) -> None:
        """Write the sums that :func:`.points.weigh` takes, (sets, c, 16·group), to ``out``; spoils ``buckets``."""
        digits, group = self.plan.digits, self._group
        here, there = buckets, self._device.empty(buckets.shape, np.uint64)
        for lists in range(1, digits.window_bits):
            half = digits.buckets >> lists
            if half == 1:
                there = out
            count = digits.sets * (lists + 1) * half
            launch(self._device, group, "halve_lists", count, there, here, *map(np.uint32, (lists, half, count)))
            here, there = there, here

    def _part(self, points: list[Array], live: Array | None, cut: slice) -> _Part:
        """A part's table, from the pieces its points are in; of one piece and one level it is these points."""
        device, group, digits = self._device, self._group, self.plan.digits
        n, own_live = cut.stop - cut.start, None if live is None else live[cut]
        if len(points) == digits.levels == 1:
            return _Part(points[0][cut], cut, own_live)
        table = device.empty((digits.levels * n, AFFINE_WORDS * group), np.uint64)
        at = 0
        for piece in points:
            own = piece[max(cut.start - at, 0) : max(cut.stop - at, 0)]
            to = table[max(at - cut.start, 0) :]
            launch(device, group, "copy_points", len(own), to, own, np.uint32(len(own)))
            at += len(piece)
        self._fill(table.reshape(digits.levels, n, -1))
        return _Part(table, cut, own_live)

    def _fill(self, table: Array) -> None:
        """Make all levels of a table, (levels, n, 8·group), from the first, a piece of the points at a time."""
        device, group = self._device, self._group
        more, n, words = len(table) - 1, table.shape[1], AFFINE_WORDS * group
        step = max(plans.PIECE // max(more, 1), 1)
        for start in range(0, n if more else 0, step):
            count = min(step, n - start)
            size, doublings = np.uint32(count), np.uint32(self.plan.digits.shift)
            sums = device.empty((more * count, SUM_WORDS * group), np.uint64)
            points = device.empty((more, count, words), np.uint64)
            launch(device, group, "table_levels", count, sums, table[0][start:], size, doublings, np.uint32(more))
            normalise(device, group, points, sums)
            for level in range(more):
                launch(device, group, "copy_points", count, table[level + 1][start:], points[level], size)
            del sums, points  # before the next ones take as much again


def msm(device: Device, group: Group, points: Limbs, scalars: Array) -> Limbs:
    """Σ scalars[i]·points[i], affine, shape (8·group,), for points that are used once: host points, device scalars."""
    bases = Bases(device, group, [points], levels=1)
    return bases.finish(bases.sum(scalars))


def _upload(device: Device, group: Group, pieces: Iterable[Limbs]) -> tuple[list[Array], Array | None, int]:
    """The points that are not infinity; which ones they are, unless all; and how many there were."""
    arrays, places, length = [], [], 0
    for piece in pieces:
        there = checked(piece, None, AFFINE_WORDS * group).any(axis=1)
        arrays.append(device.upload(piece if there.all() else piece[there]))
        places.append(np.flatnonzero(there) + length)
        length += len(piece)
    if sum(map(len, places)) == length:
        return arrays, None, length
    return arrays, device.upload(np.concatenate(places).astype(np.uint32)), length
