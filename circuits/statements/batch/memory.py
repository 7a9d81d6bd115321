"""What happens to accounts in time: a memory of states, read and written under an index.

Each slot of a batch that touches an account has a fixed time. It *reads* the account's last state, that of an earlier
time, and *writes* a new one. On the bus ``accounts`` a write is sent and a read received, so that

- an account's slot (``accounts``) writes the state in its leaf at time 0 and reads the last one for the new leaf;
- every access reads a state written before it, and each state is read once.

Accounts' slots have distinct indices (the tree sees to that), so the states of one index form one chain from time 0 to
the last read: read and write cannot be interleaved otherwise. Offline memory checking: Blum, Evans, Gemmell, Kannan,
Naor, "Checking the correctness of memories", FOCS 1991.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...api import Circuit, Variable
from ...buses import Bus
from ...gadgets.ranges import uint
from .layout import BALANCE_BITS, LAST_NONCE
from .shape import Shape


class State(NamedTuple):
    """An account's fields; all zero where there is no account. ``balance`` and ``nonce`` are two fields here."""

    public_key_x: Variable
    public_key_y: Variable
    owner: Variable
    balance: Variable
    nonce: Variable
    usage_a: Variable
    usage_b: Variable
    history_root: Variable
    external_id: Variable

    def known(self) -> State:
        """The same, with the ranges that every state has: a leaf is opened with them, and no slot leaves them.

        A balance is below 2^96 when its account is opened and when it is closed, and between: money is moved and not
        made, and what genesis gave and the contract holds is below 2^95 each. A nonce counts by one up to 2^32 − 1.
        """
        return self._replace(
            balance=self.balance.within(0, (1 << BALANCE_BITS + 1) - 1), nonce=self.nonce.within(0, LAST_NONCE)
        )


#: (index, time, state).
ACCOUNTS = Bus("accounts", 2 + len(State._fields))


class Clock:
    """Times of the slots, as fixed as the shape: every access has its own."""

    def __init__(self, shape: Shape) -> None:
        self._registrations = 1 + 2 * shape.queue
        self._transfers = self._registrations + shape.registrations
        self._sessions = self._transfers + 2 * shape.transfers
        #: The operator's credit, the last access.
        self.operator = self._sessions + 2 * shape.sessions
        #: Bits of a time.
        self.bits = self.operator.bit_length()

    def queue_item(self, slot: int) -> tuple[int, int]:
        """Accounts a and b."""
        return 1 + 2 * slot, 2 + 2 * slot

    def registration(self, slot: int) -> int:
        """The new account."""
        return self._registrations + slot

    def transfer(self, slot: int) -> tuple[int, int]:
        """Sender and receiver."""
        first = self._transfers + 2 * slot
        return first, first + 1

    def session(self, slot: int) -> tuple[int, int]:
        """Agent and provider."""
        first = self._sessions + 2 * slot
        return first, first + 1


class Access(NamedTuple):
    """A read and a write: the account's index, the state read, when that was written, and whether all this happens."""

    account: Variable
    state: State
    previous: Variable
    active: Variable


def write(circuit: Circuit, clock: Clock, time: int, access: Access, after: Sequence[Variable | int]) -> None:
    """Read ``access.state`` and write ``after``.

    Constraints: 1 a message, 1 for each of the state's wires, 1 for each field that differs, 1 or 2 for the time.
    """
    circuit.receive(ACCOUNTS, [access.account, access.previous, *access.state], access.active)
    circuit.send(ACCOUNTS, [access.account, time, *after], access.active)
    uint(circuit, time - 1 - access.previous, clock.bits)
