"""Multi-scalar multiplication on every device at hand: every path of it at small sizes, exact to the bit."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from shim_device import ShimDevice

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.errors import ResourceError
from aitbc_rollup.gpu import plan as plans
from aitbc_rollup.gpu import program
from aitbc_rollup.gpu.device import Device
from aitbc_rollup.gpu.msm import Bases, Slices, msm
from aitbc_rollup.gpu.plan import DigitPlan, SumPlan
from aitbc_rollup.gpu.points import Group

GENERATORS = {1: g1.to_array([G1_GENERATOR]), 2: g2.to_array([G2_GENERATOR])}
#: Few slices and short ones: runs are cut, some several times, and partial sums are joined in many rounds.
SHORT = Slices(threads=64, least=3, fan=2)


def multiples(group: Group, factors: list[int]) -> Limbs:
    """The generator times each factor."""
    multiply = g1.multiply if group == 1 else g2.multiply
    return multiply(np.repeat(GENERATORS[group], len(factors), axis=0), to_limbs(k % R for k in factors))


def check(
    device: Device, group: Group, factors: list[int], scalars: list[int], digits: DigitPlan, parts: int = 1, **how: Any
) -> None:
    """Σ scalars[i]·factors[i]·G, the points in two pieces."""
    points = multiples(group, factors)
    middle = len(points) // 3
    bases = Bases(device, group, [points[:middle], points[middle:]], plan=SumPlan(digits, parts), **how)
    got = bases.finish(bases.sum(device.upload(to_limbs(scalars))))
    expected = multiples(group, [sum(k * s for k, s in zip(factors, scalars, strict=True))])[0]
    assert got.tolist() == expected.tolist()


def draw(seed: int, n: int) -> tuple[list[int], list[int]]:
    """Factors of points that repeat, are opposite and infinite, and scalars with the edges of the digits."""
    rng = random.Random(seed)
    factors = [rng.choice([1, -1, 2, 0, 7, R - 7, rng.randrange(R)]) for _ in range(n)]
    edges = [0, 1, R - 1, R // 2, R // 2 + 1, R // 2 - 1, 2, R - 2, 1 << 253, (1 << 253) - 1]
    return factors, [rng.choice([*edges, rng.randrange(R), rng.randrange(R)]) for _ in range(n)]


CASES = [(2, 1, 1), (3, 5, 2), (5, 1, 1), (6, 43, 1), (7, 4, 3), (9, 29, 1)]


@pytest.mark.parametrize(("bits", "levels", "parts"), CASES)
def test_sums_in_g1(device: Device, bits: int, levels: int, parts: int) -> None:
    factors, scalars = draw(bits, 60)
    check(device, 1, factors, scalars, DigitPlan.of(bits, levels), parts, slices=SHORT)


@pytest.mark.parametrize(("bits", "levels", "parts"), [(4, 2, 2), (6, 43, 1)])
def test_sums_in_g2(device: Device, bits: int, levels: int, parts: int) -> None:
    factors, scalars = draw(bits, 30)
    check(device, 2, factors, scalars, DigitPlan.of(bits, levels), parts, slices=SHORT)


@pytest.mark.parametrize("seed", [0, 1, 5])
@pytest.mark.parametrize("slices", [SHORT, Slices(threads=64, least=1, fan=4), Slices(threads=1, least=500, fan=3)])
def test_slices_of_any_length_in_any_order(seed: int, slices: Slices) -> None:
    factors, scalars = draw(seed, 60)
    check(ShimDevice(seed), 1, factors, scalars, DigitPlan.of(4), slices=slices)


@pytest.mark.parametrize("scalar", [0, 1, R - 1, R // 2, 0b10001 << 16])
def test_equal_scalars_are_one_bucket_a_window(device: Device, scalar: int) -> None:
    """A run through all slices, which every round of joining shortens; zeros leave nothing at all."""
    rng = random.Random(scalar)
    factors = [rng.randrange(R) for _ in range(300)]
    check(device, 1, factors, [scalar] * 300, DigitPlan.of(16, 16), slices=SHORT)


@pytest.mark.parametrize("factors", [[5] * 40, [5, -5] * 20, [0] * 40, [0] * 39 + [3], [3] + [0] * 39, [2, 1, 1] * 13])
def test_equal_opposite_and_infinite_points(device: Device, factors: list[int]) -> None:
    check(device, 1, factors, [R - 3] * len(factors), DigitPlan.of(3, 2), slices=SHORT)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 20])
def test_the_plan_of_few_points(device: Device, n: int) -> None:
    """As the points come, with a table of many levels, and without."""
    factors, scalars = draw(n, n)
    points, on_device = multiples(1, factors), device.upload(to_limbs(scalars))
    expected = multiples(1, [sum(k * s for k, s in zip(factors, scalars, strict=True))])[0]
    bases = Bases(device, 1, [points])
    assert bases.finish(bases.sum(on_device)).tolist() == expected.tolist()
    assert msm(device, 1, points, on_device).tolist() == expected.tolist()


def test_a_table_is_made_piece_by_piece(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aitbc_rollup.gpu.plan.PIECE", 20)
    factors, scalars = draw(9, 30)
    check(device, 1, factors, scalars, DigitPlan.of(12, 7))


def test_only_what_is_there_is_kept(device: Device) -> None:
    """Infinity takes no room; a table of four levels takes that of four times the points."""
    points = multiples(1, [1, 0, 2, 0, 3])
    plan = SumPlan(DigitPlan.of(8, 4), 1)
    assert Bases(device, 1, [points], plan=plan).nbytes == 3 * 4 * 64 + 3 * 4
    assert Bases(device, 1, [points[::2].copy()], plan=plan).nbytes == 3 * 4 * 64
    with pytest.raises(ValueError, match="expected 5 scalars, got 4"):
        Bases(device, 1, [points], plan=plan).sum(device.zeros((4, 4), np.uint64))


def test_a_plan_is_the_best_that_fits() -> None:
    points = 1 << 20
    rich, poor = plans.choose(points, 1, 1 << 34), plans.choose(points, 1, 400 << 20)
    assert rich.digits.sets == 1
    assert rich.parts == 1
    for plan in (rich, poor):
        assert plans.memory(points, 1, plan) <= 1 << 34
    assert plans.memory(points, 1, poor) <= 400 << 20
    assert poor.digits.levels < rich.digits.levels
    assert plans.choose(points, 1, 1 << 34, levels=1).digits.levels == 1
    # More points have wider windows, and none needs more room than an entry has bits.
    widths = [plans.choose(1 << k, 1, 1 << 40).digits.window_bits for k in range(8, 27, 2)]
    assert widths == sorted(widths)
    plan = plans.choose(1 << 26, 2, 1 << 40)
    assert (1 << 26) // plan.parts * plan.digits.levels <= 1 << 31
    with pytest.raises(ResourceError, match="do not fit into the GPU's memory"):
        plans.choose(points, 2, 100 << 20)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("u32 i = (u32)begin, end = min(n - i, length) + i", "u32 i = (u32)begin, end = min(n - i, length + 1) + i"),
        ("out[i] = from[1];", "out[i] = from[0];"),
    ],
)
def test_a_broken_kernel_is_noticed(right: str, wrong: str) -> None:
    text = program.source("msm_g1").replace('#include "msm.cuh"', program.headers()["msm.cuh"])
    assert text.count(right) == 1
    factors, scalars = draw(5, 60)
    broken = ShimDevice(sources={"msm_g1": text.replace(right, wrong)})
    with pytest.raises(AssertionError):
        check(broken, 1, factors, scalars, DigitPlan.of(5, 1), slices=SHORT)
