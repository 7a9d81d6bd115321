"""A batch's data words as one object: sections, the header, what is posted (``docs/protocol.md``, "Data")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError

from .binding import Binding, to_data
from .checks import placed
from .posted import (
    PostedSession,
    PostedTransfer,
    QueueResult,
    registration_from_words,
    registration_words,
    unpacked,
)
from .transactions import Domain, QueueItem, Registration

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContext:
    """What a batch's header says besides roots and counts; ``mode`` is a word of ``layout.MODE``."""

    domain: Domain
    batch_number: int
    mode: int
    l1_time: int
    operator_index: int

    @property
    def kind(self) -> layout.Kind:
        """Where the batch's data lie."""
        return layout.Kind(layout.unpack(layout.MODE, self.mode)["kind"])

    @property
    def development_keys(self) -> bool:
        """Whether development keys signed something of the batch, as its operator says."""
        return bool(layout.unpack(layout.MODE, self.mode)["development_keys"])


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchData:
    """Everything that a batch says on L1: its header's values, the queue items it takes, and what it posts of each."""

    context: BatchContext
    old_root: int
    new_root: int
    queue_items: tuple[QueueItem, ...]
    queue_results: tuple[QueueResult, ...]
    registrations: tuple[Registration, ...]
    transfers: tuple[PostedTransfer, ...]
    sessions: tuple[PostedSession, ...]

    @property
    def records(self) -> int:
        """The number of records in valid sessions."""
        return sum(session.count for session in self.sessions if session.valid)

    @property
    def header(self) -> list[int]:
        """The header's words."""
        context = self.context
        counts = {
            "queue_items": len(self.queue_items),
            "registrations": len(self.registrations),
            "transfers": len(self.transfers),
            "sessions": len(self.sessions),
            "records": self.records,
            "operator_index": context.operator_index,
        }
        values = {
            "version": layout.VERSION,
            "chain_id": context.domain.chain_id,
            "contract": context.domain.contract,
            "shard": context.domain.shard,
            "batch_number": context.batch_number,
            "counts": layout.pack(layout.COUNTS, counts),
            "mode": context.mode,
            "l1_time": context.l1_time,
            "old_root": self.old_root,
            "new_root": self.new_root,
        }
        return [values[name] for name in layout.HEADER]

    @property
    def sections(self) -> dict[str, list[int]]:
        """The used words of each section of the polynomial, in order."""
        return {
            "header": self.header,
            "queue_items": _flat(item.words for item in self.queue_items),
            "queue_results": _flat(result.words for result in self.queue_results),
            "registrations": _flat(map(registration_words, self.registrations)),
            "transfers": _flat(transfer.words for transfer in self.transfers),
            "sessions": _flat(session.words for session in self.sessions),
        }

    @property
    def posted(self) -> bytes:
        """The bytes that the operator posts."""
        return to_data(_flat(words for name, words in self.sections.items() if name != "queue_items"))

    @property
    def queue_bytes(self) -> bytes:
        """The words of the queue items, which the contract has."""
        return to_data(self.sections["queue_items"])

    def polynomial(self, shape: Shape) -> list[int]:
        """All words of the data polynomial of a circuit, unused room as zeros.

        Raises:
            BadInputError: the circuit has no room for them.
        """
        words = []
        used = self.sections
        for name, section in shape.sections.items():
            if len(used[name]) > section.words:
                raise BadInputError(
                    f"more words of {name} than the circuit has room for",
                    expected=f"at most {section.words} (shape {shape})",
                    got=str(len(used[name])),
                )
            words += used[name] + [0] * (section.words - len(used[name]))
        return words

    def binding(self, shape: Shape) -> Binding:
        """C, ζ and y of these data under a circuit of a shape.

        Raises:
            BadInputError: the circuit has no room for them.
        """
        return Binding.of(self.polynomial(shape), self.posted, self.queue_bytes)


def decode(words: Sequence[int], queue_items: Sequence[QueueItem], place: str) -> BatchData:
    """What posted words say.

    Args:
        words: as posted, each a field element.
        queue_items: the items that the batch took from the contract's queue.
        place: of the words, for error messages.

    Raises:
        BadInputError: another version, counts that do not fit the length or the queue, a field too wide.
    """
    if len(words) < layout.HEADER_WORDS:
        raise BadInputError(
            "the header is cut short", place=place, expected=f"{layout.HEADER_WORDS} words", got=str(len(words))
        )
    header = dict(zip(layout.HEADER, words, strict=False))
    if header["version"] != layout.VERSION:
        raise BadInputError("unknown version", place=place, expected=str(layout.VERSION), got=str(header["version"]))
    counts = unpacked(layout.COUNTS, header["counts"], f"{place}, word 5")
    if counts["queue_items"] != len(queue_items):
        raise BadInputError(
            "wrong number of queue items", place=place, expected=str(counts["queue_items"]), got=str(len(queue_items))
        )
    expected = layout.HEADER_WORDS + sum(counts[name] * width for name, width in _POSTED.items())
    if len(words) != expected:
        raise BadInputError(
            "the length does not fit the counts", place=place, expected=f"{expected} words", got=f"{len(words)} words"
        )
    unpacked(layout.MODE, header["mode"], f"{place}, word 6")
    domain = _domain(header, place)
    reader = _Reader(words, place)
    data = BatchData(
        context=BatchContext(
            domain=domain,
            batch_number=header["batch_number"],
            mode=header["mode"],
            l1_time=header["l1_time"],
            operator_index=counts["operator_index"],
        ),
        old_root=header["old_root"],
        new_root=header["new_root"],
        queue_items=tuple(queue_items),
        queue_results=reader.take("queue_items", counts, QueueResult.from_words),
        registrations=reader.take("registrations", counts, registration_from_words),
        transfers=reader.take("transfers", counts, PostedTransfer.from_words),
        sessions=reader.take("sessions", counts, PostedSession.from_words),
    )
    if data.records != counts["records"]:
        raise BadInputError(
            "the number of records does not fit the sessions",
            place=place,
            expected=str(data.records),
            got=str(counts["records"]),
        )
    return data


#: Posted words of one item of each kind, by its count's name, in order.
_POSTED = {
    "queue_items": layout.QUEUE_RESULT_WORDS,
    "registrations": layout.REGISTRATION_WORDS,
    "transfers": layout.TRANSFER_WORDS,
    "sessions": layout.SESSION_WORDS,
}


class _Reader:
    """Takes items off posted words, one section after the other."""

    def __init__(self, words: Sequence[int], place: str) -> None:
        self._words = words
        self._place = place
        self._at = layout.HEADER_WORDS

    def take(self, name: str, counts: dict[str, int], read: Callable[[Sequence[int], str], _Item]) -> tuple[_Item, ...]:
        """All items of the next section."""
        width = _POSTED[name]
        starts = range(self._at, self._at + width * counts[name], width)
        self._at += width * counts[name]
        return tuple(read(self._words[start : start + width], f"{self._place}, word {start}") for start in starts)


def _domain(header: dict[str, int], place: str) -> Domain:
    with placed(place):
        return Domain(header["chain_id"], header["contract"], header["shard"])


def _flat(parts: Iterable[Iterable[int]]) -> list[int]:
    return [word for part in parts for word in part]
