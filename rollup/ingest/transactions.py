"""Files of transactions: one a line, JSON (``documents`` says how a line reads)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.strict_json import parse_json

from ..documents import registration_from_json, signed_from_line
from ..transactions import Domain, Registration, SignedSession, SignedTransfer
from .reading import check_not_seen, read_lines

NAME = "sessions"
#: Longest line accepted, in bytes: 65,535 records of about 380.
MAX_LINE_BYTES = 1 << 25


def read(path: Path) -> list[tuple[SignedSession | SignedTransfer, Domain]]:
    """Every session and transfer of a file with the domain it names, in order.

    Domain and signatures are checked when a transaction is applied.

    Raises:
        BadInputError: see ``reading``; a line that is neither, or a record twice.
    """
    found: list[tuple[SignedSession | SignedTransfer, Domain]] = []
    seen: dict[bytes, str] = {}
    for place, line in _lines(path, "signed session or transfer"):
        signed, domain = signed_from_line(line, place)
        if isinstance(signed, SignedSession):
            for identity, where in records_of(signed):
                check_not_seen(seen, identity, where, "the record")
        found.append((signed, domain))
    return found


def read_registrations(path: Path) -> list[Registration]:
    """Every registration of a file, in order.

    Raises:
        BadInputError: see ``reading``; a line that is none.
    """
    return [registration_from_json(parse_json(line, place), place) for place, line in _lines(path, "registration")]


def records_of(signed: SignedSession) -> list[tuple[bytes, str]]:
    """Of each record its identity, its run hash as 32 bytes, and its place."""
    return [
        (run_hash.to_bytes(32, "big"), f"{signed.place}, record {number}")
        for number, run_hash in enumerate(signed.session.run_hashes)
    ]


def _lines(path: Path, what: str) -> Iterator[tuple[str, str]]:
    for place, line in read_lines(path, MAX_LINE_BYTES):
        if not line.strip():
            raise BadInputError("the line is empty", place=place, expected=f"one {what} a line")
        yield place, line
