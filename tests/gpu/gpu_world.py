"""Where tests of the GPU's code run: with ``AITBC_GPU=1`` on this machine's card, else on the CPU."""

from __future__ import annotations

import os
from functools import cache

from shim_device import ShimDevice

from aitbc_rollup.gpu.device import Device
from aitbc_rollup.gpu.engine import GpuEngine

ON_CARD = os.environ.get("AITBC_GPU") == "1"


@cache
def card() -> Device:
    """The card, opened once for all tests."""
    from aitbc_rollup.gpu.cupy_device import CupyDevice

    return CupyDevice()


def device() -> Device:
    """The card, or a fresh device on the CPU."""
    return card() if ON_CARD else ShimDevice()


@cache
def engine() -> GpuEngine:
    """The engine on such a device, one for all tests: a device's tables are used again."""
    return GpuEngine(device())
