"""Files as the decoders and encoders want them: mapped when read, whole or absent when written.

A mapped file costs no memory of its own: its pages are the system's cache, and :meth:`MappedFile.release` gives back
those a decoder is done with. Decoders bound everything by the file's length, so no content can make them take more.
What mapping cannot survive is another process cutting the file short meanwhile: the system then ends this one. A file
that is kept open is therefore asked first whether it is still the same (:meth:`MappedFile.require_same`).
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.errors import BadInputError, ResourceError, unreadable


class Identity(NamedTuple):
    """What tells a file from every other and from itself before a change."""

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class MappedFile:
    """A file's bytes, ``data``: mapped, or read whole where that cannot be (a pipe, an empty file).

    The mapping lives as long as ``data`` or an array over it.

    Raises:
        BadInputError: it cannot be read, or is neither file nor pipe.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._map: mmap.mmap | None = None
        try:
            with self.path.open("rb") as stream:
                self.status = os.fstat(stream.fileno())
                if stat.S_ISREG(self.status.st_mode) and self.status.st_size:
                    self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
                elif not stat.S_ISREG(self.status.st_mode) and not stat.S_ISFIFO(self.status.st_mode):
                    raise OSError(errno.EINVAL, "neither a file nor a pipe")
                self.data = memoryview(self._map or stream.read())
        except OSError as error:
            raise unreadable(path, "a readable file", error) from error
        self._start = np.frombuffer(self.data, np.uint8).ctypes.data

    @property
    def identity(self) -> Identity | None:
        """The file's identity when it was opened; ``None`` of what is no regular file."""
        return None if self._map is None else _identity(self.path, self.status)

    def unchanged(self) -> bool:
        """Whether the path still leads to the file that was opened, as it was then."""
        try:
            return self.identity == _identity(self.path, self.path.stat())
        except OSError:
            return False

    def require_same(self) -> None:
        """Refuse a file that has been changed where it lies: to look at pages that it lost would end this process.

        Raises:
            BadInputError: it has. (Another file that has taken its name is none of our concern.)
        """
        before = self.status
        with suppress(OSError):
            now = self.path.stat()
            same_file = (now.st_dev, now.st_ino) == (before.st_dev, before.st_ino)
            if same_file and (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                hint = "load it again"
                raise BadInputError("the file has changed since it was opened", place=str(self.path), hint=hint)

    def release(self, part: memoryview | NDArray[Any]) -> None:
        """Take the pages of a part of ``data`` out of this process's memory; a later look brings them back."""
        self._advise(part, mmap.MADV_DONTNEED)

    def prefetch(self, part: memoryview | NDArray[Any]) -> None:
        """Have the system read a part of ``data`` from the disk, where it must, in one go."""
        self._advise(part, mmap.MADV_WILLNEED)

    def _advise(self, part: memoryview | NDArray[Any], advice: int) -> None:
        if self._map is None or not part.nbytes:
            return
        start = np.frombuffer(part, np.uint8).ctypes.data - self._start
        page = start - start % mmap.PAGESIZE
        with suppress(OSError):
            self._map.madvise(advice, page, start + part.nbytes - page)


def _identity(path: Path, status: os.stat_result) -> Identity:
    return Identity(
        os.path.realpath(path), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


@contextmanager
def replacing(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """A stream whose content becomes the file when the block ends well, and leaves nothing when it does not.

    A temporary file beside it is flushed to the disk, takes its name, and the folder is flushed.

    Args:
        path: the file.
        mode: its permissions; what the process's umask leaves of 0666 if left out.

    Raises:
        ResourceError: it cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
                stream.flush()
                os.fchmod(stream.fileno(), _default_mode() if mode is None else mode)
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync(path.parent)
    except OSError as error:
        raise ResourceError(
            "the file cannot be written",
            place=str(path),
            got=error.strerror or str(error),
            hint="check space and rights",
        ) from error


def _sync(folder: Path) -> None:
    """Bring a folder's entries to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _default_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
