"""What a rollup holds and owes, and its payment: the asset as fast as the rate allows, fees and bonds at once."""

from __future__ import annotations

from dataclasses import dataclass

from .bound import BoundContract
from .client import Receipt, checksummed
from .signer import Signer


@dataclass(frozen=True, slots=True)
class Owed:
    """What an address can have: ``asset`` by ``withdraw``, ``coin`` (fees and bonds, in wei) by ``collect``."""

    asset: int
    coin: int


@dataclass(frozen=True, slots=True)
class Payment:
    """An amount that was paid now, and its transaction."""

    amount: int
    receipt: Receipt


class Treasury:
    """The money of a deployed rollup."""

    def __init__(self, contract: BoundContract) -> None:
        self._contract = contract

    @property
    def holdings(self) -> int:
        """How much of the asset is held for accounts and claimants.

        Raises:
            L1Error: the chain does not answer.
        """
        return int(self._contract.view("holdings"))

    @property
    def withdrawable(self) -> int:
        """How much of the asset may be withdrawn now, by all together.

        Raises:
            L1Error: the chain does not answer.
        """
        return int(self._contract.view("withdrawable"))

    def owed(self, address: str) -> Owed:
        """What is owed to an address.

        Raises:
            L1Error: the chain does not answer.
        """
        to = checksummed(address)
        return Owed(int(self._contract.view("owed", to)), int(self._contract.view("ethOwed", to)))

    def withdraw(self, signer: Signer, to: str) -> Payment:
        """Have as much of the asset paid to an address as is owed to it and the rate allows.

        Args:
            signer: anyone.
            to: whom it is owed to.

        Raises:
            L1Error: refused: nothing is owed, or today's rate is used up.
        """
        receipt = self._contract.send(signer, "withdraw", [checksummed(to)], f"withdrawal to {to}")
        (logged,) = self._contract.logged("Withdrawn", receipt)
        return Payment(int(logged["amount"]), receipt)

    def collect(self, signer: Signer, to: str) -> Payment:
        """Have fees and bonds paid to an address, all that is owed to it.

        Raises:
            L1Error: refused: nothing is owed.
        """
        receipt = self._contract.send(signer, "collect", [checksummed(to)], f"fees and bonds of {to}")
        (logged,) = self._contract.logged("Collected", receipt)
        return Payment(int(logged["amount"]), receipt)
