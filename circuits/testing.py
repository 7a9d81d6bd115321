"""For tests of circuits: a witness is spoilt, one place at a time, and what no constraint notices is reported.

Two ways to spoil. *Wires*: one wire gets another value, everything else stays, the challenge too. *Hints*: one output
of one hint, or one count of a table's lookups, gets another value and the rest of the witness is computed from it, as a
dishonest prover would; the challenge is drawn anew. Inputs and the mask are left alone.

:func:`survivors` starts from a valid witness: what it reports is freedom the constraints leave. Sometimes that is
right (the inverse of zero); a test then names it. :func:`forgeries` starts from an assignment that must have no proof:
what it reports is a false statement proved. :func:`unused_wires` finds wires no constraint reads at all.

Caveat. A clean report is no proof: lies come one at a time, and only to a few values. They find forgotten constraints
and missing range checks, which is what mistakes in gadgets are mostly made of.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs

from .check import assert_satisfied, check
from .compiler import CompiledCircuit
from .ir import Op
from .r1cs import R1CS


@dataclass(frozen=True)
class Survivor:
    """A spoilt value that satisfied every constraint; ``kind`` is "wire" or "hint"."""

    kind: str
    wire: str
    honest: int
    spoilt: int


def survivors(
    compiled: CompiledCircuit, assignment: Mapping[str, Any], *, seed: int = 0, max_lies: int | None = None
) -> list[Survivor]:
    """All spoilt wires and hints that go unnoticed; the honest witness must satisfy the circuit.

    A lie about a hint costs a whole witness: ``max_lies`` takes so many of them, at random.

    Raises:
        InvalidError: the honest witness does not.
    """
    witness = compiled.witness(assignment)
    assert_satisfied(compiled, witness)
    generator = random.Random(seed)
    lies = _lies(compiled, witness, generator, max_lies)
    return [*_wire_survivors(compiled, witness, generator), *_hint_survivors(compiled, assignment, lies)]


def forgeries(
    compiled: CompiledCircuit, assignment: Mapping[str, Any], *, seed: int = 0, max_lies: int | None = None
) -> list[Survivor]:
    """All spoilt hints that make a proof of an assignment whose honest witness fails; at most ``max_lies``, at random.

    Raises:
        ValueError: the honest witness satisfies the circuit: the assignment is no false statement.
    """
    witness = compiled.witness(assignment)
    if check(compiled, witness) is None:
        raise ValueError("the honest witness satisfies the circuit; forgeries() wants an assignment it must refuse")
    return list(_hint_survivors(compiled, assignment, _lies(compiled, witness, random.Random(seed), max_lies)))


def hint_wires(compiled: CompiledCircuit) -> list[int]:
    """Wires that hints write (quotients too: the instruction binds nothing), in program order; then lookups' counts."""
    program = compiled.program
    is_hint = program.ops >= Op.DIVIDE
    pairs = zip(program.outs[is_hint].tolist(), program.widths[is_hint].tolist(), strict=True)
    written = [wire for first, width in pairs for wire in range(first, first + width)]
    return written + [wire for lookups in program.lookups for wire in lookups.outs.tolist()]


def unused_wires(r1cs: R1CS) -> list[int]:
    """Wires, besides the constant one, that occur in no constraint: a prover gives them any value."""
    used = np.zeros(r1cs.n_wires, np.bool_)
    used[0] = True
    for matrix in (r1cs.a, r1cs.b, r1cs.c):
        used[matrix.wires] = True
    return [int(wire) for wire in np.flatnonzero(~used)]


def _alternatives(value: int, generator: random.Random) -> list[int]:
    """Other values for a wire: neighbours, the constants gadgets care about, the negative, something random."""
    candidates = (value + 1, value - 1, 0, 1, 2, -value, value ^ 1, generator.randrange(R))
    return sorted({candidate % R for candidate in candidates} - {value})


def _wire_survivors(compiled: CompiledCircuit, witness: Limbs, generator: random.Random) -> Iterator[Survivor]:
    values = from_limbs(witness)
    rows = _Rows(compiled, values)
    inputs = range(1 + compiled.r1cs.n_public_outputs, 1 + compiled.r1cs.n_public + compiled.r1cs.n_private_inputs)
    commitment = compiled.r1cs.commitment
    mask = None if commitment is None else commitment.mask
    for wire in range(1, compiled.r1cs.n_wires):
        if wire in inputs or wire == mask:
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


def _lies(
    compiled: CompiledCircuit, witness: Limbs, generator: random.Random, max_lies: int | None
) -> list[tuple[int, int, int]]:
    """For each hint's output (wire, honest value, another value), several times; of too many a sample.

    Tables have thousands of counts and fractions: only a quarter of a sample is about those, the rest about hints of
    the circuit's own.
    """
    honest = ((wire, from_limbs(witness[wire])[0]) for wire in hint_wires(compiled))
    lies = [(wire, value, spoilt) for wire, value in honest for spoilt in _alternatives(value, generator)]
    if max_lies is None or len(lies) <= max_lies:
        return lies
    own = [lie for lie in lies if not compiled.is_of_argument(lie[0])]
    others = [lie for lie in lies if compiled.is_of_argument(lie[0])]
    n_others = min(len(others), max(max_lies // 4, max_lies - len(own)))
    return generator.sample(own, max_lies - n_others) + generator.sample(others, n_others)


def _hint_survivors(
    compiled: CompiledCircuit, assignment: Mapping[str, Any], lies: list[tuple[int, int, int]]
) -> Iterator[Survivor]:
    for wire, honest, spoilt in lies:
        if check(compiled, compiled.witness(assignment, overrides={wire: spoilt})) is None:
            yield Survivor("hint", compiled.wire_name(wire), honest, spoilt)
