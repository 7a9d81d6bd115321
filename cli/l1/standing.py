"""Where a rollup stands on its chain, and a state folder brought there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.errors import InvalidError, L1Error, UsageError
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.l1.elsewhere import Elsewhere
from aitbc_rollup.rollup.l1.manifest import Manifest, compare
from aitbc_rollup.rollup.l1.roles import Manager
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.l1.standing import standing
from aitbc_rollup.rollup.store import Store
from aitbc_rollup.rollup.sync import sync as run

from .. import common
from .shared import chain

confirmations = click.option(
    "--confirmations",
    type=common.SIZE,
    default=0,
    show_default=True,
    help="Blocks that must lie above what counts.",
)


@click.command("status")
@click.option("--contract", type=common.Address(), envvar="AITBC_CONTRACT", help="The rollup's address.")
@click.option("--manifest", type=common.PATH, help="Compare the chain with this deployment.")
@common.options(confirmations, common.l1, common.as_json)
def status(contract: int | None, manifest: Path | None, confirmations: int, l1: str, as_json: bool) -> None:
    """Show where a rollup stands: batches, queue, clocks, fallback, escape, money, circuits, upgrades.

    With --manifest exits with 1 if the chain has other code, roles or implementation than the deployment.
    """
    if (contract is None) == (manifest is None):
        raise UsageError(
            "which rollup?", expected="one of --contract and --manifest", got="neither" if contract is None else "both"
        )
    client = chain(l1)
    known = None if manifest is None else Manifest.load(manifest)
    address = format_address(contract) if contract is not None else ""
    differences: list[str] = []
    if known is not None:
        address = format_address(int(known.deployment.rollup, 16))
        differences = compare(client, known)
    rollup = RollupContract(client, address)
    rollup.check_deployed()
    head = client.block()
    block = None if head is None else client.block(max(head.number - confirmations, 0))
    if block is None:
        raise L1Error("the chain has no block", place=client.name)
    result: dict[str, Any] = {"chain_id": client.chain_id, "contract": address, **standing(rollup, block)}
    if known is not None:
        roles = known.deployment.roles
        result["roles"] = Manager(client, known.deployment).holders(getattr(roles, name) for name in roles.__slots__)
        result |= {"as_in_manifest": not differences, "differences": differences}
    common.emit(result, as_json=as_json)
    if differences and as_json:
        raise click.exceptions.Exit(InvalidError.exit_code)
    if differences:
        raise InvalidError("the chain is not as the manifest says", place=str(manifest), got="; ".join(differences))


@click.command("sync")
@common.options(common.beacon, common.archive, confirmations, common.state, common.l1, common.as_json)
def sync(
    beacon: tuple[str, ...], archive: Path | None, confirmations: int, state: Path, l1: str, as_json: bool
) -> None:
    """Bring a state folder to its chain.

    Batches that the chain took back and replaced, or that take queue items which it has no longer, are undone, and
    their records can be billed again; batches that somebody else put there are taken over from their data. Batches
    that wait to be submitted stay.
    """
    with Store.existing(state) as store:
        domain = store.domain()
        client = chain(l1, expected_chain_id=domain.chain_id)
        rollup = RollupContract(client, format_address(domain.contract))
        elsewhere = Elsewhere(rollup.bound, beacon, archive)
        done = run(store, rollup, confirmations=confirmations, elsewhere=elsewhere)
        result: dict[str, Any] = {
            "block": done.block.number,
            "reorg": None if done.reorg is None else {"read": done.reorg.read, "holds": done.reorg.holds},
            "undone": list(done.undone),
            "adopted": list(done.adopted),
            "batches": store.batch_count,
            "state_root": common.root_text(store.state().root),
        }
    changed = done.undone or done.adopted
    common.emit(result, as_json=as_json, title="the folder is where its chain is" if changed else "nothing to change")
