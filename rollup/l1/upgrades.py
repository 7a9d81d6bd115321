"""Another implementation for a rollup: announced, and in effect after a delay longer than leaving takes."""

from __future__ import annotations

from .bound import BoundContract
from .client import Receipt, checksummed
from .signer import Signer


class Upgrades:
    """Upgrades of a deployed rollup."""

    def __init__(self, contract: BoundContract) -> None:
        self._contract = contract

    @property
    def effective_from(self) -> int:
        """From when on what was announced last can take effect, in unix seconds.

        Raises:
            L1Error: the chain does not answer.
        """
        return int(self._contract.view("upgradeAt"))

    def announce(self, signer: Signer, implementation: str, call: bytes = b"") -> Receipt:
        """Announce an implementation, and what it is called with when it takes effect; the upgrader's.

        Raises:
            L1Error: refused.
        """
        return self._send(signer, "announceUpgrade", implementation, call)

    def cancel(self, signer: Signer) -> Receipt:
        """Withdraw the announcement; the upgrader's.

        Raises:
            L1Error: refused.
        """
        return self._contract.send(signer, "cancelUpgrade", [], "withdrawal of an upgrade")

    def execute(self, signer: Signer, implementation: str, call: bytes = b"") -> Receipt:
        """Make the announced implementation the rollup's; anyone, when its time has come.

        Raises:
            L1Error: refused.
        """
        return self._send(signer, "upgrade", implementation, call)

    def _send(self, signer: Signer, name: str, implementation: str, call: bytes) -> Receipt:
        return self._contract.send(signer, name, [checksummed(implementation), call], f"upgrade to {implementation}")
