"""The card's device without a card: CuPy has the names it uses, and with a stand-in for CuPy it does its part."""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace

import gpu_world
import numpy as np
import pytest
from fake_cupy import CudaError, Cupy

from aitbc_rollup.errors import ResourceError, UsageError
from aitbc_rollup.gpu import cupy_device, nvrtc, program
from aitbc_rollup.gpu.cupy_device import CupyDevice
from aitbc_rollup.gpu.device import DeviceMemoryError
from aitbc_rollup.gpu.engine import GpuEngine
from aitbc_rollup.prover.engine import NoEngineError, load_engine
from aitbc_rollup.prover.setup import setup

NAMES = """
    get_current_stream get_elapsed_time alloc_pinned_memory Device.compute_capability
    Stream.record Stream.wait_event Stream.synchronize Stream.__enter__ Event.record Event.synchronize
    MemoryPool.malloc MemoryPool.set_limit MemoryPool.used_bytes MemoryPool.free_all_blocks memory.OutOfMemoryError
    memory.MemoryPointer.memset_async function.Module.load function.Module.get_function function.Function.ptr
    driver.CUDADriverError driver.funcSetAttribute driver.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    runtime.CUDARuntimeError runtime.getDeviceCount runtime.getDeviceProperties runtime.memGetInfo
    runtime.runtimeGetVersion runtime.deviceSynchronize runtime.memcpyAsync runtime.memcpyHostToDevice
    runtime.memcpyDeviceToHost
"""


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> Cupy:
    made = Cupy()
    monkeypatch.setattr(cupy_device, "_require_driver", lambda: None)
    monkeypatch.setattr(cupy_device, "_STAGING_BYTES", 1 << 10)
    monkeypatch.setattr(nvrtc, "version", lambda: (13, 0))
    monkeypatch.setattr(program, "cubin", lambda module, architecture: module.encode())
    monkeypatch.delenv("AITBC_GPU_MEMORY", raising=False)
    monkeypatch.delenv("AITBC_GPU_SYNC", raising=False)
    monkeypatch.setitem(sys.modules, "cupy", made)
    return made


def test_cupy_has_the_names_that_are_used() -> None:
    cuda = pytest.importorskip("cupy").cuda
    for name in NAMES.split():
        found = cuda
        for part in name.split("."):
            found = getattr(found, part)


@pytest.mark.parametrize("size", [0, 8, 1 << 10, (1 << 10) + 8, 9 << 10])
def test_what_is_uploaded_comes_back(cupy: Cupy, size: int) -> None:
    device, rng = CupyDevice(), np.random.default_rng(size)
    host = rng.integers(0, 1 << 63, size // 8, np.uint64)
    kept = host.copy()
    array = device.upload(host)
    host[...] = 0
    assert (device.download(array) == kept).all()
    assert device.download(array).dtype == np.uint64


def test_zeros_are_zero(cupy: Cupy) -> None:
    device = CupyDevice()
    assert not device.download(device.zeros((5, 4), np.uint32)).any()


def test_a_kernel_gets_addresses_and_integers_of_their_width(cupy: Cupy) -> None:
    device = CupyDevice()
    array = device.empty((3, 4), np.uint64)
    device.launch("m", "k", 5, 64, array, np.uint32(7), shared=100 << 10)
    device.launch("m", "k", (5, 2), 64, np.uint64(1), shared=10)
    device.launch("m", "k", (5, 0), 64)
    load, attribute, first, second = (call for call in cupy.calls)
    assert load == ("load", b"m") and attribute == ("attribute", 77, 8, 100 << 10)
    assert first == ("k", (5, 1), (64,), (np.uint64(array.data.ptr), np.uint32(7)), 100 << 10)
    assert [word.dtype for word in first[3]] == [np.uint64, np.uint32]
    assert second == ("k", (5, 2), (64,), (np.uint64(1),), 10)


def test_an_array_with_gaps_is_refused(cupy: Cupy) -> None:
    device = CupyDevice()
    with_gaps = SimpleNamespace(flags=np.zeros((4, 4))[:, :2].flags, strides=(32, 8), shape=(4, 2))
    with pytest.raises(ValueError, match="C-contiguous"):
        device.launch("m", "k", 1, 1, with_gaps)


def test_lanes_begin_after_what_was_queued_and_are_joined(cupy: Cupy) -> None:
    device, main = CupyDevice(), cupy.current
    array, order = device.zeros(1, np.uint64), []
    main.queue.append(lambda: order.append("before"))
    with device.lane(1):
        assert cupy.current is not main
        cupy.current.queue.append(lambda: order.append("lane 1"))
    with device.lane(2):
        cupy.current.queue.append(lambda: order.append("lane 2"))
    main.queue.append(lambda: order.append("beside"))
    device.join()
    main.queue.append(lambda: order.append("after"))
    device.download(array)
    assert (order[0], set(order[1:4]), order[4]) == ("before", {"lane 1", "lane 2", "beside"}, "after")
    assert order.index("lane 2") < order.index("lane 1")


def test_memory_has_a_budget(cupy: Cupy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CupyDevice().budget == 900 << 20
    monkeypatch.setenv("AITBC_GPU_MEMORY", "3GiB")
    assert CupyDevice().budget == 2000 << 20
    monkeypatch.setenv("AITBC_GPU_MEMORY", "64MiB")
    device = CupyDevice()
    device.empty(20 << 20, np.uint8)
    assert device.free == 44 << 20
    with pytest.raises(DeviceMemoryError, match="memory does not suffice") as caught:
        device.empty((50 << 20,), np.uint8)
    assert caught.value.expected == "50 MiB free of a budget of 64 MiB" and caught.value.got == "44 MiB"
    assert ("free_all_blocks",) in cupy.calls
    monkeypatch.setenv("AITBC_GPU_MEMORY", "much")
    with pytest.raises(UsageError, match="no size"):
        CupyDevice()


def test_an_error_names_the_kernel_and_the_way_to_the_faulty_one(cupy: Cupy, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResourceError, match=r"NVIDIA Numpy, kernel m\.faulty: the GPU reports an error") as caught:
        CupyDevice().launch("m", "faulty", 1, 1)
    assert "AITBC_GPU_SYNC=1" in (caught.value.hint or "")
    monkeypatch.setenv("AITBC_GPU_SYNC", "1")

    def fail() -> None:
        raise CudaError("an illegal memory access was encountered")

    cupy.current.queue.append(fail)
    with pytest.raises(ResourceError, match=r"kernel m\.k") as caught:
        CupyDevice().launch("m", "k", 1, 1)
    assert "AITBC_GPU_SYNC" not in (caught.value.hint or "")


def test_what_is_missing_is_said(cupy: Cupy, monkeypatch: pytest.MonkeyPatch) -> None:
    cupy.capability = "70"
    with pytest.raises(NoEngineError, match="too old"):
        CupyDevice()
    cupy.count = 0
    with pytest.raises(NoEngineError, match="there is no GPU"):
        CupyDevice()
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(NoEngineError, match="CuPy cannot be imported"):
        CupyDevice()
    monkeypatch.undo()

    def absent(name: str) -> None:
        raise OSError(f"{name}: no such file")

    monkeypatch.setattr(ctypes, "CDLL", absent)
    with pytest.raises(NoEngineError, match="there is no NVIDIA driver"):
        CupyDevice()


@pytest.mark.parametrize("youngest_first", [True, False])
def test_the_engine_proves_through_it(cupy: Cupy, youngest_first: bool) -> None:
    cupy.youngest_first = youngest_first
    r1cs, witness = gpu_world.powers(4)
    key = setup(r1cs, engine=load_engine("cpu"))
    loaded = GpuEngine(CupyDevice()).load(key)
    expected = load_engine("cpu").load(key).sums(witness)
    for _ in range(2):
        assert all((got == right).all() for got, right in zip(loaded.sums(witness), expected, strict=True))


def test_it_says_what_it_is(cupy: Cupy) -> None:
    expected = "NVIDIA Numpy, 2 multiprocessors, sm_90, 1.0 of 2.0 GiB free, budget 0.9 GiB, NVRTC 13.0, CuPy 14.2.0"
    assert CupyDevice().describe() == expected
