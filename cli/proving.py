"""From inputs to a proof's files, with progress: what the commands share that prove something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.groth16 import prove, public_inputs
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.rollup.reporting import stage
from aitbc_rollup.verifier.formats import proof_to_json, public_to_json

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
    with stage(report, "proof") as running:
        proof = prove(
            key,
            witness,
            engine=load_engine(engine),
            progress=lambda detail, share: report.progress("proof", detail, share),
        )
    for path, value in zip(out, (proof_to_json(proof), public_to_json(public_inputs(key, witness))), strict=True):
        common.write_json(path, value)
    return round(running.seconds, 3)
