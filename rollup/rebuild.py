"""The state again, from genesis, the posted data and the queue alone: what L1 keeps is enough.

No records, no signatures, no proofs: a finalized batch's data already have them behind it. What is checked is that
the data decode, that nothing in them contradicts the accounts, and that the roots come out as the headers say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aitbc_rollup.circuits.statements.batch.layout import ELSEWHERE, Kind
from aitbc_rollup.circuits.statements.batch.memory import Clock
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError, InvalidError, next_step

from .binding import to_words
from .data import BatchData, Head, decode, read_head
from .full import judgement as full
from .full.data import decode_full
from .journal import Journal
from .posted import PostedSession, PostedTransfer
from .state import State
from .transactions import QueueItem
from .transition import apply_credit, apply_queue_item, apply_registration, apply_session, apply_transfer

#: By a batch's header and its posted data, what :attr:`BatchData.elsewhere` has of it.
Elsewhere = Callable[[Head, bytes], bytes]


def nothing_elsewhere(head: Head, posted: bytes) -> bytes:
    """The answer of who reads nothing but transactions."""
    return b""


def apply(state: State, data: BatchData, place: str) -> None:
    """Apply a batch's data to a state.

    Raises:
        InvalidError: the state's root before or after is not the header's, or a transaction does not fit its account.
    """
    _expect("old root", data.old_root, state.root, place)
    journal = Journal(state)
    clock = Clock(_shape_of(data))
    credit = 0
    try:
        for q, (item, posted) in enumerate(zip(data.queue_items, data.queue_results, strict=True)):
            result = apply_queue_item(journal, clock.queue_item(q), item)
            _expect("result", str(result), str(posted), f"{place}, queue item {q}")
        for g, registration in enumerate(data.registrations):
            apply_registration(journal, clock.registration(g), registration)
        for t, transfer in enumerate(data.transfers):
            _check_transfer(journal, transfer, f"{place}, transfer {t}")
            credit += apply_transfer(journal, clock.transfer(t), transfer)
        for s, session in enumerate(data.sessions):
            _check_session(journal, session, f"{place}, session {s}")
            credit += apply_session(journal, clock.session(s), session)
        apply_credit(journal, clock.operator, data.context.operator_index, credit)
    except BadInputError as error:
        raise InvalidError(error.message, place=error.place or place, expected=error.expected, got=error.got) from None
    _expect("new root", data.new_root, state.root, place)


@next_step("check that genesis is the one the contract was deployed with, and ask another node")
def rebuild(
    state: State,
    chain_id: int,
    shard: int,
    batches: Iterable[tuple[bytes, Sequence[QueueItem]]],
    elsewhere: Elsewhere = nothing_elsewhere,
) -> State:
    """The state after these batches, from the first on.

    Args:
        state: the genesis state; changed in place and given back.
        chain_id: of the chain.
        shard: the shard.
        batches: of each batch its posted data and the queue items it took.
        elsewhere: asked for the words of a batch that are not posted in its transaction.

    Raises:
        BadInputError: data that do not decode, or of another chain or shard.
        InvalidError: a batch number out of order, a transaction that does not fit, or roots that do not come out.
    """
    for number, (posted, queue_items) in enumerate(batches, start=1):
        apply_posted(state, chain_id, shard, number, posted, queue_items, elsewhere)
    return state


def apply_posted(
    state: State,
    chain_id: int,
    shard: int,
    number: int,
    posted: bytes,
    queue_items: Sequence[QueueItem],
    elsewhere: Elsewhere = nothing_elsewhere,
) -> Head:
    """Apply one batch of a chain to the state before it; returns what its header says.

    Raises:
        BadInputError: data that do not decode, or of another chain or shard.
        InvalidError: another number, a transaction that does not fit, or roots that do not come out.
    """
    place = f"batch {number}"
    words = to_words(posted, place)
    head = read_head(words, queue_items, place)
    domain = head.context.domain
    for name, right, got in (("chain_id", chain_id, domain.chain_id), ("shard", shard, domain.shard)):
        if got != right:
            raise BadInputError(f"wrong {name}", place=place, expected=str(right), got=str(got))
    _expect("batch number", number, head.context.batch_number, place)
    if head.context.kind == Kind.FULL:
        full.apply(state, decode_full(words, queue_items, place), place)
    else:
        beside = elsewhere(head, posted) if ELSEWHERE[head.context.kind] else b""
        apply(state, decode(words, queue_items, place, to_words(beside, f"{place}, elsewhere")), place)
    return head


def _shape_of(data: BatchData) -> Shape:
    """A circuit just large enough: where the times of the fold come from, which nobody looks at here."""
    sessions = max(1, len(data.sessions))
    return Shape(
        pages=sessions,
        sessions=sessions,
        accounts=3,
        queue=len(data.queue_items),
        registrations=len(data.registrations),
        transfers=len(data.transfers),
        signatures=1,
    )


def _check_transfer(journal: Journal, posted: PostedTransfer, place: str) -> None:
    """What the data themselves show of a transfer's validity."""
    sender = journal.account(posted.from_index)
    claimed = posted.valid and posted.exit
    _expect("claim", sender.l1_owner if claimed else 0, posted.address, place)
    if posted.valid:
        _expect("nonce", sender.nonce, posted.nonce, place)
        _covered(sender.balance, posted.amount + posted.fee, place)
        _existing(journal, (posted.from_index, *([] if posted.exit else [posted.to_index])), place)
    elif posted.fee:
        raise _effects("transfer", posted, place)


def _check_session(journal: Journal, posted: PostedSession, place: str) -> None:
    """What the data themselves show of a session's validity."""
    if posted.valid:
        agent = journal.account(posted.agent_index)
        _expect("nonce", agent.nonce, posted.nonce, place)
        _covered(agent.balance, posted.fee, place)
        _existing(journal, (posted.agent_index, posted.provider_index), place)
    elif posted.fee or posted.history_root or any(posted.usage):
        raise _effects("session", posted, place)


def _effects(what: str, posted: PostedSession | PostedTransfer, place: str) -> InvalidError:
    return InvalidError(f"an invalid {what} with effects", place=place, expected="zeros", got=str(posted))


def _existing(journal: Journal, indices: Iterable[int], place: str) -> None:
    for index in indices:
        if not journal.account(index).exists:
            raise InvalidError("unknown account", place=place, expected="an account of the shard", got=str(index))


def _covered(balance: int, amount: int, place: str) -> None:
    if amount > balance:
        raise InvalidError("the balance does not cover it", place=place, expected=f"≤ {balance}", got=str(amount))


def _expect(what: str, right: int | str, got: int | str, place: str) -> None:
    if right != got:
        raise InvalidError(f"{what} does not come out", place=place, expected=str(right), got=str(got))
