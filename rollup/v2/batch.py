"""A batch: transactions applied to a state, what it posts, and all that its circuit needs to redo it.

:func:`build` changes the state it is given; where it raises it has changed half of it, so give it an overlay and throw
that away (``state.State``).
"""

from __future__ import annotations

from dataclasses import dataclass

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError

from .accounts import Account
from .binding import Binding
from .data import BatchContext, BatchData
from .journal import Clock, Journal, Visit
from .state import State
from .transactions import Transactions
from .transition import Refusal, fold
from .tree import Level


@dataclass(frozen=True, slots=True)
class TouchedAccount:
    """An account that a batch visits, before and after it."""

    index: int
    before: Account
    after: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch applied.

    ``accounts`` are the touched ones in ascending order, ``levels`` the touched nodes of level 1 to 16, ``visits`` all
    visits to accounts in order of time, ``refusals`` the place of each invalid transfer and session, and why.
    """

    shape: Shape
    items: Transactions
    data: BatchData
    operator_credit: int
    accounts: tuple[TouchedAccount, ...]
    levels: tuple[Level, ...]
    visits: tuple[Visit, ...]
    refusals: tuple[tuple[str, Refusal], ...]

    @property
    def binding(self) -> Binding:
        """The data's commitment, challenge and evaluation."""
        return self.data.binding(self.shape)


def needed(items: Transactions, operator_index: int) -> dict[str, int]:
    """The room that transactions take in a circuit, by the names of a shape's fields."""
    touched = {operator_index}
    for item in items.queue:
        touched |= {item.a, item.b}
    touched |= {registration.index for registration in items.registrations}
    for transfer in items.transfers:
        touched |= {transfer.transfer.from_index, transfer.transfer.to_index}
    for session in items.sessions:
        touched |= {session.session.agent_index, session.session.provider_index}
    countersigned = sum(session.countersignature is not None for session in items.sessions)
    return {
        "pages": sum(session.session.pages for session in items.sessions),
        "sessions": len(items.sessions),
        "accounts": len(touched),
        "queue": len(items.queue),
        "registrations": len(items.registrations),
        "transfers": len(items.transfers),
        "signatures": len(items.sessions) + len(items.transfers) + countersigned,
    }


def check_room(items: Transactions, operator_index: int, shape: Shape) -> None:
    """Refuse what a circuit of this shape has no room for.

    Raises:
        BadInputError: naming what there is too much of.
    """
    for what, got in needed(items, operator_index).items():
        room = getattr(shape, what)
        if got > room:
            raise BadInputError(
                f"more {what} than the circuit has room for",
                expected=f"at most {room} (shape {shape})",
                got=str(got),
                hint="take less into one batch, or a larger --shape with a new state folder",
            )


def build(state: State, items: Transactions, context: BatchContext, shape: Shape) -> Batch:
    """Apply transactions to a state and write down the batch.

    An invalid transfer or session is no error here: it is a batch's right, by the protocol, to hold one without effect.

    Raises:
        BadInputError: no room in the shape, an invalid registration, no operator's account, or a balance of 2^96.
    """
    check_room(items, context.operator_index, shape)
    old_root = state.root
    journal = Journal(state, shape.index_bits)
    results = fold(
        journal,
        Clock.of_shape(shape),
        items,
        domain=context.domain,
        l1_time=context.l1_time,
        operator_index=context.operator_index,
    )
    levels = state.update(journal.opened)
    data = BatchData(
        context=context,
        old_root=old_root,
        new_root=state.root,
        queue_items=items.queue,
        queue_results=results.queue,
        registrations=items.registrations,
        transfers=results.transfers,
        sessions=results.sessions,
    )
    return Batch(
        shape=shape,
        items=items,
        data=data,
        operator_credit=results.operator_credit,
        accounts=tuple(
            TouchedAccount(index, before, state.account(index)) for index, before in sorted(journal.opened.items())
        ),
        levels=levels,
        visits=tuple(journal.visits),
        refusals=results.refusals,
    )
