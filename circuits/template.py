"""``@template``: a gadget is traced once for each way of using it, then repeated by offset.

The first call with given static parameters, argument shapes and constants runs the gadget's body against a small
circuit of its own, whose first wires are the arguments, and keeps the result as arrays. Each call then records one
instance: template, argument wires, where its internal wires begin. ``compile`` expands all instances at once.

What belongs to "given": constant arguments enter by value (and are folded inside); of others, the range they are known
to have; two arguments that are the same wire are traced as the same wire, so that no constraint names a wire twice.

Caveats. The body runs once, so it must depend on nothing but its parameters: no counters, no randomness, no variables
from outside (refused). Traces are kept for the life of the process.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import update_wrapper
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar, cast

import numpy as np

from aitbc_rollup.algebra.bn254 import R

from .api import Circuit
from .assemble import assemble
from .ir import Block, Terms
from .variable import Bounds, Variable

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Argument(NamedTuple):
    """In a key: the number of a wire among the distinct wires of the arguments, from 1, and what is known of it."""

    number: int
    bounds: Bounds | None


class _Output(NamedTuple):
    """In a result: a linear combination of the template's wires."""

    terms: Terms
    bounds: Bounds | None


class _Trace(NamedTuple):
    """A traced template: its arrays, and the shape of what it returns."""

    block: Block
    result: Any


def template(gadget: Callable[Concatenate[Circuit, _P], _T]) -> Template[_P, _T]:
    """Make a gadget that is compiled once per use case and instantiated by offset.

    The gadget takes a circuit, then variables (or integers, ``None``, nested lists and tuples of them, named tuples
    included), then keyword-only static parameters, which must be hashable. It returns a variable, ``None``, or
    nested lists and tuples of variables.

    Raises:
        TypeError: at decoration, if the signature does not fit; at a call, if a static parameter is not hashable.
    """
    return Template(gadget)


class Template(Generic[_P, _T]):
    """A gadget made by :func:`template`; calling it puts it to use once, :meth:`repeat` many times."""

    def __init__(self, gadget: Callable[Concatenate[Circuit, _P], _T]) -> None:
        update_wrapper(self, gadget)
        self._gadget = gadget
        self._name = gadget.__name__
        self._signature = inspect.signature(gadget)
        parameters = list(self._signature.parameters.values())
        if not parameters or any(p.kind in (p.VAR_KEYWORD, p.POSITIONAL_ONLY) for p in parameters):
            raise TypeError(f"template {self._name}: expected (circuit, variables…, *, static parameters…)")
        positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        self._defaults = {
            p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty
        }
        self._positional = {p.name for p in positional}
        self._has_defaults = any(p.default is not p.empty for p in positional)
        self._traces: dict[Any, _Trace] = {}

    def __call__(self, circuit: Circuit, /, *arguments: _P.args, **keywords: _P.kwargs) -> _T:
        """Put the template to use once."""
        given: tuple[Any, ...] = arguments
        static: dict[str, Any] = keywords
        too_few = self._has_defaults and len(given) < len(self._positional) - 1
        if too_few or not self._positional.isdisjoint(static):
            bound = self._signature.bind(circuit, *given, **static)
            bound.apply_defaults()
            given, static = bound.args[1:], bound.kwargs
        return self._use(circuit, [given], static)[0]

    def repeat(self, circuit: Circuit, rows: Iterable[Sequence[Any]], **static: Any) -> list[_T]:
        """Put the template to use once for each row of positional arguments; the results, row by row.

        As calling it in a loop, but one object for all, and batched hints are called once for all rows. Rows must be
        alike: the same lists, constants and known ranges in the same places.

        Raises:
            ValueError: two rows are not alike.
        """
        return self._use(circuit, rows, static)

    def _use(self, circuit: Circuit, rows: Iterable[Sequence[Any]], static: dict[str, Any]) -> list[_T]:
        shapes, inputs = [], []
        for row in rows:
            wires: dict[int, int] = {}
            shapes.append(tuple(_shape(circuit, argument, wires) for argument in row))
            inputs.append(tuple(wires))
        if not shapes:
            return []
        if any(shape != shapes[0] for shape in shapes):
            unlike = next(i for i, shape in enumerate(shapes) if shape != shapes[0])
            raise ValueError(f"template {self._name}: rows 0 and {unlike} of a repeat are not alike")
        trace = self._trace(circuit, shapes[0], {**self._defaults, **static}, len(inputs[0]))
        array = np.array(inputs, np.uint32).reshape(len(inputs), len(inputs[0]))
        made = circuit._instantiate(trace.block, array, self._name)
        return [
            _rebuild(circuit, trace.result, [0, *wires], made.wire + i * made.stride) for i, wires in enumerate(inputs)
        ]

    def _trace(self, circuit: Circuit, shape: tuple[Any, ...], static: dict[str, Any], n_inputs: int) -> _Trace:
        key = (shape, circuit.limb_bits, tuple(sorted(static.items(), key=lambda item: item[0])))
        try:
            trace = self._traces.get(key)
        except TypeError:
            raise TypeError(f"template {self._name}: static parameters must be hashable, got {static}") from None
        if trace is None:
            inner = Circuit._of_template(self._name, n_inputs, circuit.limb_bits)
            result = cast(Any, self._gadget)(inner, *(_argument(inner, part) for part in shape), **static)
            trace = self._traces[key] = _Trace(assemble(inner._recorder), _result(inner, result))
        return trace


def _shape(circuit: Circuit, argument: Any, wires: dict[int, int]) -> Any:
    """What the trace may know of an argument; collects distinct wires in ``wires`` (wire → number from 1)."""
    if isinstance(argument, Variable | int):
        variable = circuit.materialise(argument)
        wire = variable.wire
        if wire is None:
            return variable.constant
        return _Argument(wires.setdefault(wire, len(wires) + 1), _rounded(variable.bounds))
    if isinstance(argument, list | tuple):
        return (type(argument), *(_shape(circuit, item, wires) for item in argument))
    if argument is None:
        return (None,)
    raise TypeError(
        f"a template takes variables, integers and lists of them; make {argument!r} a keyword-only parameter"
    )


def _rounded(bounds: Bounds | None) -> Bounds | None:
    """Bounds widened to powers of two: a running sum should not be traced anew at each step."""
    if bounds is None:
        return None
    low, high = bounds
    wide = -(1 << (-1 - low).bit_length()) if low < 0 else 0, (1 << high.bit_length()) - 1 if high > 0 else 0
    return wide if wide[1] - wide[0] < R else bounds


def _argument(inner: Circuit, part: Any) -> Any:
    """The template's own version of an argument."""
    if isinstance(part, _Argument):
        return Variable(inner, {part.number: 1}, part.bounds)
    if isinstance(part, int):
        return inner.constant(part)
    kind, *items = part
    return None if kind is None else _like(kind, (_argument(inner, item) for item in items))


def _result(inner: Circuit, value: Any) -> Any:
    if isinstance(value, Variable | int):
        lifted = inner._lift(value)
        return _Output(lifted.terms, lifted.bounds)
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
            result.bounds,
        )
    kind, items = result
    return _like(kind, (_rebuild(circuit, item, wires, internals) for item in items))


def _like(kind: type[Any], items: Iterator[Any]) -> Any:
    """A list, tuple or named tuple of this type."""
    return kind(*items) if hasattr(kind, "_fields") else kind(items)
