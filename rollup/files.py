"""Folders and files of the rollup: made with a clear error, read strictly, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aitbc_rollup.circuits.formats.files import replacing
from aitbc_rollup.errors import BadInputError, ResourceError, unreadable
from aitbc_rollup.verifier.strict_json import parse_json

#: Of a JSON file.
MAX_FILE_BYTES = 1 << 28


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        ResourceError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(
            "the folder cannot be made",
            place=str(folder),
            expected="a path to write to",
            got=error.strerror or str(error),
            hint="check the path",
        ) from None


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> bool:
    """Write a file atomically and durably; a file that holds these bytes already is left alone.

    Returns:
        whether the file changed.

    Raises:
        ResourceError: it cannot be written.
    """
    if _holds(path, data):
        return False
    with replacing(path, mode) as file:
        file.write(data)
    return True


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.is_file() and path.read_bytes() == data
    except OSError:
        return False


def read_json(path: Path) -> Any:
    """A JSON file, strictly read.

    Raises:
        BadInputError: missing, too large or malformed.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadInputError("the file is too large", place=str(path), expected=f"at most {MAX_FILE_BYTES} bytes")
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise unreadable(path, "a JSON file", error) from None
    except UnicodeDecodeError as error:
        raise BadInputError("not UTF-8", place=str(path), expected="JSON in UTF-8", got=f"byte {error.start}") from None
    return parse_json(text, str(path))
