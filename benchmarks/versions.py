"""Measures the same batch proved by this version of the protocol and by the one before, in turn, warm.

    python benchmarks/versions.py [--records 128] [--repeats 5]

The version before stands in the repository's history and is taken out of it into a temporary folder; both run with the
interpreter and libraries of this environment, each with a cache of its own that one run has filled. The job is
`aitbc-rollup demo`, so that trace, sessions and prices are the same; a run is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import machine
from processes import spread

RESULT = Path(__file__).parent / "results" / "versions.json"
ROOT = Path(__file__).parents[1]
#: The last commit with version 1 of the protocol.
FIRST = "6b89f3a"


def take_out(commit: str, folder: Path) -> Path:
    """The tree of a commit in a folder."""
    archive = subprocess.run(["git", "-C", ROOT, "archive", commit], capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    return folder


def run(tree: Path, cache: Path, records: int) -> dict[str, Any]:
    """One demonstration from a tree: its own figures, with the processor seconds of all it started."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "aitbc_rollup.cli.main", "demo", "--json"]
        command += ["--folder", folder, "--limit", str(records)]
        env = {**os.environ, "AITBC_CACHE": str(cache), "PYTHONPATH": str(tree / "src")}
        before = os.times()
        done = subprocess.run(command, env=env, cwd=folder, capture_output=True, check=True)
        after = os.times()
    figures: dict[str, Any] = json.loads(done.stdout)
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return figures | {"processor_seconds": processor}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What the runs of one version have in common, and how their times spread."""
    one = runs[0]
    proof = spread([figures["seconds"]["proof"] for figures in runs])
    witness = spread([figures["seconds"]["witness"] for figures in runs])
    return {
        "constraints": one["constraints"],
        "constraints_per_record": one["constraints_per_record"],
        "proof_seconds": proof,
        "witness_seconds": witness,
        "records_per_second": round(one["records"] / (proof["median"] + witness["median"]), 1),
        "process_processor_seconds": spread([figures["processor_seconds"] for figures in runs]),
        "gas": one["gas"],
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    ran_on = machine()
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as caches:
        trees = {"first": take_out(FIRST, Path(first)), "second": ROOT}
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in trees}
        for turn in range(options.repeats + 1):
            for name, tree in trees.items():
                figures = run(tree, Path(caches) / name, options.records)
                if turn:  # the first fills the cache with kernels and a key
                    runs[name].append(figures)
    versions = {name: summary(found) for name, found in runs.items()}
    ratio = versions["second"]["constraints"] / versions["first"]["constraints"]
    result = {
        "generated_by": "benchmarks/versions.py",
        "machine": ran_on,
        "first_is": FIRST,
        "records": options.records,
        "sessions": runs["second"][0]["sessions"],
        "repeats": options.repeats,
        "warm_up": "one run of each, which compiles kernels and makes the key",
        **versions,
        "constraints_ratio": round(ratio, 3),
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
