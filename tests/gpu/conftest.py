"""The devices every kernel's tests run on: the CPU, with the sources and with the PTX made of them; or, with
``AITBC_GPU=1``, the card."""

from __future__ import annotations

from collections.abc import Iterator

import gpu_world
import pytest
from shim_device import CpuDevice, PtxDevice, ShimDevice

from aitbc_rollup.errors import ResourceError
from aitbc_rollup.gpu import nvrtc
from aitbc_rollup.gpu.device import Device


@pytest.fixture
def compiler() -> None:
    """Skip where NVIDIA publishes no compiler (pyproject.toml names the platforms that have one)."""
    try:
        nvrtc.library()
    except ResourceError as error:
        pytest.skip(f"no NVRTC: {error}")


KINDS = ["on-card"] if gpu_world.ON_CARD else [ShimDevice, PtxDevice]


@pytest.fixture(params=KINDS, ids=lambda kind: getattr(kind, "name", kind))
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    if gpu_world.ON_CARD:
        yield gpu_world.card()
        return
    if request.param is PtxDevice:
        request.getfixturevalue("compiler")
    cpu: CpuDevice = request.param()
    yield cpu
    cpu.check_fences()
