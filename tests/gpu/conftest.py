"""The devices every kernel's tests run on: the CPU, with the sources and with the PTX made of them; or, with
``AITBC_GPU=1``, the card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gpu_world
import pytest
from shim_device import CpuDevice, PtxDevice, ShimDevice, build_ptx, build_source, building_ahead

from aitbc_rollup.errors import ResourceError
from aitbc_rollup.gpu import nvrtc
from aitbc_rollup.gpu.device import Device


def has_compiler() -> bool:
    try:
        nvrtc.library()
    except ResourceError:
        return False
    return True


@pytest.fixture(scope="session", autouse=True)
def all_cores_compile(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where all of this folder is run, its modules are compiled while the first tests run."""
    if gpu_world.ON_CARD or not {*Path(__file__).parent.glob("test_*.py")} <= {i.path for i in request.session.items}:
        yield
        return
    with building_ahead([build_source, build_ptx] if has_compiler() else [build_source]):
        yield


@pytest.fixture
def compiler() -> None:
    """Skip where NVIDIA publishes no compiler (pyproject.toml names the platforms that have one)."""
    if not has_compiler():
        pytest.skip("no NVRTC")


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


@pytest.fixture(autouse=True)
def short_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ``CI`` is set pytest shows lists that differ whole: for what a broken kernel gives, minutes of diffing."""
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
