"""The full batch's circuit against its judge: every word that the contract lets pass has one outcome that is provable.

*Complete*: whatever is posted, the judge's outcome has a witness. *Sound*: a batch that is consistent in every hash,
root and word, but folded with one rule taken away or with a signature misjudged either way, has none.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from batch_world import ALICE, BOB, DOMAIN, FREE, L1_TIME, OPERATOR, PROVIDER, account, new_state, queue_item
from batch_world import session as signed_session
from batch_world import transfer as signed_transfer
from full_world import END, SHAPE, forgeries, full_context, full_inputs, hostile, limits, resigned

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.circuits.statements.batch.layout import LAST_NONCE, QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.circuits.statements.full.sessions import TERMS as SESSION_TERMS
from aitbc_rollup.circuits.statements.full.transfers import TERMS as TRANSFER_TERMS
from aitbc_rollup.circuits.testing import hint_wires, survivors, unused_wires
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.rollup.accounts import Account
from aitbc_rollup.rollup.full import judgement
from aitbc_rollup.rollup.full.batch import FullBatch, build_full
from aitbc_rollup.rollup.full.posted import FullSession, FullTransfer
from aitbc_rollup.rollup.full.witness_inputs import full_circuit_inputs
from aitbc_rollup.rollup.journal import Journal
from aitbc_rollup.rollup.keys import load_or_make
from aitbc_rollup.rollup.proving import prove_batch
from aitbc_rollup.rollup.reporting import Silent
from aitbc_rollup.rollup.state import State
from aitbc_rollup.verifier.groth16 import verify
from aitbc_rollup.verifier.types import Proof

PAYOUT = 0xABCDEF
DEPOSIT, EXIT, MOVE = QueueKind.DEPOSIT, QueueKind.EXIT, QueueKind.TRANSFER
Inputs = dict[str, Any]


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return compile_batch(SHAPE)


def batch(state: State | None = None, *, operator: int = OPERATOR, **items: Any) -> FullBatch:
    state = state or new_state()
    inputs = full_inputs(state, **items)
    return build_full(state, dataclasses.replace(inputs, context=full_context(operator_index=operator)), SHAPE)


def changed(kind: str, signer: int = ALICE, **changes: Any) -> FullBatch:
    """A batch of one session or transfer with other terms than the world's, signed all the same."""
    state = new_state()
    signed = {"sessions": signed_session, "transfers": signed_transfer}[kind](signer)
    inputs = full_inputs(state, **{kind: [signed]})
    (item,) = getattr(inputs, kind)
    other = resigned(dataclasses.replace(item, **changes), signer, DOMAIN)
    return build_full(state, dataclasses.replace(inputs, **{kind: (other,)}), SHAPE)


def assert_proven(circuit: CompiledCircuit, made: FullBatch) -> None:
    witness = circuit.witness(full_circuit_inputs(made, PAYOUT))
    violation = check(circuit, witness)
    assert violation is None, violation.render()
    assert circuit.public_inputs(witness) == made.binding.public_inputs(PAYOUT)


def assert_refused(circuit: CompiledCircuit, inputs: Inputs) -> None:
    assert check(circuit, circuit.witness(inputs)) is not None, "a false batch has a witness"


# -- every outcome has a witness -----------------------------------------------------------------------------

HONEST: dict[str, dict[str, Any]] = {
    "nothing": {},
    "sessions": {"sessions": [signed_session(), signed_session(nonce=1), signed_session(BOB)]},
    "an agent that is its own provider": {"sessions": [signed_session(provider_index=ALICE)]},
    "an operator that is agent and provider": {"sessions": [signed_session(OPERATOR, provider_index=OPERATOR)]},
    "a session without a fee or a share": {"sessions": [signed_session(operator_share_bps=0, fee_cap=499)]},
    "transfers": {"transfers": [signed_transfer(), signed_transfer(BOB, exit=True)]},
    "a transfer of nothing": {"transfers": [signed_transfer(amount=0, fee=0)]},
    "a transfer to oneself": {"transfers": [signed_transfer(to_index=ALICE, amount=9_990)]},
    "queue items": {
        "queue": [queue_item(DEPOSIT, FREE), queue_item(EXIT, ALICE, 3), queue_item(MOVE, ALICE, b=2**32 - 1)]
    },
    "all at once": {
        "queue": [queue_item(DEPOSIT, ALICE), queue_item(EXIT, ALICE, 3), queue_item(MOVE, ALICE, b=BOB)],
        "transfers": [signed_transfer(), signed_transfer(nonce=1, exit=True)],
        "sessions": [signed_session(nonce=2), signed_session(BOB, provider_index=OPERATOR)],
    },
}
#: One rule violated by terms that are signed all the same.
BAD_TERMS: list[tuple[str, dict[str, Any], str]] = [
    ("sessions", {"agent_index": FREE}, "unknown agent"),
    ("sessions", {"agent_index": END}, "unknown agent"),
    ("sessions", {"agent_index": ALICE + 2**31}, "unknown agent"),
    ("sessions", {"agent_index": BOB}, "the signature is not the agent's"),
    ("sessions", {"provider_index": FREE}, "unknown provider"),
    ("sessions", {"provider_index": END + PROVIDER}, "unknown provider"),
    ("sessions", {"nonce": 1}, "wrong nonce"),
    ("sessions", {"nonce": LAST_NONCE}, "wrong nonce"),
    ("sessions", {"fee_cap": 498}, "total fee is above the fee cap"),
    ("sessions", {"operator_share_bps": 2001}, "operator's share is above the protocol's cap"),
    ("sessions", {"operator_share_bps": 2**16 - 1}, "operator's share is above the protocol's cap"),
    ("sessions", {"expiry": L1_TIME - 1}, "the signature has expired"),
    ("sessions", {"fee": 10_001}, "the balance does not cover it"),
    ("sessions", {"fee": 2**64 - 1, "fee_cap": 2**64 - 1}, "the balance does not cover it"),
    ("transfers", {"from_index": FREE}, "unknown sender"),
    ("transfers", {"from_index": END + ALICE}, "unknown sender"),
    ("transfers", {"from_index": BOB}, "the signature is not the sender's"),
    ("transfers", {"to_index": FREE}, "unknown receiver"),
    ("transfers", {"to_index": 2**32 - 1}, "unknown receiver"),
    ("transfers", {"exit": True}, "an exit names a receiver"),
    ("transfers", {"exit": True, "to_index": 2**32 - 1}, "an exit names a receiver"),
    ("transfers", {"nonce": 1}, "wrong nonce"),
    ("transfers", {"expiry": L1_TIME - 1}, "the signature has expired"),
    ("transfers", {"amount": 9_991}, "the balance does not cover it"),
    ("transfers", {"amount": 2**88 - 1, "fee": 2**64 - 1}, "the balance does not cover it"),
    ("transfers", {"amount": 9_991, "exit": True, "to_index": 0}, "the balance does not cover it"),
]
BAD_IDS = [f"{kind}-{'-'.join(map(str, changes))}-{number}" for number, (kind, changes, _) in enumerate(BAD_TERMS)]


@pytest.mark.parametrize("name", HONEST)
def test_what_the_judge_does_has_a_witness(circuit: CompiledCircuit, name: str) -> None:
    made = batch(**HONEST[name])
    assert not made.refusals
    assert_proven(circuit, made)


def packed(sessions: list[FullSession], transfers: list[FullTransfer]) -> list[FullBatch]:
    """As few batches as these items fit in, each on the world's first state."""
    made = []
    while sessions or transfers:
        state = new_state()
        inputs = dataclasses.replace(
            full_inputs(state),
            sessions=tuple(sessions[: SHAPE.sessions]),
            transfers=tuple(transfers[: SHAPE.transfers]),
        )
        sessions, transfers = sessions[SHAPE.sessions :], transfers[SHAPE.transfers :]
        made.append(build_full(state, inputs, SHAPE))
    return made


def test_what_is_not_valid_is_proven_to_do_nothing(circuit: CompiledCircuit) -> None:
    found: dict[str, list[Any]] = {"sessions": [], "transfers": []}
    for kind, changes, _ in BAD_TERMS:
        found[kind].append(getattr(changed(kind, **changes).data.inputs, kind)[0])
    reasons = []
    for made in packed(found["sessions"], found["transfers"]):
        reasons += [(place.split()[0] + "s", refusal.reason) for place, refusal in made.refusals]
        assert made.data.new_root == made.data.old_root
        assert_proven(circuit, made)
    assert sorted(reasons) == sorted((kind, reason) for kind, _, reason in BAD_TERMS)


@pytest.mark.parametrize("changes", [{"count": 0}, {"count": 2**16 - 1}, {"records_root": 0}, {"fee": 0, "fee_cap": 0}])
def test_records_are_taken_at_the_agents_word(circuit: CompiledCircuit, changes: dict[str, int]) -> None:
    made = changed("sessions", **changes)
    assert not made.refusals
    assert_proven(circuit, made)


def signature_cases() -> dict[str, FullSession | FullTransfer]:
    """A session and a transfer with signatures near a valid one, and such as try the gadget's corners."""
    inputs = full_inputs(new_state(), sessions=[signed_session()], transfers=[signed_transfer(BOB)])
    return {
        f"{name}, {kind}": dataclasses.replace(item, signature=signature)
        for kind, item in (("session", inputs.sessions[0]), ("transfer", inputs.transfers[0]))
        for name, signature in forgeries(item, DOMAIN).items()
    }


SIGNATURES = signature_cases()


def test_signatures_that_are_none(circuit: CompiledCircuit) -> None:
    items = SIGNATURES.values()
    sessions, transfers = ([item for item in items if isinstance(item, kind)] for kind in (FullSession, FullTransfer))
    batches = packed(sessions, transfers)
    assert sum(len(made.refusals) for made in batches) == len(SIGNATURES) > 20
    for made in batches:
        assert_proven(circuit, made)


def test_the_last_nonce(circuit: CompiledCircuit) -> None:
    state = new_state()
    state.put(ALICE, account(ALICE, nonce=LAST_NONCE - 1))
    made = batch(state, sessions=[signed_session(nonce=LAST_NONCE - 1), signed_session(nonce=LAST_NONCE)])
    assert [refusal.reason for _, refusal in made.refusals] == ["the account's nonces are used up"]
    assert_proven(circuit, made)


@pytest.mark.parametrize("operator", [FREE, END, END + OPERATOR, 2**32 - 1, ALICE])
def test_any_operator(circuit: CompiledCircuit, operator: int) -> None:
    assert_proven(circuit, batch(operator=operator, **HONEST["all at once"]))


@pytest.mark.parametrize("operator", [END, 2**32 - 1])
def test_a_batch_that_names_no_account_of_the_circuit(circuit: CompiledCircuit, operator: int) -> None:
    """Nothing is visited, and still there is a tree to show."""
    assert_proven(circuit, batch(operator=operator))
    assert_proven(circuit, batch(State(), operator=operator))
    state = new_state()
    item = full_inputs(state, sessions=[signed_session()]).sessions[0]
    beyond = dataclasses.replace(item, agent_index=END, provider_index=2**32 - 1)
    inputs = dataclasses.replace(full_inputs(state), sessions=(beyond,), context=full_context(operator_index=operator))
    made = build_full(state, inputs, SHAPE)
    assert not made.visits
    assert_proven(circuit, made)


def test_an_account_beyond_the_circuits_indices_is_none(circuit: CompiledCircuit) -> None:
    """Genesis and registrations keep them out; were one there, judge and circuit would agree on it all the same."""
    state = new_state()
    state.put(END, account(END))
    inputs = full_inputs(state, sessions=[signed_session(END)], queue=[queue_item(EXIT, END), queue_item(DEPOSIT, END)])
    made = build_full(State(state), inputs, SHAPE)
    assert [refusal.reason for _, refusal in made.refusals] == ["unknown agent"]
    assert_proven(circuit, made)
    assert judgement.judge(state, made.data.posted, inputs.queue_items, index_bits=17).right == made.data.outcome
    assert not judgement.judge(state, made.data.posted, inputs.queue_items).holds


def test_an_exit_without_an_owner(circuit: CompiledCircuit) -> None:
    state = new_state()
    state.put(BOB, dataclasses.replace(state.account(BOB), l1_owner=0))
    assert_proven(circuit, batch(state, transfers=[signed_transfer(BOB, exit=True)]))


def world(seed: int) -> tuple[State, FullBatch]:
    generator = random.Random(seed)
    state = limits(generator)
    return state, build_full(State(state), hostile(generator, state), SHAPE)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_posted_is_proven(circuit: CompiledCircuit, seed: int) -> None:
    assert_proven(circuit, world(seed)[1])


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(1000, 1800))
def test_whatever_is_posted_is_proven_often(circuit: CompiledCircuit, seed: int) -> None:
    assert_proven(circuit, world(seed)[1])


def test_a_shape_without_queue_and_transfers_and_with_all_indices() -> None:
    shape = Shape.full(1, queue=0, transfers=0, index_bits=32)
    small = compile_batch(shape)
    for provider in (PROVIDER, 2**32 - 1):
        state = new_state()
        made = build_full(state, full_inputs(state, sessions=[signed_session(provider_index=provider)]), shape)
        assert len(made.refusals) == (provider != PROVIDER)
        assert_proven(small, made)


def test_there_is_room_for_any_data(circuit: CompiledCircuit) -> None:
    """Every slot used, and every account that one names another one."""
    state = State()
    indices = [3 * i for i in range(SHAPE.accounts)]
    for index in indices:
        state.put(index, account(index))
    left = iter(indices)
    items: dict[str, Any] = {
        "queue": [queue_item(MOVE, next(left), b=next(left)) for _ in range(SHAPE.queue)],
        "transfers": [signed_transfer(next(left), to_index=next(left)) for _ in range(SHAPE.transfers)],
        "sessions": [signed_session(next(left), provider_index=next(left)) for _ in range(SHAPE.sessions)],
    }
    made = batch(state, operator=next(left), **items)
    assert len(made.accounts) == SHAPE.accounts
    assert not made.refusals
    assert_proven(circuit, made)


# -- and none but that ---------------------------------------------------------------------------------------


def _unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a cheating fold go below zero, as numbers in the field would."""
    monkeypatch.setattr(
        Account, "moved", lambda self, amount: dataclasses.replace(self, balance=(self.balance + amount) % 2**96)
    )


@pytest.mark.parametrize(("kind", "changes", "reason"), BAD_TERMS, ids=BAD_IDS)
def test_what_is_not_valid_cannot_be_called_valid(
    circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, kind: str, changes: dict[str, Any], reason: str
) -> None:
    """The judge finds nothing wrong with it."""
    _unbounded(monkeypatch)
    for name in ("_judge_session", "_judge_transfer"):
        monkeypatch.setattr(judgement, name, lambda *_: None)
    made = changed(kind, **changes)
    assert not made.refusals
    assert_refused(circuit, full_circuit_inputs(made, PAYOUT))


@pytest.mark.parametrize("name", [name for name in SIGNATURES if "session" in name or "challenge" in name])
def test_a_signature_that_is_none_cannot_be_called_one(
    circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(judgement, "verify_short", lambda *_: True)
    item = SIGNATURES[name]
    (made,) = packed([item], []) if isinstance(item, FullSession) else packed([], [item])
    assert not made.refusals
    assert_refused(circuit, full_circuit_inputs(made, PAYOUT))


@pytest.mark.parametrize("kind", ["sessions", "transfers"])
def test_a_valid_item_cannot_be_called_invalid(
    circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The operator's censorship, but with a proof: the bit is no free choice."""
    monkeypatch.setattr(judgement, "verify_short", lambda *_: False)
    made = batch(**{"sessions": SESSIONS, "transfers": MOVED}[kind])
    assert len(made.refusals) == 1
    assert_refused(circuit, full_circuit_inputs(made, PAYOUT))


@pytest.mark.parametrize("kind", ["sessions", "transfers"])
def test_no_lie_about_a_hint_calls_a_valid_signature_invalid(
    circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The same batch, with hints of its signature wrong, one at a time, by one and by negation."""
    monkeypatch.setattr(judgement, "verify_short", lambda *_: False)
    made = batch(**{"sessions": SESSIONS, "transfers": MOVED}[kind])
    inputs = full_circuit_inputs(made, PAYOUT)
    part = f"main.apply_full_{kind[:-1]}[0]._short_signature_is_valid"
    honest = circuit.witness(inputs)
    wires = [wire for wire in hint_wires(circuit) if circuit.wire_name(wire).startswith(part)]
    assert len(wires) > 100
    for wire in random.Random(1).sample(wires, 4):
        value = from_limbs(honest[wire])[0]
        for lie in ((value + 1) % R, -value % R):
            assert check(circuit, circuit.witness(inputs, overrides={wire: lie})) is not None, circuit.wire_name(wire)


Lie = Callable[[pytest.MonkeyPatch], None]


def _posting(name: str, **changes: Callable[[Any], Any]) -> Lie:
    """Apply a session or transfer with another effect than its own."""
    true = getattr(judgement, name)

    def lie(*given: Any, **keywords: Any) -> Any:
        posted = true(*given, **keywords)
        return dataclasses.replace(posted, **{key: change(getattr(posted, key)) for key, change in changes.items()})

    return lambda monkeypatch: monkeypatch.setattr(judgement, name, lie)


def _effect(name: str, at: int, amount: int) -> Lie:
    """Move money that no rule moves, at one of a slot's times."""
    true = getattr(judgement, name)

    def lie(journal: Journal, times: Any, *rest: Any) -> Any:
        honest = journal.move
        moved = times if isinstance(times, int) else times[at]

        def move(time: int, index: int, by: int) -> None:
            honest(time, index, by + amount if time == moved else by)

        journal.move = move  # type: ignore[method-assign]
        try:
            return true(journal, times, *rest)
        finally:
            journal.move = honest  # type: ignore[method-assign]

    return lambda monkeypatch: monkeypatch.setattr(judgement, name, lie)


def _results(change: Callable[[judgement.Results], judgement.Results]) -> Lie:
    """Post other results than those of the fold."""
    true = judgement.fold

    def lie(*given: Any) -> judgement.Results:
        return change(true(*given))

    return lambda monkeypatch: monkeypatch.setattr("aitbc_rollup.rollup.full.batch.fold", lie)


def _transfer_result(**changes: Any) -> Lie:
    def change(results: judgement.Results) -> judgement.Results:
        first, *rest = results.transfers
        return dataclasses.replace(results, transfers=(dataclasses.replace(first, **changes), *rest))

    return _results(change)


SESSIONS: dict[str, Any] = {"sessions": [signed_session()]}
MOVED, LEFT = {"transfers": [signed_transfer()]}, {"transfers": [signed_transfer(exit=True)]}
LIES: dict[str, tuple[Lie, dict[str, Any]]] = {
    "a lower fee": (_posting("posted_session", fee=lambda fee: fee - 1), SESSIONS),
    "a smaller share": (_posting("posted_session", operator_share_bps=lambda bps: bps - 100), SESSIONS),
    "another history": (_posting("posted_session", history_root=lambda root: root + 1), SESSIONS),
    "usage": (_posting("posted_session", usage=lambda usage: (1, *usage[1:])), SESSIONS),
    "a provider paid more": (_effect("apply_session", 1, 1), SESSIONS),
    "an operator credited more": (_effect("apply_credit", 0, 1), SESSIONS),
    "a transfer of more": (_posting("posted_transfer", amount=lambda amount: amount + 1), MOVED),
    "a transfer without fee": (_posting("posted_transfer", fee=lambda _: 0), MOVED),
    "a receiver credited more": (_effect("apply_transfer", 1, 1), MOVED),
    "an exit that claims more": (_transfer_result(amount=1001), LEFT),
    "an exit that claims nothing": (_transfer_result(amount=0), LEFT),
    "an exit for another": (_transfer_result(address=0xBAD), LEFT),
    "an exit for nobody": (_transfer_result(amount=0, address=0), LEFT),
    "an exit called invalid": (_transfer_result(valid=False), LEFT),
    "a transfer with a claim": (_transfer_result(amount=1000, address=0xBAD), MOVED),
    "a transfer with an amount": (_transfer_result(amount=1000), MOVED),
    "a transfer called invalid": (_transfer_result(valid=False), MOVED),
    "a deposit credited twice": (_effect("apply_queue_item", 0, 1000), {"queue": [queue_item(DEPOSIT, ALICE)]}),
}


@pytest.mark.parametrize("name", LIES)
def test_a_fold_that_lies_has_no_witness(circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    lie, items = LIES[name]
    honest = batch(**items)
    lie(monkeypatch)
    made = batch(**items)
    assert made.data.outcome != honest.data.outcome
    assert_refused(circuit, full_circuit_inputs(made, PAYOUT))


def test_a_missing_operator_is_credited_nothing(circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in the balance of what is no account."""
    honest = Journal.visit

    def visit(self: Journal, time: int, index: int, after: Account | None = None) -> None:
        honest(self, time, index, dataclasses.replace(self.account(index), balance=24) if index == FREE else after)

    monkeypatch.setattr(Journal, "visit", visit)
    made = batch(operator=FREE, **SESSIONS)
    assert [entry.after.balance for entry in made.accounts if entry.index == FREE] == [24]
    assert_refused(circuit, full_circuit_inputs(made, PAYOUT))


def places(circuit: CompiledCircuit) -> list[tuple[str, int]]:
    """Every private input: its array, and its place there."""
    return [(item.name, place) for item in circuit.private for place in range(item.size)]


#: Of the batch below, how many slots of each array are used; in the others only data words and flags are held.
USED = {"account": 4, "queue": 3, "transfer": 2, "session": 2}
#: States that an item does not access: b of a deposit and of an exit, the receiver of an exit out to L1.
UNTOUCHED = {("queue_b", 0), ("queue_b", 1), ("transfer_to", 1)}
#: Inputs that enter a data word or are flags, in unused slots too.
ALWAYS_HELD = ("_terms", "_items", "_used", "_touched")


def is_free(circuit: CompiledCircuit, name: str, place: int) -> bool:
    item = next(item for item in circuit.private if item.name == name)
    if not item.shape or name.endswith(ALWAYS_HELD) or name.startswith("node"):
        return False
    slot = place // (item.size // item.shape[0])
    kind = name.split("_")[0]
    return slot >= USED.get(kind, slot + 1) or (name.removesuffix("_previous"), slot) in UNTOUCHED


def altered(inputs: Inputs, name: str, place: int, change: int) -> Inputs:
    value = inputs[name]
    if not isinstance(value, np.ndarray):
        return inputs | {name: (int(value) + change) % R}
    values = from_limbs(value.reshape(-1, 4))
    values[place] = (values[place] + change) % R
    return inputs | {name: to_limbs(values).reshape(value.shape)}


def hold(circuit: CompiledCircuit, chosen: list[tuple[str, int]]) -> None:
    """Each input altered by one is noticed, unless it says nothing."""
    inputs = full_circuit_inputs(batch(**HONEST["all at once"]), PAYOUT)
    free = {
        (name, place)
        for name, place in chosen
        if check(circuit, circuit.witness(altered(inputs, name, place, 1))) is None
    }
    assert not [(name, place) for name, place in free if not is_free(circuit, name, place)]


def test_inputs_in_use_are_held(circuit: CompiledCircuit) -> None:
    chosen = [place for place in places(circuit) if not place[0].startswith("node")]
    words = [(name, place) for name, place in chosen if name.endswith("_terms")]
    hold(circuit, random.Random(1).sample(chosen, 8) + random.Random(2).sample(words, 8))


@pytest.mark.heavy
def test_every_input_in_use_is_held(circuit: CompiledCircuit) -> None:
    """Of the tree's rows, of whose unused ones the index is free, a sample: they are the batch circuit's."""
    chosen = [place for place in places(circuit) if not place[0].startswith("node_index")]
    rows = [place for place in chosen if place[0].startswith("node")]
    hold(circuit, [place for place in chosen if place not in rows] + random.Random(3).sample(rows, 150))


@pytest.mark.heavy
def test_no_hint_and_no_wire_is_free_but_inverses_of_zero(circuit: CompiledCircuit) -> None:
    inputs = full_circuit_inputs(batch(**HONEST["all at once"]), PAYOUT)
    found = survivors(circuit, inputs, max_lies=300)
    assert {made.honest for made in found} == {0}
    parts = {made.wire.split(".")[-2].split("[")[0] for made in found}
    assert parts <= {"is_zero", "_short_signature_is_valid", "key"}, "all of them vanish() or is_zero()"


def lanes() -> Iterator[Any]:
    """Neighbours in a packed word, and the bits of the lower one."""
    for kind, terms, parts in (
        ("session", SESSION_TERMS, (layout.SESSION_TERMS, layout.SESSION_FEES)),
        ("transfer", TRANSFER_TERMS, (layout.TRANSFER_TERMS, layout.TRANSFER_AMOUNTS)),
    ):
        for part in parts:
            for (low, bits), (high, _) in pairwise(part):
                yield pytest.param(kind, terms.index(low), terms.index(high), bits, id=f"{kind}-{low}-{high}")


@pytest.mark.parametrize(("kind", "low", "high", "bits"), list(lanes()))
def test_lanes_of_a_word_do_not_make_up_for_one_another(
    circuit: CompiledCircuit, kind: str, low: int, high: int, bits: int
) -> None:
    """The word stays what it is, and with it every hash and data word: ranges alone are in the way.

    The items name no account and are not valid, so that no access and no effect is.
    """
    state = new_state()
    inputs = full_inputs(state, sessions=[signed_session()], transfers=[signed_transfer()])
    nowhere = {"agent_index": END, "provider_index": END}, {"from_index": END, "to_index": END}
    sessions, transfers = (
        (dataclasses.replace(getattr(inputs, name)[0], **changes),)
        for name, changes in zip(("sessions", "transfers"), nowhere, strict=True)
    )
    made = build_full(state, dataclasses.replace(inputs, sessions=sessions, transfers=transfers), SHAPE)
    given = full_circuit_inputs(made, PAYOUT)
    name = f"{kind}_terms"
    assert_refused(circuit, altered(altered(given, name, low, 1 << bits), name, high, -1))


def test_no_wire_is_unused(circuit: CompiledCircuit) -> None:
    assert unused_wires(circuit.r1cs) == []


def test_the_inputs_are_the_circuits(circuit: CompiledCircuit) -> None:
    assert set(full_circuit_inputs(batch(), PAYOUT)) == {item.name for item in circuit.inputs}


@pytest.mark.parametrize("terms", [SESSION_TERMS, TRANSFER_TERMS])
def test_terms_are_fields(terms: tuple[str, ...]) -> None:
    posted = FullSession if terms is SESSION_TERMS else FullTransfer
    names = {field.name for field in dataclasses.fields(posted)} - {"signature"}
    assert set(terms) == names | {"active", "challenge", "s"}


# -- a proof -------------------------------------------------------------------------------------------------


def test_a_wrong_proposal_is_settled_by_a_proof(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The proposer leaves a session out; whoever redoes it proves the right outcome of the same inputs."""
    shape = Shape.full(1, queue=0, transfers=0, index_bits=17)
    state = new_state()
    inputs = full_inputs(state, sessions=[signed_session()])
    right = build_full(State(state), inputs, shape)
    posted = right.data.posted
    wrong = posted[:288] + inputs.old_root.to_bytes(32, "big") + posted[320:]

    found = judgement.judge(state, wrong, ())
    assert not found.holds
    redone = build_full(State(state), found.data.inputs, shape)
    assert redone.data == right.data
    assert redone.data.inputs_hash == found.data.inputs_hash
    assert redone.data.outcome.digest == found.right.digest

    engine = load_engine()
    keys = load_or_make(shape, tmp_path_factory.mktemp("keys"), engine)
    proofs: list[Proof] = []
    prove_batch(redone, PAYOUT, keys, engine, Silent(), lambda proof, _: proofs.append(proof))
    public = redone.binding.public_inputs(PAYOUT)
    assert len(public) == 4
    key = keys.proving_key.verifying_key
    assert verify(key, public, proofs[0])
    assert not verify(key, found.data.binding(shape).public_inputs(PAYOUT), proofs[0])
    assert not verify(key, redone.binding.public_inputs(PAYOUT + 1), proofs[0])
