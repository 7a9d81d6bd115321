"""Sorted bucket entries on every device at hand, against plain integers and numpy's sort."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from shim_device import ShimDevice

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import to_limbs
from aitbc_rollup.gpu import program
from aitbc_rollup.gpu.device import Device
from aitbc_rollup.gpu.plan import DigitPlan
from aitbc_rollup.gpu.sort import radix_widths, sorted_digits

Pairs = tuple[NDArray[np.uint32], NDArray[np.uint32]]


def signed_digits(k: int, plan: DigitPlan) -> list[int]:
    sign, k = (-1, R - k) if k > R // 2 else (1, k)
    digits = []
    for _ in range(plan.windows):
        d = k % (1 << plan.window_bits)
        d -= (d > plan.buckets) << plan.window_bits
        k = (k - d) >> plan.window_bits
        digits.append(sign * d)
    assert k == 0
    return digits


@cache
def expected(scalars: tuple[int, ...], plan: DigitPlan) -> Pairs:
    """Keys and entries, equal keys by entry."""
    pairs = []
    for i, k in enumerate(scalars):
        digits = signed_digits(k, plan)
        assert (sum(d << plan.window_bits * w for w, d in enumerate(digits)) - k) % R == 0
        for w, d in enumerate(digits):
            level, bucket_set = divmod(w, plan.sets)
            if d:
                pairs.append((bucket_set * plan.buckets + abs(d) - 1, i + len(scalars) * level | (d < 0) << 31))
    return by_entry(*np.array(pairs, np.uint32).reshape(-1, 2).T)


def by_entry(keys: NDArray[np.uint32], entries: NDArray[np.uint32]) -> Pairs:
    order = np.lexsort((entries, keys))
    return keys[order], entries[order]


def sort(device: Device, scalars: list[int], plan: DigitPlan, live: list[int] | None = None) -> Pairs:
    indices = None if live is None else device.upload(np.array(live, np.uint32))
    got = sorted_digits(device, device.upload(to_limbs(scalars)), plan, indices)
    count = int(device.download(got.count)[0])
    assert len(got.keys) == len(got.entries) == plan.windows * len(scalars if live is None else live)
    return device.download(got.keys)[:count], device.download(got.entries)[:count]


def check(device: Device, scalars: list[int], plan: DigitPlan) -> Pairs:
    keys, entries = sort(device, scalars, plan)
    assert (np.diff(keys.astype(np.int64)) >= 0).all()
    for got, want in zip(by_entry(keys, entries), expected(tuple(scalars), plan), strict=True):
        np.testing.assert_array_equal(got, want)
    return keys, entries


def random_scalars(n: int) -> list[int]:
    rng = random.Random(n)
    return [rng.randrange(R) for _ in range(n)]


EDGES = [0, 1, 2, R - 1, R - 2, R // 2, R // 2 + 1, R // 2 - 1, 1 << 253, (1 << 253) - 1, 0xFFFFFFFF, R >> 1 << 1]


@pytest.mark.parametrize(
    "plan", [DigitPlan.of(2), DigitPlan.of(8), DigitPlan.of(13, 5), DigitPlan.of(16, 16), DigitPlan.of(30, 5)], ids=str
)
def test_edges_in_every_plan(device: Device, plan: DigitPlan) -> None:
    halves = [sum(1 << (plan.window_bits * w + plan.window_bits - 1) for w in range(250 // plan.window_bits))]
    check(device, EDGES + halves + [value + 1 for value in halves] + random_scalars(30), plan)


@pytest.mark.parametrize("value", [0, 1, R - 1, R // 2, R // 2 + 1])
def test_the_same_scalar_over_and_over(device: Device, value: int) -> None:
    check(device, [value] * 700, DigitPlan.of(16, 4))


@pytest.mark.parametrize("n", [0, 1, 31, 32, 33, 255, 256, 257])
def test_lengths_about_a_tile(device: Device, n: int) -> None:
    """At 16 windows 256 scalars fill a tile of the first pass, and their 4,096 entries, almost, one of the second."""
    check(device, random_scalars(n), DigitPlan.of(16, 16))


def test_no_order_depends_on_the_threads() -> None:
    """Blocks of several tiles, and the last one's cut short; few keys, so that equal digits abound."""
    scalars = random_scalars(400) + [5, R - 5] * 150 + random_scalars(401)
    plan = DigitPlan.of(12, 22)
    first, *others = in_every_order(scalars, plan)
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_live_scalars_are_numbered_anew(device: Device) -> None:
    scalars, plan = random_scalars(50), DigitPlan.of(11, 3)
    live = [49, 3, 17, 3, 0]
    got = by_entry(*sort(device, scalars, plan, live))
    for array, want in zip(got, expected(tuple(scalars[i] for i in live), plan), strict=True):
        np.testing.assert_array_equal(array, want)


@pytest.mark.parametrize("plan", [DigitPlan.of(2), DigitPlan.of(13, 5), DigitPlan.of(16, 16)], ids=str)
def test_what_is_no_scalar_stays_within_the_buckets(device: Device, plan: DigitPlan) -> None:
    """The host refuses numbers from r on; if one came through, a sum would be wrong, but no memory."""
    rng = random.Random(3)
    wild = [R, R + 1, (1 << 256) - 1, 1 << 255, 3 * R // 2, *(rng.randrange(R, 1 << 256) for _ in range(40))]
    keys, entries = sort(device, wild, plan)
    assert keys.max() < plan.keys and (entries & 0x7FFFFFFF).max() < len(wild) * plan.levels


def test_passes_share_the_bits() -> None:
    assert [radix_widths(bits) for bits in (1, 8, 9, 19, 32)] == [[1], [8], [5, 4], [7, 6, 6], [8, 8, 8, 8]]


def test_plans_that_do_not_fit_are_refused(device: Device) -> None:
    scalars = device.upload(to_limbs([1]))
    for plan in (DigitPlan(16, 15, 1), DigitPlan(32, 8, 1), DigitPlan(1, 254, 1), DigitPlan(31, 9, 1)):
        with pytest.raises(ValueError, match=r"windows of|32 bits"):
            sorted_digits(device, scalars, plan)


@pytest.mark.parametrize(
    ("whole", "broken"),
    [
        ("d > 1u << (bits - 1)", "d >= 1u << (bits - 1)"),
        ("u32 total = 0;\n    __syncthreads();", "u32 total = 0;"),
        ("__syncthreads();\n    for (u32 j", "for (u32 j"),
        ("place += total;", ""),
        ("set) ^ ~set", "set)"),
    ],
)
def test_a_broken_kernel_is_noticed(whole: str, broken: str) -> None:
    text = program.source("sort").replace('#include "digits.cuh"', program.headers()["digits.cuh"])
    assert whole in text
    scalars = [8, R - 8] * 150 + random_scalars(30)
    with pytest.raises(AssertionError):
        in_every_order(scalars, DigitPlan.of(4, 4), text.replace(whole, broken))


def in_every_order(scalars: list[int], plan: DigitPlan, source: str | None = None) -> list[Pairs]:
    """Checked pairs, where a block has several tiles and its threads run in different orders."""
    results = []
    for seed in (0, 1, 5):
        device = ShimDevice(seed, None if source is None else {"sort": source})
        device.multiprocessors = 1
        results.append(check(device, scalars, plan))
    return results
