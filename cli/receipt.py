"""``receipt``: that one record is in a final state, as a file, and its check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from aitbc_rollup.circuits.statements.batch.layout import Outcome
from aitbc_rollup.errors import InvalidError, UsageError
from aitbc_rollup.rollup import receipts
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.files import read_json
from aitbc_rollup.rollup.receipt_codec import find, receipt_from_json, receipt_to_json
from aitbc_rollup.rollup.receipts import Receipt, Run
from aitbc_rollup.rollup.store import Store

from . import common
from .sending import Sending, sending


class _MakeByDefault(click.Group):
    """A group in which whatever names none of its commands is for ``make``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As of any group, with ``make`` put in front where it is left out."""
        if args and args[0] not in {*self.commands, *self.get_help_option_names(ctx)}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


class _Root(click.ParamType[int]):
    """A state root: ``0x`` and hexadecimal digits, or a decimal number."""

    name = "root"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The root as a number."""
        try:
            return int(value, 16) if str(value).startswith("0x") else int(value)
        except ValueError:
            self.fail("expected 0x and hexadecimal digits, or a decimal number", param, ctx)


@click.group("receipt", cls=_MakeByDefault)
def receipt() -> None:
    """Proof that one record is in a final state: make, verify, encode, deploy.

    `receipt RECORD` is short for `receipt make RECORD`.
    """


@receipt.command("make")
@click.argument("record")
@click.option("--out", type=common.PATH, help="Write the receipt to this file.  [default: print it]")
@click.option("--offline", is_flag=True, help="Ask no chain whether the batch is final: who verifies it will.")
@common.options(common.state, common.l1, common.as_json)
def make(record: str, out: Path | None, offline: bool, state: Path, l1: str, as_json: bool) -> None:
    """Make the receipt of RECORD, from the state folder.

    RECORD is BATCH:SESSION:PLACE, session and place counted from 0 as batch.json has them, or a run hash. The batch
    must be final on the chain. Exits with 1 if it is not.
    """
    with Store.existing(state) as store:
        number, session, place = find(store, record)
        made = receipts.make(store.batch(number), session, place)
    if not offline:
        _check_final(made, l1, "the state folder")
    document = receipt_to_json(made)
    if out is None:
        click.echo(json.dumps(document, indent=1))
        return
    common.write_json(out, document)
    common.emit({"receipt": str(out)} | _facts(made, receipts.verify(made)), as_json=as_json)


@receipt.command("verify")
@click.argument("file", metavar="FILE", type=common.PATH)
@click.option("--root", type=_Root(), help="The final state root to trust, that of the receipt's batch.")
@click.option("--l1", metavar="URL", help="Ask the rollup on the L1 at this RPC for the final root.")
@click.option("--contract", type=common.Address(), help="The rollup to trust.  [default: the one that FILE names]")
@common.as_json
def verify(file: Path, root: int | None, l1: str | None, contract: int | None, as_json: bool) -> None:
    """Check a receipt. Exits with 1 if it proves nothing.

    Without --root or --l1, it is only checked that the record follows from the root that FILE itself names. With --l1,
    give --contract as well unless you know the rollup that FILE names: anyone can deploy one that calls any root final.
    """
    if root is not None and l1 is not None:
        raise UsageError("two roots to trust", expected="one of --root and --l1", got="both", hint="leave one out")
    found = receipt_from_json(read_json(file), str(file))
    run = receipts.verify(found)
    if contract is not None and contract != found.domain.contract:
        raise InvalidError(
            "the receipt is of another rollup",
            place=str(file),
            expected=format_address(contract),
            got=format_address(found.domain.contract),
        )
    if root is not None and root != found.account.root:
        raise _other_root(str(file), root, found)
    if l1 is not None:
        _check_final(found, l1, str(file))
    trusted = {"root_trusted": root is not None or l1 is not None, "contract_trusted": contract is not None}
    common.emit({"valid": True} | _facts(found, run) | trusted, as_json=as_json, title="the receipt holds")


@receipt.command("encode")
@click.argument("file", metavar="FILE", type=common.PATH)
@click.option("--bare", is_flag=True, help="The receipt alone, as adapters take it, without the function's selector.")
def encode(file: Path, bare: bool) -> None:
    """Print a receipt as calldata of the contract Receipts: its function verifyRecord, in hexadecimal."""
    from aitbc_rollup.rollup.l1.receipts import calldata

    found = calldata(receipt_from_json(read_json(file), str(file)))
    click.echo("0x" + (found[4:] if bare else found).hex())


@receipt.command("deploy")
@click.option("--contract", type=common.Address(), required=True, envvar="AITBC_CONTRACT", help="The rollup's address.")
@common.options(common.l1, common.as_json)
@sending
def deploy(contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Create the contract Receipts for a rollup, and the hashers it needs, where they belong.

    Anybody may; what is there is compared, not created again. The rollup must be there before.
    """
    from aitbc_rollup.rollup.l1.bound import BoundContract
    from aitbc_rollup.rollup.l1.client import connect
    from aitbc_rollup.rollup.l1.contracts import create
    from aitbc_rollup.rollup.l1.receipts import receipts_contract

    client = sending.through(connect(l1))
    rollup = BoundContract(client, format_address(contract))
    rollup.check_deployed()
    pieces = receipts_contract(rollup.address)
    sent = create(client, common.signer(client.chain_id, development=sending.development), pieces)
    gas = sum(made.gas_used for made in sent)
    result = {"receipts": format_address(int(pieces[-1].address, 16)), "chain_id": client.chain_id}
    common.emit(result | {"transactions_sent": len(sent), "gas": gas}, as_json=as_json)


def _check_final(found: Receipt, l1: str, place: str) -> None:
    """Check that the chain has the receipt's root for its batch, and that this is final."""
    from aitbc_rollup.rollup.l1.client import connect
    from aitbc_rollup.rollup.l1.receipts import final_root

    client = connect(l1, expected_chain_id=found.domain.chain_id)
    root = final_root(client, found.domain.contract, found.batch_number)
    if root != found.account.root:
        raise _other_root(place, root, found)


def _other_root(place: str, root: int, found: Receipt) -> InvalidError:
    return InvalidError(
        f"the root after batch {found.batch_number} is another",
        place=place,
        expected=common.root_text(root),
        got=common.root_text(found.account.root),
    )


def _facts(found: Receipt, run: Run) -> dict[str, Any]:
    """What a receipt says, by name; field elements and money are decimal strings, as everywhere in JSON."""
    record = run.record
    return {
        "run_hash": str(run.run_hash),
        "agent": run.agent_index,
        "provider": run.provider_index,
        "nonce": run.nonce,
        "place": run.place,
        "external_id": str(run.external_id),
        "outcome": Outcome(record.outcome).name.lower(),
        "fee": str(record.fee),
        "task": str(record.task),
        "cid": str(record.cid),
        "batch": found.batch_number,
        "root": common.root_text(found.account.root),
        "chain_id": found.domain.chain_id,
        "contract": format_address(found.domain.contract),
    }
