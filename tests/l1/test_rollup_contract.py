"""The same tests over the embedded chain and over anvil."""

import dataclasses
import time

import pytest
from l1_world import GENESIS_ROOT, PAYOUT, TRAPDOOR, commitment, make_world, proof_for
from trapdoor import Trapdoor

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.rollup.binding import Binding, to_data
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.l1.contracts import artifact, check_deployed, deploy
from aitbc_rollup.rollup.l1.signer import load_signer
from aitbc_rollup.verifier.formats import proof_to_calldata

C = commitment(1)


@pytest.fixture(scope="module", params=["embedded", pytest.param("anvil", marks=pytest.mark.node)])
def client(request):
    return connect() if request.param == "embedded" else connect(request.getfixturevalue("anvil"))


@pytest.fixture
def world(client, request):
    return make_world(client, request.node.nodeid)


def refusal(name):
    return pytest.raises(L1Error, match=rf"\b{name}: ")


def test_a_batch_made_since_the_last_block_is_taken_by_an_idle_chain(world):
    """Nobody mines between a batch's seal and its commit: the last block is older than the batch's L1 time."""
    while int(time.time()) <= world.client.time():
        time.sleep(0.1)
    now = int(time.time())
    assert world.client.time() < now
    assert not world.rollup.commit(world.signer, world.data(l1_time=now), C).already
    later = now + 3600
    with refusal("L1TimeInFuture"):
        world.rollup.commit(world.signer, world.data(2, l1_time=later), C)


# -- deployment -----------------------------------------------------------------------------------------------------


def test_deployed_where_it_was_computed_and_only_once(client):
    world = make_world(client, "once", deploy_now=False)
    with pytest.raises(L1Error, match="there is no contract"):
        world.rollup.status()
    with pytest.raises(L1Error, match="the verifier is not deployed"):
        check_deployed(client, world.deployment)
    assert len(deploy(client, world.signer, world.deployment)) == 2
    assert deploy(client, world.signer, world.deployment) == []
    status = world.rollup.status()
    assert (status.committed, status.proven, status.finalized) == (0, 0, 0)
    assert status.state_root == status.proven_root == status.committed_root == GENESIS_ROOT
    verifier = client.contract(world.deployment.verifier, artifact("Groth16Verifier")["abi"])
    assert client.call(verifier.functions.isDevelopment()) is True
    assert client.call(verifier.functions.inputCount()) == 4


def test_every_argument_changes_the_rollups_address(client):
    deployment = make_world(client, "addresses", deploy_now=False).deployment
    others = [
        dataclasses.replace(deployment, **change)
        for change in (
            {"verifying_key": Trapdoor("other").key},
            {"genesis_root": 8},
            {"shard": 4},
            {"operator": PAYOUT},
            {"max_age": 1},
            {"development_chain_ids": (1,)},
            {"salt": b"\1" * 32},
        )
    ]
    assert len({deployment.rollup, *(other.rollup for other in others)}) == len(others) + 1
    assert others[0].verifier != deployment.verifier
    assert others[1].verifier == deployment.verifier


def test_development_key_is_refused_off_listed_chains(client):
    world = make_world(client, "unlisted", deploy_now=False, development_chain_ids=(1, 5))
    with refusal("DevelopmentKeyRefused"):
        deploy(client, world.signer, world.deployment)


def test_a_key_that_lets_anyone_forge_is_refused_before_anything_is_sent(client):
    key = dataclasses.replace(TRAPDOOR.key, delta_g2=TRAPDOOR.key.gamma_g2)
    world = make_world(client, "forge", deploy_now=False, verifying_key=key)
    with pytest.raises(BadInputError, match="unusable verifying key"):
        deploy(client, world.signer, world.deployment)


# -- the way of a batch ---------------------------------------------------------------------------------------------


def test_from_commit_to_final(world):
    data = world.data()
    committed = world.rollup.commit(world.signer, data, C)
    assert not committed.already and committed.gas_used > 100_000
    assert world.rollup.status().committed_root == GENESIS_ROOT + 1
    proven = world.rollup.prove(world.signer, 1, Binding.of(C, data), PAYOUT, proof_for(data, C))
    assert not proven.already and proven.gas_used > 200_000
    assert world.rollup.status().state_root == GENESIS_ROOT
    final = world.rollup.finalize(world.signer, 1)
    assert not final.already
    status = world.rollup.status()
    assert (status.committed, status.proven, status.finalized, status.state_root) == (1, 1, 1, GENESIS_ROOT + 1)


def test_steps_done_already_are_found_not_repeated(world):
    data = world.data()
    proof = proof_for(data, C)
    steps = [
        lambda: world.rollup.commit(world.signer, data, C),
        lambda: world.rollup.prove(world.signer, 1, Binding.of(C, data), PAYOUT, proof),
        lambda: world.rollup.finalize(world.signer, 1),
    ]
    first = [step() for step in steps]
    nonce = world.client.web3.eth.get_transaction_count(world.signer.address)
    again = [step() for step in steps]
    assert world.client.web3.eth.get_transaction_count(world.signer.address) == nonce
    assert [step.already for step in again] == [True] * 3
    assert [step.tx_hash for step in again] == [step.tx_hash for step in first]
    assert [step.gas_used for step in again] == [step.gas_used for step in first]


def test_another_batch_of_the_same_number_is_an_error(world):
    data = world.data()
    world.rollup.commit(world.signer, data, C)
    for other, c in ((data, C + 1), (data[:-1] + b"\x00", C)):
        with pytest.raises(L1Error, match="another batch with this number is committed already"):
            world.rollup.commit(world.signer, other, c)
    world.rollup.prove(world.signer, 1, Binding.of(C, data), PAYOUT, proof_for(data, C))
    with pytest.raises(L1Error, match="another batch with this number is committed already"):
        world.rollup.prove(world.signer, 1, Binding.of(C + 1, data), PAYOUT, proof_for(data, C))


def test_commit_and_prove(world):
    data = world.data()
    proof = proof_for(data, C)
    step = world.rollup.commit_and_prove(world.signer, data, C, PAYOUT, proof)
    assert not step.already
    assert world.rollup.status().proven == 1
    assert world.rollup.commit_and_prove(world.signer, data, C, PAYOUT, proof).already


def test_commit_and_prove_goes_on_where_it_was_cut_off(world):
    data = world.data()
    world.rollup.commit(world.signer, data, C)
    step = world.rollup.commit_and_prove(world.signer, data, C, PAYOUT, proof_for(data, C))
    assert not step.already
    assert world.rollup.status().proven == 1


def test_prove_with_data_mends_a_wrong_commitment(world):
    data = world.data()
    world.rollup.commit(world.signer, data, C + 1)
    with refusal("BindingWrong"):
        world.rollup.prove(world.signer, 1, Binding.of(C, data), PAYOUT, proof_for(data, C))
    world.rollup.prove_with_data(world.signer, 1, data, C + 1, C, PAYOUT, proof_for(data, C))
    assert world.rollup.status().proven == 1
    assert world.rollup.prove_with_data(world.signer, 1, data, C + 1, C, PAYOUT, proof_for(data, C)).already


def test_rollback_frees_the_number(world):
    world.rollup.commit(world.signer, world.data(), C)
    world.rollup.commit(world.signer, world.data(2), C)
    world.rollup.rollback(world.signer, 1)
    assert world.rollup.status().committed == 0
    step = world.rollup.commit(world.signer, world.data(new_root=99), C)
    assert world.rollup.batch(1).new_root == 99
    assert world.rollup.commit(world.signer, world.data(new_root=99, l1_time=world.rollup.batch(1).l1_time), C) == (
        dataclasses.replace(step, already=True)
    )


def test_bindings_are_the_contracts_own(world):
    data = world.data()
    world.rollup.commit(world.signer, data, C)
    (log,) = world.client.logs(world.rollup._contract.events.BatchCommitted(), batchNumber=1)
    assert Binding(*(log["args"][name] for name in ("commitment", "zeta", "y"))) == Binding.of(C, data)
    assert world.rollup.batch(1).binding == Binding.of(C, data).digest


# -- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("simulate", [True, False])
def test_one_changed_byte_is_not_proven(world, simulate):
    """The data of the proof with one byte changed: the commit stands, the proof does not, and a rollback mends it."""
    data = world.data()
    altered = bytearray(data)
    altered[13 * 32 + 31] ^= 1
    proof = proof_for(data, C)
    world.rollup.commit(world.signer, bytes(altered), C)
    with pytest.raises(L1Error) as caught:
        world.rollup.prove(world.signer, 1, Binding.of(C, bytes(altered)), PAYOUT, proof, simulate=simulate)
    assert caught.value.message == "ProofInvalid: Well-formed, but the pairing equation does not hold."
    with refusal("BindingWrong"):
        world.rollup.prove(world.signer, 1, Binding.of(C, data), PAYOUT, proof)
    with refusal("NotFinalizable"):
        world.rollup.finalize(world.signer, 1)
    world.rollup.rollback(world.signer, 1)
    world.rollup.commit(world.signer, data, C)
    world.rollup.prove(world.signer, 1, Binding.of(C, data), PAYOUT, proof)


def test_a_copied_proof_pays_its_maker_only(world):
    data = world.data()
    world.rollup.commit(world.signer, data, C)
    thief = "0x00000000000000000000000000000000000000bB"
    with refusal("ProofInvalid"):
        world.rollup.prove(world.signer, 1, Binding.of(C, data), thief, proof_for(data, C))


def test_a_malformed_proof_is_refused(world):
    data = world.data()
    world.rollup.commit(world.signer, data, C)
    proof = proof_for(data, C)
    malformed = dataclasses.replace(proof, c=(proof.c[0], proof.c[1] ^ 1))
    with refusal("ProofMalformed"):
        world.rollup.prove(world.signer, 1, Binding.of(C, data), PAYOUT, malformed)


def test_too_little_gas_proves_nothing(world):
    data = world.data()
    world.rollup.commit(world.signer, data, C)
    *public, _ = Binding.of(C, data).public_inputs(0)
    arguments = [1, *public, PAYOUT, proof_to_calldata(proof_for(data, C))]
    call = bytes.fromhex(world.rollup._contract.encode_abi("prove", args=arguments)[2:])
    with pytest.raises(L1Error, match="the transaction failed in its block"):
        world.client.send(world.signer, world.rollup.address, call, gas=200_000, simulate=False)
    assert world.rollup.status().proven == 0


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"version": 2}, "VersionWrong"),
        ({"chain_id": 1}, "ChainIdWrong"),
        ({"contract": 5}, "ContractWrong"),
        ({"shard": 4}, "ShardWrong"),
        ({"number": 2}, "BatchNumberWrong"),
        ({"counts": 1 << 96 | 1}, "CountsWrong"),
        ({"counts": 2}, "DataLengthWrong"),
        ({"byte_length": 32}, "ByteLengthWrong"),
        ({"mode": 2}, "ModeUnknown"),
        ({"l1_time": 2**40}, "L1TimeInFuture"),
        ({"l1_time": 1_000_000_000}, "L1TimeTooOld"),
        ({"old_root": 8}, "OldRootWrong"),
        ({"new_root": R}, "WordNotInField"),
        ({"queue": 1}, "QueueDigestNotZero"),
        ({"withdrawals": 1}, "WithdrawalsDigestNotZero"),
    ],
)
def test_a_wrong_header_is_refused_by_name(client, change, name):
    world = make_world(client, "headers")
    with refusal(name):
        world.rollup.commit(world.signer, world.data(**change), C)


def test_a_refusal_says_expected_and_got(client):
    world = make_world(client, "headers")
    with pytest.raises(L1Error) as caught:
        world.rollup.commit(world.signer, world.data(old_root=8), C)
    assert caught.value.place == "commit of batch 1"
    assert caught.value.expected == "7"
    assert caught.value.got == "8"
    assert caught.value.message == (
        "OldRootWrong: Header word 8: the old root is not the new root of the batch before."
    )


def test_development_sessions_are_refused_where_not_listed(client):
    trapdoor = Trapdoor(development=False)
    world = make_world(client, "mode", verifying_key=trapdoor.key, development_chain_ids=())
    assert not world.rollup.is_development_allowed()
    with refusal("DevelopmentKeyRefused"):
        world.rollup.commit(world.signer, world.data(), C)
    world.rollup.commit(world.signer, world.data(mode=0), C)


def test_only_the_operator_commits(client):
    world = make_world(client, "operator", operator=PAYOUT)
    with refusal("NotOperator"):
        world.rollup.commit(world.signer, world.data(), C)
    with refusal("NotOperator"):
        world.rollup.rollback(world.signer, 1)


def test_data_that_are_no_batch_are_refused_before_anything_is_sent(world):
    with pytest.raises(BadInputError, match="not whole words"):
        world.rollup.commit(world.signer, world.data() + b"\0", C)
    with pytest.raises(BadInputError, match="no header"):
        world.rollup.commit(world.signer, to_data(world.words()[:12]), C)


def test_order_of_steps(world):
    first, second = world.data(), world.data(2)
    with refusal("BatchUnknown"):
        world.rollup.prove(world.signer, 1, Binding.of(C, first), PAYOUT, proof_for(first, C))
    world.rollup.commit(world.signer, first, C)
    with refusal("BatchesUnproven"):
        world.rollup.commit_and_prove(world.signer, second, C, PAYOUT, proof_for(second, C))
    world.rollup.commit(world.signer, second, C)
    with refusal("BatchNumberWrong"):
        world.rollup.prove(world.signer, 2, Binding.of(C, second), PAYOUT, proof_for(second, C))
    world.rollup.prove(world.signer, 1, Binding.of(C, first), PAYOUT, proof_for(first, C))
    with refusal("NotFinalizable"):
        world.rollup.finalize(world.signer, 2)
    with refusal("NotRevocable"):
        world.rollup.rollback(world.signer, 1)
    with refusal("BatchUnknown"):
        world.rollup.batch(3)


def test_a_signer_without_money_is_refused(client):
    poor = load_signer(private_key="0x" + "22" * 32)
    world = make_world(client, "poor", operator=poor.address)
    with pytest.raises(L1Error, match=r"(?i)funds|afford"):
        world.rollup.commit(poor, world.data(), C)


# -- the two chains -------------------------------------------------------------------------------------------------


@pytest.mark.node
def test_gas_on_the_embedded_chain_is_anvils(anvil):
    """Same addresses, same bytes: every transaction uses the same gas, and the transactions' hashes differ."""

    def gas(client):
        decade = 10 * 365 * 86400
        world = make_world(client, "gas", deploy_now=False, max_age=decade)
        used = [receipt.gas_used for receipt in deploy(client, world.signer, world.deployment)]
        data = world.data(l1_time=1_750_000_000)
        used.append(world.rollup.commit(world.signer, data, C).gas_used)
        used.append(world.rollup.prove(world.signer, 1, Binding.of(C, data), PAYOUT, proof_for(data, C)).gas_used)
        used.append(world.rollup.finalize(world.signer, 1).gas_used)
        return used

    assert gas(connect()) == gas(connect(anvil))
