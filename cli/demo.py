"""``demo``: the whole road in one command."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from aitbc_rollup.rollup import demo as demonstration
from aitbc_rollup.rollup.demo import DemoResult

from . import common
from .progress import TITLES, Recorder, reporter


@click.command("demo")
@click.option("--input", "source", type=common.PATH, help="A trace.  [default: 256 requests of Azure's, in examples/]")
@click.option(
    "--limit",
    type=click.IntRange(1, demonstration.MAX_RECORDS),
    default=256,
    show_default=True,
    help="Records to take.",
)
@click.option("--folder", type=common.PATH, default=Path(".demo"), show_default=True, help="What runs leave behind.")
@common.options(common.keys, common.engine, common.as_json)
def demo(source: Path | None, limit: int, folder: Path, keys: Path | None, engine: str, as_json: bool) -> None:
    """Take real LLM requests to a finalized state root on an L1 inside this process.

    Then show that L1 refusing the same batch with one byte changed. Nothing is needed but this package. The first run
    compiles kernels and makes a key, both of which are kept.
    """
    start = time.perf_counter()
    with reporter(as_json) as inner:
        recorder = Recorder(inner)
        result = demonstration.run(
            source or demonstration.example(), folder, common.keys_folder(keys), limit, engine, recorder
        )
    figures = summary(result, recorder.seconds, time.perf_counter() - start)
    if as_json:
        common.emit(figures, as_json=True)
    else:
        show(result, figures)


def summary(result: DemoResult, seconds: dict[str, float], total: float) -> dict[str, Any]:
    """Every figure by name. Witness and proof are of the run that made them, perhaps an earlier one."""
    job = result.job
    (only,) = job.batches
    data, gas = only.batch.data, result.submission.gas
    taken = seconds | only.seconds
    return {
        "records": data.records,
        "sessions": len(data.sessions),
        "constraints": only.constraints,
        "constraints_per_record": round(only.constraints / data.records),
        "seconds": {name: round(taken[name], 3) for name in TITLES if name in taken},
        "total_seconds": round(total, 3),
        "resumed": job.resumed,
        "proof_was_there": not only.proved,
        "proof_bytes": result.proof_bytes,
        "data_bytes": len(data.posted),
        "gas": gas,
        "gas_per_record": round(sum(amount for name, amount in gas.items() if name != "deploy") / data.records),
        "old_root": common.root_text(data.old_root),
        "new_root": common.root_text(data.new_root),
        "altered_batch_refused": result.refusal,
        "files": str(only.out),
    }


def show(result: DemoResult, figures: dict[str, Any]) -> None:
    """The figures as a table, and what to try next."""
    console = common.stdout()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    names = (
        "records",
        "sessions",
        "constraints",
        "constraints_per_record",
        "proof_bytes",
        "data_bytes",
        "gas_per_record",
    )
    for name in names:
        table.add_row(name.replace("_", " "), common.show(figures[name]))
    for name, amount in figures["gas"].items():
        table.add_row(f"gas: {name}", common.show(amount))
    earlier = {"witness", "proof"} if figures["proof_was_there"] else set()
    for name, value in figures["seconds"].items():
        note = "  (an earlier run's)" if name in earlier else ""
        table.add_row(f"seconds: {TITLES.get(name, name)}", f"{value:.2f}{note}")
    console.print(table)
    console.print(f"  [dim]old root[/]  {figures['old_root']}")
    console.print(f"  [dim]new root[/]  {figures['new_root']}  final on the L1")
    console.print(f"[bold]One byte of the batch changed:[/] the L1 refuses it: {result.refusal}")
    console.print(f"Files: {figures['files']}   Check them: aitbc-rollup verify {figures['files']}", style="dim")
