"""A batch: transactions applied to a state, what it posts, and all that its circuit needs to redo it.

:func:`build` changes the state it is given; where it raises it has changed half of it, so give it an overlay and throw
that away (``state.State``).
"""

from __future__ import annotations

from dataclasses import dataclass

from aitbc_rollup.circuits.statements.batch.memory import Clock
from aitbc_rollup.circuits.statements.batch.shape import Shape

from .accounts import Account
from .binding import Binding
from .data import BatchContext, BatchData
from .journal import Journal, Visit
from .room import check_room
from .state import State
from .transactions import Transactions
from .transition import Results, fold
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

    ``results`` are the fold's, ``accounts`` the touched ones in ascending order, ``levels`` the touched nodes of level
    1 to 16, ``visits`` all visits to accounts in order of time.
    """

    shape: Shape
    items: Transactions
    data: BatchData
    results: Results
    accounts: tuple[TouchedAccount, ...]
    levels: tuple[Level, ...]
    visits: tuple[Visit, ...]

    @property
    def binding(self) -> Binding:
        """C, ζ and y of the data, and the value of their blob."""
        return self.data.binding(self.shape)


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
        Clock(shape),
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
        results=results,
        accounts=touched_accounts(journal),
        levels=levels,
        visits=tuple(journal.visits),
    )


def touched_accounts(journal: Journal) -> tuple[TouchedAccount, ...]:
    """The accounts of a journal's visits, in ascending order."""
    return tuple(
        TouchedAccount(index, before, journal.account(index)) for index, before in sorted(journal.opened.items())
    )
