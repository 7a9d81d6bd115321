"""``groth16``: snarkjs's words over our own prover, on its files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from aitbc_rollup.circuits.check import assert_satisfied
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.formats.r1cs import read_r1cs
from aitbc_rollup.circuits.formats.wtns import read_wtns
from aitbc_rollup.errors import InvalidError, UsageError
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.formats import zkey
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup as make_key
from aitbc_rollup.rollup.files import read_json
from aitbc_rollup.rollup.reporting import stage
from aitbc_rollup.verifier import groth16 as verifier
from aitbc_rollup.verifier.formats import (
    proof_from_json,
    public_from_json,
    verification_key_from_json,
)
from aitbc_rollup.verifier.types import CHALLENGE_HASHES, ChallengeHash

from . import common
from .circuit import load_circuit
from .progress import Display, reporter
from .proving import circom_witness, prove_and_write, prove_circuit_and_write

PROOF = click.argument("proof", metavar="PROOF.JSON", type=common.PATH, default=Path("proof.json"))
PUBLIC = click.argument("public", metavar="PUBLIC.JSON", type=common.PATH, default=Path("public.json"))


@click.group("groth16")
def groth16() -> None:
    """Groth16 over BN254, on snarkjs's files and with its order of arguments."""


@groth16.command("setup")
@click.argument("r1cs", metavar="CIRCUIT.R1CS", type=common.PATH)
@click.argument("out", metavar="CIRCUIT.ZKEY", type=common.PATH)
@click.option(
    "--challenge",
    "challenge_hash",
    type=click.Choice(CHALLENGE_HASHES),
    default="keccak",
    show_default=True,
    help="Of a circuit with a commitment: how its challenge is drawn; poseidon for proofs that a circuit verifies.",
)
@common.options(common.engine, common.as_json)
def setup(r1cs: Path, out: Path, challenge_hash: ChallengeHash, engine: str, as_json: bool) -> None:
    """Make a development key for a circuit, from this machine's randomness alone.

    Whoever ran this could have kept the secrets and forge proofs, so the key is marked and refused off local chains.
    Unlike snarkjs's, there is no powers-of-tau file.
    """
    system = read_r1cs(r1cs)
    start = time.perf_counter()
    with reporter(as_json) as report, stage(report, "keys"):
        key = make_key(
            system,
            challenge_hash=challenge_hash,
            engine=load_engine(engine),
            progress=lambda detail, share: report.progress("keys", detail, share),
        )
        zkey.write(out, key)
    result = {"key": str(out), "constraints": system.n_constraints, "development": key.development}
    common.emit(result | {"seconds": round(time.perf_counter() - start, 3)}, as_json=as_json)


@groth16.command("prove")
@click.argument("key", metavar="CIRCUIT.ZKEY", type=common.PATH)
@click.argument("witness", metavar="WITNESS.WTNS", type=common.PATH)
@PROOF
@PUBLIC
@common.options(common.engine, common.as_json)
def prove(key: Path, witness: Path, proof: Path, public: Path, engine: str, as_json: bool) -> None:
    """Prove a witness; the proof is verified before it is written."""
    values = read_wtns(witness)
    with reporter(as_json) as report:
        seconds = prove_and_write(ProvingKey.load(key), values, (proof, public), engine, report)
    common.emit({"proof": str(proof), "public": str(public), "seconds": seconds}, as_json=as_json)


@groth16.command("fullprove")
@click.argument("inputs", metavar="INPUT.JSON", type=common.PATH)
@click.argument("circuit", metavar="CIRCUIT.WASM")
@click.argument("key", metavar="CIRCUIT.ZKEY", type=common.PATH)
@PROOF
@PUBLIC
@common.options(common.calculator_timeout, common.engine, common.as_json)
def fullprove(
    inputs: Path, circuit: str, key: Path, proof: Path, public: Path, timeout: float, engine: str, as_json: bool
) -> None:
    """Calculate the witness and prove it.

    The circuit is circom's .wasm, which runs in a sandbox; or one in Python, package.module:name or file.py:name, the
    name of a compiled circuit or of a function that returns one, and then its code runs.
    """
    proving_key = ProvingKey.load(key)
    given = read_json(inputs)
    with reporter(as_json) as report:
        if circuit.endswith(".wasm"):
            values, _ = circom_witness(Path(circuit), given, inputs, timeout, report)
            seconds = prove_and_write(proving_key, values, (proof, public), engine, report)
        else:
            compiled, given = _checked_circuit(circuit, given, report)
            seconds = prove_circuit_and_write(proving_key, compiled, given, (proof, public), engine, report)
    common.emit({"proof": str(proof), "public": str(public), "seconds": seconds}, as_json=as_json)


@groth16.command("verify")
@click.argument("key", metavar="VERIFICATION_KEY.JSON", type=common.PATH)
@PUBLIC
@PROOF
@click.option("--reference", is_flag=True, help="Verify with py_ecc's pairing instead of this package's.")
@click.option("--l1", metavar="URL", help="Verify on the L1 at this RPC, deploying the key's verifier if need be.")
@click.option("--dry-run", is_flag=True, help="With --l1: send nothing; the chain runs a verifier it does not keep.")
@common.as_json
def verify(key: Path, public: Path, proof: Path, reference: bool, l1: str | None, dry_run: bool, as_json: bool) -> None:
    """Verify a proof. Exits with 1 if it does not hold.

    With --l1, what is deployed is paid by the key in AITBC_PRIVATE_KEY or AITBC_KEYSTORE; on a local chain by anvil's
    first account if neither is set. The verifier's address follows from the verifying key.
    """
    if l1 is None and dry_run:
        raise UsageError("--dry-run says how to use an L1", expected="--l1 URL beside it", got="no --l1")
    vk = verification_key_from_json(read_json(key), str(key))
    inputs = public_from_json(read_json(public), str(public))
    found = proof_from_json(read_json(proof), str(proof))
    result: dict[str, Any] = {"valid": True, "development_key": vk.development}
    if l1 is None:
        valid = verifier.verify(vk, inputs, found, reference=reference)
    else:
        from aitbc_rollup.rollup.deployment import verify_on_chain
        from aitbc_rollup.rollup.l1.client import connect

        client = connect(l1)
        signer = None if dry_run else common.signer(client.chain_id)
        verdict = verify_on_chain(client, vk, inputs, found, signer)
        valid = verdict.valid
        result |= {"chain_id": client.chain_id, "verifier": verdict.address, "deployment_gas": verdict.gas}
    if not valid:
        raise InvalidError(
            "the proof does not verify", place=str(proof), hint="proof, public inputs and key must belong together"
        )
    common.emit(result, as_json=as_json)


def _checked_circuit(circuit: str, inputs: Any, report: Display) -> tuple[CompiledCircuit, Any]:
    """A circuit in Python, and its inputs, which satisfy it."""
    compiled, given = load_circuit(circuit), _inputs(inputs)
    with stage(report, "witness"):
        assert_satisfied(compiled, compiled.witness(given))
    return compiled, given


def _inputs(value: Any) -> Any:
    """Numbers of an input file: JSON numbers or decimal strings, nested as they are."""
    match value:
        case str() if value.isascii() and value.isdigit():
            return int(value)
        case list():
            return [_inputs(item) for item in value]
        case dict():
            return {name: _inputs(item) for name, item in value.items()}
    return value
