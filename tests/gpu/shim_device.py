"""Devices on the CPU that run the kernels' own sources: through g++ (``ShimDevice``), and through NVIDIA's compiler and
then g++ (``PtxDevice``).

Arrays are numpy's, poisoned where they are uninitialised and fenced, so that a kernel that reads what nobody wrote or
writes outside its array shows.
"""

from __future__ import annotations

import csv
import ctypes
import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray
from ptx import Translator

from aitbc_rollup.cache import cache_root
from aitbc_rollup.gpu import nvrtc, program

SHIM = Path(__file__).parent / "shim"
MAX_ARGUMENTS = 16
FENCE_BYTES = 4096
POISON, FENCE = 0xC5, 0x5C
#: Fibers jump between stacks, which some distributions' g++ forbids unless told.
COMPILER = (
    "g++",
    "-std=c++17",
    "-U_FORTIFY_SOURCE",
    "-shared",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-strict-aliasing",
    "-w",
)
#: Modules whose PTX takes longer to be optimised than to be run as it is.
IN_HASTE = {"curve", "field", "fixed_base", "msm_g2", "probe"}
#: The architecture whose PTX is run.
ARCHITECTURE = "compute_90"
#: What a block may have on it: registers, given out eight at a time for each thread, and bytes of shared memory.
REGISTERS, SHARED = 1 << 16, 227 << 10


class Text(NamedTuple):
    """A module's source and the headers it includes, each with its name."""

    module: str
    source: str
    headers: tuple[tuple[str, str], ...]


def _built(kind: str, text: Text, made_from: list[str], make: Callable[[Path], None]) -> Path:
    """The library that ``make(folder)`` has g++ build as ``out.so``, kept in the cache."""
    runtime = [path.read_text() for path in sorted(SHIM.iterdir())]
    texts = [text.source, *(header for _, header in text.headers), *made_from, *runtime, *COMPILER]
    key = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]
    path = cache_root() / "shim" / f"{text.module}-{kind}-{key}.so"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as work:
            make(Path(work))
            (Path(work) / "out.so").replace(path)
    return path


def _compile(source: Path, runtime: str, level: str) -> None:
    work = source.parent
    command = [*COMPILER, level, "-include", str(SHIM / runtime), "-I", str(work), "-x", "c++", str(source)]
    done = subprocess.run([*command, "-o", str(work / "out.so")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]


def build_source(text: Text) -> Path:
    """A module's source compiled for this CPU."""

    def make(work: Path) -> None:
        for name, content in [*text.headers, ("module.cu", text.source)]:
            (work / name).write_text(content)
        _compile(work / "module.cu", "shim.hpp", "-Og")

    return _built("source", text, ["-Og"], make)


def build_ptx(text: Text) -> Path:
    """The PTX that NVIDIA's compiler makes of a module's source, compiled for this CPU."""
    level = "-O0" if text.module in IN_HASTE else "-O1"

    def make(work: Path) -> None:
        ptx = program.compile_module(text.module, ARCHITECTURE, text.source, dict(text.headers)).ptx
        (work / "module.cpp").write_text(Translator(ptx).translate())
        _compile(work / "module.cpp", "ptx.hpp", level)

    translator = (Path(__file__).parent / "ptx.py").read_text()
    return _built("ptx", text, [translator, level, ARCHITECTURE, *program.OPTIONS, str(nvrtc.version())], make)


Build = Callable[[Text], Path]
#: What is being built before it is asked for.
_ahead: dict[tuple[Build, Text], Future[Path]] = {}


@contextmanager
def building_ahead(builds: list[Build]) -> Iterator[None]:
    """While the context lasts, other threads build all modules as they are; what nobody has waited for is left."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        texts = [module_text(module) for module in program.modules()]
        _ahead.update({(build, text): pool.submit(build, text) for text in texts for build in builds})
        yield
        pool.shutdown(cancel_futures=True)
        _ahead.clear()


@cache
def _library(build: Build, text: Text) -> ctypes.CDLL:
    """What is built, loaded: by now, by another thread that has begun, or here."""
    begun = _ahead.get((build, text))
    loaded = ctypes.CDLL(str(build(text) if begun is None or begun.cancel() else begun.result()))
    loaded.shim_error.restype = ctypes.c_char_p
    return loaded


def module_text(module: str, sources: Mapping[str, str] | None = None) -> Text:
    """A module with its headers, some of them replaced."""
    replaced = sources or {}
    source = replaced.get(module) or program.source(module)
    return Text(module, source, tuple(program.included(source, {**program.headers(), **replaced}).items()))


class CpuDevice:
    """Implements ``gpu.device.Device``. ``seed`` orders a block's threads: 0 ascending, 1 descending, more shuffled.

    ``sources`` replaces the text of modules and, by their files' names, of headers, to see that a broken kernel is
    noticed.
    """

    name = "cpu"
    multiprocessors = 2

    def __init__(self, seed: int = 0, sources: dict[str, str] | None = None) -> None:
        self._seed = seed
        self._sources = sources or {}
        self._memory: list[tuple[int, int]] = []
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
        self._memory.append((memory.ctypes.data + start, size))
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
        assert 0 < threads <= 1024 and grid[0] < 1 << 31 and grid[1] < 1 << 16
        if 0 in grid:
            return
        registers, static = _usage().get((module, kernel), (0, 0))
        assert threads * (registers + -registers % 8) <= REGISTERS and shared + static <= SHARED, (module, kernel)
        code = self._code(module)
        self._check(code, kernel, arguments)
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

    def _code(self, module: str) -> ctypes.CDLL:
        return _library(self._build, module_text(module, self._sources))

    def _build(self, text: Text) -> Path:
        raise NotImplementedError

    def _check(self, code: ctypes.CDLL, kernel: str, arguments: tuple[Any, ...]) -> None:
        """What is known of a kernel's parameters beforehand."""

    def check_fences(self) -> None:
        """Fail if a kernel wrote beside an array."""
        assert all((fence == FENCE).all() for fence in self._fences), "a kernel wrote outside its array"


class ShimDevice(CpuDevice):
    """Runs the sources, with the portable branch of ``arch.cuh``."""

    name = "shim"

    _build = staticmethod(build_source)


class PtxDevice(CpuDevice):
    """Runs the PTX, and checks what a kernel reads and where threads race (``shim/ptx.hpp``).

    ``without`` takes a barrier out of every module's code, by its place among them; ``reached`` then tells whether a
    kernel came there.
    """

    name = "ptx"

    def __init__(self, seed: int = 0, sources: dict[str, str] | None = None, without: int | None = None) -> None:
        super().__init__(seed, sources)
        self._without = without
        self.reached = False

    def launch(
        self, module: str, kernel: str, blocks: int | tuple[int, int], threads: int, *arguments: Any, shared: int = 0
    ) -> None:
        code = self._code(module)
        arrays = np.array(sorted(self._memory), np.uint64)
        code.shim_arrays(arrays.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(arrays)))
        code.shim_skip(ctypes.c_uint(0xFFFFFFFF if self._without is None else self._without))
        try:
            super().launch(module, kernel, blocks, threads, *arguments, shared=shared)
        finally:
            self.reached |= bool(code.shim_skip(ctypes.c_uint(0xFFFFFFFF)))

    def barriers(self, module: str) -> int:
        """How many barriers there are in a module's code."""
        return int(self._code(module).shim_barriers())

    _build = staticmethod(build_ptx)

    def _check(self, code: ctypes.CDLL, kernel: str, arguments: tuple[Any, ...]) -> None:
        """Hold each argument to its parameter's size: a card would read as many bytes, whatever follows."""
        declared = bytes((ctypes.c_uint8 * (len(arguments) + 1)).in_dll(code, f"{kernel}_sizes"))
        given = bytes(8 if isinstance(argument, np.ndarray) else argument.itemsize for argument in arguments)
        assert declared == given + b"\0", f"{kernel}: arguments of {list(given)} bytes, parameters of {list(declared)}"


@cache
def _usage() -> dict[tuple[str, str], tuple[int, int]]:
    """Registers and static shared memory of each kernel on sm_90."""
    with (Path(program.__file__).parent / "resources.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["architecture"] == "sm_90"]
    return {(row["module"], row["kernel"]): (int(row["registers"]), int(row["shared"])) for row in rows}


def _word(argument: Any) -> int:
    if isinstance(argument, np.ndarray):
        assert argument.flags.c_contiguous
        return argument.ctypes.data
    assert isinstance(argument, np.integer), f"{argument!r} is no numpy integer"
    return int(argument) & 0xFFFFFFFFFFFFFFFF
