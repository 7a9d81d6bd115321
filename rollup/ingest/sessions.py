"""Session files: one signed session a line, JSON (``rollup.sessions`` says how a line reads)."""

from __future__ import annotations

from pathlib import Path

from aitbc_rollup.errors import BadInputError

from ..records import Domain, SignedSession
from ..sessions import signed_from_line
from .reading import check_not_seen, read_lines

NAME = "sessions"


def read(path: Path) -> list[tuple[SignedSession, Domain]]:
    """Every session of a file with the domain it names, in order.

    Domain and signature are checked when a session is applied.

    Raises:
        BadInputError: see ``reading``; a line that is no session, or a record twice.
    """
    sessions: list[tuple[SignedSession, Domain]] = []
    seen: dict[bytes, str] = {}
    for place, line in read_lines(path):
        if not line.strip():
            raise BadInputError("the line is empty", place=place, expected="one signed session a line")
        signed, found = signed_from_line(line, place)
        for number, run_hash in enumerate(signed.session.run_hashes):
            check_not_seen(seen, run_hash.to_bytes(32, "big"), f"{place}, record {number}", "the record")
        sessions.append((signed, found))
    return sessions
