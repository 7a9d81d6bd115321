"""Reading a text file line by line, strictly: what every ingest format shares.

A line longer than its limit, bytes that are not UTF-8, an empty or missing file: each is a
:class:`BadInputError` naming ``file:line``. Nothing is read into memory whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aitbc_rollup.errors import BadInputError, unreadable
from aitbc_rollup.verifier.strict_json import shorten

#: Longest line accepted, in bytes; a session of 16 records takes about 6,000.
MAX_LINE_BYTES = 1 << 16


def read_lines(path: Path, limit: int = MAX_LINE_BYTES) -> Iterator[tuple[str, str]]:
    """Each line as (``file:line``, text without its line end); ``\\n`` and ``\\r\\n`` both end a line.

    Raises:
        BadInputError: the file is missing, unreadable or empty, or a line too long or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(limit + 1):
                number += 1
                yield f"{path}:{number}", _decode(raw, limit, f"{path}:{number}")
    except OSError as error:
        raise unreadable(path, "a readable file", error) from None
    if number == 0:
        raise BadInputError("the file is empty", place=str(path), expected="at least a first line", got="0 bytes")


def _decode(raw: bytes, limit: int, place: str) -> str:
    if len(raw) > limit:
        raise BadInputError("the line is too long", place=place, expected=f"at most {limit} bytes", got="more")
    body = raw.removesuffix(b"\n").removesuffix(b"\r")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(
            "the line is not UTF-8",
            place=place,
            expected="text in UTF-8",
            got=f"byte 0x{body[error.start]:02x} at column {error.start + 1}",
        ) from None


def check_not_seen(seen: dict[bytes, str], identity: bytes, place: str, what: str) -> None:
    """Note an identity as seen at this place.

    Raises:
        BadInputError: it was seen before, in the same file.
    """
    first = seen.setdefault(identity, place)
    if first != place:
        raise BadInputError(
            f"{what} stands twice in the file",
            place=place,
            expected="every record once",
            got=f"the same as {shorten(first, 200)}",
            hint="take one of the two out",
        )
