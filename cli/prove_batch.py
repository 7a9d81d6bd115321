"""``prove-batch``: records to a sealed, proven batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.rollup import bundle, ingest
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.dev_agents import DEFAULT_PRICES, Prices
from aitbc_rollup.rollup.node import JobOptions, JobResult
from aitbc_rollup.rollup.node import prove_batch as run

from . import common
from .progress import reporter


@click.command("prove-batch")
@click.argument("source", metavar="INPUT", type=common.PATH)
@click.option("--out", type=common.PATH, default=Path("batch"), show_default=True, help="Folder for the four files.")
@click.option("--limit", type=common.COUNT, help="Most records to take.  [default: all]")
@click.option("--skip", type=click.IntRange(min=0), default=0, help="Records to leave out at the start.")
@click.option("--format", "form", type=click.Choice(ingest.FORMATS), help="Format of INPUT.  [default: recognised]")
@click.option(
    "--genesis", type=common.PATH, envvar="AITBC_GENESIS", help="Genesis file.  [default: development accounts]"
)
@click.option("--dev-agents", type=common.COUNT, help="Development agents that sign for a trace.  [default: 16]")
@click.option(
    "--prices",
    default=str(DEFAULT_PRICES),
    show_default=True,
    help="Price of a token of a trace, in the smallest unit.",
)
@click.option(
    "--operator-share", type=click.IntRange(0, 2000), default=500, show_default=True,
    help="Operator's share in a trace's fees, basis points.",
)  # fmt: skip
@click.option("--payout", type=common.Address(), help="L1 address the proof pays.  [default: the operator's]")
@click.option("--l1-time", type=click.IntRange(min=0), help="The batch's L1 time, unix seconds.  [default: now]")
@click.option("--shape", type=common.ShapeType(), help="The circuit's room.  [default: the state's, or just enough]")
@common.options(common.state, common.keys, common.chain_id, common.engine, common.as_json)
def prove_batch(source: Path, keys: Path | None, prices: str, operator_share: int, as_json: bool, **rest: Any) -> None:
    """Turn records of INPUT into a sealed and proven batch.

    INPUT is a trace (TIMESTAMP,ContextTokens,GeneratedTokens) or a file of signed sessions, one a line. The same
    command again goes on after the last durable stage, and changes nothing when all is done.
    """
    options = JobOptions(
        source=source,
        keys=common.keys_folder(keys),
        prices=Prices.parse(prices),
        operator_share_bps=operator_share,
        **rest,
    )
    with reporter(as_json) as report:
        result = run(options, report)
    common.emit(summary(result), as_json=as_json, title="" if as_json else headline(result))


def headline(result: JobResult) -> str:
    """One line on how the job ended."""
    number = result.batch.context.batch_number
    if not result.changed:
        return f"batch {number} was finished before: nothing changed"
    return f"batch {number} is sealed and proven" + (", resumed where it was interrupted" if result.resumed else "")


def summary(result: JobResult) -> dict[str, Any]:
    """The result by name, for people and programs."""
    batch = result.batch
    return {
        "batch": batch.context.batch_number,
        "records": batch.records,
        "sessions": len(batch.sessions),
        "constraints": result.constraints,
        "data_bytes": len(batch.data),
        "witness_seconds": round(result.seconds["witness"], 3),
        "proof_seconds": round(result.seconds["proof"], 3),
        "old_root": common.root_text(batch.old_root),
        "new_root": common.root_text(batch.new_root),
        "contract": format_address(batch.context.domain.contract),
        "development_keys": bool(batch.context.mode),
        "provenance": result.provenance,
        "changed": result.changed,
        "files": [str(result.out / name) for name in bundle.FILES],
    }
