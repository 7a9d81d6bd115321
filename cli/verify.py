"""``verify``: a proven batch checked from its files."""

from __future__ import annotations

from pathlib import Path

import click

from aitbc_rollup.rollup import bundle
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.files import read_json
from aitbc_rollup.verifier.formats import verification_key_from_json

from . import common


@click.command("verify")
@click.argument("folder", metavar="DIR", type=common.PATH)
@click.option("--key", type=common.PATH, help="The verification_key.json to trust.  [default: the one in DIR]")
@click.option(
    "--contract", type=common.Address(), help="The rollup to trust: its address commits to key, genesis and operator."
)
@click.option("--reference", is_flag=True, help="Verify with py_ecc's pairing instead of this package's.")
@common.as_json
def verify(folder: Path, key: Path | None, contract: int | None, reference: bool, as_json: bool) -> None:
    """Check a proven batch: transactions against data, data against public inputs, proof against key.

    Trusts nothing in DIR but, without --key or --contract, the verifying key. Exits with 1 if anything does not fit.
    """
    found = bundle.load(folder)
    trusted = None if key is None else verification_key_from_json(read_json(key), str(key))
    bundle.verify(found, key=trusted, reference=reference)
    if contract is not None:
        from aitbc_rollup.rollup.deployment import check_contract

        check_contract(found, contract)
    data, context = found.data, found.data.context
    result = {
        "valid": True,
        "batch": context.batch_number,
        "records": data.records,
        "sessions": len(data.sessions),
        "transfers": len(data.transfers),
        "registrations": len(data.registrations),
        "queue_items": len(data.queue_items),
        "data": context.kind.name.lower(),
        "chain_id": context.domain.chain_id,
        "contract": format_address(context.domain.contract),
        "old_root": common.root_text(data.old_root),
        "new_root": common.root_text(data.new_root),
        "development_keys": context.development_keys or found.key.development,
        "key_trusted": key is not None or contract is not None,
    }
    common.emit(result, as_json=as_json, title="the batch verifies")
