"""Where records come from: one module a format, found by what the file begins with.

A format gives either rows of a trace (no signatures: development agents sign) or signed sessions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aitbc_rollup.errors import BadInputError, next_step
from aitbc_rollup.verifier.strict_json import shorten

from ..records import Domain, SignedSession
from . import azure, sessions
from .azure import TraceRow
from .reading import read_lines

FORMATS = (azure.NAME, sessions.NAME)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a job takes from its input: rows of a trace, or signed sessions; the other is empty.

    ``records`` has of each record its identity, 32 bytes, and its place.
    """

    format: str
    rows: tuple[TraceRow, ...]
    sessions: tuple[tuple[SignedSession, Domain], ...]
    records: tuple[tuple[bytes, str], ...]


@next_step("give a file in one of the formats of docs/howto-operators.md")
def read(path: Path, *, form: str | None = None, skip: int = 0, limit: int | None = None) -> Selection:
    """Read an input and select records.

    Args:
        path: the input.
        form: its format, one of :data:`FORMATS`; recognised by its first line if left out.
        skip: records to leave out at the start.
        limit: most records to take. Sessions are taken whole.

    Raises:
        BadInputError: the file does not read (see the formats), or nothing is left to take.
    """
    form = form or recognise(path)
    rows: Sequence[TraceRow] = ()
    found: Sequence[tuple[SignedSession, Domain]] = ()
    if form == azure.NAME:
        rows = azure.read(path)
        rows = rows[skip : None if limit is None else skip + limit]
        records = [(hashlib.sha256(row.identity).digest(), row.place) for row in rows]
    else:
        found = _whole_sessions(sessions.read(path), skip, limit)
        records = [
            (run_hash.to_bytes(32, "big"), f"{signed.place}, record {number}")
            for signed, _ in found
            for number, run_hash in enumerate(signed.session.run_hashes)
        ]
    if not records:
        raise BadInputError(
            "nothing to take",
            place=str(path),
            expected="at least one record (for sessions: a whole session) after --skip and within --limit",
            got=f"--skip {skip}" + ("" if limit is None else f" --limit {limit}"),
            hint="skip fewer records, or raise the limit",
        )
    return Selection(form, tuple(rows), tuple(found), tuple(records))


def recognise(path: Path) -> str:
    """The format of a file by its first line.

    Raises:
        BadInputError: unreadable, or of no known format.
    """
    place, line = next(iter(read_lines(path)))
    if line.lstrip().startswith("{"):
        return sessions.NAME
    if "," in line:  # a table; a wrong header gets the reader's own message
        return azure.NAME
    raise BadInputError(
        "unknown format",
        place=place,
        expected=f"a first line {azure.HEADER!r}, or signed sessions, one JSON object a line",
        got=shorten(repr(line)),
        hint="--format names it: " + " or ".join(FORMATS),
    )


def _whole_sessions(
    found: Sequence[tuple[SignedSession, Domain]], skip: int, limit: int | None
) -> list[tuple[SignedSession, Domain]]:
    """The sessions that lie whole behind ``skip`` and within ``limit`` records."""
    taken = []
    position = 0
    for pair in found:
        end = position + len(pair[0].session.records)
        if limit is not None and end > skip + limit:
            break
        if position >= skip:
            taken.append(pair)
        position = end
    return taken
