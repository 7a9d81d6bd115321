"""A full batch applied, and all that its circuit needs to redo it."""

from __future__ import annotations

from dataclasses import dataclass

from aitbc_rollup.circuits.statements.batch.memory import Clock
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError

from ..batch import TouchedAccount, touched_accounts
from ..binding import Binding
from ..data import BatchContext
from ..journal import Journal, Visit
from ..state import State
from ..transactions import Transactions
from ..transition import Refusal
from ..tree import Level
from .data import FullData, FullInputs
from .judgement import fold
from .posted import FullSession, FullTransfer


@dataclass(frozen=True, slots=True, kw_only=True)
class FullBatch:
    """A full batch applied; fields as of ``batch.Batch``, ``refusals`` those of what is not valid, with its place."""

    shape: Shape
    data: FullData
    refusals: tuple[tuple[str, Refusal], ...]
    accounts: tuple[TouchedAccount, ...]
    levels: tuple[Level, ...]
    visits: tuple[Visit, ...]

    @property
    def binding(self) -> Binding:
        """The data's commitment, challenge and evaluation."""
        return self.data.binding(self.shape)


def inputs_of(state: State, items: Transactions, context: BatchContext) -> FullInputs:
    """The inputs of a full batch of signed transactions, for a state; countersignatures are left out.

    Raises:
        BadInputError: a registration is among them: a full batch has none.
    """
    if items.registrations:
        raise BadInputError(
            "a registration in a full batch",
            expected="queue items, transfers and sessions",
            got=f"{len(items.registrations)} registrations",
            hint="the operator registers accounts when batches are proven again",
        )
    domain = context.domain
    return FullInputs(
        context=context,
        old_root=state.root,
        queue_items=items.queue,
        transfers=tuple(
            FullTransfer.of(signed, state.account(signed.transfer.from_index), domain) for signed in items.transfers
        ),
        sessions=tuple(
            FullSession.of(signed, state.account(signed.session.agent_index), domain) for signed in items.sessions
        ),
    )


def build_full(state: State, inputs: FullInputs, shape: Shape) -> FullBatch:
    """Apply inputs to a state, and write down the batch with the outcome they have, whatever has been said of it.

    The state is changed in place; where this raises, half of it (``state.State``).

    Raises:
        BadInputError: no room in the shape, or the state is not the one that the inputs are for.
    """
    if state.root != inputs.old_root:
        raise BadInputError("the batch is not for this state", expected=str(state.root), got=str(inputs.old_root))
    for what, items in (("queue", inputs.queue_items), ("transfers", inputs.transfers), ("sessions", inputs.sessions)):
        if len(items) > getattr(shape, what):
            raise BadInputError(
                f"more {what} than the circuit has room for",
                expected=f"at most {getattr(shape, what)} (shape {shape})",
                got=str(len(items)),
            )
    journal = Journal(state, shape.index_bits)
    results = fold(journal, Clock(shape), inputs)
    if not journal.opened:  # what names no account of the circuit visits none; but the tree is shown by way of one
        journal.opened[0] = state.account(0)
    levels = state.update(journal.opened)
    return FullBatch(
        shape=shape,
        data=FullData(inputs, results.outcome(state.root)),
        refusals=results.refusals,
        accounts=touched_accounts(journal),
        levels=levels,
        visits=tuple(journal.visits),
    )
