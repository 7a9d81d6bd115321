"""Batches of protocol version 2 on a chain; the same tests over each chain."""

from __future__ import annotations

import dataclasses
import random
import time
from typing import Any

import pytest
from batch_chain import ALICE, NOBODY, PAYOUT, SHAPE, SHARD, TRAPDOOR, Chain, make_chain, plan_of, proof_for
from trapdoor import Trapdoor

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.rollup.binding import Binding, to_data, to_words
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.l1.contracts import check_deployed, deploy
from aitbc_rollup.rollup.l1.plan import Route, call_data
from aitbc_rollup.rollup.l1.signer import load_signer
from aitbc_rollup.verifier.formats import proof_to_calldata

SECTIONS = {"queue": 1, "registrations": 5, "transfers": 2, "sessions": 3}


@pytest.fixture
def chain(client, request) -> Chain:
    return make_chain(client, request.node.nodeid)


def refusal(name: str) -> Any:
    return pytest.raises(L1Error, match=rf"\b{name}: ")


def counts(queue: int = 0, registrations: int = 0, transfers: int = 0, sessions: int = 0) -> int:
    return queue | registrations << 16 | transfers << 32 | sessions << 48


def words(chain: Chain, number: int = 1, more: tuple[int, ...] = (), **header: int) -> list[int]:
    """A batch's posted words; ``header`` replaces words by name."""
    root = chain.deployment.genesis_root
    named = {
        "version": 2,
        "chain_id": chain.client.chain_id,
        "contract": int(chain.deployment.rollup, 16),
        "shard": SHARD,
        "batch_number": number,
        "counts": 0,
        "mode": 1,
        "l1_time": chain.client.time(),
        "old_root": root if number == 1 else number - 1,
        "new_root": number,
    }
    assert header.keys() <= named.keys()
    return [*(named | header).values(), *more]


def bound(posted: bytes, commitment: int = 5) -> Binding:
    """The binding of a batch without queue items, of a header and nothing else."""
    return Binding.of(to_words(posted, "data"), posted, b"", commitment)


def test_a_batch_made_since_the_last_block_is_taken_by_an_idle_chain(chain: Chain) -> None:
    """Nobody mines between a batch's seal and its commit: the last block is older than the batch's L1 time."""
    while int(time.time()) <= chain.client.time():
        time.sleep(0.1)
    now = int(time.time())
    posted = to_data(words(chain, l1_time=now))
    assert not chain.rollup.commit(chain.signer, chain.posting(posted)).already


# -- the polynomial -------------------------------------------------------------------------------------------------


def sections_used(case: int) -> dict[str, int]:
    if case < 2:
        return {name: getattr(SHAPE, name) * case for name in SECTIONS}
    generator = random.Random(case)
    return {name: generator.randint(0, getattr(SHAPE, name)) for name in SECTIONS}


@pytest.mark.parametrize("case", range(6))
def test_the_contracts_polynomial_is_the_nodes(client, case: int) -> None:
    """ζ and y with sections partly used, none used, all used: the contract skips what Python evaluates as zeros."""
    chain = make_chain(client, f"polynomial {case}")
    used = sections_used(case)
    generator = random.Random(case)
    for n in range(used["queue"]):
        chain.rollup.queue.force_exit(chain.signer, n, generator.randint(1, 2**88 - 1))
    parts = {name: [generator.randrange(R) for _ in range(count * SECTIONS[name])] for name, count in used.items()}
    header = words(chain, counts=counts(**used))
    posted = to_data([*header, *(word for part in parts.values() for word in part)])
    items = [word for _, item in chain.rollup.queue.waiting() for word in item.words]
    names = {"header": header, "queue_items": items, "queue_results": parts.pop("queue")} | parts
    polynomial = []
    for name, section in SHAPE.sections.items():
        polynomial += names[name] + [0] * (section.words - len(names[name]))
    right = Binding.of(polynomial, posted, to_data(items), generator.randrange(R))

    chain.rollup.commit(chain.signer, chain.posting(posted, right))
    (log,) = chain.rollup.bound.logs("BatchCommitted", batchNumber=1)
    assert Binding(*log["args"]["statement"]) == right
    assert chain.rollup.batch(1).binding == right.digest
    assert chain.rollup.posted(1) == posted


# -- deployment -----------------------------------------------------------------------------------------------------


def test_deployed_where_it_was_computed_and_only_once(client) -> None:
    chain = make_chain(client, "only once")
    assert deploy(client, chain.signer, chain.deployment) == []
    check_deployed(client, chain.deployment)
    status = chain.rollup.status()
    assert (status.committed, status.proven, status.finalized, status.queue.queued) == (0, 0, 0, 0)
    assert status.state_root == status.proven_root == status.committed_root == chain.deployment.genesis_root


def test_another_room_is_another_contract() -> None:
    plan = plan_of("rooms")
    for name in SECTIONS:
        shape = dataclasses.replace(SHAPE, **{name: getattr(SHAPE, name) - 1})
        other = dataclasses.replace(plan, routes=(Route.of(TRAPDOOR.key, shape),))
        assert other.rollup != plan.rollup and other.routes[0].selector != plan.routes[0].selector
    assert Route.of(TRAPDOOR.key, dataclasses.replace(SHAPE, pages=9)) == plan.routes[0]


def test_there_is_no_contract(client) -> None:
    plan = make_chain(client, "none").deployment
    elsewhere = type(make_chain(client, "none").rollup)(client, dataclasses.replace(plan, salt=b"\1" * 32).rollup)
    with pytest.raises(L1Error, match="there is no contract"):
        elsewhere.status()


def test_development_sessions_are_refused_where_not_listed(client) -> None:
    trapdoor = Trapdoor(development=False)
    chain = make_chain(client, "not listed", verifying_key=trapdoor.key, development_chain_ids=())
    assert chain.rollup.router.development_chain_id == 0
    posted = to_data(words(chain))
    with refusal("DevelopmentKeyRefused"):
        chain.rollup.commit(chain.signer, chain.posting(posted))
    posted = to_data(words(chain, mode=0))
    chain.rollup.commit(chain.signer, chain.posting(posted))
    with refusal("DevelopmentKeyRefused"):
        make_chain(client, "development key", development_chain_ids=())


# -- steps ----------------------------------------------------------------------------------------------------------


def test_every_step_is_done_once(chain: Chain) -> None:
    chain.rollup.queue.deposit(chain.signer, ALICE, 9)
    batch = chain.batch()
    steps = [
        lambda: chain.rollup.commit(chain.signer, chain.posting(batch)),
        lambda: chain.rollup.prove(chain.signer, 1, batch.binding, PAYOUT, proof_for(batch.binding)),
        lambda: chain.rollup.finalize(chain.signer, 1),
    ]
    first = [step() for step in steps]
    assert [step.already for step in first] == [False] * 3
    nonce = chain.client.web3.eth.get_transaction_count(chain.signer.address)
    again = [step() for step in steps]
    assert chain.client.web3.eth.get_transaction_count(chain.signer.address) == nonce
    assert again == [dataclasses.replace(step, already=True) for step in first]


def test_commit_and_prove(chain: Chain) -> None:
    batch = chain.batch()
    arguments = (chain.signer, chain.posting(batch), PAYOUT, proof_for(batch.binding))
    assert not chain.rollup.commit_and_prove(*arguments).already
    assert chain.rollup.status().proven == 1
    assert chain.rollup.commit_and_prove(*arguments).already


def test_commit_and_prove_goes_on_where_it_was_cut_off(chain: Chain) -> None:
    batch = chain.batch()
    chain.rollup.commit(chain.signer, chain.posting(batch))
    step = chain.rollup.commit_and_prove(chain.signer, chain.posting(batch), PAYOUT, proof_for(batch.binding))
    assert not step.already
    assert chain.rollup.status().proven == 1


def test_another_batch_of_the_same_number_is_an_error(chain: Chain) -> None:
    batch = chain.batch()
    chain.rollup.commit(chain.signer, chain.posting(batch))
    other = dataclasses.replace(batch.binding, commitment=batch.binding.commitment ^ 1)
    with pytest.raises(L1Error, match="another batch with this number is committed already"):
        chain.rollup.commit(chain.signer, chain.posting(batch, other))


def test_prove_with_data_mends_a_wrong_commitment(chain: Chain) -> None:
    chain.rollup.queue.deposit(chain.signer, NOBODY, 9)
    batch = chain.batch()
    data, right = batch.data, batch.binding
    wrong = Binding.of(data.polynomial(SHAPE), data.posted, data.queue_bytes, right.commitment ^ 1)
    chain.rollup.commit(chain.signer, chain.posting(data.posted, wrong))
    with refusal("BindingWrong"):
        chain.rollup.prove(chain.signer, 1, right, PAYOUT, proof_for(right))
    arguments = (chain.signer, data.posted, wrong, right, PAYOUT, proof_for(right))
    assert not chain.rollup.prove_with_data(*arguments).already
    assert chain.rollup.status().proven == 1
    assert chain.rollup.prove_with_data(*arguments).already


@pytest.mark.parametrize("simulate", [True, False])
def test_one_changed_byte_is_not_proven(chain: Chain, simulate: bool) -> None:
    """The data of the proof with one byte changed: the commit stands, the proof does not, and a rollback mends it."""
    chain.rollup.queue.deposit(chain.signer, NOBODY, 9)
    batch = chain.batch()
    data, right = batch.data, batch.binding
    result = dataclasses.replace(data.queue_results[0], amount=8)
    changed = dataclasses.replace(data, queue_results=(result,))
    assert sum(a != b for a, b in zip(data.posted, changed.posted, strict=True)) == 1
    altered = Binding.of(changed.polynomial(SHAPE), changed.posted, changed.queue_bytes, right.commitment)

    chain.rollup.commit(chain.signer, chain.posting(changed.posted, altered))
    with pytest.raises(L1Error) as caught:
        chain.rollup.prove(chain.signer, 1, altered, PAYOUT, proof_for(right), simulate=simulate)
    assert caught.value.message == "ProofInvalid: Well-formed, but the pairing equation does not hold."
    with refusal("BindingWrong"):
        chain.rollup.prove(chain.signer, 1, right, PAYOUT, proof_for(right))
    with refusal("ProofMissing"):
        chain.rollup.finalize(chain.signer, 1)
    chain.rollup.rollback(chain.signer, 1)
    chain.finalize(batch)


def test_a_copied_proof_pays_its_maker_only(chain: Chain) -> None:
    batch = chain.batch()
    chain.rollup.commit(chain.signer, chain.posting(batch))
    thief = "0x00000000000000000000000000000000000000bB"
    with refusal("ProofInvalid"):
        chain.rollup.prove(chain.signer, 1, batch.binding, thief, proof_for(batch.binding))


def test_a_circuit_with_a_commitment(client) -> None:
    """The contract hands twelve words on as it does eight: its inputs are the same four."""
    committed = Trapdoor(hash="keccak")
    chain = make_chain(client, "commitment", verifying_key=committed.key)
    batch = chain.batch()
    proof = committed.prove(batch.binding.public_inputs(int(PAYOUT, 16)))
    chain.rollup.commit(chain.signer, chain.posting(batch))
    with refusal("WrongProofLength"):
        chain.rollup.prove(chain.signer, 1, batch.binding, PAYOUT, proof_for(batch.binding))
    chain.rollup.prove(chain.signer, 1, batch.binding, PAYOUT, proof)
    assert chain.rollup.status().proven == 1


def test_too_little_gas_proves_nothing(chain: Chain) -> None:
    batch = chain.batch()
    chain.rollup.commit(chain.signer, chain.posting(batch))
    arguments = [1, batch.binding.statement, PAYOUT, proof_to_calldata(proof_for(batch.binding))]
    call = call_data("AitbcRollup", "prove", arguments)
    with pytest.raises(L1Error, match="the transaction failed in its block"):
        chain.client.send(chain.signer, chain.rollup.address, call, gas=200_000, simulate=False)
    assert chain.rollup.status().proven == 0


# -- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"version": 1}, "VersionWrong"),
        ({"chain_id": 1}, "ChainIdWrong"),
        ({"contract": 5}, "ContractWrong"),
        ({"shard": 4}, "ShardWrong"),
        ({"batch_number": 2}, "BatchNumberWrong"),
        ({"counts": 1 << 144}, "CountsWrong"),
        ({"counts": counts(queue=6)}, "QueueTooShort"),
        ({"counts": counts(registrations=3)}, "RoomExceeded"),
        ({"counts": counts(transfers=4)}, "RoomExceeded"),
        ({"counts": counts(sessions=5)}, "RoomExceeded"),
        ({"counts": counts(sessions=1)}, "DataLengthWrong"),
        ({"counts": counts(queue=1), "more": (0,)}, "QueueTooShort"),
        ({"more": (0,)}, "DataLengthWrong"),
        ({"mode": 2}, "ModeWrong"),
        ({"l1_time": 2**40}, "L1TimeInFuture"),
        ({"l1_time": 1_000_000_000}, "L1TimeTooOld"),
        ({"old_root": 8}, "OldRootWrong"),
    ],
    ids=str,
)
def test_a_wrong_header_is_refused_by_name(client, change: dict[str, Any], name: str) -> None:
    chain = make_chain(client, "headers")
    posted = to_data(words(chain, **change))
    with refusal(name):
        chain.rollup.commit(chain.signer, chain.posting(posted))


def test_a_refusal_says_expected_and_got(client) -> None:
    chain = make_chain(client, "headers")
    posted = to_data(words(chain, old_root=8))
    with pytest.raises(L1Error) as caught:
        chain.rollup.commit(chain.signer, chain.posting(posted))
    assert caught.value.place == "commit of batch 1"
    assert (caught.value.expected, caught.value.got) == (str(chain.deployment.genesis_root), "8")
    assert caught.value.message == (
        "OldRootWrong: Header word 8: the old root is not the new root of the batch before."
    )


def test_only_the_operator_commits_and_rolls_back(client) -> None:
    chain = make_chain(client, "another operator", roles={"operator": PAYOUT}, genesis_root=8)
    posted = to_data(words(chain))
    with refusal("Unauthorized"):
        chain.rollup.commit(chain.signer, chain.posting(posted))
    with refusal("Unauthorized"):
        chain.rollup.rollback(chain.signer, 1)


def test_data_that_are_no_batch_are_refused_before_anything_is_sent(client) -> None:
    chain = make_chain(client, "headers")
    right = bound(to_data(words(chain)))
    for posted, message in (
        (to_data(words(chain)) + b"\0", "not whole words"),
        (to_data(words(chain)[:9]), "no header"),
        (to_data(words(chain, new_root=R)), "no field element"),
    ):
        with pytest.raises(BadInputError, match=message):
            chain.rollup.commit(chain.signer, chain.posting(posted, right))


def test_a_signer_without_money_is_refused(client) -> None:
    poor = load_signer(private_key="0x" + "22" * 32)
    chain = make_chain(client, "a poor operator", roles={"operator": poor.address})
    posted = to_data(words(chain))
    with pytest.raises(L1Error, match=r"(?i)funds|afford|enough"):
        chain.rollup.commit(poor, chain.posting(posted))


# -- the two chains -------------------------------------------------------------------------------------------------


@pytest.mark.node
def test_gas_of_queue_and_claims_on_the_embedded_chain_is_anvils(anvil) -> None:
    """Same addresses, same bytes: every transaction uses the same gas, whenever it comes."""

    def gas(client: Any) -> list[int | None]:
        chain = make_chain(client, "gas of version 2", parameters={"max_age": 10 * 365 * 86400, "item_interval": 0})
        queue, claims = chain.rollup.queue, chain.rollup.claims
        used: list[int | None] = [
            queue.deposit(chain.signer, NOBODY, 300).receipt.gas_used,
            queue.deposit(chain.signer, ALICE, 300).receipt.gas_used,
            queue.force_exit(chain.signer, ALICE).receipt.gas_used,
        ]
        batch = chain.batch()
        context = dataclasses.replace(batch.data.context, l1_time=1_750_000_000)
        batch = dataclasses.replace(batch, data=dataclasses.replace(batch.data, context=context))
        chain.finalize(batch)
        section = claims.section(1)
        used += [claims.make(chain.signer, section, claim).gas_used for claim in section.claims]
        return [*used, chain.rollup.treasury.withdraw(chain.signer, chain.signer.address).receipt.gas_used]

    found = gas(connect())
    assert found == gas(connect(anvil))
    assert len(found) == 6


def test_names_here_are_the_layouts() -> None:
    assert counts(1, 2, 3, 4) == layout.pack(
        layout.COUNTS,
        {"queue_items": 1, "registrations": 2, "transfers": 3, "sessions": 4, "records": 0, "operator_index": 0},
    )
