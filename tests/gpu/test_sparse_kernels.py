"""Sparse products on every device at hand, against the CPU engine's."""

from __future__ import annotations

import random

import numpy as np
import pytest
from shim_device import ShimDevice

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.gpu import program, sparse
from aitbc_rollup.gpu.device import Device
from aitbc_rollup.gpu.sparse import DeviceMatrix
from aitbc_rollup.prover.cpu.vectors import sparse_product
from aitbc_rollup.prover.keys import Matrix

N_COLUMNS = 300
COEFFICIENTS = [1, R - 1, 2, R - 2, 0, 1 << 253, 0xFFFFFFFF, 3]


def matrix(lengths: list[int], coefficients: list[int], seed: int = 3) -> Matrix:
    rng, total = random.Random(seed), sum(lengths)
    values = to_limbs([rng.choice(coefficients) * (1 << 512) % R for _ in range(total)])
    wires = np.array([rng.randrange(N_COLUMNS) for _ in range(total)], np.uint32)
    return Matrix(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64), wires, values)


def vector() -> Limbs:
    rng = random.Random(4)
    return to_limbs([0, 1, R - 1, R - 2, 2] + [rng.randrange(R) for _ in range(N_COLUMNS - 5)])


def check(device: Device, m: Matrix) -> DeviceMatrix:
    loaded = DeviceMatrix(device, m)
    got = device.download(loaded.product(device.upload(vector())))
    np.testing.assert_array_equal(got, sparse_product(m, vector()))
    return loaded


@pytest.mark.parametrize(
    "coefficients",
    [COEFFICIENTS, [1], [R - 1], [1, R - 1], [5, 7]],
    ids=["all", "ones", "minus-ones", "signs", "products"],
)
def test_rows_of_every_length(device: Device, coefficients: list[int]) -> None:
    lengths = [0, 1, 2, 3, 4, 0, 31, 32, 33, 64, 65, 0, 1000, 1, 2, 0] + [1, 2, 1, 4] * 20
    check(device, matrix(lengths, coefficients))


@pytest.mark.parametrize(
    "lengths", [[], [0], [0] * 300, [1], [4500], [33] * 9], ids=lambda lengths: f"{lengths[:1]}x{len(lengths)}"
)
def test_shapes(device: Device, lengths: list[int]) -> None:
    check(device, matrix(lengths, COEFFICIENTS))


def test_many_distinct_coefficients(device: Device) -> None:
    rng = random.Random(5)
    check(device, matrix([3] * 100, [rng.randrange(R) for _ in range(1000)]))


def test_few_coefficients_take_few_bytes(device: Device) -> None:
    m = matrix([2] * 1000, COEFFICIENTS)
    assert check(device, m).nbytes == 2000 * 8 + 1000 * 12 + 32 * (2 + len(COEFFICIENTS))


def test_coefficients_that_mix_alike_are_told_apart(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse, "_MIX", np.zeros(4, np.uint64))
    check(device, matrix([3] * 50, COEFFICIENTS))


def test_matrices_that_contradict_themselves_are_refused(device: Device) -> None:
    m = matrix([1, 2], COEFFICIENTS)
    for indptr in ([], [1, 3], [0, 2, 1, 3], [0, 1, 2], [0, 1, 4]):
        with pytest.raises(ValueError, match="offsets"):
            DeviceMatrix(device, m._replace(indptr=np.array(indptr, np.int64)))
    for wrong in (m._replace(wires=m.wires.astype(np.int64)), m._replace(indptr=m.indptr.astype(np.uint32))):
        with pytest.raises(ValueError, match="expected a C-contiguous"):
            DeviceMatrix(device, wrong)
    with pytest.raises(ValueError, match="columns"):
        DeviceMatrix(device, m).product(device.upload(vector()[: int(m.wires.max())]))


@pytest.mark.parametrize(
    ("whole", "broken"),
    [("factor > 1", "factor > 2"), ("k < stop; k++", "k + 1 < stop; k++"), ("by > 0; by /= 2", "by > 1; by /= 2")],
)
def test_a_broken_kernel_is_noticed(whole: str, broken: str) -> None:
    text = program.source("sparse")
    assert whole in text
    device = ShimDevice(sources={"sparse": text.replace(whole, broken)})
    with pytest.raises(AssertionError):
        check(device, matrix([1, 2, 3, 2000], COEFFICIENTS))
