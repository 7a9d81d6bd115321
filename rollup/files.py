"""Files that appear whole or not at all: a temporary file beside, fsync, rename, fsync of the folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

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
    try:
        if path.is_file() and path.read_bytes() == data:
            return False
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise ResourceError(
            "the file cannot be written",
            place=str(path),
            got=error.strerror or str(error),
            hint="check space and rights",
        ) from None
    return True


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
