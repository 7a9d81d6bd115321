"""``submit``: a proven batch onto an L1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.rollup import bundle
from aitbc_rollup.rollup.deployment import submit as run
from aitbc_rollup.rollup.l1.blob_transaction import Wrapper
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.posting import attestations_in, posting_of

from . import common
from .progress import reporter
from .sending import Sending, sending, wrapper


@click.command("submit")
@click.argument("folder", metavar="DIR", type=common.PATH)
@common.options(wrapper, common.l1, common.as_json)
@sending
def submit(folder: Path, blob_wrapper: str, l1: str, as_json: bool, sending: Sending) -> None:
    """Commit, prove and finalize the batch in DIR, deploying its contracts if they are not there.

    The operator's key signs: AITBC_OPERATOR_PRIVATE_KEY or AITBC_OPERATOR_KEYSTORE, or the same without OPERATOR; on a
    local chain it is anvil's first account if none is set. The same command again looks at the chain first and sends
    only what is missing.
    """
    found = bundle.load(folder)
    bundle.verify(found)
    context = found.data.context
    chain_id = context.domain.chain_id
    signer = common.signer(chain_id, "operator", development=sending.development)
    client = sending.through(connect(l1, expected_chain_id=chain_id))
    posting = posting_of(found, attestations_in(folder), Wrapper(int(blob_wrapper)))
    with reporter(as_json) as report:
        result = run(found, posting, client, signer, report)
    summary: dict[str, Any] = {
        "batch": context.batch_number,
        "chain_id": client.chain_id,
        "signer": signer.address,
        "gas": result.gas,
        "transactions_sent": result.sent,
        "state_root": common.root_text(result.state_root),
    }
    common.emit(summary, as_json=as_json, title="the batch is final" if result.sent else "the batch was final before")
