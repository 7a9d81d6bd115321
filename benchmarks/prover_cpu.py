"""Measures the CPU prover: setup and proof by stage, and the first run's compilation.

    python benchmarks/prover_cpu.py [--powers 14 16 18] [--repeats 3] [--snarkjs PATH]

The system is the worst case for its size: one multiplication a constraint, every wire a full-size field element, every
wire in A and in B (so no point of any query is infinity), 2^power − 4 constraints. Real circuits, whose wires are
mostly bits, take less. Proofs include the verification each ends with. The first proof at each size is the warm-up and
not counted. Times are wall-clock, and processor time of all threads together; other work on the machine shows in the
spread of the first.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.circuits.formats.wtns import write_wtns
from aitbc_rollup.circuits.r1cs import R1CS, SparseMatrix
from aitbc_rollup.prover.engine import Engine, load_engine
from aitbc_rollup.prover.formats import zkey
from aitbc_rollup.prover.groth16 import prove
from aitbc_rollup.prover.setup import setup

RESULT = Path(__file__).parent / "results" / "prover-cpu.json"
SNARKJS = Path(__file__).parent.parent / "tests" / "node" / "node_modules" / ".bin" / "snarkjs"


def chain(n_constraints: int) -> tuple[R1CS, Limbs]:
    """w₁ public, w₂ = y₀, yᵢ₊₁ = (yᵢ + 1)·(yᵢ + w₁), as arrays, with a satisfying witness."""
    m = n_constraints
    step = np.arange(2, m + 2)
    pairs = np.arange(0, 2 * m + 1, 2)

    def matrix(indptr: Any, wires: Any) -> SparseMatrix:
        return SparseMatrix(indptr.astype(np.int64), wires.astype(np.uint32), np.zeros(len(wires), np.uint32))

    r1cs = R1CS(
        n_wires=m + 3,
        n_public_outputs=0,
        n_public_inputs=1,
        n_private_inputs=1,
        a=matrix(pairs, np.stack([np.zeros(m), step], 1).reshape(-1)),
        b=matrix(pairs, np.stack([np.ones(m), step], 1).reshape(-1)),
        c=matrix(np.arange(m + 1), step + 1),
        table=to_limbs([1]),
    )
    z = y = pow(7, 1 << 200, R)
    witness = [1, z, y]
    for _ in range(m):
        y = (y + 1) * (y + z) % R
        witness.append(y)
    return r1cs, to_limbs(witness)


class Stages:
    """A progress hook that measures the time between its calls."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: tuple[str, float] | None = None

    def __call__(self, stage: str, done: float) -> None:
        """Close the stage before and open this one."""
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[0]] = now - self._open[1]
        self._open = (stage, now)


def measured(work: Callable[[Stages], object], repeats: int) -> dict[str, Any]:
    """Median and spread of wall time, median of processor time, and the median of each stage, in seconds."""
    runs = []
    for _ in range(repeats):
        stages, start, cpu_start = Stages(), time.perf_counter(), time.process_time()
        work(stages)
        runs.append((time.perf_counter() - start, time.process_time() - cpu_start, stages.seconds))
    walls = [wall for wall, _, _ in runs]
    return {
        "median_s": round(statistics.median(walls), 3),
        "min_s": round(min(walls), 3),
        "max_s": round(max(walls), 3),
        "cpu_median_s": round(statistics.median(cpu for _, cpu, _ in runs), 3),
        "repeats": repeats,
        "stages_median_s": {
            stage: round(statistics.median(seconds[stage] for _, _, seconds in runs), 3) for stage in runs[0][2]
        },
    }


def at_size(engine: Engine, power: int, repeats: int) -> dict[str, Any]:
    """Setup and proof for a domain of 2^power."""
    r1cs, witness = chain((1 << power) - 4)
    key = setup(r1cs, engine=engine)
    assert key.power == power
    prove(key, witness, engine=engine)
    return {
        "power": power,
        "constraints": r1cs.n_constraints,
        "setup": measured(lambda stages: setup(r1cs, engine=engine, progress=stages), repeats),
        "prove": measured(lambda stages: prove(key, witness, engine=engine, progress=stages), repeats),
    }


def compilation() -> dict[str, float]:
    """Seconds of setup and proof of a tiny circuit in a fresh process: with an empty kernel cache, then a full one."""
    code = (
        "import time; start = time.perf_counter(); import sys; sys.path.insert(0, sys.argv[1])\n"
        "from prover_cpu import *\n"
        "engine = load_engine('cpu'); r1cs, witness = chain(5)\n"
        "prove(setup(r1cs, engine=engine), witness, engine=engine); print(time.perf_counter() - start)\n"
    )
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-c", code, str(Path(__file__).parent)]
        run = [
            subprocess.run(
                command, env={**os.environ, "AITBC_CACHE": cache}, capture_output=True, text=True, check=True
            )
            for _ in range(2)
        ]
    return {name: round(float(r.stdout), 2) for name, r in zip(("cold_s", "warm_cache_s"), run, strict=True)}


def against_snarkjs(engine: Engine, power: int, repeats: int, snarkjs: Path) -> dict[str, Any]:
    """Whole processes on one .zkey and .wtns, in turn: `groth16 prove` of this package (kernels cached) and of snarkjs.

    Both read their files, prove and write two JSON files; this package verifies as well.
    """
    r1cs, witness = chain((1 << power) - 4)
    ours = [sys.executable, "-m", "aitbc_rollup.cli.main"]
    seconds: dict[str, list[tuple[float, float]]] = {"aitbc-rollup": [], "snarkjs": []}
    with tempfile.TemporaryDirectory() as folder:
        zkey.write(Path(folder) / "key.zkey", setup(r1cs, engine=engine))
        write_wtns(Path(folder) / "witness.wtns", witness)
        arguments = ["groth16", "prove", "key.zkey", "witness.wtns", "proof.json", "public.json"]
        for turn in range(repeats + 1):
            for name, program in (("aitbc-rollup", ours), ("snarkjs", ["node", str(snarkjs.resolve())])):
                before, start = os.times(), time.perf_counter()
                subprocess.run([*program, *arguments], cwd=folder, check=True, capture_output=True)
                wall, after = time.perf_counter() - start, os.times()
                cpu = after.children_user + after.children_system - before.children_user - before.children_system
                if turn:
                    seconds[name].append((wall, cpu))
    result: dict[str, Any] = {"power": power, "repeats": repeats, "warm_up": 1}
    for name, runs in seconds.items():
        walls, processor = sorted(wall for wall, _ in runs), [cpu for _, cpu in runs]
        result[name] = {
            "median_s": round(statistics.median(walls), 2),
            "min_s": round(walls[0], 2),
            "max_s": round(walls[-1], 2),
            "cpu_median_s": round(statistics.median(processor), 2),
        }
    for kind in ("median_s", "cpu_median_s"):
        result[f"ratio_{kind.removesuffix('_s')}"] = round(result["aitbc-rollup"][kind] / result["snarkjs"][kind], 3)
    return result


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--powers", type=int, nargs="+", default=[14, 16, 18])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--snarkjs", type=Path, default=SNARKJS, help="snarkjs's cli.cjs, the peer; left out if absent")
    options = parser.parse_args()
    result: dict[str, Any] = {"generated_by": "benchmarks/prover_cpu.py", "machine": machine()}
    result["workload"] = "multiplication chain, full-size wires, every wire in A and B; proofs are verified"
    result["first_run"] = compilation()
    engine = load_engine("cpu")
    result["sizes"] = []
    for power in options.powers:
        size = at_size(engine, power, options.repeats)
        result["sizes"].append(size)
        print(f"2^{power}: setup {size['setup']['median_s']} s, prove {size['prove']['median_s']} s", flush=True)
    if options.snarkjs.exists():
        result["against_snarkjs"] = [against_snarkjs(engine, p, options.repeats, options.snarkjs) for p in (14, 16)]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
