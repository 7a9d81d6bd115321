"""The optimistic fallback of a rollup on its chain: who proposed what, who says otherwise, and each step of it.

A bond goes with every proposal and every challenge (``bond``, in wei). What becomes of it is asked for apart, with
:meth:`Fallback.claim_proposal` and :meth:`Fallback.claim_challenge`, and comes out by ``collect``.
"""

from __future__ import annotations

from dataclasses import dataclass

from aitbc_rollup.verifier.formats import proof_to_calldata
from aitbc_rollup.verifier.types import Proof

from .bound import BoundContract, Step
from .client import Receipt, checksummed
from .signer import Signer


@dataclass(frozen=True, slots=True)
class Proposal:
    """A full batch with a bond on its outcome; ``right`` and ``payout`` are what decided it, if ``settled``."""

    id: int
    proposer: str
    number: int
    challenges: int
    settled: bool
    paid: bool
    inputs: bytes
    outcome: bytes
    right: bytes
    payout: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """A bond on another outcome than the proposed one."""

    proposal: int
    index: int
    challenger: str
    paid: bool
    outcome: bytes


class Fallback:
    """Proposals and challenges of a rollup."""

    def __init__(self, contract: BoundContract) -> None:
        self._contract = contract

    def is_open(self, at: int | None = None) -> bool:
        """Whether anyone may propose, now or after the block of a height.

        Raises:
            L1Error: the chain does not answer.
        """
        return bool(self._contract.view("fallbackOpen", at=at))

    def bond(self) -> int:
        """What a proposal, and what a challenge, stakes, in wei.

        Raises:
            L1Error: the chain does not answer.
        """
        return int(self._contract.view("bond"))

    def proposal(self, identity: int, at: int | None = None) -> Proposal:
        """A proposal by its number.

        Raises:
            L1Error: there is none.
        """
        proposer, number, challenges, settled, paid, inputs, outcome, right, payout = self._contract.view(
            "proposal", identity, at=at
        )
        return Proposal(
            identity, str(proposer), int(number), int(challenges), bool(settled), bool(paid), bytes(inputs),
            bytes(outcome), bytes(right), str(payout),
        )  # fmt: skip

    def proposals(self, at: int | None = None) -> int:
        """Number of the last proposal, 0 before the first.

        Raises:
            L1Error: the chain does not answer.
        """
        return int(self._contract.view("proposals", at=at))

    def challenges(self, proposal: Proposal, at: int | None = None) -> list[Challenge]:
        """The challenges to a proposal, the first one first.

        Raises:
            L1Error: the chain does not answer.
        """
        found = []
        for index in range(proposal.challenges):
            challenger, paid, outcome = self._contract.view("challengeOf", proposal.id, index, at=at)
            found.append(Challenge(proposal.id, index, str(challenger), bool(paid), bytes(outcome)))
        return found

    def open(self, signer: Signer) -> Step:
        """Open the fallback, voiding every unproven batch; anyone, when the oldest one is too old.

        Raises:
            L1Error: refused.
        """
        if self.is_open():
            return self._contract.done("FallbackOpened")
        return Step(self._contract.send(signer, "openFallback", [], "opening of the fallback"))

    def propose(self, signer: Signer, selector: bytes, posted: bytes, commitment: int) -> tuple[Proposal, Receipt]:
        """Propose the next batch, with a bond.

        Args:
            signer: who stakes the bond.
            selector: the full circuit, 4 bytes.
            posted: the batch's bytes (``full.data.FullData.posted``).
            commitment: C.

        Raises:
            L1Error: refused.
        """
        receipt = self._contract.send(
            signer, "propose", [selector, posted, commitment], "proposal", value=self.bond()
        )  # fmt: skip
        (logged,) = self._contract.logged("BatchProposed", receipt)
        return self.proposal(int(logged["id"])), receipt

    def challenge(self, signer: Signer, identity: int, outcome: bytes) -> tuple[Challenge, Receipt]:
        """Say, with a bond, that a proposed batch has another outcome.

        Args:
            signer: who stakes the bond.
            identity: number of the proposal.
            outcome: digest of the right one (``full.data.Outcome.digest``).

        Raises:
            L1Error: refused.
        """
        place = f"challenge to proposal {identity}"
        receipt = self._contract.send(signer, "challenge", [identity, outcome], place, value=self.bond())
        (logged,) = self._contract.logged("BatchChallenged", receipt)
        proposal, index = int(logged["id"]), int(logged["index"])
        return Challenge(proposal, index, signer.address, paid=False, outcome=outcome), receipt

    def settle(
        self, signer: Signer, number: int, posted: bytes, commitment: int, payout: str, proof: Proof
    ) -> Receipt:  # fmt: skip
        """Replace a proposal by the same inputs with the outcome that a proof shows.

        Args:
            signer: anyone.
            number: of the batch, the one after the last proven.
            posted: its inputs with the right outcome.
            commitment: C of these.
            payout: address that the proof's maker bound into it.
            proof: the proof.

        Raises:
            L1Error: refused.
        """
        arguments = [number, posted, commitment, checksummed(payout), proof_to_calldata(proof)]
        return self._contract.send(signer, "settle", arguments, f"settling of batch {number}")

    def claim_proposal(self, signer: Signer, identity: int) -> Step:
        """Have a proposer's bond credited to it.

        Raises:
            L1Error: it is lost, or not decided yet.
        """
        if self.proposal(identity).paid:
            return Step(None, already=True)
        return Step(self._contract.send(signer, "claimProposal", [identity], f"bond of proposal {identity}"))

    def claim_challenge(self, signer: Signer, challenge: Challenge) -> Step:
        """Have a challenger's bond go where it belongs.

        Raises:
            L1Error: it is not decided yet.
        """
        _, paid, _ = self._contract.view("challengeOf", challenge.proposal, challenge.index)
        if paid:
            return Step(None, already=True)
        place = f"bond of challenge {challenge.index} to proposal {challenge.proposal}"
        return Step(self._contract.send(signer, "claimChallenge", [challenge.proposal, challenge.index], place))
