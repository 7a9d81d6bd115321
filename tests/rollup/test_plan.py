"""What the node makes batches of, and what it refuses though the protocol would let it pass."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from batch_world import (
    ALICE,
    BOB,
    DOMAIN,
    FREE,
    L1_TIME,
    OPERATOR,
    SHAPE,
    account,
    new_state,
    queue_item,
    registration,
    session,
    transfer,
)

from aitbc_rollup.circuits.statements.batch.layout import QueueKind
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.dev_agents import development_public_key
from aitbc_rollup.rollup.ingest import Selection
from aitbc_rollup.rollup.plan import Offer, Terms, billed, offers_of_signed, plan
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.transactions import Domain

TERMS = Terms(DOMAIN, SHAPE, L1_TIME, OPERATOR, frozenset())
#: A circuit for one session.
ONE_SESSION = dataclasses.replace(TERMS, shape=dataclasses.replace(SHAPE, sessions=1, signatures=6))


def planned(*signed: Any, state: State | None = None, terms: Terms = TERMS, **others: Any) -> list[Any]:
    offers = [Offer(entry) for entry in signed]
    made = plan(state or new_state(), 5, offers, others.get("queue", []), others.get("registrations", []), terms)
    return [batch for batch, _ in made]


def test_batches_follow_one_another() -> None:
    state = new_state()
    root = state.root
    made = plan(state, 5, [Offer(session(nonce=nonce)) for nonce in range(3)], [], [], ONE_SESSION)
    assert [batch.data.context.batch_number for batch, _ in made] == [5, 6, 7]
    assert [batch.data.old_root for batch, _ in made] == [root, *(batch.data.new_root for batch, _ in made[:2])]
    assert made[2][1].root == made[2][0].data.new_root
    assert (state.root, state.account(ALICE).nonce, made[2][1].account(ALICE).nonce) == (root, 0, 3)


def test_one_invalid_transaction_spoils_all() -> None:
    with pytest.raises(BadInputError) as caught:
        planned(session(nonce=0), session(nonce=2), terms=ONE_SESSION)
    assert (caught.value.message, caught.value.place) == ("wrong nonce", "sessions.jsonl:1")
    with pytest.raises(BadInputError, match="the signature is not the sender's"):
        planned(transfer(signer=BOB))


def test_an_invalid_queue_item_spoils_nothing() -> None:
    (batch,) = planned(queue=[queue_item(QueueKind.EXIT, FREE)])
    assert not batch.data.queue_results[0].valid


def test_an_exit_that_would_lose_its_amount() -> None:
    state = new_state()
    state.put(ALICE, account(ALICE, l1_owner=0))
    with pytest.raises(BadInputError) as caught:
        planned(transfer(exit=True), state=state)
    assert (caught.value.message, caught.value.place) == ("the amount would be lost", "transfers.jsonl:1")


def test_a_key_that_anyone_can_derive_is_not_registered() -> None:
    with pytest.raises(BadInputError, match="a development key is registered"):
        planned(registrations=[registration(public_key=development_public_key(FREE))])
    planned(registrations=[registration()])


@pytest.mark.parametrize(
    ("signed", "development", "mode"),
    [
        (session(), {ALICE}, 1),
        (session(), {BOB}, 0),
        (session(provider_index=BOB, countersigner=BOB), {BOB}, 1),
        (session(provider_index=BOB), {BOB}, 0),
        (transfer(), {ALICE}, 1),
        (transfer(), {BOB}, 0),
    ],
)
def test_development_keys_mark_what_they_signed(signed: Any, development: set[int], mode: int) -> None:
    (batch,) = planned(signed, terms=dataclasses.replace(TERMS, development=frozenset(development)))
    assert batch.data.context.mode == mode


def test_records_are_billed_by_their_batch() -> None:
    offers = [
        Offer(session(nonce=0), ((b"a", "x"), (b"b", "y"))),
        Offer(transfer(BOB)),
        Offer(session(nonce=1), ((b"c", "z"),)),
    ]
    made = plan(new_state(), 5, offers, [], [], ONE_SESSION)
    assert billed(offers, [batch for batch, _ in made]) == [(b"a", 5), (b"b", 5), (b"c", 6)]


def test_what_is_signed_for_elsewhere_is_not_offered() -> None:
    for other, what in ((Domain(1, 0xC0FFEE, 3), "chain"), (Domain(31337, 1, 3), "contract")):
        with pytest.raises(BadInputError, match=f"this was signed for another {what}"):
            offers_of_signed(Selection("sessions", (), ((session(), other),)), DOMAIN)
    offers = offers_of_signed(Selection("sessions", (), ((session(), DOMAIN), (transfer(), DOMAIN))), DOMAIN)
    assert [len(offer.records) for offer in offers] == [2, 0]
