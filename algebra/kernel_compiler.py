"""From kernels in Python to machine code: numba translates, LLVM optimises once, over the whole.

Left alone, numba would compile, optimise and store every kernel by itself, and again inside each of its callers. Here
what it makes of a function is a :class:`_Part`: LLVM code, not optimised, never run. For an entry the parts it reaches
are linked and optimised as one; see ``machine_code`` for what comes out.

Imported only when something is compiled: numba takes longer to import than all kernels to load.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba.core import compiler, types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.dispatcher import Dispatcher
from numba.core.registry import cpu_target
from numba.core.sigutils import normalize_signature
from numba.core.typed_passes import NoPythonSupportedFeatureValidation
from numba.np.arrayobj import make_array, populate_array

from . import machine_code

if TYPE_CHECKING:
    from .jit import Intrinsic, Kind

_I32 = ir.IntType(32)
_I64 = ir.IntType(64)


# -- numba, up to LLVM code -----------------------------------------------------------------------------------


class _Part(JITCodeLibrary):  # type: ignore[misc]
    """The LLVM code of one function; it knows whose code it calls."""

    def add_llvm_module(self, module: Any) -> None:
        """Take code, as it is."""
        self._final_module.link_in(module)

    def finalize(self) -> None:
        """Nothing is optimised."""
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Nothing can be run."""
        return 0

    @property
    def codegen(self) -> _Part:
        """Who is told where the function's environment (Python objects it uses: none) lies."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Nothing to tell."""

    def reached(self) -> Iterator[Any]:
        """The code of this function and of all it calls, as LLVM modules that may be changed."""
        seen, waiting = set(), [self]
        while waiting:
            library = waiting.pop()
            if library in seen:
                continue
            seen.add(library)
            if isinstance(library, _Part):
                waiting += library._linking_libraries
                yield library._final_module.clone()
            else:  # numba's own helpers
                yield library._get_module_for_linking().clone()


@register_pass(mutates_CFG=False, analysis_only=False)
class _BeginPart(FunctionPass):  # type: ignore[misc]
    """Has the code of the function being compiled written to a :class:`_Part`."""

    _name = "aitbc_begin_part"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        """Whether anything was changed."""
        state.library = _Part(state.targetctx.codegen(), state.func_id.func_qualname)
        return True


class _Compiler(compiler.CompilerBase):  # type: ignore[misc]
    """numba's own passes and :class:`_BeginPart`."""

    def define_pipelines(self) -> list[Any]:
        """One after another."""
        passes = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state, "aitbc")
        passes.add_pass_after(_BeginPart, NoPythonSupportedFeatureValidation)
        passes.finalize()
        return [passes]


def part(function: Callable[..., Any]) -> Any:
    """What numba takes a kernel for when it meets it in another: a dispatcher whose code is a :class:`_Part`."""
    return numba.njit(pipeline_class=_Compiler, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)(function)


def intrinsic(made: Intrinsic) -> Any:
    """numba's own intrinsic for one of ours."""
    define = made.define if made.signature is None else _typed(made, made.signature)
    if made.prefer_literal:
        return numba.extending.intrinsic(prefer_literal=True)(define)
    return numba.extending.intrinsic(define)


def _typed(made: Intrinsic, text: str) -> Callable[..., Any]:
    """The definition, in numba's form, of an intrinsic of fixed types."""
    arguments, result = normalize_signature(text)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        value = made.define(builder, *values)
        return context.get_dummy_value() if value is None else value

    def define(typing_context: Any, *given: Any) -> Any:
        return result(*arguments), generate

    names = ["typing_context", *(f"x{i}" for i in range(len(arguments)))]
    form = inspect.Parameter.POSITIONAL_OR_KEYWORD
    define.__signature__ = inspect.Signature([inspect.Parameter(name, form) for name in names])  # type: ignore[attr-defined]
    define.__name__ = made.define.__name__
    return define


def type_of(value: Any) -> Any:
    """numba's type of a dispatcher or an intrinsic."""
    context = cpu_target.typing_context
    if not isinstance(value, Dispatcher):
        context.refresh()  # numba looks intrinsics up in a table, which may be older
    return context.resolve_value_type(value)


# -- LLVM, from there -----------------------------------------------------------------------------------------


def compile_entry(dispatcher: Any, kinds: tuple[Kind, ...], symbol: str) -> machine_code.Code:
    """Machine code of a kernel for these kinds of arguments.

    Raises:
        TypeError: it returns something else than an integer, a bool or nothing, or uses Python objects.
    """
    with global_compiler_lock:
        arguments = tuple(
            types.intp if kind == "int" else types.Array(numba.from_dtype(np.dtype(kind[0])), kind[1], "C")
            for kind in kinds
        )
        dispatcher.compile(arguments)
        compiled = dispatcher.overloads[arguments]
        module, result = _wrapper(compiled, symbol)
        machine = machine_code.target_machine()
        whole = llvm.parse_assembly(str(module))
        whole.data_layout = str(machine.target_data)
        for code in compiled.library.reached():
            _make_mergeable(code)
            whole.link_in(code)
        _optimise(whole, symbol, machine)
        foreign = [name for f in whole.functions if (name := f.name).startswith(("Py", "NRT_", "numba_"))]
        if foreign:
            raise TypeError(f"kernel {symbol} needs {', '.join(foreign)}: it uses Python objects")
        return machine_code.Code(symbol, result, machine.emit_object(whole))


def _wrapper(compiled: Any, symbol: str) -> tuple[ir.Module, str]:
    """The function ``symbol`` that takes a kernel's arguments from a block of words, and the letter of its result."""
    context, description = compiled.target_context, compiled.fndesc
    module = context.codegen()._create_empty_module(symbol)
    kernel_type = context.call_conv.get_function_type(description.restype, description.argtypes)
    callee = ir.Function(module, kernel_type, description.llvm_func_name)
    wrapper = ir.Function(module, ir.FunctionType(_I32, [_I64.as_pointer()]), symbol)
    builder = ir.IRBuilder(wrapper.append_basic_block())
    block = wrapper.args[0]
    words = (builder.load(builder.gep(block, [ir.Constant(_I64, at)])) for at in count(1))
    values = [_argument(context, builder, kind, words) for kind in description.argtypes]
    status, value = context.call_conv.call_function(builder, callee, description.restype, description.argtypes, values)
    result = description.restype
    if isinstance(result, types.Boolean | types.Integer) and result != types.uint64:
        builder.store(context.cast(builder, value, result, types.int64), block)
    elif result != types.none:
        raise TypeError(f"kernel {description.qualname} returns {result}, expected an integer, a bool or nothing")
    letter = "n" if result == types.none else "b" if result == types.boolean else "i"
    builder.ret(builder.zext(status.is_error, _I32))
    return module, letter


def _argument(context: Any, builder: ir.IRBuilder, kind: Any, words: Iterator[Any]) -> Any:
    """The next argument among a block's words."""
    if not isinstance(kind, types.Array):
        return next(words)
    array = make_array(kind)(context, builder)
    data = builder.inttoptr(next(words), array.data.type)
    shape = [next(words) for _ in range(kind.ndim)]
    size = ir.Constant(_I64, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides: list[Any] = [size]
    for length in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], length))
    populate_array(array, data, shape, strides, size, None)
    return array._getvalue()


def _make_mergeable(module: Any) -> None:
    """Let one copy of each function survive where several modules bring it."""
    for function in module.functions:
        if not function.is_declaration and function.linkage == llvm.Linkage.external:
            function.linkage = "linkonce_odr"


def _optimise(module: Any, symbol: str, machine: Any) -> None:
    """Keep the function ``symbol`` and what it needs, at LLVM's highest level."""
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = True
    tuning.slp_vectorization = False  # as numba has it: it slows long integers down
    passes = llvm.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(module, passes)
    # Only now: of an internal function with one caller LLVM inlines any amount, which made G2 a tenth slower.
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name != symbol:
            value.linkage = "internal"
    module.verify()
