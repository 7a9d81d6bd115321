"""What transactions take of a circuit's room, and how they are cut into batches."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from batch_world import (
    ALICE,
    BOB,
    FREE,
    OPERATOR,
    PROVIDER,
    new_state,
    queue_item,
    record,
    registration,
    run,
    session,
    transfer,
)

from aitbc_rollup.circuits.statements.batch.layout import QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.room import batches, needed, shape_for
from aitbc_rollup.rollup.transactions import Transactions

SHAPE = Shape(pages=4, sessions=3, accounts=6, queue=2, registrations=1, transfers=2, signatures=5, index_bits=24)


def paged(pages: int, nonce: int = 0, **changes: Any) -> Any:
    return session(nonce=nonce, records=(record(fee=0),) * (16 * pages), **changes)


def cut(signed: Any, shape: Shape = SHAPE, **others: Any) -> list[Transactions]:
    return batches(signed, **others, operator_index=OPERATOR, shape=shape)


def nonces(made: list[Transactions]) -> list[list[int]]:
    return [[signed.session.nonce for signed in items.sessions] for items in made]


def test_what_transactions_need() -> None:
    items = Transactions(
        queue=(queue_item(QueueKind.DEPOSIT, ALICE), queue_item(QueueKind.TRANSFER, ALICE, b=FREE)),
        registrations=(registration(9),),
        transfers=(transfer(), transfer(exit=True)),
        sessions=(paged(2), paged(1, countersigner=PROVIDER)),
    )
    assert needed(items, OPERATOR) == {
        "pages": 3, "sessions": 2, "queue": 2, "registrations": 1, "transfers": 2, "signatures": 5,
        "accounts": len({OPERATOR, ALICE, FREE, 9, BOB, PROVIDER}),
    }  # fmt: skip


def test_what_fits_makes_one_batch() -> None:
    signed = [transfer(), paged(3, 1)]
    (only,) = cut(signed, queue=[queue_item(QueueKind.EXIT, ALICE)], registrations=[registration()])
    assert (only.transfers, only.sessions) == ((signed[0],), (signed[1],))
    assert (len(only.queue), len(only.registrations)) == (1, 1)


def test_nothing_makes_no_batch() -> None:
    assert cut([]) == []


def test_a_session_that_does_not_fit_waits_with_those_behind_it() -> None:
    assert nonces(cut([paged(3, 0), paged(2, 1), paged(1, 2)])) == [[0], [1, 2]]
    assert nonces(cut([paged(1, nonce) for nonce in range(7)])) == [[0, 1, 2], [3, 4, 5], [6]]


def test_each_kind_goes_on_by_itself() -> None:
    items = [queue_item(QueueKind.DEPOSIT, ALICE, amount) for amount in range(5)]
    made = cut([paged(1)], queue=items, registrations=[registration(7), registration(8)])
    assert [[item.amount for item in batch.queue] for batch in made] == [[0, 1], [2, 3], [4]]
    assert [len(batch.registrations) for batch in made] == [1, 1, 0]
    assert [len(batch.sessions) for batch in made] == [0, 1, 0]  # what is signed may name the new accounts


def test_accounts_are_counted_once() -> None:
    shape = dataclasses.replace(SHAPE, accounts=3)
    assert nonces(cut([paged(1, 0), paged(1, 1)], shape)) == [[0, 1]]
    made = cut([paged(1, 0), paged(1, 0, agent=BOB)], shape)
    assert [signed.session.agent_index for items in made for signed in items.sessions] == [ALICE, BOB]
    assert len(made) == 2


def test_a_transfer_waits_behind_a_session_of_its_sender() -> None:
    made = cut([session(nonce=0), transfer(ALICE, 1), transfer(BOB, 0)])
    assert [(len(items.sessions), len(items.transfers)) for items in made] == [(1, 0), (0, 2)]
    made = cut([session(provider_index=BOB), transfer(BOB, 0)])  # Bob may need what he earned
    assert len(made) == 2
    made = cut([transfer(ALICE, 0), session(nonce=1), transfer(BOB, 0)])
    assert len(made) == 1
    assert not run(new_state(), SHAPE, transfers=made[0].transfers, sessions=made[0].sessions).results.refusals


def test_a_session_larger_than_the_circuit() -> None:
    with pytest.raises(BadInputError) as caught:
        cut([paged(1), paged(5, 1)])
    assert (caught.value.message, caught.value.got) == (
        "a transaction is larger than the circuit",
        "more pages than it has room for",
    )
    assert caught.value.place == "sessions.jsonl:1"
    with pytest.raises(BadInputError, match="a transaction is larger than the circuit"):
        cut([], dataclasses.replace(SHAPE, queue=0), queue=[queue_item(QueueKind.EXIT, ALICE)])


def test_a_shape_just_large_enough() -> None:
    shape = shape_for([1] * 5, 7, countersigned=False, most_pages=64, index_bits=8)
    assert (shape.pages, shape.sessions, shape.signatures, shape.index_bits) == (8, 8, 12, 8)
    assert shape.accounts == 8 + 2 * 4 + 2 + 2 * 4
    capped = shape_for([1] * 500, 501, countersigned=True, most_pages=64, index_bits=24)
    assert (capped.pages, capped.sessions, capped.signatures, capped.accounts) == (64, 64, 132, 129 + 18)
    assert shape_for([100], 3, countersigned=False, most_pages=64, index_bits=8).pages == 128
    assert shape_for([1], 3, countersigned=False, most_pages=64, index_bits=4).accounts == 16
    assert shape_for([], 1, countersigned=False, most_pages=64, index_bits=8).pages == 1
