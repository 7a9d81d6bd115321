"""From a recorder to arrays: all instances of a template are expanded together, with numpy.

Positions of rows, entries and instructions were counted while recording, so every stretch knows where it goes; own
rows are written one by one, the instances of one template as a matrix (instance × entry).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.errors import BadInputError

from .ir import Block, Hint, Instances, Messages, Op, Recorder, SourceMap, Terms
from .r1cs import Indices, Offsets, SparseMatrix

#: Entries expanded at a time: bounds the memory of the index arrays.
_CHUNK = 1 << 19
_MATRICES = ("a", "b", "c", "operands")
#: What each of them counts by.
_STARTS = ("constraint", "constraint", "constraint", "operand")


class _Interner(dict[Any, int]):
    """Numbers things in order of first appearance."""

    def __missing__(self, key: Any) -> int:
        number = self[key] = len(self)
        return number


class _Buses(_Interner):
    """Numbers buses, and refuses two of one name: what one receives would not answer what the other sends."""

    def __missing__(self, key: Any) -> int:
        if any(bus.name == key.name for bus in self):
            raise BadInputError(
                f"two different buses have the name {key.name!r}",
                place=f"bus {key.name!r}",
                hint="make a bus or table once and keep it (functools.cache does), or give another a name of its own",
            )
        return super().__missing__(key)


class _Group:
    """All instances of one template, and how its indices translate."""

    def __init__(self, block: Block, interners: _Interners) -> None:
        self.block = block
        self.instances: list[Instances] = []
        self.table = np.array([interners.table[value] for value in block.table], np.uint32)
        self.buses = np.array([interners.buses[bus] for bus in block.messages.buses], np.uint32)
        # One lookup table a kind of instruction; only these two kinds carry an index.
        extras = block.extras.copy()
        for op, values, interner in (
            (Op.DIVMOD, block.divisors, interners.divisors),
            (Op.PYTHON, block.hints, interners.hints),
        ):
            chosen = block.ops == op
            if chosen.any():
                extras[chosen] = np.array([interner[value] for value in values], np.uint32)[block.extras[chosen]]
        self.extras = extras

    def chunks(self) -> Iterator[_Chunk]:
        """All instances, in pieces that bound the memory of index arrays."""
        block = self.block
        largest = max(block.n_wires, *(matrix.n_entries for matrix in block.matrices))
        step = max(1, _CHUNK // largest)
        alone = [made for made in self.instances if made.count == 1]
        for start in range(0, len(alone), step):
            part = alone[start : start + step]
            yield _Chunk(block, part, np.concatenate([made.inputs for made in part]))
        for made in self.instances:
            for start in range(0, made.count if made.count > 1 else 0, step):
                yield _Chunk(block, [made], made.inputs[start : start + step], start)


class _Chunk:
    """Some instances of one template: single ones, or a stretch (from ``first``) of repeated ones."""

    def __init__(self, block: Block, made: list[Instances], inputs: Indices, first: int = 0) -> None:
        self.block = block
        self._made = made
        self._ordinals = np.arange(first, first + len(inputs)) if len(made) == 1 else np.zeros(len(made), np.int64)
        self._inputs = inputs

    def starts(self, kind: str, stride: int) -> NDArray[np.int64]:
        """Where the parts of one kind begin, instance by instance; each takes ``stride``."""
        bases = np.fromiter(map(attrgetter(kind), self._made), np.int64, len(self._made))
        starts: NDArray[np.int64] = bases + self._ordinals * stride
        return starts

    def instructions(self) -> NDArray[np.int64]:
        """Positions (instance, instruction): batched hints of all repeated instances stand together."""
        n, count = len(self.block.ops), self._made[0].count
        first, length = _segments(n, self.block.batches)
        within = np.arange(n) - first
        at = count * first + self._ordinals[:, None] * length + within
        positions: NDArray[np.int64] = self.starts("instruction", 0)[:, None] + at
        return positions

    @cached_property
    def wires(self) -> Indices:
        """Row i: the outer wire of each local wire, for instance i."""
        block = self.block
        k, internal = block.n_inputs, block.n_wires - 1 - block.n_inputs
        wires = np.zeros((len(self._inputs), block.n_wires), np.uint32)
        wires[:, 1 : 1 + k] = self._inputs
        wires[:, 1 + k :] = self.starts("wire", internal)[:, None] + np.arange(internal)
        return wires


def _cuts(n: int, batches: Offsets) -> NDArray[np.int64]:
    """Where n instructions are cut: before and after each batch, at the beginning and at the end."""
    return np.unique(np.concatenate([[0, n], batches[:, 0], batches.sum(axis=1)]))


def _segments(n: int, batches: Offsets) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each of n instructions, the beginning and the length of its segment: a batch, or what lies between."""
    cuts = _cuts(n, batches)
    lengths = np.diff(cuts)
    return np.repeat(cuts[:-1], lengths), np.repeat(lengths, lengths)


class _Interners:
    """Everything that blocks index, numbered anew."""

    def __init__(self) -> None:
        self.table, self.divisors, self.hints = (_Interner() for _ in range(3))
        self.buses = _Buses()


def assemble(recorder: Recorder, room: int = 0) -> Block:
    """Arrays of everything recorded; deterministic in program order.

    The arrays of A, B and C are views of memory with ``room`` for so many more rows and entries.
    """
    interners = _Interners()
    own = [_OwnRows.of(recorder, name, interners.table) for name in _MATRICES]
    groups: dict[int, _Group] = {}
    for instances in recorder.instances:
        group = groups.get(id(instances.block))
        if group is None:
            group = groups[id(instances.block)] = _Group(instances.block, interners)
        group.instances.append(instances)
    arrays = _Arrays(recorder, own, room)
    for group in groups.values():
        arrays.count(group)
    arrays.allocate(room)
    arrays.write_own(recorder, interners)
    for group in groups.values():
        for chunk in group.chunks():
            arrays.write(group, chunk)
    a, b, c, operands = arrays.matrices
    return Block(
        recorder.n_wires, recorder.n_inputs, a, b, c, operands, tuple(interners.table),
        arrays.ops, arrays.outs, arrays.arguments, arrays.extras, tuple(interners.divisors), tuple(interners.hints),
        Messages(tuple(interners.buses), arrays.buses, arrays.kinds, arrays.operands),
        _batches(recorder), _stretches(recorder), SourceMap(recorder),
    )  # fmt: skip


def _batches(recorder: Recorder) -> Offsets:
    """Where batched hints stand on the whole tape."""
    own = [
        np.array([[step.position, 1]])
        for step in recorder.instructions
        if isinstance(step.extra, Hint) and step.extra.batch
    ]
    inner = [
        made.block.batches * made.count + np.array([made.instruction, 0])
        for made in recorder.instances
        if len(made.block.batches)
    ]
    if not own and not inner:
        return np.empty((0, 2), np.int64)
    found = np.concatenate([*own, *inner]).astype(np.int64)
    return found[np.argsort(found[:, 0])]


def _stretches(recorder: Recorder) -> Offsets:
    """Where alike runs stand on the whole tape: segments of repeated instances, and those inside single ones."""
    found = [np.empty((0, 3), np.int64)]
    for made in recorder.instances:
        block = made.block
        if made.count == 1:
            found.append(block.stretches + np.array([made.instruction, 0, 0]))
            continue
        cuts = _cuts(len(block.ops), block.batches)
        starts, lengths = cuts[:-1], np.diff(cuts)
        runs = np.stack([made.instruction + made.count * starts, lengths, np.full(len(starts), made.count)], axis=1)
        found.append(runs[~np.isin(starts, block.batches[:, 0])])
    return np.concatenate(found)


class _OwnRows:
    """One matrix of the rows recorded outside instances."""

    def __init__(self, positions: list[int], rows: list[Terms], table: _Interner) -> None:
        self.positions = np.array(positions, np.int64)
        self.lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        total = int(self.lengths.sum())
        self.wires = np.fromiter(chain.from_iterable(rows), np.uint32, total)
        values = chain.from_iterable(row.values() for row in rows)
        self.coefficients = np.fromiter(map(table.__getitem__, values), np.uint32, total)

    @classmethod
    def of(cls, recorder: Recorder, name: str, table: _Interner) -> _OwnRows:
        if name == "operands":
            return cls([at for at, _ in recorder.operands], [terms for _, terms in recorder.operands], table)
        return cls([row.position for row in recorder.rows], list(map(attrgetter(name), recorder.rows)), table)


class _Arrays:
    """The arrays of a block while they are filled: lengths of rows first, then everything else."""

    def __init__(self, recorder: Recorder, own: list[_OwnRows], room: int) -> None:
        self._own = own
        n_rows = [recorder.n_constraints] * 3 + [recorder.n_operands]
        self._lengths = [np.zeros(n + 1 + room, np.int64)[: n + 1] for n in n_rows]
        for lengths, rows in zip(self._lengths, own, strict=True):
            lengths[rows.positions + 1] = rows.lengths
        n = recorder.n_instructions
        self.ops = np.empty(n, np.uint8)
        self.outs, self.arguments, self.extras = (np.empty(n, np.uint32) for _ in range(3))
        self.kinds = np.empty(recorder.n_messages, np.uint8)
        self.buses, self.operands = (np.empty(recorder.n_messages, np.uint32) for _ in range(2))
        self.matrices: list[SparseMatrix] = []

    def count(self, group: _Group) -> None:
        """The lengths of all rows of a template's instances."""
        for lengths, name, inner in zip(self._lengths, _STARTS, group.block.matrices, strict=True):
            each = np.diff(inner.indptr)
            for instances in group.instances:
                start = 1 + getattr(instances, name)
                lengths[start : start + instances.count * len(each)].reshape(instances.count, -1)[:] = each

    def allocate(self, room: int) -> None:
        """Memory for the entries of the matrices; what is left free is never touched, so it costs nothing."""
        for lengths in self._lengths:
            indptr = np.cumsum(lengths, out=lengths)
            n = int(indptr[-1])
            wires, coefficients = (np.empty(n + room, np.uint32)[:n] for _ in range(2))
            self.matrices.append(SparseMatrix(indptr, wires, coefficients))

    def write_own(self, recorder: Recorder, interners: _Interners) -> None:
        """What was recorded outside instances."""
        for matrix, own in zip(self.matrices, self._own, strict=True):
            within = np.arange(len(own.wires)) - np.repeat(np.cumsum(own.lengths) - own.lengths, own.lengths)
            at = np.repeat(matrix.indptr[own.positions], own.lengths) + within
            matrix.wires[at] = own.wires
            matrix.coefficients[at] = own.coefficients
        for position, op, out, argument, extra in recorder.instructions:
            self.ops[position] = op
            self.outs[position] = out
            self.arguments[position] = argument
            if isinstance(extra, Hint):
                self.extras[position] = interners.hints[extra]
            else:
                self.extras[position] = interners.divisors[extra] if op == Op.DIVMOD else extra
        for message in recorder.messages:
            self.buses[message.position] = interners.buses[message.bus]
            self.kinds[message.position] = message.kind
            self.operands[message.position] = message.operand

    def write(self, group: _Group, chunk: _Chunk) -> None:
        """Some instances of a template."""
        block = group.block
        for matrix, name, inner in zip(self.matrices, _STARTS, block.matrices, strict=True):
            if inner.n_entries:
                starts = matrix.indptr[chunk.starts(name, inner.n_rows)]
                _scatter(matrix.wires, starts, chunk.wires, inner.wires)
                _scatter(matrix.coefficients, starts, group.table[inner.coefficients])
        rows = chunk.starts("constraint", block.a.n_rows)[:, None]
        operands = chunk.starts("operand", block.operands.n_rows)[:, None]
        if len(block.ops):
            at = chunk.instructions()
            self.ops[at] = block.ops
            self.outs[at] = chunk.wires[:, block.outs]
            self.arguments[at] = block.arguments + np.where(block.ops <= Op.DIVIDE, rows, operands)
            self.extras[at] = group.extras
        if len(block.messages.kinds):
            at = chunk.starts("message", len(block.messages.kinds))[:, None] + np.arange(len(block.messages.kinds))
            self.buses[at] = group.buses[block.messages.bus]
            self.kinds[at] = block.messages.kinds
            self.operands[at] = block.messages.operands + operands


def _scatter(out: Indices, starts: NDArray[np.int64], values: Indices, columns: Indices | None = None) -> None:
    """Write rows of values at these places: ``values[:, columns]``, or one row each time."""
    width = len(values if columns is None else columns)
    if len(starts) > 1 and (np.diff(starts) == width).all():
        there = out[starts[0] : starts[0] + len(starts) * width].reshape(-1, width)
        if columns is None:
            there[:] = values
        else:
            # Any mode but "raise" writes straight to where it belongs; the columns are a block's own.
            np.take(values, columns, axis=1, out=there, mode="clip")
        return
    for i, start in enumerate(starts.tolist()):
        out[start : start + width] = values if columns is None else values[i, columns]
