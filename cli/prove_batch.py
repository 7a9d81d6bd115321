"""``prove-batch``: records to sealed, proven batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.rollup import ingest
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.dev_agents import DEFAULT_PRICES, Prices
from aitbc_rollup.rollup.job import BatchResult, JobOptions, JobResult
from aitbc_rollup.rollup.node import prove_batch as run

from . import common
from .progress import reporter


@click.command("prove-batch")
@click.argument("source", metavar="[INPUT]", type=common.PATH, required=False)
@click.option("--out", type=common.PATH, default=Path("batch"), show_default=True, help="Folder for the four files.")
@click.option("--limit", type=common.COUNT, help="Most records to take.  [default: all]")
@click.option("--skip", type=click.IntRange(min=0), default=0, help="Records to leave out at the start.")
@click.option("--format", "form", type=click.Choice(ingest.FORMATS), help="Format of INPUT.  [default: recognised]")
@click.option("--registrations", type=common.PATH, help="File of accounts to register, one a line.")
@click.option("--queue", "take_queue", is_flag=True, help="Take the items that wait in the contract's queue on the L1.")
@click.option(
    "--genesis", type=common.PATH, envvar="AITBC_GENESIS", help="Genesis file.  [default: development accounts]"
)
@click.option("--dev-agents", type=common.COUNT, help="Development agents that sign for a trace.  [default: 16]")
@click.option(
    "--session", "session_records", type=click.IntRange(1, 65_535), default=16, show_default=True,
    help="Most records of a trace in one session.",
)  # fmt: skip
@click.option(
    "--prices",
    default=str(DEFAULT_PRICES),
    show_default=True,
    help="Price of a token of a trace, in wei.",
)
@click.option(
    "--operator-share", type=click.IntRange(0, 2000), default=500, show_default=True,
    help="Operator's share in a trace's fees, basis points.",
)  # fmt: skip
@click.option("--payout", type=common.Address(), help="L1 address the proof pays.  [default: the operator's]")
@click.option("--l1-time", type=click.IntRange(min=0), help="The batch's L1 time, unix seconds.  [default: now]")
@click.option(
    "--shape", type=common.ShapeType(),
    help="The circuit's room: records, and after an x the most in a session.  [default: the state's, or just enough]",
)  # fmt: skip
@common.options(common.data, common.state, common.keys, common.chain_id, common.l1, common.engine, common.as_json)
def prove_batch(
    source: Path | None,
    keys: Path | None,
    prices: str,
    operator_share: int,
    take_queue: bool,
    l1: str,
    as_json: bool,
    **rest: Any,
) -> None:
    """Turn records of INPUT into sealed and proven batches.

    INPUT is a trace (TIMESTAMP,ContextTokens,GeneratedTokens) or a file of signed sessions and transfers, one a line.
    What one batch has no room for goes into the next; each of several has a folder of its own under --out. The same
    command again goes on after the last durable stage, and changes nothing when all is done.
    """
    queue = None
    if take_queue:
        from aitbc_rollup.rollup.deployment import queue_source
        from aitbc_rollup.rollup.l1.client import connect

        queue = queue_source(connect(l1, expected_chain_id=rest["chain_id"]))
    options = JobOptions(
        source=source,
        keys=common.keys_folder(keys),
        prices=Prices.parse(prices),
        operator_share_bps=operator_share,
        queue=queue,
        **rest,
    )
    with reporter(as_json) as report:
        result = run(options, report)
    figures = summary(result)
    if as_json:
        common.emit(figures, as_json=True)
    else:
        common.emit(for_people(figures), as_json=False, title=headline(result))


def headline(result: JobResult) -> str:
    """One line on how the job ended."""
    numbers = [entry.batch.data.context.batch_number for entry in result.batches]
    several = len(numbers) > 1
    which = f"batches {numbers[0]} to {numbers[-1]}" if several else f"batch {numbers[0]}"
    if not result.changed:
        return f"{which} {'were' if several else 'was'} finished before: nothing changed"
    done = f"{which} {'are' if several else 'is'} sealed and proven"
    return done + (", resumed where the job was interrupted" if result.resumed else "")


def summary(result: JobResult) -> dict[str, Any]:
    """The result by name: all batches together, then each."""
    batches = [_batch_summary(entry) for entry in result.batches]
    first, last = result.batches[0].batch.data, result.batches[-1].batch.data
    counts = ("records", "sessions", "transfers", "registrations", "queue_items", "data_bytes", "elsewhere_bytes")
    return {
        **{name: sum(entry[name] for entry in batches) for name in counts},
        "constraints": result.batches[0].constraints,
        "witness_seconds": round(sum(entry["witness_seconds"] for entry in batches), 3),
        "proof_seconds": round(sum(entry["proof_seconds"] for entry in batches), 3),
        "old_root": common.root_text(first.old_root),
        "new_root": common.root_text(last.new_root),
        "contract": format_address(first.context.domain.contract),
        "shape": str(result.batches[0].batch.shape),
        "data": result.batches[0].batch.shape.kind.name.lower(),
        "development_keys": any(entry.batch.data.context.development_keys for entry in result.batches),
        "provenance": result.provenance,
        "changed": result.changed,
        "batches": batches,
    }


def _batch_summary(entry: BatchResult) -> dict[str, Any]:
    data = entry.batch.data
    return {
        "batch": data.context.batch_number,
        "records": data.records,
        "sessions": len(data.sessions),
        "transfers": len(data.transfers),
        "registrations": len(data.registrations),
        "queue_items": len(data.queue_items),
        "data_bytes": len(data.posted),
        "elsewhere_bytes": len(data.elsewhere),
        "witness_seconds": round(entry.seconds["witness"], 3),
        "proof_seconds": round(entry.seconds["proof"], 3),
        "old_root": common.root_text(data.old_root),
        "new_root": common.root_text(data.new_root),
        "folder": str(entry.out),
    }


def for_people(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures without zeros, and of each batch its folder alone."""
    shown = {name: value for name, value in figures.items() if name != "batches" and value != 0}
    return shown | {"folders": [entry["folder"] for entry in figures["batches"]]}
