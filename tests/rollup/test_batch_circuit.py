"""The batch circuit against the node's fold: what the fold does has a witness, and what a cheating fold does has none.

The forger is the node itself with one of its rules taken away: its batch is consistent in every hash, root, word and
signature, and only the constraint that holds that rule can refuse it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from batch_world import (
    ALICE,
    BOB,
    FREE,
    L1_TIME,
    OPERATOR,
    PROVIDER,
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

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.eddsa import public_key
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.circuits.statements.batch.layout import QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.circuits.testing import unused_wires
from aitbc_rollup.rollup import accounts, transition
from aitbc_rollup.rollup.accounts import Account
from aitbc_rollup.rollup.batch import Batch
from aitbc_rollup.rollup.journal import Journal
from aitbc_rollup.rollup.posted import PostedSession, PostedTransfer, QueueResult
from aitbc_rollup.rollup.transactions import QueueItem
from aitbc_rollup.rollup.transition import SignatureCheck
from aitbc_rollup.rollup.witness_inputs import circuit_inputs

PAYOUT = 0xABCDEF
SHAPE = Shape(pages=5, sessions=4, accounts=8, queue=3, registrations=1, transfers=2, signatures=7, index_bits=18)
STRANGER = 0xBAD
DEPOSIT, EXIT, MOVE = QueueKind.DEPOSIT, QueueKind.EXIT, QueueKind.TRANSFER


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return compile_batch(SHAPE)


def batch(**items: Any) -> Batch:
    return run(new_state(), SHAPE, **items)


def assert_proven(circuit: CompiledCircuit, made: Batch) -> None:
    witness = circuit.witness(circuit_inputs(made, PAYOUT))
    violation = check(circuit, witness)
    assert violation is None, violation.render()
    assert circuit.public_inputs(witness) == made.binding.public_inputs(PAYOUT)


def assert_refused(circuit: CompiledCircuit, inputs: dict[str, Any]) -> None:
    assert check(circuit, circuit.witness(inputs)) is not None, "a false batch has a witness"


MANY = tuple(record(sequence=i, fee=i) for i in range(33))

HONEST: dict[str, dict[str, Any]] = {
    "nothing": {},
    "one session": {"sessions": [session()]},
    "several of one agent": {"sessions": [session(), session(nonce=1), session(BOB), session(nonce=2)]},
    "three pages and one": {"sessions": [session(records=MANY), session(BOB, records=MANY[:16])]},
    "one record": {"sessions": [session(records=(record(),))]},
    "countersigned": {"sessions": [session(countersigner=PROVIDER), session(BOB)]},
    "an agent that is its own provider": {"sessions": [session(provider_index=ALICE)]},
    "an operator that is agent and provider": {"sessions": [session(OPERATOR, provider_index=OPERATOR)]},
    "transfers": {"transfers": [transfer(), transfer(BOB, exit=True)]},
    "a transfer to oneself": {"transfers": [transfer(to_index=ALICE, amount=9_990)]},
    "a registration": {"registrations": [registration()]},
    "deposits": {"queue": [queue_item(DEPOSIT, ALICE), queue_item(DEPOSIT, FREE), queue_item(DEPOSIT, 2**32 - 1)]},
    "exits": {"queue": [queue_item(EXIT, ALICE), queue_item(EXIT, BOB, 10**9), queue_item(EXIT, BOB, sender=1)]},
    "exits of all there is": {"queue": [queue_item(EXIT, ALICE, 10_000), queue_item(EXIT, BOB, 2**88 - 1)]},
    "forced transfers": {
        "queue": [queue_item(MOVE, ALICE, b=BOB), queue_item(MOVE, BOB, 11_001, b=ALICE), queue_item(MOVE, BOB, b=FREE)]
    },
    "a forced transfer to oneself": {"queue": [queue_item(MOVE, ALICE, 10_000, b=ALICE)]},
    "all at once": {
        "queue": [queue_item(DEPOSIT, ALICE), queue_item(EXIT, ALICE, 3), queue_item(MOVE, ALICE, b=2**32 - 1)],
        "registrations": [registration()],
        "transfers": [transfer(), transfer(nonce=1, exit=True)],
        "sessions": [session(nonce=2), session(BOB, countersigner=PROVIDER, provider_index=PROVIDER)],
    },
    "a registered account that gets money and spends it": {
        "registrations": [registration()],
        "transfers": [transfer(to_index=FREE), transfer(FREE, amount=5, fee=0)],
        "sessions": [session(FREE, 1, records=(record(fee=7),))],
    },
}

BAD_SESSIONS: dict[str, dict[str, Any]] = {
    "unknown agent": {"agent": FREE},
    "unknown provider": {"provider_index": FREE},
    "wrong nonce": {"nonce": 1},
    "not the agent's signature": {"signer": BOB},
    "not the provider's signature": {"countersigner": BOB},
    "fee above the cap": {"fee_cap": 498},
    "share above the protocol's": {"operator_share_bps": 2001},
    "expired": {"expiry": L1_TIME - 1},
    "more than the balance": {"records": (record(fee=10_001),)},
}
BAD_TRANSFERS: dict[str, dict[str, Any]] = {
    "unknown sender": {"sender": FREE},
    "unknown receiver": {"to_index": FREE},
    "wrong nonce": {"nonce": 1},
    "expired": {"expiry": L1_TIME - 1},
    "more than the balance": {"amount": 9_991},
    "not the sender's signature": {"signer": BOB},
    "an exit of more than the balance": {"amount": 9_991, "exit": True},
}


@pytest.mark.parametrize("name", HONEST)
def test_what_the_fold_does_has_a_witness(circuit: CompiledCircuit, name: str) -> None:
    made = batch(**HONEST[name])
    assert not made.results.refusals
    assert_proven(circuit, made)


@pytest.mark.parametrize("name", BAD_SESSIONS)
def test_an_invalid_session_is_proven_to_do_nothing(circuit: CompiledCircuit, name: str) -> None:
    made = batch(sessions=[session(**BAD_SESSIONS[name]), session(BOB)])
    assert [posted.valid for posted in made.data.sessions] == [False, True]
    assert_proven(circuit, made)


@pytest.mark.parametrize("name", BAD_TRANSFERS)
def test_an_invalid_transfer_is_proven_to_do_nothing(circuit: CompiledCircuit, name: str) -> None:
    made = batch(transfers=[transfer(**BAD_TRANSFERS[name])])
    assert [posted.valid for posted in made.data.transfers] == [False]
    assert_proven(circuit, made)


def test_the_last_nonce(circuit: CompiledCircuit) -> None:
    state = new_state()
    state.put(ALICE, account(ALICE, nonce=2**32 - 2))
    assert_proven(circuit, run(state, SHAPE, sessions=[session(nonce=2**32 - 2), session(nonce=2**32 - 1)]))


def test_usage_at_its_limit(circuit: CompiledCircuit) -> None:
    most = dict.fromkeys(layout.USAGE, 2**32 - 1)
    full = tuple(record(**most, outcome=3, fee=1, sequence=2**48 - 1, task=R - 1, parents=R - 1, cid=R - 1)
                 for _ in range(16))  # fmt: skip
    assert_proven(circuit, batch(sessions=[session(records=full, fee_cap=2**64 - 1, expiry=2**40 - 1)]))


def test_no_wire_is_unused(circuit: CompiledCircuit) -> None:
    assert unused_wires(circuit.r1cs) == []


def test_the_inputs_are_the_circuits(circuit: CompiledCircuit) -> None:
    assert set(circuit_inputs(batch(), PAYOUT)) == {item.name for item in circuit.inputs}


# -- the forger ----------------------------------------------------------------------------------------------

Lie = Callable[[pytest.MonkeyPatch], None]


def _unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every width away from accounts: numbers wrap around in the field, as a forger's would."""

    def pack(parts: layout.Layout, values: dict[str, int]) -> int:
        return sum(values[name] << start for name, start in layout.shifts(parts).items()) % R

    def moved(self: Account, amount: int) -> Account:
        return replace(self, balance=(self.balance + amount) % R)

    monkeypatch.setattr(accounts.layout, "pack", pack)
    monkeypatch.setattr(Account, "moved", moved)
    monkeypatch.setattr(Account, "__post_init__", lambda self: None, raising=False)


@pytest.mark.parametrize("name", BAD_SESSIONS)
def test_an_invalid_session_has_no_effect(circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The fold judges everything valid; signatures are looked at, but the fold says they hold."""
    _unbounded(monkeypatch)
    monkeypatch.setattr(transition, "judge_session", lambda *_: None)
    true_check = SignatureCheck.of
    monkeypatch.setattr(SignatureCheck, "of", lambda *given: replace(true_check(*given), holds=True))
    made = batch(sessions=[session(**BAD_SESSIONS[name])])
    assert made.data.sessions[0].valid
    assert_refused(circuit, circuit_inputs(made, PAYOUT))


@pytest.mark.parametrize("name", BAD_TRANSFERS)
def test_an_invalid_transfer_has_no_effect(
    circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _unbounded(monkeypatch)
    monkeypatch.setattr(transition, "judge_transfer", lambda *_: None)
    true_check = SignatureCheck.of
    monkeypatch.setattr(SignatureCheck, "of", lambda *given: replace(true_check(*given), holds=True))
    made = batch(transfers=[transfer(**BAD_TRANSFERS[name])])
    assert made.data.transfers[0].valid
    assert_refused(circuit, circuit_inputs(made, PAYOUT))


def _posting(name: str, **changes: Any) -> Lie:
    """Post a session or transfer with other fields than its own, and apply what is posted."""
    true = getattr(transition, name)

    def lie(*given: Any, **keywords: Any) -> PostedSession | PostedTransfer:
        posted: PostedSession | PostedTransfer = true(*given, **keywords)
        values = {field: change(getattr(posted, field)) for field, change in changes.items()}
        return replace(posted, **values)

    return lambda monkeypatch: monkeypatch.setattr(transition, name, lie)


def _effect(name: str, times: int, amount: int) -> Lie:
    """Move money that no rule moves, at one of a slot's times."""
    true = getattr(transition, name)

    def lie(journal: Journal, at: Any, *rest: Any) -> Any:
        honest = journal.move

        def move(time: int, index: int, by: int) -> None:
            honest(time, index, by + amount if time == (at if isinstance(at, int) else at[times]) else by)

        journal.move = move  # type: ignore[method-assign]
        try:
            return true(journal, at, *rest)
        finally:
            journal.move = honest  # type: ignore[method-assign]

    return lambda monkeypatch: monkeypatch.setattr(transition, name, lie)


def _result(change: Callable[[QueueResult], QueueResult]) -> Lie:
    """Post another result of a queue item than its own."""
    true = transition.apply_queue_item

    def lie(journal: Journal, times: tuple[int, int], item: QueueItem) -> QueueResult:
        return change(true(journal, times, item))

    return lambda monkeypatch: monkeypatch.setattr(transition, "apply_queue_item", lie)


def _item_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve an item as if it were invalid."""

    def lie(journal: Journal, times: tuple[int, int], item: QueueItem) -> QueueResult:
        journal.move(times[0], item.a, 0)
        if item.kind == MOVE:
            journal.move(times[1], item.b, 0)
        return QueueResult(False)

    monkeypatch.setattr(transition, "apply_queue_item", lie)


def _history_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transition, "next_history_root", lambda root, message: root + 1)


SESSIONS = {"sessions": [session()]}
MOVED, LEFT = {"transfers": [transfer()]}, {"transfers": [transfer(exit=True)]}
LIES: dict[str, tuple[Lie, dict[str, Any]]] = {
    "a lower fee": (_posting("posted_session", fee=lambda fee: fee - 1), SESSIONS),
    "a higher fee": (_posting("posted_session", fee=lambda fee: fee + 1), SESSIONS),
    "a smaller share": (_posting("posted_session", operator_share_bps=lambda bps: bps - 100), SESSIONS),
    "fewer records": (_posting("posted_session", count=lambda count: count - 1), SESSIONS),
    "less usage": (_posting("posted_session", usage=lambda usage: (*usage[:5], usage[5] - 1)), SESSIONS),
    "a countersignature nobody gave": (_posting("posted_session", countersigned=lambda _: True), SESSIONS),
    "another provider": (_posting("posted_session", provider_index=lambda _: BOB), SESSIONS),
    "another payer": (_posting("posted_session", agent_index=lambda _: BOB), SESSIONS),
    "a nonce that skips": (_posting("posted_session", nonce=lambda nonce: nonce + 1), SESSIONS),
    "another history": (_history_kept, SESSIONS),
    "a provider paid more": (_effect("apply_session", 1, 1), SESSIONS),
    "an operator credited more": (_effect("apply_credit", 0, 1), SESSIONS),
    "a transfer of more": (_posting("posted_transfer", amount=lambda amount: amount + 1), MOVED),
    "a transfer without fee": (_posting("posted_transfer", fee=lambda _: 0), MOVED),
    "a transfer elsewhere": (_posting("posted_transfer", to_index=lambda _: OPERATOR), MOVED),
    "an exit for another": (_posting("posted_transfer", address=lambda _: STRANGER), LEFT),
    "a transfer with a claim": (_posting("posted_transfer", address=lambda _: owner(ALICE)), MOVED),
    "a receiver credited more": (_effect("apply_transfer", 1, 1), MOVED),
    "a deposit credited twice": (_effect("apply_queue_item", 0, 1000), {"queue": [queue_item(DEPOSIT, ALICE)]}),
    "a deposit kept": (_item_ignored, {"queue": [queue_item(DEPOSIT, ALICE)]}),
    "a bounce kept": (_item_ignored, {"queue": [queue_item(DEPOSIT, FREE)]}),
    "an exit refused": (_item_ignored, {"queue": [queue_item(EXIT, ALICE)]}),
    "an exit of nothing refused": (_item_ignored, {"queue": [queue_item(EXIT, ALICE, 0)]}),
    "a forced transfer refused": (_item_ignored, {"queue": [queue_item(MOVE, ALICE, b=BOB)]}),
    "an exit that claims more": (
        _result(lambda result: replace(result, amount=result.amount + 1)), {"queue": [queue_item(EXIT, ALICE)]},
    ),
    "an exit to another": (
        _result(lambda result: replace(result, address=STRANGER)), {"queue": [queue_item(EXIT, ALICE)]},
    ),
    "a claim out of nothing": (
        _result(lambda result: replace(result, amount=5, address=STRANGER)), {"queue": [queue_item(DEPOSIT, ALICE)]},
    ),
    "an invalid item called valid": (
        _result(lambda result: replace(result, valid=True)), {"queue": [queue_item(EXIT, ALICE, sender=1)]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_fold_that_lies_has_no_witness(circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    lie, items = LIES[name]
    _unbounded(monkeypatch)
    lie(monkeypatch)
    assert_refused(circuit, circuit_inputs(batch(**items), PAYOUT))


@pytest.mark.parametrize(("owner_of", "kind", "other"), [(BOB, EXIT, 0), (BOB, MOVE, BOB)], ids=["exit", "transfer"])
def test_an_item_of_another_owner(
    circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, owner_of: int, kind: QueueKind, other: int
) -> None:
    """The fold takes the sender for the owner."""
    item = queue_item(kind, ALICE, b=other, sender=owner(owner_of))
    true = transition.apply_queue_item
    monkeypatch.setattr(
        transition, "apply_queue_item",
        lambda journal, times, given: replace(
            true(journal, times, replace(given, sender=owner(ALICE))), address=given.sender if kind == EXIT else 0
        ),
    )  # fmt: skip
    assert_refused(circuit, circuit_inputs(batch(queue=[item]), PAYOUT))


@pytest.mark.parametrize("lie", ["taken", "key"])
def test_a_registration_that_does_not_hold(circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    """Over an account that exists, or with a key of small order in it."""
    if lie == "taken":
        monkeypatch.setattr(
            transition,
            "apply_registration",
            lambda journal, time, given: journal.visit(time, given.index, given.account),
        )
        made = batch(registrations=[registration(ALICE)])
    else:
        x, y = public_key(private_key(FREE))
        good = registration()
        object.__setattr__(good, "public_key", ((R - x) % R, (R - y) % R))  # plus the point of order 2
        made = batch(registrations=[good])
    assert_refused(circuit, circuit_inputs(made, PAYOUT))


CHANGES: list[tuple[str, tuple[int, ...]]] = [
    ("commitment", ()), ("evaluation", ()), ("zeta", ()), ("old_root", ()), ("new_root", ()), ("chain_id", ()),
    ("contract", ()), ("shard", ()), ("batch_number", ()), ("mode", ()), ("l1_time", ()), ("operator_index", ()),
    ("operator", (3,)), ("operator_previous", ()), ("account_last", (0,)), ("account_before", (0, 3)),
    ("account_after", (1, 3)), ("account_index", (1,)), ("account_used", (0,)),
    ("page_state", (0,)), ("page_state", (1,)), ("page_agent", (0,)), ("page_last", (0,)), ("page_last", (1,)),
    ("page_present", (0, 1)), ("page_records", (0, 0, 7)), ("page_records", (0, 0, 9)),
    ("page_records", (0, 2, 0)),
    ("session_terms", (0, 0)), ("session_terms", (0, 9)), ("session_terms", (0, 11)), ("session_terms", (0, 12)),
    ("session_agent", (0, 3)), ("session_agent", (0, 7)), ("session_agent_previous", (0,)),
    ("session_provider", (0, 0)),
    ("session_provider_previous", (0,)), ("signature_key", (0, 0)), ("signature_message", (0,)),
    ("signature_s", (0,)), ("signature_used", (0,)), ("queue_items", (0, 4)), ("queue_items", (0, 5)),
    ("queue_a", (0, 3)), ("queue_a_previous", (0,)), ("transfer_terms", (0, 6)), ("transfer_from", (0, 4)),
    ("registration_words", (0, 3)), ("registration_previous", (0,)), ("registration_active", (0,)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "at"), CHANGES)
def test_one_input_changed(circuit: CompiledCircuit, name: str, at: tuple[int, ...]) -> None:
    inputs = circuit_inputs(batch(**HONEST["all at once"]), PAYOUT)
    value = inputs[name]
    if isinstance(value, np.ndarray):
        changed = value.copy()
        changed[at] = to_limbs([(from_limbs(changed[at])[0] + 1) % R])[0]
        inputs[name] = changed
    else:
        inputs[name] = (value + 1) % R
    assert_refused(circuit, inputs)
