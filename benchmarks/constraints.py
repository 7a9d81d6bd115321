"""The committed constraint counts: writes ``results/constraints.json``, or with ``--check`` fails when they have moved.

Counts are exact and depend on nothing but the source, so unlike times they can be held by the build.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.circuits.statements.blob import compile_blob

RESULT = Path(__file__).parent / "results" / "constraints.json"
#: 4,096 records with 256 agents at random indices below 2^24 and 16 providers; the same with data in a blob, and with
#: attesters; a small one; and as many sessions with any accounts in a full batch.
SHAPES = (
    *(dataclasses.replace(Shape.for_records(4096), kind=kind) for kind in (Kind.CALLDATA, Kind.BLOB, Kind.ATTESTED)),
    Shape.for_records(16, agents=1, providers=1),
    Shape.full(256),
)
#: Words of a blob and the width of tables that suits them.
BLOBS = ((256, 11), (1024, 11), (4096, 12))


def measure(shape: Shape) -> dict[str, Any]:
    """Counts of one shape: total, per record (batch full), and by component; a component counts those within it."""
    stats = compile_batch(shape).stats()
    total = stats.n_constraints
    return {
        "statement": "full_batch" if shape.kind == Kind.FULL else "agent_runs",
        "shape": dataclasses.asdict(shape) | {"kind": shape.kind.name.lower()},
        "records": shape.records,
        "constraints": total,
        "wires": stats.n_wires,
        "nonzeros": stats.n_entries,
        "per_record": round(total / shape.records, 2),
        "by_component": stats.components,
    }


def measure_blob(words: int, limb_bits: int) -> dict[str, Any]:
    """Counts of the circuit of a blob alone."""
    stats = compile_blob(words, limb_bits=limb_bits).stats()
    return {
        "statement": "blob",
        "shape": {"words": words, "limb_bits": limb_bits},
        "constraints": stats.n_constraints,
        "wires": stats.n_wires,
        "nonzeros": stats.n_entries,
        "per_word": round(stats.n_constraints / words, 2),
        "by_component": stats.components,
    }


def main() -> int:
    """Write or check."""
    counts = [measure(shape) for shape in SHAPES] + [measure_blob(*blob) for blob in BLOBS]
    text = json.dumps(counts, indent=2) + "\n"
    if "--check" not in sys.argv[1:]:
        RESULT.write_text(text)
        return 0
    if RESULT.read_text() == text:
        return 0
    print(f"{RESULT.name} does not match the circuits. Next: python benchmarks/constraints.py; say why in the commit")
    for old, new in zip(json.loads(RESULT.read_text()), json.loads(text), strict=False):
        print(f"  {old['shape']}: committed {old['constraints']}, now {new['constraints']}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
