"""Writes ``docs/spec/vectors/buses.json``: a small circuit's messages and what its argument makes of them.

Challenge, fingerprints and fractions are read from a witness of the compiled circuit; the test that regenerates the
file computes them again from the specification in plain integers. Field elements are decimal strings. With ``--check``
it fails where the file differs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.buses import Bus, Table
from aitbc_rollup.circuits.check import assert_satisfied
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets.ranges import boolean
from aitbc_rollup.circuits.ir import Kind

PATH = Path(__file__).parent.parent / "spec" / "vectors" / "buses.json"
CHALLENGE = 123456789
SQUARES = Table("squares", 2, 4, lambda: to_limbs([0, 1, 4, 9]).reshape(4, 1, 4))
PAIRS, TRIPLES = Bus("pairs", 2), Bus("triples", 3)
INPUTS = {"x": [2, 3], "flag": 1, "unused": 0, "left": [[7, 8], [7, 8], [9, 10]], "right": [[9, 10], [7, 8], [7, 8]]}


def circuit() -> CompiledCircuit:
    """A lookup in a constant table, one of the circuit's own, a multiset, and lookups that happen or not."""
    made = Circuit("buses")
    x = made.private_inputs("x", 2)
    flag, unused = (boolean(made, made.private_input(name)) for name in ("flag", "unused"))
    left, right = (made.private_inputs(name, 3, 2) for name in ("left", "right"))
    made.look_up(SQUARES, [x[0], 4])
    made.look_up(SQUARES, [x[1], x[0] + 7], flag)
    made.look_up(SQUARES, [x[1], 0], unused)
    for row in left:
        made.send(TRIPLES, [*row, 1])
    for row in right:
        made.receive(TRIPLES, [*row, 1])
    made.enter(PAIRS, [x[0], x[1]])
    made.look_up(PAIRS, [2, x[1]], 5)
    return made.compile()


def vectors() -> dict[str, Any]:
    """The file's content."""
    compiled = circuit()
    run = compiled.begin(INPUTS)
    witness = run.finish(CHALLENGE)
    assert_satisfied(compiled, witness)
    ledger, values = compiled.ledger, from_limbs(witness)
    assert ledger is not None and compiled.r1cs.commitment is not None
    table = from_limbs(compiled.r1cs.table)

    def evaluate(matrix: Any, row: int) -> int:
        wires, coefficients = matrix.row(row)
        return sum(values[w] * table[c] for w, c in zip(wires.tolist(), coefficients.tolist(), strict=True)) % R

    messages = ledger.messages
    rows = [
        (bus, messages.kinds[i] in (Kind.SEND, Kind.LOOKUP), int(messages.operands[i]))
        for i, bus in enumerate(messages.buses[b] for b in messages.bus)
    ]
    found = []
    first = ledger.first + len(ledger.products)
    for i, (bus, is_sent, operand) in enumerate(rows):
        tuple_and_count = [evaluate(compiled.program.operands, operand + k) for k in range(bus.columns + 1)]
        found.append((bus, is_sent, tuple_and_count[:-1], first + i))
    for bus in ledger.tables:
        start = first + len(found)
        content = bus.content()
        found += [(bus, False, from_limbs(np.ascontiguousarray(content[i])), start + i) for i in range(bus.rows)]
    pole = int(compiled.r1cs.b.row(first)[0][-1])
    return {
        "field": str(R),
        "challenge": str(CHALLENGE),
        "pole": str(values[pole]),
        "buses": [{"name": bus.name, "columns": bus.columns, "tag": 1 + i} for i, bus in enumerate(messages.buses)],
        "messages": [
            {
                "bus": bus.name,
                "side": "sent" if is_sent else "received",
                "values": [str(value) for value in row],
                "count": str(evaluate(compiled.r1cs.c, constraint)),
                "fingerprint": str((evaluate(compiled.r1cs.b, constraint) + values[pole]) % R),
                "fraction": str(evaluate(compiled.r1cs.a, constraint)),
            }
            for bus, is_sent, row, constraint in found
        ],
    }


def render() -> str:
    """The file's text."""
    return json.dumps(vectors(), indent=1) + "\n"


def main() -> int:
    """Write or check."""
    text = render()
    if "--check" not in sys.argv[1:]:
        PATH.write_text(text, encoding="utf-8")
        return 0
    if PATH.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PATH} is not what the code makes: run python docs/tools/buses_vectors.py and say why", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
