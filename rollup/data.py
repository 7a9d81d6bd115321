"""A batch's data words as one object: sections, the header, what is posted (``docs/protocol.md``, "Data")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError

from .binding import Binding, to_data
from .checks import placed
from .kzg import Blob
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
        counts = {
            "queue_items": len(self.queue_items),
            "registrations": len(self.registrations),
            "transfers": len(self.transfers),
            "sessions": len(self.sessions),
            "records": self.records,
        }
        return header_words(self.context, counts, self.old_root, self.new_root)

    @property
    def sections(self) -> dict[str, list[int]]:
        """The used words of each section of the polynomial, in order."""
        return {
            "header": self.header,
            "queue_items": flat(item.words for item in self.queue_items),
            "queue_results": flat(result.words for result in self.queue_results),
            "registrations": flat(map(registration_words, self.registrations)),
            "transfers": flat(transfer.words for transfer in self.transfers),
            "sessions": flat(session.words for session in self.sessions),
        }

    @property
    def posted(self) -> bytes:
        """The bytes that the operator posts in the transaction."""
        left_out = ("queue_items", *layout.ELSEWHERE[self.context.kind])
        return to_data(flat(words for name, words in self.sections.items() if name not in left_out))

    @property
    def elsewhere(self) -> bytes:
        """The used words that lie elsewhere: in a blob, or with attesters."""
        sections = self.sections
        return to_data(flat(sections[name] for name in layout.ELSEWHERE[self.context.kind]))

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

    def blob(self, shape: Shape) -> Blob | None:
        """The blob that holds what lies elsewhere: the room of each section, one after the other. Of that kind only.

        Raises:
            BadInputError: the circuit has no room for the data, or is for another kind.
        """
        if shape.kind != layout.Kind.BLOB:
            return None
        words = self.polynomial(shape)
        return Blob.of_words(flat(words[start : start + count] for start, count in shape.elsewhere))

    def binding(self, shape: Shape) -> Binding:
        """C, ζ and y of these data under a circuit of a shape, and the value of their blob.

        Raises:
            BadInputError: the circuit has no room for them, or is for another kind.
        """
        return Binding.of(
            self.polynomial(shape),
            self.posted,
            self.queue_bytes,
            elsewhere=shape.elsewhere,
            blob=self.blob(shape),
        )


def header_words(context: BatchContext, counts: Mapping[str, int], old_root: int, new_root: int) -> list[int]:
    """The words of a header; ``counts`` are those of ``layout.COUNTS`` but the operator's index."""
    values = {
        "version": layout.VERSION,
        "chain_id": context.domain.chain_id,
        "contract": context.domain.contract,
        "shard": context.domain.shard,
        "batch_number": context.batch_number,
        "counts": layout.pack(layout.COUNTS, {**counts, "operator_index": context.operator_index}),
        "mode": context.mode,
        "l1_time": context.l1_time,
        "old_root": old_root,
        "new_root": new_root,
    }
    return [values[name] for name in layout.HEADER]


def in_room(used: Mapping[str, Sequence[int]], kind: layout.Kind, shape: Shape) -> list[int]:
    """The words of every section of a kind of batch, each in the room that a circuit has for it, unused room as zeros.

    Raises:
        BadInputError: the circuit has no room for them, or is for another kind.
    """
    if shape.kind != kind:
        raise BadInputError(
            "the circuit is for another kind of batch", expected=shape.kind.name.lower(), got=kind.name.lower()
        )
    words: list[int] = []
    for name, section in shape.sections.items():
        if len(used[name]) > section.words:
            raise BadInputError(
                f"more words of {name} than the circuit has room for",
                expected=f"at most {section.words} (shape {shape})",
                got=str(len(used[name])),
            )
        words += [*used[name], *[0] * (section.words - len(used[name]))]
    return words


# -- reading -------------------------------------------------------------------------------------------------


#: Words of one item of each kind, by its count's name, in order.
_WIDTHS = {
    "queue_items": layout.QUEUE_RESULT_WORDS,
    "registrations": layout.REGISTRATION_WORDS,
    "transfers": layout.TRANSFER_WORDS,
    "sessions": layout.SESSION_WORDS,
}


def decode(
    words: Sequence[int], queue_items: Sequence[QueueItem], place: str, elsewhere: Sequence[int] = ()
) -> BatchData:
    """What posted words say, and those that lie elsewhere.

    Args:
        words: as posted, each a field element.
        queue_items: the items that the batch took from the contract's queue.
        place: of the words, for error messages.
        elsewhere: the words that lie elsewhere, as :attr:`BatchData.elsewhere` has them.

    Raises:
        BadInputError: another version, counts that do not fit the lengths or the queue, a field too wide, or the words
            of a full batch, which are others (``full.data``).
    """
    head = read_head(words, queue_items, place)
    if head.context.kind == layout.Kind.FULL:
        raise BadInputError("the batch is a full one", place=place, expected="the results of its transactions")
    kept = layout.ELSEWHERE[head.context.kind]
    posted = {name: width for name, width in _WIDTHS.items() if name not in kept}
    here = WordReader(words, head.counts, posted, place)
    there = WordReader(elsewhere, head.counts, {name: _WIDTHS[name] for name in kept}, f"{place}, elsewhere", start=0)
    late = there if kept else here
    data = BatchData(
        context=head.context,
        old_root=head.old_root,
        new_root=head.new_root,
        queue_items=tuple(queue_items),
        queue_results=here.take("queue_items", QueueResult.from_words),
        registrations=late.take("registrations", registration_from_words),
        transfers=here.take("transfers", PostedTransfer.from_words),
        sessions=late.take("sessions", PostedSession.from_words),
    )
    if data.records != head.counts["records"]:
        raise BadInputError(
            "the number of records does not fit the sessions",
            place=place,
            expected=str(data.records),
            got=str(head.counts["records"]),
        )
    return data


def words_in_blob(blob: Blob, counts: Mapping[str, int], registrations: int, place: str) -> list[int]:
    """The words that a batch has in its blob, for :func:`decode`.

    Args:
        blob: the batch's.
        counts: what its header says, by the names of ``layout.COUNTS``.
        registrations: the circuit's room for them, behind which the sessions begin.
        place: of the blob, for error messages.

    Raises:
        BadInputError: the counts do not fit the blob.
    """
    first = range(layout.REGISTRATION_WORDS * counts["registrations"])
    start = layout.REGISTRATION_WORDS * registrations
    second = range(start, start + layout.SESSION_WORDS * counts["sessions"])
    fits = counts["registrations"] <= registrations and second.stop <= layout.BLOB_WORDS
    if not fits or any(word for i, word in enumerate(blob.words) if i not in first and i not in second):
        raise BadInputError(
            "the blob's words do not fit the counts",
            place=place,
            expected=f"{counts['registrations']} registrations in room for {registrations}, then "
            f"{counts['sessions']} sessions, then zeros",
        )
    return [blob.words[i] for part in (first, second) for i in part]


class Head(NamedTuple):
    """A header, read; ``counts`` by the names of ``layout.COUNTS``."""

    context: BatchContext
    counts: dict[str, int]
    old_root: int
    new_root: int


def read_head(words: Sequence[int], queue_items: Sequence[QueueItem], place: str) -> Head:
    """The header at the beginning of posted words.

    Raises:
        BadInputError: it is cut short, of another version, not for so many queue items, or a field is too wide.
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
    unpacked(layout.MODE, header["mode"], f"{place}, word 6")
    context = BatchContext(
        domain=_domain(header, place),
        batch_number=header["batch_number"],
        mode=header["mode"],
        l1_time=header["l1_time"],
        operator_index=counts["operator_index"],
    )
    return Head(context, counts, header["old_root"], header["new_root"])


class WordReader:
    """Takes items off words, one section after the other; off posted ones from behind the header on.

    Raises:
        BadInputError: there are not as many words as the counts say.
    """

    def __init__(
        self,
        words: Sequence[int],
        counts: Mapping[str, int],
        widths: Mapping[str, int],
        place: str,
        *,
        start: int = layout.HEADER_WORDS,
    ) -> None:
        """``widths``: by the name of its count, how many words an item of a section has."""
        expected = start + sum(counts[name] * width for name, width in widths.items())
        if len(words) != expected:
            raise BadInputError(
                "the length does not fit the counts",
                place=place,
                expected=f"{expected} words",
                got=f"{len(words)} words",
            )
        self._words = words
        self._counts = counts
        self._widths = widths
        self._place = place
        self._at = start

    def take(self, name: str, read: Callable[[Sequence[int], str], _Item]) -> tuple[_Item, ...]:
        """All items of the next section."""
        width = self._widths[name]
        starts = range(self._at, self._at + width * self._counts[name], width)
        self._at += width * self._counts[name]
        return tuple(read(self._words[start : start + width], f"{self._place}, word {start}") for start in starts)


def _domain(header: dict[str, int], place: str) -> Domain:
    with placed(place):
        return Domain(header["chain_id"], header["contract"], header["shard"])


def flat(parts: Iterable[Iterable[int]]) -> list[int]:
    """All words of all parts."""
    return [word for part in parts for word in part]
