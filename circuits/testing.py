"""For tests of circuits: a valid witness is spoilt, one place at a time, and what no constraint notices is reported.

Two ways to spoil. *Wires*: one wire gets another value, everything else stays. *Hints*: one output of one hint gets
another value and the rest of the witness is computed from it, as a dishonest prover would. Inputs are left alone.

What survives is freedom the constraints leave. Sometimes that is right (the inverse of zero); a test then names it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs

from .check import assert_satisfied, check
from .compiler import CompiledCircuit
from .ir import Hint, Op


@dataclass(frozen=True)
class Survivor:
    """A spoilt value that satisfied every constraint; ``kind`` is "wire" or "hint"."""

    kind: str
    wire: str
    honest: int
    spoilt: int


def survivors(compiled: CompiledCircuit, assignment: Mapping[str, Any], *, seed: int = 0) -> list[Survivor]:
    """All spoilt wires and hints that go unnoticed; the honest witness must satisfy the circuit.

    Raises:
        InvalidError: the honest witness does not.
    """
    witness = compiled.witness(assignment)
    assert_satisfied(compiled, witness)
    generator = random.Random(seed)
    return [*_wire_survivors(compiled, witness, generator), *_hint_survivors(compiled, assignment, witness, generator)]


def _alternatives(value: int, generator: random.Random) -> list[int]:
    """Other values for a wire: neighbours, the constants gadgets care about, the negative, something random."""
    candidates = (value + 1, value - 1, 0, 1, 2, -value, value ^ 1, generator.randrange(R))
    return sorted({candidate % R for candidate in candidates} - {value})


def _wire_survivors(compiled: CompiledCircuit, witness: Limbs, generator: random.Random) -> Iterator[Survivor]:
    values = from_limbs(witness)
    rows = _Rows(compiled, values)
    inputs = range(1 + compiled.r1cs.n_public_outputs, 1 + compiled.r1cs.n_public + compiled.r1cs.n_private_inputs)
    for wire in range(1, compiled.r1cs.n_wires):
        if wire in inputs:
            continue
        for value in _alternatives(values[wire], generator):
            if not rows.notice(wire, value - values[wire]):
                yield Survivor("wire", compiled.wire_name(wire), values[wire], value)


class _Rows:
    """Constraints as integers, by wire: so that one wire's change costs only the rows it stands in."""

    def __init__(self, compiled: CompiledCircuit, values: list[int]) -> None:
        r1cs = compiled.r1cs
        table = from_limbs(r1cs.table)
        self.products: list[list[int]] = []
        self.by_wire: dict[int, dict[int, list[int]]] = {}
        for side, matrix in enumerate((r1cs.a, r1cs.b, r1cs.c)):
            sums = []
            for row in range(r1cs.n_constraints):
                total = 0
                for i in range(int(matrix.indptr[row]), int(matrix.indptr[row + 1])):
                    wire, coefficient = int(matrix.wires[i]), table[int(matrix.coefficients[i])]
                    total += coefficient * values[wire]
                    self.by_wire.setdefault(wire, {}).setdefault(row, [0, 0, 0])[side] += coefficient
                sums.append(total % R)
            self.products.append(sums)

    def notice(self, wire: int, change: int) -> bool:
        """Whether some constraint fails when the wire moves by this much."""
        a, b, c = self.products
        return any(
            ((a[row] + x * change) * (b[row] + y * change) - (c[row] + z * change)) % R
            for row, (x, y, z) in self.by_wire.get(wire, {}).items()
        )


def _hint_survivors(
    compiled: CompiledCircuit, assignment: Mapping[str, Any], witness: Limbs, generator: random.Random
) -> Iterator[Survivor]:
    program = compiled.program
    for position in np.flatnonzero(program.ops > Op.LINEAR):
        first, count = int(program.outs[position]), _n_outputs(compiled, int(position))
        honest = from_limbs(witness[first : first + count])
        for offset, value in enumerate(honest):
            for spoilt in _alternatives(value, generator):
                outputs = [*honest[:offset], spoilt, *honest[offset + 1 :]]
                dishonest = with_hint(compiled, int(position), outputs)
                if check(compiled, dishonest.witness(assignment)) is None:
                    yield Survivor("hint", compiled.wire_name(first + offset), value, spoilt)


def _n_outputs(compiled: CompiledCircuit, position: int) -> int:
    op, extra = compiled.program.ops[position], int(compiled.program.extras[position])
    if op == Op.PYTHON:
        return compiled.program.hints[extra].n_outputs
    return {Op.DIVIDE: 1, Op.INVERSE: 1, Op.BITS: extra, Op.DIVMOD: 2}[Op(op)]


def with_hint(compiled: CompiledCircuit, position: int, outputs: list[int]) -> CompiledCircuit:
    """The same circuit with a dishonest prover: the hint at this place of the tape gives these outputs instead."""
    program = compiled.program
    ops, extras = program.ops.copy(), program.extras.copy()
    ops[position], extras[position] = Op.PYTHON, len(program.hints)
    hint = Hint(lambda: outputs, 0, len(outputs))
    return replace(compiled, program=replace(program, ops=ops, extras=extras, hints=(*program.hints, hint)))
