"""What batches owe on L1, and money that leaves the rollup."""

from __future__ import annotations

from typing import Any

import click

from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.l1.claims import Claim
from aitbc_rollup.rollup.l1.treasury import Payment

from .. import common
from ..sending import Sending, sending
from .shared import lines, rollup_at, signer_of, transaction, viewing

_address = click.option("--address", type=common.Address(), help="Of this address.  [default: yours]")


@click.command("claims")
@click.argument("batch", type=common.COUNT)
@viewing
def claims(batch: int, contract: int, l1: str, as_json: bool) -> None:
    """Show what BATCH owes to whom on L1, and which claims were made."""
    rollup = rollup_at(l1, contract)
    found = [_claim(claim) | {"made": rollup.claims.is_made(claim)} for claim in rollup.claims.section(batch).claims]
    if as_json:
        common.emit({"batch": batch, "claims": found}, as_json=True)
    else:
        common.stdout().print(f"{len(found)} claims in batch {batch}", style="bold")
        lines(found)


@click.command("claim")
@click.argument("batch", type=common.COUNT)
@_address
@viewing
@sending
def claim(batch: int, address: int | None, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Make the claims of an address in BATCH, those that were not made: `l1 withdraw` then pays them.

    The batch must be final for as long as the rollup's withdrawal delay. Anybody may ask; what is claimed is owed to
    the address that the claim names.
    """
    rollup = rollup_at(l1, contract, sending)
    signer = signer_of(rollup.client, sending)
    wanted = int(signer.address, 16) if address is None else address
    section = rollup.claims.section(batch)
    made = []
    for found in section.claims:
        if found.address == wanted:
            step = rollup.claims.make(signer, section, found)
            made.append(_claim(found) | {"made_before": step.already} | transaction(step.receipt))
    owed = rollup.treasury.owed(format_address(wanted))
    result = {"batch": batch, "address": format_address(wanted), "claims": made, "owed": str(owed.asset)}
    if as_json:
        common.emit(result, as_json=True)
    else:
        common.stdout().print(f"{len(made)} claims in batch {batch}; {owed.asset} wei are owed in all", style="bold")
        lines(made)


@click.command("withdraw")
@_address
@viewing
@sending
def withdraw(address: int | None, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Have paid to an address what it is owed of the asset, as far as the day's rate allows."""
    rollup = rollup_at(l1, contract, sending)
    signer = signer_of(rollup.client, sending)
    to = signer.address if address is None else format_address(address)
    payment = rollup.treasury.withdraw(signer, to)
    _paid(payment, to, {"still_owed": str(rollup.treasury.owed(to).asset)}, as_json)


@click.command("collect")
@_address
@viewing
@sending
def collect(address: int | None, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Have paid to an address the queue's fees and the bonds that it is owed."""
    rollup = rollup_at(l1, contract, sending)
    signer = signer_of(rollup.client, sending)
    to = signer.address if address is None else format_address(address)
    _paid(rollup.treasury.collect(signer, to), to, {}, as_json)


def _paid(payment: Payment, to: str, more: dict[str, Any], as_json: bool) -> None:
    result = {"address": to.lower(), "paid": str(payment.amount)} | more | transaction(payment.receipt)
    common.emit(result, as_json=as_json, title=f"paid {payment.amount} wei to {to.lower()}")


def _claim(claim: Claim) -> dict[str, Any]:
    return {"word": claim.word, "address": format_address(claim.address), "amount": str(claim.amount)}
