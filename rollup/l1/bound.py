"""A contract at its address on a chain: views asked, functions sent, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aitbc_rollup.errors import L1Error

from .artifacts import artifact
from .client import L1Client, Receipt
from .outbox import Sidecar
from .signer import Signer

#: Gas limit of what is sent without simulation: room for a proof and the largest data.
_BLIND_GAS = 3_000_000
_BLIND_GAS_A_BYTE = 40


@dataclass(frozen=True, slots=True)
class Step:
    """Something done now, or ``already`` done before; ``receipt`` is None if the chain has no log of it."""

    receipt: Receipt | None
    already: bool = False

    @property
    def tx_hash(self) -> str | None:
        """Hash of the transaction, 0x and 64 digits."""
        return self.receipt.tx_hash if self.receipt else None

    @property
    def gas_used(self) -> int | None:
        """Gas of the transaction."""
        return self.receipt.gas_used if self.receipt else None


@dataclass(frozen=True, slots=True)
class Event:
    """What a contract logged: the event's name and values, the block and the transaction."""

    name: str
    values: dict[str, Any]
    block: int
    tx_hash: str


class BoundContract:
    """A contract at an address.

    Args:
        client: the chain.
        address: the contract's, as :class:`~.plan.Deployment` computes it.
        name: of its artifact.
    """

    def __init__(self, client: L1Client, address: str, name: str = "AitbcRollup") -> None:
        self.client = client
        self.address = address
        self._contract = client.contract(address, artifact(name)["abi"])

    def check_deployed(self) -> None:
        """Check that something is at the address.

        Raises:
            L1Error: the chain does not answer, or there is no contract.
        """
        if not self.client.code(self.address):
            raise L1Error(
                "there is no contract",
                place=f"{self.address} on chain {self.client.chain_id}",
                expected="a deployed rollup",
                got="no code",
                hint="check --l1; `aitbc-rollup submit` deploys it",
            )

    def view(self, name: str, *arguments: Any, at: int | None = None) -> Any:
        """The value of a view, now or after the block of a height.

        Raises:
            L1Error: the chain does not answer, or the contract refuses.
        """
        return self.client.call(self._contract.functions[name](*arguments), name, at)

    def send(
        self,
        signer: Signer,
        name: str,
        arguments: Sequence[Any],
        place: str,
        *,
        value: int = 0,
        simulate: bool = True,
        sidecar: Sidecar | None = None,
    ) -> Receipt:
        """Call a function in a transaction and wait until it is mined.

        Args:
            signer: who pays.
            name: of the function.
            arguments: as the ABI says.
            place: named in errors.
            value: wei that go with it.
            simulate: ask first whether the contract takes it; False sends it all the same, to be seen failing.
            sidecar: blobs that it carries.

        Raises:
            UsageError: a development key off the development chains.
            L1Error: refused, failed, not mined in time, or no answer.
        """
        data = bytes.fromhex(self._contract.encode_abi(name, args=list(arguments))[2:])
        gas = None if simulate else _BLIND_GAS + _BLIND_GAS_A_BYTE * len(data)
        return self.client.send(
            signer, self.address, data, value=value, gas=gas, simulate=simulate, place=place, sidecar=sidecar
        )

    def done(self, event: str, **indexed: Any) -> Step:
        """The last transaction that logged this: the number of a batch is used again after a rollback."""
        logs = self.logs(event, **indexed)
        if not logs:
            return Step(None, already=True)
        return Step(self.client.confirm("0x" + bytes(logs[-1]["transactionHash"]).hex(), event), already=True)

    def logs(self, event: str, last: int | None = None, **indexed: Any) -> list[Any]:
        """Logs of an event with these indexed values, oldest first, up to the block of a height or the last one.

        Empty where the chain keeps no old logs.
        """
        return self.client.logs(self._contract.events[event](), last, **indexed)

    def history(self, first: int, last: int) -> list[Event]:
        """Every event of a range of blocks, oldest first.

        Raises:
            L1Error: the chain does not answer, or keeps no logs that old.
        """
        decoders = {event.topic: event for event in (kind() for kind in self._contract.events)}
        found = []
        for log in self.client.raw_logs(self.address, first, last):
            decoder = decoders.get("0x" + bytes(log["topics"][0]).hex()) if log["topics"] else None
            if decoder is not None:
                entry = decoder.process_log(log)
                tx_hash = "0x" + bytes(log["transactionHash"]).hex()
                found.append(Event(entry["event"], dict(entry["args"]), int(log["blockNumber"]), tx_hash))
        return found

    def logged(self, event: str, receipt: Receipt) -> list[dict[str, Any]]:
        """The values of an event that a transaction logged, in order."""
        found = self.client.events(self._contract.events[event](), receipt.tx_hash)
        return [dict(log["args"]) for log in found]

    def arguments(self, calldata: bytes) -> dict[str, Any]:
        """The arguments of a call of one of the contract's functions, by name.

        Raises:
            ValueError: it is none.
        """
        _, arguments = self._contract.decode_function_input(calldata)
        return dict(arguments)
