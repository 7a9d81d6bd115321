"""Full batches without a circuit: words, outcomes, and whoever redoes one finds what is wrong."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from batch_world import ALICE, BOB, DOMAIN, FREE, OPERATOR, PROVIDER, new_state, queue_item, registration, run
from batch_world import session as signed_session
from batch_world import transfer as signed_transfer
from eth_hash.auto import keccak
from full_world import SHAPE, full_context, full_inputs, hostile, limits, resigned

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.statements.batch.layout import Kind, QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import AitbcError, BadInputError, InvalidError
from aitbc_rollup.rollup.binding import to_data, to_words
from aitbc_rollup.rollup.data import decode
from aitbc_rollup.rollup.full.batch import FullBatch, build_full
from aitbc_rollup.rollup.full.data import Outcome, decode_full
from aitbc_rollup.rollup.full.judgement import judge
from aitbc_rollup.rollup.rebuild import rebuild
from aitbc_rollup.rollup.room import of_kind
from aitbc_rollup.rollup.state import State

DEPOSIT, EXIT = QueueKind.DEPOSIT, QueueKind.EXIT
ITEMS: dict[str, Any] = {
    "queue": [queue_item(DEPOSIT, ALICE), queue_item(EXIT, BOB, 7), queue_item(DEPOSIT, FREE, 5)],
    "transfers": [signed_transfer(), signed_transfer(BOB, exit=True, amount=30)],
    "sessions": [signed_session(nonce=1), signed_session(BOB, 1)],
}


def built(state: State | None = None, **items: Any) -> FullBatch:
    state = state or new_state()
    return build_full(state, full_inputs(state, **items), SHAPE)


@pytest.fixture(scope="module")
def batch() -> FullBatch:
    made = built(**ITEMS)
    assert not made.refusals
    return made


# -- what comes of it ----------------------------------------------------------------------------------------


def test_a_full_batch_does_what_another_does_but_for_usage() -> None:
    full, other = new_state(), new_state()
    build_full(full, full_inputs(full, **ITEMS), SHAPE)
    run(other, **ITEMS)
    used = set()
    for index in (OPERATOR, PROVIDER, ALICE, BOB):
        left, right = full.account(index), other.account(index)
        used |= {name for name in dataclasses.asdict(left) if getattr(left, name) != getattr(right, name)}
    assert used == {"wall_ms", "cpu_ms", "gpu_ms", "memory_mib", "tokens_in", "tokens_out"}


def test_claims_of_transfers(batch: FullBatch) -> None:
    claim = 30 + (new_state().account(BOB).l1_owner << 88) + (1 << 248)
    assert batch.data.outcome.transfer_results == (1 << 248, claim)


def test_an_exit_of_an_account_without_an_owner_is_nobodys_claim() -> None:
    state = new_state()
    state.put(BOB, dataclasses.replace(state.account(BOB), l1_owner=0))
    made = built(state, transfers=[signed_transfer(BOB, exit=True, amount=30)])
    assert made.data.outcome.transfer_results == (1 << 248,)
    assert state.account(BOB).balance == 10_000 - 30 - 10


def test_an_exit_that_names_a_receiver_is_none() -> None:
    state = new_state()
    inputs = full_inputs(state, transfers=[signed_transfer(exit=True)])
    odd = resigned(dataclasses.replace(inputs.transfers[0], to_index=BOB), ALICE, DOMAIN)
    made = build_full(state, dataclasses.replace(inputs, transfers=(odd,)), SHAPE)
    assert [refusal.reason for _, refusal in made.refusals] == ["an exit names a receiver"]
    assert made.data.outcome.new_root == inputs.old_root


@pytest.mark.parametrize("operator", [FREE, 2**17, 2**32 - 1])
def test_an_operator_without_an_account_gets_nothing(operator: int) -> None:
    state = new_state()
    inputs = dataclasses.replace(full_inputs(state, **ITEMS), context=full_context(operator_index=operator))
    build_full(state, inputs, SHAPE)
    assert state.account(OPERATOR) == new_state().account(OPERATOR)
    assert not state.account(operator).exists
    assert state.account(PROVIDER).balance == 10_000 + 2 * (499 - 24)


def test_registrations_are_for_other_batches() -> None:
    with pytest.raises(BadInputError, match="a registration in a full batch"):
        full_inputs(new_state(), registrations=[registration()])


@pytest.mark.parametrize("what", ["queue", "transfers", "sessions"])
def test_more_than_the_circuit_has_room_for(what: str) -> None:
    state = new_state()
    inputs = full_inputs(state, **ITEMS)
    room = {"queue": 3, "transfers": 3, "sessions": 3} | {what: len(ITEMS[what]) - 1}
    shape = Shape.full(room["sessions"], queue=room["queue"], transfers=room["transfers"], index_bits=17)
    with pytest.raises(BadInputError, match=f"more {what} than the circuit has room for"):
        build_full(state, inputs, shape)


def test_a_circuit_of_another_kind(batch: FullBatch) -> None:
    for made, shape in ((batch.data, Shape.for_records(64)), (run(new_state()).data, Shape.full(6))):
        with pytest.raises(BadInputError, match="the circuit is for another kind of batch"):
            made.binding(shape)


@pytest.mark.parametrize(("shape", "kind"), [(Shape.full(1), None), (Shape.for_records(16), Kind.FULL)])
def test_no_job_makes_a_full_batch(shape: Shape, kind: Kind | None) -> None:
    with pytest.raises(BadInputError, match="a full batch is the fallback's"):
        of_kind(shape, kind)


# -- words ---------------------------------------------------------------------------------------------------


def test_words_and_back(batch: FullBatch) -> None:
    words = to_words(batch.data.posted, "x")
    assert decode_full(words, batch.data.inputs.queue_items, "x") == batch.data
    assert len(words) == 10 + 3 + 2 + 4 * 2 + 5 * 2
    with pytest.raises(BadInputError, match="the batch is a full one"):
        decode(words, batch.data.inputs.queue_items, "x")


@pytest.mark.parametrize("seed", range(10))
def test_hostile_words_and_back(seed: int) -> None:
    generator = random.Random(seed)
    state = limits(generator)
    made = build_full(State(state), hostile(generator, state), SHAPE)
    again = decode_full(to_words(made.data.posted, "x"), made.data.inputs.queue_items, "x")
    assert again == made.data
    assert len(made.data.polynomial(SHAPE)) == SHAPE.n_words


def test_the_outcome_lies_in_one_piece(batch: FullBatch) -> None:
    posted, outcome = batch.data.posted, batch.data.outcome
    end = 320 + 32 * (3 + 2)
    assert outcome.posted == posted[288:end]
    assert outcome.digest == keccak(posted[288:end])
    assert batch.data.inputs_hash == keccak(posted[:288] + posted[end:])
    other = dataclasses.replace(batch.data, outcome=Outcome(1, (0, 0, 0), (R - 1, 5)))
    assert other.inputs_hash == batch.data.inputs_hash
    assert other.outcome.digest != outcome.digest


def test_signed_fields_stand_in_words_as_they_are_hashed(batch: FullBatch) -> None:
    section = SHAPE.sections["sessions"]
    words = batch.data.polynomial(SHAPE)[section.start : section.start + 5]
    said = ITEMS["sessions"][0].session
    assert words[0] == said.records_root
    assert words[1] == ALICE + (PROVIDER << 32) + (1 << 64) + (2 << 96) + (500 << 112) + (said.expiry << 128)
    assert words[2] == 499 + (100_000 << 64)


#: One posted word changed: 10 to 14 results, 15 to 22 transfers, 23 to 32 sessions.
REFUSED: list[tuple[int, Any, str]] = [
    (0, lambda w: 1, "unknown version"),
    (5, lambda w: w + 2**16, "registrations in a full batch"),
    (5, lambda w: w + 2**80, "records in a full batch"),
    (5, lambda w: w - 1, "wrong number of queue items"),
    (5, lambda w: w + 2**32, "the length does not fit the counts"),
    (5, lambda w: w + 2**144, "bits are set above the last field"),
    (6, lambda w: 1, "the batch is no full one"),
    (6, lambda w: 8 + w, "bits are set above the last field"),
    (15, lambda w: w + 2**137, "bits are set above the last field"),
    (16, lambda w: w + 2**152, "bits are set above the last field"),
    (24, lambda w: w + 2**168, "bits are set above the last field"),
    (25, lambda w: w + 2**128, "bits are set above the last field"),
]


@pytest.mark.parametrize(("word", "change", "reason"), REFUSED)
def test_what_the_contract_refuses_is_not_decoded(batch: FullBatch, word: int, change: Any, reason: str) -> None:
    words = to_words(batch.data.posted, "x")
    words[word] = change(words[word])
    with pytest.raises(BadInputError, match=reason):
        decode_full(words, batch.data.inputs.queue_items, "x")


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data[:-32], lambda data: data[:300]])
def test_bytes_that_are_cut_short(batch: FullBatch, change: Any) -> None:
    with pytest.raises(BadInputError):
        judge(new_state(), change(batch.data.posted), batch.data.inputs.queue_items)


@pytest.mark.parametrize("seed", range(4))
def test_hostile_bytes_are_judged_or_refused_with_an_error(batch: FullBatch, seed: int) -> None:
    """Whatever bytes somebody posts, and whichever of them the contract lets pass."""
    generator = random.Random(seed)
    judged, refused = 0, []
    for _ in range(60):
        data = bytearray(batch.data.posted)
        for _ in range(generator.randint(1, 3)):
            at = 32 * generator.choice([0, 1, 2, 3, 5, 6, 7, 8, *range(9, 33), *range(9, 33)])
            word = generator.choice([0, 1, R - 1, R, 2**256 - 1, 2**128 - 1, generator.randrange(R), 1 << 168])
            data[at : at + 32] = word.to_bytes(32, "big")
        if generator.random() < 0.1:
            del data[generator.randrange(len(data)) :]
        try:
            judge(new_state(), bytes(data), batch.data.inputs.queue_items)
            judged += 1
        except (BadInputError, InvalidError) as error:
            refused.append(str(error))
    assert judged > 10
    assert refused
    assert all("full batch" in text for text in refused), "an error says where it is"


# -- judging -------------------------------------------------------------------------------------------------


def test_a_right_outcome_is_right(batch: FullBatch) -> None:
    state = new_state()
    found = judge(state, batch.data.posted, batch.data.inputs.queue_items)
    assert found.holds
    assert found.right == batch.data.outcome
    assert state.root == batch.data.inputs.old_root


@pytest.mark.parametrize("word", range(9, 15))
@pytest.mark.parametrize("value", ["other", "R - 1"])
def test_a_wrong_outcome_is_found(batch: FullBatch, word: int, value: str) -> None:
    """Any word will do for an outcome, such as no result could be."""
    words = to_words(batch.data.posted, "x")
    words[word] = words[word] ^ 1 if value == "other" else R - 1
    found = judge(new_state(), to_data(words), batch.data.inputs.queue_items)
    assert not found.holds
    assert found.right == batch.data.outcome
    assert found.right.digest != found.data.outcome.digest
    assert found.data.inputs_hash == batch.data.inputs_hash


@pytest.mark.parametrize("word", range(15, 33))
def test_other_inputs_have_an_outcome_too(batch: FullBatch, word: int) -> None:
    """Nothing in an input makes anybody stumble: it is judged, and the outcome posted for others is wrong."""
    words = to_words(batch.data.posted, "x")
    words[word] ^= 1
    found = judge(new_state(), to_data(words), batch.data.inputs.queue_items)
    assert not found.holds
    assert found.refusals
    redone = build_full(new_state(), found.data.inputs, SHAPE)
    assert redone.data.outcome == found.right


def test_a_batch_for_another_state(batch: FullBatch) -> None:
    state = new_state()
    state.put(FREE, state.account(ALICE))
    with pytest.raises(InvalidError, match="the batch is not for this state"):
        judge(state, batch.data.posted, batch.data.inputs.queue_items)
    with pytest.raises(BadInputError, match="the batch is not for this state"):
        build_full(state, batch.data.inputs, SHAPE)


@pytest.mark.parametrize("seed", range(20))
def test_money_is_kept_whatever_is_posted(seed: int) -> None:
    """What a batch lets go of are claims, exits of accounts without an owner, and what a missing operator was due."""
    generator = random.Random(seed)
    before = limits(generator)
    state = State(before)
    inputs = hostile(generator, before)
    made = build_full(state, inputs, SHAPE)
    assert judge(before, made.data.posted, inputs.queue_items).right == made.data.outcome
    refused = {place for place, _ in made.refusals}
    deposits = sum(item.amount for item in inputs.queue_items if item.kind == DEPOSIT)
    outcome = made.data.outcome
    claims = sum(word & (1 << 88) - 1 for word in (*outcome.queue_results, *outcome.transfer_results))
    lost = 0
    for number, transfer in enumerate(inputs.transfers):
        if f"transfer {number}" not in refused:
            lost += transfer.amount * (transfer.exit and not before.account(transfer.from_index).l1_owner)
            lost += transfer.fee * (not before.account(inputs.context.operator_index).exists)
    for number, session in enumerate(inputs.sessions):
        if f"session {number}" not in refused and not before.account(inputs.context.operator_index).exists:
            lost += session.fee * session.operator_share_bps // 10_000
    held = [sum(each.account(index).balance for index in before.accounts) for each in (before, state)]
    assert held[1] + claims + lost == held[0] + deposits
    assert all(state.account(index).balance < 2**96 for index in before.accounts)


def test_the_worlds_reach_everything() -> None:
    reasons: set[str] = set()
    items = valid = 0
    for seed in range(80):
        generator = random.Random(seed)
        state = limits(generator)
        inputs = hostile(generator, state)
        made = build_full(state, inputs, SHAPE)
        reasons |= {refusal.reason for _, refusal in made.refusals}
        items += len(inputs.sessions) + len(inputs.transfers)
        valid += len(inputs.sessions) + len(inputs.transfers) - len(made.refusals)
    assert 0.3 < valid / items < 0.7
    assert reasons == {
        "unknown sender", "unknown receiver", "unknown agent", "unknown provider", "wrong nonce",
        "the account's nonces are used up", "the signature has expired", "the balance does not cover it",
        "total fee is above the fee cap", "operator's share is above the protocol's cap", "an exit names a receiver",
        "the signature is not the sender's", "the signature is not the agent's",
    }  # fmt: skip


# -- from L1 data alone --------------------------------------------------------------------------------------


def chain() -> tuple[State, list[tuple[bytes, Any]]]:
    """A batch with records, a full one on it, and another one on that."""
    state, posted = new_state(), []
    first = run(state, number=1, sessions=[signed_session()], registrations=[registration()])
    posted.append((first.data.posted, first.items.queue))
    inputs = full_inputs(state, 2, sessions=[signed_session(nonce=1)], queue=[queue_item(DEPOSIT, FREE)])
    full = build_full(state, inputs, SHAPE)
    posted.append((full.data.posted, inputs.queue_items))
    last = run(state, number=3, transfers=[signed_transfer(nonce=2)])
    posted.append((last.data.posted, last.items.queue))
    return state, posted


def test_a_state_is_rebuilt_over_full_batches() -> None:
    state, posted = chain()
    assert rebuild(new_state(), 31337, 3, posted).root == state.root


@pytest.mark.parametrize(
    ("word", "reason", "error"),
    [
        (4, "batch number does not come out", InvalidError),
        (8, "the batch is not for this state", InvalidError),
        (9, "new_root does not come out", InvalidError),
        (10, "queue_results does not come out", InvalidError),
        (3, "wrong shard", BadInputError),
    ],
)
def test_a_full_batch_that_does_not_hold_rebuilds_nothing(word: int, reason: str, error: type[AitbcError]) -> None:
    _, posted = chain()
    words = to_words(posted[1][0], "x")
    words[word] ^= 1
    posted[1] = (to_data(words), posted[1][1])
    with pytest.raises(error, match=reason.replace("_", " ")) as caught:
        rebuild(new_state(), 31337, 3, posted)
    assert "batch 2" in str(caught.value)


def test_what_is_posted_and_what_is_signed_have_one_message(batch: FullBatch) -> None:
    for session, posted in zip(ITEMS["sessions"], batch.data.inputs.sessions, strict=True):
        assert session.session.message(DOMAIN) == posted.message(DOMAIN)
    for transfer, given in zip(ITEMS["transfers"], batch.data.inputs.transfers, strict=True):
        assert transfer.transfer.message(DOMAIN) == given.message(DOMAIN)
