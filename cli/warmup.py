"""``warmup``: kernels compiled ahead of their use."""

from __future__ import annotations

import time

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from aitbc_rollup.algebra import cpu, machine_code, threads
from aitbc_rollup.algebra.warmup import warm
from aitbc_rollup.prover import exercises as prover
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.rollup import exercises as rollup

from . import common


@click.command("warmup")
@common.options(common.engine, common.as_json)
def warmup(engine: str, as_json: bool) -> None:
    """Compile all kernels, so that no later command has to.

    What is compiled is kept in the cache folder, for this version, processor and vector path; the same command again
    compiles what is missing, which is nothing. It works by doing small proofs, so it tries the installation as well.
    """
    name = load_engine(engine).name
    exercises = [*prover.exercises(name), *rollup.exercises()]
    start = time.perf_counter()
    compiled: set[str] = set()
    columns = (TextColumn("  {task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True, highlight=False)
    with Progress(*columns, console=console, transient=True, disable=as_json or not console.is_terminal) as bar:
        task = bar.add_task("compiling kernels", total=len(exercises))
        for done in warm(exercises, threads.count()):
            compiled |= set(done.compiled)
            bar.update(task, advance=1, description=f"compiling kernels: {done.name} done")
    kept = list(machine_code.FOLDER.path.glob("*.o"))
    result = {
        "engine": name,
        "vector_path": cpu.chosen(),
        "compiled": len(compiled),
        "seconds": round(time.perf_counter() - start, 2),
        "kernels": str(machine_code.FOLDER.path),
        "bytes": sum(file.stat().st_size for file in kept),
    }
    common.emit(result, as_json=as_json, title="kernels compiled" if compiled else "all kernels were compiled before")
