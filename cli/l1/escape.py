"""Leaving a rollup where nothing moves any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from aitbc_rollup.rollup.account_proof import prove_account
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.store import Store

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

    The Merkle proof is made from genesis and what the L1 has alone, or from a folder of your own that knows the last
    final batch: a node's or a challenger's. Nobody who runs the rollup is asked, and anybody may send it.
    """
    found = genesis_of(genesis, state)
    rollup = rollup_at(l1, contract, sending)
    signer = signer_of(rollup.client, sending)
    status = rollup.status()
    final = status.finalized
    with _kept(state, final, status.state_root) as kept:
        after = kept or state_after(rollup, final, found, beacon, archive)
        proof, left = prove_account(after, account), after.account(account)
    step = rollup.escape.leave(signer, proof)
    owner = format_address(left.l1_owner)
    result: dict[str, Any] = {
        "account": account,
        "owner": owner,
        "balance": str(left.balance),
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


@contextmanager
def _kept(folder: Path | None, batch: int, root: int) -> Iterator[State | None]:
    """The state after a batch by a folder, if it has one with this root."""
    if folder is None:
        yield None
        return
    with Store.existing(folder) as store:
        known = store.batch_count >= batch and store.root_after(batch) == root
        yield store.state_after(batch) if known else None
