"""Multiples of the generators on every device at hand, against the CPU engine's."""

from __future__ import annotations

import random

import numpy as np
import pytest
from shim_device import ShimDevice

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import to_limbs
from aitbc_rollup.gpu import fixed_base, program
from aitbc_rollup.gpu.device import Device
from aitbc_rollup.gpu.points import Group
from aitbc_rollup.prover.cpu.fixed_base import multiples

EDGES = [0, 1, 2, 3, R - 1, R - 2, R // 2, R // 2 + 1, 1 << 253, (1 << 253) - 1, (1 << 128) - 1, 8, R - 8, 0]


def check(device: Device, group: Group, scalars: list[int]) -> None:
    limbs = to_limbs(scalars)
    got = device.download(fixed_base.multiples(device, group, device.upload(limbs)))
    np.testing.assert_array_equal(got, multiples(group, limbs))


@pytest.mark.parametrize("group", [1, 2])
def test_edges(device: Device, group: Group) -> None:
    check(device, group, EDGES)


@pytest.mark.parametrize("n", [0, 1])
def test_few(n: int) -> None:
    check(ShimDevice(), 1, [R - 5] * n)


def test_several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed_base, "_CHUNK", 150)
    rng = random.Random(6)
    check(ShimDevice(), 1, [rng.randrange(R) for _ in range(301)])


def test_more_multiples_have_wider_windows() -> None:
    widths = [fixed_base._width(1 << k) for k in range(0, 25, 4)]
    assert widths == sorted(widths)
    assert widths[0] == 2 and widths[-1] == 12


def test_a_broken_kernel_is_noticed() -> None:
    text = program.source("fixed_base")
    broken = text.replace("size - 1], negative", "size - 1], 0")
    assert broken != text
    with pytest.raises(AssertionError):
        check(ShimDevice(sources={"fixed_base": broken}), 1, EDGES)
