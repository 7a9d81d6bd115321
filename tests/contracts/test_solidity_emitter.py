import dataclasses
import json
import subprocess

import pytest
from eth_hash.auto import keccak
from repository import REPOSITORY
from trapdoor import Trapdoor

from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.l1.contracts import DEPLOYMENT_PROXY, create2_address, verifier_init_code
from aitbc_rollup.rollup.l1.signer import development_signer
from aitbc_rollup.verifier.formats import proof_to_calldata
from aitbc_rollup.verifier.solidity import emit_verifier, verifying_key_blob

SOLC = REPOSITORY / "contracts" / "tools" / "solc.js"


def compiled(source: str, name: str) -> dict:
    settings = {
        "evmVersion": "cancun",
        "optimizer": {"enabled": True, "runs": 1_000_000},
        "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
    }
    request = {"language": "Solidity", "sources": {"v.sol": {"content": source}}, "settings": settings}
    run = subprocess.run(
        ["node", SOLC, "--standard-json"], input=json.dumps(request), capture_output=True, text=True, check=True
    )
    output = json.loads(run.stdout)
    assert output.get("errors", []) == []
    return output["contracts"]["v.sol"][name]


def deployed(client, init_code: bytes) -> str:
    client.send(development_signer(), DEPLOYMENT_PROXY, bytes(32) + init_code)
    return create2_address(bytes(32), init_code)


@pytest.fixture(scope="module", params=[1, 4, 9])
def world(request):
    """The emitted verifier and the one the rollup uses, of the same key, on one chain."""
    trapdoor = Trapdoor(name=f"emitter {request.param}", inputs=request.param, development=request.param != 4)
    code = compiled(emit_verifier(trapdoor.key, "Emitted"), "Emitted")
    client = connect()
    addresses = (
        deployed(client, bytes.fromhex(code["evm"]["bytecode"]["object"])),
        deployed(client, verifier_init_code(trapdoor.key)),
    )
    return client, trapdoor, [client.contract(address, code["abi"]) for address in addresses]


@pytest.mark.node
def test_it_says_what_its_key_is(world):
    client, trapdoor, contracts = world
    for contract in contracts:
        assert client.call(contract.functions.inputCount()) == trapdoor.inputs
        assert client.call(contract.functions.isDevelopment()) == trapdoor.development
        assert client.call(contract.functions.keyHash()) == keccak(verifying_key_blob(trapdoor.key))


@pytest.mark.node
def test_it_answers_as_the_rollups_verifier(world):
    client, trapdoor, contracts = world
    inputs = [R - 1 - i for i in range(trapdoor.inputs)]
    proof = proof_to_calldata(trapdoor.prove(inputs))

    def outcome(contract, proof, inputs):
        try:
            client.call(contract.functions.verify(proof, inputs))
        except L1Error as error:
            return error.message.split(":")[0], error.expected, error.got
        return "returns"

    def both(proof, inputs):
        first, second = (outcome(contract, proof, inputs) for contract in contracts)
        assert first == second
        return first

    assert both(proof, inputs) == "returns"
    for i in range(8):
        changed = [*proof]
        changed[i] = (changed[i] + 1) % P
        assert both(changed, inputs)[0] == "ProofMalformed"
        changed[i] = proof[i] + P
        assert both(changed, inputs)[0] == "ProofMalformed"
    for i in range(trapdoor.inputs):
        changed = [*inputs]
        changed[i] -= 1
        assert both(proof, changed)[0] == "ProofInvalid"
        changed[i] = inputs[i] + R
        assert both(proof, changed) == ("InputNotInField", None, f"index {i}")
    for count in (0, trapdoor.inputs - 1, trapdoor.inputs + 1):
        assert both(proof, [1] * count) == ("WrongInputCount", str(trapdoor.inputs), str(count))
    assert both([0] * 8, inputs)[0] == "ProofInvalid"
    assert both(proof_to_calldata(Trapdoor("other", trapdoor.inputs).prove(inputs)), inputs)[0] == "ProofInvalid"


@pytest.mark.node
def test_its_gas_is_that_of_its_kind(world):
    """A verification of n inputs costs about 6,700 gas for each beside the pairing's 181,000."""
    client, trapdoor, contracts = world
    inputs = [R - 1 - i for i in range(trapdoor.inputs)]
    proof = proof_to_calldata(trapdoor.prove(inputs))
    for contract in contracts:
        call = {"to": contract.address, "data": contract.encode_abi("verify", args=[proof, inputs])}
        receipt = client.send(development_signer(), contract.address, bytes.fromhex(call["data"][2:]))
        execution = receipt.gas_used - 21_000 - sum(16 if b else 4 for b in bytes.fromhex(call["data"][2:]))
        assert 0 < execution - 181_000 - 6_150 * trapdoor.inputs - 500 * trapdoor.inputs < 2_500


def test_a_bad_key_is_not_emitted():
    key = Trapdoor().key
    with pytest.raises(BadInputError, match="unusable verifying key"):
        emit_verifier(dataclasses.replace(key, delta_g2=key.gamma_g2))


@pytest.mark.parametrize("name", ["", "1st", "lower", "A B", "A{} contract B", "É", "A" * 65, "A\n"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(BadInputError, match="not a contract's name"):
        emit_verifier(Trapdoor().key, name)


def test_the_blob_is_what_the_contract_reads():
    key = Trapdoor().key
    blob = verifying_key_blob(key)
    assert len(blob) == 32 * (15 + 2 * 5)
    assert int.from_bytes(blob[:32], "big") == 1
    assert int.from_bytes(verifying_key_blob(dataclasses.replace(key, development=False))[:32], "big") == 0
    assert int.from_bytes(blob[32:64], "big") == key.alpha_g1[0]
    assert int.from_bytes(blob[96:128], "big") == key.beta_g2[0][1]  # the imaginary part first
