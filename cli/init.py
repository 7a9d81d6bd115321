"""``init``: a state folder before its first batch."""

from __future__ import annotations

from pathlib import Path

import click

from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup import genesis as genesis_file
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.room import of_kind
from aitbc_rollup.rollup.shard import Terms, initialise

from . import common
from .progress import reporter


def _pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """``NAME=VALUE`` as a name's value; the last one counts."""
    found = dict(value.split("=", 1) for value in values if "=" in value)
    if len(found) < len({value.partition("=")[0] for value in values}):
        raise click.BadParameter("expected NAME=VALUE", context, parameter)
    return found


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
@click.option(
    "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, callback=_pairs,
    help="A delay or an amount of the contract's, in seconds or wei, as challenge_window=604800.  "
    "[default: hours on local chains, days elsewhere]",
)  # fmt: skip
@click.option(
    "--role", "roles", metavar="NAME=ADDRESS", multiple=True, callback=_pairs,
    help="Who is admin, operator, guardian, curator or upgrader.  [default: the operator of the genesis]",
)  # fmt: skip
@click.option("--attester", "attesters", type=common.Address(), multiple=True, help="Who keeps attested batches' data.")
@click.option("--threshold", type=common.COUNT, help="Attesters that must sign for a batch.  [default: all]")
@common.options(common.data, common.state, common.keys, common.engine, common.as_json)
def init(
    genesis: Path,
    shape: Shape,
    fallback: bool,
    parameters: dict[str, str],
    roles: dict[str, str],
    attesters: tuple[int, ...],
    threshold: int | None,
    data: Kind | None,
    state: Path,
    keys: Path | None,
    engine: str,
    as_json: bool,
) -> None:
    """Make a state folder from a genesis file, and say which contract agents sign for.

    The contract's address follows from genesis, circuit keys, parameters, attesters and admin; nothing has to be
    deployed yet. The same command again changes nothing.
    """
    found, shape = genesis_file.load(genesis), of_kind(shape, data)
    terms = None
    if parameters or roles or attesters:
        terms = Terms.of(found.chain_id, parameters, roles, attesters, threshold)
    with reporter(as_json) as report:
        domain = initialise(state, found, shape, common.keys_folder(keys), engine, report, terms, fallback=fallback)
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
