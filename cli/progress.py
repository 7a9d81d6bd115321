"""Progress on stderr: lines that move for a person, JSON lines for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from aitbc_rollup.algebra.compilation import once, watching
from aitbc_rollup.rollup.reporting import Reporter

#: What a stage does, in a person's words.
TITLES = {
    "circom": "circuit compiled",
    "keys": "circuit and proving key",
    "ingest": "records read and checked",
    "sealed": "batch applied and sealed",
    "witness": "witness",
    "proof": "Groth16 proof",
    "files": "files written",
    "chain": "embedded L1",
    "deploy": "contracts deployed",
    "commit": "batch committed",
    "commit_and_prove": "batch committed and proven",
    "prove": "proof verified on L1",
    "finalize": "batch finalized",
    "tamper": "altered batch refused",
}


class JsonProgress:
    """One JSON object a stage, on stderr."""

    def __enter__(self) -> JsonProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def begin(self, stage: str) -> None:
        """Nothing: a stage is told when it is done."""

    def progress(self, stage: str, detail: str, share: float) -> None:
        """Nothing."""

    def done(self, stage: str, seconds: float, note: str) -> None:
        """``{"stage": …, "seconds": …, "note": …}``."""
        click.echo(json.dumps({"stage": stage, "seconds": round(seconds, 3), "note": note}), err=True)
        sys.stderr.flush()

    def say(self, text: str) -> None:
        """``{"say": …}``."""
        click.echo(json.dumps({"say": text}), err=True)


class RichProgress:
    """A line a stage; a bar for the one that runs, if stderr is a terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        columns = (TextColumn("  {task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task: TaskID | None = None

    def __enter__(self) -> RichProgress:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, stage: str) -> None:
        """Show the stage as running."""
        self._clear()
        self._task = self._bar.add_task(TITLES.get(stage, stage), total=None)

    def progress(self, stage: str, detail: str, share: float) -> None:
        """Move the bar."""
        if self._task is not None:
            title = f"{TITLES.get(stage, stage)}: {detail}"
            self._bar.update(self._task, description=title, total=1.0, completed=share)

    def done(self, stage: str, seconds: float, note: str) -> None:
        """Leave a line with what was done and how long it took."""
        self._clear()
        self._console.print(
            f"  [green]✓[/] {TITLES.get(stage, stage):<26}[dim]{seconds:7.2f} s[/]  {note}", soft_wrap=True
        )

    def say(self, text: str) -> None:
        """A line of its own, above the bar."""
        self._console.print(text, markup=False, soft_wrap=True)

    def _clear(self) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None


class Recorder:
    """Passes everything on, and keeps the seconds of each stage."""

    def __init__(self, inner: Reporter) -> None:
        self._inner = inner
        self.seconds: dict[str, float] = {}

    def begin(self, stage: str) -> None:
        """Passed on."""
        self._inner.begin(stage)

    def progress(self, stage: str, detail: str, share: float) -> None:
        """Passed on."""
        self._inner.progress(stage, detail, share)

    def done(self, stage: str, seconds: float, note: str) -> None:
        """Kept and passed on."""
        self.seconds[stage] = seconds
        self._inner.done(stage, seconds, note)


Display = JsonProgress | RichProgress


@contextmanager
def reporter(as_json: bool) -> Iterator[Display]:
    """The reporter for ``--json`` or for a person; it also says when kernels are compiled."""
    with JsonProgress() if as_json else RichProgress() as display, watching(once(display.say)):
        yield display
