"""Steps of kernels, written with lanes, as functions that numba kernels call; and how such kernels are run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.types import StarArgTuple  # type: ignore[attr-defined]
from numba.extending import intrinsic

from .. import cpu
from ..jit import kernel
from .products import declared

_I8 = ir.IntType(8)
_I32 = ir.IntType(32)
#: The control register's rounding field set to "toward zero", all floating-point exceptions masked.
_TOWARD_ZERO = 0x7F80

Result = TypeVar("Result")


def operation(body: Callable[..., Any]) -> Any:
    """The intrinsic of a step: ``body(builder, *words)`` writes its code; use it as a decorator.

    The words are ``i64`` (addresses, indices, masks); in kernels they are ``intp``. A body annotated to return
    something returns an ``i64``, and makes an operation that returns an ``intp``.
    """
    signature_of_body = inspect.signature(body)
    count = len(signature_of_body.parameters) - 1
    returned = types.void if signature_of_body.return_annotation in (None, "None") else types.intp

    def typed(typing_context: Any, *words: Any) -> Any:
        if len(words) != count:
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            packed = cgutils.unpack_tuple(builder, arguments[0], count)
            result = body(builder, *packed)
            return context.get_dummy_value() if result is None else result

        return returned(StarArgTuple.from_types((types.intp,) * count)), generate

    typed.__name__ = body.__name__
    typed.__doc__ = body.__doc__
    return intrinsic(typed)


@intrinsic
def _exchange_control(typing_context: Any, value: Any) -> Any:
    """Set the floating-point control register; returns what it held."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slot = cgutils.alloca_once(builder, _I32)
        at = builder.bitcast(slot, _I8.as_pointer())
        void = ir.VoidType()
        builder.call(declared(builder, "llvm.x86.sse.stmxcsr", [_I8.as_pointer()], void), [at])
        before = builder.load(slot)
        builder.store(arguments[0], slot)
        builder.call(declared(builder, "llvm.x86.sse.ldmxcsr", [_I8.as_pointer()], void), [at])
        return before

    return types.uint32(types.uint32), generate


@kernel
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
