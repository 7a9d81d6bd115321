"""``@template``: a gadget is traced once for each way of using it, then repeated by offset.

The first call with given static parameters, argument shapes and constants runs the gadget's body against a small
circuit of its own, whose first wires are the arguments, and keeps the result as arrays. Each call then records one
instance: template, argument wires, where its internal wires begin. ``compile`` expands all instances at once.

What belongs to "given": constant arguments enter by value (and are folded inside); two arguments that are the same
wire are traced as the same wire, so that no constraint names a wire twice.

Caveats. The body runs once, so it must depend on nothing but its parameters: no counters, no randomness, no variables
from outside (refused). Traces are kept for the life of the process.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar, cast

from .api import Circuit
from .assemble import assemble
from .ir import Block, Terms
from .variable import Variable

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Argument(NamedTuple):
    """In a key: the number of a wire among the distinct wires of the arguments, from 1."""

    number: int


class _Output(NamedTuple):
    """In a result: a linear combination of the template's wires."""

    terms: Terms


class _Trace(NamedTuple):
    """A traced template: its arrays, and the shape of what it returns."""

    block: Block
    result: Any


def template(gadget: Callable[Concatenate[Circuit, _P], _T]) -> Callable[Concatenate[Circuit, _P], _T]:
    """Make a gadget that is compiled once per use case and instantiated by offset.

    The gadget takes a circuit, then variables (or integers, ``None``, nested lists and tuples of them, named tuples
    included), then keyword-only static parameters, which must be hashable. It returns a variable, ``None``, or
    nested lists and tuples of variables.

    Raises:
        TypeError: at decoration, if the signature does not fit; at a call, if a static parameter is not hashable.
    """
    signature = inspect.signature(gadget)
    parameters = list(signature.parameters.values())
    if not parameters or any(p.kind in (p.VAR_KEYWORD, p.POSITIONAL_ONLY) for p in parameters):
        raise TypeError(f"template {gadget.__name__}: expected (circuit, variables…, *, static parameters…)")
    defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}
    positional = {p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    has_defaults = any(p.default is not p.empty for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
    n_positional = len(positional) - 1
    traces: dict[Any, _Trace] = {}

    @wraps(gadget)
    def instantiate(circuit: Circuit, *arguments: Any, **keywords: Any) -> Any:
        if not positional.isdisjoint(keywords) or (has_defaults and len(arguments) < n_positional):
            bound = signature.bind(circuit, *arguments, **keywords)
            bound.apply_defaults()
            arguments, keywords = bound.args[1:], bound.kwargs
        static = {**defaults, **keywords}
        wires: dict[int, int] = {}
        shape = tuple(_shape(circuit, argument, wires) for argument in arguments)
        key = (shape, tuple(sorted(static.items(), key=lambda item: item[0])))
        try:
            trace = traces.get(key)
        except TypeError:
            raise TypeError(f"template {gadget.__name__}: static parameters must be hashable, got {static}") from None
        if trace is None:
            trace = traces[key] = _trace(gadget, shape, static, len(wires))
        internals = circuit._instantiate(trace.block, tuple(wires), gadget.__name__)
        return _rebuild(circuit, trace.result, [0, *wires], internals)

    return cast(Callable[Concatenate[Circuit, _P], _T], instantiate)


def _shape(circuit: Circuit, argument: Any, wires: dict[int, int]) -> Any:
    """What the trace may know of an argument; collects distinct wires in ``wires`` (wire → number from 1)."""
    if isinstance(argument, Variable | int):
        variable = circuit.materialise(argument)
        wire = variable.wire
        if wire is None:
            return variable.constant
        return _Argument(wires.setdefault(wire, len(wires) + 1))
    if isinstance(argument, list | tuple):
        return (type(argument), *(_shape(circuit, item, wires) for item in argument))
    if argument is None:
        return (None,)
    raise TypeError(
        f"a template takes variables, integers and lists of them; make {argument!r} a keyword-only parameter"
    )


def _trace(gadget: Callable[..., Any], shape: tuple[Any, ...], static: dict[str, Any], n_inputs: int) -> _Trace:
    inner = Circuit._of_template(gadget.__name__, n_inputs)
    result = gadget(inner, *(_argument(inner, part) for part in shape), **static)
    return _Trace(assemble(inner._recorder), _result(inner, result))


def _argument(inner: Circuit, part: Any) -> Any:
    """The template's own version of an argument."""
    if isinstance(part, _Argument):
        return Variable(inner, {part.number: 1})
    if isinstance(part, int):
        return inner.constant(part)
    kind, *items = part
    return None if kind is None else _like(kind, (_argument(inner, item) for item in items))


def _result(inner: Circuit, value: Any) -> Any:
    if isinstance(value, Variable | int):
        return _Output(inner._lift(value).terms)
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return (type(value), [_result(inner, item) for item in value])
    raise TypeError(f"template {inner.name} returns {type(value).__name__}; expected variables, None, lists or tuples")


def _rebuild(circuit: Circuit, result: Any, wires: list[int], internals: int) -> Any:
    """A result in terms of the instance's wires: ``wires`` for the constant and the arguments, then by offset."""
    if result is None:
        return None
    if isinstance(result, _Output):
        known = len(wires)
        # Distinct local wires stay distinct outside, so nothing needs merging.
        return Variable(
            circuit,
            {
                wires[wire] if wire < known else internals + wire - known: coefficient
                for wire, coefficient in result.terms.items()
            },
        )
    kind, items = result
    return _like(kind, (_rebuild(circuit, item, wires, internals) for item in items))


def _like(kind: type[Any], items: Iterator[Any]) -> Any:
    """A list, tuple or named tuple of this type."""
    return kind(*items) if hasattr(kind, "_fields") else kind(items)
