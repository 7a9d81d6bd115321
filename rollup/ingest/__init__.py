"""Where transactions come from: one module a format, found by what the file begins with.

A format gives either rows of a trace (no signatures: development agents sign) or signed sessions and transfers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aitbc_rollup.errors import BadInputError, next_step
from aitbc_rollup.verifier.strict_json import shorten

from ..transactions import Domain, Registration, SignedSession, SignedTransfer
from . import azure, transactions
from .azure import TraceRow
from .reading import read_lines

FORMATS = (azure.NAME, transactions.NAME)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a job takes from its input: rows of a trace, or what agents and users signed; the other is empty."""

    format: str
    rows: tuple[TraceRow, ...]
    signed: tuple[tuple[SignedSession | SignedTransfer, Domain], ...]


#: The selection of a job without an input: its queue items and registrations are all it has.
NOTHING = Selection("none", (), ())


@next_step("give a file in one of the formats of docs/howto-operators.md")
def read(path: Path, *, form: str | None = None, skip: int = 0, limit: int | None = None) -> Selection:
    """Read an input and select records.

    Args:
        path: the input.
        form: its format, one of :data:`FORMATS`; recognised by its first line if left out.
        skip: records to leave out at the start.
        limit: most records to take. Sessions are taken whole; a transfer counts as none, and goes with what is before.

    Raises:
        BadInputError: the file does not read (see the formats), or nothing is left to take.
    """
    form = form or recognise(path)
    selection = NOTHING
    if form == azure.NAME:
        rows = azure.read(path)
        selection = Selection(form, tuple(rows[skip : None if limit is None else skip + limit]), ())
    else:
        selection = Selection(form, (), tuple(_whole_sessions(transactions.read(path), skip, limit)))
    if not selection.rows and not selection.signed:
        raise BadInputError(
            "nothing to take",
            place=str(path),
            expected="at least one record (for sessions: a whole session) after --skip and within --limit",
            got=f"--skip {skip}" + ("" if limit is None else f" --limit {limit}"),
            hint="skip fewer records, or raise the limit",
        )
    return selection


def read_registrations(path: Path) -> list[Registration]:
    """The operator's file of accounts to be registered, one a line.

    Raises:
        BadInputError: a line is no registration.
    """
    return transactions.read_registrations(path)


def recognise(path: Path) -> str:
    """The format of a file by its first line.

    Raises:
        BadInputError: unreadable, or of no known format.
    """
    place, line = next(iter(read_lines(path, transactions.MAX_LINE_BYTES)))
    if line.lstrip().startswith("{"):
        return transactions.NAME
    if "," in line:  # a table; a wrong header gets the reader's own message
        return azure.NAME
    raise BadInputError(
        "unknown format",
        place=place,
        expected=f"a first line {azure.HEADER!r}, or signed sessions and transfers, one JSON object a line",
        got=shorten(repr(line)),
        hint="--format names it: " + " or ".join(FORMATS),
    )


def _whole_sessions(
    found: Sequence[tuple[SignedSession | SignedTransfer, Domain]], skip: int, limit: int | None
) -> list[tuple[SignedSession | SignedTransfer, Domain]]:
    """The sessions that lie whole behind ``skip`` and within ``limit`` records, and the transfers among them."""
    taken = []
    position = 0
    for pair in found:
        signed = pair[0]
        end = position + (signed.session.count if isinstance(signed, SignedSession) else 0)
        if limit is not None and end > skip + limit:
            break
        if position >= skip:
            taken.append(pair)
        position = end
    return taken
