"""The way out of a rollup where nothing moves any more: freezing, exits by Merkle proofs, refunds."""

from __future__ import annotations

from ..account_proof import AccountProof
from .bound import BoundContract, Step
from .signer import Signer


class Escape:
    """Freezing and leaving a deployed rollup."""

    def __init__(self, contract: BoundContract) -> None:
        self._contract = contract

    @property
    def frozen(self) -> bool:
        """Whether the rollup is frozen for good.

        Raises:
            L1Error: the chain does not answer.
        """
        return bool(self._contract.view("frozen"))

    @property
    def freezable(self) -> bool:
        """Whether one of the two clocks has run out, so that anybody may freeze it.

        Raises:
            L1Error: the chain does not answer.
        """
        return bool(self._contract.view("isFreezable"))

    def freeze(self, signer: Signer) -> Step:
        """Freeze the rollup for good, if it is not.

        Raises:
            L1Error: refused: neither clock has run out.
        """
        if self.frozen:
            return self._contract.done("RollupFrozen")
        return Step(self._contract.send(signer, "freeze", [], "freezing"))

    def has_left(self, index: int) -> bool:
        """Whether an account has left.

        Raises:
            L1Error: the chain does not answer.
        """
        return bool(self._contract.view("hasEscaped", index))

    def leave(self, signer: Signer, proof: AccountProof) -> Step:
        """Make an account's balance a debt to its L1 owner, once.

        Args:
            signer: anyone.
            proof: that it stands under the last final root.

        Raises:
            L1Error: refused: the rollup is not frozen, or the proof is not of that root.
        """
        if self.has_left(proof.index):
            return self._contract.done("Escaped", index=proof.index)
        arguments = [proof.index, list(proof.leaf), list(proof.siblings)]
        return Step(self._contract.send(signer, "escape", arguments, f"exit of account {proof.index}"))

    def is_refunded(self, item: int) -> bool:
        """Whether fee and deposit of a queue item went back.

        Raises:
            L1Error: no such item, or the chain does not answer.
        """
        *_, refunded = self._contract.view("item", item)
        return bool(refunded)

    def refund(self, signer: Signer, item: int) -> Step:
        """Give the sender of an item that no final batch took its fee and its deposit back, once.

        Raises:
            L1Error: refused: the rollup is not frozen, or a final batch took the item.
        """
        if self.is_refunded(item):
            return self._contract.done("Refunded", item=item)
        return Step(self._contract.send(signer, "refund", [item], f"refund of item {item}"))
