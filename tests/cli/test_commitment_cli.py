"""A circuit with a commitment by the command line: key, proof and verification, in Python and by a contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_world import Cli

from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.formats.r1cs import write_r1cs
from aitbc_rollup.circuits.formats.wtns import write_wtns
from aitbc_rollup.rollup.deployment import verify_on_chain
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.verifier.formats import proof_from_json, verification_key_from_json

SOURCE = '''
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.buses import range_table

def digits():
    """Knows two digits below 16 whose number is y."""
    circuit = Circuit("digits")
    y = circuit.public_input("y")
    high, low = circuit.private_inputs("digit", 2)
    for digit in (high, low):
        circuit.look_up(range_table(4), [digit])
    circuit.assert_equal(16 * high + low, y)
    return circuit.compile()
'''


@pytest.fixture(scope="module")
def compiled() -> CompiledCircuit:
    space: dict[str, object] = {"Circuit": Circuit}
    exec(SOURCE, space)
    return space["digits"]()  # type: ignore[operator,no-any-return]


@pytest.fixture
def room(compiled: CompiledCircuit, cli: Cli) -> Path:
    """The current folder, with circuit and inputs in it."""
    write_r1cs("c.r1cs", compiled.r1cs)
    Path("circuit.py").write_text(SOURCE)
    Path("input.json").write_text('{"y": "165", "digit": ["10", "5"]}')
    return Path()


@pytest.mark.parametrize("challenge", ["keccak", "poseidon"])
def test_from_circuit_to_verdict(room: Path, cli: Cli, challenge: str) -> None:
    assert cli("r1cs", "info", "c.r1cs", "--json").json["committed"] > 2
    assert cli("groth16", "setup", "c.r1cs", "c.zkey", "--challenge", challenge).code == 0
    assert cli("zkey", "verify", "c.r1cs", "c.zkey").code == 0
    assert cli("zkey", "export", "verificationkey", "c.zkey", "vk.json").code == 0
    assert json.loads((room / "vk.json").read_text())["challenge_hash"] == challenge
    said = cli("groth16", "fullprove", "input.json", "circuit.py:digits", "c.zkey", "proof.json", "public.json")
    assert said.code == 0, said.err
    assert json.loads((room / "public.json").read_text()) == ["165"], "the challenge is no public input"
    for extra in ([], ["--reference"]):
        assert cli("groth16", "verify", "vk.json", "public.json", "proof.json", *extra).code == 0
    (room / "public.json").write_text('["166"]')
    assert cli("groth16", "verify", "vk.json", "public.json", "proof.json").code == 1

    exported = cli("zkey", "export", "solidityverifier", "c.zkey", "verifier.sol")
    assert exported.code == (0 if challenge == "keccak" else 3)
    vk, proof = (json.loads((room / name).read_text()) for name in ("vk.json", "proof.json"))
    key = verification_key_from_json(vk)
    if challenge == "keccak":
        assert verify_on_chain(connect(), key, [165], proof_from_json(proof)).valid
        assert not verify_on_chain(connect(), key, [166], proof_from_json(proof)).valid


def test_a_proof_without_its_commitment_is_refused(room: Path, cli: Cli) -> None:
    cli("groth16", "setup", "c.r1cs", "c.zkey")
    cli("zkey", "export", "verificationkey", "c.zkey", "vk.json")
    cli("groth16", "fullprove", "input.json", "circuit.py:digits", "c.zkey", "proof.json", "public.json")
    proof = json.loads((room / "proof.json").read_text())
    stripped = {name: proof[name] for name in ("pi_a", "pi_b", "pi_c", "curve")} | {"protocol": "groth16"}
    (room / "proof.json").write_text(json.dumps(stripped))
    said = cli("groth16", "verify", "vk.json", "public.json", "proof.json", "--json")
    assert (said.code, said.json["message"]) == (1, "the proof does not verify")


def test_a_witness_made_without_the_prover_has_no_mask(room: Path, cli: Cli, compiled: CompiledCircuit) -> None:
    cli("groth16", "setup", "c.r1cs", "c.zkey")
    write_wtns("w.wtns", compiled.witness({"y": 165, "digit": [10, 5]}))
    assert cli("wtns", "check", "c.r1cs", "w.wtns").code == 0
    said = cli("groth16", "prove", "c.zkey", "w.wtns", "proof.json", "public.json", "--json")
    assert said.code == 3 and said.json["message"].startswith("the mask is 0")
    assert "groth16 fullprove" in said.json["next"] and not (room / "proof.json").exists()


def test_inputs_that_do_not_satisfy_the_circuit_make_no_proof(room: Path, cli: Cli) -> None:
    cli("groth16", "setup", "c.r1cs", "c.zkey")
    (room / "input.json").write_text('{"y": "165", "digit": ["10", "6"]}')
    said = cli("groth16", "fullprove", "input.json", "circuit.py:digits", "c.zkey", "proof.json", "public.json")
    assert said.code == 1 and not (room / "proof.json").exists()
