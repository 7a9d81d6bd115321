"""``l1 deploy``: a rollup's contracts, and the manifest that says where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.errors import L1Error
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.files import read_json
from aitbc_rollup.rollup.l1.contracts import deploy as run
from aitbc_rollup.rollup.l1.contracts import rehearse
from aitbc_rollup.rollup.l1.fees import in_ether
from aitbc_rollup.rollup.l1.manifest import Manifest
from aitbc_rollup.rollup.l1.plan import Deployment
from aitbc_rollup.rollup.l1.roles import Manager
from aitbc_rollup.rollup.store import Store
from aitbc_rollup.verifier.formats import verification_key_from_json

from .. import common
from ..sending import Sending, sending
from .shared import chain, signer_of


@click.command("deploy")
@click.option("--manifest", type=common.PATH, help="Write the deployment to this file.")
@click.option(
    "--verification-key", "more_keys", type=common.PATH, multiple=True,
    help="Key of a further circuit of the rollup's, whose verifier is to be deployed too.",
)  # fmt: skip
@common.options(common.state, common.l1, common.as_json)
@sending
def deploy(
    state: Path, manifest: Path | None, more_keys: tuple[Path, ...], l1: str, as_json: bool, sending: Sending
) -> None:
    """Create the contracts of a state folder's rollup where they belong, and set its roles if you are its admin.

    Anybody may deploy; what is there is compared, not created again. The balances of the genesis are paid in with it.
    """
    with Store.existing(state) as store:
        kept = (store.verification_key_json(shape) for shape in (store.shape(), store.shape().fallback))
        keys = [*(key for key in kept if key is not None), *map(read_json, more_keys)]
        plan = Deployment.from_json(store.plan_json(), str(state), tuple(map(verification_key_from_json, keys)))
        chain_id = store.domain().chain_id
    client = chain(l1, sending, expected_chain_id=chain_id)
    signer = signer_of(client, sending, "admin")
    result: dict[str, Any] = {"chain_id": client.chain_id, "contract": format_address(int(plan.rollup, 16))}
    if sending.dry_run:
        gas = rehearse(plan, {piece.address for piece in plan.pieces if client.code(piece.address)})
        cost = sum(gas.values()) * client.gas_price()
        result |= {"dry_run": True, "gas": gas, "gas_in_all": sum(gas.values()), "value": str(plan.proxy.value)}
        common.emit(
            result | {"cost": str(cost), "cost_ether": in_ether(cost)}, as_json=as_json, title="not sent: a dry run"
        )
        return
    receipts = run(client, signer, plan)
    unset = len(Manager(client, plan).missing())
    head = client.block()
    if head is None:
        raise L1Error("the chain has no block", place=client.name)
    block = min((receipt.block_number for receipt in receipts), default=head.number)
    made = Manifest(client.chain_id, block, plan)
    if manifest is not None:
        common.write_json(manifest, made.to_json())
        result["manifest"] = str(manifest)
    result |= {
        "admin": plan.roles.admin.lower(),
        "transactions_sent": len(receipts),
        "gas": sum(receipt.gas_used for receipt in receipts),
        "roles_set": unset == 0,
    }
    common.emit(result, as_json=as_json, title="deployed" if receipts else "it was deployed before")
