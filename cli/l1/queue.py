"""What people put in front of a rollup: deposits, exits and transfers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from aitbc_rollup.rollup.l1.queue import EVERYTHING, Queued
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract

from .. import common
from ..sending import Sending, sending
from .shared import ACCOUNT, AMOUNT, item, lines, rollup_at, signer_of, transaction, viewing


@click.command("deposit")
@click.argument("account", type=ACCOUNT)
@click.argument("amount", type=AMOUNT)
@viewing
@sending
def deposit(account: int, amount: int, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Queue a deposit of AMOUNT to ACCOUNT.

    If the account does not exist when a batch takes the deposit, the amount becomes your claim. The queue's fee comes
    on top; of a token, the rollup must be allowed to take the amount.
    """
    rollup = rollup_at(l1, contract, sending)
    _show(rollup, rollup.queue.deposit(signer_of(rollup.client, sending), account, amount), as_json)


@click.command("force-exit")
@click.argument("account", type=ACCOUNT)
@click.argument("amount", type=AMOUNT, default=EVERYTHING, metavar="[AMOUNT]")
@viewing
@sending
def force_exit(account: int, amount: int, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Queue an exit of AMOUNT from ACCOUNT, or of everything.

    It becomes your claim when a batch takes it. You must be the account's L1 owner, otherwise it changes nothing.
    """
    rollup = rollup_at(l1, contract, sending)
    _show(rollup, rollup.queue.force_exit(signer_of(rollup.client, sending), account, amount), as_json)


@click.command("force-transfer")
@click.argument("sender", metavar="FROM", type=ACCOUNT)
@click.argument("receiver", metavar="TO", type=ACCOUNT)
@click.argument("amount", type=AMOUNT)
@viewing
@sending
def force_transfer(
    sender: int, receiver: int, amount: int, contract: int, l1: str, as_json: bool, sending: Sending
) -> None:
    """Queue a transfer of AMOUNT between accounts, of which FROM must be yours on L1."""
    rollup = rollup_at(l1, contract, sending)
    _show(rollup, rollup.queue.force_transfer(signer_of(rollup.client, sending), sender, receiver, amount), as_json)


@click.command("queue")
@click.option("--limit", type=common.COUNT, default=100, show_default=True, help="Show at most so many waiting items.")
@viewing
def queue(limit: int, contract: int, l1: str, as_json: bool) -> None:
    """Show how far queue and batches are, and which items wait for a batch until when."""
    rollup = rollup_at(l1, contract)
    pointers = rollup.queue.pointers()
    waiting = [
        {"item": number} | item(found) | {"deadline": rollup.queue.deadline(number)}
        for number, found in rollup.queue.waiting(limit)
    ]
    result: dict[str, Any] = {"chain_id": rollup.client.chain_id, "contract": rollup.address}
    result |= asdict(pointers) | {"waiting": pointers.waiting, "fee": str(rollup.queue.fee)}
    common.emit(result | ({"items": waiting} if as_json else {}), as_json=as_json)
    if not as_json:
        lines(waiting)


def _show(rollup: RollupContract, queued: Queued, as_json: bool) -> None:
    (found,) = rollup.queue.items(queued.number, 1)
    result = {"item": queued.number, **item(found), "deadline": rollup.queue.deadline(queued.number)}
    result |= {"contract": rollup.address, **transaction(queued.receipt)}
    common.emit(result, as_json=as_json, title=f"item {queued.number} is queued")
