"""The words of a full batch: what goes in, and what its proposer says comes out.

::

    posted = header ‖ queue results ‖ transfer results ‖ transfers ‖ sessions
    outcome = new root (the header's last word) ‖ queue results ‖ transfer results

The outcome lies in one piece, so that the contract tells two outcomes of the same inputs apart by two hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import WORD_BYTES, Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError

from ..binding import Binding, to_data
from ..data import BatchContext, WordReader, flat, header_words, in_room, read_head
from ..transactions import QueueItem
from .posted import FullSession, FullTransfer

#: Where the outcome begins in posted bytes.
OUTCOME_START = WORD_BYTES * layout.HEADER.index("new_root")


@dataclass(frozen=True, slots=True, kw_only=True)
class FullInputs:
    """What everybody who redoes a full batch begins with; ``old_root`` is that of the state it is applied to."""

    context: BatchContext
    old_root: int
    queue_items: tuple[QueueItem, ...]
    transfers: tuple[FullTransfer, ...]
    sessions: tuple[FullSession, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of a full batch, or what its proposer says: so a result is a word, not yet a ``QueueResult``."""

    new_root: int
    queue_results: tuple[int, ...]
    transfer_results: tuple[int, ...]

    @property
    def posted(self) -> bytes:
        """Its bytes, as they stand among the posted ones from ``OUTCOME_START`` on."""
        return to_data([self.new_root, *self.queue_results, *self.transfer_results])

    @property
    def digest(self) -> bytes:
        """What a challenger names on L1: keccak256 of the bytes."""
        return keccak(self.posted)


@dataclass(frozen=True, slots=True)
class FullData:
    """Everything that a full batch says on L1."""

    inputs: FullInputs
    outcome: Outcome

    @property
    def context(self) -> BatchContext:
        """What the header says besides roots and counts."""
        return self.inputs.context

    @property
    def old_root(self) -> int:
        """The root of the state that the batch is applied to."""
        return self.inputs.old_root

    @property
    def new_root(self) -> int:
        """The root of the state after it, as the outcome says."""
        return self.outcome.new_root

    @property
    def queue_items(self) -> tuple[QueueItem, ...]:
        """The items that the batch takes from the contract's queue."""
        return self.inputs.queue_items

    @property
    def header(self) -> list[int]:
        """The header's words."""
        inputs = self.inputs
        counts = {
            "queue_items": len(inputs.queue_items),
            "registrations": 0,
            "transfers": len(inputs.transfers),
            "sessions": len(inputs.sessions),
            "records": 0,
        }
        return header_words(inputs.context, counts, inputs.old_root, self.outcome.new_root)

    @property
    def sections(self) -> dict[str, list[int]]:
        """The used words of each section of the polynomial, in order."""
        inputs, outcome = self.inputs, self.outcome
        return {
            "header": self.header,
            "queue_items": flat(item.words for item in inputs.queue_items),
            "queue_results": list(outcome.queue_results),
            "transfer_results": list(outcome.transfer_results),
            "transfers": flat(transfer.words for transfer in inputs.transfers),
            "sessions": flat(session.words for session in inputs.sessions),
        }

    @property
    def posted(self) -> bytes:
        """The bytes that the proposer posts."""
        return to_data(flat(words for name, words in self.sections.items() if name != "queue_items"))

    @property
    def inputs_hash(self) -> bytes:
        """keccak256 of the posted bytes without the outcome's: two proposals of the same inputs have the same."""
        posted, end = self.posted, OUTCOME_START + len(self.outcome.posted)
        return keccak(posted[:OUTCOME_START] + posted[end:])

    @property
    def queue_bytes(self) -> bytes:
        """The words of the queue items, which the contract has."""
        return to_data(self.sections["queue_items"])

    def polynomial(self, shape: Shape) -> list[int]:
        """All words of the data polynomial of a circuit, unused room as zeros.

        Raises:
            BadInputError: the circuit has no room for them, or is for another kind.
        """
        return in_room(self.sections, self.context.kind, shape)

    def binding(self, shape: Shape) -> Binding:
        """C, ζ and y of these data under a circuit of a shape.

        Raises:
            BadInputError: the circuit has no room for them, or is for another kind.
        """
        return Binding.of(self.polynomial(shape), self.posted, self.queue_bytes)


#: Posted words of one item of each section, by its name here, in order.
_POSTED = {
    "queue_results": layout.QUEUE_RESULT_WORDS,
    "transfer_results": layout.TRANSFER_RESULT_WORDS,
    "transfers": layout.FULL_TRANSFER_WORDS,
    "sessions": layout.FULL_SESSION_WORDS,
}


def decode_full(words: Sequence[int], queue_items: Sequence[QueueItem], place: str) -> FullData:
    """What the posted words of a full batch say; nothing is judged here.

    Args:
        words: as posted, each a field element.
        queue_items: the items that the batch took from the contract's queue.
        place: of the words, for error messages.

    Raises:
        BadInputError: what the contract refuses too: another version or kind, counts that do not fit the length or the
            queue, registrations or records, a field too wide.
    """
    head = read_head(words, queue_items, place)
    if head.context.kind != Kind.FULL:
        raise BadInputError("the batch is no full one", place=place, expected="kind FULL", got=head.context.kind.name)
    for name in ("registrations", "records"):
        if head.counts[name]:
            raise BadInputError(
                f"{name} in a full batch", place=f"{place}, word 5", expected="0", got=str(head.counts[name])
            )
    counts = {
        "queue_results": head.counts["queue_items"],
        "transfer_results": head.counts["transfers"],
        "transfers": head.counts["transfers"],
        "sessions": head.counts["sessions"],
    }
    reader = WordReader(words, counts, _POSTED, place)
    results = [reader.take(name, lambda words, _: words[0]) for name in ("queue_results", "transfer_results")]
    inputs = FullInputs(
        context=head.context,
        old_root=head.old_root,
        queue_items=tuple(queue_items),
        transfers=reader.take("transfers", FullTransfer.from_words),
        sessions=reader.take("sessions", FullSession.from_words),
    )
    return FullData(inputs, Outcome(head.new_root, *results))
