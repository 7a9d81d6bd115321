"""The rollup's queue on L1: deposits, exits and transfers that a batch takes in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aitbc_rollup.circuits.statements.batch.layout import AMOUNT_BITS, INDEX_BITS
from aitbc_rollup.errors import BadInputError

from ..checks import check_width
from ..transactions import QueueItem
from .bound import BoundContract
from .client import Receipt
from .signer import Signer

#: An exit of as much as there is.
EVERYTHING = (1 << AMOUNT_BITS) - 1
#: Items asked for in one call.
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Pointers:
    """Numbers of the last item queued, and taken by a committed, proven, final batch; 0 before the first."""

    queued: int
    committed: int
    proven: int
    finalized: int

    @property
    def waiting(self) -> int:
        """How many items no committed batch has taken."""
        return self.queued - self.committed


@dataclass(frozen=True, slots=True)
class Queued:
    """An item that was queued now."""

    number: int
    receipt: Receipt


class Queue:
    """The queue of a deployed rollup."""

    def __init__(self, contract: BoundContract) -> None:
        self._contract = contract

    def pointers(self, at: int | None = None) -> Pointers:
        """How far the queue and the batches are, now or after the block of a height.

        Raises:
            L1Error: the chain does not answer.
        """
        queued = int(self._contract.view("queuedItems", at=at))
        return Pointers(queued, *map(int, self._contract.view("queuePointers", at=at)))

    def items(self, first: int, count: int, at: int | None = None) -> list[QueueItem]:
        """Items from number ``first`` on.

        Raises:
            L1Error: the chain does not answer, or they are not all queued.
        """
        found: list[QueueItem] = []
        for start in range(first, first + count, _CHUNK):
            words = self._contract.view("queueWords", start, min(_CHUNK, first + count - start), at=at)
            pairs = zip(words[::2], words[1::2], strict=True)
            found += [QueueItem.from_words(int(item), int(sender)) for item, sender in pairs]
        return found

    def waiting(self, limit: int | None = None) -> Iterator[tuple[int, QueueItem]]:
        """Numbers and items that no committed batch has taken, at most ``limit``: what the next batch may take.

        Raises:
            L1Error: the chain does not answer.
        """
        pointers = self.pointers()
        count = pointers.waiting if limit is None else min(limit, pointers.waiting)
        return enumerate(self.items(pointers.committed + 1, count), start=pointers.committed + 1)

    def deadline(self, number: int) -> int:
        """When an item is overdue, in unix seconds.

        Raises:
            L1Error: no such item, or the chain does not answer.
        """
        _, _, deadline, _ = self._contract.view("item", number)
        return int(deadline)

    def deposit(self, signer: Signer, index: int, amount: int) -> Queued:
        """Queue a deposit of the signer's to an account; of a token, the rollup must be allowed to take the amount.

        Raises:
            BadInputError: no index of an account, or no amount.
            L1Error: refused.
        """
        _check_index(index, "account")
        _check_amount(amount)
        value = amount if int(str(self._contract.view("asset")), 16) == 0 else 0
        return self._send(signer, "deposit", [index, amount], f"deposit to account {index}", value)

    def force_exit(self, signer: Signer, index: int, amount: int = EVERYTHING) -> Queued:
        """Queue an exit from an account whose L1 owner the signer is; at most the balance leaves it.

        Raises:
            BadInputError: no index of an account, or no amount.
            L1Error: refused.
        """
        _check_index(index, "account")
        _check_amount(amount)
        return self._send(signer, "forceExit", [index, amount], f"exit from account {index}")

    def force_transfer(self, signer: Signer, sender: int, receiver: int, amount: int) -> Queued:
        """Queue a transfer from an account whose L1 owner the signer is.

        Raises:
            BadInputError: no index of an account, or no amount.
            L1Error: refused.
        """
        _check_index(sender, "sender")
        _check_index(receiver, "receiver")
        _check_amount(amount)
        place = f"transfer from account {sender} to {receiver}"
        return self._send(signer, "forceTransfer", [sender, receiver, amount], place)

    @property
    def fee(self) -> int:
        """What queueing an item costs, in wei.

        Raises:
            L1Error: the chain does not answer.
        """
        return int(self._contract.view("queueFee"))

    def _send(self, signer: Signer, name: str, arguments: list[int], place: str, value: int = 0) -> Queued:
        receipt = self._contract.send(signer, name, arguments, place, value=value + self.fee)
        (log,) = self._contract.logged("ItemQueued", receipt)
        return Queued(int(log["number"]), receipt)


def _check_index(index: int, field: str) -> None:
    check_width(index, INDEX_BITS, field=field)


def _check_amount(amount: int) -> None:
    if check_width(amount, AMOUNT_BITS, field="amount") == 0:
        raise BadInputError("nothing is no amount", expected="at least 1 wei", got="0")
