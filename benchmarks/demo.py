"""Measures the whole road, `aitbc-rollup demo`: cold (nothing cached), then warm (kernels and proving key cached).

    python benchmarks/demo.py [--repeats 3]

Each run is a process of its own with a fresh folder, so start-up and imports count. Installing the package does not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import machine

RESULT = Path(__file__).parent / "results" / "demo.json"


def run(cache: Path, records: int) -> dict[str, Any]:
    """One demonstration with this cache folder: its own figures, and the process's wall-clock and processor seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "aitbc_rollup.cli.main", "demo", "--json"]
        command += ["--folder", folder, "--limit", str(records)]
        before, start = os.times(), time.perf_counter()
        done = subprocess.run(command, env={**os.environ, "AITBC_CACHE": str(cache)}, capture_output=True, check=True)
        wall, after = time.perf_counter() - start, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures | {"process_seconds": round(wall, 2), "processor_seconds": round(processor, 2)}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--records", type=int, default=256)
    options = parser.parse_args()
    ran_on = machine()
    with tempfile.TemporaryDirectory() as cache:
        cold = run(Path(cache), options.records)
        warm = [run(Path(cache), options.records) for _ in range(options.repeats)]
    same = ("records", "sessions", "constraints", "constraints_per_record", "proof_bytes", "data_bytes")
    times = sorted(figures["process_seconds"] for figures in warm)
    result = {
        "generated_by": "benchmarks/demo.py",
        "machine": ran_on,
        **{name: cold[name] for name in same},
        "gas": cold["gas"],
        "gas_per_record": cold["gas_per_record"],
        "cold": {name: cold[name] for name in ("process_seconds", "processor_seconds", "seconds")},
        "warm": {
            "repeats": options.repeats,
            "process_seconds": {"median": statistics.median(times), "least": times[0], "most": times[-1]},
            "processor_seconds": statistics.median(figures["processor_seconds"] for figures in warm),
            "seconds": {
                stage: statistics.median(figures["seconds"][stage] for figures in warm) for stage in warm[0]["seconds"]
            },
        },
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
