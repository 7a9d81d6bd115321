"""Machine code of kernels: kept on disk, loaded into this process and called.

An *entry* is an object file with one function, ``int32 symbol(int64 *block)``. The block holds the arguments from its
second word on, an array as its address and its shape, and takes the result in its first; the function returns 0 unless
the kernel raised an exception. Loading one takes LLVM's linker alone, well under a millisecond, and no numba.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np

from aitbc_rollup.cache import CodeFolder

from . import cpu

#: How a kernel's result is read from the block's first word, by the letter that stands for its type in a file.
RESULTS: dict[str, Callable[[int], object]] = {"n": lambda word: None, "i": int, "b": bool}

_SIGNATURE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)


class Code(NamedTuple):
    """An entry, ready to be kept or loaded."""

    symbol: str
    #: One of :data:`RESULTS`.
    result: str
    image: bytes


#: Where entries are kept.
FOLDER = CodeFolder("kernels")


def find(symbol: str) -> Code | None:
    """The entry of this name, if it was kept by somebody who may say what runs here, and is whole."""
    content = FOLDER.find(f"{symbol}.o")
    return Code(symbol, chr(content[0]), content[1:]) if content else None


def keep(code: Code) -> None:
    """Write an entry, whole or not at all. Where nothing can be written, the next process compiles again."""
    FOLDER.keep(f"{code.symbol}.o", code.result.encode() + code.image)


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
