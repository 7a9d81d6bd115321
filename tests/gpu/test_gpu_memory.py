"""Plans for millions of points and the memory they say they take: accounts are kept, nothing is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ledger import Ledger

from aitbc_rollup.gpu import key as keys
from aitbc_rollup.gpu import msm, plan
from aitbc_rollup.gpu.device import Device
from aitbc_rollup.gpu.engine import GpuEngine
from aitbc_rollup.gpu.key import GpuKey
from aitbc_rollup.gpu.msm import SLICES, Bases
from aitbc_rollup.gpu.points import Group
from aitbc_rollup.prover.keys import QUERIES, Query

GIB = 1 << 30
#: Nine tenths of an H200's memory and of a card's with 24 GiB.
LARGE, SMALL = 126 * GIB, 21 * GIB
#: Counts of the sort, and the result.
SUNDRIES = 1 << 20


@pytest.fixture(autouse=True)
def numbers_of_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of points and of matrices stand their numbers."""

    def upload(device: Device, group: Group, count: int) -> tuple[list[Any], None, int]:
        first = count // 2
        return [device.empty((size, 8 * group), np.uint64) for size in (first, count - first)], None, count

    class Matrix:
        """Three entries a row, 8 bytes each, and three words a row."""

        def __init__(self, device: Device, rows: int) -> None:
            self.device, self.rows = device, rows
            self.memory = device.empty(36 * rows, np.uint8)
            self.nbytes = self.memory.nbytes

        def product(self, vector: Any) -> Any:
            return self.device.empty((self.rows, 4), np.uint64)

    monkeypatch.setattr(msm, "_upload", upload)
    monkeypatch.setattr(keys, "DeviceMatrix", Matrix)


@pytest.mark.parametrize("levels", [1, None])
@pytest.mark.parametrize(("group", "power"), [(1, 20), (1, 24), (1, 26), (2, 20), (2, 22), (2, 24)])
@pytest.mark.parametrize("budget", [LARGE, SMALL])
def test_a_sum_takes_no_more_than_its_plan_says(budget: int, group: Group, power: int, levels: int | None) -> None:
    n: Any = 1 << power
    device: Any = Ledger(budget)
    bases = Bases(device, group, n, levels=levels)
    said = plan.memory(n, group, bases.plan) + SLICES[group].nbytes(device, group)
    made = device.taken
    device.settle()
    scalars = np.broadcast_to(np.uint64(1), (n, 4))
    bases.finish(bases.sum(scalars))
    assert device.taken <= said + SUNDRIES <= budget + SUNDRIES
    if bases.plan.digits.levels > 1:
        assert made <= said
    # A budget of just so much is enough too.
    tight: Any = Ledger(said + SUNDRIES)
    assert Bases(tight, group, n, levels=levels).plan == bases.plan


class Numbers:
    """What a key is asked for, whose lists are as long as they can be."""

    queries, n_public = QUERIES, 1

    def __init__(self, power: int) -> None:
        self.power, self.n_wires, self.domain_size = power, 1 << power, 1 << power
        self.body = self

    def matrices(self) -> tuple[int, int]:
        return self.domain_size, self.domain_size

    def n_points(self, query: Query) -> int:
        return self.n_wires - 2 * (query == "c")

    points = n_points


@pytest.mark.parametrize(("budget", "power"), [(LARGE, 16), (LARGE, 20), (LARGE, 22), (LARGE, 24), (SMALL, 22)])
def test_a_proof_has_room_beside_its_key(budget: int, power: int) -> None:
    """Lanes do not give each other memory: what all have at most, together, is within the budget."""
    device: Any = Ledger(budget)
    key: Any = Numbers(power)
    loaded = GpuEngine(device).load(key)
    assert isinstance(loaded, GpuKey) and device.taken <= budget
    device.settle()
    told: list[str] = []
    loaded.sums(np.zeros((1 << power, 4), np.uint64), lambda stage, done: told.append(stage))
    assert device.taken <= budget and len(told) == 7


@pytest.mark.parametrize(("budget", "power"), [(SMALL, 24), (6 * GIB, 22)])
def test_a_key_that_fills_a_card_still_proves(budget: int, power: int) -> None:
    """Nothing but points is kept; the sums may have to wait for one another."""
    device: Any = Ledger(budget)
    key: Any = Numbers(power)
    loaded = GpuEngine(device).load(key)
    loaded.sums(np.zeros((1 << power, 4), np.uint64))
    assert isinstance(loaded, GpuKey) and loaded.nbytes < budget // 2
