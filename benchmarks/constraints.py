"""The committed constraint counts: writes ``results/constraints.json``, or with ``--check`` fails when they have moved.

Counts are exact and depend on nothing but the source, so unlike times they can be held by the build.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from aitbc_rollup.circuits.statements.agent_runs import Shape, compile_agent_runs
from aitbc_rollup.circuits.statements.blob import compile_blob

RESULT = Path(__file__).parent / "results" / "constraints.json"
#: The demo's shape, and a small one that shows what a batch costs before its first session.
SHAPES = (Shape(8, 1), Shape(2, 1))
#: Words of a blob and the width of tables that suits them.
BLOBS = ((256, 11), (1024, 11), (4096, 12))


def measure(shape: Shape) -> dict[str, Any]:
    """Counts of one shape: total, per record (batch full), and by component."""
    compiled = compile_agent_runs(shape)
    stats = compiled.stats()
    total = stats.n_constraints
    return {
        "statement": "agent_runs",
        "shape": {"sessions": shape.sessions, "providers": shape.providers, "records": shape.records},
        "constraints": total,
        "wires": stats.n_wires,
        "nonzeros": stats.n_entries,
        "per_record": round(total / shape.records, 2),
        "by_component": stats.components,
        "by_gadget": by_gadget(stats.components),
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


def by_gadget(components: dict[str, int]) -> dict[str, int]:
    """Constraints by the innermost component, wherever it is used."""
    totals: dict[str, int] = {}
    for path, count in components.items():
        name = path.rsplit(".", 1)[-1]
        totals[name] = totals.get(name, 0) + count
    return dict(sorted(totals.items()))


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
