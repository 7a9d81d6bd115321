"""``l1``: the queue and the claims of a rollup on its chain, for whoever has money in it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from aitbc_rollup.circuits.statements.batch.layout import AMOUNT_BITS, INDEX_BITS, QueueKind
from aitbc_rollup.contracts.standard_json import compiler, qualified_name, standard_json
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.l1.claims import Claim
from aitbc_rollup.rollup.l1.client import Receipt, connect
from aitbc_rollup.rollup.l1.queue import EVERYTHING, Queued
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.l1.signer import Signer
from aitbc_rollup.rollup.transactions import QueueItem

from . import common

ACCOUNT = click.IntRange(0, (1 << INDEX_BITS) - 1)
AMOUNT = click.IntRange(1, (1 << AMOUNT_BITS) - 1)

contract_option = click.option(
    "--contract", type=common.Address(), required=True, envvar="AITBC_CONTRACT", help="The rollup's address."
)
dev_key = click.option("--dev-key", is_flag=True, help="Sign with anvil's first account; local chains only.")
viewing = common.options(contract_option, common.l1, common.as_json)
sending = common.options(contract_option, dev_key, common.l1, common.as_json)


@click.group("l1")
def l1() -> None:
    """A rollup's queue and claims on its chain.

    Amounts are in wei. The key that signs comes from AITBC_PRIVATE_KEY or AITBC_KEYSTORE; on a local chain it is
    anvil's first account if neither is set.
    """


@l1.command("deposit")
@click.argument("account", type=ACCOUNT)
@click.argument("amount", type=AMOUNT)
@sending
def deposit(account: int, amount: int, contract: int, dev_key: bool, l1: str, as_json: bool) -> None:
    """Queue a deposit of AMOUNT to ACCOUNT.

    If the account does not exist when a batch takes the deposit, the amount becomes your claim.
    """
    rollup, signer = _sending(l1, contract, dev_key)
    _queued(rollup, signer, rollup.queue.deposit(signer, account, amount), as_json)


@l1.command("force-exit")
@click.argument("account", type=ACCOUNT)
@click.argument("amount", type=AMOUNT, default=EVERYTHING, metavar="[AMOUNT]")
@sending
def force_exit(account: int, amount: int, contract: int, dev_key: bool, l1: str, as_json: bool) -> None:
    """Queue an exit of AMOUNT from ACCOUNT, or of everything.

    It becomes your claim when a batch takes it. You must be the account's L1 owner, otherwise it changes nothing.
    """
    rollup, signer = _sending(l1, contract, dev_key)
    _queued(rollup, signer, rollup.queue.force_exit(signer, account, amount), as_json)


@l1.command("force-transfer")
@click.argument("sender", metavar="FROM", type=ACCOUNT)
@click.argument("receiver", metavar="TO", type=ACCOUNT)
@click.argument("amount", type=AMOUNT)
@sending
def force_transfer(
    sender: int, receiver: int, amount: int, contract: int, dev_key: bool, l1: str, as_json: bool
) -> None:
    """Queue a transfer of AMOUNT between accounts, of which FROM must be yours on L1."""
    rollup, signer = _sending(l1, contract, dev_key)
    _queued(rollup, signer, rollup.queue.force_transfer(signer, sender, receiver, amount), as_json)


@l1.command("queue")
@click.option("--limit", type=common.COUNT, default=100, show_default=True, help="Show at most so many waiting items.")
@viewing
def queue(limit: int, contract: int, l1: str, as_json: bool) -> None:
    """Show how far queue and batches are, and which items wait for a batch."""
    rollup = _rollup(l1, contract)
    pointers = rollup.queue.pointers()
    waiting = [{"item": number} | _item(item) for number, item in rollup.queue.waiting(limit)]
    result: dict[str, Any] = {"chain_id": rollup.client.chain_id, "contract": rollup.address}
    result |= asdict(pointers) | {"waiting": pointers.waiting}
    common.emit(result | ({"items": waiting} if as_json else {}), as_json=as_json)
    if not as_json:
        _lines(waiting)


@l1.command("claims")
@click.argument("batch", type=common.COUNT)
@viewing
def claims(batch: int, contract: int, l1: str, as_json: bool) -> None:
    """Show what BATCH owes to whom on L1, and what of it is paid."""
    rollup = _rollup(l1, contract)
    found = [_claim(claim) | {"paid": rollup.claims.is_paid(claim)} for claim in rollup.claims.section(batch).claims]
    if as_json:
        common.emit({"batch": batch, "claims": found}, as_json=True)
    else:
        common.stdout().print(f"{len(found)} claims in batch {batch}", style="bold")
        _lines(found)


@l1.command("claim")
@click.argument("batch", type=common.COUNT)
@click.option("--address", type=common.Address(), help="Pay this address's claims.  [default: yours]")
@sending
def claim(batch: int, address: int | None, contract: int, dev_key: bool, l1: str, as_json: bool) -> None:
    """Have the claims of an address in BATCH paid, those that are not yet.

    The batch must be final. Anybody may ask; the money goes to the address that the claim names.
    """
    rollup, signer = _sending(l1, contract, dev_key)
    wanted = int(signer.address, 16) if address is None else address
    section = rollup.claims.section(batch)
    paid = []
    for found in section.claims:
        if found.address == wanted:
            step = rollup.claims.pay(signer, section, found)
            paid.append(_claim(found) | {"paid_before": step.already, "tx_hash": step.tx_hash, "gas": step.gas_used})
    if as_json:
        common.emit({"batch": batch, "address": format_address(wanted), "claims": paid}, as_json=True)
    else:
        total = sum(int(entry["amount"]) for entry in paid if not entry["paid_before"])
        common.stdout().print(f"paid {total} wei to {format_address(wanted)}", style="bold")
        _lines(paid)


@l1.command("standard-json")
@click.argument("name", metavar="CONTRACT")
@click.argument("out", metavar="OUT.JSON", type=common.PATH)
@common.as_json
def standard_json_command(name: str, out: Path, as_json: bool) -> None:
    """Write what a block explorer asks for to verify a CONTRACT's source: solc's standard-JSON input.

    With it go the contract's name there and the compiler's version, which are printed.
    """
    common.write_json(out, document := standard_json(name))
    said = {"contract": qualified_name(name), "compiler": compiler(name), "sources": len(document["sources"])}
    common.emit(said | {"written": str(out)}, as_json=as_json)


def _rollup(url: str, contract: int) -> RollupContract:
    rollup = RollupContract(connect(url), format_address(contract))
    rollup.check_deployed()
    return rollup


def _sending(url: str, contract: int, dev_key: bool) -> tuple[RollupContract, Signer]:
    rollup = _rollup(url, contract)
    return rollup, common.signer(rollup.client.chain_id, development=dev_key)


def _queued(rollup: RollupContract, signer: Signer, queued: Queued, as_json: bool) -> None:
    (item,) = rollup.queue.items(queued.number, 1)
    result = {"item": queued.number, **_item(item), "contract": rollup.address, **_transaction(queued.receipt)}
    common.emit(result, as_json=as_json, title=f"item {queued.number} is queued")


def _transaction(receipt: Receipt) -> dict[str, Any]:
    return {"tx_hash": receipt.tx_hash, "gas": receipt.gas_used}


def _item(item: QueueItem) -> dict[str, Any]:
    """An item by the names of the commands; amounts are decimal strings, because others' JSON loses their bits."""
    kind = QueueKind(item.kind)
    receiver = {"to": item.b} if kind is QueueKind.TRANSFER else {}
    named = {"kind": kind.name.lower(), "account": item.a, **receiver}
    return {**named, "amount": str(item.amount), "sender": format_address(item.sender)}


def _claim(claim: Claim) -> dict[str, Any]:
    return {"word": claim.word, "address": format_address(claim.address), "amount": str(claim.amount)}


def _lines(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        common.stdout().print(common.show(entry))
