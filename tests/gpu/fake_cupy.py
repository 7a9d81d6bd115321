"""A stand-in for CuPy without a card: of its interface what ``gpu.cupy_device`` uses, with kernels run on the CPU.

What is queued happens when somebody waits, as late as on a card it may, and stream after stream as far as events let
them, in an order that can be turned round; and memory that is let go of serves again at once on its stream, as in
CuPy's pool. So a buffer that is filled again too soon shows, and a lane that does not wait for what it needs. Arrays
are no numpy arrays, and as CuPy's do not turn into any by themselves.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from shim_device import ShimDevice

from aitbc_rollup.gpu import program


class CudaError(Exception):
    status = 700


class OutOfMemoryError(MemoryError):
    pass


class Cupy:
    """The module; ``calls`` is what it was asked to do, ``youngest_first`` the order of streams."""

    __version__ = "14.2.0"

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.youngest_first = True
        self.used, self.limit, self.count, self.capability = 0, 0, 1, "90"
        self.streams: list[Stream] = []
        self.current = Stream(self)
        self.shim = ShimDevice()
        self.let_go: dict[tuple[Stream, int], list[NDArray[np.uint8]]] = {}
        self.cuda = SimpleNamespace(
            Device=lambda number: SimpleNamespace(compute_capability=self.capability),
            Stream=lambda non_blocking: Stream(self),
            Event=lambda disable_timing=False: Event(self),
            MemoryPool=lambda: self,
            alloc_pinned_memory=lambda size: np.zeros(size, np.uint8),
            get_current_stream=lambda: self.current,
            get_elapsed_time=lambda start, end: 1.5,
            memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            function=SimpleNamespace(Module=lambda: Module(self)),
            driver=SimpleNamespace(
                CUDADriverError=CudaError,
                CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES=8,
                funcSetAttribute=lambda *given: self.calls.append(("attribute", *given)),
            ),
            runtime=SimpleNamespace(
                CUDARuntimeError=CudaError,
                getDeviceCount=lambda: self.count,
                getDeviceProperties=lambda number: {"name": b"NVIDIA Numpy", "multiProcessorCount": 2},
                memGetInfo=lambda: (1000 << 20, 2000 << 20),
                runtimeGetVersion=lambda: 13020,
                deviceSynchronize=self.drain,
                memcpyHostToDevice=1,
                memcpyDeviceToHost=2,
                memcpyAsync=self.memcpy,
            ),
        )

    def drain(self, event: Event | None = None) -> None:
        """Do what is queued: all of it, or until an event is reached."""
        order = self.streams[:: -1 if self.youngest_first else 1]
        while any(stream.advance(event) for stream in order):
            pass
        assert event is not None or not any(stream.queue for stream in order), "streams wait for one another"

    def memcpy(self, to: int, source: int, size: int, kind: int, stream: int) -> None:
        assert stream == self.current.ptr
        self.current.queue.append(lambda: ctypes.memmove(to, source, size))

    def set_limit(self, size: int) -> None:
        self.limit = size

    def malloc(self, size: int) -> Block:
        if self.used + size > self.limit:
            raise OutOfMemoryError
        self.used += size
        there = self.let_go.setdefault((self.current, size), [])
        block = Block(there.pop() if there else self.shim.empty(size, np.uint8))
        weakref.finalize(block, self.free, there, block.memory)
        return block

    def free(self, place: list[NDArray[np.uint8]], memory: NDArray[np.uint8]) -> None:
        self.used -= memory.nbytes
        place.append(memory)

    def used_bytes(self) -> int:
        return self.used

    def free_all_blocks(self) -> None:
        self.calls.append(("free_all_blocks",))

    def ndarray(self, shape: int | tuple[int, ...], dtype: DTypeLike, memptr: Block) -> Array:
        return Array(memptr.memory.view(dtype).reshape(shape), memptr, self)


class Module:
    def __init__(self, cupy: Cupy) -> None:
        self.cupy, self.name = cupy, ""

    def load(self, code: bytes) -> None:
        self.cupy.calls.append(("load", code))
        self.name = code.decode()

    def get_function(self, kernel: str) -> Kernel:
        return Kernel(self, kernel)


class Kernel:
    ptr = 77

    def __init__(self, module: Module, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, grid: tuple[int, int], block: tuple[int], words: tuple[Any, ...], shared_mem: int) -> None:
        cupy, module = self.module.cupy, self.module.name
        if self.name == "faulty":
            raise CudaError("an illegal memory access was encountered")
        cupy.calls.append((self.name, grid, block, words, shared_mem))
        if module in program.modules():
            launch = partial(cupy.shim.launch, module, self.name, grid, block[0], *words, shared=shared_mem)
            cupy.current.queue.append(launch)


class Block:
    """Memory that arrays share."""

    def __init__(self, memory: NDArray[np.uint8]) -> None:
        self.memory = memory


class Array:
    """A device array, as far as launch plans may use one."""

    __array__ = None  # numpy, keep off

    def __init__(self, content: NDArray[Any], block: Block, cupy: Cupy) -> None:
        self._content, self._block, self._cupy = content, block, cupy
        self.shape, self.dtype, self.nbytes, self.size = content.shape, content.dtype, content.nbytes, content.size
        self.flags, self.strides = content.flags, content.strides
        self.data = SimpleNamespace(ptr=content.ctypes.data, memset_async=self._fill)

    def _fill(self, value: int, size: int) -> None:
        content = self._content
        assert size == self.nbytes
        self._cupy.current.queue.append(lambda: content.fill(value))

    def _with(self, content: NDArray[Any]) -> Array:
        return Array(content, self._block, self._cupy)

    def __len__(self) -> int:
        return len(self._content)

    def __getitem__(self, place: int | slice) -> Array:
        if isinstance(place, slice):
            return self._with(self._content[place])
        assert -len(self) <= place < len(self)
        return self._with(self._content[place % len(self) :][:1].reshape(self.shape[1:]))

    def __iter__(self) -> Iterator[Array]:
        return (self[i] for i in range(len(self)))

    def reshape(self, *shape: Any) -> Array:
        return self._with(self._content.reshape(*shape))

    def view(self, dtype: DTypeLike) -> Array:
        return self._with(self._content.view(dtype))


class Event:
    def __init__(self, cupy: Cupy) -> None:
        self.cupy, self.reached = cupy, True

    def record(self, stream: Stream) -> None:
        self.reached = False
        stream.queue.append(self._reach)

    def _reach(self) -> None:
        self.reached = True

    def synchronize(self) -> None:
        self.cupy.drain(self)
        assert self.reached


class Stream:
    def __init__(self, cupy: Cupy) -> None:
        cupy.streams.append(self)
        self.cupy, self.ptr = cupy, len(cupy.streams)
        self.queue: list[Callable[[], object] | Event] = []

    def advance(self, until: Event | None) -> bool:
        """Do what can be done, no more than it takes to reach an event; whether anything was."""
        before = len(self.queue)
        while self.queue and not (until and until.reached):
            first = self.queue[0]
            if isinstance(first, Event):
                if not first.reached:
                    break
            else:
                first()
            self.queue.pop(0)
        return len(self.queue) < before

    def record(self) -> Event:
        event = Event(self.cupy)
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        self.queue.append(event)

    def synchronize(self) -> None:
        self.cupy.drain()

    def __enter__(self) -> None:
        self.outer, self.cupy.current = self.cupy.current, self

    def __exit__(self, *error: object) -> None:
        self.cupy.current = self.outer
