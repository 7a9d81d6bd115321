"""Processes measured from outside: wall-clock and processor seconds, and the most memory they held.

Only the standard library is imported here, and by whoever starts a measured process: Linux counts the memory of the
process that forked as the child's until it executes its program, so a large parent would show as the child's peak.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

Command = Sequence[str | Path]

#: ``ru_maxrss`` of one MiB.
PEAK_UNIT = 2**20 if sys.platform == "darwin" else 2**10


class Usage(NamedTuple):
    """What a process took: seconds by the clock, of the processor (its children and the kernel included), and MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


class ProcessFailedError(Exception):
    """A measured process did not end well; the message has the end of what it wrote to standard error."""


def spread(values: Sequence[float], digits: int = 3) -> dict[str, float]:
    """Median, least and most."""
    return {
        "median": round(statistics.median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
    }


def run(command: Command, *, env: Mapping[str, str] | None = None, folder: Path | None = None) -> Usage:
    """Run a program to its end, its standard output thrown away.

    Raises:
        ProcessFailedError: it did not exit with 0.
    """
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = _start(command, errors, env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder)
        usage = _wait(process, command, errors)
        return usage._replace(wall_s=time.perf_counter() - start)


def ask(command: Command, *, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object a program prints, not measured.

    Raises:
        ProcessFailedError: it did not exit with 0.
    """
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as output:
        process = _start(command, errors, env, stdin=subprocess.DEVNULL, stdout=output)
        _wait(process, command, errors)
        output.seek(0)
        answer: dict[str, Any] = json.loads(output.read())
        return answer


class Worker:
    """A process that keeps a key loaded and proves once for each line it is sent.

    It answers with one JSON object a line: the first when everything is loaded, then one for each proof, with the
    proof's ``wall_s`` and ``cpu_s``, and the ``peak_mib`` of the process so far.
    """

    def __init__(self, command: Command, *, env: Mapping[str, str] | None = None) -> None:
        self._command = command
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = _start(command, self._errors, env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.loaded = self._answer()

    def prove(self) -> dict[str, Any]:
        """One proof's figures.

        Raises:
            ProcessFailedError: the process is gone.
        """
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End it, if it has not ended."""
        with self._errors, self._process:
            pass

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            _wait(self._process, self._command, self._errors)
            raise ProcessFailedError(f"{_name(self._command)} ended without an answer")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _start(
    command: Command, errors: IO[bytes], env: Mapping[str, str] | None, **streams: Any
) -> subprocess.Popen[bytes]:
    """Start a process with these variables besides this one's; an empty value takes a variable away."""
    variables = {name: value for name, value in {**os.environ, **(env or {})}.items() if value}
    return subprocess.Popen([str(part) for part in command], env=variables, stderr=errors, **streams)


def _wait(process: subprocess.Popen[bytes], command: Command, errors: IO[bytes]) -> Usage:
    """Wait for the end; if this process is interrupted meanwhile, so is the other."""
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.send_signal(signal.SIGKILL)
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        errors.seek(0)
        told = errors.read().decode(errors="replace").strip()[-2000:]
        raise ProcessFailedError(f"{_name(command)} ended with {process.returncode}: {told}")
    return Usage(0.0, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / PEAK_UNIT)


def _name(command: Command) -> str:
    return " ".join(Path(part).name for part in command[:4])
