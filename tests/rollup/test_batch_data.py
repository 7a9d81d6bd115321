"""Data words, their binding, and the state again from them alone."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence

import pytest
from batch_world import (
    ALICE,
    BOB,
    FREE,
    L1_TIME,
    OPERATOR,
    PROVIDER,
    SHAPE,
    new_state,
    owner,
    queue_item,
    record,
    registration,
    run,
    session,
    transfer,
)
from eth_hash.auto import keccak

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import sponge
from aitbc_rollup.circuits.statements.batch.layout import QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import AitbcError, BadInputError, InvalidError
from aitbc_rollup.rollup.batch import Batch
from aitbc_rollup.rollup.binding import to_data, to_words
from aitbc_rollup.rollup.data import decode
from aitbc_rollup.rollup.rebuild import rebuild
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.transactions import QueueItem

DEPOSIT, EXIT, MOVE = QueueKind
STRANGER = 0xBAD


@pytest.fixture(scope="module")
def batch() -> Batch:
    return run(
        new_state(),
        queue=[queue_item(EXIT, ALICE), queue_item(DEPOSIT, FREE, sender=STRANGER)],
        registrations=[registration(permissions=2, external_id=77)],
        transfers=[transfer(exit=True), transfer(BOB, 5)],
        sessions=[session(nonce=1, countersigner=PROVIDER), session(BOB, 9)],
    )


def test_words_are_what_the_protocol_says(batch: Batch) -> None:
    sections = batch.data.sections
    counts = 2 + 1 * 2**16 + 2 * 2**32 + 2 * 2**48 + 2 * 2**80 + OPERATOR * 2**112
    assert sections["header"] == [
        2, 31337, 0xC0FFEE, 3, 1, counts, 1, L1_TIME, batch.data.old_root, batch.data.new_root,
    ]  # fmt: skip
    assert sections["queue_items"] == [
        2 + ALICE * 2**8 + 1000 * 2**72, owner(ALICE), 1 + FREE * 2**8 + 1000 * 2**72, STRANGER,
    ]  # fmt: skip
    assert sections["queue_results"] == [1000 + owner(ALICE) * 2**88 + 2**248, 1000 + STRANGER * 2**88]
    made = registration()
    assert sections["registrations"] == [FREE, *made.public_key, owner(FREE) + 2 * 2**160, 77]
    exit_flag, valid = 2**96, 2**97
    assert sections["transfers"] == [
        ALICE + exit_flag + valid + 10 * 2**98, 1000 + owner(ALICE) * 2**88,
        BOB + BOB * 2**32 + 5 * 2**64, 1000,
    ]  # fmt: skip
    terms = PROVIDER * 2**32 + 2 * 2**96 + 500 * 2**112
    usage = 9 + 8 * 2**42 + 7 * 2**84 + 6 * 2**126 + 200 * 2**168 + 14 * 2**210
    history = batch.data.sessions[0].history_root
    assert sections["sessions"] == [
        history, ALICE + 1 * 2**64 + terms + 499 * 2**128 + 2**192 + 2**193, usage, 0, BOB + 9 * 2**64 + terms, 0,
    ]  # fmt: skip


def test_the_polynomial_has_room_and_the_post_has_none(batch: Batch) -> None:
    words, sections = batch.data.polynomial(SHAPE), batch.data.sections
    assert len(words) == SHAPE.n_words
    for name, section in SHAPE.sections.items():
        assert words[section.start : section.start + len(sections[name])] == sections[name]
        assert not any(words[section.start + len(sections[name]) : section.start + section.words])
    posted = [word for name in sections if name != "queue_items" for word in sections[name]]
    assert batch.data.posted == b"".join(word.to_bytes(32, "big") for word in posted)


def test_binding_is_what_the_protocol_says(batch: Batch) -> None:
    words, binding = batch.data.polynomial(SHAPE), batch.binding
    assert binding.commitment == sponge(5, words)
    queue = b"".join(word.to_bytes(32, "big") for word in batch.data.sections["queue_items"])
    tagged = (
        b"aitbc-rollup/data/v2" + binding.commitment.to_bytes(32, "big") + keccak(batch.data.posted) + keccak(queue)
    )
    assert binding.zeta == int.from_bytes(keccak(tagged), "big") % R
    assert binding.evaluation == sum(word * pow(binding.zeta, i, R) for i, word in enumerate(words)) % R
    assert binding.public_inputs(9) == [binding.commitment, binding.zeta, binding.evaluation, 9]
    assert binding.digest == keccak(to_data(binding.public_inputs(9)[:3]))


def test_words_and_back(batch: Batch) -> None:
    assert decode(to_words(batch.data.posted, "x"), batch.items.queue, "x") == batch.data
    assert [QueueItem.from_words(*item.words) for item in batch.items.queue] == list(batch.items.queue)


def test_more_data_than_the_circuit_has_room_for(batch: Batch) -> None:
    with pytest.raises(BadInputError, match="more words of sessions than"):
        batch.data.polynomial(Shape.for_records(16, transfers=2))


# -- from L1 data alone --------------------------------------------------------------------------------------


def random_batch(choose: random.Random, state: State, number: int, shape: Shape = SHAPE) -> Batch:
    """Transactions at random, about one in four of them not valid."""
    people = [OPERATOR, PROVIDER, ALICE, BOB, FREE]
    nonces = {index: state.account(index).nonce for index in people}
    person, slip = (lambda: choose.choice(people)), (lambda: choose.random() < 0.25)
    queue = [
        queue_item(choose.choice([DEPOSIT, EXIT, MOVE]), a, choose.randrange(20_000), b=person(), sender=sender)
        for a, sender in ((person(), owner(person()) if slip() else None) for _ in range(choose.randrange(6)))
    ]
    transfers, sessions = [], []
    for _ in range(choose.randrange(5)):
        who, leave = person(), choose.random() < 0.3
        receiver = 0 if leave else person()
        transfers.append(
            transfer(
                who, nonces[who], to_index=receiver, exit=leave, amount=choose.randrange(9_000), fee=choose.randrange(9)
            )
        )
        nonces[who] += not slip()
    for _ in range(choose.randrange(7)):
        who = person()
        records = tuple(record(fee=choose.randrange(2_000), wall_ms=choose.randrange(2**32)) for _ in range(2))
        share = choose.randrange(2_001)
        sessions.append(session(who, nonces[who], provider_index=person(), operator_share_bps=share, records=records))
        nonces[who] += not slip()
    new = [registration()] if not state.account(FREE).exists and choose.random() < 0.4 else []
    return run(state, shape, number, queue=queue, registrations=new, transfers=transfers, sessions=sessions)


def value_in_and_out(batch: Batch) -> tuple[int, int]:
    """What entered the rollup with a batch, and what it lets out of it as claims."""
    deposited = sum(item.amount for item in batch.items.queue if item.kind == DEPOSIT)
    claims = [*batch.data.queue_results, *(entry for entry in batch.data.transfers)]
    return deposited, sum(claim.amount for claim in claims if claim.address)


@pytest.mark.parametrize("seed", range(8))
def test_money_is_kept_nonces_rise_and_the_state_is_rebuilt(seed: int) -> None:
    choose = random.Random(seed)
    state, posted = new_state(), []
    valid = 0
    for number in range(1, 5):
        before = dict(state.accounts)
        batch = random_batch(choose, state, number)
        after = state.accounts
        came, went = value_in_and_out(batch)
        total = sum(entry.balance for entry in after.values()) - sum(entry.balance for entry in before.values())
        assert total == came - went
        for index, entry in after.items():
            signed = sum(
                item.valid
                for item in (*batch.data.sessions, *batch.data.transfers)
                if index == (item.agent_index if hasattr(item, "agent_index") else item.from_index)
            )
            assert entry.nonce == (before[index].nonce if index in before else 0) + signed
            valid += signed
        assert len(batch.results.refusals) == sum(
            not item.valid for item in (*batch.data.sessions, *batch.data.transfers)
        )
        posted.append((batch.data.posted, batch.items.queue))
    assert valid
    again = rebuild(new_state(), 31337, 3, posted)
    assert again.root == state.root
    assert {index: again.account(index) for index in state.accounts} == state.accounts


def altered(batch: Batch, word: int, change: Callable[[int], int]) -> tuple[bytes, Sequence[QueueItem]]:
    words = to_words(batch.data.posted, "x")
    words[word] = change(words[word])
    return to_data(words), batch.items.queue


#: One posted word changed: 10 and 11 queue results, 12 to 16 registration, 17 to 20 transfers, 21 to 26 sessions.
ALTERED: list[tuple[int, Callable[[int], int], type[AitbcError], str]] = [
    (0, lambda w: 1, BadInputError, "unknown version"),
    (1, lambda w: 1337, BadInputError, "wrong chain_id"),
    (2, lambda w: w + 2**160, BadInputError, "contract does not fit"),
    (3, lambda w: 1, BadInputError, "wrong shard"),
    (4, lambda w: 2, InvalidError, "batch number does not come out"),
    (5, lambda w: w - 1, BadInputError, "wrong number of queue items"),
    (5, lambda w: w + 2**16, BadInputError, "the length does not fit the counts"),
    (5, lambda w: w + 2**80, BadInputError, "the number of records does not fit the sessions"),
    (5, lambda w: w + 2**112, InvalidError, "unknown operator"),
    (5, lambda w: w + 2**144, BadInputError, "bits are set above the last field"),
    (8, lambda w: w + 1, InvalidError, "old root does not come out"),
    (9, lambda w: w + 1, InvalidError, "new root does not come out"),
    (10, lambda w: w - 2**248, InvalidError, "result does not come out"),
    (10, lambda w: w + 1, InvalidError, "result does not come out"),
    (11, lambda w: w + 2**88, InvalidError, "result does not come out"),
    (12, lambda w: ALICE, InvalidError, "no account can be registered at this index"),
    (12, lambda w: w + 2**32, BadInputError, "index does not fit"),
    (13, lambda w: w + 1, BadInputError, "the public key is no point of prime order"),
    (15, lambda w: w + 1, InvalidError, "new root does not come out"),
    (16, lambda w: w + 1, InvalidError, "new root does not come out"),
    (17, lambda w: w + 2**64, InvalidError, "nonce does not come out"),
    (17, lambda w: w + 2**98, InvalidError, "new root does not come out"),
    (17, lambda w: w - 2**97, InvalidError, "claim does not come out"),
    (17, lambda w: w - 2**96, InvalidError, "claim does not come out"),
    (18, lambda w: w + 10**6, InvalidError, "the balance does not cover it"),
    (18, lambda w: w + 2**88, InvalidError, "claim does not come out"),
    (19, lambda w: w + 2**98, InvalidError, "an invalid transfer with effects"),
    (20, lambda w: w + 2**88, InvalidError, "claim does not come out"),
    (21, lambda w: w + 1, InvalidError, "new root does not come out"),
    (22, lambda w: w + 2**64, InvalidError, "nonce does not come out"),
    (22, lambda w: w + 2**32, InvalidError, "unknown account"),
    (22, lambda w: w + 2**143, InvalidError, "the balance does not cover it"),
    (22, lambda w: w - 2**193, BadInputError, "the number of records does not fit the sessions"),
    (23, lambda w: w + 1, InvalidError, "new root does not come out"),
    (23, lambda w: w + 2**252, BadInputError, "bits are set above the last field"),
    (24, lambda w: 1, InvalidError, "an invalid session with effects"),
    (25, lambda w: w + 2**128, InvalidError, "an invalid session with effects"),
    (26, lambda w: 1, InvalidError, "an invalid session with effects"),
    (26, lambda w: R, BadInputError, "a data word is no field element"),
]


@pytest.mark.parametrize(("word", "change", "error", "message"), ALTERED)
def test_altered_data_are_noticed(
    batch: Batch, word: int, change: Callable[[int], int], error: type[AitbcError], message: str
) -> None:
    with pytest.raises(error) as caught:
        rebuild(new_state(), 31337, 3, [altered(batch, word, change)])
    assert caught.value.message == message


def test_another_queue_is_noticed(batch: Batch) -> None:
    items = list(batch.items.queue)
    items[0] = dataclasses.replace(items[0], amount=999)
    with pytest.raises(InvalidError, match="result does not come out"):
        rebuild(new_state(), 31337, 3, [(batch.data.posted, items)])
    with pytest.raises(BadInputError, match="wrong number of queue items"):
        rebuild(new_state(), 31337, 3, [(batch.data.posted, items[:1])])


@pytest.mark.parametrize(
    ("cut", "message"),
    [(1, "the data are not whole words"), (32, "the length does not fit"), (32 * 18, "the header is cut short")],
)
def test_data_cut_short(batch: Batch, cut: int, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        rebuild(new_state(), 31337, 3, [(batch.data.posted[:-cut], batch.items.queue)])


@pytest.mark.parametrize("words", [(4, 1), (0, 1), (1, 0), (1, 2**160), (2**160, 1)])
def test_words_that_are_no_queue_item(words: tuple[int, int]) -> None:
    with pytest.raises(BadInputError):
        QueueItem.from_words(*words)
