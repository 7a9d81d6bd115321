"""From a recorder to arrays: all instances of a template are expanded together, with numpy.

Positions of rows, entries and instructions were counted while recording, so every stretch knows where it goes; own
rows are written one by one, the instances of one template as a matrix (instance × entry).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ir import Block, Hint, Instance, Op, Recorder, SourceMap, Terms
from .r1cs import SparseMatrix

#: Entries expanded at a time: bounds the memory of the index arrays.
_CHUNK = 1 << 21
_MATRICES = ("a", "b", "c", "operands")


class _Interner(dict[Any, int]):
    """Numbers things in order of first appearance."""

    def __missing__(self, key: Any) -> int:
        number = self[key] = len(self)
        return number


class _Group:
    """The instances of one template, and how its indices translate."""

    def __init__(self, block: Block, table: _Interner, divisors: _Interner, hints: _Interner) -> None:
        self.block = block
        self.instances: list[Instance] = []
        self.table = np.array([table[value] for value in block.table], np.uint32)
        # One lookup table a kind of instruction; only these two kinds carry an index.
        extras = block.extras.copy()
        for op, values, interner in ((Op.DIVMOD, block.divisors, divisors), (Op.PYTHON, block.hints, hints)):
            chosen = block.ops == op
            if chosen.any():
                extras[chosen] = np.array([interner[value] for value in values], np.uint32)[block.extras[chosen]]
        self.extras = extras

    def chunks(self) -> Iterator[list[Instance]]:
        largest = max(self.block.n_wires, *(matrix.n_entries for matrix in self.block.matrices))
        step = max(1, _CHUNK // largest)
        for start in range(0, len(self.instances), step):
            yield self.instances[start : start + step]

    def starts(self, instances: list[Instance], kind: str) -> NDArray[np.int64]:
        return np.fromiter(map(attrgetter(kind), instances), np.int64, len(instances))

    def wire_map(self, instances: list[Instance]) -> NDArray[np.uint32]:
        """Row i: the outer wire of each local wire, for instance i."""
        k = self.block.n_inputs
        n_internal = self.block.n_wires - 1 - k
        wires = np.zeros((len(instances), self.block.n_wires), np.uint32)
        inputs = chain.from_iterable(instance.inputs for instance in instances)
        wires[:, 1 : 1 + k] = np.fromiter(inputs, np.uint32, len(instances) * k).reshape(len(instances), k)
        wires[:, 1 + k :] = self.starts(instances, "wire")[:, None] + np.arange(n_internal)
        return wires


def assemble(recorder: Recorder) -> Block:
    """Arrays of everything recorded; deterministic in program order."""
    table, divisors, hints = _Interner(), _Interner(), _Interner()
    own = [_OwnRows.of(recorder, name, table) for name in _MATRICES]
    groups: dict[int, _Group] = {}
    for instance in recorder.instances:
        group = groups.get(id(instance.block))
        if group is None:
            group = groups[id(instance.block)] = _Group(instance.block, table, divisors, hints)
        group.instances.append(instance)
    a, b, c, operands = (
        _matrix(name, rows, recorder.n_operands if name == "operands" else recorder.n_constraints, groups)
        for name, rows in zip(_MATRICES, own, strict=True)
    )
    ops, outs, arguments, extras = _instructions(recorder, groups, divisors, hints)
    return Block(
        recorder.n_wires, recorder.n_inputs, a, b, c, operands, tuple(table), ops, outs, arguments, extras,
        tuple(divisors), tuple(hints), SourceMap(recorder),
    )  # fmt: skip


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


def _matrix(name: str, own: _OwnRows, n_rows: int, groups: dict[int, _Group]) -> SparseMatrix:
    start = "operand" if name == "operands" else "constraint"
    lengths = np.zeros(n_rows + 1, np.int64)
    lengths[own.positions + 1] = own.lengths
    for group in groups.values():
        inner: SparseMatrix = getattr(group.block, name)
        starts = group.starts(group.instances, start)
        lengths[starts[:, None] + np.arange(1, inner.n_rows + 1)] = np.diff(inner.indptr)
    indptr = np.cumsum(lengths)
    wires = np.empty(int(indptr[-1]), np.uint32)
    coefficients = np.empty_like(wires)

    within = np.arange(len(own.wires)) - np.repeat(np.cumsum(own.lengths) - own.lengths, own.lengths)
    at = np.repeat(indptr[own.positions], own.lengths) + within
    wires[at] = own.wires
    coefficients[at] = own.coefficients
    for group in groups.values():
        inner = getattr(group.block, name)
        translated = group.table[inner.coefficients] if inner.n_entries else inner.coefficients
        for instances in group.chunks() if inner.n_entries else ():
            entries = indptr[group.starts(instances, start)][:, None] + np.arange(inner.n_entries)
            wires[entries] = group.wire_map(instances)[:, inner.wires]
            coefficients[entries] = translated
    return SparseMatrix(indptr, wires, coefficients)


def _instructions(
    recorder: Recorder, groups: dict[int, _Group], divisors: _Interner, hints: _Interner
) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    n = recorder.n_instructions
    ops = np.empty(n, np.uint8)
    outs, arguments, extras = (np.empty(n, np.uint32) for _ in range(3))
    for position, op, out, argument, extra in recorder.instructions:
        ops[position] = op
        outs[position] = out
        arguments[position] = argument
        if isinstance(extra, Hint):
            extras[position] = hints[extra]
        else:
            extras[position] = divisors[extra] if op == Op.DIVMOD else extra
    for group in groups.values():
        block = group.block
        leans_on_row = block.ops <= Op.DIVIDE
        for instances in group.chunks() if len(block.ops) else ():
            at = group.starts(instances, "instruction")[:, None] + np.arange(len(block.ops))
            ops[at] = block.ops
            outs[at] = group.wire_map(instances)[:, block.outs]
            rows = group.starts(instances, "constraint")[:, None]
            operands = group.starts(instances, "operand")[:, None]
            arguments[at] = block.arguments + np.where(leans_on_row, rows, operands)
            extras[at] = group.extras
    return ops, outs, arguments, extras
