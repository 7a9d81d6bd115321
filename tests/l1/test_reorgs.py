"""The chain takes back what it said, or goes on otherwise than a node wanted: afterwards both say the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from batch_chain import ALICE, BOB, OPERATOR, PAYOUT, SHAPE, SHARD, Chain, genesis, make_chain, proof_for

from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.rollup.batch import Batch, build
from aitbc_rollup.rollup.data import BatchContext
from aitbc_rollup.rollup.genesis import Genesis, GenesisAccount
from aitbc_rollup.rollup.l1.client import Block, L1Client, connect
from aitbc_rollup.rollup.l1.follower import Follower, Reorg
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.store import Identity, Store
from aitbc_rollup.rollup.sync import Synced, sync
from aitbc_rollup.rollup.transactions import Transactions

pytestmark = pytest.mark.node


class Node:
    """A state folder and the rollup that it is of."""

    def __init__(self, folder: Path, chain: Chain) -> None:
        self.chain = chain
        accounts = sorted(genesis(chain.signer).accounts.items())
        world = Genesis(
            chain.client.chain_id, SHARD, OPERATOR, tuple(GenesisAccount(i, one, "", False) for i, one in accounts)
        )
        self.store = Store(folder)
        self.store.bind(Identity(world.digest(), chain.domain, SHAPE), world, None)

    def seal(self, take: int | None = None) -> Batch:
        """The next batch, of what waits in the chain's queue behind what this node has taken."""
        number, taken = self.store.batch_count + 1, self.store.queue_items
        waiting = self.chain.rollup.queue.pointers().queued - taken
        items = self.chain.rollup.queue.items(taken + 1, waiting if take is None else take)
        after = State(self.store.state())
        # A reorg takes time back, too: what is sealed here may be committed in a block of some seconds before.
        l1_time = max(self.chain.client.time() - 60, self.store.last_l1_time)
        context = BatchContext(
            domain=self.chain.domain, batch_number=number, mode=1, l1_time=l1_time, operator_index=OPERATOR
        )
        batch = build(after, Transactions(queue=tuple(items)), context, SHAPE)
        job = {"batches": [number, number], "payout": 0, "provenance": {}, "proofs": {}}
        self.store.seal([(batch, after)], [(record(batch), number)], f"job {number}", job)
        return batch

    def sync(self, **how: int) -> Synced:
        return sync(self.store, self.chain.rollup, **how)

    def agrees(self) -> bool:
        status = self.chain.rollup.status()
        roots = (self.store.root_after(status.committed), self.store.state().root)
        return self.store.batch_count == status.committed and roots == (status.committed_root,) * 2


def record(batch: Batch) -> bytes:
    return (batch.data.new_root ^ 1).to_bytes(32, "big")


def deposit(chain: Chain, amount: int, index: int = ALICE) -> None:
    chain.rollup.queue.deposit(chain.signer, index, amount)


def rpc(client: L1Client, method: str, *params: Any) -> Any:
    answer = client.web3.provider.make_request(method, list(params))
    assert "error" not in answer, answer
    return answer["result"]


@pytest.fixture
def chain(anvil: str, request: pytest.FixtureRequest) -> Iterator[Chain]:
    """A rollup on anvil, which forgets afterwards what this test did."""
    client = connect(anvil)
    make_chain(client, "reorgs")  # what all of them share stays
    snapshot = rpc(client, "evm_snapshot")
    yield make_chain(client, request.node.nodeid)
    rpc(client, "evm_revert", snapshot)


@pytest.fixture
def node(chain: Chain, tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path / "node", chain)
    yield made
    made.store.close()


@pytest.fixture
def other(chain: Chain, tmp_path: Path) -> Iterator[Node]:
    """A node of somebody else."""
    made = Node(tmp_path / "other", chain)
    yield made
    made.store.close()


def commit(chain: Chain, batch: Batch) -> None:
    chain.rollup.commit(chain.signer, chain.posting(batch))


def test_nothing_happened(node: Node, chain: Chain) -> None:
    deposit(chain, 5)
    chain.finalize(node.seal())
    first = node.sync()
    assert (first.undone, first.adopted, first.reorg) == ((), (), None)
    assert node.sync() == first
    assert node.agrees()


@pytest.mark.parametrize("mined", [0, 5], ids=["shorter", "deeper"])
def test_another_history_with_another_batch(node: Node, other: Node, chain: Chain, mined: int) -> None:
    before = rpc(chain.client, "evm_snapshot")
    deposit(chain, 5)
    lost = node.seal()
    commit(chain, lost)
    chain.rollup.prove(chain.signer, 1, lost.binding, PAYOUT, proof_for(lost.binding))
    read = node.sync().block
    rpc(chain.client, "evm_revert", before)
    deposit(chain, 7)
    commit(chain, other.seal())
    for _ in range(mined):
        rpc(chain.client, "evm_mine")
    with pytest.raises(BadInputError, match="already billed"):
        node.store.check_unbilled([(record(lost), "x")])
    done = node.sync()
    assert (done.undone, done.adopted) == ((1,), (1,))
    assert done.reorg is not None and done.reorg.read == read.number
    assert node.agrees() and node.store.state().account(ALICE).balance == 7
    node.store.check_unbilled([(record(lost), "x")])
    assert node.sync().reorg is None


def test_the_same_height_with_another_hash(node: Node, chain: Chain) -> None:
    deposit(chain, 5)
    batch = node.seal()
    commit(chain, batch)
    read = node.sync().block
    rpc(chain.client, "anvil_reorg", 1, [])
    done = node.sync()
    assert done.block.number == read.number and done.block.hash != read.hash
    assert done.reorg == Reorg(read.number, -1)
    assert (done.undone, done.adopted, chain.rollup.status().committed) == ((), (), 0)
    chain.finalize(batch)  # it still fits: the node submits it again
    assert node.sync().undone == () and node.agrees()


def test_across_a_finalization(node: Node, other: Node, chain: Chain) -> None:
    deposit(chain, 5)
    deposit(chain, 6, BOB)
    first = node.seal(1)
    chain.finalize(first)
    other.sync()
    before = rpc(chain.client, "evm_snapshot")
    chain.finalize(node.seal(1))
    assert node.sync().undone == () and chain.rollup.status().finalized == 2
    rpc(chain.client, "evm_revert", before)
    deposit(chain, 9)
    chain.finalize(other.seal(2))
    done = node.sync()
    assert (done.undone, done.adopted) == ((2,), (2,))
    assert node.agrees() and chain.rollup.status().finalized == 2
    assert [node.store.is_adopted(number) for number in (1, 2)] == [False, True]
    assert node.store.state().account(ALICE).balance == 14


def test_a_queue_in_another_order(node: Node, chain: Chain) -> None:
    before = rpc(chain.client, "evm_snapshot")
    deposit(chain, 5)
    node.seal()
    deposit(chain, 6)
    node.seal()
    rpc(chain.client, "evm_revert", before)
    deposit(chain, 5)
    deposit(chain, 8)
    assert node.sync().undone == (2,)
    again = node.seal()
    assert again.data.queue_items[0].amount == 8
    before = rpc(chain.client, "evm_snapshot")
    deposit(chain, 1)
    node.seal()
    rpc(chain.client, "evm_revert", before)
    assert node.sync().undone == (3,)
    for number in (1, 2):
        chain.finalize(node.store.batch(number))
    assert node.agrees()


def test_rolled_back_and_replaced_without_any_reorg(node: Node, other: Node, chain: Chain) -> None:
    deposit(chain, 5)
    commit(chain, node.seal())
    other.sync()
    commit(chain, node.seal())
    deposit(chain, 6)
    chain.rollup.rollback(chain.signer, 2)
    assert node.sync().undone == ()
    commit(chain, other.seal())
    done = node.sync()
    assert (done.undone, done.adopted, done.reorg) == ((2,), (2,), None)
    assert node.agrees()


def test_what_was_adopted_and_is_gone_is_undone(node: Node, other: Node, chain: Chain) -> None:
    before = rpc(chain.client, "evm_snapshot")
    deposit(chain, 5)
    commit(chain, other.seal())
    assert node.sync().adopted == (1,)
    rpc(chain.client, "evm_revert", before)
    assert node.sync().undone == (1,)
    assert node.agrees()


def test_the_contract_is_gone(anvil: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    client = connect(anvil)
    before = rpc(client, "evm_snapshot")
    chain = make_chain(client, request.node.nodeid)
    node = Node(tmp_path, chain)
    node.seal()
    deposit(chain, 5)
    node.seal()
    commit(chain, node.store.batch(1))
    node.sync()
    rpc(client, "evm_revert", before)
    assert node.sync().undone == (2,)
    node.store.close()


def test_a_block_counts_when_it_is_deep_enough(node: Node, other: Node, chain: Chain) -> None:
    deposit(chain, 5)
    commit(chain, other.seal())
    rpc(chain.client, "evm_mine")
    assert node.sync(confirmations=2).adopted == ()
    rpc(chain.client, "evm_mine")
    done = node.sync(confirmations=2)
    assert done.adopted == (1,)
    assert node.sync(confirmations=20) == Synced((), (), None, done.block)


def test_a_follower_steps_back_to_the_newest_block_that_holds(node: Node, chain: Chain) -> None:
    follower = Follower(chain.rollup.bound, node.store)
    blocks = []
    for amount in (1, 2, 3):
        deposit(chain, amount)
        news = follower.look()
        follower.keep(news)
        blocks.append(news.block.number)
    assert [event.values["number"] for event in news.events if event.name == "ItemQueued"] == [3]
    rpc(chain.client, "anvil_reorg", 2, [])
    news = follower.look()
    assert news.reorg == Reorg(blocks[2], blocks[0])
    assert news.events == ()
    assert follower.look() == news
    follower.keep(news)
    assert [number for number, _ in node.store.checkpoints] == [blocks[0], news.block.number]
    assert follower.look().reorg is None


def test_a_chain_that_changes_while_it_is_read(node: Node, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    deposit(chain, 5)
    real = chain.client.block
    asked = iter(range(1000))
    monkeypatch.setattr(
        L1Client,
        "block",
        lambda self, number=None: real() if number is None else Block(number, next(asked).to_bytes(32, "big")),
    )
    with pytest.raises(L1Error, match="the chain changes faster than it is read"):
        node.sync()
