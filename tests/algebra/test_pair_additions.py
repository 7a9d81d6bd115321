"""Additions of pairs in lanes: every kind of pair, in every lane, against the textbook, in both groups."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra import simd
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, P
from aitbc_rollup.algebra.jit import kernel
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.algebra.simd.additions import Batch, add_pairs_g1, add_pairs_g2, batch_words

RNG = random.Random(21)
GROUPS = {
    1: SimpleNamespace(add=curve.g1_add, neg=curve.g1_neg, base=G1_GENERATOR),
    2: SimpleNamespace(add=curve.g2_add, neg=curve.g2_neg, base=G2_GENERATOR),
}
GUARD = 0x5A5A5A5A5A5A5A5A


def flat(group: int, point: Any) -> list[int]:
    """Coordinates, none of them a pair; infinity is all 0."""
    if point is None:
        return [0] * 2 * group
    return list(point) if group == 1 else [part for coordinate in point for part in coordinate]


def rows(group: int, points: list[Any]) -> np.ndarray[Any, Any]:
    """Rows as kernels compute with them; every other one not reduced, as results may be."""
    numbers = []
    for i, point in enumerate(points):
        for number in flat(group, point):
            inside = (number << simd.RADIX) % P
            numbers.append(inside + P if i % 2 and number and inside < P // 4 and simd.LANES > 1 else inside)
    return to_limbs(numbers).reshape(-1, 8 * group)


def points(group: int, array: np.ndarray[Any, Any]) -> list[Any]:
    """The way back."""
    inverse = pow(1 << simd.RADIX, -1, P)
    out: list[Any] = []
    for row in array:
        numbers = [value * inverse % P for value in from_limbs(row.reshape(-1, 4))]
        if not row.any():
            out.append(None)
        else:
            out.append(tuple(numbers) if group == 1 else (tuple(numbers[:2]), tuple(numbers[2:])))
    return out


@kernel
def add_pairs(
    group: int, left: int, right: int, sums: int, chain: int, cases: int, spare: int, count: int, ahead: int, n: int
) -> None:
    batch = Batch(left, right, sums, chain, cases, spare)
    if group == 1:
        add_pairs_g1(batch, count, ahead, n)
    else:
        add_pairs_g2(batch, count, ahead, n)


def add_all(
    group: int, pairs: list[tuple[int, int, bool, bool]], points_in: np.ndarray[Any, Any], in_place: bool
) -> Any:
    """Rows of sums of pairs (left index, right index, negative?, negative?); fails if anything else is written."""
    count = len(pairs)
    sums = np.full((count + 1, 8 * group), GUARD, np.uint64)
    if in_place:
        for k, (left, *_) in enumerate(pairs):
            sums[k] = points_in[left]
    parts = [np.full(words + 8, GUARD, np.uint64) for words in batch_words(group, count)]

    def at(index: int) -> int:
        return points_in.ctypes.data + 64 * group * index

    for k, (left, right, left_sign, right_sign) in enumerate(pairs):
        own = sums.ctypes.data + 64 * group * k
        parts[0][k] = (own if in_place else at(left)) + left_sign
        parts[1][k] = at(right) + right_sign
        parts[2][k] = own
    batch = [part.ctypes.data for part in parts]
    ahead = np.array([at(0), at(len(points_in) - 1), 0], np.uint64)
    simd.run(add_pairs, group, *batch, count, ahead.ctypes.data, len(ahead))
    assert all((part[words:] == GUARD).all() for part, words in zip(parts, batch_words(group, count), strict=True))
    assert (sums[count] == GUARD).all()
    return sums[:count]


def check(group: int, points_in: list[Any], pairs: list[tuple[int, int, bool, bool]], in_place: bool = False) -> None:
    g = GROUPS[group]
    got = points(group, add_all(group, pairs, rows(group, points_in), in_place))
    for (left, right, left_sign, right_sign), total in zip(pairs, got, strict=True):
        p, q = points_in[left], points_in[right]
        assert total == g.add(g.neg(p) if left_sign else p, g.neg(q) if right_sign else q)


def some(group: int, count: int) -> list[Any]:
    """Infinity, then multiples 1 … of the generator, each also as a second copy and negated."""
    g, out, point = GROUPS[group], [None], None
    for _ in range(count):
        point = g.add(point, g.base)
        out += [point, point, g.neg(point)]
    return out


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("in_place", [False, True])
def test_every_kind_of_pair(group: int, in_place: bool) -> None:
    """Shuffled, so that ordinary and exceptional pairs meet in a register, at all its lanes."""
    known = some(group, 3)
    signs = [(a, b) for a in (False, True) for b in (False, True)]
    pairs = [(i, j, a, b) for i in range(len(known)) for j in range(len(known)) for a, b in signs]
    RNG.shuffle(pairs)
    check(group, known, pairs, in_place)


@pytest.mark.parametrize("group", [1, 2])
def test_every_count(group: int) -> None:
    known = some(group, 4)
    for count in range(2 * simd.LANES + 2):
        check(group, known, [(1 + k % 9, 4 + k % 7, False, True) for k in range(count)])


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("kind", [(4, 1), (1, 2), (1, 3), (0, 4), (4, 0), (0, 0)])
def test_one_kind_alone(group: int, kind: tuple[int, int]) -> None:
    check(group, some(group, 2), [(*kind, False, False)] * (3 * simd.LANES))


@pytest.mark.parametrize("group", [1, 2])
def test_a_difference_that_only_looks_like_zero(group: int) -> None:
    """Its lowest 52 bits, which the quick look takes, are those of a multiple of p. (The points are on no curve.)"""
    pairs, known = [], []
    for k in range(simd.LANES + 1):
        x, y, other = (RNG.randrange(P) for _ in range(3))
        # What lies in memory is x·2^RADIX: step by 2^52 there.
        step = (1 << 52) * (k + 1) * pow(1 << simd.RADIX, -1, P) % P
        if group == 1:
            known += [(x, y), ((x + step) % P, other)]
        else:
            known += [((x, 5), (y, 6)), (((x + step) % P, 5), (other, 7))]
        pairs += [(2 * k, 2 * k + 1, bool(k % 2), False), (2 * k + 1, 2 * k, False, False)]
    check(group, known, pairs)
