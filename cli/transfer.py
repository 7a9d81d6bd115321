"""``transfer``: money from an account to another, or out to the L1, signed."""

from __future__ import annotations

from pathlib import Path

import click

from aitbc_rollup.algebra.eddsa import sign as sign_message
from aitbc_rollup.errors import next_step
from aitbc_rollup.rollup.checks import Fields
from aitbc_rollup.rollup.documents import signed_transfer_to_json, to_line, transfer_from_fields
from aitbc_rollup.rollup.files import read_json
from aitbc_rollup.rollup.transactions import SignedTransfer

from . import common
from .signing import give, key_option, out_option, read_key


@click.group("transfer")
def transfer() -> None:
    """Transfers between accounts, and exits to the L1."""


@transfer.command("sign")
@click.argument("source", metavar="INPUT", type=common.PATH)
@common.options(key_option, out_option)
def sign(source: Path, key: Path, out: Path | None) -> None:
    """Sign the transfer in INPUT, one JSON object, as its sender, and give one line of a session file.

    INPUT names format, chain_id, contract, shard, from_index, to_index (or "exit": true), nonce, expiry, amount and
    fee, as docs/howto-operators.md shows.
    """
    private = read_key(key)
    with next_step("`aitbc-rollup transfer sign --help` names the fields"):
        fields = Fields(read_json(source), str(source))
        found, domain = transfer_from_fields(fields)
        fields.finish()
    signed = SignedTransfer(found, sign_message(private, found.message(domain)), str(source))
    give([to_line(signed_transfer_to_json(signed, domain))], out)
