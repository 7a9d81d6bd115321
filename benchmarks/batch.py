"""Measures one large batch all the way: 4,096 requests of a trace proven, and finalized on anvil.

    python benchmarks/batch.py TRACE [--records 4096] [--agents 256] [--repeats 3]

TRACE is AzureLLMInferenceTrace_code.csv of Azure's public dataset. The first run of `aitbc-rollup prove-batch` makes
the circuit's key and prepares it, the others find both; each has a state folder of its own and is a process of its own,
measured from outside. Witness and proof are told apart by the program itself. Then the last batch goes to an anvil from
tests/node, which `make` installs.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from machine import machine
from processes import Usage, ask, run, spread

RESULT = Path(__file__).parent / "results" / "batch.json"
ANVIL = Path(__file__).parents[1] / "tests" / "node" / "node_modules" / ".bin" / "anvil"
CLI = [sys.executable, "-m", "aitbc_rollup.cli.main"]
PARTS = ("witness", "proof")
#: What the batch is held to: GiB, and the witness' share of the proof's time.
GOALS = {"peak_gib": 20, "witness_over_proof": 0.2}


def prove(trace: Path, records: int, agents: int, folder: Path, keys: Path) -> tuple[dict[str, Any], Usage]:
    """One run: what it says of itself, and what it took."""
    folder.mkdir()
    command = [*CLI, "prove-batch", trace, "--limit", records, "--dev-agents", agents, "--shape", f"{records}x16"]
    command += ["--state", folder / "state", "--out", folder / "batch", "--keys", keys, "--json"]
    said = folder / "said.json"
    # The shell is replaced by the program, so it is the program that is measured.
    usage = run(["sh", "-c", 'exec "$@" > "$0"', said, *map(str, command)])
    figures: dict[str, Any] = json.loads(said.read_text())
    return figures, usage


@contextmanager
def chain() -> Iterator[str]:
    """The URL of an anvil of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(ANVIL), "--port", str(port), "--chain-id", "31337", "--hardfork", "prague", "--silent"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def summary(found: list[tuple[dict[str, Any], Usage]]) -> dict[str, Any]:
    """How the times of some runs spread."""
    witness = spread([said["witness_seconds"] for said, _ in found])
    proof = spread([said["proof_seconds"] for said, _ in found])
    return {
        "witness_seconds": witness,
        "proof_seconds": proof,
        "witness_over_proof": round(witness["median"] / proof["median"], 3),
        "process": {name: spread([getattr(usage, name) for _, usage in found]) for name in Usage._fields},
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path)
    parser.add_argument("--records", type=int, default=4096)
    parser.add_argument("--agents", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    ran_on = machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs = [
            prove(options.trace, options.records, options.agents, folder / f"run-{i}", folder / "keys")
            for i in range(options.repeats + 1)
        ]
        said = runs[-1][0]
        with chain() as url:
            gas = ask([*CLI, "submit", folder / f"run-{options.repeats}" / "batch", "--l1", url, "--json"])["gas"]
    first, warm = summary(runs[:1]), summary(runs[1:])
    total = sum(amount for step, amount in gas.items() if step != "deploy")
    peak = max(usage.peak_mib for _, usage in runs) / 1024
    result = {
        "generated_by": "benchmarks/batch.py",
        "machine": ran_on,
        **{name: said[name] for name in ("records", "sessions", "shape", "constraints", "data_bytes")},
        "constraints_per_record": round(said["constraints"] / said["records"], 2),
        "first": first,
        "repeats": options.repeats,
        "warm": warm,
        "records_per_second": round(said["records"] / (sum(warm[f"{part}_seconds"]["median"] for part in PARTS)), 1),
        "gas": gas | {"per_record": round(total / said["records"], 1)},
        "goals": {
            "peak_gib": {"at_most": GOALS["peak_gib"], "got": round(peak, 2)},
            "witness_over_proof": {"at_most": GOALS["witness_over_proof"], "got": warm["witness_over_proof"]},
        },
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
