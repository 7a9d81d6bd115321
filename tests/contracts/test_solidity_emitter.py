import dataclasses

import pytest
from eth_hash.auto import keccak
from solidity import compiled, create, created
from trapdoor import Trapdoor
from web3.exceptions import ContractLogicError

from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.rollup.l1.artifacts import verifier_init_code
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.l1.signer import development_signer
from aitbc_rollup.verifier.formats import proof_to_calldata
from aitbc_rollup.verifier.solidity import emit_verifier, verifying_key_blob


@pytest.fixture(scope="module", params=[0, 1, 4, 9, "keccak 0", "keccak 4"])
def world(request):
    """The emitted verifier and the one the rollup uses, of the same key, on one chain."""
    kind, _, inputs = str(request.param).rpartition(" ")
    development = request.param not in (4, "keccak 4")
    return make_world(Trapdoor(f"emitter {request.param}", int(inputs), development=development, hash=kind or None))


def make_world(trapdoor: Trapdoor):
    client = connect()
    emitted = create(client, compiled(emit_verifier(trapdoor.key, "Emitted"), "Emitted"))
    ours = client.contract(created(client, verifier_init_code(trapdoor.key)), emitted.abi)
    return client, trapdoor, [emitted, ours]


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
    for i in range(len(proof)):
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
    for count in {0, trapdoor.inputs + 1, abs(trapdoor.inputs - 1)} - {trapdoor.inputs}:
        assert both(proof, [1] * count) == ("WrongInputCount", str(trapdoor.inputs), str(count))
    for count in {0, 7, 8, 11, 12, 13} - {len(proof)}:
        assert both([1] * count, inputs) == ("WrongProofLength", str(len(proof)), str(count))
    other = Trapdoor("other", trapdoor.inputs, hash=trapdoor.hash).prove(inputs)
    assert both(proof_to_calldata(other), inputs)[0] == "ProofInvalid"
    if trapdoor.hash is None:
        assert both([0] * 8, inputs)[0] == "ProofInvalid"
        return
    assert both([0] * 12, inputs)[0] == "ProofMalformed"
    assert both([*proof[:8], 0, 0, 0, 0], inputs)[0] == "ProofMalformed"
    assert both([*proof[:10], 0, 0], inputs)[0] == "ProofInvalid"
    assert both([*proof[:8], *proof[10:], *proof[8:10]], inputs)[0] == "ProofInvalid"
    assert both([*proof[:11], P - proof[11]], inputs)[0] == "ProofInvalid"
    assert both(proof_to_calldata(trapdoor.prove(inputs, challenge=5)), inputs)[0] == "ProofInvalid"
    assert both(proof_to_calldata(trapdoor.prove(inputs, sigma=5)), inputs)[0] == "ProofInvalid"


@pytest.mark.node
def test_a_challenge_is_drawn_from_more_inputs_than_the_pairs_take_memory():
    """Where they are hashed, the pairs are put together later: 40 inputs reach beyond them."""
    client, trapdoor, contracts = make_world(Trapdoor("emitter of many inputs", 40, hash="keccak"))
    inputs = [R - 1 - i for i in range(40)]
    proof = proof_to_calldata(trapdoor.prove(inputs))
    for contract in contracts:
        client.call(contract.functions.verify(proof, inputs))
        with pytest.raises(L1Error, match="ProofInvalid"):
            client.call(contract.functions.verify(proof, [*inputs[:39], 0]))


@pytest.mark.node
def test_its_gas_is_that_of_its_kind(world):
    """About 6,700 gas for each input beside the pairing's 181,000, and 54,000 for a commitment."""
    client, trapdoor, contracts = world
    inputs = [R - 1 - i for i in range(trapdoor.inputs)]
    proof = proof_to_calldata(trapdoor.prove(inputs))
    for contract in contracts:
        call = {"to": contract.address, "data": contract.encode_abi("verify", args=[proof, inputs])}
        receipt = client.send(development_signer(), contract.address, bytes.fromhex(call["data"][2:]))
        execution = receipt.gas_used - 21_000 - sum(16 if b else 4 for b in bytes.fromhex(call["data"][2:]))
        commitment = 34_000 + 3 * 6_150 + 150 if trapdoor.hash else 0
        assert 0 < execution - 181_000 - commitment - 6_150 * trapdoor.inputs - 500 * trapdoor.inputs < 6_000


@pytest.mark.node
def test_too_little_gas_is_told_from_a_bad_proof(world):
    """A good proof is never called malformed: the call runs out, or says that too little is left, or returns."""
    client, trapdoor, (emitted, _) = world
    inputs = [R - 1 - i for i in range(trapdoor.inputs)]
    proof = proof_to_calldata(trapdoor.prove(inputs))
    call = {"to": emitted.address, "data": emitted.encode_abi("verify", args=[proof, inputs])}
    outcomes = []
    for gas in range(50_000, 400_000, 10_000):
        try:
            client.web3.eth.call({**call, "gas": gas})
            outcomes.append("returns")
        except ContractLogicError as error:
            outcomes.append(error.data)
    short = "0x" + keccak(b"NotEnoughGas()")[:4].hex()
    assert set(outcomes) <= {"0x", short, "returns"} and short in outcomes
    first = outcomes.index("returns")
    assert set(outcomes[first:]) == {"returns"} and 50_000 + 10_000 * first > 181_000


@pytest.mark.parametrize(("inputs", "hash"), [(0, None), (0, "keccak"), (4, "keccak")])
def test_snarkjs_abi_is_left_out_where_it_does_not_fit(inputs, hash):
    assert "verifyProof" not in emit_verifier(Trapdoor("no snarkjs", inputs, hash=hash).key)


def test_a_key_whose_challenge_is_poseidons_is_for_no_contract():
    key = Trapdoor("poseidon", hash="poseidon").key
    for function in (emit_verifier, verifying_key_blob):
        with pytest.raises(BadInputError, match="no contract draws this key's challenge"):
            function(key)


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
    committed = Trapdoor("commitment", hash="keccak").key
    blob = verifying_key_blob(committed)
    assert len(blob) == 32 * (19 + 2 * 6)
    assert int.from_bytes(blob[:32], "big") == 3
    assert int.from_bytes(blob[32 * 15 : 32 * 16], "big") == committed.commitment.kappa_g2[0][1]
