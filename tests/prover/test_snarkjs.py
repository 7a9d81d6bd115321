"""snarkjs proves with our keys, we prove with snarkjs's, and each verifies the other's proofs.

snarkjs at the version pinned in tests/node/package.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from snarkjs import Snarkjs

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.formats import zkey
from aitbc_rollup.prover.groth16 import prove, public_inputs
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup
from aitbc_rollup.verifier import formats
from aitbc_rollup.verifier.groth16 import verify

pytestmark = pytest.mark.node
System = tuple[R1CS, Limbs]
CPU = load_engine("cpu")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("snarkjs")


@pytest.fixture(scope="module")
def snarkjs(node_bin: Callable[[str], str], room: Path) -> Snarkjs:
    return Snarkjs(node_bin("snarkjs"), room)


@pytest.fixture(scope="module")
def system(make_chain: Callable[[int], System], snarkjs: Snarkjs) -> System:
    """A system and its witness, also as files for snarkjs."""
    r1cs, witness = make_chain(20)
    snarkjs.write("circuit", r1cs, witness)
    return r1cs, witness


@pytest.fixture(scope="module")
def our_key(system: System, room: Path) -> ProvingKey:
    key = setup(system[0], engine=CPU)
    zkey.write(room / "ours.zkey", key)
    return key


@pytest.fixture(scope="module")
def their_key(system: System, snarkjs: Snarkjs) -> ProvingKey:
    return zkey.read(snarkjs.make_key("circuit"))


def write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document))


def write_proof(room: Path, key: ProvingKey, witness: Limbs) -> None:
    write_json(room / "vk.json", formats.verification_key_to_json(key.verifying_key))
    write_json(room / "public.json", formats.public_to_json(public_inputs(key, witness)))
    write_json(room / "proof.json", formats.proof_to_json(prove(key, witness, engine=CPU)))


def test_snarkjs_verifies_our_proof_and_no_altered_one(
    system: System, our_key: ProvingKey, snarkjs: Snarkjs, room: Path
) -> None:
    write_proof(room, our_key, system[1])
    assert "OK!" in snarkjs("groth16", "verify", "vk.json", "public.json", "proof.json")
    public = public_inputs(our_key, system[1])
    write_json(room / "other.json", formats.public_to_json([public[0] + 1, *public[1:]]))
    assert "Invalid proof" in snarkjs("groth16", "verify", "vk.json", "other.json", "proof.json", fails=True)


def test_snarkjs_proves_with_our_key(system: System, our_key: ProvingKey, snarkjs: Snarkjs, room: Path) -> None:
    snarkjs("groth16", "prove", "ours.zkey", "circuit.wtns", "theirs.json", "theirs_public.json")
    proof = formats.proof_from_json(json.loads((room / "theirs.json").read_text()))
    public = formats.public_from_json(json.loads((room / "theirs_public.json").read_text()))
    assert public == public_inputs(our_key, system[1])
    assert verify(our_key.verifying_key, public, proof)


def test_both_export_the_same_verifying_key(our_key: ProvingKey, snarkjs: Snarkjs, room: Path) -> None:
    snarkjs("zkey", "export", "verificationkey", "ours.zkey", "exported.json")
    exported = json.loads((room / "exported.json").read_text())
    ours = formats.verification_key_to_json(our_key.verifying_key)
    for name in ("vk_alpha_1", "vk_beta_2", "vk_gamma_2", "vk_delta_2", "IC", "nPublic"):
        assert exported[name] == ours[name], name


def test_we_prove_with_a_key_of_snarkjs(system: System, their_key: ProvingKey, snarkjs: Snarkjs, room: Path) -> None:
    assert not their_key.verifying_key.development
    write_proof(room, their_key, system[1])
    assert "OK!" in snarkjs("groth16", "verify", "vk.json", "public.json", "proof.json")


def test_a_key_of_snarkjs_is_rewritten_byte_for_byte(their_key: ProvingKey, room: Path) -> None:
    zkey.write(room / "again.zkey", their_key)
    assert (room / "again.zkey").read_bytes() == (room / "circuit.zkey").read_bytes()


def test_a_fresh_key_of_snarkjs_is_refused(their_key: ProvingKey, room: Path) -> None:
    """Before the first contribution δ = γ, and anybody forges."""
    with pytest.raises(BadInputError, match="unusable verifying key, delta_g2") as caught:
        zkey.read(room / "circuit_fresh.zkey")
    assert "zkey contribute" in str(caught.value.hint)


def test_snarkjs_contributes_to_our_key(system: System, our_key: ProvingKey, snarkjs: Snarkjs, room: Path) -> None:
    snarkjs("zkey", "contribute", "ours.zkey", "more.zkey", "--name=three", "-e=test")
    key = zkey.read(room / "more.zkey")
    assert key.verifying_key.delta_g2 != our_key.verifying_key.delta_g2
    proof = prove(key, system[1], engine=CPU)
    assert verify(key.verifying_key, public_inputs(key, system[1]), proof)
