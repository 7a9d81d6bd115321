"""Checks the GPU engine on this machine's card: ``make gpu-check``.

    python benchmarks/gpu_check.py [STAGE …] [--powers 10 16 20]

Needs numpy, numba, cupy and pytest, no installation and no network. Every stage is a process of its own, so that one
in which a kernel fails leaves the others a card that works; it is ended after nine minutes. Exit status: 0 if all is
well, 1 if something is not, 5 if there is no card. ``AITBC_GPU=shim`` runs the same on the CPU that stands in for one,
at small sizes.

========== ===============================================================================================
stage      checks
========== ===============================================================================================
machine    what there is; the kernels compile
suite      the tests of ``tests/gpu`` and of the engine protocol
transforms NTT, its inverse and the quotient, against the CPU engine
sums       sums in G1 and G2 of every kind of scalars, with and without a table, against the CPU engine
others     sparse products, multiples of generators, Poseidon, against the CPU
proofs     keys made here, through a .zkey file; Groth16 proofs that verify
sanitizer  small sizes under compute-sanitizer (memcheck, racecheck), where that is installed
========== ===============================================================================================
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from gpu_cases import REPOSITORY, SCALARS, Group, dense, on_shim, open_device, same
from gpu_stages import apart, here, require_known
from workloads import chain

from aitbc_rollup.algebra import fr, poseidon
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.errors import AitbcError
from aitbc_rollup.gpu import program
from aitbc_rollup.gpu.device import Device
from aitbc_rollup.gpu.engine import GpuEngine
from aitbc_rollup.gpu.msm import Bases
from aitbc_rollup.gpu.poseidon import hash_many
from aitbc_rollup.prover import qap
from aitbc_rollup.prover.engine import Engine, load_engine
from aitbc_rollup.prover.formats import zkey
from aitbc_rollup.prover.groth16 import prove
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup

#: Domains, logarithms: what is checked where nothing else is asked for; G2 costs the CPU thrice as much.
POWERS, SMALL_POWERS = (4, 10, 16, 20), (3, 6)
PROOFS, SMALL_PROOFS = (10, 16, 20), (5,)

#: What was checked, whether it is as it should be, and a word to it.
Row = tuple[str, bool, str]


@cache
def device() -> Device:
    """The one of this process."""
    return open_device()


@cache
def engines() -> tuple[GpuEngine, Engine]:
    """The engine that is checked, and the one it is checked against."""
    return GpuEngine(device()), load_engine("cpu")


# -- stages -------------------------------------------------------------------------------------------------------


def machine(powers: list[int]) -> Iterator[Row]:
    """What there is, and that every module compiles for it."""
    yield device().describe(), True, f"{load_engine('cpu').describe()}; numpy {np.__version__}"
    if on_shim():
        return
    for module in program.modules():
        start = time.perf_counter()
        code = program.cubin(module, device().architecture)  # type: ignore[attr-defined]
        yield f"module {module}", len(code) > 0, f"{len(code) >> 10} KiB in {time.perf_counter() - start:.1f} s"


def suite(powers: list[int]) -> Iterator[Row]:
    """The tests that run on any device."""
    environment = {**os.environ, "AITBC_GPU": "shim" if on_shim() else "1"}
    for tests, chosen in (("tests/gpu", "shim" if on_shim() else "on-card"), ("tests/prover/test_engine.py", "gpu")):
        options = ["-q", "-p", "no:cacheprovider", "-m", "not heavy", "-k", chosen]
        command = [sys.executable, "-m", "pytest", *options, tests]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        lines = (done.stdout.strip() or done.stderr.strip() or "no word").splitlines()
        for line in lines:
            if line.startswith(("FAILED", "ERROR")):
                yield line, False, ""
        yield tests, done.returncode == 0, lines[-1]


def transforms(powers: list[int]) -> Iterator[Row]:
    """Both ways, on the domain and on a coset."""
    gpu, cpu = engines()
    for power in powers:
        a, b = (fr.batch_to_montgomery(dense(1 << power, seed)) for seed in (1, 2))
        for shift in (1, qap.coset_shift(power)):
            yield f"ntt 2^{power}, shift {shift != 1:d}", same(gpu.ntt(a, shift), cpu.ntt(a, shift)), ""
            yield f"intt 2^{power}, shift {shift != 1:d}", same(gpu.intt(a, shift), cpu.intt(a, shift)), ""
        shift = qap.coset_shift(power)
        yield f"quotient 2^{power}", same(gpu.quotient(a, b, shift), cpu.quotient(a, b, shift)), ""


def sums(powers: list[int]) -> Iterator[Row]:
    """Points of a list with gaps and repeats, every kind of scalars."""
    gpu, cpu = engines()
    groups: tuple[Group, ...] = (1, 2)
    for group in groups:
        for power in powers:
            points = awkward_points(cpu, group, 1 << power)
            bases = Bases(device(), group, [points], 1 << 34)
            for name, make in SCALARS.items():
                scalars = make(len(points))
                expected = (cpu.msm_g1 if group == 1 else cpu.msm_g2)(points, scalars)
                got = (gpu.msm_g1 if group == 1 else gpu.msm_g2)(points, scalars)
                yield f"G{group} 2^{power}, {name}", same(got, expected), ""
                got = bases.finish(bases.sum(device().upload(scalars)))
                levels = bases.plan.digits.levels
                yield f"G{group} 2^{power}, {name}, table", same(got, expected), f"{levels} levels"


def awkward_points(cpu: Engine, group: Group, count: int) -> Limbs:
    """Multiples of the generator, among them infinity, repeats and opposites."""
    points = (cpu.fixed_base_g1 if group == 1 else cpu.fixed_base_g2)(dense(count, 5))
    points[1::17] = 0
    points[2::31] = points[0]
    points[3::37] = points[0]
    half = 4 * group
    negative = (cpu.msm_g1 if group == 1 else cpu.msm_g2)(points[:1], SCALARS["r - 1"](1))
    assert same(negative[:half], points[0, :half])
    points[3::37] = negative
    return points


def others(powers: list[int]) -> Iterator[Row]:
    """Products with a key's matrices, multiples of the generators, hashes."""
    gpu, cpu = engines()
    for power in powers:
        r1cs, witness = chain((1 << power) - 4)
        for name, matrix in zip("AB", qap.matrices(r1cs), strict=False):
            expected = cpu.sparse_product(matrix, witness)
            yield f"matrix {name} 2^{power}", same(gpu.sparse_product(matrix, witness), expected), ""
        scalars = SCALARS["witness"](1 << power)
        yield f"multiples in G1 2^{power}", same(gpu.fixed_base_g1(scalars), cpu.fixed_base_g1(scalars)), ""
        yield f"multiples in G2 2^{power}", same(gpu.fixed_base_g2(scalars), cpu.fixed_base_g2(scalars)), ""
        inputs = dense(2 << power)
        hashed = hash_many(device(), device().upload(fr.batch_to_montgomery(inputs).reshape(-1, 2, 4)))
        got = fr.batch_from_montgomery(device().download(hashed))
        yield f"Poseidon 2^{power}", same(got, poseidon.poseidon_batch(inputs.reshape(-1, 2, 4))), ""


def proofs(powers: list[int]) -> Iterator[Row]:
    """Keys through files, proofs of a dense chain; ``prove`` verifies each."""
    gpu, _ = engines()
    for power in powers:
        r1cs, witness = chain((1 << power) - 4)
        start = time.perf_counter()
        made = setup(r1cs, engine=gpu)
        took = f"setup {time.perf_counter() - start:.1f} s"
        with tempfile.TemporaryDirectory() as folder:
            zkey.write(Path(folder) / "key.zkey", made)
            key = ProvingKey.load(Path(folder) / "key.zkey")
            for name in ("first", "second"):
                start = time.perf_counter()
                prove(key, witness, engine=gpu)
                took += f", {name} proof {time.perf_counter() - start:.3f} s"
        yield f"Groth16 2^{power}", True, took


def sanitizer(powers: list[int]) -> Iterator[Row]:
    """The other stages, small, each kernel watched."""
    program_path = shutil.which("compute-sanitizer") or shutil.which("compute-sanitizer", path="/usr/local/cuda/bin")
    if program_path is None or on_shim():
        yield "compute-sanitizer", True, "not installed: skipped"
        return
    for tool, stages in (("memcheck", ["transforms", "sums", "others"]), ("racecheck", ["transforms", "sums"])):
        for stage in stages:
            command = [program_path, "--tool", tool, "--error-exitcode", "86", "--target-processes", "all"]
            command += [sys.executable, __file__, "--in-process", stage, "--powers", "4", "9"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            words = [line.strip("= ") for line in done.stdout.splitlines() if "SUMMARY" in line] or ["no summary"]
            yield f"{tool}, {stage}", done.returncode == 0, words[-1]


STAGES: dict[str, Callable[[list[int]], Iterator[Row]]] = {
    stage.__name__: stage for stage in (machine, suite, transforms, sums, others, proofs, sanitizer)
}


# -- running them -------------------------------------------------------------------------------------------------


def powers_of(stage: str, asked: list[int] | None) -> list[int]:
    """The sizes of a stage."""
    if stage == "proofs":
        return asked or list(SMALL_PROOFS if on_shim() else PROOFS)
    return asked or list(SMALL_POWERS if on_shim() else POWERS)


def run(stage: str, powers: list[int]) -> bool:
    """Run a stage apart, and print what it says as it says it; whether all is well."""
    print(stage, flush=True)
    start, marks = time.perf_counter(), []

    def row(said: Row) -> None:
        name, good, word = said
        marks.append(good)
        print(f"  {'ok  ' if good else 'FAIL'}  {name:40} {word}".rstrip(), flush=True)

    wrong = apart([__file__, "--in-process", stage, "--powers", *map(str, powers)], row)
    print(f"  {time.perf_counter() - start:.1f} s{'' if wrong is None else ', ' + wrong}", flush=True)
    return wrong is None and all(marks)


def main() -> int:
    """Check what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(STAGES)}; all if left out")
    parser.add_argument("--powers", nargs="+", type=int, metavar="K", help="sizes 2^K")
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    require_known(parser, options.stages, STAGES)
    try:
        if options.in_process:
            (stage,) = options.stages
            here(STAGES[stage](options.powers))
            return 0
        device()
    except AitbcError as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    outcomes = {stage: run(stage, powers_of(stage, options.powers)) for stage in options.stages or STAGES}
    bad = [stage for stage, good in outcomes.items() if not good]
    print(f"not well: {', '.join(bad)}" if bad else f"all well: {', '.join(outcomes)}")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
