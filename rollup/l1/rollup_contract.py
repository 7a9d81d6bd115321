"""The rollup contract: where a batch stands, and each step of its way done once.

A step looks at the chain first. What is there already, and is the same, is reported instead of sent again, so a run
that was cut off goes on where it stopped; what is there and differs is an error, never overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from eth_utils.crypto import keccak

from aitbc_rollup.circuits.statements.batch.layout import HEADER, HEADER_WORDS, Kind
from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.verifier.formats import proof_to_calldata
from aitbc_rollup.verifier.types import Proof

from ..binding import Binding, to_words
from ..transactions import QueueItem
from .bound import BoundContract, Step
from .claims import Claims
from .client import L1Client, Receipt, checksummed
from .escape import Escape
from .fallback import Fallback
from .outbox import Sidecar
from .queue import Pointers, Queue
from .router import Router
from .signer import Signer
from .treasury import Treasury


@dataclass(frozen=True, slots=True)
class Status:
    """Numbers of the last batches, 0 before the first, the roots after them, and how far the queue is."""

    committed: int
    proven: int
    finalized: int
    committed_root: int
    proven_root: int
    state_root: int
    queue: Pointers


@dataclass(frozen=True, slots=True)
class Batch:
    """What the contract keeps of a committed batch; times in unix seconds.

    ``last_item`` is the number of the last queue item that it or a batch before it takes; ``claims`` the hash of its
    queue results and transfers, zeros if it has none; ``selector`` names its circuit; ``finalized_at`` is 0 and
    ``payout`` the zero address until then; ``proposal`` is the number of a full batch's proposal, otherwise 0.
    """

    number: int
    binding: bytes
    new_root: int
    claims: bytes
    l1_time: int
    committed_at: int
    finalized_at: int
    last_item: int
    selector: bytes
    kind: Kind
    payout: str
    proposal: int


#: In the order of the contract's struct.
_BATCH_FIELDS = tuple(field.name for field in fields(Batch) if field.name != "number")


@dataclass(frozen=True, slots=True)
class Posting:
    """A batch as it is posted.

    Args:
        selector: the circuit it will be proven with.
        data: header, queue results and whatever its kind posts, 32-byte words.
        binding: the statement of these data, and of what lies elsewhere.
        evidence: that the words which are not posted are there; empty if all are.
        sidecar: a blob batch's blob.
    """

    selector: bytes
    data: bytes
    binding: Binding
    evidence: bytes = b""
    sidecar: Sidecar | None = None

    @property
    def number(self) -> int:
        """The batch's number.

        Raises:
            BadInputError: the data are shorter than a header, or not whole words below r.
        """
        return batch_number(self.data)

    @property
    def arguments(self) -> list[Any]:
        """As the contract takes them."""
        return [self.selector, self.data, self.binding.commitment, self.evidence]


def batch_number(posted: bytes) -> int:
    """The number of a batch, header word 4 of its data.

    Raises:
        BadInputError: the data are shorter than a header, or not whole words below r.
    """
    words = to_words(posted, "the batch's data")
    if len(words) < HEADER_WORDS:
        raise BadInputError("the data have no header", expected=f"{HEADER_WORDS} words", got=f"{len(words)}")
    return words[HEADER.index("batch_number")]


class RollupContract:
    """A deployed rollup on a chain, with its ``queue``, ``claims``, ``treasury``, ``fallback`` and
    ``escape``.

    Args:
        client: the chain.
        address: the rollup, as :class:`~.plan.Deployment` computes it.
    """

    def __init__(self, client: L1Client, address: str) -> None:
        self.client = client
        self.address = address
        self._contract = BoundContract(client, address)
        self.queue = Queue(self._contract)
        self.claims = Claims(self._contract, self.posted)
        self.treasury = Treasury(self._contract)
        self.fallback = Fallback(self._contract)
        self.escape = Escape(self._contract)

    # -- views --------------------------------------------------------------------------------------------------

    def check_deployed(self) -> None:
        """Check that something is at the address.

        Raises:
            L1Error: the chain does not answer, or there is no contract.
        """
        self._contract.check_deployed()

    @property
    def bound(self) -> BoundContract:
        """The contract underneath."""
        return self._contract

    def is_deployed(self, at: int | None = None) -> bool:
        """Whether there is a contract at the address, now or after the block of a height.

        Raises:
            L1Error: the chain does not answer.
        """
        return bool(self.client.code(self.address, at))

    def status(self, at: int | None = None) -> Status:
        """Where the batches and the queue stand, now or after the block of a height.

        Raises:
            L1Error: the chain does not answer, or there is no rollup at the address.
        """
        if not self.is_deployed(at):
            self.check_deployed()
        committed, proven, finalized = self._counters(at)
        roots = {number: self.batch(number, at).new_root for number in {committed, proven, finalized}}
        pointers = self.queue.pointers(at)
        return Status(committed, proven, finalized, roots[committed], roots[proven], roots[finalized], pointers)

    def batch(self, number: int, at: int | None = None) -> Batch:
        """A committed batch, now or after the block of a height; 0 is the genesis.

        Raises:
            L1Error: no such batch.
        """
        found = dict(zip(_BATCH_FIELDS, self._contract.view("batch", number, at=at), strict=True))
        return Batch(**found | {"number": number, "kind": Kind(found["kind"])})

    def queue_items(self, number: int, at: int | None = None) -> list[QueueItem]:
        """The queue items that a committed batch takes.

        Raises:
            L1Error: no such batch.
        """
        before = self.batch(number - 1, at).last_item
        return self.queue.items(before + 1, self.batch(number, at).last_item - before, at)

    def posted(self, number: int, at: int | None = None) -> bytes:
        """The posted data of a batch committed by now or by the block of a height, from the transaction that did.

        Raises:
            L1Error: no such batch, or the chain does not have its log or transaction any more.
        """
        self.batch(number, at)
        place = f"batch {number} of {self.address}"
        logs = self._contract.logs("BatchCommitted", at, batchNumber=number)
        if not logs:
            raise L1Error(
                "the chain has no log of this commit", place=place, hint="ask a node that keeps old logs, with --l1"
            )
        calldata = self.client.input("0x" + bytes(logs[-1]["transactionHash"]).hex())
        try:
            found = bytes(self._contract.arguments(calldata)["data"])
        except (ValueError, KeyError) as error:  # a call through another contract
            raise L1Error("the data were not posted by a plain call", place=place, got=str(error)) from error
        if keccak(found) != bytes(logs[-1]["args"]["dataHash"]):
            raise L1Error(
                "the transaction's data are not those of the log", place=place, hint="ask another node, with --l1"
            )
        return found

    def history(self, batches: int) -> Iterator[tuple[bytes, list[QueueItem]]]:
        """Posted data and queue items of the first batches, in order: all that a state is rebuilt from.

        Raises:
            L1Error: no such batch, or the chain does not have its data any more.
        """
        return ((self.posted(number), self.queue_items(number)) for number in range(1, batches + 1))

    @cached_property
    def router(self) -> Router:
        """Its circuits.

        Raises:
            L1Error: the chain does not answer.
        """
        return Router(self.client, str(self._contract.view("router")))

    def _counters(self, at: int | None = None) -> tuple[int, int, int]:
        names = ("committedBatches", "provenBatches", "finalizedBatches")
        committed, proven, finalized = (int(self._contract.view(name, at=at)) for name in names)
        return committed, proven, finalized

    # -- steps --------------------------------------------------------------------------------------------------

    def commit(self, signer: Signer, posting: Posting, *, simulate: bool = True) -> Step:
        """Post a batch's data; its number is header word 4.

        Args:
            signer: the operator.
            posting: what is posted.
            simulate: ask first whether the contract takes it; False sends it all the same, to be seen failing.

        Raises:
            BadInputError: shorter than a header, or not whole words below r.
            L1Error: refused, or another batch with this number is committed.
        """
        number = posting.number
        committed, _, _ = self._counters()
        if 0 < number <= committed:
            self._check_same(number, posting.binding)
            return self._contract.done("BatchCommitted", batchNumber=number)
        return self._send(
            signer, "commit", posting.arguments, f"commit of batch {number}", simulate, sidecar=posting.sidecar
        )

    def prove(
        self, signer: Signer, number: int, bound: Binding, payout: str, proof: Proof, *, simulate: bool = True
    ) -> Step:
        """Have a batch's proof verified.

        Args:
            signer: anyone.
            number: the batch after the last proven one.
            bound: the statement, as committed.
            payout: address that the proof's maker bound into it.
            proof: the proof.
            simulate: as for :meth:`commit`.

        Raises:
            L1Error: refused, or the batch of this number was committed with other public inputs.
        """
        _, proven, _ = self._counters()
        if 0 < number <= proven:
            self._check_same(number, bound)
            return self._contract.done("BatchProven", batchNumber=number)
        arguments = [number, bound.statement, checksummed(payout), proof_to_calldata(proof)]
        return self._send(signer, "prove", arguments, f"proof of batch {number}", simulate)

    def commit_and_prove(
        self, signer: Signer, posting: Posting, payout: str, proof: Proof, *, simulate: bool = True
    ) -> Step:
        """Both in one transaction, when every batch before is proven; if the commit is there already, only the proof.

        Raises:
            BadInputError: shorter than a header, or not whole words below r.
            L1Error: refused, or another batch with this number is committed.
        """
        number = posting.number
        committed, _, _ = self._counters()
        if 0 < number <= committed:
            return self.prove(signer, number, posting.binding, payout, proof, simulate=simulate)
        arguments = [*posting.arguments, checksummed(payout), proof_to_calldata(proof)]
        place = f"commit and proof of batch {number}"
        return self._send(signer, "commitAndProve", arguments, place, simulate, sidecar=posting.sidecar)

    def is_in_one(self, number: int) -> bool:
        """Whether a batch was committed and proven in one transaction, or can be.

        Raises:
            L1Error: the chain does not answer.
        """
        committed, proven, _ = self._counters()
        if number > proven:
            return committed == proven == number - 1
        found = [self._contract.logs(event, batchNumber=number) for event in ("BatchCommitted", "BatchProven")]
        hashes = [bytes(logs[-1]["transactionHash"]) for logs in found if logs]
        return len(hashes) == 2 and hashes[0] == hashes[1]

    def prove_with_data(
        self, signer: Signer, posted: bytes, committed: Binding, bound: Binding, payout: str, proof: Proof,
        *, simulate: bool = True,
    ) -> Step:  # fmt: skip
        """Prove a calldata or full batch with another C than it was committed with; its number is header word 4.

        Args:
            signer: anyone.
            posted: its data, as committed.
            committed: the C it was committed with, and the ζ and y that follow.
            bound: the right C, ζ and y: the public inputs.
            payout: address that the proof's maker bound into it.
            proof: the proof.
            simulate: as for :meth:`commit`.

        Raises:
            BadInputError: shorter than a header, or not whole words below r.
            L1Error: refused, or other data or another C were committed.
        """
        number = batch_number(posted)
        _, proven, _ = self._counters()
        if 0 < number <= proven:
            self._check_same(number, committed)
            return self._contract.done("BatchProven", batchNumber=number)
        public = (committed.commitment, bound.commitment)
        arguments = [number, posted, *public, checksummed(payout), proof_to_calldata(proof)]
        return self._send(signer, "proveWithData", arguments, f"proof of batch {number}", simulate)

    def finalize(self, signer: Signer, up_to: int) -> Step:
        """Make the batches up to this number final: proven ones, and full ones that nobody challenged in time.

        Raises:
            L1Error: refused: one of them is neither.
        """
        _, _, finalized = self._counters()
        if 0 < up_to <= finalized:
            return self._contract.done("BatchFinalized", batchNumber=up_to)
        return self._send(signer, "finalize", [up_to], f"finalizing of batch {up_to}")

    def rollback(self, signer: Signer, first: int) -> Receipt:
        """Void batch ``first`` and all after it; the operator's, and only of what is not proven.

        Raises:
            L1Error: refused.
        """
        return self._contract.send(signer, "rollback", [first], f"rollback from batch {first}")

    # -- underneath ---------------------------------------------------------------------------------------------

    def _send(
        self,
        signer: Signer,
        name: str,
        arguments: list[Any],
        place: str,
        simulate: bool = True,
        sidecar: Sidecar | None = None,
    ) -> Step:
        return Step(self._contract.send(signer, name, arguments, place, simulate=simulate, sidecar=sidecar))

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
