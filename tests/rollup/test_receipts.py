"""Receipts, by the plain twin of the contract: what they prove, and that nothing else passes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from receipt_world import ALICE, BOB, EXTERNAL_ID, NOT_VALID, PROVIDER, SESSIONS, genesis, settled
from repository import REPOSITORY

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.statements.batch.layout import Tag
from aitbc_rollup.errors import BadInputError, InvalidError
from aitbc_rollup.rollup.account_proof import prove_account
from aitbc_rollup.rollup.accounts import next_history_root
from aitbc_rollup.rollup.batch import Batch
from aitbc_rollup.rollup.receipt_codec import FORMAT, receipt_from_json, receipt_to_json
from aitbc_rollup.rollup.receipts import Receipt, make, verify
from aitbc_rollup.rollup.records import digest_element
from aitbc_rollup.rollup.transactions import Domain

DOMAIN = Domain(31337, 0xC0FFEE, 3)
LONG = 2


@cache
def batch() -> Batch:
    return settled(DOMAIN)


def receipt(session: int = LONG, place: int = 20) -> Receipt:
    return make(batch(), session, place)


@pytest.mark.parametrize("session", [number for number in range(len(SESSIONS)) if number != NOT_VALID])
def test_every_record_has_a_receipt(session: int) -> None:
    agent, nonce, count = SESSIONS[session]
    signed = batch().items.sessions[session].session
    for place in range(count):
        made = receipt(session, place)
        run = verify(made)
        assert (run.agent_index, run.provider_index, run.nonce, run.place) == (agent, PROVIDER, nonce, place)
        assert run.record == signed.records[place]
        assert run.run_hash == signed.run_hashes[place]
        assert run.external_id == EXTERNAL_ID
        assert made.account.root == batch().data.new_root
        assert len(made.words) == 80 * signed.pages - 5 * place // 16 * 16


def test_the_history_is_the_agents_own() -> None:
    """Before the session: the agent's earlier ones, not others'. After it: those that are valid."""
    alice = [signed.session.message(DOMAIN) for signed in batch().items.sessions if signed.session.agent_index == ALICE]
    first, second, _, third = alice
    assert receipt(0, 0).history_before == 0
    assert receipt(0, 0).later_messages == (second, third)
    assert receipt().history_before == next_history_root(0, first)
    assert receipt().later_messages == (third,)
    assert receipt(1, 0).later_messages == ()
    assert receipt(1, 0).account.index == BOB


def test_history_goes_on_from_batches_before() -> None:
    world = genesis().state()
    settled(DOMAIN, world)
    grown = world.account(BOB).history_root
    second = settled(DOMAIN, world, 2, [(BOB, 1, 3)])
    made = make(second, 0, 2)
    assert made.history_before == grown == receipt(1, 0).account.leaf[6]
    assert verify(made).nonce == 1
    assert made.batch_number == 2


def test_a_later_root_does_as_well() -> None:
    """Nothing of the agent's happened since: its account alone is proven anew."""
    later = genesis().state()
    settled(DOMAIN, later)
    settled(DOMAIN, later, 2, [(BOB, 1, 3)])
    moved = replace(receipt(), batch_number=2, account=prove_account(later, ALICE))
    assert verify(moved) == verify(receipt())


@pytest.mark.parametrize(
    ("session", "place", "message"),
    [(len(SESSIONS), 0, "no such session"), (LONG, 37, "no such record"), (NOT_VALID, 0, "session is not valid")],
)
def test_what_has_no_receipt(session: int, place: int, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        make(batch(), session, place)


def changed(made: Receipt, name: str, at: int | None, word: int) -> Receipt:
    """The receipt with one word replaced; ``account.…`` is a field of the account's proof."""
    owner, name = (made.account, name[8:]) if name.startswith("account.") else (made, name)
    value: Any = getattr(owner, name)
    other: Any = replace(owner, **{name: word if at is None else (*value[:at], word, *value[at + 1 :])})
    return other if isinstance(other, Receipt) else replace(made, account=other)


def words_of(made: Receipt) -> list[tuple[str, int | None, int]]:
    """Every word of a receipt: where it is, and its value."""
    names = ("state_before", "words", "terms", "fees", "history_before", "later_messages", "place")
    found: list[tuple[str, int | None, int]] = []
    for name in (*names, "account.root", "account.index", "account.leaf", "account.siblings"):
        owner, field = (made.account, name[8:]) if name.startswith("account.") else (made, name)
        value = getattr(owner, field)
        found += (
            [(name, i, word) for i, word in enumerate(value)] if isinstance(value, tuple) else [(name, None, value)]
        )
    return found


def test_no_word_may_change() -> None:
    made = receipt(LONG, 36)  # alone in its block: another place would prove another record, and truly
    verify(made)
    for name, at, word in words_of(made):
        with pytest.raises(InvalidError):
            verify(changed(made, name, at, word ^ 1))


def test_another_domain_is_refused() -> None:
    for domain in (Domain(1, 0xC0FFEE, 3), Domain(31337, 0xC0FFED, 3), Domain(31337, 0xC0FFEE, 4)):
        with pytest.raises(InvalidError, match="history root"):
            verify(replace(receipt(), domain=domain))


def test_a_place_beyond_the_count_is_no_record() -> None:
    with pytest.raises(InvalidError, match="there is no such record"):
        verify(replace(receipt(LONG, 36), place=37))


def test_words_are_counted_from_the_end() -> None:
    made = receipt()
    for words in (made.words[:-80], made.words[16:], made.words[:-1], (*made.words, *[0] * 80), ()):
        with pytest.raises(InvalidError, match="number of words"):
            verify(replace(made, words=words))
    with pytest.raises(InvalidError, match="state before the first word"):
        verify(replace(receipt(LONG, 3), state_before=int(Tag.RECORDS) + 1))


def test_a_message_left_out_or_invented_is_refused() -> None:
    for messages in ((), (*receipt().later_messages, 1)):
        with pytest.raises(InvalidError, match="history root"):
            verify(replace(receipt(), later_messages=messages))


def test_the_external_id_of_an_erc_8004_agent_is_a_digest() -> None:
    """The one that the contracts' tests expect of ``ERC8004RunValidator``."""
    found = digest_element(b"eip155:31337:0x8004a169fb4a3325136eb29fa0ceb6d2e539a432:22")
    test = REPOSITORY / "contracts" / "test" / "integrations" / "RunAdapters.t.sol"
    assert f"assertEq(externalId, {found:#064x})" in test.read_text()


# -- as JSON --------------------------------------------------------------------------------------------------------


def document(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(receipt_to_json(receipt())))
    return plain | changes


def test_json_and_back() -> None:
    assert receipt_from_json(document(), "x") == receipt()
    assert document()["format"] == FORMAT
    assert document()["record"] == [str(word) for word in batch().items.sessions[LONG].session.records[20].words(ALICE)]


@pytest.mark.parametrize("name", sorted(document()))
def test_a_field_left_out_is_refused(name: str) -> None:
    left = document()
    del left[name]
    with pytest.raises(BadInputError, match="a field is missing"):
        receipt_from_json(left, "x")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "aitbc-rollup/receipt/v2"},
        {"more": 1},
        {"chain_id": "31337"},
        {"contract": "0x12"},
        {"place": -1},
        {"place": 1 << 16},
        {"place": True},
        {"state_before": str(R)},
        {"terms": str(1 << 168)},
        {"fees": str(1 << 128)},
        {"record": ["0"] * 5},
        {"record": ["0"] * 4},
        {"account": ["0"] * 7},
        {"siblings": ["0"] * 49},
        {"siblings": ["0"] * 47 + [str(R)]},
        {"later_messages": [1]},
        {"later_messages": "1"},
        {"account_index": 1 << 32},
        {"words": []},
        {"root": "0x1"},
    ],
)
def test_json_that_breaks_the_format_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        receipt_from_json(document(**changes), "x")
