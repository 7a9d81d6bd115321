"""Machine code of kernels: kept on disk, loaded into this process and called.

An *entry* is an object file with one function, ``int32 symbol(int64 *block)``. The block holds the arguments from its
second word on, an array as its address and its shape, and takes the result in its first; the function returns 0 unless
the kernel raised an exception. Loading one takes LLVM's linker alone, well under a millisecond, and no numba.

What is on disk is run like the package's own code. So it is loaded only if nobody but this user or root can have
written it, and against accidents only if its digest agrees.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import tempfile
from array import array
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np

from aitbc_rollup.cache import cache_root

from . import cpu

#: How a kernel's result is read from the block's first word, by the letter that stands for its type in a file.
RESULTS: dict[str, Callable[[int], object]] = {"n": lambda word: None, "i": int, "b": bool}

_DIGEST_BYTES = 32
_SIGNATURE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)


class Code(NamedTuple):
    """An entry, ready to be kept or loaded."""

    symbol: str
    #: One of :data:`RESULTS`.
    result: str
    image: bytes


def folder() -> Path:
    """Where entries are kept."""
    return cache_root() / "kernels"


def find(symbol: str) -> Code | None:
    """The entry of this name, if it was kept by somebody who may say what runs here, and is whole."""
    try:
        with (folder() / f"{symbol}.o").open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022:
                return None
            content = file.read()
    except OSError:
        return None
    digest, rest = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(rest).digest() != digest:
        return None
    return Code(symbol, chr(rest[0]), rest[1:])


@contextlib.contextmanager
def claimed(symbol: str) -> Iterator[None]:
    """While the context lasts, no other process makes the entry of this name; a second one waits and then finds it."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # where nothing can be written, everybody makes their own
            folder().mkdir(mode=0o700, parents=True, exist_ok=True)
            file = held.enter_context((folder() / ".lock").open("ab"))
            # A byte of one file for each name, far beyond its end: no file is left behind.
            fcntl.lockf(file, fcntl.LOCK_EX, 1, int.from_bytes(hashlib.sha256(symbol.encode()).digest()[:7], "big"))
        yield


def keep(code: Code) -> None:
    """Write an entry, whole or not at all. Where nothing can be written, the next process compiles again."""
    rest = code.result.encode() + code.image
    place = folder()
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{code.symbol}.", dir=place)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(rest).digest() + rest)
            Path(name).replace(place / f"{code.symbol}.o")
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@cache
def target_machine() -> Any:
    """LLVM's description of this processor, less what the chosen path keeps out."""
    features = cpu.llvm_features() or llvm.get_host_cpu_features().flatten()
    return _machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3)


@cache
def load(code: Code) -> Callable[..., Any]:
    """The entry as a function; not thread-safe. Its arguments are integers and C-contiguous arrays.

    The call releases the GIL. It raises RuntimeError where the kernel raised anything, OverflowError where an integer
    has more than 64 bits.
    """
    linker = _linker()
    linker.add_object_file(llvm.object_file.ObjectFileRef.from_data(code.image))
    linker.finalize_object()
    function = _SIGNATURE(linker.get_function_address(code.symbol))
    read = RESULTS[code.result]

    def call(*arguments: Any) -> Any:
        words = [0]
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                words += (argument.ctypes.data, *argument.shape)
            else:
                words.append(argument)
        block = array("q", words)
        if function(block.buffer_info()[0]):
            raise RuntimeError(f"{code.symbol} raised an exception")
        return read(block[0])

    return call


@cache
def _linker() -> Any:
    """LLVM's loader of object files, which owns what it has loaded until the process ends."""
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())


def _machine(**options: Any) -> Any:
    """A target machine of this process, for code that is run where it lies."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = llvm.get_process_triple()
    # As numba has it: x86's relocations must be resolved at once, others have a default that works.
    reloc = "static" if triple.startswith(("x86", "i386", "i686")) else "default"
    target = llvm.Target.from_triple(triple)
    return target.create_target_machine(**options, reloc=reloc, codemodel="jitdefault", jit=True)
