"""The devices every kernel's tests run on: the CPU shim, or with ``AITBC_GPU=1`` the card of this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from shim_device import ShimDevice

from aitbc_rollup.gpu.device import Device


@pytest.fixture
def device() -> Iterator[Device]:
    shim = ShimDevice()
    yield shim
    shim.check_fences()
