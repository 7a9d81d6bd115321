"""How this package compiles: one decorator, one cache, a few words for raw memory.

Kernels work on *addresses*, as C would: a field element is 32 bytes at an ``intp``, a point a few of
them in a row. numba then passes plain integers around, compiles fast, and allocates nothing.

Caveats of that choice. An address keeps nothing alive: the array behind it must be held by the Python
caller until the kernel returns. Nothing is bounds-checked. So a kernel never leaves its module without
a wrapper in Python that checks shapes and dtypes.

The on-disk cache lies in a folder named by a hash of the vector path, the module's source and that of every module of
ours it reaches: numba alone does not notice that a callee in another file has changed.

What a kernel costs before it runs, and so how to write one (figures of a 2.6 GHz core, machine code cached on disk):

- *Entries are loaded, the rest is not.* A kernel called from Python is read from disk at its first call: 2 ms, and
  3 ms more per 100 KB of machine code. One that only kernels call lives in its callers' code and costs nothing. So:
  few entries, each a whole stage of the work; never a Python loop over small ones.
- *One set of argument types a kernel.* Each further set is compiled, cached and loaded again, and these differ:
  ``f(x, 1)`` and ``f(x, n)``; an int8 and an ``intp``; a writable array and a read-only one (a mapped file). Pass
  addresses and counts, as ``intp``; where the caller has a literal or a small integer, write ``np.intp(…)``.
- *Nothing happens at import*: no compiling (a signature given to ``njit`` compiles at once), no table. Tables and
  address arithmetic wait, behind ``functools.cache``, for the first proof that needs them.
- *Code called in many places stays out of line*, as LLVM functions that are ``linkonce_odr`` and ``noinline``: every
  entry optimises again all that it reaches, so inlining decides how long the first compilation takes.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from platformdirs import user_cache_path

from . import cpu

_PACKAGE = __name__.split(".", 1)[0]

# Read by numba at the first compilation, and part of its cache's keys.
numba.config.CPU_FEATURES = numba.config.CPU_FEATURES or cpu.llvm_features()


def cache_root() -> Path:
    """Folder of everything this package caches: ``AITBC_CACHE``, or the platform's cache folder."""
    chosen = os.environ.get("AITBC_CACHE")
    return Path(chosen) if chosen else user_cache_path("aitbc-rollup", appauthor=False)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function with numba: lazily, without the GIL, cached on disk."""
    root = cache_root() / "kernels" / _source_hash(function.__globals__)
    kept = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(root)
    try:
        return numba.njit(cache=True, nogil=True)(function)
    finally:
        numba.config.CACHE_DIR = kept


class Templates:
    """Kernels written once and compiled for several fields or groups; use an instance as the decorator.

    A template reads names of its module that hold nothing yet (a field, a size, a constant). :meth:`build` gives each
    template a copy of the module's globals with those names filled in, then compiles it. (The plainer way, closures
    over a field's kernels, numba compiles but does not find again on disk.)
    """

    def __init__(self) -> None:
        self._functions: dict[str, FunctionType] = {}

    def __call__(self, function: Any) -> Any:
        """Note a template, under its name."""
        self._functions[function.__name__] = function
        return function

    def build(self, name: str, space: dict[str, Any]) -> dict[str, Any]:
        """The kernels by name, compiled in ``space``, which is changed: a later template finds earlier ones there."""
        for label, template in self._functions.items():
            function = FunctionType(template.__code__, space, label)
            # numba names machine code by qualified name: without this, cached code of two builds would collide.
            function.__qualname__ = f"{name}_{label}"
            function.__doc__ = template.__doc__
            function.__annotations__ = template.__annotations__
            space[label] = kernel(function)
        return {label: space[label] for label in self._functions}


def _source_hash(module_globals: dict[str, Any]) -> str:
    """Hash of a module's source and, in order of name, of every module of this package it reaches."""
    seen: dict[str, str] = {}

    def visit(name: str, space: dict[str, Any]) -> None:
        if name in seen:
            return
        seen[name] = _file_hash(space["__file__"])
        for value in list(space.values()):
            owner = (
                value if isinstance(value, ModuleType) else sys.modules.get(getattr(value, "__module__", None) or "")
            )
            if owner is not None and owner.__name__.split(".", 1)[0] == _PACKAGE and hasattr(owner, "__file__"):
                visit(owner.__name__, vars(owner))

    visit(module_globals["__name__"], module_globals)
    joined = "".join(seen[name] for name in sorted(seen))
    return hashlib.sha256((joined + numba.__version__ + cpu.chosen()).encode()).hexdigest()[:16]


@cache
def _file_hash(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


# -- words for raw memory, usable only inside kernels ---------------------------------------------------------

I64 = ir.IntType(64)


def pointer(builder: Any, address: Any) -> Any:
    """Inside an intrinsic: the LLVM pointer to 64-bit words at an ``intp``."""
    return builder.inttoptr(address, I64.as_pointer())


@intrinsic
def address(typing_context: Any, array: Any) -> Any:
    """``address(array) -> intp``: where a C-contiguous array's data begin."""
    if not (isinstance(array, types.Array) and array.layout == "C"):
        raise numba.TypingError("address() takes a C-contiguous array")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = cgutils.create_struct_proxy(array)(context, builder, arguments[0])
        return builder.ptrtoint(struct.data, I64)

    return types.intp(array), generate


@intrinsic(prefer_literal=True)
def stack(typing_context: Any, words: Any) -> Any:
    """``stack(words) -> intp``: uninitialised 64-bit words on this function's stack frame; ``words`` is a literal.

    One call site is one block, even inside a loop.
    """
    if not isinstance(words, types.IntegerLiteral):
        return None
    count = words.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = cgutils.alloca_once(builder, ir.ArrayType(I64, count))
        block.align = 64
        return builder.ptrtoint(block, I64)

    return types.intp(words), generate


@intrinsic
def load(typing_context: Any, at: Any) -> Any:
    """``load(at) -> uint64``: the word at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(pointer(builder, arguments[0]))

    return types.uint64(types.intp), generate


@intrinsic
def store(typing_context: Any, at: Any, word: Any) -> Any:
    """``store(at, word)``: write one 64-bit word."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], pointer(builder, arguments[0]))
        return context.get_dummy_value()

    return types.void(types.intp, types.uint64), generate


def checked(array: np.ndarray[Any, Any], *shape: int | None, dtype: Any = np.uint64) -> np.ndarray[Any, Any]:
    """The array itself if it is C-contiguous, of this dtype and shape (``None`` = any length).

    Raises:
        ValueError: it is not; a kernel would read foreign memory.
    """
    fits = array.ndim == len(shape) and all(w is None or n == w for n, w in zip(array.shape, shape, strict=True))
    if array.dtype != dtype or not array.flags.c_contiguous or not fits:
        raise ValueError(
            f"expected a C-contiguous {np.dtype(dtype)} array of shape {shape}, got {array.dtype} {array.shape}"
        )
    return array
