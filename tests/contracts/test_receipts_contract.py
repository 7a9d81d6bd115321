"""``Receipts`` of a rollup on a chain: a real batch's receipts with Poseidon's bytecode, beside the plain twin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from batch_chain import Chain
from eth_abi.abi import decode
from receipt_world import ALICE, BOB, EXTERNAL_ID, PROVIDER, SESSIONS, deployed, genesis, settled

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.errors import InvalidError, L1Error
from aitbc_rollup.rollup.batch import Batch
from aitbc_rollup.rollup.l1.bound import BoundContract
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.l1.contracts import create
from aitbc_rollup.rollup.l1.piece import Piece
from aitbc_rollup.rollup.l1.receipts import calldata, final_root, receipts_contract
from aitbc_rollup.rollup.receipts import Receipt, make, verify

LONG = 2


@dataclass(frozen=True)
class World:
    """A rollup, its receipts' contract, a final batch and one that is committed alone."""

    chain: Chain
    receipts: str
    batch: Batch
    committed: Batch

    def ask(self, receipt: Receipt) -> bytes:
        """What the contract answers."""
        return self.chain.client.run(self.receipts, calldata(receipt), place="receipts")

    def gas(self, receipt: Receipt) -> int:
        """Gas of a whole transaction that asks it."""
        sent = self.chain.client.send(
            self.chain.signer, self.receipts, calldata(receipt), gas=10**7, simulate=False, place="receipts"
        )
        return sent.gas_used


@pytest.fixture(scope="module")
def world() -> World:
    chain = deployed(connect(), "receipts")
    pieces = receipts_contract(chain.rollup.address)
    create(chain.client, chain.signer, pieces)
    state = genesis().state()
    l1_time = chain.client.time()
    batch = settled(chain.domain, state, l1_time=l1_time)
    chain.finalize(batch)
    committed = settled(chain.domain, state, 2, [(BOB, 1, 1)], l1_time)
    chain.rollup.commit(chain.signer, chain.posting(committed))
    return World(chain, pieces[-1].address, batch, committed)


def refused(name: str) -> Any:
    return pytest.raises(L1Error, match=rf"^receipts: {name}: ")


@pytest.mark.parametrize(("session", "place"), [(0, 0), (1, 15), (LONG, 0), (LONG, 16), (LONG, 36), (4, 1)])
def test_a_record_of_a_final_batch_is_proven(world: World, session: int, place: int) -> None:
    made = make(world.batch, session, place)
    run = verify(made)
    (answer,) = decode(["(uint32,uint32,uint32,uint16,uint256,uint256,uint256[5])"], world.ask(made))
    agent, nonce, _ = SESSIONS[session]
    assert answer == (agent, PROVIDER, nonce, place, EXTERNAL_ID, run.run_hash, made.record)


def test_both_refuse_the_same(world: World) -> None:
    good = make(world.batch, 4, 1)
    account, words = good.account, good.words
    wrong: list[tuple[str, Receipt]] = [
        ("NotARecord", replace(good, place=2)),
        ("WordsWrong", replace(good, words=words[:-1])),
        ("StateWrong", replace(good, state_before=5)),
        ("FillNotZero", replace(good, words=(*words[:-1], 1))),
        ("RecordMalformed", replace(good, words=(*words[:6], words[6] ^ 1 << 112, *words[7:]))),
        ("RecordMalformed", replace(good, terms=good.terms ^ 1)),
        ("HistoryWrong", replace(good, words=(*words[:7], words[7] ^ 1, *words[8:]))),
        ("HistoryWrong", replace(good, fees=good.fees ^ 1)),
        ("HistoryWrong", replace(good, history_before=good.history_before ^ 1)),
        ("HistoryWrong", replace(good, later_messages=(1,))),
        ("AccountWrong", replace(good, account=replace(account, leaf=(*account.leaf[:7], EXTERNAL_ID + 1)))),
        ("AccountWrong", replace(good, account=replace(account, siblings=(*account.siblings[:-1], 1)))),
    ]
    for name, receipt in wrong:
        with pytest.raises(InvalidError):
            verify(receipt)
        with refused(name):
            world.ask(receipt)
    world.ask(good)


def test_words_plus_r_hash_alike_and_are_refused(world: World) -> None:
    good = make(world.batch, LONG, 36)
    leaf = good.account.leaf
    with refused("HashRefused"):
        world.ask(replace(good, words=(*good.words[:2], good.words[2] + R, *good.words[3:])))
    with refused("HashRefused"):
        world.ask(replace(good, later_messages=(good.later_messages[0] + R,)))
    with refused("HashRefused"):
        world.ask(replace(good, history_before=good.history_before + R))
    with refused("AccountWrong"):
        world.ask(replace(good, account=replace(good.account, leaf=(*leaf[:7], leaf[7] + R))))


def test_a_record_of_another_rollup_is_refused(world: World) -> None:
    """The same world, signed for another contract."""
    domain = world.chain.domain
    with refused("HistoryWrong"):
        world.ask(make(settled(replace(domain, contract=domain.contract ^ 1)), 0, 0))


def test_a_batch_that_is_not_final_proves_nothing(world: World) -> None:
    with refused("BatchNotFinal"):
        world.ask(make(world.committed, 0, 0))


def test_what_it_costs(world: World) -> None:
    """Figures of docs/howto-integrators.md, whole transactions, the data included."""
    first, last = (world.gas(make(world.batch, 1, place)) for place in (0, 15))
    of_three_pages = world.gas(make(world.batch, LONG, 0))
    assert first == pytest.approx(1_270_000, rel=0.01)
    assert last == pytest.approx(666_000, rel=0.01)
    assert (of_three_pages - first) / 2 == pytest.approx(769_000, rel=0.01)


def test_the_final_root_is_asked_of_the_rollup(world: World) -> None:
    client, contract = world.chain.client, world.chain.domain.contract
    assert final_root(client, contract, 1) == world.batch.data.new_root
    with pytest.raises(InvalidError, match="the batch is not final") as caught:
        final_root(client, contract, 2)
    assert (caught.value.expected, caught.value.got) == ("one of the 1 final batches", "batch 2")
    with pytest.raises(L1Error, match="there is no contract"):
        final_root(client, 1, 1)


def test_what_erc_7992s_consumers_compare(world: World) -> None:
    """The adapter's words by their twins; the rest is forge's, over stand-ins for the registries."""
    chain = world.chain
    piece = Piece.of("verifier", "ERC7992RunVerifier", [chain.rollup.address, world.receipts])
    create(chain.client, chain.signer, [piece])
    adapter = BoundContract(chain.client, piece.address, "ERC7992RunVerifier")
    made = make(world.batch, LONG, 36)
    run = verify(made)
    fields = (ALICE, PROVIDER, run.nonce, 36, EXTERNAL_ID, run.run_hash, made.record)
    assert decode(["uint256"] * 3, adapter.view("outputOf", fields)) == (
        run.run_hash,
        run.record.outcome,
        run.record.cid,
    )
    model = adapter.view("commitmentOf", EXTERNAL_ID)
    hashes = [int.from_bytes(part, "big") for part in model[:3]]
    assert hashes == [EXTERNAL_ID, chain.domain.element, int(world.receipts, 16)]
