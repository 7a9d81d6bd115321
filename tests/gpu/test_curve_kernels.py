"""Fq2 and point addition on every device at hand, against the textbook's."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from shim_device import ShimDevice

from aitbc_rollup.algebra import g1
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, P
from aitbc_rollup.algebra.limbs import from_limbs, from_montgomery, to_limbs, to_montgomery
from aitbc_rollup.algebra.reference import tower
from aitbc_rollup.algebra.reference.curve import G1Point, g1_add, g1_mul, g1_neg
from aitbc_rollup.gpu import program
from aitbc_rollup.gpu.device import Device

#: Coordinates as they are kept: any value below 2p.
EDGES = [0, 1, P - 1, P, P + 1, 2 * P - 1, (1 << 254) - 1]


def launch(device: Device, kernel: str, words: int, *operands: Any) -> Any:
    n = len(operands[0])
    out = device.empty((n, words), np.uint64)
    arrays = [device.upload(operand) for operand in operands]
    device.launch("curve", kernel, 1 + n // 32, 32, out, *arrays, np.uint32(n))
    return device.download(out)


def pairs(values: list[int]) -> list[tuple[int, int]]:
    return list(zip(values[0::2], values[1::2], strict=True))


def quadratic(rng: random.Random) -> list[int]:
    """Elements, coordinate by coordinate: all pairs of edges, and random ones; shuffled."""
    elements = [(a, b) for a in EDGES for b in EDGES] + [
        (rng.randrange(2 * P), rng.randrange(2 * P)) for _ in range(30)
    ]
    rng.shuffle(elements)
    return [coordinate for element in elements for coordinate in element]


def test_quadratic_field(device: Device) -> None:
    rng = random.Random(3)
    operands = [quadratic(rng) for _ in range(4)]
    inverse = pow(1 << 256, -1, P)
    a, b, c, d = (pairs([value * inverse % P for value in operand]) for operand in operands)
    arrays = [to_limbs(operand).reshape(-1, 8) for operand in operands]
    products = [tower.fq2_mul(x, y) for x, y in zip(a, b, strict=True)]
    others = [tower.fq2_mul(x, y) for x, y in zip(c, d, strict=True)]
    for kernel, given, expected in [
        ("fq2_mul", arrays[:2], products),
        ("fq2_sqr", arrays[:1], [tower.fq2_sqr(x) for x in a]),
        ("fq2_cross", arrays, [tower.fq2_sub(x, y) for x, y in zip(products, others, strict=True)]),
        ("fq2_inverse", arrays[:1], [tower.fq2_inv(x) if any(x) else x for x in a]),
    ]:
        got = launch(device, kernel, 8, *given)
        assert pairs(from_montgomery(got, P)) == expected, kernel
        assert max(from_limbs(got)) < 2 * P, kernel


def test_largest_products(device: Device) -> None:
    """All coordinates at their bounds: the sums before reduction are as large, or as negative, as they get."""
    rng = random.Random(4)
    ends = [(x, y) for x in (1, 2 * P - 1) for y in (1, 2 * P - 1)]
    rows = [(a, b, c, d) for a in ends for b in ends for c in ends for d in ends]
    # Near the bound of all: what the reduction adds, below p, is then as if drawn.
    for _ in range(500):
        a, b, c, d = [(1 + rng.getrandbits(64), 1 + rng.getrandbits(64)) for _ in range(4)]
        a, b, d = [(2 * P - x, 2 * P - y) for x, y in (a, b, d)]
        rows.append((a, b, c, d))
    operands = [[value for row in rows for value in row[k]] for k in range(4)]
    got = launch(device, "fq2_cross", 8, *(to_limbs(operand).reshape(-1, 8) for operand in operands))
    inverse = pow(1 << 256, -1, P)
    expected = [tower.fq2_sub(tower.fq2_mul(a, b), tower.fq2_mul(c, d)) for a, b, c, d in rows]
    values = from_limbs(got)
    assert pairs([value % P for value in values]) == [(x * inverse % P, y * inverse % P) for x, y in expected]
    assert max(values) < 2 * P


def extended(rng: random.Random, points: list[G1Point]) -> Any:
    """Points as (X, Y, ZZ, ZZZ) with random denominators and representatives below 2p; uint64 (n, 16)."""
    coordinates: list[int] = []
    for point in points:
        z = rng.randrange(1, P)
        values = (0, 0, 0, 0) if point is None else (point[0] * z**2, point[1] * z**3, z**2, z**3)
        lifted = from_limbs(to_montgomery(values, P))
        coordinates += [value + P * rng.randrange(2) if point is not None else 0 for value in lifted]
    return to_limbs(coordinates).reshape(-1, 16)


def affine(sums: Any) -> list[G1Point]:
    """The points of extended ones."""
    values = from_montgomery(sums, P)
    points: list[G1Point] = []
    for x, y, zz, zzz in zip(*(values[k::4] for k in range(4)), strict=True):
        assert pow(zz, 3, P) == pow(zzz, 2, P)
        points.append((x * pow(zz, -1, P) % P, y * pow(zzz, -1, P) % P) if zz else None)
    return points


def meetings() -> tuple[list[G1Point], list[G1Point]]:
    """All pairs of some points: equal, opposite, double and infinite ones among them."""
    points: list[G1Point] = [None, *(g1_mul(G1_GENERATOR, k) for k in (1, 2, 3, 0x1234567890ABCDEF << 128))]
    points += [g1_neg(point) for point in points[1:]]
    return [a for a in points for _ in points], [b for _ in points for b in points]


def test_points(device: Device) -> None:
    rng = random.Random(5)
    left, right = meetings()
    sums = [g1_add(a, b) for a, b in zip(left, right, strict=True)]
    a, b = extended(rng, left), extended(rng, right)
    assert affine(launch(device, "g1_add", 16, a, b)) == sums
    assert affine(launch(device, "g1_add_affine", 16, a, g1.to_array(right))) == sums
    assert affine(launch(device, "g1_twice", 16, a)) == [g1_add(a, a) for a in left]


def whole(name: str, seen: set[str]) -> str:
    """A source with what it includes put in its place."""
    if name in seen:
        return ""
    seen.add(name)
    text = program.headers().get(name) or program.source(name.removesuffix(".cu"))
    return re.sub(r'#include "(.*)"', lambda match: whole(match[1], seen), text)


@pytest.mark.parametrize(
    ("right", "wrong", "noticed_by"),
    [
        ("bool nothing = Affine<F>::is_infinity(b);", "bool nothing = false;", test_points),
        ("fold_high(Fq::add_wide(crossed, both(e, d)))", "Fq::add_wide(crossed, both(e, d))", test_largest_products),
    ],
)
def test_a_broken_kernel_is_noticed(right: str, wrong: str, noticed_by: Callable[[Device], None]) -> None:
    text = whole("curve.cu", set())
    assert text.count(right) == 1
    with pytest.raises(AssertionError):
        noticed_by(ShimDevice(sources={"curve": text.replace(right, wrong)}))
