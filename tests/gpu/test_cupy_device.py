"""The card's device without a card: the names it uses of CuPy are there, and with a CuPy of numpy it does its part.

The stand-in queues copies and makes them when somebody waits, as late as a card may: a buffer that is filled again too
soon, or read too early, shows.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.errors import ResourceError, UsageError
from aitbc_rollup.gpu import cupy_device, nvrtc, program
from aitbc_rollup.gpu.cupy_device import CupyDevice
from aitbc_rollup.gpu.device import DeviceMemoryError
from aitbc_rollup.prover.engine import NoEngineError

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


class CudaError(Exception):
    status = 700


class OutOfMemoryError(MemoryError):
    pass


class Card:
    """What CuPy's module does for us, on numpy."""

    def __init__(self) -> None:
        self.queue: list[Callable[[], object]] = []
        self.calls: list[tuple[Any, ...]] = []
        self.used, self.limit, self.count, self.capability = 0, 0, 1, "90"
        self.current = Stream(self)
        self.cuda = SimpleNamespace(
            Device=lambda number: SimpleNamespace(compute_capability=self.capability),
            Stream=lambda non_blocking: Stream(self),
            Event=lambda disable_timing=False: Event(self),
            MemoryPool=lambda: self,
            alloc_pinned_memory=lambda size: np.zeros(size, np.uint8),
            get_current_stream=lambda: self.current,
            get_elapsed_time=lambda start, end: 1.5,
            memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            function=SimpleNamespace(Module=lambda: SimpleNamespace(load=self.loaded, get_function=self.function)),
            driver=SimpleNamespace(
                CUDADriverError=CudaError,
                CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES=8,
                funcSetAttribute=lambda *given: self.calls.append(("attribute", *given)),
            ),
            runtime=SimpleNamespace(
                CUDARuntimeError=CudaError,
                getDeviceCount=lambda: self.count,
                getDeviceProperties=lambda number: {"name": b"NVIDIA Numpy", "multiProcessorCount": 7},
                memGetInfo=lambda: (1000 << 20, 2000 << 20),
                runtimeGetVersion=lambda: 13020,
                deviceSynchronize=self.drain,
                memcpyHostToDevice=1,
                memcpyDeviceToHost=2,
                memcpyAsync=lambda to, source, size, kind, stream: self.queue.append(
                    lambda: ctypes.memmove(to, source, size)
                ),
            ),
        )
        self.__version__ = "14.2.0"

    def drain(self) -> None:
        while self.queue:
            self.queue.pop(0)()

    def set_limit(self, size: int) -> None:
        self.limit = size

    def malloc(self, size: int) -> int:
        if self.used + size > self.limit:
            raise OutOfMemoryError
        self.used += size
        return size

    def used_bytes(self) -> int:
        return self.used

    def free_all_blocks(self) -> None:
        self.calls.append(("free_all_blocks",))

    def ndarray(self, shape: Any, dtype: Any, memptr: int) -> Array:
        return Array(np.full(shape, 0xC5, dtype))

    def loaded(self, code: bytes) -> None:
        self.calls.append(("load", code))

    def function(self, name: str) -> Kernel:
        return Kernel(self, name)


class Kernel:
    ptr = 77

    def __init__(self, card: Card, name: str) -> None:
        self.card, self.name = card, name

    def __call__(self, grid: Any, block: Any, words: Any, shared_mem: int) -> None:
        if self.name == "faulty":
            raise CudaError("an illegal memory access was encountered")
        self.card.calls.append((self.name, grid, block, words, shared_mem))


class Array:
    """A device array: numpy's, with CuPy's way to its address."""

    def __init__(self, content: np.ndarray) -> None:
        self.content, self.shape, self.dtype, self.nbytes = content, content.shape, content.dtype, content.nbytes
        self.flags, self.strides = content.flags, content.strides
        self.data = SimpleNamespace(ptr=content.ctypes.data, memset_async=self.fill)

    def fill(self, value: int, size: int) -> None:
        assert size == self.nbytes
        self.content[...] = value


class Event:
    def __init__(self, card: Card) -> None:
        self.card = card

    def record(self, stream: Stream) -> None:
        self.card.calls.append(("record", stream))

    def synchronize(self) -> None:
        self.card.drain()


class Stream:
    ptr = 5

    def __init__(self, card: Card) -> None:
        self.card = card

    def record(self) -> tuple[str, Stream]:
        return "event of", self

    def wait_event(self, event: object) -> None:
        self.card.calls.append(("wait", self, event))

    def synchronize(self) -> None:
        self.card.drain()

    def __enter__(self) -> None:
        self.outer, self.card.current = self.card.current, self

    def __exit__(self, *error: object) -> None:
        self.card.current = self.outer


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    made = Card()
    monkeypatch.setattr(cupy_device, "_require_driver", lambda: None)
    monkeypatch.setattr(cupy_device, "_STAGING_BYTES", 1 << 10)
    monkeypatch.setattr(nvrtc, "version", lambda: (13, 0))
    monkeypatch.setattr(program, "cubin", lambda module, architecture: f"{module} for {architecture}".encode())
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
def test_what_is_uploaded_comes_back(card: Card, size: int) -> None:
    device, rng = CupyDevice(), np.random.default_rng(size)
    host = rng.integers(0, 1 << 63, size // 8, np.uint64)
    kept = host.copy()
    array = device.upload(host)
    host[...] = 0
    assert (device.download(array) == kept).all()
    assert device.download(array).dtype == np.uint64


def test_zeros_are_zero(card: Card) -> None:
    device = CupyDevice()
    assert not device.download(device.zeros((5, 4), np.uint32)).any()


def test_a_kernel_gets_addresses_and_integers_of_their_width(card: Card) -> None:
    device = CupyDevice()
    array = device.empty((3, 4), np.uint64)
    device.launch("m", "k", 5, 64, array, np.uint32(7), shared=100 << 10)
    device.launch("m", "k", (5, 2), 64, np.uint64(1), shared=10)
    device.launch("m", "k", (5, 0), 64)
    load, attribute, first, second = (call for call in card.calls)
    assert load == ("load", b"m for sm_90") and attribute == ("attribute", 77, 8, 100 << 10)
    assert first == ("k", (5, 1), (64,), (np.uint64(array.data.ptr), np.uint32(7)), 100 << 10)
    assert [word.dtype for word in first[3]] == [np.uint64, np.uint32]
    assert second == ("k", (5, 2), (64,), (np.uint64(1),), 10)


def test_an_array_with_gaps_is_refused(card: Card) -> None:
    device = CupyDevice()
    with pytest.raises(ValueError, match="C-contiguous"):
        device.launch("m", "k", 1, 1, Array(np.zeros((4, 4), np.uint64)[:, :2]))


def test_lanes_begin_after_what_was_queued_and_are_joined(card: Card) -> None:
    device, main = CupyDevice(), card.current
    with device.lane(1):
        inner = card.current
        assert inner is not main
    with device.lane(2):
        assert card.current not in (inner, main)
        other = card.current
    assert card.calls == [("wait", inner, ("event of", main)), ("wait", other, ("event of", main))]
    device.join()
    assert card.calls[2:] == [("wait", main, ("event of", inner)), ("wait", main, ("event of", other))]
    device.join()
    assert len(card.calls) == 4


def test_memory_has_a_budget(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert ("free_all_blocks",) in card.calls
    monkeypatch.setenv("AITBC_GPU_MEMORY", "much")
    with pytest.raises(UsageError, match="no size"):
        CupyDevice()


def test_an_error_names_the_kernel_and_the_way_to_the_faulty_one(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResourceError, match=r"NVIDIA Numpy, kernel m\.faulty: the GPU reports an error") as caught:
        CupyDevice().launch("m", "faulty", 1, 1)
    assert "AITBC_GPU_SYNC=1" in (caught.value.hint or "")
    monkeypatch.setenv("AITBC_GPU_SYNC", "1")

    def fail() -> None:
        raise CudaError("an illegal memory access was encountered")

    card.queue.append(fail)
    with pytest.raises(ResourceError, match=r"kernel m\.k") as caught:
        CupyDevice().launch("m", "k", 1, 1)
    assert "AITBC_GPU_SYNC" not in (caught.value.hint or "")


def test_what_is_missing_is_said(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    card.capability = "70"
    with pytest.raises(ResourceError, match="too old") as old:
        CupyDevice()
    assert not isinstance(old.value, NoEngineError)
    card.count = 0
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


def test_it_says_what_it_is(card: Card) -> None:
    expected = "NVIDIA Numpy, 7 multiprocessors, sm_90, 1.0 of 2.0 GiB free, budget 0.9 GiB, NVRTC 13.0, CuPy 14.2.0"
    assert CupyDevice().describe() == expected
