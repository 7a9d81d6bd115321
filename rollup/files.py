"""Folders and files of the rollup: made with a clear error, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from aitbc_rollup.circuits.formats.files import replacing
from aitbc_rollup.errors import ResourceError


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
