"""The challenger on anvil: what is right passes, what is wrong is challenged and settled, what is missing is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from batch_chain import ALICE, BOB, OPERATOR, PAYOUT, SHAPE, SHARD, TRAPDOOR, Chain, genesis, make_chain, proof_for
from eth_account import Account as EthAccount
from trapdoor import Trapdoor

from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import L1Error
from aitbc_rollup.rollup.batch import build
from aitbc_rollup.rollup.binding import Binding
from aitbc_rollup.rollup.challenger import Alert, Challenger
from aitbc_rollup.rollup.data import BatchContext
from aitbc_rollup.rollup.full.batch import build_full, inputs_of
from aitbc_rollup.rollup.full.data import FullData
from aitbc_rollup.rollup.genesis import Genesis, GenesisAccount
from aitbc_rollup.rollup.kzg import Blob
from aitbc_rollup.rollup.l1.blob_transaction import BlobSidecar, Wrapper, evidence
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.l1.elsewhere import BLOB_SECONDS, Elsewhere
from aitbc_rollup.rollup.l1.fallback import Fallback, Proposal
from aitbc_rollup.rollup.l1.plan import Route
from aitbc_rollup.rollup.l1.rollup_contract import Posting
from aitbc_rollup.rollup.l1.signer import Signer
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.store import Identity, Store
from aitbc_rollup.rollup.transactions import Transactions
from aitbc_rollup.verifier.types import Proof

pytestmark = pytest.mark.node

FULL = Shape.full(4, queue=SHAPE.queue, transfers=SHAPE.transfers)
BLOB = replace(SHAPE, kind=Kind.BLOB)
BLOB_KEY = Trapdoor(inputs=6).key
WRONG = 123_456_789


def fork(state: State) -> State:
    """A state to try things on."""
    assert state.root  # brought up to date, over which an overlay lies
    return State(state)


class Trap:
    """Makes proofs of anything, a full batch's right outcome among it."""

    def prove(self, state: State, data: FullData, payout: str) -> tuple[Binding, Proof]:
        batch = build_full(fork(state), data.inputs, FULL)
        assert batch.data == data
        return batch.binding, proof_for(batch.binding, payout)


class World:
    """A rollup with a full and a blob circuit, and somebody who watches it."""

    def __init__(self, chain: Chain, folder: Path) -> None:
        self.chain = chain
        self.client = chain.client
        self.fallback = Fallback(chain.rollup.bound)
        self.archive = folder / "archive"
        self.archive.mkdir()
        accounts = sorted(genesis(chain.signer).accounts.items())
        world = Genesis(
            chain.client.chain_id, SHARD, OPERATOR, tuple(GenesisAccount(i, one, "", False) for i, one in accounts)
        )
        self.store = Store(folder / "challenger")
        self.store.bind(Identity(world.digest(), chain.domain, Shape.full(1)), world, None)
        self.signer = chain.someone("challenger")

    def challenger(self, *beacons: str, sends: bool = True, settles: bool = True) -> Challenger:
        return Challenger(
            self.store, self.chain.rollup, Elsewhere(self.chain.rollup.bound, beacons, self.archive),
            signer=self.signer if sends else None, settler=Trap() if settles else None,
        )  # fmt: skip

    def look(self, *beacons: str, **how: bool) -> list[Alert]:
        return list(self.challenger(*beacons, **how).look())

    def pass_time(self, seconds: int) -> None:
        for method, params in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
            answer = self.client.web3.provider.make_request(method, params)  # type: ignore[arg-type]
            assert "error" not in answer, answer

    def deposit(self, amount: int, index: int = ALICE) -> None:
        self.chain.rollup.queue.deposit(self.chain.signer, index, amount)

    def open_fallback(self) -> None:
        """A batch is committed, and its proof never comes."""
        self.deposit(7)
        lost = replace(self.chain, state=fork(self.chain.state)).batch(self.chain.rollup.status().committed + 1)
        self.chain.rollup.commit(self.chain.signer, self.chain.posting(lost))
        self.pass_time(601)
        self.fallback.open(self.chain.signer)

    def propose(self, root: int | None = None) -> tuple[Proposal, FullData]:
        """The next batch of what waits, by the operator, with its right root or another one."""
        number = self.chain.rollup.status().committed + 1
        items = tuple(item for _, item in self.chain.rollup.queue.waiting())
        context = BatchContext(
            domain=self.chain.domain, batch_number=number, mode=1 + 2 * Kind.FULL, l1_time=self.client.time(),
            operator_index=OPERATOR,
        )  # fmt: skip
        inputs = inputs_of(self.chain.state, Transactions(queue=items), context)
        right = build_full(fork(self.chain.state), inputs, FULL).data
        data = right if root is None else FullData(inputs, replace(right.outcome, new_root=root))
        commitment = data.binding(FULL).commitment
        selector = self.chain.deployment.routes[1].selector
        proposal, _ = self.fallback.propose(self.chain.signer, selector, data.posted, commitment)
        return proposal, data

    def commit_blob(self) -> Blob:
        number = self.chain.rollup.status().committed + 1
        context = BatchContext(
            domain=self.chain.domain, batch_number=number, mode=1 + 2 * Kind.BLOB, l1_time=self.client.time(),
            operator_index=OPERATOR,
        )  # fmt: skip
        batch = build(fork(self.chain.state), Transactions(), context, BLOB)
        blob = batch.data.blob(BLOB)
        assert blob is not None
        posting = Posting(
            self.chain.deployment.routes[2].selector, batch.data.posted, batch.binding, evidence(batch.binding, blob),
            BlobSidecar((blob,), Wrapper.BLOB_PROOFS),
        )  # fmt: skip
        self.chain.rollup.commit(self.chain.signer, posting)
        return blob


def kinds(alerts: list[Alert]) -> list[str]:
    return [alert.kind for alert in alerts]


@pytest.fixture
def world(anvil: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A rollup on anvil, which forgets afterwards what this test did."""
    client = connect(anvil)
    snapshot = client.web3.provider.make_request("evm_snapshot", [])["result"]  # type: ignore[arg-type]
    routes = (Route.of(TRAPDOOR.key, SHAPE), Route.of(TRAPDOOR.key, FULL), Route.of(BLOB_KEY, BLOB))
    made = World(make_chain(client, request.node.nodeid, routes=routes, keys=(TRAPDOOR.key, BLOB_KEY)), tmp_path)
    yield made
    made.store.close()
    client.web3.provider.make_request("evm_revert", [snapshot])  # type: ignore[arg-type]


def test_what_is_right_passes_in_silence(world: World) -> None:
    world.deposit(5)
    world.chain.finalize(world.chain.batch())
    assert world.look() == []
    assert world.store.state().root == world.chain.state.root


def test_a_right_proposal_passes_and_a_wrong_one_is_challenged_and_replaced(world: World) -> None:
    world.open_fallback()
    right, _ = world.propose()
    assert kinds(world.look()) == ["fallback_open"]
    world.pass_time(601)
    world.chain.rollup.finalize(world.signer, 1)

    world.chain = replace(world.chain, state=world.store.state())
    world.deposit(9, BOB)
    wrong, data = world.propose(root=WRONG)
    before = int(world.chain.rollup.bound.view("ethOwed", world.signer.address))
    assert kinds(world.look()) == ["wrong_outcome", "challenged", "settled", "fallback_open"]
    assert kinds(world.look()) == ["fallback_open"]
    status = world.chain.rollup.status()
    assert (status.proven, status.proven_root) == (2, world.store.state().root)
    assert status.proven_root != WRONG
    settled = world.fallback.proposal(wrong.id)
    assert (settled.settled, settled.right != settled.outcome, settled.payout) == (True, True, world.signer.address)
    (challenge,) = world.fallback.challenges(settled)
    world.fallback.claim_challenge(world.signer, challenge)
    bond = world.fallback.bond()
    # Its own bond, and of the proposer's what is not burned: it was the first who was right, and made the proof.
    assert int(world.chain.rollup.bound.view("ethOwed", world.signer.address)) - before == bond + bond - bond // 2
    assert world.fallback.claim_proposal(world.signer, right.id).receipt is not None
    world.chain.rollup.finalize(world.signer, 2)
    assert data.inputs.queue_items


def test_a_killed_challenger_does_not_challenge_twice(world: World) -> None:
    world.open_fallback()
    proposal, _ = world.propose(root=WRONG)
    assert kinds(world.look(settles=False)) == ["wrong_outcome", "challenged", "fallback_open"]
    assert kinds(world.look(settles=False)) == ["wrong_outcome", "fallback_open"]
    assert world.fallback.proposal(proposal.id).challenges == 1
    assert kinds(world.look()) == ["wrong_outcome", "settled", "fallback_open"]


def test_who_watches_sends_nothing(world: World) -> None:
    world.open_fallback()
    proposal, _ = world.propose(root=WRONG)
    alerts = world.look(sends=False)
    assert kinds(alerts) == ["wrong_outcome", "fallback_open"]
    assert alerts[0].details["proposed"] == "0x" + proposal.outcome.hex()
    assert world.fallback.proposal(proposal.id).challenges == 0


def test_what_is_wrong_is_told_before_a_challenge_fails(world: World) -> None:
    world.open_fallback()
    world.propose(root=WRONG)
    world.signer = Signer(EthAccount.create())  # without money for a bond
    alerts = world.challenger().look()
    assert next(alerts).kind == "wrong_outcome"
    with pytest.raises(L1Error):
        next(alerts)


def test_a_right_proposal_that_somebody_disputes_gets_its_proof(world: World) -> None:
    world.open_fallback()
    proposal, _ = world.propose()
    world.fallback.challenge(world.chain.someone("liar"), proposal.id, bytes(31) + b"\1")
    assert kinds(world.look(settles=False)) == ["disputed", "fallback_open"]
    assert kinds(world.look()) == ["disputed", "proven", "fallback_open"]
    settled = world.fallback.proposal(proposal.id)
    assert (settled.settled, settled.right) == (True, proposal.outcome)
    assert kinds(world.look()) == ["fallback_open"]


def test_a_wrong_batch_that_needs_a_proof_is_told_and_an_accepted_one_is_an_alarm(world: World) -> None:
    world.deposit(5)
    batch = world.chain.batch()
    wrong = replace(batch.data, new_root=WRONG)
    bound = wrong.binding(SHAPE)
    world.chain.rollup.commit(world.chain.signer, world.chain.posting(wrong.posted, bound))
    (alert,) = world.look()
    assert (alert.level.value, alert.kind, alert.details["batch"]) == ("warning", "unprovable", 1)
    # With a proof it means that the circuit, or its set-up, is broken: here the set-up's secrets are known.
    world.chain.rollup.prove(world.chain.signer, 1, bound, PAYOUT, proof_for(bound))
    (alert,) = world.look()
    assert (alert.level.value, alert.kind) == ("alarm", "proven_wrong")


def test_a_blob_is_read_from_a_beacon_node_then_from_the_archive_and_told_when_it_is_missing(world: World) -> None:
    blob = world.commit_blob()
    (alert,) = world.look()
    assert (alert.level.value, alert.kind, alert.details["batch"]) == ("alarm", "withheld", 1)
    assert world.store.batch_count == 0
    (alert,) = world.look("http://127.0.0.1:9")
    assert alert.kind == "withheld" and "127.0.0.1:9" in alert.message
    assert world.look(world.client.name) == []
    assert world.store.batch_count == 1
    (kept,) = world.archive.iterdir()
    assert kept.read_bytes() == blob.data
    world.store.undo(0)
    assert world.look() == []
    world.store.undo(0)
    kept.write_bytes(bytes(31) + b"\1" + blob.data[32:])  # an archive is nobody to be believed
    assert kinds(world.look()) == ["withheld"]
    assert world.look(world.client.name) == []
    assert kept.read_bytes() == blob.data


def test_a_blob_older_than_beacon_nodes_keep_them_is_pruned(world: World) -> None:
    world.commit_blob()
    world.pass_time(BLOB_SECONDS + 1)
    assert "pruned" in kinds(world.look())


def test_clocks_are_told(world: World) -> None:
    world.open_fallback()
    world.pass_time(2 * 3600 + 1)
    assert kinds(world.look()) == ["freezable", "fallback_open"]
    world.chain.rollup.bound.send(world.signer, "freeze", [], "freeze")
    assert kinds(world.look()) == ["frozen"]


def test_a_reorg_is_told(world: World) -> None:
    world.deposit(5)
    snapshot: Any = world.client.web3.provider.make_request("evm_snapshot", [])["result"]  # type: ignore[arg-type]
    world.chain.finalize(replace(world.chain, state=fork(world.chain.state)).batch())
    assert world.look() == []
    world.client.web3.provider.make_request("evm_revert", [snapshot])  # type: ignore[arg-type]
    (alert,) = world.look()
    assert (alert.kind, alert.details["undone"]) == ("reorg", [1])
