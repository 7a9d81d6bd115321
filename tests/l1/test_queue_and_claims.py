"""The queue and the claims on a chain, and a batch between them; the same over each chain."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from batch_chain import ALICE, BOB, ETHER, NOBODY, PAYOUT, SHARD, Chain, genesis, make_chain, proof_for

from aitbc_rollup.circuits.statements.batch.layout import QueueKind
from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.rollup.l1 import queue as queue_module
from aitbc_rollup.rollup.l1.claims import Claim, Section
from aitbc_rollup.rollup.l1.plan import call_data
from aitbc_rollup.rollup.l1.queue import EVERYTHING, Pointers
from aitbc_rollup.rollup.l1.treasury import Owed
from aitbc_rollup.rollup.rebuild import rebuild
from aitbc_rollup.rollup.transactions import QueueItem


@pytest.fixture
def chain(client, request) -> Chain:
    return make_chain(client, request.node.nodeid)


def refusal(name: str) -> Any:
    return pytest.raises(L1Error, match=rf"\b{name}: ")


def test_deposit_batch_claim(chain: Chain) -> None:
    """Money comes in, moves, and goes out by each of its three ways; L1 alone gives the state again."""
    rollup, signer = chain.rollup, chain.signer
    carol = chain.someone("carol")
    me, other = int(signer.address, 16), int(carol.address, 16)
    numbers = [
        rollup.queue.deposit(signer, ALICE, 5 * ETHER).number,
        rollup.queue.deposit(carol, NOBODY, 300).number,  # no such account: a claim of hers
        rollup.queue.force_transfer(signer, ALICE, BOB, 2 * ETHER).number,
        rollup.queue.force_exit(signer, BOB).number,
        rollup.queue.force_exit(carol, ALICE, 1).number,  # not hers: nothing
    ]
    assert numbers == [1, 2, 3, 4, 5]
    assert rollup.queue.pointers() == Pointers(5, 0, 0, 0)
    assert [item for _, item in rollup.queue.waiting()] == [
        QueueItem(kind=QueueKind.DEPOSIT, a=ALICE, amount=5 * ETHER, sender=me),
        QueueItem(kind=QueueKind.DEPOSIT, a=NOBODY, amount=300, sender=other),
        QueueItem(kind=QueueKind.TRANSFER, a=ALICE, b=BOB, amount=2 * ETHER, sender=me),
        QueueItem(kind=QueueKind.EXIT, a=BOB, amount=EVERYTHING, sender=me),
        QueueItem(kind=QueueKind.EXIT, a=ALICE, amount=1, sender=other),
    ]

    chain.finalize(chain.batch(transfers=(chain.exit(ETHER),)))
    status = rollup.status()
    assert status.state_root == chain.state.root
    assert status.queue == Pointers(5, 5, 5, 5)
    assert chain.state.account(ALICE).balance == 2 * ETHER - 10
    fees = 5 * rollup.queue.fee
    assert rollup.treasury.holdings == 5 * ETHER + 300
    assert chain.client.balance(rollup.address) == 5 * ETHER + 300 + fees
    assert rollup.treasury.owed(PAYOUT) == Owed(0, fees)

    section = rollup.claims.section(1)
    assert section.claims == (Claim(1, 1, other, 300), Claim(1, 3, me, 2 * ETHER), Claim(1, 6, me, ETHER))
    step = rollup.claims.make(signer, section, section.claims[0])
    assert not step.already and rollup.claims.is_made(section.claims[0])
    again = rollup.claims.make(signer, section, section.claims[0])
    assert (again.already, again.tx_hash) == (True, step.tx_hash)
    assert rollup.treasury.owed(carol.address) == Owed(300, 0)
    before = chain.client.balance(carol.address)
    assert rollup.treasury.withdraw(signer, carol.address).amount == 300
    assert chain.client.balance(carol.address) == before + 300
    for claim in section.claims[1:]:
        rollup.claims.make(signer, section, claim)
    before = chain.client.balance(signer.address)
    payment = rollup.treasury.withdraw(signer, signer.address)
    assert payment.amount == 3 * ETHER
    assert chain.client.balance(signer.address) == before + 3 * ETHER - payment.receipt.fee_wei
    with refusal("NothingOwed"):
        rollup.treasury.withdraw(signer, signer.address)
    assert rollup.treasury.collect(carol, PAYOUT).amount == fees
    assert chain.client.balance(rollup.address) == rollup.treasury.holdings == 2 * ETHER

    again_state = rebuild(genesis(signer), chain.client.chain_id, SHARD, rollup.history(1))
    assert again_state.root == status.state_root


def test_items_wait_until_a_batch_takes_them(chain: Chain) -> None:
    rollup, signer = chain.rollup, chain.signer
    for amount in (1, 2, 3):
        rollup.queue.deposit(signer, ALICE, amount)
    assert [(number, item.amount) for number, item in rollup.queue.waiting(2)] == [(1, 1), (2, 2)]
    first = chain.batch(take=2)
    rollup.commit(signer, chain.posting(first))
    assert rollup.queue.pointers() == Pointers(3, 2, 0, 0)
    assert [(number, item.amount) for number, item in rollup.queue.waiting()] == [(3, 3)]
    second = chain.batch(2)
    rollup.commit(signer, chain.posting(second))
    assert [item.amount for item in rollup.queue_items(1)] == [1, 2]
    assert [item.amount for item in rollup.queue_items(2)] == [3]

    rollup.rollback(signer, 2)
    assert rollup.queue.pointers() == Pointers(3, 2, 0, 0)
    rollup.rollback(signer, 1)
    assert [number for number, _ in rollup.queue.waiting()] == [1, 2, 3]


def test_items_in_several_calls(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "_CHUNK", 2)
    for amount in range(1, 6):
        chain.rollup.queue.force_exit(chain.signer, ALICE, amount)
    assert [item.amount for item in chain.rollup.queue.items(1, 5)] == [1, 2, 3, 4, 5]
    assert [item.amount for item in chain.rollup.queue.items(2, 4)] == [2, 3, 4, 5]
    assert chain.rollup.queue.items(6, 0) == []
    with refusal("ItemUnknown"):
        chain.rollup.queue.items(5, 2)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("deposit", (2**32, 1)),
        ("deposit", (-1, 1)),
        ("deposit", (1, 0)),
        ("deposit", (1, 2**88)),
        ("force_exit", (2**32, 1)),
        ("force_exit", (1, 0)),
        ("force_exit", (1, 2**88)),
        ("force_transfer", (2**32, 1, 1)),
        ("force_transfer", (1, 2**32, 1)),
        ("force_transfer", (1, 1, 0)),
        ("force_transfer", (1, 1, 2**88)),
    ],
)
def test_what_is_no_item_is_not_sent(client, name, arguments) -> None:
    queue = make_chain(client, "no items").rollup.queue
    before = queue.pointers()
    with pytest.raises(BadInputError):
        getattr(queue, name)(make_chain(client, "no items").signer, *arguments)
    assert queue.pointers() == before


def test_nobody_deposits_more_than_they_have(chain: Chain) -> None:
    with pytest.raises(L1Error, match=r"(?i)funds|afford|enough balance"):
        chain.rollup.queue.deposit(chain.signer, ALICE, 10**6 * ETHER)


def test_only_final_batches_pay(chain: Chain) -> None:
    rollup, signer = chain.rollup, chain.signer
    rollup.queue.deposit(signer, NOBODY, 300)
    batch = chain.batch()
    rollup.commit(signer, chain.posting(batch))
    section = rollup.claims.section(1)
    for _ in range(2):
        with refusal("BatchNotFinal"):
            rollup.claims.make(signer, section, section.claims[0])
        rollup.prove(signer, 1, batch.binding, PAYOUT, proof_for(batch.binding))
    rollup.finalize(signer, 1)

    altered = dataclasses.replace(section, words=(section.words[0] + 1,))
    with refusal("SectionWrong"):
        rollup.claims.make(signer, altered, section.claims[0])
    with refusal("NotAClaim"):
        rollup.claims.make(signer, section, dataclasses.replace(section.claims[0], word=1))
    assert rollup.claims.make(signer, section, section.claims[0]).gas_used


def test_a_refusal_names_address_and_amount(chain: Chain) -> None:
    """The contract itself takes no value that comes in like this."""
    state = chain.state.account(ALICE)
    chain.state.put(ALICE, dataclasses.replace(state, l1_owner=int(chain.rollup.address, 16), balance=70))
    odd = make_chain(chain.client, "odd owner", genesis_root=chain.state.root)
    odd = dataclasses.replace(odd, state=chain.state)
    odd.finalize(odd.batch(transfers=(odd.exit(7),)))
    odd.rollup.queue.deposit(odd.signer, NOBODY, 70)
    section = odd.rollup.claims.section(1)
    odd.rollup.claims.make(odd.signer, section, section.claims[0])
    with refusal("PaymentFailed") as caught:
        odd.rollup.treasury.withdraw(odd.signer, chain.rollup.address)
    assert "amount 7" in str(caught.value)
    assert chain.rollup.address.lower() in str(caught.value)


def test_a_node_that_lies_about_the_data_is_found_out(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    chain.rollup.queue.deposit(chain.signer, NOBODY, 300)
    batch = chain.batch()
    chain.finalize(batch)
    data = bytearray(batch.data.posted)
    data[-1] ^= 1
    calldata = call_data("AitbcRollup", "commit", [chain.selector, bytes(data), batch.binding.commitment, b""])
    monkeypatch.setattr(chain.client, "input", lambda _: calldata)
    with pytest.raises(L1Error, match="not those of the log"):
        chain.rollup.posted(1)
    monkeypatch.setattr(chain.rollup.claims, "_posted", lambda _: bytes(data))
    with pytest.raises(L1Error, match="not those of its commit"):
        chain.rollup.claims.section(1)


def test_a_batch_without_claims(chain: Chain) -> None:
    chain.finalize(chain.batch())
    section = chain.rollup.claims.section(1)
    assert (section.words, section.claims) == ((), ())


# -- sections off the chain -------------------------------------------------------------------------------------------


def words_of(counts: int, *more: int) -> bytes:
    return b"".join(word.to_bytes(32, "big") for word in (2, 1, 1, 1, 1, counts, 0, 0, 0, 0, *more))


def test_a_section_is_results_then_transfers() -> None:
    claim = 7 | 0xB0B << 88
    posted = words_of(2 | 1 << 16 | 2 << 32, claim | 1 << 248, 1 << 248, 1, 2, 3, 4, 5, claim, 9, claim, claim)
    section = Section.of(4, posted)
    assert section.words == (claim | 1 << 248, 1 << 248, claim, 9, claim, claim)
    assert section.claims == (Claim(4, 0, 0xB0B, 7), Claim(4, 5, 0xB0B, 7))
    assert section.data == b"".join(word.to_bytes(32, "big") for word in section.words)


@pytest.mark.parametrize(
    ("posted", "message"),
    [
        (b"", "the header is cut short"),
        (words_of(0)[:-1], "not whole words"),
        (words_of(0)[:-32], "the header is cut short"),
        (words_of(1 << 144), "above the last field"),
        (words_of(1), "the data end in their transfers"),
        (words_of(1 << 32, 1), "the data end in their transfers"),
    ],
)
def test_data_without_a_section(posted: bytes, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        Section.of(1, posted)


def test_a_claim_word_with_bits_too_many() -> None:
    with pytest.raises(BadInputError, match="above the last field"):
        _ = Section.of(1, words_of(1, 1 << 249)).claims
    with pytest.raises(BadInputError, match="above the last field"):
        _ = Section.of(1, words_of(1 << 32, 0, 1 << 248)).claims
