"""Leaving a rollup where nothing moves any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.rollup.account_proof import prove_account
from aitbc_rollup.rollup.checks import format_address

from .. import common
from ..sending import Sending, sending
from .history import genesis_of, history, state_after
from .shared import ACCOUNT, rollup_at, signer_of, transaction, viewing


@click.command("freeze")
@viewing
@sending
def freeze(contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Freeze the rollup for good: nothing became final for too long, or a queue item is overdue for too long.

    Then everybody leaves with `l1 exit`; claims of final batches are paid as before.
    """
    rollup = rollup_at(l1, contract, sending)
    step = rollup.escape.freeze(signer_of(rollup.client, sending))
    result = {"contract": rollup.address, "already": step.already} | transaction(step.receipt)
    common.emit(result, as_json=as_json, title="it was frozen before" if step.already else "the rollup is frozen")


@click.command("exit")
@click.argument("account", type=ACCOUNT)
@click.option("--refund", "items", type=common.COUNT, multiple=True, help="Take this queue item back too.")
@click.option("--withdraw", is_flag=True, help="Have what is owed paid out at once.")
@common.options(history, viewing)
@sending
def leave(
    account: int,
    genesis: Path | None,
    state: Path | None,
    items: tuple[int, ...],
    withdraw: bool,
    beacon: tuple[str, ...],
    archive: Path | None,
    contract: int,
    l1: str,
    as_json: bool,
    sending: Sending,
) -> None:
    """Leave a frozen rollup with the balance of ACCOUNT, which becomes a debt to its L1 owner; once.

    The Merkle proof is made from genesis and what the L1 has alone: nobody who runs the rollup is asked. Anybody may
    send it.
    """
    found = genesis_of(genesis, state)
    rollup = rollup_at(l1, contract, sending)
    signer = signer_of(rollup.client, sending)
    final = rollup.status().finalized
    after = state_after(rollup, final, found, beacon, archive)
    proof = prove_account(after, account)
    step = rollup.escape.leave(signer, proof)
    owner = format_address(after.account(account).l1_owner)
    result: dict[str, Any] = {
        "account": account,
        "owner": owner,
        "balance": str(after.account(account).balance),
        "batch": final,
        "already": step.already,
        **transaction(step.receipt),
    }
    if items:
        steps = [(number, rollup.escape.refund(signer, number)) for number in items]
        result["refunded"] = [{"item": number, "already": step.already} for number, step in steps]
    owed = rollup.treasury.owed(owner)
    if withdraw and owed.asset:
        payment = rollup.treasury.withdraw(signer, owner)
        result["paid"] = str(payment.amount)
        owed = rollup.treasury.owed(owner)
    result |= {"owed": str(owed.asset), "owed_fees": str(owed.coin)}
    title = "the account had left before" if step.already else "the account has left"
    common.emit(result, as_json=as_json, title=title)
