"""How a multi-scalar multiplication is cut into windows and tasks; what it takes and refuses; every vector path."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from repository import REPOSITORY

from aitbc_rollup.algebra import cpu, g1, g2, threads
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.prover.cpu import digits, fixed_base, plan
from aitbc_rollup.prover.cpu.groups import Group
from aitbc_rollup.prover.cpu.msm import msm, msm_packed
from aitbc_rollup.prover.cpu.points import pack

RNG = random.Random(22)


def multiples(group: Group, factors: list[int]) -> Limbs:
    if group == 1:
        return g1.to_array(curve.g1_mul(G1_GENERATOR, factor) for factor in factors)
    return g2.to_array(curve.g2_mul(G2_GENERATOR, factor) for factor in factors)


# -- digits ---------------------------------------------------------------------------------------------------

SCALARS = [0, 1, 2, R - 1, R, (1 << 255) - 1, 1 << 254, *((1 << k) + e for k in range(1, 255, 7) for e in (-1, 0, 1))]


@pytest.mark.parametrize("width", range(2, digits.MAX_WIDTH + 1))
def test_digits_are_the_scalars(width: int) -> None:
    scalars = SCALARS + [RNG.randrange(1 << 255) for _ in range(50)]
    cut = digits.cut(to_limbs(scalars), width, digits.windows(255, width)).astype(object)
    assert [sum(int(d) << width * w for w, d in enumerate(column)) for column in cut.T] == scalars
    half = 1 << width - 1
    assert cut.min() >= -half and cut[-1].min() >= 0 and cut.max() <= half


@pytest.mark.parametrize("width", [2, 7, 15, 16])
def test_as_few_windows_as_the_longest_scalar_needs(width: int) -> None:
    for bits in range(1, 255):
        scalars = [(1 << bits) - 1, 1 << bits - 1, 0, 1]
        cut = digits.cut(to_limbs(scalars), width, digits.windows(bits, width)).astype(object)
        assert [sum(int(d) << width * w for w, d in enumerate(column)) for column in cut.T] == scalars


def test_digits_and_lengths_at_wires() -> None:
    scalars, wires = to_limbs(SCALARS), np.array([5, 0, 7, 7, 20], np.uint32)
    assert (digits.cut(scalars, 9, 29, wires) == digits.cut(scalars, 9, 29)[:, wires]).all()
    lengths = digits.bit_lengths(scalars, wires)
    assert lengths.sum() == len(wires)
    assert sorted(np.repeat(np.arange(257), lengths)) == sorted(SCALARS[wire].bit_length() for wire in wires)


# -- tasks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 3, 16])
@pytest.mark.parametrize("points", [1, 100, 5000, 1 << 18])
@pytest.mark.parametrize("bits", [1, 30, 254])
def test_every_digit_is_in_one_task(monkeypatch: pytest.MonkeyPatch, workers: int, points: int, bits: int) -> None:
    monkeypatch.setattr(threads, "count", lambda: workers)
    lengths = np.zeros(257, np.int64)
    lengths[bits] = points
    width = plan.best_width(lengths)
    windows = plan.windows(lengths, width)
    assert len(windows) == digits.windows(bits, width)
    tasks = plan.shares(windows, width, points)
    covered = {}
    for task in tasks:
        for window in range(task.first, task.first + task.windows):
            covered.setdefault(window, []).append(task)
    assert sorted(covered) == list(range(len(windows)))
    for parts in covered.values():
        assert [part.part for part in parts] == list(range(len(parts)))
        assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
        assert parts[-1].stop == points


def test_threads_end_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """17 equal windows on two threads: the odd one is cut."""
    monkeypatch.setattr(threads, "count", lambda: 2)
    tasks = plan.shares([plan.Window(1 << 20, 1 << 20)] * 17, 15, 1 << 20)
    assert [task.stop - task.start for task in tasks] == [1 << 20] * 16 + [1 << 19] * 2
    assert [task.items for task in tasks] == [1 << 20] * 16 + [1 << 19] * 2


def test_a_window_that_outweighs_the_others_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: 2)
    tasks = plan.shares([plan.Window(1 << 20, 1 << 20)] + [plan.Window(1 << 16, 1 << 16)] * 3, 12, 1 << 20)
    assert [(task.first, task.start, task.stop) for task in tasks] == [
        (0, 0, 1 << 19), (0, 1 << 19, 1 << 20), *((window, 0, 1 << 20) for window in (3, 2, 1)),
    ]  # fmt: skip


@pytest.mark.parametrize("width", [2, 3, 5, 15, 16])
def test_no_more_digits_than_scratch_is_made_for(width: int) -> None:
    """Scalars next to the least ones that carry into a window are the worst."""
    scalars = [s for s in SCALARS if s]
    for window in range(1, 254 // width):
        least = (1 << width * window) - sum(1 << width * i + width - 1 for i in range(window))
        scalars += [least - 1, least, least + 1, (1 << width * window) - 1]
    for chosen in ([s for s in scalars if s.bit_length() <= bits] for bits in (*range(1, 40), 128, 255)):
        limbs = to_limbs(chosen)
        windows = plan.windows(digits.bit_lengths(limbs), width)
        cut = digits.cut(limbs, width, len(windows))
        assert all(np.count_nonzero(row) <= window.items for row, window in zip(cut, windows, strict=True))


def test_widths_grow_with_the_points_that_have_digits() -> None:
    def width(points: int, ones: int = 0) -> int:
        lengths = np.zeros(257, np.int64)
        lengths[254], lengths[1] = points, ones
        return plan.best_width(lengths)

    widths = [width(1 << k) for k in range(6, 24)]
    assert widths == sorted(widths)
    assert widths[0] < 8 and widths[-1] >= 15
    assert width(100, 1 << 20) <= width(1 << 20)


# -- what it takes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", [1, 2])
def test_points_may_lie_in_memory_that_cannot_be_written(group: Group, tmp_path: Path) -> None:
    packed = pack(group, multiples(group, [1, 2, 0, 3]))
    np.save(tmp_path / "points.npy", packed.points)
    mapped = packed._replace(points=np.load(tmp_path / "points.npy", mmap_mode="r"))
    scalars = to_limbs([9, 8, 7, R - 5])
    scalars.flags.writeable = False
    assert not mapped.points.flags.writeable
    assert (msm_packed(group, mapped, scalars) == multiples(group, [10])[0]).all()


def test_what_does_not_fit_is_refused() -> None:
    packed = pack(1, multiples(1, [1, 0, 3]))
    assert packed.wires is not None
    with pytest.raises(ValueError, match="scalars below"):
        msm_packed(1, packed, to_limbs([1 << 255, 0, 0]))
    with pytest.raises(ValueError, match="wire 3, of 3"):
        msm_packed(1, packed._replace(wires=packed.wires + np.uint32(1)), to_limbs([1, 2, 3]))
    with pytest.raises(ValueError, match="expected a C-contiguous"):
        msm_packed(1, packed._replace(wires=packed.wires[:1]), to_limbs([1, 2, 3]))


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_threads(group: Group, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: workers)
    factors = [RNG.choice([1, 2, 5, R - 1, 77, 0]) for _ in range(3000)]
    scalars = [RNG.choice([0, 1, 1, R - 1, RNG.randrange(R)]) for _ in factors]
    known = {factor: multiples(group, [factor])[0] for factor in set(factors)}
    got = msm(group, np.stack([known[factor] for factor in factors]), to_limbs(scalars))
    assert (got == multiples(group, [sum(f * s for f, s in zip(factors, scalars, strict=True)) % R])[0]).all()


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 40, 2600])
def test_multiples_of_the_generator(group: Group, count: int) -> None:
    """Of scalars at the ends, among others; as many as make several widths of the table, and several rounds of it."""
    few = [1, 0, R - 1, 2, (1 << 253) - 1, 1 << 200, RNG.randrange(R), (1 << 254) - 1]
    expected = multiples(group, few)
    which = [k * k % len(few) for k in range(count)]
    got = fixed_base.multiples(group, to_limbs(few[k] for k in which).reshape(-1, 4))
    assert (got == expected[which]).all()


def test_multiples_by_scalars_that_are_too_long_are_refused() -> None:
    with pytest.raises(ValueError, match="254 bits"):
        fixed_base.multiples(1, to_limbs([1, 1 << 254]))


# -- other paths ----------------------------------------------------------------------------------------------

MODULES = ["tests/algebra/test_pair_additions.py", "tests/prover/test_reduction.py", "tests/prover/test_msm_tasks.py"]


@pytest.mark.parametrize("path", [path for path in cpu.available() if path != cpu.chosen()])
@pytest.mark.skipif("AITBC_CPU" in os.environ, reason="this is such a run")
def test_on_the_other_paths(path: str) -> None:
    """The tests above on the paths that this process does not use: which one is chosen at import."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-k",
        "not ntt",
        *MODULES,
    ]
    run = subprocess.run(
        command, cwd=REPOSITORY, env={**os.environ, "AITBC_CPU": path}, capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-2000:]
