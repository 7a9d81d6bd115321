"""``doctor``: what this installation can do, and what to do about the rest."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.table import Table

from aitbc_rollup.errors import ResourceError

from . import common


@click.command("doctor")
@common.as_json
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Look at this installation: processor, engines, caches, programs. Exits with 5 if it cannot prove.

    Each vector path of this processor multiplies some thousand field elements, which are compared with Python's
    integers; where the kernels are compiled, a small proof is made and verified. Nothing is changed but the cache.
    """
    from .installation import look

    found = look()
    if as_json:
        problems = [problem._asdict() for problem in found.problems]
        click.echo(json.dumps(found.facts | {"problems": problems, "can_prove": found.can_prove}))
    else:
        console = common.stdout()
        for section, facts in found.facts.items():
            table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2), title=section)
            table.title_justify, table.title_style = "left", "bold"
            table.add_column(style="dim", no_wrap=True, min_width=14)
            table.add_column(overflow="fold")
            for name, value in facts.items():
                table.add_row(name.removesuffix("_bytes").replace("_", " "), _shown(name, value))
            console.print(table)
        for problem in found.problems:
            mark = "[red]✗[/]" if problem.needed else "[yellow]![/]"
            console.print(f"{mark} ", end="")
            console.print(problem.message, markup=False)
            console.print(f"  next: {problem.next}", style="dim", markup=False)
    if not found.can_prove:
        click.echo("this installation cannot prove", err=True)
        context.exit(ResourceError.exit_code)


def _shown(name: str, value: Any) -> str:
    """A fact for a person."""
    if isinstance(value, dict):
        return ", ".join(f"{part.removesuffix('_bytes')} {_shown(part, entry)}" for part, entry in value.items())
    if value is None:
        return "–"
    if name.endswith("bytes"):
        return f"{value / 2**30:.1f} GiB" if value >= 2**30 else f"{value / 2**20:.1f} MiB"
    return common.show(value)
