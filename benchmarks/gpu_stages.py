"""Stages of work on a card, each in a process of its own: a kernel that fails leaves the others a card that works.

A stage prints a line of JSON for each thing it has to say; whoever started it gets them one by one, so that what was
found before an end by the clock is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable
from threading import Timer
from typing import Any

#: Seconds a stage may take.
LIMIT_S = 540


def require_known(parser: argparse.ArgumentParser, stages: Iterable[str], known: Collection[str]) -> None:
    """End with a word on usage where a stage is asked for that there is not."""
    unknown = [stage for stage in stages if stage not in known]
    if unknown:
        parser.error(f"no stage {unknown[0]}; there are {', '.join(known)}")


def here(said: Iterable[Any]) -> None:
    """Be the process of a stage."""
    for thing in said:
        print(json.dumps(thing), flush=True)


def apart(command: list[str], each: Callable[[Any], None], limit_s: float = LIMIT_S) -> str | None:
    """Run a Python program as a stage's process.

    Args:
        command: the program and its arguments.
        each: given everything it says.
        limit_s: seconds it may take; then it is killed with all that it started.

    Returns:
        what went wrong, or ``None``; what it writes to standard error is seen.
    """
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, process_group=0)
    assert process.stdout is not None
    clock = Timer(limit_s, lambda: os.killpg(process.pid, signal.SIGKILL))
    clock.daemon = True
    start = time.perf_counter()
    clock.start()
    try:
        for line in process.stdout:
            each(json.loads(line))
        status = process.wait()
    finally:
        clock.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    if status == 0:
        return None
    took = time.perf_counter() - start
    return f"ended after {limit_s:.0f} s" if took >= limit_s else f"ended with status {status}"
