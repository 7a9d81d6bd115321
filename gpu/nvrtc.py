"""NVIDIA's run-time compiler: CUDA C++ to machine code for one architecture, without a GPU or a toolkit.

A thin binding to the C interface of libnvrtc (NVRTC documentation, "Basic Usage"); the wheel ``nvidia-cuda-nvrtc`` or
a CUDA toolkit carries the library.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from aitbc_rollup.errors import ResourceError

_SUCCESS, _COMPILATION = 0, 6


class Compiled(NamedTuple):
    """What a compilation yields: the machine code, the PTX it was made from, and what the compiler said of them."""

    cubin: bytes
    ptx: str
    log: str


def _by_finder() -> str:
    from cuda.pathfinder import load_nvidia_dynamic_lib

    return str(load_nvidia_dynamic_lib("nvrtc").abs_path)


#: Where it may be: where NVIDIA's own finder has it (wheels, conda, CUDA_HOME), where the system's loader looks, where
#: toolkits put it.
_PLACES: tuple[Callable[[], str], ...] = (
    _by_finder,
    lambda: "libnvrtc.so.13",
    lambda: "/usr/local/cuda/lib64/libnvrtc.so",
)


@functools.cache
def library() -> ctypes.CDLL:
    """libnvrtc, wherever wheels, conda or a toolkit put it.

    Raises:
        ResourceError: it is not there.
    """
    faults = []
    for place in _PLACES:
        try:
            return ctypes.CDLL(place())
        except (ImportError, RuntimeError, OSError) as error:
            faults.append(str(error).strip().splitlines()[0])
    raise ResourceError(
        "CUDA's run-time compiler cannot be loaded",
        place="libnvrtc",
        expected="the wheel nvidia-cuda-nvrtc or a CUDA toolkit",
        got="; ".join(faults),
        hint="pip install 'aitbc-rollup[gpu]'",
    )


def version() -> tuple[int, int]:
    """Version of the compiler."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _check(library().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)), "nvrtcVersion")
    return major.value, minor.value


def compile_source(source: str, name: str, headers: Mapping[str, str], options: Sequence[str]) -> Compiled:
    """Compile one translation unit; ``headers`` are what its ``#include`` lines may name.

    Raises:
        ResourceError: the source does not compile; the message carries the compiler's.
        ResourceError: there is no compiler.
    """
    nvrtc, program = library(), ctypes.c_void_p()
    texts = (ctypes.c_char_p * len(headers))(*(text.encode() for text in headers.values()))
    names = (ctypes.c_char_p * len(headers))(*(key.encode() for key in headers))
    made = nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), name.encode(), len(headers), texts, names)
    _check(made, "nvrtcCreateProgram")
    try:
        arguments = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        status = nvrtc.nvrtcCompileProgram(program, len(options), arguments)
        log = _output(program, "ProgramLog").rstrip(b"\0").decode(errors="replace")
        if status == _COMPILATION:
            raise ResourceError("a kernel does not compile", place=name, got=log)
        _check(status, "nvrtcCompileProgram")
        ptx = _output(program, "PTX").rstrip(b"\0").decode()
        return Compiled(_output(program, "CUBIN"), ptx, log)
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _output(program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    _check(getattr(library(), f"nvrtcGet{what}Size")(program, ctypes.byref(size)), f"nvrtcGet{what}Size")
    if size.value == 0:
        return b""
    buffer = ctypes.create_string_buffer(size.value)
    _check(getattr(library(), f"nvrtcGet{what}")(program, buffer), f"nvrtcGet{what}")
    return buffer.raw


def _check(status: int, call: str) -> None:
    if status != _SUCCESS:
        library().nvrtcGetErrorString.restype = ctypes.c_char_p
        raise ResourceError(f"{call} failed", place="libnvrtc", got=library().nvrtcGetErrorString(status).decode())
