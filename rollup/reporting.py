"""How a long job says where it is; the command line draws it, tests listen to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Reporter(Protocol):
    """Told about stages as they begin, move and end."""

    def begin(self, stage: str) -> None:
        """A stage begins."""

    def progress(self, stage: str, detail: str, share: float) -> None:
        """A share, from 0 to 1, of a stage is done."""

    def done(self, stage: str, seconds: float, note: str) -> None:
        """A stage has ended, and what it made is durable if the stage makes something durable."""


class Silent:
    """A reporter that says nothing."""

    def begin(self, stage: str) -> None:
        """Nothing."""

    def progress(self, stage: str, detail: str, share: float) -> None:
        """Nothing."""

    def done(self, stage: str, seconds: float, note: str) -> None:
        """Nothing."""


class Stage:
    """A running stage; set ``note`` to say in a few words how it went."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.note = ""
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self._start


@contextmanager
def stage(reporter: Reporter, name: str) -> Iterator[Stage]:
    """Report a stage around a block; an exception reports no end."""
    reporter.begin(name)
    running = Stage(name)
    yield running
    reporter.done(name, running.seconds, running.note)
