"""The Azure LLM inference trace of 2023: ``TIMESTAMP,ContextTokens,GeneratedTokens``.

Patel et al., "Splitwise: Efficient generative LLM inference using phase splitting", ISCA 2024; the data are under
CC-BY 4.0. The trace says when a request came and how many tokens went in and out. It says nothing about
time on any processor, memory or outcome: those stay zero and unstated in the records, and the batch's
provenance names them. Nor does it carry signatures: development agents sign (``dev_agents``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.strict_json import shorten

from ..checks import check_width
from .reading import check_not_seen, read_lines

NAME = "azure-llm-2023"
HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"
#: Fields of a run record about which this trace says nothing.
UNSTATED = ("wall_ms", "cpu_ms", "gpu_ms", "memory_mib", "outcome", "parents", "cid")

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d{1,9})?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One request of a trace: where it stands, its identity, its tokens.

    ``identity`` is the same bytes whatever file the request is found in.
    """

    place: str
    identity: bytes
    tokens_in: int
    tokens_out: int


def read(path: Path) -> list[TraceRow]:
    """Every row of a trace file.

    Raises:
        BadInputError: see ``reading``; a wrong header, column count, timestamp or number; a row twice; no row at all.
    """
    rows: list[TraceRow] = []
    seen: dict[bytes, str] = {}
    for number, (place, line) in enumerate(read_lines(path)):
        if number == 0:
            _check_header(line, place)
            continue
        row = _row(line, place)
        check_not_seen(seen, row.identity, place, "the request")
        rows.append(row)
    if not rows:
        raise BadInputError("no records", place=str(path), expected="rows below the header", got="the header alone")
    return rows


def _check_header(line: str, place: str) -> None:
    if line.removeprefix("\ufeff") != HEADER:
        raise BadInputError("wrong header", place=place, expected=HEADER, got=shorten(repr(line)))


def _row(line: str, place: str) -> TraceRow:
    cells = line.split(",")
    if len(cells) != 3:
        raise BadInputError(
            "wrong number of columns", place=place, expected="3", got=f"{len(cells)}: {shorten(line)!r}"
        )
    timestamp = _timestamp(cells[0], place)
    tokens_in = _number(cells[1], "ContextTokens", place)
    tokens_out = _number(cells[2], "GeneratedTokens", place)
    identity = f"{NAME}\n{timestamp},{tokens_in},{tokens_out}".encode()
    return TraceRow(place, identity, tokens_in, tokens_out)


def _timestamp(text: str, place: str) -> str:
    match = _TIMESTAMP.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise BadInputError(
            "TIMESTAMP is no time", place=place, expected="YYYY-MM-DD hh:mm:ss.fffffff", got=shorten(repr(text))
        ) from None
    return text


def _number(text: str, column: str, place: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadInputError(f"{column} is no whole number", place=place, expected="digits", got=shorten(repr(text)))
    return check_width(int(text), 32, field=column, place=place)
