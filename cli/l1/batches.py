"""A batch's steps one by one, and what attesters sign of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.errors import L1Error
from aitbc_rollup.rollup import bundle
from aitbc_rollup.rollup.bundle import Bundle
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.deployment import check_queue
from aitbc_rollup.rollup.l1.blob_transaction import Wrapper
from aitbc_rollup.rollup.l1.bound import Step
from aitbc_rollup.rollup.l1.elsewhere import keep
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.posting import attest as sign
from aitbc_rollup.rollup.posting import attestations_in, posting_of

from .. import common
from ..sending import Sending, dev_key, sending, wrapper
from .shared import chain, rollup_at, signer_of, transaction, viewing

_folder = click.argument("folder", metavar="DIR", type=common.PATH)


@click.command("commit")
@_folder
@common.options(wrapper, common.l1, common.as_json)
@sending
def commit(folder: Path, blob_wrapper: str, l1: str, as_json: bool, sending: Sending) -> None:
    """Post the data of the batch in DIR; the operator's.

    Signatures of attesters are taken from DIR/attestations.
    """
    found, rollup = _batch_and_rollup(folder, l1, sending)
    check_queue(rollup, found)
    posting = posting_of(found, attestations_in(folder), Wrapper(int(blob_wrapper)))
    step = rollup.commit(signer_of(rollup.client, sending, "operator"), posting)
    _show(found, step, "committed", as_json)


@click.command("prove")
@_folder
@common.options(common.l1, common.as_json)
@sending
def prove(folder: Path, l1: str, as_json: bool, sending: Sending) -> None:
    """Have the proof of the committed batch in DIR verified; anybody's.

    The queue's fees go to the address that the proof names, whoever sends it.
    """
    found, rollup = _batch_and_rollup(folder, l1, sending)
    number = found.data.context.batch_number
    signer = signer_of(rollup.client, sending, "prover")
    step = rollup.prove(signer, number, found.binding, format_address(found.payout), found.proof)
    _show(found, step, "proven", as_json)


@click.command("finalize")
@click.argument("batch", type=common.COUNT, required=False)
@viewing
@sending
def finalize(batch: int | None, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Make every batch up to BATCH final, or up to the last one proven; anybody's.

    A full batch needs no proof once nobody has challenged it for as long as the challenge window.
    """
    rollup = rollup_at(l1, contract, sending)
    status = rollup.status()
    number = batch or max(status.proven, status.finalized)
    if number == 0:
        raise L1Error("there is no batch to finalize", place=rollup.address, expected="a proven batch", got="none")
    step = rollup.finalize(signer_of(rollup.client, sending), number)
    _emit({"batch": number, "state_root": common.root_text(rollup.status().state_root)}, step, "final", as_json)


@click.command("rollback")
@click.argument("batch", type=common.COUNT)
@viewing
@sending
def rollback(batch: int, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Void BATCH and all after it, none of which may be proven; the operator's.

    Their queue items wait again. A batch whose circuit a guardian froze can go even if it is proven.
    """
    rollup = rollup_at(l1, contract, sending)
    receipt = rollup.rollback(signer_of(rollup.client, sending, "operator"), batch)
    _emit({"from": batch, "committed": rollup.status().committed}, Step(receipt), "rolled back", as_json)


@click.command("attest")
@_folder
@common.options(common.archive, dev_key, common.as_json)
def attest(folder: Path, archive: Path | None, as_json: bool, dev_key: bool) -> None:
    """Sign that you hold the data of the batch in DIR and serve them; the signature goes to DIR/attestations.

    With --archive they are kept there first.
    """
    found = bundle.load(folder)
    if archive is not None:
        keep(archive, found.data, found.shape)
    signer = common.signer(found.data.context.domain.chain_id, "attester", development=dev_key)
    path = sign(folder, found, signer)
    result = {"batch": found.data.context.batch_number, "attester": signer.address.lower(), "file": str(path)}
    common.emit(result, as_json=as_json, title="attested")


@click.command("archive")
@_folder
@click.option("--archive", type=common.PATH, required=True, envvar="AITBC_ARCHIVE", help="The folder.")
@common.as_json
def archive_batch(folder: Path, archive: Path, as_json: bool) -> None:
    """Keep what the batch in DIR left outside of its transaction, its blob or what attesters hold, in a folder.

    From there `status --rebuild`, `l1 sync`, `l1 exit` and `challenger` take it when nobody else serves it any more.
    """
    found = bundle.load(folder)
    bundle.verify(found)
    path = keep(archive, found.data, found.shape)
    result = {"batch": found.data.context.batch_number, "file": None if path is None else str(path)}
    common.emit(result, as_json=as_json, title="all is in its transaction" if path is None else "kept")


def _batch_and_rollup(folder: Path, url: str, sending: Sending) -> tuple[Bundle, RollupContract]:
    """A verified batch, and the rollup that it is for."""
    found = bundle.load(folder)
    bundle.verify(found)
    domain = found.data.context.domain
    rollup = RollupContract(chain(url, sending, expected_chain_id=domain.chain_id), format_address(domain.contract))
    rollup.check_deployed()
    return found, rollup


def _show(found: Bundle, step: Step, what: str, as_json: bool) -> None:
    _emit({"batch": found.data.context.batch_number}, step, what, as_json)


def _emit(result: dict[str, Any], step: Step, what: str, as_json: bool) -> None:
    title = f"{what} before" if step.already else what
    common.emit(result | {"already": step.already} | transaction(step.receipt), as_json=as_json, title=title)
