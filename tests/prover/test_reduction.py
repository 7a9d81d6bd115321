"""Buckets of every size, of ordinary and exceptional points, in lists of every length; nothing written beside them."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra import g1, g2, simd
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR
from aitbc_rollup.algebra.jit import kernel
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.algebra.simd.additions import Batch
from aitbc_rollup.prover.cpu.groups import Group
from aitbc_rollup.prover.cpu.points import pack, unpack_point
from aitbc_rollup.prover.cpu.reduction import Adding, Room, room_words, sum_buckets, weigh

GUARD = 0x5A5A5A5A5A5A5A5A
#: Points are multiples −20 … 20 of the generator, without 0; sums are told by a table of small multiples.
MULTIPLES = [k for k in range(-20, 21) if k]
MAX = 4000


def _table(group: Group) -> tuple[Limbs, dict[bytes, int]]:
    generator: Any = G1_GENERATOR if group == 1 else G2_GENERATOR
    add: Any = curve.g1_add if group == 1 else curve.g2_add
    arrays = g1 if group == 1 else g2
    multiples: list[Any] = [None]
    for _ in range(MAX if group == 1 else MAX // 4):
        multiples.append(add(multiples[-1], generator))
    rows = arrays.to_array(multiples)
    half = len(rows)
    negatives = arrays.to_array(
        [None if p is None else (curve.g1_neg if group == 1 else curve.g2_neg)(p) for p in multiples]
    )
    names = {rows[k].tobytes(): k for k in range(half)} | {negatives[k].tobytes(): -k for k in range(1, half)}
    base = np.stack([rows[k] if k > 0 else negatives[-k] for k in MULTIPLES])
    return pack(group, base).points, names


@pytest.fixture(scope="module", params=[1, 2])
def known(request: pytest.FixtureRequest) -> Any:
    return request.param, *_table(request.param)


@kernel
def run_sum_buckets(
    group: int, most: int, rows: int, references: int, counts: int, buckets: int, out: int,
    left: int, right: int, sums: int, chain: int, cases: int, spare: int, waiting: int, runs: int, pool: int,
) -> None:  # fmt: skip
    room = Room(Batch(left, right, sums, chain, cases, spare), waiting, runs, pool)
    sum_buckets(Adding(group, most), room, rows, references, counts, buckets, out)


@kernel
def run_weigh(
    group: int, most: int, rows: int, width: int, windows: int, references: int, counts: int, out: int,
    left: int, right: int, sums: int, chain: int, cases: int, spare: int, waiting: int, runs: int, pool: int,
) -> None:  # fmt: skip
    room = Room(Batch(left, right, sums, chain, cases, spare), waiting, runs, pool)
    weigh(Adding(group, most), room, rows, width, windows, references, counts, out)


class Guarded:
    """Scratch with guards between its parts."""

    def __init__(self, group: Group, most: int) -> None:
        words = room_words(group, most)
        sizes = [*words.batch, words.waiting, words.runs, words.pool]
        self.parts = [np.full(size + 16, GUARD, np.uint64) for size in sizes]
        self.places = [part.ctypes.data + 64 for part in self.parts]

    def check(self) -> None:
        assert all((part[:8] == GUARD).all() and (part[-8:] == GUARD).all() for part in self.parts)


def names_of(group: Group, rows: Limbs, names: dict[bytes, int]) -> list[int]:
    out = np.empty((len(rows), 8 * group), np.uint64)
    for i in range(len(rows)):
        unpack_point(group, out.ctypes.data + 64 * group * i, rows.ctypes.data + 64 * group * i)
    return [names[row.tobytes()] for row in out]


def check_buckets(known: Any, most: int, buckets: list[list[int]]) -> None:
    """``buckets`` list the multiples in each: negative ones as the negative's row or with a sign, in turn."""
    group, points, names = known
    references = []
    for i, multiple in enumerate(m for bucket in buckets for m in bucket):
        turned = i % 3 == 0
        references.append(2 * MULTIPLES.index(-multiple if turned else multiple) + turned)
    listed = np.array([*references, 0], np.uint32)
    counts = np.array([*(len(bucket) for bucket in buckets), 0], np.uint32)
    sums = np.full((len(buckets) + 1, 8 * group), GUARD, np.uint64)
    scratch = Guarded(group, most)
    simd.run(
        run_sum_buckets, group, most, points.ctypes.data, listed.ctypes.data, counts.ctypes.data, len(buckets),
        sums.ctypes.data, *scratch.places,
    )  # fmt: skip
    scratch.check()
    assert (sums[-1] == GUARD).all()
    assert names_of(group, sums[:-1], names) == [sum(bucket) for bucket in buckets]


@pytest.mark.parametrize("most", [2, 3, 8, 64])
@pytest.mark.parametrize(
    "buckets",
    [
        pytest.param([], id="none"),
        pytest.param([[], [], []], id="empty ones"),
        pytest.param([[5]], id="one point"),
        pytest.param([[-1], [], [2], [3, 4], [], [5, 6, 7], [1, 2, 3, 4]], id="small ones"),
        pytest.param([[3] * n for n in range(20)], id="one point repeated"),
        pytest.param([[7, -7] * n for n in range(12)], id="opposite points"),
        pytest.param([[7, -7, 7] * n for n in range(12)], id="infinity meets a point"),
        pytest.param([[4, -4, -4, 4, 9, -9, 9] * 9], id="infinities in one bucket"),
        pytest.param([[1, 2, 4, 8, 16] * 9, [], [1]], id="doublings"),
        pytest.param([[1]] * 150, id="single points"),
        pytest.param([[]] * 40 + [[1, 2]] * 40 + [[]] * 40, id="gaps"),
    ],
)
def test_buckets(known: Any, most: int, buckets: list[list[int]]) -> None:
    check_buckets(known, most, buckets)


@pytest.mark.parametrize("most", [2, 3, 5, 16, 100])
@pytest.mark.parametrize("few", [False, True], ids=["points differ", "points repeat"])
def test_random_buckets(known: Any, most: int, few: bool) -> None:
    rng = random.Random(most)
    choice = [1, -1, 2] if few else MULTIPLES
    sizes = [rng.choice([0, 1, 1, 2, 3, rng.randrange(9), rng.randrange(60)]) for _ in range(60)]
    check_buckets(known, most, [[rng.choice(choice) for _ in range(size)] for size in sizes])


@pytest.mark.parametrize("most", [2, 7, 64])
def test_one_bucket_holds_nearly_all(known: Any, most: int) -> None:
    rng = random.Random(6)
    check_buckets(known, most, [[2], [rng.choice(MULTIPLES) for _ in range(700)], [1, 1]])
    check_buckets(known, most, [[1] * 900])


@pytest.mark.parametrize("width", range(1, 7))
@pytest.mark.parametrize("windows", [1, 3])
@pytest.mark.parametrize("kind", ["all", "few", "one", "cancelling"])
def test_weighted_sums(known: Any, width: int, windows: int, kind: str) -> None:
    """Σ 2^b·U[b] = Σ k·S[k]."""
    group, points, names = known
    rng = random.Random(width)
    half = 1 << width - 1
    draw = {
        "all": lambda k: rng.choice(MULTIPLES),
        "few": lambda k: rng.choice([0, 0, 0, 0, 1, -1]),
        "one": lambda k: 3 * (k == half),
        "cancelling": lambda k: 5 * (-1) ** k,
    }[kind]
    sums = [[0] + [draw(k) for k in range(1, half + 1)] for _ in range(windows)]
    rows = np.zeros((windows * (half + 1) + 1, 8 * group), np.uint64)
    for row, multiple in zip(rows, (m for window in sums for m in window), strict=False):
        if multiple:
            row[:] = points[MULTIPLES.index(multiple)]
    rows[-1] = GUARD
    references = np.full(windows * (half + 1) + 1, GUARD & 0xFFFFFFFF, np.uint32)
    counts = np.full(windows * width + 1, GUARD & 0xFFFFFFFF, np.uint32)
    out = np.full((windows * width + 1, 8 * group), GUARD, np.uint64)
    scratch = Guarded(group, 4)
    simd.run(
        run_weigh, group, 4, rows.ctypes.data, width, windows, references.ctypes.data, counts.ctypes.data,
        out.ctypes.data, *scratch.places,
    )  # fmt: skip
    scratch.check()
    assert (rows[-1] == GUARD).all() and (out[-1] == GUARD).all()
    assert references[-1] == counts[-1] == GUARD & 0xFFFFFFFF
    bits = np.array(names_of(group, out[:-1], names)).reshape(windows, width)
    for window, of_bits in zip(sums, bits, strict=True):
        expected = [sum(m for k, m in enumerate(window) if k >> b & 1) for b in range(width)]
        assert of_bits.tolist() == expected
