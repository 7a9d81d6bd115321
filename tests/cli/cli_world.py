"""The command line run inside this process, traces to feed it, and what a proven batch is made of."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from aitbc_rollup.cli.main import run

L1_TIME = 1_800_000_000


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Result]


def run_cli(*arguments: object) -> Result:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Result(code, out.getvalue(), err.getvalue())


def write_trace(path: Path, rows: int, first: int = 0) -> Path:
    start = datetime(2023, 11, 16, 18)
    lines = [f"{start + timedelta(seconds=n)}.5000000,{100 + n},{n + 1}" for n in range(first, first + rows)]
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + "\n".join(lines) + "\n")
    return path


class Proven(NamedTuple):
    """Where a batch of five records was proven, and what the command said."""

    arguments: list[object]
    trace: Path
    state: Path
    out: Path
    keys: Path
    result: Result
