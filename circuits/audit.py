"""Looking for what a dishonest prover could do: constraints that leave a choice where there should be none.

:func:`forgeries` is mutation testing of a circuit. It changes the outputs of hints, one at a time, lets everything
after be computed from the lie, and reports each witness that still satisfies all constraints and matters: it changes
a public output, or proves an assignment that has no honest proof. :func:`unused_wires` finds wires that no constraint
reads at all.

Caveat. A clean report is no proof: only single hints are changed, and only to a few values. It finds forgotten
constraints, missing range checks and unbound bits, which is what mistakes in gadgets are mostly made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs

from .check import check
from .compiler import CompiledCircuit
from .ir import Op
from .r1cs import R1CS

#: Lies tried for a hint's output: functions of its honest value.
DEFAULT_LIES: tuple[Callable[[int], int], ...] = (
    lambda value: 0,
    lambda value: 1,
    lambda value: 2,
    lambda value: value + 1,
    lambda value: value - 1,
    lambda value: -value,
    lambda value: 1 - value,
    lambda value: 0x1F2E3D4C5B6A79880123456789ABCDEFFEDCBA98765432100112233445566778,
)


@dataclass(frozen=True)
class Forgery:
    """A satisfying witness that should not exist: ``wire`` was made ``lie`` where honesty says ``honest``."""

    wire: int
    name: str
    honest: int
    lie: int
    witness: Limbs

    def __str__(self) -> str:
        return f"{self.name} may be {self.lie} where it should be {self.honest}, and every constraint holds"


def forgeries(
    compiled: CompiledCircuit,
    assignment: Mapping[str, Any],
    *,
    lies: tuple[Callable[[int], int], ...] = DEFAULT_LIES,
) -> list[Forgery]:
    """Every single lie about a hint that goes unnoticed and matters, for one assignment.

    With an assignment that satisfies the circuit, a lie matters if it changes a public output. With one that does
    not, any satisfying witness matters. A hint that is free but changes nothing (the inverse in an is-zero test of
    zero) is not reported. Costs one witness a hint output and lie: meant for gadgets, not for whole statements.
    """
    honest = compiled.witness(assignment)
    valid = check(compiled, honest) is None
    outputs = slice(1, 1 + compiled.r1cs.n_public_outputs)
    found = []
    for wire in hint_wires(compiled):
        (truth,) = from_limbs(honest[wire])
        for value in sorted({lie(truth) % R for lie in lies} - {truth}):
            witness = compiled.witness(assignment, overrides={wire: value})
            if valid and np.array_equal(witness[outputs], honest[outputs]):
                continue
            if check(compiled, witness) is None:
                found.append(Forgery(wire, compiled.wire_name(wire), truth, value, witness))
    return found


def hint_wires(compiled: CompiledCircuit) -> list[int]:
    """Wires a hint writes, in program order."""
    program = compiled.program
    is_hint = program.ops > Op.DIVIDE
    pairs = zip(program.outs[is_hint].tolist(), program.widths[is_hint].tolist(), strict=True)
    return [wire for out, width in pairs for wire in range(out, out + width)]


def unused_wires(r1cs: R1CS) -> list[int]:
    """Wires, besides the constant one, that occur in no constraint: a prover gives them any value."""
    used = np.zeros(r1cs.n_wires, np.bool_)
    used[0] = True
    for matrix in (r1cs.a, r1cs.b, r1cs.c):
        used[matrix.wires] = True
    return [int(wire) for wire in np.flatnonzero(~used)]
