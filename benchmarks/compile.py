"""Measures the circuit compiler: from Python to constraints, then a witness, and whether it satisfies them.

    python benchmarks/compile.py [--repeats 5] [--scale 1.0]

Two circuits of nested templates. ``hashes``: 10 million constraints, sessions of 16 records that hash, compare and
check ranges. ``lookups``: 3.5 million with 0.4 million messages, records that are mostly ranges. Each measurement is a
process of its own, which makes a small circuit first, so that kernels and traces are there: what is told apart are

``trace``    the circuit's Python, up to where everything is said
``compile``  expanding it, the argument of the buses, the order of the wires
``witness``  all wires for random inputs, both phases; then every constraint is checked, unmeasured

Peak memory is that of the process when the circuit is compiled, and again when the witness is there.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine
from processes import PEAK_UNIT, ask, spread

from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.check import assert_satisfied
from aitbc_rollup.circuits.gadgets.poseidon import poseidon
from aitbc_rollup.circuits.gadgets.ranges import less_than, uint
from aitbc_rollup.circuits.template import template

RESULT = Path(__file__).parent / "results" / "compile.json"
RECORDS = 16
#: What it is held to: seconds from Python to constraints, and MiB, for ten million constraints.
GOAL_SECONDS, GOAL_MIB = 10, 4096
_FIGURES = ("trace_s", "compile_s", "cpu_s", "compile_peak_mib", "witness_s", "witness_cpu_s", "peak_mib")


@dataclass(frozen=True)
class Workload:
    """Sessions, and words of 64 bits in each of their records."""

    sessions: int
    words: int


WORKLOADS = {"hashes": Workload(2000, 2), "lookups": Workload(616, 10)}


@template
def record(circuit: Circuit, words: list[Variable], previous: Variable) -> Variable:
    """Ranges of the words, the order of two of them, and a hash of four with the one before."""
    known = [uint(circuit, word, 64) for word in words]
    less = less_than(circuit, known[0], known[-1], 64)
    return poseidon(circuit, [*known[:2], less, previous])


@template
def session(circuit: Circuit, rows: list[list[Variable]], start: Variable) -> Variable:
    """A chain of records."""
    for row in rows:
        start = record(circuit, row, start)
    return start


def build(workload: Workload) -> Circuit:
    """The circuit, said but not compiled."""
    circuit = Circuit("benchmark", limb_bits=16)
    words = circuit.private_inputs("words", workload.sessions, RECORDS, workload.words)
    starts = circuit.private_inputs("starts", workload.sessions)
    ends = session.repeat(circuit, list(zip(words, starts, strict=True)))
    circuit.public_output("end", circuit.sum(ends))
    return circuit


def inputs(workload: Workload) -> dict[str, Any]:
    """Random words, as limbs."""
    words = np.zeros((workload.sessions, RECORDS, workload.words, 4), np.uint64)
    words[..., 0] = np.random.default_rng(0).integers(1 << 64, size=words.shape[:-1], dtype=np.uint64)
    return {"words": words, "starts": np.zeros((workload.sessions, 4), np.uint64)}


def peak_mib() -> float:
    """Most memory this process held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PEAK_UNIT


def measure(workload: Workload) -> dict[str, Any]:
    """One measurement, in this process."""
    small = Workload(1, workload.words)
    build(small).compile().witness(inputs(small))
    times = [(time.perf_counter(), time.process_time())]

    def lap() -> None:
        times.append((time.perf_counter(), time.process_time()))

    circuit = build(workload)
    lap()
    compiled = circuit.compile()
    lap()
    compile_peak = peak_mib()
    assignment = inputs(workload)
    lap()
    witness = compiled.witness(assignment)
    lap()
    peak = peak_mib()
    assert_satisfied(compiled, witness)
    wall, cpu = ([after[i] - before[i] for before, after in pairwise(times)] for i in (0, 1))
    assert compiled.ledger is not None
    figures = (wall[0], wall[1], cpu[0] + cpu[1], compile_peak, wall[3], cpu[3], peak)
    sizes = {
        "constraints": compiled.r1cs.n_constraints,
        "entries": compiled.r1cs.n_entries,
        "messages": len(compiled.ledger.messages.kinds),
    }
    return sizes | dict(zip(_FIGURES, figures, strict=True))


def summary(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Sizes, and of each figure the median, the least and the most."""
    first = runs[0]
    both = [run["trace_s"] + run["compile_s"] for run in runs]
    return {
        "workload": name,
        "repeats": len(runs),
        **{size: first[size] for size in ("constraints", "entries", "messages")},
        "trace_and_compile_s": spread(both),
        **{figure: spread([run[figure] for run in runs]) for figure in _FIGURES},
        "witness_constraints_per_cpu_s": spread([run["constraints"] / run["witness_cpu_s"] for run in runs], 0),
    }


def judged(found: dict[str, Any]) -> dict[str, Any]:
    """Whether ten million constraints compile in the time and memory they may take; ``None`` at other sizes."""
    large = found["constraints"] >= 10_000_000
    seconds, mib = found["trace_and_compile_s"]["median"], found["compile_peak_mib"]["max"]
    return {
        "goal": f"10 million constraints in at most {GOAL_SECONDS} s and {GOAL_MIB} MiB",
        "measured": {"seconds": seconds, "mib": mib},
        "met": (seconds <= GOAL_SECONDS and mib <= GOAL_MIB) if large else None,
    }


def main() -> None:
    """Measure and write the result; with ``--once`` only one process's part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="times as many sessions")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--once", choices=WORKLOADS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        workload = WORKLOADS[options.once]
        print(json.dumps(measure(Workload(max(1, int(workload.sessions * options.scale)), workload.words))))
        return
    ran_on, found = machine(), []
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in WORKLOADS}
    # The first turn makes the kernels' cache and does not count; workloads take turns.
    for turn in range(1 + options.repeats):
        for name, results in runs.items():
            command = [sys.executable, __file__, "--once", name, "--scale", str(options.scale)]
            result = ask(command)
            if turn:
                results.append(result)
    for name, results in runs.items():
        found.append(summary(name, results))
        line = found[-1]
        print(
            f"{name}: {line['constraints']:,} constraints, {line['messages']:,} messages: "
            f"{line['trace_and_compile_s']['median']:.2f} s, {line['compile_peak_mib']['max']:.0f} MiB; "
            f"witness {line['witness_s']['median']:.2f} s"
        )
    result = {
        "generated_by": "benchmarks/compile.py",
        "machine": ran_on,
        "workloads": found,
        "goal": judged(found[0]),
    }
    options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
