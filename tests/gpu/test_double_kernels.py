"""The field on 52-bit limbs in floating-point numbers, against plain integers."""

from __future__ import annotations

import random

import numpy as np
import pytest
from shim_device import ShimDevice

from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.gpu import program
from aitbc_rollup.gpu.device import Array, Device

FIELDS = {"fr": R, "fq": P}
PARTS, BITS = 5, 52
LARGEST = (1 << 259) - 1


def doubles(values: list[int]) -> Array:
    limbs = [[float(value >> BITS * k & (1 << BITS) - 1) for k in range(PARTS)] for value in values]
    return np.array(limbs, np.float64)


def raw(device: Device, kernel: str, pairs: list[tuple[int, int]]) -> list[int]:
    """As they stand in the five limbs, each of which must be an integer below 2^52."""
    a, b = (device.upload(doubles(list(column))) for column in zip(*pairs, strict=True))
    out = device.empty((len(pairs), PARTS), np.float64)
    device.launch("double", kernel, 1 + len(pairs) // 64, 64, out, a, b, np.uint32(len(pairs)))
    got = device.download(out)
    assert (got == np.floor(got)).all() and (got >= 0).all() and (got < 2.0**BITS).all()
    return [sum(int(limb) << BITS * k for k, limb in enumerate(row)) for row in got]


def raw_pairs(m: int) -> list[tuple[int, int]]:
    """Every limb at either end of its range, alone and together, and values about multiples of m."""
    edges = [0, 1, LARGEST, LARGEST - 1, m - 1, m, m + 1, 2 * m, 42 * m, (1 << 208) - 1, 1 << 258]
    edges += [((1 << BITS) - 1) << BITS * k & LARGEST for k in range(PARTS)] + [1 << BITS * k for k in range(1, PARTS)]
    rng = random.Random(5)
    values = edges + [rng.randrange(LARGEST + 1) for _ in range(20)]
    return [(a, b) for a in values for b in values]


@pytest.mark.parametrize("field", FIELDS)
def test_products_of_limbs(device: Device, field: str) -> None:
    m = FIELDS[field]
    pairs = raw_pairs(m)
    inverse = pow(1 << 260, -1, m)
    halved = [(a >> 1, b >> 1) for a, b in pairs]  # two products are below 2^518 together
    for kernel, given, expected in [
        ("mul", pairs, [a * b for a, b in pairs]),
        ("sqr", pairs, [a * a for a, _ in pairs]),
        ("dot", halved, [a * b + b * b for a, b in halved]),
    ]:
        got = raw(device, f"{field}_double_raw_{kernel}", given)
        assert [value % m for value in got] == [value * inverse % m for value in expected], kernel
        assert all(value < (before >> 260) + 2 * m + 1 for value, before in zip(got, expected, strict=True)), kernel


@pytest.mark.parametrize("field", FIELDS)
def test_differences_of_limbs(device: Device, field: str) -> None:
    m = FIELDS[field]
    pairs = [(a % (8 * m), b % (5 * m)) for a, b in raw_pairs(m)] + [(0, 5 * m), (0, 5 * m - 1)]
    assert raw(device, f"{field}_double_raw_sub", pairs) == [a - b + 8 * m for a, b in pairs]
    assert raw(device, f"{field}_double_raw_combine", pairs) == [2 * a - 2 * b + 10 * m for a, b in pairs]


@pytest.mark.parametrize("field", FIELDS)
def test_products_of_packed_values(device: Device, field: str) -> None:
    m = FIELDS[field]
    rng = random.Random(6)
    values = [0, 1, m - 1, m, m + 1, 2 * m - 1, (1 << 254) - 1, 1 << 253] + [rng.randrange(2 * m) for _ in range(20)]
    pairs = [(a, b) for a in values for b in values]
    a, b = (device.upload(to_limbs(column)) for column in zip(*pairs, strict=True))
    out = device.empty((len(pairs), 4), np.uint64)
    device.launch("double", f"{field}_double_mul", 1 + len(pairs) // 64, 64, out, a, b, np.uint32(len(pairs)))
    got = from_limbs(device.download(out))
    assert [value % m for value in got] == [a * b * pow(1 << 256, -1, m) % m for a, b in pairs]
    assert max(got) < 2 * m


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("w.column[i + 1] += w.column[i] >> 52;", ""),  # a carry dropped
        ("TWO_104 + TWO_52 - above", "TWO_104 - above"),  # a half without its exponent
        ("product(M::part(j), digit", "product(M::friendly(j), digit"),  # the last row like the others
    ],
)
def test_a_broken_product_is_noticed(right: str, wrong: str) -> None:
    header = program.headers()["double.cuh"]
    assert right in header
    source = program.source("double").replace('#include "double.cuh"', header.replace(right, wrong))
    with pytest.raises(AssertionError):
        test_products_of_limbs(ShimDevice(sources={"double": source}), "fr")
