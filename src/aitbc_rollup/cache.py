"""Where this package keeps what it can make again: machine code, proving keys.

Machine code that lies on disk is run like the package's own. So a :class:`CodeFolder` gives back a file only if nobody
but this user or root can have written it, and against accidents only if its digest agrees.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_DIGEST_BYTES = 32


def cache_root() -> Path:
    """Folder of everything this package caches: ``AITBC_CACHE``, or the platform's cache folder."""
    chosen = os.environ.get("AITBC_CACHE")
    if chosen:
        return Path(chosen)
    try:
        from platformdirs import user_cache_path
    except ImportError:  # run from the source tree, beside numpy and numba alone
        return Path.home() / ".cache" / "aitbc-rollup"
    return user_cache_path("aitbc-rollup", appauthor=False)


class CodeFolder(NamedTuple):
    """Files of machine code in one folder of the cache, by name."""

    folder: str

    @property
    def path(self) -> Path:
        """Where they are; made when the first is kept."""
        return cache_root() / self.folder

    def find(self, name: str) -> bytes | None:
        """The content kept under a name, if it was kept by somebody who may say what runs here, and is whole."""
        try:
            with (self.path / name).open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022:
                    return None
                content = file.read()
        except OSError:
            return None
        digest, rest = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        return rest if hashlib.sha256(rest).digest() == digest else None

    def keep(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all. Where nothing can be written, the next process makes it again."""
        with contextlib.suppress(OSError):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=self.path)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(content).digest() + content)
                Path(temporary).replace(self.path / name)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

    @contextlib.contextmanager
    def claimed(self, name: str) -> Iterator[None]:
        """While the context lasts, no other process makes this file; a second one waits and then finds it."""
        with contextlib.ExitStack() as held:
            with contextlib.suppress(OSError):  # where nothing can be written, everybody makes their own
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                file = held.enter_context((self.path / ".lock").open("ab"))
                # A byte of one file for each name, far beyond its end: no file is left behind.
                fcntl.lockf(file, fcntl.LOCK_EX, 1, int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big"))
            yield
