"""Receipts: that one record is in a final state, from a state root alone (``docs/protocol.md``, "Receipt").

The record stands among the words of its session, whose message stands in the history of the agent's account, which
stands under the root. ``contracts/src/integrations/Receipts.sol`` checks the same on L1. That the root is final is for
the chain to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from aitbc_rollup.algebra.poseidon import MAX_INPUTS, poseidon
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import RECORD_WORDS, TREE_ARITY, TREE_DEPTH, Tag
from aitbc_rollup.errors import BadInputError, InvalidError, next_step

from .account_proof import AccountProof, is_account, prove_account
from .accounts import next_history_root
from .batch import Batch
from .records import RunRecord
from .state import State
from .transactions import PAGE_WORDS, Domain, fold_words, pages_of, session_words

_HISTORY_ROOT = layout.LEAF.index("history_root")
_EXTERNAL_ID = layout.LEAF.index("external_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A record's way to a state root; all words are integers in [0, r).

    Args:
        domain: chain, contract and shard.
        batch_number: the batch after which ``account.root`` is the state root.
        place: number of the record in its session, from 0.
        state_before: state of the fold over the session's words before the block of 16 in which the record begins.
        words: the words from that block to the end of the session's last page.
        terms: the message's third word, ``layout.SESSION_TERMS``.
        fees: its fourth, ``layout.SESSION_FEES``.
        history_before: the agent's history root before the session.
        later_messages: messages of the agent's sessions after it, up to the root.
        account: the agent's account under the root.
    """

    domain: Domain
    batch_number: int
    place: int
    state_before: int
    words: tuple[int, ...]
    terms: int
    fees: int
    history_before: int
    later_messages: tuple[int, ...]
    account: AccountProof

    @property
    def record(self) -> tuple[int, ...]:
        """The five words of the record, r₀ … r₄; fewer if words are missing."""
        start = self.place * RECORD_WORDS % MAX_INPUTS
        return self.words[start : start + RECORD_WORDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a receipt proves: agent, nonce and place name a run once in its rollup."""

    agent_index: int
    provider_index: int
    nonce: int
    place: int
    external_id: int
    record: RunRecord

    @property
    def run_hash(self) -> int:
        """The name by which later runs give this one as a parent."""
        return self.record.run_hash(self.agent_index)


def make(batch: Batch, session: int, place: int) -> Receipt:
    """The receipt of a record, under the root after its own batch.

    Args:
        batch: the batch that settled it.
        session: number of its session in the batch, from 0.
        place: its number in the session, from 0.

    Raises:
        BadInputError: there is no such record, or its session is not valid.
    """
    where = f"batch {batch.data.context.batch_number}"
    if session >= len(batch.items.sessions):
        raise _none("session", where, len(batch.items.sessions), session)
    found, posted = batch.items.sessions[session].session, batch.data.sessions
    if place >= found.count:
        raise _none("record", f"{where}, session {session}", found.count, place)
    if not posted[session].valid:
        raise BadInputError(
            "the session is not valid, so its records are in no state", place=f"{where}, session {session}"
        )
    agent, words, skipped = found.agent_index, found.page_words, _block(place)
    before = [said.history_root for said in posted[:session] if said.valid and said.agent_index == agent]
    opened = next(account.before for account in batch.accounts if account.index == agent)
    domain = batch.data.context.domain
    terms, fees = session_words(found)
    later = zip(batch.items.sessions[session + 1 :], posted[session + 1 :], strict=True)
    return Receipt(
        domain=domain,
        batch_number=batch.data.context.batch_number,
        place=place,
        state_before=fold_words(words[:skipped]),
        words=words[skipped:],
        terms=terms,
        fees=fees,
        history_before=before[-1] if before else opened.history_root,
        later_messages=tuple(
            signed.session.message(domain) for signed, said in later if said.valid and said.agent_index == agent
        ),
        account=prove_account(_closing(batch), agent),
    )


@next_step("do not rely on this receipt: have it made again by whoever runs the node")
def verify(receipt: Receipt) -> Run:
    """The run that a receipt proves to be in the state with its root.

    Raises:
        InvalidError: naming what does not follow.
    """
    terms = _unpacked(layout.SESSION_TERMS, receipt.terms, "terms")
    _unpacked(layout.SESSION_FEES, receipt.fees, "fees")
    _check_words(receipt, terms["count"])
    record = _unpacked(layout.RECORD_WORD_0, receipt.record[0], "record")
    record |= _unpacked(layout.RECORD_WORD_1, receipt.record[1], "record")
    agent = terms["agent_index"]
    _expect("the record's agent", agent, record.pop("agent_index"))
    _expect("the account's history root", receipt.account.leaf[_HISTORY_ROOT], _history(receipt))
    _expect("the account's index", agent, receipt.account.index)
    if not is_account(receipt.account):
        raise InvalidError("the agent's account is not under the root", place=f"account {agent}")
    elements = dict(zip(layout.RECORD_ELEMENTS, receipt.record[2:], strict=True))
    return Run(
        agent_index=agent,
        provider_index=terms["provider_index"],
        nonce=terms["nonce"],
        place=receipt.place,
        external_id=receipt.account.leaf[_EXTERNAL_ID],
        record=RunRecord(**record, **elements),
    )


def _check_words(receipt: Receipt, count: int) -> None:
    """The place is that of a record, and the words are as many as from its block on, with zeros where no record is."""
    if receipt.place >= count:
        raise InvalidError("there is no such record", place="place", expected=f"below {count}", got=str(receipt.place))
    skipped = _block(receipt.place)
    _expect("the number of words", PAGE_WORDS * pages_of(count) - skipped, len(receipt.words))
    if skipped == 0:
        _expect("the state before the first word", int(Tag.RECORDS), receipt.state_before)
    if any(receipt.words[RECORD_WORDS * count - skipped :]):
        raise InvalidError("a record beyond the session's count is not zero", place="words")


def _block(place: int) -> int:
    """Where the block begins in which a record does, in words of its session."""
    return place * RECORD_WORDS // MAX_INPUTS * MAX_INPUTS


def _history(receipt: Receipt) -> int:
    """The agent's history root after the session and those that came later."""
    records_root = fold_words(receipt.words, receipt.state_before)
    message = poseidon([receipt.domain.element, records_root, receipt.terms, receipt.fees], initial_state=Tag.SESSION)
    history = receipt.history_before
    for said in (message, *receipt.later_messages):
        history = next_history_root(history, said)
    return history


def _closing(batch: Batch) -> State:
    """The accounts that a batch touches and the nodes around them, as it left them."""
    state = State()
    state.accounts |= {account.index: account.after for account in batch.accounts}
    state.nodes |= {
        (level, TREE_ARITY * family.index + place): node
        for level, families in enumerate(batch.levels)
        for family in families
        for place, node in enumerate(family.after)
    }
    state.nodes[TREE_DEPTH, 0] = batch.data.new_root
    return state


def _unpacked(part: layout.Layout, word: int, place: str) -> dict[str, int]:
    try:
        return layout.unpack(part, word)
    except ValueError as error:
        raise InvalidError(str(error), place=place) from None


def _expect(what: str, right: int, got: int) -> None:
    if right != got:
        raise InvalidError(f"{what} does not come out", expected=str(right), got=str(got))


def _none(what: str, place: str, count: int, got: int) -> BadInputError:
    return BadInputError(
        f"no such {what}", place=place, expected=f"0 to {count - 1}" if count else "none", got=str(got)
    )
