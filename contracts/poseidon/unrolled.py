"""Poseidon without a loop, all of its state on the stack: the fastest form, for narrow states.

New values are put above the old ones, which nobody removes: the stack is deep enough. In the partial rounds alone the
latest u takes the place of the oldest, so that DUP reaches r and most coefficients, which lie below.
"""

from __future__ import annotations

from collections.abc import Sequence

from aitbc_rollup.algebra.bn254 import R

from .assembler import REACH
from .field import FieldAssembler, Item, products, reductions
from .frame import begin, finish, first_power
from .schedule import Layer, Schedule, schedule

#: The widest state whose layers DUP reaches: old values, r, new ones, and four more while a row is summed up.
MAX_WIDTH = (REACH - 5) // 2


def unrolled(width: int) -> bytes:
    """Runtime code for a width in 2 … ``MAX_WIDTH``."""
    plan, code = schedule(width, same_matrix=False), FieldAssembler()
    begin(code, width)
    values = [f"y{i}" for i in range(width)]
    for i, (name, constant) in enumerate(zip(values, plan.first, strict=True)):
        first_power(code, i, constant)
        code.name(name)
    for number, layer in enumerate(plan.before):
        values = _layer(code, layer, values, f"b{number}.")
    window = _enter(code, plan, values)
    for number, constant in enumerate(plan.constants):
        window = _partial_round(code, plan, window, constant, f"u{number}")
        following = plan.constants[number + 1 : number + 2]
        code.modulus(spare := 1 + sum(_spare(plan, *following)) if following else 1)
        code.swap(spare)
        code.fifth_power()
    code.name("head")
    values = ["head", *_layer(code, plan.leave, window, "l")]
    for number, layer in enumerate(plan.after):
        values = _layer(code, layer, values, f"a{number}.")
    code.sum(products(plan.last, values), reduced=True)
    finish(code)
    return code.assemble()


def _layer(code: FieldAssembler, layer: Layer, values: Sequence[str], prefix: str) -> list[str]:
    """The fifth powers of a layer's rows, and their names."""
    code.keep(R)
    names = [f"{prefix}{i}" for i in range(len(layer.matrix))]
    for name, row, constant in zip(names, layer.matrix, layer.constants, strict=True):
        code.modulus()
        code.sum([Item(constant), *products(row, values)])
        code.fifth_power()
        code.name(name)
    return names


def _enter(code: FieldAssembler, plan: Schedule, values: Sequence[str]) -> list[str]:
    """Lay out what the partial rounds work on: coefficients, r, the last m values of u, the first y."""
    m = len(values) - 1
    code.keep(R)
    for j in (*range(1, m + 1), 0):
        items = products(plan.entry.matrix[j], values)
        code.bounds[f"e{j}"] = code.sum(items if j else [Item(plan.entry.constants[0]), *items])
        code.name(f"e{j}")
    # While a coefficient is fetched there lie above them: r, the u, and at most five more.
    for coefficient in sorted({*plan.feedback, *plan.output} - {1})[: REACH - m - 6]:
        code.keep(coefficient)
    code.keep(R)
    window = [f"u-{j}" for j in range(1, m + 1)]
    for j, name in reversed(list(enumerate(window, 1))):
        code.load(f"e{j}")
        code.name(name)
        code.bounds[name] = code.bounds[f"e{j}"]
    code.modulus(1 + sum(_spare(plan, plan.constants[0])))
    code.load("e0")
    code.fifth_power()
    return window


def _spare(plan: Schedule, constant: int) -> list[bool]:
    """Which additions of a partial round's s must reduce: of m products and a constant, one by one, to d·y."""
    return reductions([R - 1] * (1 + len(plan.output)) + [constant])[0]


def _partial_round(code: FieldAssembler, plan: Schedule, window: list[str], constant: int, new: str) -> list[str]:
    """From y, with the r for the reductions below it, to s; u takes the oldest one's place. Returns the new window."""
    oldest = window[-1]
    code.name("y")
    code.modulus()
    code.bounds[new] = code.sum([Item(None, "y"), *products(plan.feedback, window)])
    code.name(new)
    code.swap(code.depth(oldest) - 1)
    code.constant(plan.output[-1])
    code.op("MULMOD")
    if plan.direct != 1:
        code.swap(1)
        code.modulus()
        code.swap(1)
        code.constant(plan.direct)
        code.op("MULMOD")
    code.op("ADD")
    code.add([*products(plan.output[:-1], window[:-1]), Item(constant)], _spare(plan, constant)[1:])
    return [new, *window[:-1]]
