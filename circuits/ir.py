"""The intermediate representation: what a circuit has said (:class:`Recorder`) and its arrays (:class:`Block`).

A recorder keeps, in program order, *rows* (constraints), *instructions* of the witness program, and *instances* of
templates. It is plain Python and costs an object a row; an instance costs one object however large its template is.
:func:`~aitbc_rollup.circuits.assemble.assemble` turns it into a block, where everything is an array and all
instances are expanded. A template is a block with local wires: 0 is the constant one, 1 … k its inputs, then internals.

Instructions, executed in order; ``argument`` is a constraint for the first three, else a row of ``operands``:

========  ==========================================  =======================  ============
op        writes                                      argument                 extra
========  ==========================================  =======================  ============
MULTIPLY  out = (A·w)(B·w) − C·w, out being 0 in w    constraint               0
LINEAR    out = A·w                                   constraint               0
DIVIDE    out = C·w / B·w, 0 if B·w is 0              constraint               0
INVERSE   out = 1/x, or 0 for 0                       operand x                0
BITS      out … out+n−1 = low n bits of canonical x   operand x                n
DIVMOD    out, out+1 = x div d, x mod d               operand x                divisor index
PYTHON    out … = function(x …)                       first operand            hint index
========  ==========================================  =======================  ============

The first three lean on the constraint they satisfy, so a product's operands are stored once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .places import Component, Place, Source
from .r1cs import Indices, Offsets, SparseMatrix

#: A linear combination: wire → coefficient in [1, r); wire 0 is the constant one.
Terms = dict[int, int]

HintFunction = Callable[..., Any]


class Op(IntEnum):
    """Operations of the witness program; the table above says what each does."""

    MULTIPLY = 0
    LINEAR = 1
    DIVIDE = 2
    INVERSE = 3
    BITS = 4
    DIVMOD = 5
    PYTHON = 6


class Hint(NamedTuple):
    """A Python function of the witness program: ``n_inputs`` integers to ``n_outputs`` integers."""

    function: HintFunction
    n_inputs: int
    n_outputs: int


class Row(NamedTuple):
    """The constraint a · b = c, and where it stands among all constraints."""

    position: int
    a: Terms
    b: Terms
    c: Terms
    source: Source


class Instruction(NamedTuple):
    """One step of the witness program; ``extra`` is the value itself until assembly makes it an index."""

    position: int
    op: Op
    out: int
    argument: int
    extra: int | Hint


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A template put to use: its inputs' wires, and where its rows, wires, instructions and operands begin."""

    block: Block
    inputs: tuple[int, ...]
    wire: int
    constraint: int
    instruction: int
    operand: int
    component: Component
    place: Place


@dataclass(eq=False)
class Recorder:
    """What has been said so far."""

    n_inputs: int
    root: Component
    n_wires: int = 1
    n_constraints: int = 0
    n_instructions: int = 0
    n_operands: int = 0
    rows: list[Row] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    operands: list[tuple[int, Terms]] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    #: First wire of each stretch of wires, and what made it.
    stretches: list[tuple[int, Component | Instance]] = field(default_factory=list)

    def new_wires(self, count: int, component: Component) -> int:
        """Make wires with consecutive numbers; the first one's number."""
        first = self.n_wires
        if not self.stretches or self.stretches[-1][1] is not component:
            self.stretches.append((first, component))
        self.n_wires += count
        return first

    def add_row(self, a: Terms, b: Terms, c: Terms, source: Source) -> int:
        """Record a · b = c; its position."""
        position = self.n_constraints
        self.rows.append(Row(position, a, b, c, source))
        self.n_constraints += 1
        return position

    def add_operand(self, terms: Terms) -> int:
        """Record a linear combination an instruction reads; its position."""
        position = self.n_operands
        self.operands.append((position, terms))
        self.n_operands += 1
        return position

    def add_instruction(self, op: Op, out: int, argument: int, extra: int | Hint = 0) -> None:
        """Record one step of the witness program."""
        self.instructions.append(Instruction(self.n_instructions, op, out, argument, extra))
        self.n_instructions += 1

    def add_instance(self, block: Block, inputs: tuple[int, ...], component: Component, place: Place) -> Instance:
        """Put a template to use: only positions are recorded."""
        instance = Instance(
            block, inputs, self.n_wires, self.n_constraints, self.n_instructions, self.n_operands, component, place
        )
        self.instances.append(instance)
        self.stretches.append((self.n_wires, instance))
        self.n_wires += block.n_wires - 1 - block.n_inputs
        self.n_constraints += block.a.n_rows
        self.n_instructions += len(block.ops)
        self.n_operands += block.operands.n_rows
        return instance


@dataclass(frozen=True, eq=False)
class Block:
    """A recorder's content in arrays, instances expanded; matrices index ``table``."""

    n_wires: int
    n_inputs: int
    a: SparseMatrix
    b: SparseMatrix
    c: SparseMatrix
    operands: SparseMatrix
    table: tuple[int, ...]
    ops: NDArray[np.uint8]
    outs: Indices
    arguments: Indices
    extras: Indices
    divisors: tuple[int, ...]
    hints: tuple[Hint, ...]
    sources: SourceMap

    @property
    def matrices(self) -> tuple[SparseMatrix, SparseMatrix, SparseMatrix, SparseMatrix]:
        """A, B, C and the operands."""
        return self.a, self.b, self.c, self.operands


class Located(NamedTuple):
    """The answer to "where does this constraint come from?"; ``calls`` leads from the outermost call inwards."""

    place: Place
    component: str
    message: str
    calls: tuple[Place, ...]


class SourceMap:
    """Finds the origin of a constraint or wire by bisection, through nested templates."""

    def __init__(self, recorder: Recorder) -> None:
        self._rows = tuple(recorder.rows)
        self._instances = tuple(recorder.instances)
        self._stretches = tuple(recorder.stretches)
        self._row_starts: list[int] | None = None
        self._instance_starts: list[int] = []
        self._stretch_starts: list[int] = []

    def _index(self) -> list[int]:
        if self._row_starts is None:
            self._row_starts = [row.position for row in self._rows]
            self._instance_starts = [instance.constraint for instance in self._instances]
            self._stretch_starts = [start for start, _ in self._stretches]
        return self._row_starts

    def constraint(self, position: int) -> Located:
        """Origin of a constraint."""
        row_starts = self._index()
        at = bisect_right(self._instance_starts, position) - 1
        if at >= 0:
            instance = self._instances[at]
            inner = position - instance.constraint
            if inner < instance.block.a.n_rows:
                found = instance.block.sources.constraint(inner)
                path = ".".join([*instance.component.path(), *([found.component] if found.component else [])])
                return Located(found.place, path, found.message, (instance.place, *found.calls))
        source = self._rows[bisect_right(row_starts, position) - 1].source
        return Located(source.place, ".".join(source.component.path()), source.message, ())

    def wire(self, number: int) -> str:
        """Path of the component that made an unnamed wire, and its number in there: ``main.poseidon.w12``."""
        self._index()
        _, maker = self._stretches[bisect_right(self._stretch_starts, number) - 1]
        if isinstance(maker, Component):
            return ".".join([*maker.path(), f"w{number}"])
        # Inside a template the name is the template's own, counted from its constant wire.
        local = number - maker.wire + 1 + maker.block.n_inputs
        return ".".join([*maker.component.path(), maker.block.sources.wire(local)])

    def wires(self, count: int) -> list[str]:
        """As :meth:`wire`, of every wire below ``count`` at once; nothing for those before the first that was made."""
        starts = [start for start, _ in self._stretches]
        names = [""] * (starts[0] if starts else count)
        inner: dict[int, list[str]] = {}
        for (start, maker), stop in zip(self._stretches, [*starts[1:], count], strict=True):
            component = maker if isinstance(maker, Component) else maker.component
            prefix = "".join(f"{name}." for name in component.path())
            if isinstance(maker, Component):
                names += [f"{prefix}w{number}" for number in range(start, stop)]
                continue
            block = maker.block
            own = inner.get(id(block))
            if own is None:
                own = inner[id(block)] = block.sources.wires(block.n_wires)[1 + block.n_inputs :]
            names += [prefix + name for name in own]
        return names

    def count(self) -> dict[str, int]:
        """Constraints by component path, indices dropped, each including everything inside it."""
        counts: dict[str, int] = {}
        for row in self._rows:
            for path in _prefixes(row.source.component):
                counts[path] = counts.get(path, 0) + 1
        inner: dict[int, dict[str, int]] = {}
        for instance in self._instances:
            own = inner.get(id(instance.block))
            if own is None:
                own = inner[id(instance.block)] = instance.block.sources.count()
            prefixes = _prefixes(instance.component)
            for path in prefixes:
                counts[path] = counts.get(path, 0) + instance.block.a.n_rows
            for path, number in own.items():
                if path:
                    full = f"{prefixes[-1]}.{path}"
                    counts[full] = counts.get(full, 0) + number
        return counts


def _prefixes(component: Component) -> list[str]:
    """Paths of a component and all it lies in, outermost first, without indices."""
    names: list[str] = []
    node: Component | None = component
    while node is not None:
        if node.name:
            names.append(node.name)
        node = node.parent
    names.reverse()
    return [".".join(names[: i + 1]) for i in range(len(names))] or [""]


__all__ = [
    "Block", "Hint", "HintFunction", "Instance", "Instruction", "Located", "Offsets", "Op", "Recorder", "Row",
    "SourceMap", "Terms",
]  # fmt: skip
