"""The rollup contract: where a batch stands, and each step of its way done once.

A step looks at the chain first. What is there already, and is the same, is reported instead of sent again, so a run
that was cut off goes on where it stopped; what is there and differs is an error, never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from aitbc_rollup.circuits.statements.protocol import HEADER, HEADER_WORDS
from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.verifier.formats import proof_to_calldata
from aitbc_rollup.verifier.types import Proof

from ..binding import Binding, to_words
from .client import L1Client, Receipt, checksummed
from .contracts import artifact
from .signer import Signer

_BATCH_NUMBER_WORD = HEADER.index("batch_number")


_OTHER_NODE = "ask another node, with --l1"


@dataclass(frozen=True)
class Status:
    """Numbers of the last batches, 0 before the first, and the roots after them."""

    committed: int
    proven: int
    finalized: int
    committed_root: int
    proven_root: int
    state_root: int


@dataclass(frozen=True)
class Batch:
    """What the contract keeps of a committed batch."""

    number: int
    binding: bytes
    new_root: int
    l1_time: int


@dataclass(frozen=True)
class Step:
    """A step of a batch: done now, or ``already`` done before; ``receipt`` is None if the chain has no log of it."""

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


class RollupContract:
    """A deployed rollup on a chain.

    Args:
        client: the chain.
        address: the rollup, as :class:`~.contracts.Deployment` computes it.
    """

    def __init__(self, client: L1Client, address: str) -> None:
        self.client = client
        self.address = address
        self._contract = client.contract(address, artifact("AitbcRollupV1")["abi"])

    # -- views --------------------------------------------------------------------------------------------------

    def status(self) -> Status:
        """Where the batches stand.

        Raises:
            L1Error: the chain does not answer, or there is no rollup at the address.
        """
        if not self.client.code(self.address):
            raise L1Error(
                "there is no contract",
                place=f"{self.address} on chain {self.client.chain_id}",
                expected="a deployed rollup",
                got="no code",
                hint="check --l1; `aitbc-rollup submit` deploys it",
            )
        committed, proven, finalized = self._counters()
        roots = {number: self.batch(number).new_root for number in {committed, proven, finalized}}
        return Status(committed, proven, finalized, roots[committed], roots[proven], roots[finalized])

    def batch(self, number: int) -> Batch:
        """A committed batch; 0 is the genesis.

        Raises:
            L1Error: no such batch.
        """
        kept, new_root, l1_time = self._view("batch", number)
        return Batch(number, bytes(kept), int(new_root), int(l1_time))

    def data(self, number: int) -> bytes:
        """The data of a committed batch, from the transaction that posted them.

        Raises:
            L1Error: no such batch, or the chain does not have its log or transaction any more.
        """
        self.batch(number)
        logs = self.client.logs(self._contract.events["BatchCommitted"](), batchNumber=number)
        if not logs:
            raise L1Error(
                "the chain has no log of this commit",
                place=f"batch {number} of {self.address}",
                hint="ask a node that keeps old logs, with --l1",
            )
        posted = self.client.input("0x" + bytes(logs[-1]["transactionHash"]).hex())
        try:
            _, arguments = self._contract.decode_function_input(posted)
            found = bytes(arguments["data"])
        except (ValueError, KeyError) as error:  # a call through another contract
            raise L1Error(
                "the data were not posted by a plain call", place=f"batch {number}", got=str(error)
            ) from error
        if keccak(found) != bytes(logs[-1]["args"]["dataHash"]):
            raise L1Error("the transaction's data are not those of the log", place=f"batch {number}", hint=_OTHER_NODE)
        return found

    def is_development_allowed(self) -> bool:
        """Whether development keys are allowed here."""
        return bool(self._view("developmentChainId") == self.client.chain_id)

    def _counters(self) -> tuple[int, int, int]:
        names = ("committedBatches", "provenBatches", "finalizedBatches")
        committed, proven, finalized = (int(self._view(name)) for name in names)
        return committed, proven, finalized

    # -- steps --------------------------------------------------------------------------------------------------

    def commit(self, signer: Signer, data: bytes, commitment: int, *, simulate: bool = True) -> Step:
        """Post a batch's data; its number is header word 4.

        Args:
            signer: the operator.
            data: header and sessions, 32-byte words.
            commitment: C.
            simulate: ask first whether the contract takes it; False sends it all the same, to be seen failing.

        Raises:
            BadInputError: shorter than a header, or not whole words.
            L1Error: refused, or another batch with this number is committed.
        """
        number = _batch_number(data)
        committed, _, _ = self._counters()
        if 0 < number <= committed:
            self._check_same(number, Binding.of(commitment, data))
            return self._done("BatchCommitted", number)
        return self._send(signer, "commit", [data, commitment], f"commit of batch {number}", simulate)

    def prove(
        self, signer: Signer, number: int, bound: Binding, payout: str, proof: Proof, *, simulate: bool = True
    ) -> Step:
        """Have a batch's proof verified.

        Args:
            signer: anyone.
            number: the batch after the last proven one.
            bound: C, ζ and y: the public inputs, as committed.
            payout: address that the proof's maker bound into it.
            proof: the proof.
            simulate: as for :meth:`commit`.

        Raises:
            L1Error: refused, or the batch of this number was committed with other public inputs.
        """
        _, proven, _ = self._counters()
        if 0 < number <= proven:
            self._check_same(number, bound)
            return self._done("BatchProven", number)
        public = (bound.commitment, bound.zeta, bound.evaluation)
        arguments = [number, *public, checksummed(payout), proof_to_calldata(proof)]
        return self._send(signer, "prove", arguments, f"proof of batch {number}", simulate)

    def commit_and_prove(
        self, signer: Signer, data: bytes, commitment: int, payout: str, proof: Proof, *, simulate: bool = True
    ) -> Step:
        """Both in one transaction, when every batch before is proven; if the commit is there already, only the proof.

        Raises:
            BadInputError: shorter than a header, or not whole words.
            L1Error: refused, or another batch with this number is committed.
        """
        number = _batch_number(data)
        committed, _, _ = self._counters()
        if 0 < number <= committed:
            return self.prove(signer, number, Binding.of(commitment, data), payout, proof, simulate=simulate)
        arguments = [data, commitment, checksummed(payout), proof_to_calldata(proof)]
        return self._send(signer, "commitAndProve", arguments, f"commit and proof of batch {number}", simulate)

    def prove_with_data(
        self, signer: Signer, number: int, data: bytes, committed: int, commitment: int, payout: str, proof: Proof,
        *, simulate: bool = True,
    ) -> Step:  # fmt: skip
        """Prove a batch with another C than the one it was committed with.

        Args:
            signer: anyone.
            number: the batch after the last proven one.
            data: its data, as committed.
            committed: the C it was committed with.
            commitment: the right C, to which ζ and y of the proof belong.
            payout: address that the proof's maker bound into it.
            proof: the proof.
            simulate: as for :meth:`commit`.

        Raises:
            L1Error: refused, or other data or another C were committed.
        """
        _, proven, _ = self._counters()
        if 0 < number <= proven:
            self._check_same(number, Binding.of(committed, data))
            return self._done("BatchProven", number)
        arguments = [number, data, committed, commitment, checksummed(payout), proof_to_calldata(proof)]
        return self._send(signer, "proveWithData", arguments, f"proof of batch {number}", simulate)

    def finalize(self, signer: Signer, up_to: int) -> Step:
        """Make the proven batches up to this number final.

        Raises:
            L1Error: refused: one of them is not proven.
        """
        _, _, finalized = self._counters()
        if 0 < up_to <= finalized:
            return self._done("BatchFinalized", up_to)
        return self._send(signer, "finalize", [up_to], f"finalizing of batch {up_to}")

    def rollback(self, signer: Signer, first: int) -> Step:
        """Void batch ``first`` and all after it; the operator's, and only of what is not proven.

        Raises:
            L1Error: refused.
        """
        return self._send(signer, "rollback", [first], f"rollback from batch {first}")

    # -- underneath ---------------------------------------------------------------------------------------------

    def _view(self, name: str, *arguments: Any) -> Any:
        return self.client.call(self._contract.functions[name](*arguments), name)

    def _send(self, signer: Signer, name: str, arguments: list[Any], place: str, simulate: bool = True) -> Step:
        data = bytes.fromhex(_encoder(self._contract)(name, arguments)[2:])
        # Without simulation there is no estimate either: the limit is room for a proof and the largest data.
        gas = None if simulate else 3_000_000 + 40 * len(data)
        receipt = self.client.send(signer, self.address, data, gas=gas, simulate=simulate, place=place)
        return Step(receipt)

    def _check_same(self, number: int, expected: Binding) -> None:
        kept = self.batch(number).binding
        if kept != expected.digest:
            raise L1Error(
                "another batch with this number is committed already",
                place=f"batch {number} of {self.address}",
                expected=f"binding 0x{expected.digest.hex()}",
                got=f"0x{kept.hex()}",
                hint="build the batch anew on the chain's last state, or roll back what is not proven",
            )

    def _done(self, event: str, number: int) -> Step:
        """The last such event of this batch: a number is used again after a rollback."""
        logs = self.client.logs(self._contract.events[event](), batchNumber=number)
        receipt = self.client.receipt("0x" + bytes(logs[-1]["transactionHash"]).hex()) if logs else None
        return Step(receipt, already=True)


def _encoder(contract: Any) -> Callable[[str, list[Any]], str]:
    return lambda name, arguments: str(contract.encode_abi(name, args=arguments))


def _batch_number(data: bytes) -> int:
    words = to_words(data)
    if len(words) < HEADER_WORDS:
        raise BadInputError("the data have no header", expected=f"{HEADER_WORDS} words", got=f"{len(words)}")
    return words[_BATCH_NUMBER_WORD]
