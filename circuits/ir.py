"""The intermediate representation: what a circuit has said (:class:`Recorder`) and its arrays (:class:`Block`).

A recorder keeps, in program order, *rows* (constraints), *instructions* of the witness program, *messages* to buses
(see ``buses``), and *instances* of templates. It is plain Python and costs an object a row; instances cost one object
however large the template is, and however often :meth:`~.template.Template.repeat` repeats it in one call.
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
LIMBS     out … out+n−1 = n digits of w bits of        operand x                n + 2^8·w + 2^16·s
          canonical x, from bit s
QUOTIENTS as DIVIDE, of n rows and wires in a row     first constraint         n
========  ==========================================  =======================  ============

The first three lean on the constraint they satisfy, so a product's operands are stored once. QUOTIENTS (one inversion
for many) is made by ``arguments`` alone and stands in no template.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .buses import Bus
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
    LIMBS = 7
    QUOTIENTS = 8


class Hint(NamedTuple):
    """A Python function of the witness program: ``n_inputs`` integers to ``n_outputs`` integers.

    One that takes a ``batch`` is called once for all alike instances of one ``repeat``, on arrays.
    """

    function: HintFunction
    n_inputs: int
    n_outputs: int
    batch: bool = False


class Kind(IntEnum):
    """What a message does on its bus; a lookup is a SEND whose first value is a table's key, an ENTRY is its row."""

    SEND = 0
    RECEIVE = 1
    LOOKUP = 2
    ENTRY = 3


class Message(NamedTuple):
    """A tuple of values on a bus, so many times: operands ``operand`` … are the values, then the count."""

    position: int
    bus: Bus
    kind: Kind
    operand: int
    source: Source


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
class Instances:
    """A template put to use n times in a row: the inputs' wires, uint32 (n, k), and where the first one's parts begin.

    Rows, wires, operands and messages of one instance come after those of the one before; so do instructions, but
    where batched hints stand (``Block.batches``), all instances get there before any goes on.
    """

    block: Block
    inputs: Indices
    wire: int
    constraint: int
    instruction: int
    operand: int
    message: int
    component: Component
    place: Place

    @property
    def count(self) -> int:
        """How many instances."""
        return len(self.inputs)

    @property
    def stride(self) -> int:
        """Wires that each instance makes."""
        return self.block.n_wires - 1 - self.block.n_inputs


@dataclass(eq=False)
class Recorder:
    """What has been said so far."""

    n_inputs: int
    root: Component
    n_wires: int = 1
    n_constraints: int = 0
    n_instructions: int = 0
    n_operands: int = 0
    n_messages: int = 0
    rows: list[Row] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    operands: list[tuple[int, Terms]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    instances: list[Instances] = field(default_factory=list)
    #: First wire of each stretch of wires, and what made it.
    stretches: list[tuple[int, Component | Instances]] = field(default_factory=list)

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

    def add_message(self, bus: Bus, kind: Kind, operands: Sequence[Terms], source: Source) -> None:
        """Record a message: its values, then its count."""
        first = self.n_operands
        for terms in operands:
            self.add_operand(terms)
        self.messages.append(Message(self.n_messages, bus, kind, first, source))
        self.n_messages += 1

    def add_instances(self, block: Block, inputs: Indices, component: Component, place: Place) -> Instances:
        """Put a template to use, once for each row of ``inputs``: only positions are recorded."""
        made = Instances(
            block, inputs, self.n_wires, self.n_constraints, self.n_instructions, self.n_operands, self.n_messages,
            component, place,
        )  # fmt: skip
        self.instances.append(made)
        self.stretches.append((self.n_wires, made))
        self.n_wires += made.count * made.stride
        self.n_constraints += made.count * block.a.n_rows
        self.n_instructions += made.count * len(block.ops)
        self.n_operands += made.count * block.operands.n_rows
        self.n_messages += made.count * len(block.messages.operands)
        return made


class Messages(NamedTuple):
    """Messages in arrays, one entry a message: index in ``buses`` (uint32), :class:`Kind` (uint8), first operand."""

    buses: tuple[Bus, ...]
    bus: Indices
    kinds: NDArray[np.uint8]
    operands: Indices


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
    messages: Messages
    #: Stretches of instructions that are one call of a batched hint: first, and how many; int64 (n, 2), increasing.
    batches: Offsets
    #: Stretches of alike runs of instructions, none of which reads what another writes: first instruction, length of a
    #: run, how many; int64 (n, 3), increasing.
    stretches: Offsets
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
        self._messages = tuple(recorder.messages)
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
        instances, ordinal, inner = self._within(position, self._instance_starts, lambda block: block.a.n_rows)
        if instances is not None:
            return _nested(instances, ordinal, instances.block.sources.constraint(inner))
        return _located(self._rows[bisect_right(row_starts, position) - 1].source)

    def message(self, position: int) -> Located:
        """Origin of a message to a bus."""
        starts = [instances.message for instances in self._instances]
        instances, ordinal, inner = self._within(position, starts, lambda block: len(block.messages.operands))
        if instances is not None:
            return _nested(instances, ordinal, instances.block.sources.message(inner))
        at = bisect_right([message.position for message in self._messages], position) - 1
        return _located(self._messages[at].source)

    def _within(
        self, position: int, starts: list[int], size: Callable[[Block], int]
    ) -> tuple[Instances | None, int, int]:
        """The instances a position lies in, which of them, and the position there; ``None`` if it lies in none."""
        at = bisect_right(starts, position) - 1
        # Some before may be empty and begin at the same place; the last of them is the one that is not.
        if at >= 0:
            instances = self._instances[at]
            each = size(instances.block)
            inner = position - starts[at]
            if inner < each * instances.count:
                return instances, inner // each, inner % each
        return None, 0, 0

    def wire(self, number: int) -> str:
        """Path of the component that made an unnamed wire, and its number in there: ``main.poseidon.w12``."""
        self._index()
        _, maker = self._stretches[bisect_right(self._stretch_starts, number) - 1]
        if isinstance(maker, Component):
            return ".".join([*maker.path(), f"w{number}"])
        # Inside a template the name is the template's own, counted from its constant wire.
        ordinal, local = divmod(number - maker.wire, maker.stride)
        return ".".join([*_path(maker, ordinal), maker.block.sources.wire(local + 1 + maker.block.n_inputs)])

    def wires(self, count: int) -> list[str]:
        """As :meth:`wire`, of every wire below ``count`` at once; nothing for those before the first that was made."""
        starts = [start for start, _ in self._stretches]
        names = [""] * (starts[0] if starts else count)
        inner: dict[int, list[str]] = {}
        for (start, maker), stop in zip(self._stretches, [*starts[1:], count], strict=True):
            if isinstance(maker, Component):
                prefix = _prefix(maker.path())
                names += [f"{prefix}w{number}" for number in range(start, stop)]
                continue
            block = maker.block
            own = inner.get(id(block))
            if own is None:
                own = inner[id(block)] = block.sources.wires(block.n_wires)[1 + block.n_inputs :]
            for ordinal in range(maker.count):
                prefix = _prefix(_path(maker, ordinal))
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
                counts[path] = counts.get(path, 0) + instance.count * instance.block.a.n_rows
            for path, number in own.items():
                if path:
                    full = f"{prefixes[-1]}.{path}"
                    counts[full] = counts.get(full, 0) + instance.count * number
        return counts


def _located(source: Source) -> Located:
    return Located(source.place, ".".join(source.component.path()), source.message, ())


def _nested(instances: Instances, ordinal: int, found: Located) -> Located:
    """What a template says of itself, seen from outside."""
    path = ".".join([*_path(instances, ordinal), *([found.component] if found.component else [])])
    return Located(found.place, path, found.message, (instances.place, *found.calls))


def _path(instances: Instances, ordinal: int) -> tuple[str, ...]:
    """Path of one instance; repeated ones share a component and get an index of their own."""
    *outer, name = instances.component.path()
    return (*outer, f"{name}[{ordinal}]") if instances.count > 1 else (*outer, name)


def _prefix(path: tuple[str, ...]) -> str:
    return "".join(f"{name}." for name in path)


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
    "Block", "Hint", "HintFunction", "Instances", "Instruction", "Kind", "Located", "Message", "Messages", "Offsets",
    "Op", "Recorder", "Row", "SourceMap", "Terms",
]  # fmt: skip
