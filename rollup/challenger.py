"""The challenger: follows a rollup on its chain, recomputes every batch, and objects with a bond where a root is wrong.

A look brings a folder to the chain (``sync``), batch after batch from posted data alone. Where that stops, it says why:

    wrong outcome    a full batch whose inputs have another one: challenged, and with a key of its circuit settled
    wrong root       any other batch: it can never be proven, and says so; proven all the same, the circuit is broken
    missing          data that cannot be had (``l1.elsewhere``): from there on roots are believed, not recomputed

Besides, it says what one should know in time: challenges to batches that are right, reorgs, and clocks that ran out.
Nothing is remembered but the folder: a challenger that was killed looks again, and finds its challenges on the chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.errors import BadInputError, InvalidError
from aitbc_rollup.verifier.types import Proof

from .binding import Binding
from .full.data import FullData
from .full.judgement import Judgement, judge
from .l1.elsewhere import DataMissingError, Elsewhere
from .l1.fallback import Fallback, Proposal
from .l1.rollup_contract import RollupContract
from .l1.signer import Signer
from .state import State
from .store import Store
from .sync import Synced, sync


class Level(Enum):
    """How much an alert matters."""

    NOTE = "note"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that one should know; ``kind`` is for programs, ``details`` are JSON values."""

    level: Level
    kind: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As JSON says it."""
        return {"level": self.level.value, "kind": self.kind, "message": self.message, **self.details}


class Settler(Protocol):
    """Makes proofs of full batches."""

    def prove(self, state: State, data: FullData, payout: str) -> tuple[Binding, Proof]:
        """C, ζ and y, and the proof of a full batch on a state; the state is left as it is."""


class Challenger:
    """Looks at a rollup and acts.

    Args:
        store: a folder bound to the rollup's genesis.
        rollup: the contract.
        elsewhere: where data are that transactions do not have.
        signer: who stakes bonds; without one nothing is sent.
        settler: who makes proofs that settle; without one challenges wait for somebody else's.
        confirmations: blocks that must lie above one that counts.
    """

    def __init__(
        self,
        store: Store,
        rollup: RollupContract,
        elsewhere: Elsewhere,
        *,
        signer: Signer | None = None,
        settler: Settler | None = None,
        confirmations: int = 0,
    ) -> None:
        self._store = store
        self._rollup = rollup
        self._elsewhere = elsewhere
        self._signer = signer
        self._settler = settler
        self._confirmations = confirmations
        self._fallback = Fallback(rollup.bound)

    def look(self) -> Iterator[Alert]:
        """Look once, act, and say what is to be known as it comes up; nothing if all is well.

        Raises:
            L1Error: the chain does not answer, or refuses a challenge; what was told before that stands.
            BadInputError, ResourceError: the folder.
        """
        try:
            yield from _reorg(
                sync(self._store, self._rollup, confirmations=self._confirmations, elsewhere=self._elsewhere)
            )
        except DataMissingError as missing:
            yield Alert(Level.ALARM, missing.how.name.lower(), missing.render(), {"batch": missing.batch})
        except (InvalidError, BadInputError) as wrong:
            yield from self._object(wrong)
        yield from self._defend()
        yield from self._clocks()

    @property
    def recomputed(self) -> int:
        """Number of the last batch that was recomputed and found right."""
        return self._store.batch_count

    # -- what is wrong -------------------------------------------------------------------------------------------

    def _object(self, wrong: InvalidError | BadInputError) -> Iterator[Alert]:
        """The batch behind the last right one is wrong: challenge it, if that is the way to stop it."""
        number = self._store.batch_count + 1
        committed, proven = (int(self._rollup.bound.view(f"{name}Batches")) for name in ("committed", "proven"))
        if number > committed:
            raise wrong  # it is no batch that stops us
        batch = self._rollup.batch(number)
        details = {"batch": number, "why": wrong.render()}
        if number <= proven:
            yield Alert(Level.ALARM, "proven_wrong", f"batch {number} is wrong, and was accepted", details)
        elif batch.kind == Kind.FULL:
            yield from self._challenge(number, batch.proposal)
        else:
            yield Alert(Level.WARNING, "unprovable", f"batch {number} is wrong: nobody can prove it", details)

    def _challenge(self, number: int, identity: int) -> Iterator[Alert]:
        judgement = self._judge(number, self._store.state())
        proposal = self._fallback.proposal(identity)
        right = judgement.right.digest
        details = {
            "batch": number,
            "proposal": identity,
            "proposer": proposal.proposer,
            "proposed": "0x" + proposal.outcome.hex(),
            "right": "0x" + right.hex(),
        }
        yield Alert(Level.ALARM, "wrong_outcome", f"batch {number} is proposed with a wrong outcome", details)
        if self._signer is None:
            return
        if right not in [challenge.outcome for challenge in self._fallback.challenges(proposal)]:
            challenge, receipt = self._fallback.challenge(self._signer, identity, right)
            sent = {"batch": number, "challenge": challenge.index, "tx_hash": receipt.tx_hash}
            yield Alert(Level.NOTE, "challenged", f"batch {number} is challenged", sent)
        if self._settler is not None and number == int(self._rollup.bound.view("provenBatches")) + 1:
            data = FullData(judgement.data.inputs, judgement.right)
            binding, proof = self._settler.prove(self._store.state(), data, self._signer.address)
            receipt = self._fallback.settle(
                self._signer, number, data.posted, binding.commitment, self._signer.address, proof
            )  # fmt: skip
            yield Alert(
                Level.NOTE, "settled", f"batch {number} is replaced by its right outcome",
                {"batch": number, "tx_hash": receipt.tx_hash},
            )  # fmt: skip

    def _judge(self, number: int, before: State) -> Judgement:
        posted, items = self._rollup.posted(number), self._rollup.queue_items(number)
        return judge(before, posted, items, f"batch {number}")

    # -- what is right, and disputed -----------------------------------------------------------------------------

    def _defend(self) -> Iterator[Alert]:
        """Batches that are right and challenged need a proof."""
        proven = int(self._rollup.bound.view("provenBatches"))
        for number in range(proven + 1, self._store.batch_count + 1):
            batch = self._rollup.batch(number)
            proposal = self._fallback.proposal(batch.proposal) if batch.proposal else None
            if proposal is None or not proposal.challenges:
                continue
            details = {"batch": number, "proposal": proposal.id, "challenges": proposal.challenges}
            yield Alert(
                Level.WARNING, "disputed", f"batch {number} is right, and challenged: it needs a proof", details
            )
            if self._settler is not None and self._signer is not None and number == proven + 1:
                yield self._prove(number, proposal)

    def _prove(self, number: int, proposal: Proposal) -> Alert:
        assert self._signer is not None and self._settler is not None
        before = self._store.state_after(number - 1)
        data = self._judge(number, before).data
        binding, proof = self._settler.prove(before, data, self._signer.address)
        step = self._rollup.prove(self._signer, number, binding, self._signer.address, proof)
        details = {"batch": number, "proposal": proposal.id, "tx_hash": step.tx_hash}
        return Alert(Level.NOTE, "proven", f"batch {number} is proven as it was proposed", details)

    # -- clocks --------------------------------------------------------------------------------------------------

    def _clocks(self) -> Iterator[Alert]:
        view = self._rollup.bound.view
        if view("frozen"):
            yield Alert(Level.ALARM, "frozen", "the rollup is frozen: accounts leave with `aitbc-rollup l1 exit`")
            return
        if view("isFreezable"):
            yield Alert(Level.ALARM, "freezable", "a clock has run out: anyone can freeze the rollup")
        if view("fallbackOpen"):
            yield Alert(Level.WARNING, "fallback_open", "no proof came in time: anyone proposes batches")


def _reorg(synced: Synced) -> Iterator[Alert]:
    if synced.reorg is not None:
        yield Alert(
            Level.WARNING, "reorg", f"the chain took back blocks after {synced.reorg.holds}",
            {"read": synced.reorg.read, "holds": synced.reorg.holds, "undone": list(synced.undone)},
        )  # fmt: skip
