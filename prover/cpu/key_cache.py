"""The folder of prepared keys: where it is, whether it may be trusted, and how large it grows.

``AITBC_KEY_CACHE`` is the size that the folder may have, in bytes or as ``500MiB`` or ``16GiB``; 0 turns it off. What
was not used for longest goes first. Only folders and files that are this user's alone are taken: see ``prepared`` for
what a file from somebody else could do.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from aitbc_rollup.cache import cache_root
from aitbc_rollup.circuits.formats.files import Identity
from aitbc_rollup.sizes import size_setting

_DEFAULT_LIMIT = 16 << 30
#: Seconds after which a temporary file has been left by a process that ended early.
_ABANDONED = 86_400


def limit() -> int:
    """Bytes that the folder may have: ``AITBC_KEY_CACHE``, or 16 GiB.

    Raises:
        UsageError: it is no size.
    """
    size = size_setting("AITBC_KEY_CACHE", "for no cache")
    return _DEFAULT_LIMIT if size is None else size


def folder() -> Path | None:
    """The folder, made if need be; ``None`` if it cannot be, or is not ours alone."""
    path = cache_root() / "prepared"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return path if is_ours(path, stat.S_ISDIR) else None


def is_ours(path: Path, is_kind: Callable[[int], bool] = stat.S_ISREG) -> bool:
    """Whether it is there, no link, this user's, and nobody else can change it."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return is_kind(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def entry(folder: Path, identity: Identity, *form: object) -> Path:
    """The file for what is made of a file in some form; see :func:`make_room` for the two parts of its name."""
    return folder / f"{_short_hash(identity.path, form[0])}-{_short_hash(identity, form)}.key"


def make_room(path: Path, size: int) -> bool:
    """Have the folder of a file that is to be written lose what this replaces, and what there is no room for beside it.

    It replaces the files whose names begin alike: they were made of another state of the same file.

    Returns:
        whether there is room now.
    """
    place, room = path.name.partition("-")[0], limit() - size
    try:
        if room < 0 or shutil.disk_usage(path.parent).free < 2 * size:
            return False
        known = [(status.st_mtime, status.st_size, file) for file in path.parent.iterdir() if (status := file.stat())]
    except OSError:
        return False
    for used, length, file in sorted(known, reverse=True):
        temporary = file.name.startswith(".")
        if temporary and time.time() - used < _ABANDONED:
            continue
        room -= length
        if temporary or room < 0 or file.name.startswith(place):
            with suppress(OSError):
                file.unlink()
    return True


def _short_hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()[:20]
