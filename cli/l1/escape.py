"""Leaving a rollup where nothing moves any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.errors import UsageError
from aitbc_rollup.rollup import genesis as genesis_file
from aitbc_rollup.rollup.account_proof import prove_account
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.l1.elsewhere import Elsewhere
from aitbc_rollup.rollup.rebuild import rebuild
from aitbc_rollup.rollup.store import Store

from .. import common
from ..sending import Sending, sending
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
@click.option("--genesis", type=common.PATH, envvar="AITBC_GENESIS", help="Genesis file of the rollup.")
@click.option("--state", type=common.PATH, help="A state folder, for its genesis alone.")
@click.option("--refund", "items", type=common.COUNT, multiple=True, help="Take this queue item back too.")
@click.option("--withdraw", is_flag=True, help="Have what is owed paid out at once.")
@common.options(common.beacon, common.archive, viewing)
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
    found = _genesis(genesis, state)
    rollup = rollup_at(l1, contract, sending)
    signer = signer_of(rollup.client, sending)
    final = rollup.status().finalized
    elsewhere = Elsewhere(rollup.bound, beacon, archive)
    after = rebuild(found.state(), found.chain_id, found.shard, rollup.history(final), elsewhere)
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


def _genesis(path: Path | None, state: Path | None) -> Genesis:
    if (path is None) == (state is None):
        raise UsageError(
            "which genesis?", expected="one of --genesis and --state", got="neither" if path is None else "both"
        )
    if path is not None:
        return genesis_file.load(path)
    assert state is not None
    with Store.existing(state) as store:
        return genesis_file.from_json(store.genesis_json(), str(state))
