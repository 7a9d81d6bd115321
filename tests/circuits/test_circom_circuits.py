"""circom's circuits end to end: compiled, their witness calculated, proven here, verified here, by snarkjs and, where
``AITBC_RAPIDSNARK`` names a folder with its programs, by rapidsnark; and theirs by us.

circom2, circomlib and snarkjs at the versions pinned in tests/node/package.json.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from snarkjs import Snarkjs

from aitbc_rollup.algebra import eddsa
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.check import assert_satisfied
from aitbc_rollup.circuits.circom.calculator import WitnessCalculator
from aitbc_rollup.circuits.circom.compiler import Compilation
from aitbc_rollup.circuits.formats.r1cs import read_r1cs
from aitbc_rollup.circuits.formats.wtns import read_wtns, write_wtns
from aitbc_rollup.errors import InvalidError
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.formats import zkey
from aitbc_rollup.prover.groth16 import prove, public_inputs
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup
from aitbc_rollup.verifier import formats
from aitbc_rollup.verifier.groth16 import verify

pytestmark = pytest.mark.node
CPU = load_engine("cpu")
RAPIDSNARK = os.environ.get("AITBC_RAPIDSNARK")


class Case(NamedTuple):
    """Inputs of a circuit, and the public values that must come out."""

    inputs: dict[str, Any]
    public: list[int]


def poseidon_chain() -> Case:
    value = 7
    for i in range(8):
        value = poseidon([value, i])
    return Case({"start": "0x7"}, [value])


def eddsa_signature() -> Case:
    key, message = bytes(range(32)), 1234567
    (ax, ay), signature = eddsa.public_key(key), eddsa.sign(key, message)
    parts = {"Ax": ax, "Ay": ay, "R8x": signature.r8[0], "R8y": signature.r8[1], "S": signature.s, "M": message}
    return Case({"enabled": 1} | {name: str(value) for name, value in parts.items()}, [ax, ay, message])


def merkle_path() -> Case:
    siblings, sides = [str(100 + i) for i in range(8)], [1, 0, 0, 1, 1, 0, 1, 0]
    node = 42
    for sibling, side in zip(map(int, siblings), sides, strict=True):
        node = poseidon([sibling, node] if side else [node, sibling])
    return Case({"leaf": 42, "sibling": siblings, "side": sides}, [node])


def sha256() -> Case:
    message = bytes(range(64))
    return Case({"in": bits(message)}, bits(hashlib.sha256(message).digest()))


def bits(data: bytes) -> list[int]:
    return [byte >> i & 1 for byte in data for i in reversed(range(8))]


CASES = {"poseidon_chain": poseidon_chain, "eddsa": eddsa_signature, "merkle": merkle_path, "sha256": sha256}


class Proven(NamedTuple):
    """A circuit's files, its witness and our key; our proof lies in ``room`` as snarkjs names the files."""

    files: Compilation
    witness: Limbs
    key: ProvingKey
    room: Path


@pytest.fixture(scope="module")
def proven(circom: Callable[[str], Compilation], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Proven]:
    @cache
    def make(name: str) -> Proven:
        files = circom(name)
        witness = WitnessCalculator.load(files.wasm).calculate(CASES[name]().inputs)
        system = read_r1cs(files.r1cs)
        assert_satisfied(system, witness)
        key = setup(system, engine=CPU)
        room = tmp_path_factory.mktemp(name)
        write_proof(room, key, witness)
        return Proven(files, witness, key, room)

    return make


def write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document))


def write_proof(room: Path, key: ProvingKey, witness: Limbs) -> None:
    write_json(room / "vk.json", formats.verification_key_to_json(key.verifying_key))
    write_json(room / "public.json", formats.public_to_json(public_inputs(key, witness)))
    write_json(room / "proof.json", formats.proof_to_json(prove(key, witness, engine=CPU)))


def is_valid(key: ProvingKey, public: Path, proof: Path) -> bool:
    inputs = formats.public_from_json(json.loads(public.read_text()))
    return verify(key.verifying_key, inputs, formats.proof_from_json(json.loads(proof.read_text())))


@pytest.mark.parametrize("name", CASES)
def test_circuits_of_circomlib(name: str, proven: Callable[[str], Proven], node_bin: Callable[[str], str]) -> None:
    """The public values are those that Python computes; we accept the proof, and so does snarkjs."""
    found = proven(name)
    assert public_inputs(found.key, found.witness) == CASES[name]().public
    assert is_valid(found.key, found.room / "public.json", found.room / "proof.json")
    snarkjs = Snarkjs(node_bin("snarkjs"), found.room)
    assert "OK!" in snarkjs("groth16", "verify", "vk.json", "public.json", "proof.json")


@pytest.mark.parametrize("name", CASES)
def test_snarkjs_calculates_the_same_witness(
    name: str, circom: Callable[[str], Compilation], node_bin: Callable[[str], str], tmp_path: Path
) -> None:
    write_json(tmp_path / "input.json", CASES[name]().inputs)
    Snarkjs(node_bin("snarkjs"), tmp_path)("wtns", "calculate", str(circom(name).wasm), "input.json", "theirs.wtns")
    ours = WitnessCalculator.load(circom(name).wasm).calculate(CASES[name]().inputs)
    assert np.array_equal(read_wtns(tmp_path / "theirs.wtns"), ours)


@pytest.mark.parametrize("field", ["M", "S", "R8x", "Ax"])
def test_a_signature_that_does_not_verify_has_no_witness(field: str, circom: Callable[[str], Compilation]) -> None:
    inputs = eddsa_signature().inputs
    inputs[field] = int(inputs[field]) + 1
    with pytest.raises(InvalidError, match="an assertion of the circuit fails") as caught:
        WitnessCalculator.load(circom("eddsa").wasm).calculate(inputs)
    assert "Error in template" in str(caught.value.got)


# -- keys and witnesses that snarkjs made -----------------------------------------------------------------------

PRODUCT = {"a": 250, "b": "0x1ff"}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("product")


@pytest.fixture(scope="module")
def snarkjs(node_bin: Callable[[str], str], room: Path) -> Snarkjs:
    return Snarkjs(node_bin("snarkjs"), room)


@pytest.fixture(scope="module")
def their_key(circom: Callable[[str], Compilation], snarkjs: Snarkjs, room: Path) -> ProvingKey:
    """A ceremony of snarkjs over a circuit of circom, and the witness that snarkjs calculates."""
    files = circom("product")
    (room / "circuit.r1cs").write_bytes(files.r1cs.read_bytes())
    write_json(room / "input.json", PRODUCT)
    snarkjs("wtns", "calculate", str(files.wasm), "input.json", "circuit.wtns")
    return zkey.read(snarkjs.make_key("circuit"))


def test_we_prove_with_snarkjs_key_and_witness(their_key: ProvingKey, snarkjs: Snarkjs, room: Path) -> None:
    assert not their_key.verifying_key.development
    snarkjs("zkey", "export", "verificationkey", "circuit.zkey", "their_vk.json")
    write_proof(room, their_key, read_wtns(room / "circuit.wtns"))
    assert json.loads((room / "public.json").read_text()) == [str(250 * 0x1FF), "250"]
    assert "OK!" in snarkjs("groth16", "verify", "their_vk.json", "public.json", "proof.json")


def test_snarkjs_witness_file_is_ours_byte_for_byte(
    their_key: ProvingKey, circom: Callable[[str], Compilation], room: Path
) -> None:
    write_wtns(room / "ours.wtns", WitnessCalculator.load(circom("product").wasm).calculate(PRODUCT))
    assert (room / "ours.wtns").read_bytes() == (room / "circuit.wtns").read_bytes()


def test_we_verify_snarkjs_proof(their_key: ProvingKey, snarkjs: Snarkjs, room: Path) -> None:
    snarkjs("groth16", "prove", "circuit.zkey", "circuit.wtns", "theirs.json", "theirs_public.json")
    assert is_valid(their_key, room / "theirs_public.json", room / "theirs.json")
    public = json.loads((room / "theirs_public.json").read_text())
    write_json(room / "other_public.json", [str((int(public[0]) + 1) % R), *public[1:]])
    assert not is_valid(their_key, room / "other_public.json", room / "theirs.json")


# -- rapidsnark -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not RAPIDSNARK, reason="AITBC_RAPIDSNARK names no folder with rapidsnark's prover and verifier")
@pytest.mark.parametrize("name", CASES)
def test_rapidsnark_and_we_accept_each_other(name: str, proven: Callable[[str], Proven]) -> None:
    found = proven(name)

    def rapidsnark(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(str(RAPIDSNARK)) / program), *arguments]
        return subprocess.run(command, cwd=found.room, capture_output=True, text=True, timeout=120, check=False)

    said = rapidsnark("verifier", "vk.json", "public.json", "proof.json")
    assert said.returncode == 0, said.stdout + said.stderr
    zkey.write(found.room / "c.zkey", found.key)
    write_wtns(found.room / "w.wtns", found.witness)
    said = rapidsnark("prover", "c.zkey", "w.wtns", "theirs.json", "theirs_public.json")
    assert said.returncode == 0, said.stdout + said.stderr
    assert is_valid(found.key, found.room / "theirs_public.json", found.room / "theirs.json")
    public = json.loads((found.room / "public.json").read_text())
    write_json(found.room / "other.json", [str((int(public[0]) + 1) % R), *public[1:]])
    assert rapidsnark("verifier", "vk.json", "other.json", "proof.json").returncode != 0
