"""``init``: a state folder before its first batch."""

from __future__ import annotations

from pathlib import Path

import click

from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup import genesis as genesis_file
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.room import of_kind
from aitbc_rollup.rollup.shard import initialise

from . import common
from .progress import reporter


@click.command("init")
@click.option("--genesis", type=common.PATH, required=True, envvar="AITBC_GENESIS", help="Genesis file.")
@click.option(
    "--shape", type=common.ShapeType(), default="256x16", show_default=True,
    help="The circuit's room: records, and after an x the most in a session; or all of it, as results show it.",
)  # fmt: skip
@click.option(
    "--fallback", is_flag=True,
    help="A second circuit, of full batches in the same room: with it the rollup goes on without the operator.",
)  # fmt: skip
@common.options(common.data, common.state, common.keys, common.engine, common.as_json)
def init(
    genesis: Path,
    shape: Shape,
    fallback: bool,
    data: Kind | None,
    state: Path,
    keys: Path | None,
    engine: str,
    as_json: bool,
) -> None:
    """Make a state folder from a genesis file, and say which contract agents sign for.

    The contract's address follows from genesis, circuit key and operator; nothing has to be deployed yet. The same
    command again changes nothing.
    """
    found, shape = genesis_file.load(genesis), of_kind(shape, data)
    with reporter(as_json) as report:
        domain = initialise(state, found, shape, common.keys_folder(keys), engine, report, fallback=fallback)
    result = {
        "state": str(state),
        "chain_id": domain.chain_id,
        "contract": format_address(domain.contract),
        "shard": domain.shard,
        "genesis_root": common.root_text(found.root),
        "operator": format_address(found.operator_address),
        "shape": str(shape),
    }
    if fallback:
        result["fallback_shape"] = str(shape.fallback)
    common.emit(result, as_json=as_json)
