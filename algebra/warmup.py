"""Kernels compiled ahead of their use: small pieces of real work, done by several processes.

A room offers :class:`Exercise` s that go through all its kernels; nobody keeps a list of kernels. numba holds one lock
over all of a compilation, so only processes share the work. A kernel that two of them need is compiled by one, the
other waits and loads it (``machine_code.FOLDER.claimed``).
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.pool import Pool
from typing import NamedTuple

from .compilation import watching


class Exercise(NamedTuple):
    """Work that needs kernels; ``work`` is a function of a module or a ``partial`` of one, for another process."""

    name: str
    work: Callable[[], object]


class Done(NamedTuple):
    """An exercise that ran, and the kernels that were compiled for it."""

    name: str
    compiled: list[str]


def warm(exercises: Sequence[Exercise], processes: int) -> Iterator[Done]:
    """Run exercises, yielding each as it ends; those that need no compiling first, here and at once.

    Stopped by an exception (Ctrl-C) it ends its processes; what was compiled is kept.

    Raises:
        Exception: what an exercise raised.
    """
    waiting = []
    for exercise in exercises:
        if is_warm(exercise):
            yield Done(exercise.name, [])
        else:
            waiting.append(exercise)
    if min(processes, len(waiting)) <= 1:
        yield from map(_run, waiting)
        return
    with _started(min(processes, len(waiting))) as pool:
        yield from pool.imap_unordered(_run, waiting)


class _NotCompiledError(Exception):
    """Stops a piece of work where it would have to wait."""


def is_warm(exercise: Exercise) -> bool:
    """Run an exercise, unless that takes compiling.

    Raises:
        Exception: what the exercise raised.
    """

    def refuse(kernel: str) -> None:
        raise _NotCompiledError(kernel)

    try:
        with watching(refuse):
            exercise.work()
    except _NotCompiledError:
        return False
    return True


def _run(exercise: Exercise) -> Done:
    compiled: list[str] = []
    with watching(compiled.append):
        exercise.work()
    return Done(exercise.name, compiled)


def _started(processes: int) -> Pool:
    """Fresh interpreters (a copy of this one would inherit locks that its threads hold), deaf to Ctrl-C from birth.

    It reaches all processes of a terminal; this one ends the others.
    """
    if threading.current_thread() is not threading.main_thread():
        return multiprocessing.get_context("spawn").Pool(processes)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return multiprocessing.get_context("spawn").Pool(processes)
    finally:
        signal.signal(signal.SIGINT, before)
