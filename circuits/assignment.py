"""From what a caller gives for a circuit's inputs to values of wires; whatever does not fit is named and refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from aitbc_rollup.algebra import fr
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, is_below, to_limbs
from aitbc_rollup.errors import BadInputError

if TYPE_CHECKING:
    from .compiler import CompiledCircuit


def place_inputs(witness: Limbs, compiled: CompiledCircuit, assignment: Mapping[str, Any]) -> None:
    """Write the values of the declared inputs to their wires, in Montgomery form.

    Raises:
        BadInputError: one is missing, unknown, of the wrong shape, not an integer or out of range.
    """
    known = {item.name for item in compiled.inputs}
    missing = [item.name for item in compiled.inputs if item.name not in assignment]
    surplus = [str(name) for name in assignment if name not in known]
    if missing or surplus:
        raise BadInputError(
            f"circuit {compiled.name}: " + ("an input is missing" if missing else "an input is unknown"),
            place=f"input {(missing or surplus)[0]}",
            expected=_listed(sorted(known)),
            got=_listed([str(name) for name in assignment]),
        )
    for item in compiled.inputs:
        given = assignment[item.name]
        if isinstance(given, np.ndarray) and given.dtype == np.uint64 and given.shape == (*item.shape, 4):
            limbs = np.ascontiguousarray(given.reshape(-1, 4))
            reduced = is_below(limbs, R)
            if not reduced.all():
                at = np.unravel_index(int(np.argmin(reduced)), item.shape)
                place = f"input {item.name}" + "".join(f"[{i}]" for i in at)
                raise BadInputError("not a field element", place=place, expected="0 ≤ value < r")
        else:
            values: list[int] = []
            _flatten(given, item.shape, item.name, values)
            limbs = to_limbs(values)
        witness[item.wire : item.wire + item.size] = fr.batch_to_montgomery(limbs)


def _listed(names: list[str]) -> str:
    return (", ".join(names[:20]) + (", …" if len(names) > 20 else "")) or "none"


def _flatten(value: Any, shape: tuple[int, ...], place: str, values: list[int]) -> None:
    """Append a nested value in C order, refusing what does not fit."""
    if shape:
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise BadInputError(
                "not a sequence", place=f"input {place}", expected=f"{shape[0]} values", got=_kind(value)
            )
        if len(value) != shape[0]:
            raise BadInputError(
                "wrong length", place=f"input {place}", expected=f"{shape[0]} values", got=f"{len(value)} values"
            )
        for i, item in enumerate(value):
            _flatten(item, shape[1:], f"{place}[{i}]", values)
        return
    try:
        number = index(value)
    except TypeError:
        raise BadInputError("not an integer", place=f"input {place}", expected="an int", got=_kind(value)) from None
    if not 0 <= number < R:
        raise BadInputError("not a field element", place=f"input {place}", expected="0 ≤ value < r", got=_short(number))
    values.append(number)


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.60}"


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**80 else f"an integer of {number.bit_length()} bits"
