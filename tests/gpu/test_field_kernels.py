"""Field kernels on every device at hand, against plain integers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.gpu.device import Device

RADIX = 1 << 256
FIELDS = {"fr": R, "fq": P}


def operands(modulus: int, bound: int) -> list[int]:
    """Edge cases below the bound, and random values."""
    rng = random.Random(7)
    edges = [0, 1, 2, modulus - 1, modulus, modulus + 1, 2 * modulus - 1, (1 << 254) - 1, 1 << 253, 0xFFFFFFFF, 1 << 32]
    edges += [(1 << 256) // 0xFFFFFFFF * 0xFFFF0000 % bound, (1 << 224) - 1, (1 << 254) - (1 << 128)]
    return [edge % bound for edge in edges] + [rng.randrange(bound) for _ in range(50)]


def run(device: Device, kernel: str, *operands: list[int], dtype: Any = np.uint64) -> Any:

    n = len(operands[0])
    out = device.empty((n, 4) if dtype is np.uint64 else n, dtype)
    arrays = [device.upload(to_limbs(values)) for values in operands]
    device.launch("field", kernel, 1 + n // 64, 64, out, *arrays, np.uint32(n))
    got = device.download(out)
    return from_limbs(got) if dtype is np.uint64 else got.tolist()


@pytest.mark.parametrize("field", FIELDS)
def test_products(device: Device, field: str) -> None:
    m = FIELDS[field]
    values = operands(m, 2 * m)
    pairs = [(a, b) for a in values for b in values[:30]]
    a, b = [list(column) for column in zip(*pairs, strict=True)]
    inverse = pow(RADIX, -1, m)
    for kernel, expected, got in [
        ("mul", [x * y for x, y in pairs], run(device, f"{field}_mul", a, b)),
        ("sqr", [x * x for x in a], run(device, f"{field}_sqr", a)),
        ("dot", [x * y + y * y for x, y in pairs], run(device, f"{field}_dot", a, b, b, b)),
        ("from_montgomery", a, run(device, f"{field}_from_montgomery", a)),
    ]:
        assert [value % m for value in got] == [value * inverse % m for value in expected], kernel
        assert max(got) < 2 * m, kernel


@pytest.mark.parametrize("field", FIELDS)
def test_products_with_known_factors(device: Device, field: str) -> None:
    m = FIELDS[field]
    pairs = [(a, b) for a in [2 * m, 3 * m, 4 * m - 1, *operands(m, 4 * m)] for b in operands(m, m)[:30]]
    a, factors = [list(column) for column in zip(*pairs, strict=True)]
    got = run(device, f"{field}_mul_known", a, factors, [factor * RADIX // m for factor in factors])
    assert [value % m for value in got] == [x * y % m for x, y in pairs]
    assert max(got) < 2 * m


@pytest.mark.parametrize("field", FIELDS)
def test_sums(device: Device, field: str) -> None:
    m = FIELDS[field]
    values = operands(m, 2 * m)
    pairs = [(a, b) for a in values for b in values[:30]]
    a, b = [list(column) for column in zip(*pairs, strict=True)]
    for sign, kernel in [(1, "add"), (-1, "sub")]:
        got = run(device, f"{field}_{kernel}", a, b)
        assert [value % m for value in got] == [(x + sign * y) % m for x, y in pairs]
        assert max(got) < 2 * m
    got = run(device, f"{field}_sub_lazy", a, b)
    assert got == [x - y + 2 * m for x, y in pairs]
    assert run(device, f"{field}_canonical", values) == [value % m for value in values]
    assert run(device, f"{field}_is_zero", values, dtype=np.uint32) == [value % m == 0 for value in values]
