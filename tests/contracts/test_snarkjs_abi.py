"""The emitted verifier's ``verifyProof`` beside the verifier that snarkjs itself exports, on proofs of snarkjs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from eth_hash.auto import keccak
from snarkjs import Snarkjs
from solidity import compiled, create
from web3.exceptions import ContractLogicError

from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.rollup.l1.client import L1Client, connect
from aitbc_rollup.verifier.formats import verification_key_from_json
from aitbc_rollup.verifier.solidity import emit_verifier

pytestmark = pytest.mark.node


CHANGES: dict[str, Callable[[int], int]] = {
    "one more": lambda word: word + 1,
    "plus p": lambda word: word + P,
    "negated": lambda word: P - word,
    "zero": lambda word: 0,
    "most": lambda word: 2**256 - 1,
}


class Proof(NamedTuple):
    """What snarkjs's ``verifyProof`` is called with."""

    a: list[int]
    b: list[list[int]]
    c: list[int]
    public: list[int]

    def with_word(self, index: int, change: Callable[[int], int]) -> Proof:
        """The same with one word changed, counted from A's x to the last public input."""
        words = [*self.a, *self.b[0], *self.b[1], *self.c, *self.public]
        words[index] = change(words[index])
        return Proof(words[:2], [words[2:4], words[4:6]], words[6:8], words[8:])


class World(NamedTuple):
    client: L1Client
    ours: Any
    theirs: Any
    proof: Proof

    def answers(self, proof: Proof) -> tuple[bool, bool]:
        """Ours, then theirs."""
        functions = (contract.functions.verifyProof(*proof) for contract in (self.ours, self.theirs))
        return tuple(self.client.call(function) for function in functions)


def _numbers(value: Any) -> Any:
    """Lists of hexadecimal strings, as they nest, as integers."""
    return [_numbers(part) for part in value] if isinstance(value, list) else int(value, 16)


@pytest.fixture(scope="module")
def world(node_bin: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> World:
    """One key of snarkjs's, the two contracts, and a proof that snarkjs made and laid out for a call."""
    snarkjs = Snarkjs(node_bin("snarkjs"), tmp_path_factory.mktemp("snarkjs"))
    circuit = Circuit("two inputs")
    x, z = circuit.private_input("x"), circuit.public_input("z")
    circuit.public_output("y", x * x * z)
    system = circuit.compile()
    snarkjs.write("c", system.r1cs, system.witness({"x": 3, "z": 5}))
    snarkjs.make_key("c")
    snarkjs("zkey", "export", "verificationkey", "c.zkey", "vk.json")
    snarkjs("zkey", "export", "solidityverifier", "c.zkey", "theirs.sol")
    snarkjs("groth16", "prove", "c.zkey", "c.wtns", "proof.json", "public.json")
    said = snarkjs("zkey", "export", "soliditycalldata", "public.json", "proof.json")
    proof = Proof(*_numbers(json.loads(f"[{said}]")))
    key = verification_key_from_json(json.loads((snarkjs.room / "vk.json").read_text()))
    client = connect()
    ours = create(client, compiled(emit_verifier(key), "Verifier"))
    theirs = create(client, compiled((snarkjs.room / "theirs.sol").read_text(), "Groth16Verifier"))
    return World(client, ours, theirs, proof)


def test_the_functions_are_the_same(world: World) -> None:
    ours, theirs = (contract.encode_abi("verifyProof", args=world.proof) for contract in (world.ours, world.theirs))
    assert ours == theirs


def test_a_proof_that_holds(world: World) -> None:
    assert world.proof.public == [45, 5]
    assert world.answers(world.proof) == (True, True)


@pytest.mark.parametrize("word", range(10))
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_with_one_word_changed_it_does_not_hold(world: World, word: int, change: Callable[[int], int]) -> None:
    """Wrong values, points off their curves, coordinates and inputs that are not canonical."""
    assert world.answers(world.proof.with_word(word, change)) == (False, False)


@pytest.mark.parametrize("word", [8, 9])
def test_an_input_stands_for_one_value(world: World, word: int) -> None:
    assert world.answers(world.proof.with_word(word, lambda w: w + R)) == (False, False)


def test_points_at_infinity_do_not_hold(world: World) -> None:
    assert world.answers(Proof([0, 0], [[0, 0], [0, 0]], [0, 0], world.proof.public)) == (False, False)


def test_too_little_gas_is_no_answer(world: World) -> None:
    """With gas enough for a call and not for the pairing theirs answers false, and ours does not answer."""
    call = {"data": world.ours.encode_abi("verifyProof", args=world.proof), "gas": 100_000}
    theirs = world.client.web3.eth.call({"to": world.theirs.address, **call})
    assert int.from_bytes(theirs, "big") == 0
    with pytest.raises(ContractLogicError) as caught:
        world.client.web3.eth.call({"to": world.ours.address, **call})
    assert caught.value.data == "0x" + keccak(b"NotEnoughGas()")[:4].hex()


def test_estimated_gas_verifies(world: World) -> None:
    call = {"to": world.ours.address, "data": world.ours.encode_abi("verifyProof", args=world.proof)}
    gas = world.client.web3.eth.estimate_gas(call)
    assert int.from_bytes(world.client.web3.eth.call({**call, "gas": gas}), "big") == 1
