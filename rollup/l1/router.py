"""The circuits that a rollup takes proofs of: which are usable, when, and how they are announced and frozen."""

from __future__ import annotations

from dataclasses import dataclass

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import L1Error

from .bound import BoundContract
from .client import L1Client, Receipt
from .plan import Route
from .signer import Signer


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """A circuit's standing: from when on it is usable, in unix seconds (0 if unknown), and whether it is frozen."""

    since: int
    frozen: bool


class Router:
    """A deployed VerifierRouter.

    Args:
        client: the chain.
        address: the router.
    """

    def __init__(self, client: L1Client, address: str) -> None:
        self.address = address
        self._contract = BoundContract(client, address, "VerifierRouter")

    def status(self, selector: bytes, at: int | None = None) -> RouteStatus:
        """How a circuit stands, now or after the block of a height.

        Raises:
            L1Error: the chain does not answer.
        """
        contract = self._contract
        since, frozen = (contract.view(name, selector, at=at) for name in ("since", "isFrozen"))
        return RouteStatus(int(since), bool(frozen))

    @property
    def development_chain_id(self) -> int:
        """The chain on which development keys are allowed, or 0.

        Raises:
            L1Error: the chain does not answer.
        """
        return int(self._contract.view("developmentChainId"))

    def known(self) -> list[bytes]:
        """Selectors ever announced, the oldest first; those of the deployment among them.

        Raises:
            L1Error: the chain does not answer.
        """
        found = [bytes(log["args"]["selector"]) for log in self._contract.logs("RouteAnnounced")]
        return list(dict.fromkeys(found))

    def full_circuit(self, shape: Shape) -> bytes:
        """Selector of the circuit announced last, of those usable, for full batches in a shape's room.

        Raises:
            L1Error: there is none, or the chain does not answer.
        """
        names = ("kind", "queue", "registrations", "transfers", "sessions")
        wanted = tuple(int(getattr(shape, name)) for name in names)
        now = self._contract.client.time()
        for log in reversed(self._contract.logs("RouteAnnounced")):
            selector, route = bytes(log["args"]["selector"]), log["args"]["route"]
            status = self.status(selector)
            usable = 0 < status.since <= now and not status.frozen
            if usable and tuple(route[name] for name in names) == wanted:
                return selector
        raise L1Error(
            "the rollup has no usable circuit of this room for full batches",
            place=self.address,
            expected=f"one of shape {shape}",
            got="none",
            hint="`aitbc-rollup l1 status` lists its circuits; --shape names another",
        )

    def announce(self, signer: Signer, route: Route) -> Receipt:
        """Announce a circuit, usable after the router's delay; the curator's.

        Raises:
            L1Error: refused.
        """
        return self._contract.send(signer, "announce", [route.words], f"route 0x{route.selector.hex()}")

    def cancel(self, signer: Signer, selector: bytes) -> Receipt:
        """Withdraw an announcement before it takes effect; the curator's.

        Raises:
            L1Error: refused.
        """
        return self._contract.send(signer, "cancel", [selector], f"route 0x{selector.hex()}")

    def freeze(self, signer: Signer, selector: bytes) -> Receipt:
        """Freeze a circuit for good; the guardian's.

        Raises:
            L1Error: refused.
        """
        return self._contract.send(signer, "freeze", [selector], f"route 0x{selector.hex()}")
