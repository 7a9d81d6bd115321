"""``status``: state folder and chain side by side."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from aitbc_rollup.errors import InvalidError, UsageError
from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.status import chain_status, disagreement, local_status, rebuilt
from aitbc_rollup.rollup.store import Store

from . import common


@click.command("status")
@click.option("--offline", is_flag=True, help="Ask no chain: show the state folder alone.")
@click.option("--rebuild", is_flag=True, help="Make the state again from the chain's data alone, and compare.")
@common.options(common.beacon, common.archive, common.state, common.l1, common.as_json)
def status(
    beacon: tuple[str, ...], archive: Path | None, state: Path, l1: str, offline: bool, rebuild: bool, as_json: bool
) -> None:
    """Show where batches stand in the state folder and on the chain. Exits with 1 if the two disagree."""
    if offline and rebuild:
        raise UsageError(
            "--rebuild needs the chain", expected="one of --offline and --rebuild", got="both", hint="leave one out"
        )
    with Store.existing(state) as store:
        local = local_status(store)
        kept = genesis.from_json(store.genesis_json(), str(state))
    result: dict[str, Any] = {
        "chain_id": local.domain.chain_id,
        "contract": format_address(local.domain.contract),
        "shard": local.domain.shard,
        "sealed": local.sealed,
        "proven_here": local.proven,
        "state_root": common.root_text(local.roots[-1]),
    }
    problem = None
    if not offline:
        from aitbc_rollup.rollup.l1.client import connect

        client = connect(l1, expected_chain_id=local.domain.chain_id)
        chain = chain_status(client, local.domain)
        problem = disagreement(local, chain)
        result |= {"deployed": chain is not None}
        if chain is not None:
            result |= {
                "committed": chain.committed,
                "proven": chain.proven,
                "finalized": chain.finalized,
                "chain_root": common.root_text(chain.state_root),
                "queue": asdict(chain.queue) | {"waiting": chain.queue.waiting},
            }
        if rebuild and chain is not None and problem is None:
            again = rebuilt(client, local.domain, kept, chain.committed, beacon, archive).root
            result["rebuilt_root"] = common.root_text(again)
            if again != local.roots[chain.committed]:
                problem = f"the chain's data give the root {common.root_text(again)}"
        result["agree"] = problem is None
    common.emit(result, as_json=as_json)
    if problem is not None:
        raise InvalidError(
            "state folder and chain disagree", place=str(state), expected="the same batches and roots", got=problem,
            hint="`aitbc-rollup l1 sync` brings the folder to the chain; check --state and --l1",
        )  # fmt: skip
