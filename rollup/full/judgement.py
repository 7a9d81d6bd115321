"""A full batch redone: the fold of its inputs, and by it what is right of what its proposer said.

The fold is the protocol's, with this apart: an operator's index without an account loses the operator his credit, and
a session brings no usage. Nothing in inputs makes it fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aitbc_rollup.algebra.eddsa import verify_short
from aitbc_rollup.circuits.statements.batch.layout import INDEX_BITS
from aitbc_rollup.circuits.statements.batch.memory import Clock
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import InvalidError

from ..binding import to_words
from ..data import flat
from ..journal import Journal
from ..posted import QueueResult
from ..state import State
from ..transactions import QueueItem
from ..transition import (
    Refusal,
    apply_credit,
    apply_queue_item,
    apply_session,
    apply_transfer,
    judge_session,
    judge_transfer,
    posted_session,
    posted_transfer,
)
from .data import FullData, FullInputs, Outcome, decode_full
from .posted import FullSession, FullTransfer


@dataclass(frozen=True, slots=True)
class Results:
    """What the fold finds, each kind in its order; ``refusals`` has of what is not valid its place and why."""

    queue: tuple[QueueResult, ...]
    transfers: tuple[QueueResult, ...]
    refusals: tuple[tuple[str, Refusal], ...]

    def outcome(self, new_root: int) -> Outcome:
        """What is posted of them."""
        queue, transfers = (tuple(flat(result.words for result in kind)) for kind in (self.queue, self.transfers))
        return Outcome(new_root, queue, transfers)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A full batch as posted, and the outcome that its inputs have."""

    data: FullData
    right: Outcome
    refusals: tuple[tuple[str, Refusal], ...]

    @property
    def holds(self) -> bool:
        """Whether the posted outcome is right: where it is not, a challenge that names ``right.digest`` wins."""
        return self.data.outcome == self.right


def judge(
    state: State,
    posted: bytes,
    queue_items: Sequence[QueueItem],
    place: str = "full batch",
    index_bits: int = INDEX_BITS,
) -> Judgement:
    """Redo a full batch.

    Args:
        state: what the batch is applied to, which is left as it is.
        posted: the bytes that the proposer posted.
        queue_items: the items that the batch took from the contract's queue.
        place: of the batch, for error messages.
        index_bits: of the circuit that settles disputes: from 2^index_bits on it finds no account. Where there is none,
            as genesis and registrations see to in a rollup whose circuits agree on it, it makes no difference.

    Raises:
        BadInputError: bytes that the contract does not let pass as a full batch.
        InvalidError: the batch is not for this state.
    """
    data = decode_full(to_words(posted, place), queue_items, place)
    _check_root(state, data.inputs, place)  # and brings its tree up to date, over which an overlay lies
    right, refusals = recompute(State(state), data.inputs, place, index_bits)
    return Judgement(data, right, refusals)


def recompute(
    state: State, inputs: FullInputs, place: str, index_bits: int = INDEX_BITS
) -> tuple[Outcome, tuple[tuple[str, Refusal], ...]]:
    """Apply inputs to a state, changed in place; returns the outcome, and of what is not valid its place and why.

    ``index_bits`` is as for :func:`judge`.

    Raises:
        InvalidError: the state's root is not the inputs' old root.
    """
    _check_root(state, inputs, place)
    room = Shape.full(max(1, len(inputs.sessions)), queue=len(inputs.queue_items), transfers=len(inputs.transfers))
    results = fold(Journal(state, index_bits), Clock(room), inputs)
    return results.outcome(state.root), results.refusals


def _check_root(state: State, inputs: FullInputs, place: str) -> None:
    if state.root != inputs.old_root:
        raise InvalidError(
            "the batch is not for this state", place=place, expected=str(state.root), got=str(inputs.old_root)
        )


def apply(state: State, data: FullData, place: str) -> None:
    """Apply a full batch that L1 has accepted to a state, changed in place.

    Raises:
        InvalidError: the state's root before or the outcome is not the batch's.
    """
    right, _ = recompute(state, data.inputs, place)
    for what in ("queue_results", "transfer_results", "new_root"):
        expected, got = getattr(right, what), getattr(data.outcome, what)
        if expected != got:
            what = what.replace("_", " ")
            raise InvalidError(f"{what} does not come out", place=place, expected=str(expected), got=str(got))


def fold(journal: Journal, clock: Clock, inputs: FullInputs) -> Results:
    """Apply a full batch's inputs.

    Args:
        journal: the state, changed in place.
        clock: when each slot visits its accounts.
        inputs: the inputs.
    """
    queue = tuple(apply_queue_item(journal, clock.queue_item(q), item) for q, item in enumerate(inputs.queue_items))
    transfers: list[QueueResult] = []
    refusals, credit = [], 0
    for t, transfer in enumerate(inputs.transfers):
        refusal = _judge_transfer(journal, transfer, inputs)
        posted = posted_transfer(journal, transfer, valid=refusal is None)
        credit += apply_transfer(journal, clock.transfer(t), posted)
        transfers.append(QueueResult(posted.valid, posted.amount if posted.address else 0, posted.address))
        refusals += [(f"transfer {t}", refusal)] if refusal else []
    for s, session in enumerate(inputs.sessions):
        message = session.message(inputs.context.domain)
        refusal = _judge_session(journal, session, message, inputs)
        paid = posted_session(journal, session, message, countersigned=False, valid=refusal is None)
        credit += apply_session(journal, clock.session(s), paid)
        refusals += [(f"session {s}", refusal)] if refusal else []
    operator = inputs.context.operator_index
    if journal.account(operator).exists:
        apply_credit(journal, clock.operator, operator, credit)
    else:
        journal.visit(clock.operator, operator)
    return Results(queue, tuple(transfers), tuple(refusals))


def _judge_transfer(journal: Journal, transfer: FullTransfer, inputs: FullInputs) -> Refusal | None:
    if transfer.exit and transfer.to_index:
        return Refusal("an exit names a receiver", expected="to_index 0", got=str(transfer.to_index))
    sender = journal.account(transfer.from_index)
    signed = verify_short(sender.public_key, transfer.message(inputs.context.domain), transfer.signature)
    return judge_transfer(journal, transfer, signed, inputs.context.l1_time)


def _judge_session(journal: Journal, session: FullSession, message: int, inputs: FullInputs) -> Refusal | None:
    agent = journal.account(session.agent_index)
    signed = verify_short(agent.public_key, message, session.signature)
    return judge_session(journal, session, [signed], inputs.context.l1_time)
