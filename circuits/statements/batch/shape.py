"""The room of a batch circuit (``docs/protocol.md``, "Batch" and "Data").

A circuit is compiled for a shape; a batch that needs less leaves the rest unused, as zeros. Account indices of a
circuit lie below ``2^index_bits``: the fewer, the fewer Merkle nodes near the root it needs room for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from itertools import accumulate
from typing import Any, NamedTuple

from .layout import (
    BLOB_WORDS,
    ELSEWHERE,
    FULL_SESSION_WORDS,
    FULL_TRANSFER_WORDS,
    HEADER_WORDS,
    INDEX_BITS,
    PAGE_RECORDS,
    QUEUE_ITEM_WORDS,
    QUEUE_RESULT_WORDS,
    REGISTRATION_WORDS,
    SESSION_WORDS,
    TRANSFER_RESULT_WORDS,
    TRANSFER_WORDS,
    TREE_DEPTH,
    Kind,
)

#: Most pages of one circuit; the header's count of records would hold more.
MAX_PAGES = 1 << 20
_MOST = (1 << 16) - 1
#: Room that a batch has for what is not a session, unless somebody asks for another.
QUEUE, REGISTRATIONS, TRANSFERS = 4, 2, 4
#: One letter a field, in the order of the fields: ``16p16s37a4q2g4t20v32i``; the kind is a letter or none.
_LETTERS = "psaqgtvi"
_KINDS = {Kind.CALLDATA: "", Kind.BLOB: "b", Kind.ATTESTED: "o", Kind.FULL: "f"}


class Section(NamedTuple):
    """Words of one kind in the data polynomial: where they begin, and room for how many."""

    start: int
    words: int


def _rest_of_full(sessions: int, queue: int, transfers: int, index_bits: int) -> dict[str, int]:
    """What the shape of a full batch is otherwise.

    It shows no records: a page a session stands for that. Every signature is checked once, everything may touch two
    accounts that nothing else touches, and nobody is registered.
    """
    return {
        "pages": sessions,
        "accounts": min(2 * (sessions + transfers + queue) + 1, 1 << index_bits),
        "registrations": 0,
        "signatures": sessions + transfers,
    }


@dataclass(frozen=True)
class Shape:
    """Room in a batch.

    ``pages`` of 16 records in all sessions together; ``accounts`` touched, each counted once; ``signatures`` that are
    checked, the countersigned sessions' second ones included. With a queue there is room for what its next item
    touches, two accounts and the operator's: otherwise one that no batch can take would hold up all behind it.
    ``kind`` says where the data lie that this room is for.

    Raises:
        ValueError: a number is out of range.
    """

    pages: int
    sessions: int
    accounts: int
    queue: int
    registrations: int
    transfers: int
    signatures: int
    index_bits: int = INDEX_BITS
    kind: Kind = Kind.CALLDATA

    def __post_init__(self) -> None:
        if not 1 <= self.index_bits <= INDEX_BITS:
            raise ValueError(f"a shape needs 1 <= index_bits <= {INDEX_BITS}, got {self.index_bits}")
        ranges = {
            "pages": (1, MAX_PAGES),
            "sessions": (1, self.pages),
            "accounts": (min(3, 1 << self.index_bits) if self.queue else 1, 1 << self.index_bits),
            "queue": (0, _MOST),
            "registrations": (0, _MOST),
            "transfers": (0, _MOST),
            "signatures": (1, 2 * self.sessions + self.transfers),
        }
        for name, (least, most) in ranges.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"a shape needs {least} <= {name} <= {most}, got {getattr(self, name)}")
        in_blob = REGISTRATION_WORDS * self.registrations + SESSION_WORDS * self.sessions
        if self.kind == Kind.BLOB and in_blob > BLOB_WORDS:
            raise ValueError(
                f"a shape needs at most {BLOB_WORDS} words of registrations and sessions, got {in_blob}, to fit a blob"
            )
        if self.kind == Kind.FULL:
            for name, right in _rest_of_full(self.sessions, self.queue, self.transfers, self.index_bits).items():
                if getattr(self, name) != right:
                    raise ValueError(f"the shape of a full batch needs {name} = {right}, got {getattr(self, name)}")

    @classmethod
    def for_records(
        cls,
        records: int,
        session: int = PAGE_RECORDS,
        *,
        agents: int | None = None,
        providers: int = 16,
        queue: int = QUEUE,
        registrations: int = REGISTRATIONS,
        transfers: int = TRANSFERS,
        countersigned: int = 0,
        index_bits: int = 24,
    ) -> Shape:
        """Room for the worst case of records in sessions of at most ``session`` records each.

        Args:
            records: records of the batch.
            session: records of a session.
            agents: distinct agents; as many as sessions, at most 256, if left out.
            providers: distinct providers.
            queue: queue items, each of which may touch two accounts.
            registrations: new accounts.
            transfers: transfers, each of which may touch two accounts.
            countersigned: sessions that carry a provider's signature.
            index_bits: account indices are below 2^index_bits.

        Raises:
            ValueError: a number is out of range.
        """
        if records < 1 or session < 1:
            raise ValueError(f"a shape needs records and sessions of records, got {records} in sessions of {session}")
        sessions = -(-records // session)
        agents = min(sessions, 256) if agents is None else agents
        return cls.for_sessions(
            sessions,
            pages=sessions * -(-session // PAGE_RECORDS),
            parties=agents + providers + 1,
            countersigned=countersigned,
            queue=queue,
            registrations=registrations,
            transfers=transfers,
            index_bits=index_bits,
        )

    @classmethod
    def for_sessions(
        cls,
        sessions: int,
        *,
        pages: int,
        parties: int,
        countersigned: int,
        queue: int = QUEUE,
        registrations: int = REGISTRATIONS,
        transfers: int = TRANSFERS,
        index_bits: int,
    ) -> Shape:
        """Room for sessions, and for the accounts and signatures of everything else.

        Args:
            sessions: sessions of the batch.
            pages: pages of all of them together.
            parties: distinct agents and providers, and the operator.
            countersigned, queue, registrations, transfers, index_bits: as for :meth:`for_records`.

        Raises:
            ValueError: a number is out of range.
        """
        accounts = parties + 2 * queue + registrations + 2 * transfers
        return cls(
            pages=pages,
            sessions=sessions,
            accounts=min(accounts, 1 << index_bits),
            queue=queue,
            registrations=registrations,
            transfers=transfers,
            signatures=sessions + transfers + countersigned,
            index_bits=index_bits,
        )

    @classmethod
    def full(cls, sessions: int, *, queue: int = QUEUE, transfers: int = TRANSFERS, index_bits: int = 24) -> Shape:
        """Room for a full batch, whatever its data are: nobody who posts them asks what else a circuit has room for.

        Raises:
            ValueError: a number is out of range.
        """
        rest = _rest_of_full(sessions, queue, transfers, index_bits)
        return cls(**rest, sessions=sessions, queue=queue, transfers=transfers, index_bits=index_bits, kind=Kind.FULL)

    @property
    def fallback(self) -> Shape:
        """The shape of the full batches that stand in for batches of this one."""
        return self.full(self.sessions, queue=self.queue, transfers=self.transfers, index_bits=self.index_bits)

    @property
    def records(self) -> int:
        """The most records a batch of this shape holds, in whole pages."""
        return self.pages * PAGE_RECORDS

    def rows(self, level: int) -> int:
        """Room for touched Merkle nodes of a level, 1 (above the leaves) to 16 (the root).

        Every touched account has one node above it, and indices below 2^index_bits have only so many.

        Raises:
            ValueError: there is no such level.
        """
        if not 1 <= level <= TREE_DEPTH:
            raise ValueError(f"levels are 1 to {TREE_DEPTH}, got {level}")
        return min(self.accounts, 1 << 2 * max(0, -(-self.index_bits // 2) - level))

    @property
    def sections(self) -> dict[str, Section]:
        """The data polynomial's sections in order: where each begins and how many words it has room for."""
        room = {
            "header": HEADER_WORDS,
            "queue_items": QUEUE_ITEM_WORDS * self.queue,
            "queue_results": QUEUE_RESULT_WORDS * self.queue,
        }
        if self.kind == Kind.FULL:
            room |= {
                "transfer_results": TRANSFER_RESULT_WORDS * self.transfers,
                "transfers": FULL_TRANSFER_WORDS * self.transfers,
                "sessions": FULL_SESSION_WORDS * self.sessions,
            }
        else:
            room |= {
                "registrations": REGISTRATION_WORDS * self.registrations,
                "transfers": TRANSFER_WORDS * self.transfers,
                "sessions": SESSION_WORDS * self.sessions,
            }
        starts = accumulate(room.values(), initial=0)
        return {name: Section(start, words) for (name, words), start in zip(room.items(), starts, strict=False)}

    @property
    def elsewhere(self) -> tuple[Section, ...]:
        """The sections whose words are not posted in the transaction but lie elsewhere, in order."""
        return tuple(self.sections[name] for name in ELSEWHERE[self.kind])

    @property
    def n_words(self) -> int:
        """Words of the data polynomial, the unused ones included."""
        last = self.sections["sessions"]
        return last.start + last.words

    def __str__(self) -> str:
        *numbers, _ = fields(self)
        room = (f"{getattr(self, field.name)}{letter}" for field, letter in zip(numbers, _LETTERS, strict=True))
        return "".join(room) + _KINDS[self.kind]

    @classmethod
    def parse(cls, text: str) -> Shape:
        """The shape that :meth:`__str__` wrote.

        Raises:
            ValueError: the text is none, or a number is out of range.
        """
        room = "".join(rf"(0|[1-9]\d{{0,6}}){letter}" for letter in _LETTERS)
        match = re.fullmatch(f"{room}([{''.join(_KINDS.values())}]?)", text, re.ASCII)
        if match is None:
            example = cls.for_records(256)
            raise ValueError(f"a shape reads like {example}, got {text!r}")
        *numbers, last = match.groups()
        values: dict[str, Any] = dict(zip((field.name for field in fields(cls)), map(int, numbers), strict=False))
        return cls(**values, kind=next(kind for kind, letter in _KINDS.items() if letter == last))
