"""From inputs to a proof's files, with progress: what the commands share that prove something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.prover.engine import Engine, Progress, load_engine
from aitbc_rollup.prover.groth16 import Provable, prove, prove_circuit, public_inputs
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.rollup.reporting import stage
from aitbc_rollup.verifier.formats import proof_to_json, public_to_json
from aitbc_rollup.verifier.types import Proof

from . import common
from .progress import Display


def circom_witness(wasm: Path, inputs: Any, place: Path, timeout: float, report: Display) -> tuple[Limbs, float]:
    """The witness by circom's calculator for the inputs read at a place, and the seconds it took."""
    from aitbc_rollup.circuits.circom.calculator import WitnessCalculator

    with stage(report, "witness") as running:
        calculator = WitnessCalculator.load(wasm)
        witness = calculator.calculate(inputs, place=str(place), seconds=timeout, log=report.say)
    return witness, round(running.seconds, 3)


def prove_and_write(key: ProvingKey, witness: Limbs, out: tuple[Path, Path], engine: str, report: Display) -> float:
    """Write proof and public inputs to ``out``; returns the seconds that the proof took."""

    def make(engine: Engine, progress: Progress) -> tuple[Proof, list[int]]:
        return prove(key, witness, engine=engine, progress=progress), public_inputs(key, witness)

    return _make_and_write(make, out, engine, report)


def prove_circuit_and_write(
    key: ProvingKey, circuit: Provable, inputs: Any, out: tuple[Path, Path], engine: str, report: Display
) -> float:
    """The same for a circuit in Python and its inputs; with a commitment its witness is made on the way."""

    def make(engine: Engine, progress: Progress) -> tuple[Proof, list[int]]:
        return prove_circuit(key, circuit, inputs, engine=engine, progress=progress)

    return _make_and_write(make, out, engine, report)


def _make_and_write(
    make: Callable[[Engine, Progress], tuple[Proof, list[int]]], out: tuple[Path, Path], engine: str, report: Display
) -> float:
    with stage(report, "proof") as running:
        proof, public = make(load_engine(engine), lambda detail, share: report.progress("proof", detail, share))
    for path, value in zip(out, (proof_to_json(proof), public_to_json(public)), strict=True):
        common.write_json(path, value)
    return round(running.seconds, 3)
