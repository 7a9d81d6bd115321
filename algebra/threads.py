"""One pool of threads for all kernels; they release the GIL, so threads are enough.

Tasks must not call :func:`run` themselves: the pool is bounded and would wait for itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

Task = Callable[[], object]


@cache
def count() -> int:
    """Number of threads: ``AITBC_THREADS``, or the cores this process may use."""
    chosen = os.environ.get("AITBC_THREADS", "")
    if chosen.isdecimal() and int(chosen) > 0:
        return int(chosen)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count(), thread_name_prefix="aitbc")


def run(tasks: Iterable[Task]) -> None:
    """Run tasks, in the order given as threads come free, and wait for all; the first error is raised."""
    waiting = list(tasks)
    if len(waiting) == 1 or count() == 1:
        for task in waiting:
            task()
        return
    futures = [_pool().submit(task) for task in waiting]
    for future in futures:
        future.exception()
    for future in futures:
        future.result()


def ranges(total: int, at_least: int = 1) -> list[tuple[int, int]]:
    """``[0, total)`` cut into at most one range a thread, none (but the only one) shorter than ``at_least``."""
    parts = max(1, min(count(), total // at_least))
    bounds = [total * i // parts for i in range(parts + 1)]
    return list(pairwise(bounds))
