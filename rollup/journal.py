"""A state under a fold, and every visit to one of its accounts: what a circuit checks reads and writes by.

A batch is a sequence of *visits*, each at a time that follows from the circuit's shape alone (``memory.Clock``). Each
finds the account as the visit before left it. The accounts visited are opened once under the old root and closed once
under the new one.
"""

from __future__ import annotations

from dataclasses import dataclass

from aitbc_rollup.circuits.statements.batch.layout import INDEX_BITS

from .accounts import NO_ACCOUNT, Account
from .state import State


@dataclass(frozen=True, slots=True)
class Visit:
    """An account at a time, as it was before whatever happens there; ``previous`` is the last visit's time, or 0."""

    time: int
    index: int
    account: Account
    previous: int


class Journal:
    """A state, its visits so far, and each visited account as it was opened.

    An index from ``end``, 2^index_bits, on names no account of the circuit: nobody can be there, and nothing is noted.
    """

    def __init__(self, state: State, index_bits: int = INDEX_BITS) -> None:
        self.state = state
        self.visits: list[Visit] = []
        self.opened: dict[int, Account] = {}
        self.end = 1 << index_bits
        self._last: dict[int, int] = {}

    def account(self, index: int) -> Account:
        """The account as it is now; from ``end`` on there is none."""
        return self.state.account(index) if index < self.end else NO_ACCOUNT

    def visit(self, time: int, index: int, after: Account | None = None) -> None:
        """Note a visit, and leave the account as ``after``; as it is if that is left out."""
        if index >= self.end:
            return
        before = self.account(index)
        self.opened.setdefault(index, before)
        self.visits.append(Visit(time, index, before, self._last.get(index, 0)))
        self._last[index] = time
        if after is not None:
            self.state.put(index, after)

    def move(self, time: int, index: int, amount: int) -> None:
        """Note a visit that changes the balance by ``amount``.

        Raises:
            BadInputError: the balance would leave its 96 bits.
        """
        self.visit(time, index, self.account(index).moved(amount) if amount else None)
