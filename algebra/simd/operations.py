"""Steps of kernels, written with lanes, as functions that numba kernels call; and how such kernels are run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from llvmlite import ir

from .. import cpu, jit
from .products import declared

_I8 = ir.IntType(8)
_I32 = ir.IntType(32)
#: The control register's rounding field set to "toward zero", all floating-point exceptions masked.
_TOWARD_ZERO = 0x7F80

Result = TypeVar("Result")


def operation(body: Callable[..., Any]) -> Any:
    """A step that kernels call: ``body(builder, *words)`` writes its code; use it as a decorator.

    The words are ``i64`` (addresses, indices, masks); in kernels they are ``intp``. A body annotated to return
    something returns an ``i64``, and makes an operation that returns an ``intp``.
    """
    signature = inspect.signature(body)
    result = "void" if signature.return_annotation in (None, "None") else "intp"
    words = ", ".join(["intp"] * (len(signature.parameters) - 1))
    return jit.operation(f"{result}({words})")(body)


@jit.operation("uint32(uint32)")
def _exchange_control(builder: ir.IRBuilder, value: Any) -> Any:
    """Set the floating-point control register; returns what it held."""
    with builder.goto_entry_block():
        slot = builder.alloca(_I32)
    at = builder.bitcast(slot, _I8.as_pointer())
    void = ir.VoidType()
    builder.call(declared(builder, "llvm.x86.sse.stmxcsr", [_I8.as_pointer()], void), [at])
    before = builder.load(slot)
    builder.store(value, slot)
    builder.call(declared(builder, "llvm.x86.sse.ldmxcsr", [_I8.as_pointer()], void), [at])
    return before


@jit.kernel
def exchange_control(value: int) -> int:
    """Set the floating-point control register of this thread; returns what it held."""
    return _exchange_control(value)


def run(compiled: Callable[..., Result], *arguments: Any) -> Result:
    """Call a kernel that multiplies lanes.

    The path ``avx2`` rounds as the thread's control register says. It is set here, outside of compiled code, because
    LLVM knows nothing of that register and would feel free to move a product before the instruction that sets it.
    """
    if cpu.chosen() != "avx2":
        return compiled(*arguments)
    before = exchange_control(_TOWARD_ZERO)
    try:
        return compiled(*arguments)
    finally:
        exchange_control(before)
