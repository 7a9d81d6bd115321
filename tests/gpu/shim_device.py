"""A :class:`Device` on the CPU: the same ``.cu`` files through g++ and ``shim/shim.hpp``.

Arrays are numpy's, poisoned where they are uninitialised and fenced, so that a kernel that reads what nobody wrote or
writes outside its array shows.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from aitbc_rollup.cache import cache_root
from aitbc_rollup.gpu import program

SHIM = Path(__file__).parent / "shim"
MAX_ARGUMENTS = 16
FENCE_BYTES = 4096
POISON, FENCE = 0xC5, 0x5C
COMPILER = ("g++", "-std=c++17", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing", "-w")


@cache
def library(module: str, source: str) -> ctypes.CDLL:
    """A module's source compiled for this CPU, kept in the cache."""
    texts = [source, (SHIM / "shim.hpp").read_text(), *(t for _, t in sorted(program.headers().items())), *COMPILER]
    key = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]
    path = cache_root() / "shim" / f"{module}-{key}.so"
    if not path.exists():
        work = path.with_suffix(f".{os.getpid()}")
        work.mkdir(parents=True)
        for name, text in program.headers().items():
            (work / name).write_text(text)
        (work / f"{module}.cu").write_text(source)
        command = [
            *COMPILER,
            "-include",
            str(SHIM / "shim.hpp"),
            "-I",
            str(work),
            "-x",
            "c++",
            str(work / f"{module}.cu"),
        ]
        done = subprocess.run([*command, "-o", str(work / "out.so")], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (work / "out.so").replace(path)
        for left in work.iterdir():
            left.unlink()
        work.rmdir()
    loaded = ctypes.CDLL(str(path))
    loaded.shim_error.restype = ctypes.c_char_p
    return loaded


class ShimDevice:
    """Implements ``gpu.device.Device``. ``seed`` orders a block's threads: 0 ascending, 1 descending, more shuffled.

    ``sources`` replaces the text of modules, to see that a broken kernel is noticed.
    """

    name = "shim"
    multiprocessors = 2

    def __init__(self, seed: int = 0, sources: dict[str, str] | None = None) -> None:
        self._seed = seed
        self._sources = sources or {}
        self._fences: list[NDArray[np.uint8]] = []
        self.free = 1 << 40

    def describe(self) -> str:
        return "the kernels on this CPU"

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        memory = np.full(size + 2 * FENCE_BYTES + 64, POISON, np.uint8)
        start = FENCE_BYTES + -(memory.ctypes.data + FENCE_BYTES) % 64
        memory[:start] = memory[start + size :] = FENCE
        self._fences += [memory[:start], memory[start + size :]]
        return memory[start : start + size].view(dtype).reshape(shape)

    def zeros(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        array = self.empty(shape, dtype)
        array[...] = 0
        return array

    def upload(self, host: NDArray[Any]) -> NDArray[Any]:
        array = self.empty(host.shape, host.dtype)
        array[...] = host
        return array

    def download(self, array: NDArray[Any]) -> NDArray[Any]:
        self.check_fences()
        return array.copy()

    def launch(
        self, module: str, kernel: str, blocks: int | tuple[int, int], threads: int, *arguments: Any, shared: int = 0
    ) -> None:
        grid = blocks if isinstance(blocks, tuple) else (blocks, 1)
        assert 0 < threads <= 1024 and grid[0] < 1 << 31 and grid[1] < 1 << 16 and shared <= 227 * 1024
        if 0 in grid:
            return
        code = library(module, self._sources.get(module) or program.source(module))
        words = (ctypes.c_uint64 * MAX_ARGUMENTS)(*(_word(argument) for argument in arguments))
        function = ctypes.cast(getattr(code, kernel), ctypes.c_void_p)
        if code.shim_launch(function, words, *grid, threads, shared, self._seed):
            raise AssertionError(f"{module}.{kernel}: {code.shim_error().decode()}")

    def lane(self, number: int) -> AbstractContextManager[None]:
        return nullcontext()

    def join(self) -> None:
        pass

    def time(self, work: Callable[[], object]) -> float:
        start = time.perf_counter()
        work()
        return 1e3 * (time.perf_counter() - start)

    def check_fences(self) -> None:
        """Fail if a kernel wrote beside an array."""
        assert all((fence == FENCE).all() for fence in self._fences), "a kernel wrote outside its array"


def _word(argument: Any) -> int:
    if isinstance(argument, np.ndarray):
        assert argument.flags.c_contiguous
        return argument.ctypes.data
    assert isinstance(argument, np.integer), f"{argument!r} is no numpy integer"
    return int(argument) & 0xFFFFFFFFFFFFFFFF
