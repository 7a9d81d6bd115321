"""A card, through CuPy: memory in a pool with a limit, transfers through page-locked memory, our own machine code.

Of CuPy only memory, streams, events and the loading of machine code are used, nothing that makes CuPy compile. The
card is the first one; ``CUDA_VISIBLE_DEVICES`` chooses another.

``AITBC_GPU_MEMORY`` is what this process may take of the card's memory, in bytes or as ``80GiB``; left out it is nine
tenths of what is free when the card is opened. ``AITBC_GPU_SYNC=1`` waits after each kernel, so that an error names the
kernel it comes from; it is slow, and two lanes then do nothing at once.

Not for several threads at a time: the engine sees to that.
"""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from aitbc_rollup.algebra import threads
from aitbc_rollup.errors import AitbcError, ResourceError
from aitbc_rollup.prover.engine import NoEngineError
from aitbc_rollup.sizes import size_setting

from . import nvrtc, program
from .device import LANES, Argument, Array, DeviceMemoryError

#: Turing. Older cards are known to no compiler of CUDA 13.
OLDEST = 75
#: Share of the free memory that is taken where nothing is said.
_SHARE = 0.9
#: Bytes of one of the two page-locked buffers: long enough that a transfer takes longer than what begins it.
_STAGING_BYTES = 16 << 20
#: Bytes that a thread copies at least.
_COPY_BYTES = 1 << 20
#: CUDA's error numbers (Runtime API, "Error Handling"): the driver is older than the runtime or absent; no card.
_INSUFFICIENT_DRIVER, _NO_DEVICE = 35, 100


class CupyDevice:
    """Implements ``gpu.device.Device``.

    Raises:
        NoEngineError: CuPy, a driver or a card that it can use is missing.
        ResourceError: there is such a card, but no run-time compiler of CUDA's, or the card does not answer.
        UsageError: ``AITBC_GPU_MEMORY`` is no size.
    """

    def __init__(self) -> None:
        _require_driver()
        self._cupy = _cupy()
        cuda = self._cupy.cuda
        self._errors = (cuda.runtime.CUDARuntimeError, cuda.driver.CUDADriverError)
        _require_card(cuda, self._errors)
        self._careful = os.environ.get("AITBC_GPU_SYNC", "") not in ("", "0")
        self._modules: dict[str, Any] = {}
        self._functions: dict[tuple[str, str], Any] = {}
        self._shared: dict[tuple[str, str], int] = {}
        self._pending: list[Any] = []
        asked = size_setting("AITBC_GPU_MEMORY", "for what is free")
        self.name = "GPU"
        with self._told("when it is opened"):
            properties = cuda.runtime.getDeviceProperties(0)
            self.name = properties["name"].decode()
            self.multiprocessors: int = properties["multiProcessorCount"]
            self.architecture = f"sm_{cuda.Device(0).compute_capability}"
            self._require_usable()
            free, total = cuda.runtime.memGetInfo()
            self.budget: int = min(asked or int(_SHARE * free), total)
            self._pool = cuda.MemoryPool()
            self._pool.set_limit(size=self.budget)
            self._staging = [_Buffer(self._cupy) for _ in range(2)]
            self._lanes = [cuda.Stream(non_blocking=True) for _ in range(LANES)]

    def _require_usable(self) -> None:
        if int(self.architecture.removeprefix("sm_")) < OLDEST:
            raise NoEngineError(
                "the GPU is too old",
                place=self.name,
                expected=f"compute capability {OLDEST / 10} or later",
                got=self.architecture,
                hint="use the engine 'cpu'",
            )
        nvrtc.version()

    def describe(self) -> str:
        """Card, memory, compiler and library in one line, for a person."""
        free, total = self._cupy.cuda.runtime.memGetInfo()
        return (
            f"{self.name}, {self.multiprocessors} multiprocessors, {self.architecture}, "
            f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free, budget {self.budget / 2**30:.1f} GiB, "
            f"NVRTC {'.'.join(map(str, nvrtc.version()))}, CuPy {self._cupy.__version__}"
        )

    # -- memory ------------------------------------------------------------------------------------------------

    @property
    def free(self) -> int:
        """Bytes of the budget that no array holds."""
        return self.budget - int(self._pool.used_bytes())

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
        """An uninitialised array."""
        lengths = (shape,) if isinstance(shape, int) else shape
        size = math.prod(lengths) * np.dtype(dtype).itemsize
        return self._cupy.ndarray(lengths, dtype, memptr=self._memory(size))

    def zeros(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array of zeros."""
        array = self.empty(shape, dtype)
        with self._told("clearing memory"):
            array.data.memset_async(0, array.nbytes)
        return array

    def _memory(self, size: int) -> Any:
        out_of_memory = self._cupy.cuda.memory.OutOfMemoryError
        with self._told("memory"):
            try:
                return self._pool.malloc(size)
            except out_of_memory:
                # Blocks that are free, but of other sizes or other lanes, go back to the card.
                self._pool.free_all_blocks()
            try:
                return self._pool.malloc(size)
            except out_of_memory as error:
                raise DeviceMemoryError(
                    "the GPU's memory does not suffice",
                    place=self.name,
                    expected=f"{size / 2**20:.0f} MiB free of a budget of {self.budget / 2**20:.0f} MiB",
                    got=f"{max(self.free, 0) / 2**20:.0f} MiB",
                    hint="free some, raise AITBC_GPU_MEMORY, or use the engine 'cpu'",
                ) from error

    # -- transfers ---------------------------------------------------------------------------------------------

    def upload(self, host: NDArray[Any]) -> Array:
        """A copy of a host array on the device; the host's may be changed as soon as this returns."""
        source = np.ascontiguousarray(host)
        array = self.empty(source.shape, source.dtype)
        kind, stream = self._cupy.cuda.runtime.memcpyHostToDevice, self._stream()
        with self._told("upload"):
            for buffer, at, piece in self._pieces(source):
                buffer.wait()
                _fill(buffer.memory[: piece.size], piece)
                self._copy(array.data.ptr + at, buffer.address, piece.size, kind, stream)
                buffer.used(stream)
        return array

    def download(self, array: Array) -> NDArray[Any]:
        """A copy of a device array on the host, after all that was queued before on the current lane."""
        _require_contiguous(array)
        host = np.empty(array.shape, array.dtype)
        kind, stream = self._cupy.cuda.runtime.memcpyDeviceToHost, self._stream()
        arriving: list[tuple[_Buffer, NDArray[np.uint8]]] = []
        with self._told("download"):
            for buffer, at, piece in self._pieces(host):
                if len(arriving) == len(self._staging):
                    _take(*arriving.pop(0))
                buffer.wait()
                self._copy(buffer.address, array.data.ptr + at, piece.size, kind, stream)
                buffer.used(stream)
                arriving.append((buffer, piece))
            for pair in arriving:
                _take(*pair)
        return host

    def _pieces(self, host: NDArray[Any]) -> Iterator[tuple[_Buffer, int, NDArray[np.uint8]]]:
        """A host array's bytes, piece by piece, with the buffer each goes through and its offset."""
        flat = host.reshape(-1).view(np.uint8)
        for turn, at in enumerate(range(0, flat.size, _STAGING_BYTES)):
            yield self._staging[turn % len(self._staging)], at, flat[at : at + _STAGING_BYTES]

    def _copy(self, to: int, source: int, size: int, kind: int, stream: Any) -> None:
        self._cupy.cuda.runtime.memcpyAsync(to, source, size, kind, stream.ptr)

    # -- work --------------------------------------------------------------------------------------------------

    def launch(
        self,
        module: str,
        kernel: str,
        blocks: int | tuple[int, int],
        threads: int,
        *arguments: Argument,
        shared: int = 0,
    ) -> None:
        """Queue a kernel."""
        grid = blocks if isinstance(blocks, tuple) else (blocks, 1)
        if 0 in grid:
            return
        words = tuple(map(_word, arguments))
        with self._told(f"kernel {module}.{kernel}"):
            self._function(module, kernel, shared)(grid, (threads,), words, shared_mem=shared)
            if self._careful:
                self._stream().synchronize()

    def _function(self, module: str, kernel: str, shared: int) -> Any:
        """A kernel, loaded, and allowed as much dynamic shared memory as it is to have."""
        key = module, kernel
        function = self._functions.get(key)
        if function is None:
            if module not in self._modules:
                loaded = self._cupy.cuda.function.Module()
                loaded.load(program.cubin(module, self.architecture))
                self._modules[module] = loaded
            function = self._functions[key] = self._modules[module].get_function(kernel)
        if shared > self._shared.get(key, 0):
            driver = self._cupy.cuda.driver
            driver.funcSetAttribute(function.ptr, driver.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, shared)
            self._shared[key] = shared
        return function

    @contextmanager
    def lane(self, number: int) -> Iterator[None]:
        """What is queued within goes to a stream of its own."""
        stream = self._lanes[number % LANES]
        with self._told("lanes"):
            stream.wait_event(self._stream().record())
        with stream:
            try:
                yield
            finally:
                self._pending.append(stream.record())

    def join(self) -> None:
        """Have the current stream wait for all lanes."""
        with self._told("lanes"):
            for event in self._pending:
                self._stream().wait_event(event)
        self._pending.clear()

    def synchronize(self) -> None:
        """Wait for all that was queued."""
        with self._told("waiting for what was queued"):
            self._cupy.cuda.runtime.deviceSynchronize()

    def time(self, work: Callable[[], object]) -> float:
        """Milliseconds from the beginning of what a function queues to its end, by the card's clock."""
        cuda, stream = self._cupy.cuda, self._stream()
        start, end = cuda.Event(), cuda.Event()
        with self._told("timing"):
            start.record(stream)
            work()
            end.record(stream)
            end.synchronize()
            return float(cuda.get_elapsed_time(start, end))

    def _stream(self) -> Any:
        return self._cupy.cuda.get_current_stream()

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """CUDA's errors as ours."""
        try:
            yield
        except self._errors as error:
            raise _failure(f"{self.name}, {what}", error, careful=self._careful) from error


class _Buffer:
    """Page-locked memory, and when the card is done with it."""

    def __init__(self, cupy: Any) -> None:
        self.memory = np.frombuffer(cupy.cuda.alloc_pinned_memory(_STAGING_BYTES), np.uint8, _STAGING_BYTES)
        self.address: int = self.memory.ctypes.data
        self._done = cupy.cuda.Event(disable_timing=True)

    def used(self, stream: Any) -> None:
        """It is in use until what was queued on the stream has happened."""
        self._done.record(stream)

    def wait(self) -> None:
        """Until it is not."""
        self._done.synchronize()


def _take(buffer: _Buffer, piece: NDArray[np.uint8]) -> None:
    """Have a piece that arrives in a buffer."""
    buffer.wait()
    _fill(piece, buffer.memory[: piece.size])


def _fill(to: NDArray[np.uint8], source: NDArray[np.uint8]) -> None:
    """Copy in main memory, on all threads where it pays: one alone is slower than the card's bus."""
    threads.run(partial(np.copyto, to[i:j], source[i:j]) for i, j in threads.ranges(source.size, _COPY_BYTES))


def _word(argument: Argument) -> np.integer[Any]:
    """An argument as the integer whose bytes the kernel gets: an array's is its address."""
    if isinstance(argument, np.integer):
        return argument
    _require_contiguous(argument)
    return np.uint64(argument.data.ptr)


def _require_contiguous(array: Array) -> None:
    if not array.flags.c_contiguous:
        raise ValueError(f"expected a C-contiguous device array, got strides {array.strides} of shape {array.shape}")


def _require_driver() -> None:
    """Look for the driver's library, which takes no time: most machines have none."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        hint = "install one, see what nvidia-smi says, or use the engine 'cpu'"
        expected = "libcuda.so.1, of a driver for CUDA 13"
        message = "there is no NVIDIA driver"
        raise NoEngineError(message, place="engine 'gpu'", expected=expected, got=str(error), hint=hint) from error


def _cupy() -> Any:
    try:
        import cupy
    except ImportError as error:
        raise NoEngineError(
            "CuPy cannot be imported",
            place="engine 'gpu'",
            expected="the package cupy-cuda13x",
            got=str(error).strip().splitlines()[0],
            hint="pip install 'aitbc-rollup[gpu]', or use the engine 'cpu'",
        ) from error
    return cupy


def _require_card(cuda: Any, errors: tuple[type[Exception], ...]) -> None:
    try:
        if cuda.runtime.getDeviceCount() > 0:
            return
        status: int | None = _NO_DEVICE
        got = "none"
    except errors as error:
        status, got = getattr(error, "status", None), str(error)
    messages = {_INSUFFICIENT_DRIVER: "the NVIDIA driver is too old", _NO_DEVICE: "there is no GPU"}
    raise NoEngineError(
        messages.get(status or 0, "CUDA does not start"),
        place="engine 'gpu'",
        expected=f"a card, and a driver for CUDA {cuda.runtime.runtimeGetVersion() // 1000}",
        got=got,
        hint="see what nvidia-smi says, or use the engine 'cpu'",
    )


def _failure(place: str, error: Exception, *, careful: bool) -> AitbcError:
    hint = "see what nvidia-smi and the system's log say, or use the engine 'cpu'"
    if not careful:
        hint = f"the fault may lie in an earlier kernel: AITBC_GPU_SYNC=1 names the one; {hint}"
    return ResourceError("the GPU reports an error", place=place, got=str(error), hint=hint)
