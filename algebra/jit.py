"""How this package compiles: one decorator, one cache, a few words for raw memory.

Kernels work on *addresses*, as C would: a field element is 32 bytes at an ``intp``, a point a few of
them in a row. numba then passes plain integers around, compiles fast, and allocates nothing.

Caveats of that choice. An address keeps nothing alive: the array behind it must be held by the Python
caller until the kernel returns. Nothing is bounds-checked, and an array that is only to be read can be
written. So a kernel never leaves its module without a wrapper in Python that checks shapes and dtypes.

A kernel called from Python is an *entry*. Its machine code, with all that it calls, is one file in the cache, named by
a hash of its module's source and that of every module of ours it reaches, of the vector path and the processor.

What a kernel costs before it runs, and so how to write one (figures of a 2.6 GHz core):

- *Loading is cheap, numba is not.* An entry found on disk is loaded in half a millisecond; numba, 0.4 s until its first
  kernel, is imported only when one is missing. So no module of ours imports numba: what is needed of it stands here
  (:func:`kernel`, :func:`operation`, :class:`Templates`, the words below).
- *Compiling is per entry.* What several entries reach is translated once and optimised in each. So: few entries, each a
  whole stage of the work; never a Python loop over small ones.
- *One set of argument types a kernel.* Each further one is compiled again, and inside kernels ``f(x, 1)`` differs from
  ``f(x, n)``, an int8 from an ``intp``: write ``np.intp(…)`` where it counts.
- *Nothing happens at import*: no table, no compiling. Tables wait, behind ``functools.cache``, for their first use.
- *Code called in many places stays out of line*, as LLVM functions that are ``linkonce_odr`` and ``noinline``: what is
  inlined everywhere decides how long the first compilation takes.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Callable
from functools import cache, cached_property, update_wrapper
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from types import FunctionType, ModuleType
from typing import Any, Literal

import llvmlite
import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from . import compilation, cpu, machine_code

_PACKAGE = __name__.split(".", 1)[0]

#: What tells versions of an entry apart: ``"int"``, or an array's dtype and number of dimensions.
Kind = Literal["int"] | tuple[str, int]

_lock = RLock()


class Kernel:
    """A function compiled with numba. Called from kernels it becomes part of them; called from Python, an entry.

    An entry takes integers and C-contiguous arrays, returns an integer, a bool or nothing, and runs without the GIL.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if function.__closure__:
            raise TypeError(f"{function.__qualname__} is a closure, which its source does not tell apart from others")
        self._function = function
        self._entries: dict[tuple[Kind, ...], Callable[..., Any]] = {}
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        """Run as an entry."""
        kinds = tuple(map(_kind, arguments))
        entry = self._entries.get(kinds)
        if entry is None:
            with _lock:
                entry = self._entries[kinds] = self._entries.get(kinds) or machine_code.load(self._code(kinds))
        return entry(*arguments)

    @cached_property
    def _part(self) -> Any:
        from . import kernel_compiler

        return kernel_compiler.part(self._function)

    @cached_property
    def _numba_type_(self) -> Any:
        """Where numba looks when it meets this object in a kernel."""
        from . import kernel_compiler

        return kernel_compiler.type_of(self._part)

    def _code(self, kinds: tuple[Kind, ...]) -> machine_code.Code:
        """Machine code for these kinds of arguments: the one kept, or made now."""
        function = self._function
        sources = _source_hash(function.__globals__)
        identity = (function.__module__, function.__qualname__, kinds, sources, _machine_hash())
        symbol = f"{function.__name__}_{hashlib.sha256(repr(identity).encode()).hexdigest()[:24]}"
        return machine_code.find(symbol) or self._compile(kinds, symbol)

    def _compile(self, kinds: tuple[Kind, ...], symbol: str) -> machine_code.Code:
        with machine_code.FOLDER.claimed(symbol):
            code = machine_code.find(symbol)
            if code is None:
                compilation.begins(self._function.__qualname__)
                from . import kernel_compiler

                code = kernel_compiler.compile_entry(self._part, kinds, symbol)
                machine_code.keep(code)
            return code


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function, when it is first used; a decorator."""
    return Kernel(function)


def _kind(argument: Any) -> Kind:
    if isinstance(argument, np.ndarray):
        if not argument.flags.c_contiguous:
            raise TypeError("kernels take C-contiguous arrays")
        return argument.dtype.str, argument.ndim
    if isinstance(argument, int | np.integer | np.bool_):
        return "int"
    raise TypeError(f"kernels take integers and arrays, not {type(argument).__name__}")


class Intrinsic:
    """A word of kernels that writes LLVM code; made by :func:`operation`.

    With a signature, ``define(builder, *values)`` writes the code. Without, ``define(typing_context, *types)`` answers
    as numba's own intrinsics do: the signature, and a function that writes the code.
    """

    def __init__(
        self, define: Callable[..., Any], signature: str | None = None, *, prefer_literal: bool = False
    ) -> None:
        self.define = define
        self.signature = signature
        self.prefer_literal = prefer_literal
        update_wrapper(self, define)

    def __call__(self, *arguments: Any) -> Any:
        """Kernels alone can."""
        raise TypeError(f"{self.define.__name__} exists inside kernels only")

    @cached_property
    def _numba_type_(self) -> Any:
        from . import kernel_compiler

        return kernel_compiler.type_of(kernel_compiler.intrinsic(self))


def operation(signature: str) -> Callable[[Callable[..., Any]], Intrinsic]:
    """A word with fixed types, such as ``"uint64(intp)"`` or ``"void(intp, uint64)"``; a decorator.

    The function decorated, ``(builder, *values) -> value | None``, writes the code.
    """
    return lambda define: Intrinsic(define, signature)


class Templates:
    """Kernels written once and compiled for several fields or groups; use an instance as the decorator.

    A template reads names of its module that hold nothing yet (a field, a size, a constant). :meth:`build` gives each
    template a copy of the module's globals with those names filled in, then compiles it. (The plainer way,
    closures over a field's kernels, have no name by which to find them again on disk.)
    """

    def __init__(self) -> None:
        self._functions: dict[str, FunctionType] = {}
        self._built: set[str] = set()

    def __call__(self, function: Any) -> Any:
        """Note a template, under its name."""
        self._functions[function.__name__] = function
        return function

    def build(self, name: str, space: dict[str, Any]) -> dict[str, Any]:
        """The kernels by name, compiled in ``space``, which is changed: a later template finds earlier ones there."""
        if name in self._built:
            raise ValueError(f"templates were built as {name} before")
        self._built.add(name)
        for label, template in self._functions.items():
            function = FunctionType(template.__code__, space, label)
            # Part of what machine code is found by: without it, two builds would share one.
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
    return hashlib.sha256("".join(seen[name] for name in sorted(seen)).encode()).hexdigest()


@cache
def _file_hash(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@cache
def _machine_hash() -> str:
    """Hash of what else decides about machine code: processor and path, compilers and their translation."""
    numba = find_spec("numba")
    assert numba is not None and numba.origin is not None
    here = Path(__file__)
    parts = (
        cpu.chosen(),
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        platform.python_version(),
        llvmlite.__version__,
        _file_hash(str(Path(numba.origin).with_name("_version.py"))),  # read, because importing it takes long
        _file_hash(str(here.with_name("kernel_compiler.py"))),
        _file_hash(str(here.with_name("machine_code.py"))),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


# -- words for raw memory, usable only inside kernels ---------------------------------------------------------

I64 = ir.IntType(64)


def pointer(builder: Any, address: Any) -> Any:
    """Inside an operation: the LLVM pointer to 64-bit words at an ``intp``."""
    return builder.inttoptr(address, I64.as_pointer())


@Intrinsic
def address(typing_context: Any, array: Any) -> Any:
    """``address(array) -> intp``: where a C-contiguous array's data begin."""
    from numba.core import cgutils, errors, types

    if not (isinstance(array, types.Array) and array.layout == "C"):
        raise errors.TypingError("address() takes a C-contiguous array")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = cgutils.create_struct_proxy(array)(context, builder, arguments[0])
        return builder.ptrtoint(struct.data, I64)

    return types.intp(array), generate


def _stack(typing_context: Any, words: Any) -> Any:
    """``stack(words) -> intp``: uninitialised 64-bit words on this function's stack frame; ``words`` is a literal.

    One call site is one block, even inside a loop.
    """
    from numba.core import cgutils, types

    if not isinstance(words, types.IntegerLiteral):
        return None
    count = words.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        block = cgutils.alloca_once(builder, ir.ArrayType(I64, count))
        block.align = 64
        return builder.ptrtoint(block, I64)

    return types.intp(words), generate


stack = Intrinsic(_stack, prefer_literal=True)


@operation("uint64(intp)")
def load(builder: Any, at: Any) -> Any:
    """``load(at) -> uint64``: the word at an address."""
    return builder.load(pointer(builder, at))


@operation("void(intp, uint64)")
def store(builder: Any, at: Any, word: Any) -> None:
    """``store(at, word)``: write one 64-bit word."""
    builder.store(word, pointer(builder, at))


@operation("uint32(intp)")
def load_uint32(builder: Any, at: Any) -> Any:
    """``load_uint32(at) -> uint32``: a short word."""
    return builder.load(builder.inttoptr(at, ir.IntType(32).as_pointer()))


@operation("void(intp, uint32)")
def store_uint32(builder: Any, at: Any, word: Any) -> None:
    """``store_uint32(at, word)``: write one."""
    builder.store(word, builder.inttoptr(at, ir.IntType(32).as_pointer()))


@operation("int16(intp)")
def load_int16(builder: Any, at: Any) -> Any:
    """``load_int16(at) -> int16``: a shorter one."""
    return builder.load(builder.inttoptr(at, ir.IntType(16).as_pointer()))


@operation("void(intp, int16)")
def store_int16(builder: Any, at: Any, word: Any) -> None:
    """``store_int16(at, word)``: write one."""
    builder.store(word, builder.inttoptr(at, ir.IntType(16).as_pointer()))


@operation("void(intp)")
def prefetch(builder: Any, at: Any) -> None:
    """``prefetch(at)``: have the cache line at an address brought to the second-level cache; any address will do."""
    line, word = ir.IntType(8).as_pointer(), ir.IntType(32)
    name = "llvm.prefetch.p0"
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(ir.VoidType(), [line, word, word, word]), name
    )
    # To read; temporal locality 2 of 0 … 3; data.
    builder.call(function, [builder.inttoptr(at, line), word(0), word(2), word(1)])


@operation("intp(uint64)")
def bit_length(builder: Any, word: Any) -> Any:
    """``bit_length(word) -> intp``: the place after the highest bit that is set; 0 of 0."""
    return builder.sub(I64(64), builder.ctlz(word, ir.IntType(1)(0)))


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
