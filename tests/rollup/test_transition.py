"""The fold, case by case, against results worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from batch_world import (
    ALICE,
    BOB,
    FREE,
    L1_TIME,
    OPERATOR,
    PROVIDER,
    SHAPE,
    account,
    new_state,
    owner,
    private_key,
    queue_item,
    record,
    registration,
    run,
    session,
    transfer,
)

from aitbc_rollup.algebra.eddsa import public_key, sign
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.statements.batch.layout import QueueKind, Tag
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.batch import Batch, build
from aitbc_rollup.rollup.data import BatchContext
from aitbc_rollup.rollup.posted import QueueResult
from aitbc_rollup.rollup.room import needed
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.transactions import Domain, QueueItem, SignedSession, SignedTransfer, Transactions

DEPOSIT, EXIT, MOVE = QueueKind
STRANGER = 0xBAD


def balances(state: State) -> dict[int, int]:
    """What differs from the 10,000 that every account begins with."""
    found = {index: entry.balance - 10_000 for index, entry in state.accounts.items()}
    return {index: change for index, change in found.items() if change}


# -- sessions ------------------------------------------------------------------------------------------------


def test_a_session_pays_provider_and_operator() -> None:
    state = new_state()
    signed = session()
    before = state.account(ALICE)
    batch = run(state, sessions=[signed])
    assert balances(state) == {ALICE: -499, PROVIDER: 475, OPERATOR: 24}  # 499 · 500 / 10,000 = 24.95
    after = state.account(ALICE)
    history = poseidon([0, signed.session.message(batch.data.context.domain)], initial_state=Tag.HISTORY)
    assert (after.nonce, after.history_root) == (1, history)
    assert after.usage == (9, 8, 7, 6, 200, 14)
    assert (before.public_key, before.owner) == (after.public_key, after.owner)
    (posted,) = batch.data.sessions
    assert (posted.valid, posted.history_root, posted.usage) == (True, history, after.usage)
    assert batch.data.records == 2


def test_a_message_is_what_the_protocol_says() -> None:
    made = session(ALICE, 7, records=(record(fee=3),) * 17, fee_cap=51).session
    words = [word for entry in made.records for word in entry.words(ALICE)] + [0] * 75
    root: int = Tag.RECORDS
    for start in range(0, 160, 16):
        root = poseidon(words[start : start + 16], initial_state=root)
    domain = poseidon([31337, 0xC0FFEE, 3], initial_state=Tag.DOMAIN)
    terms = ALICE + PROVIDER * 2**32 + 7 * 2**64 + 17 * 2**96 + 500 * 2**112 + L1_TIME * 2**128
    assert made.message(Domain(31337, 0xC0FFEE, 3)) == poseidon(
        [domain, root, terms, 51 + 51 * 2**64], initial_state=Tag.SESSION
    )


def test_several_sessions_of_one_agent() -> None:
    state = new_state()
    batch = run(state, sessions=[session(nonce=0), session(BOB), session(nonce=1)])
    assert not batch.results.refusals
    assert balances(state) == {ALICE: -998, BOB: -499, PROVIDER: 3 * 475, OPERATOR: 3 * 24}
    assert state.account(ALICE).nonce == 2
    assert state.account(ALICE).history_root == batch.data.sessions[2].history_root


def test_credits_are_spendable_at_once() -> None:
    state = new_state()
    state.put(BOB, account(BOB, balance=0))
    # Bob provides for Alice and spends what that earned him.
    batch = run(state, sessions=[session(provider_index=BOB), session(BOB, records=(record(fee=475),))])
    assert not batch.results.refusals
    assert state.account(BOB).balance == 0
    state = new_state()
    state.put(BOB, account(BOB, balance=0))
    batch = run(state, sessions=[session(BOB, records=(record(fee=475),)), session(provider_index=BOB)])
    assert [entry.valid for entry in batch.data.sessions] == [False, True]


def test_an_agent_that_is_its_own_provider() -> None:
    state = new_state()
    run(state, sessions=[session(provider_index=ALICE)])
    assert balances(state) == {ALICE: -24, OPERATOR: 24}
    assert state.account(ALICE).nonce == 1


def test_an_operator_that_is_agent_and_provider() -> None:
    state = new_state()
    batch = run(state, sessions=[session(OPERATOR, provider_index=OPERATOR), session(OPERATOR, 1)])
    assert not batch.results.refusals
    assert balances(state) == {OPERATOR: -475, PROVIDER: 475}
    assert batch.results.operator_credit == 48


def test_the_whole_balance_may_be_spent_and_no_more() -> None:
    state = new_state()
    assert not run(state, sessions=[session(records=(record(fee=10_000),))]).results.refusals
    assert state.account(ALICE).balance == 0


def test_a_session_of_many_pages() -> None:
    state = new_state()
    records = tuple(record(fee=1, sequence=i) for i in range(33))
    batch = run(state, sessions=[session(records=records)])
    assert needed(batch.items, OPERATOR)["pages"] == 3
    assert batch.data.records == 33
    assert state.account(ALICE).tokens_in == 3300


def test_a_countersigned_session() -> None:
    state = new_state()
    batch = run(state, sessions=[session(countersigner=PROVIDER), session(BOB)])
    assert [entry.countersigned for entry in batch.data.sessions] == [True, False]
    assert not batch.results.refusals
    assert needed(batch.items, OPERATOR)["signatures"] == 3


#: Wall time of 2^42 − 1,024 in all: one record more makes the most that fits, or one too many.
LONG = tuple(record(fee=0, wall_ms=2**32 - 1) for _ in range(1024))

BAD_SESSIONS: list[tuple[str, dict[str, Any]]] = [
    ("unknown agent", {"agent": FREE}),
    ("unknown provider", {"provider_index": FREE}),
    ("wrong nonce", {"nonce": 1}),
    ("the signature is not the agent's", {"signer": BOB}),
    ("the signature is not the provider's", {"countersigner": BOB}),
    ("total fee is above the fee cap", {"fee_cap": 498}),
    ("operator's share is above the protocol's cap", {"operator_share_bps": 2001}),
    ("the signature has expired", {"expiry": L1_TIME - 1}),
    ("the balance does not cover it", {"records": (record(fee=10_001),)}),
    ("the total of wall_ms is too large", {"records": (*LONG, record(fee=0, wall_ms=1024))}),
]


@pytest.mark.parametrize(("reason", "changes"), BAD_SESSIONS)
def test_an_invalid_session_changes_nothing(reason: str, changes: dict[str, Any]) -> None:
    state = new_state()
    root = state.root
    shape = Shape.for_records(1040, 1040, agents=2, providers=2, countersigned=1)
    batch = run(state, shape, sessions=[session(**changes)])
    assert [(place, refusal.reason) for place, refusal in batch.results.refusals] == [("sessions.jsonl:1", reason)]
    assert batch.data.new_root == root == state.root
    (posted,) = batch.data.sessions
    assert (posted.valid, posted.fee, posted.history_root, posted.usage) == (False, 0, 0, (0,) * 6)
    assert (batch.data.records, batch.results.operator_credit) == (0, 0)


VALID_LIMITS: list[dict[str, Any]] = [
    {"fee_cap": 499},
    {"operator_share_bps": 2000},
    {"expiry": L1_TIME},
    {"records": (*LONG, record(fee=0, wall_ms=1023))},
]


@pytest.mark.parametrize("changes", VALID_LIMITS)
def test_sessions_at_the_limits_are_valid(changes: dict[str, Any]) -> None:
    shape = Shape.for_records(1040, 1040, agents=2, providers=2)
    assert not run(new_state(), shape, sessions=[session(**changes)]).results.refusals


def test_nonces_end() -> None:
    state = new_state()
    state.put(ALICE, account(ALICE, nonce=2**32 - 2))
    batch = run(state, sessions=[session(nonce=2**32 - 2), session(nonce=2**32 - 1)])
    assert [entry.valid for entry in batch.data.sessions] == [True, False]
    assert batch.results.refusals[0][1].reason == "the account's nonces are used up"
    batch = run(state, number=2, transfers=[transfer(nonce=2**32 - 1)])
    assert batch.results.refusals[0][1].reason == "the account's nonces are used up"


def test_a_session_signed_for_elsewhere() -> None:
    made = session().session
    for domain in (Domain(1, 0xC0FFEE, 3), Domain(31337, 0xC0FFEF, 3), Domain(31337, 0xC0FFEE, 4)):
        signed = SignedSession(made, sign(private_key(ALICE), made.message(domain)))
        assert run(new_state(), sessions=[signed]).results.refusals[0][1].reason == "the signature is not the agent's"


@pytest.mark.parametrize("records", [(), (record(),) * 65_536])
def test_a_session_has_records_in_number(records: tuple[Any, ...]) -> None:
    with pytest.raises(BadInputError, match="wrong number of records"):
        session(records=records)


def test_a_total_fee_has_its_width() -> None:
    with pytest.raises(BadInputError, match="fee does not fit"):
        session(records=(record(fee=2**63),) * 2)


# -- transfers -----------------------------------------------------------------------------------------------


def test_a_transfer() -> None:
    state = new_state()
    batch = run(state, transfers=[transfer()])
    assert balances(state) == {ALICE: -1010, BOB: 1000, OPERATOR: 10}
    assert state.account(ALICE).nonce == 1
    (posted,) = batch.data.transfers
    assert (posted.valid, posted.amount, posted.address) == (True, 1000, 0)


def test_an_exit_leaves_a_claim() -> None:
    state = new_state()
    batch = run(state, transfers=[transfer(exit=True)])
    assert balances(state) == {ALICE: -1010, OPERATOR: 10}
    assert (batch.data.transfers[0].amount, batch.data.transfers[0].address) == (1000, owner(ALICE))


def test_a_transfer_to_oneself_costs_the_fee() -> None:
    state = new_state()
    run(state, transfers=[transfer(to_index=ALICE, amount=9_990)])
    assert balances(state) == {ALICE: -10, OPERATOR: 10}
    assert state.account(ALICE).nonce == 1
    batch = run(state, number=2, transfers=[transfer(nonce=1, to_index=ALICE, amount=9_981)])  # the fee counts first
    assert batch.results.refusals[0][1].reason == "the balance does not cover it"


BAD_TRANSFERS: list[tuple[str, dict[str, Any]]] = [
    ("unknown sender", {"sender": FREE}),
    ("unknown receiver", {"to_index": FREE}),
    ("wrong nonce", {"nonce": 1}),
    ("the signature has expired", {"expiry": L1_TIME - 1}),
    ("the balance does not cover it", {"amount": 9_991}),
    ("the signature is not the sender's", {"signer": BOB}),
    ("unknown sender", {"sender": FREE, "exit": True}),
    ("the balance does not cover it", {"amount": 9_991, "exit": True}),
]


@pytest.mark.parametrize(("reason", "changes"), BAD_TRANSFERS)
def test_an_invalid_transfer_changes_nothing(reason: str, changes: dict[str, Any]) -> None:
    state = new_state()
    root = state.root
    batch = run(state, transfers=[transfer(**changes)])
    assert [(place, refusal.reason) for place, refusal in batch.results.refusals] == [("transfers.jsonl:1", reason)]
    assert state.root == root
    (posted,) = batch.data.transfers
    assert (posted.valid, posted.address, posted.fee, batch.results.operator_credit) == (False, 0, 0, 0)


def test_sessions_come_after_transfers() -> None:
    state = new_state()
    batch = run(state, sessions=[session(nonce=1)], transfers=[transfer(nonce=0)])
    assert not batch.results.refusals


def test_an_exit_names_no_receiver() -> None:
    with pytest.raises(BadInputError, match="an exit names a receiver"):
        transfer(exit=True, to_index=BOB)


# -- the queue -----------------------------------------------------------------------------------------------


QUEUE: list[tuple[QueueItem, QueueResult, dict[int, int]]] = [
    (queue_item(DEPOSIT, ALICE, sender=STRANGER), QueueResult(True), {ALICE: 1000}),
    (queue_item(DEPOSIT, FREE, sender=STRANGER), QueueResult(False, 1000, STRANGER), {}),
    (queue_item(DEPOSIT, 2**32 - 1, sender=STRANGER), QueueResult(False, 1000, STRANGER), {}),
    (queue_item(EXIT, ALICE), QueueResult(True, 1000, owner(ALICE)), {ALICE: -1000}),
    (queue_item(EXIT, ALICE, 10_001), QueueResult(True, 10_000, owner(ALICE)), {ALICE: -10_000}),
    (queue_item(EXIT, ALICE, sender=STRANGER), QueueResult(False), {}),
    (queue_item(EXIT, FREE, sender=STRANGER), QueueResult(False), {}),
    (queue_item(MOVE, ALICE, b=BOB), QueueResult(True), {ALICE: -1000, BOB: 1000}),
    (queue_item(MOVE, ALICE, 10_000, b=BOB), QueueResult(True), {ALICE: -10_000, BOB: 10_000}),
    (queue_item(MOVE, ALICE, 10_000, b=ALICE), QueueResult(True), {}),
    (queue_item(MOVE, ALICE, 10_001, b=ALICE), QueueResult(False), {}),
    (queue_item(MOVE, ALICE, 10_001, b=BOB), QueueResult(False), {}),
    (queue_item(MOVE, ALICE, b=FREE), QueueResult(False), {}),
    (queue_item(MOVE, ALICE, b=2**32 - 1), QueueResult(False), {}),
    (queue_item(MOVE, ALICE, b=BOB, sender=STRANGER), QueueResult(False), {}),
    (queue_item(MOVE, FREE, 0, b=BOB, sender=STRANGER), QueueResult(False), {}),
]


@pytest.mark.parametrize(("item", "result", "changes"), QUEUE)
def test_a_queue_item(item: QueueItem, result: QueueResult, changes: dict[int, int]) -> None:
    state = new_state()
    before = {index: state.account(index) for index in (OPERATOR, PROVIDER, ALICE, BOB)}
    batch = run(state, queue=[item])
    assert batch.data.queue_results == (result,)
    assert balances(state) == changes
    assert all(state.account(index).nonce == entry.nonce for index, entry in before.items())


def test_queue_items_go_in_order_and_before_all_else() -> None:
    state = new_state()
    items = [
        queue_item(EXIT, ALICE, 10_000),
        queue_item(MOVE, ALICE, 1, b=BOB),
        queue_item(DEPOSIT, ALICE, 5),
        queue_item(MOVE, ALICE, 5, b=BOB),
        queue_item(DEPOSIT, FREE, 7, sender=STRANGER),
    ]
    batch = run(state, queue=items, registrations=[registration()])
    assert [entry.valid for entry in batch.data.queue_results] == [True, False, True, True, False]
    assert state.account(FREE).balance == 0  # registered after the deposit came
    assert balances(state) == {ALICE: -10_000, BOB: 5, FREE: -10_000}


def test_an_owner_that_is_nobody_owns_nothing() -> None:
    state = new_state()
    state.put(ALICE, account(ALICE, l1_owner=0))
    assert run(state, queue=[queue_item(EXIT, ALICE, sender=STRANGER)]).data.queue_results == (QueueResult(False),)
    with pytest.raises(BadInputError, match="without a sender"):
        queue_item(EXIT, ALICE, sender=0)


def test_a_kind_of_queue_item_that_does_not_exist() -> None:
    with pytest.raises(BadInputError, match="unknown kind"):
        QueueItem(kind=4, a=0, amount=1, sender=1)


# -- registrations, the operator, room -----------------------------------------------------------------------


def test_a_registration() -> None:
    state = new_state()
    run(state, registrations=[registration(permissions=3, external_id=99)], transfers=[transfer(to_index=FREE)])
    assert state.account(FREE) == account(FREE, permissions=3, external_id=99, balance=1000)


def test_a_registered_account_signs_in_the_same_batch() -> None:
    batch = run(new_state(), registrations=[registration()], sessions=[session(FREE, records=(record(fee=0),))])
    assert not batch.results.refusals


def test_an_index_that_is_taken() -> None:
    with pytest.raises(BadInputError) as caught:
        run(new_state(), registrations=[registration(), registration()])
    assert (caught.value.message, caught.value.got) == ("no account can be registered at this index", str(FREE))


def test_an_index_beyond_the_circuit() -> None:
    run(new_state(), registrations=[registration(2**24 - 1)])
    with pytest.raises(BadInputError, match="no account can be registered"):
        run(new_state(), registrations=[registration(2**24)])


@pytest.mark.parametrize("key", [(0, 1), (0, -1), (1, 1)])
def test_a_key_that_is_none(key: tuple[int, int]) -> None:
    with pytest.raises(BadInputError, match="no point of prime order"):
        registration(public_key=key)


def test_an_operator_without_an_account() -> None:
    nobody = BatchContext(domain=Domain(1, 1, 1), batch_number=1, mode=0, l1_time=L1_TIME, operator_index=FREE)
    with pytest.raises(BadInputError, match="unknown operator"):
        build(new_state(), Transactions(), nobody, SHAPE)
    build(new_state(), Transactions(registrations=(registration(),)), nobody, SHAPE)


def test_a_balance_has_its_width() -> None:
    state = new_state()
    state.put(ALICE, account(ALICE, balance=2**96 - 1))
    with pytest.raises(BadInputError, match="balance does not fit"):
        run(state, queue=[queue_item(DEPOSIT, ALICE, 1)])


def test_an_empty_batch_keeps_the_root() -> None:
    state = new_state()
    root = state.root
    batch = run(state)
    assert batch.data.new_root == batch.data.old_root == root
    assert [entry.index for entry in batch.accounts] == [OPERATOR]


ROOM: list[tuple[str, dict[str, Any]]] = [
    ("pages", {"sessions": [session(records=(record(fee=1),) * 193)]}),
    ("sessions", {"sessions": [session(nonce=nonce, records=(record(fee=1),)) for nonce in range(7)]}),
    ("queue", {"queue": [queue_item(DEPOSIT, ALICE)] * 6}),
    ("registrations", {"registrations": [registration(index) for index in (7, 8, 9)]}),
    ("transfers", {"transfers": [transfer(nonce=nonce, amount=1) for nonce in range(5)]}),
]


@pytest.mark.parametrize(("what", "items"), ROOM)
def test_more_than_the_circuit_has_room_for(what: str, items: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match=f"more {what} than the circuit has room for"):
        run(new_state(), **items)


@pytest.mark.parametrize(("room", "fits"), [({"accounts": 3}, True), ({"accounts": 2}, False)])
def test_room_for_accounts(room: dict[str, int], fits: bool) -> None:
    shape = Shape(pages=1, sessions=1, queue=0, registrations=0, transfers=0, signatures=2, **room)
    if fits:
        run(new_state(), shape, sessions=[session(countersigner=PROVIDER)])
    else:
        with pytest.raises(BadInputError, match="more accounts than"):
            run(new_state(), shape, sessions=[session()])


def test_room_for_signatures() -> None:
    shape = Shape(pages=1, sessions=1, accounts=3, queue=0, registrations=0, transfers=0, signatures=1)
    with pytest.raises(BadInputError, match="more signatures than"):
        run(new_state(), shape, sessions=[session(countersigner=PROVIDER)])


# -- what the circuit is given -------------------------------------------------------------------------------


def everything() -> Batch:
    """A batch with some of each kind, valid and not."""
    return run(
        new_state(),
        queue=[queue_item(DEPOSIT, ALICE), queue_item(MOVE, BOB, b=2**32 - 1), queue_item(EXIT, FREE)],
        registrations=[registration()],
        transfers=[transfer(), transfer(BOB, exit=True), transfer(BOB, 5)],
        sessions=[session(nonce=1), session(BOB, 1, provider_index=BOB), session(ALICE, 1)],
    )


def test_every_visit_has_its_time() -> None:
    batch = everything()
    q, g, t, s = 1, 1 + 2 * 5, 1 + 2 * 5 + 2, 1 + 2 * 5 + 2 + 2 * 4
    assert [(visit.time, visit.index) for visit in batch.visits] == [
        (q, ALICE), (q + 2, BOB), (q + 4, FREE), (g, FREE),
        (t, ALICE), (t + 1, BOB), (t + 2, BOB), (t + 4, BOB), (t + 5, BOB),
        (s, ALICE), (s + 1, PROVIDER), (s + 2, BOB), (s + 3, BOB), (s + 4, ALICE), (s + 5, PROVIDER),
        (s + 2 * 6, OPERATOR),
    ]  # fmt: skip
    assert [refusal.reason for _, refusal in batch.results.refusals] == ["wrong nonce", "wrong nonce"]


def test_visits_follow_one_another() -> None:
    batch = everything()
    seen: dict[int, int] = {}
    opened = {entry.index: entry.before for entry in batch.accounts}
    for visit in batch.visits:
        assert visit.previous == seen.get(visit.index, 0)
        if visit.previous == 0:
            assert visit.account == opened.pop(visit.index)
        seen[visit.index] = visit.time
    assert not opened
    assert list(seen) and sorted(seen) == [entry.index for entry in batch.accounts]


def test_levels_lead_from_old_root_to_new() -> None:
    batch = everything()
    before = {entry.index: entry.before.leaf() for entry in batch.accounts}
    after = {entry.index: entry.after.leaf() for entry in batch.accounts}
    for level, families in enumerate(batch.levels, start=1):
        assert [family.index for family in families] == sorted({index // 4 for index in after})
        assert len(families) <= SHAPE.rows(level)
        for family in families:
            for place in range(4):
                child = 4 * family.index + place
                assert family.touched[place] == (child in after)
                if family.touched[place]:
                    assert (family.before[place], family.after[place]) == (before[child], after[child])
                else:
                    assert family.before[place] == family.after[place]
        before = {family.index: poseidon(family.before) for family in families}
        after = {family.index: poseidon(family.after) for family in families}
    assert (before, after) == ({0: batch.data.old_root}, {0: batch.data.new_root})


def test_a_refused_transfer_is_signed_by_another() -> None:
    made = transfer().transfer
    other = Domain(31337, 0xC0FFEE, 4)
    signed = SignedTransfer(made, sign(private_key(ALICE), made.message(other)))
    assert run(new_state(), transfers=[signed]).results.refusals[0][1].reason == "the signature is not the sender's"
    assert public_key(private_key(ALICE)) == account(ALICE).public_key
