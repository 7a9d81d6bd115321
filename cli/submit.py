"""``submit``: a proven batch onto an L1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.rollup import bundle
from aitbc_rollup.rollup.deployment import submit as run
from aitbc_rollup.rollup.l1.client import connect

from . import common
from .progress import reporter


@click.command("submit")
@click.argument("folder", metavar="DIR", type=common.PATH)
@click.option("--dev-key", is_flag=True, help="Sign with anvil's first account; local chains only.")
@common.options(common.l1, common.as_json)
def submit(folder: Path, dev_key: bool, l1: str, as_json: bool) -> None:
    """Commit, prove and finalize the batch in DIR, deploying its contracts if they are not there.

    The key that signs comes from AITBC_PRIVATE_KEY or AITBC_KEYSTORE; on a local chain it is anvil's first account
    if neither is set. The same command again looks at the chain first and sends only what is missing.
    """
    found = bundle.load(folder)
    bundle.verify(found)
    context = found.data.context
    chain_id = context.domain.chain_id
    signer = common.signer(chain_id, development=dev_key)
    client = connect(l1, expected_chain_id=chain_id)
    with reporter(as_json) as report:
        result = run(found, client, signer, report)
    summary: dict[str, Any] = {
        "batch": context.batch_number,
        "chain_id": client.chain_id,
        "signer": signer.address,
        "gas": result.gas,
        "transactions_sent": result.sent,
        "state_root": common.root_text(result.state_root),
    }
    common.emit(summary, as_json=as_json, title="the batch is final" if result.sent else "the batch was final before")
