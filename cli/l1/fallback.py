"""The optimistic fallback: opened when no proofs come, then proposals, challenges, and the proofs that decide them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError, next_step
from aitbc_rollup.rollup import genesis as genesis_file
from aitbc_rollup.rollup import ingest
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.full.batch import FullBatch
from aitbc_rollup.rollup.full.data import FullData
from aitbc_rollup.rollup.full.judgement import Judgement, judge
from aitbc_rollup.rollup.full.proposing import next_full_batch
from aitbc_rollup.rollup.full.settling import ProofSettler
from aitbc_rollup.rollup.ingest import Selection
from aitbc_rollup.rollup.l1.elsewhere import Elsewhere
from aitbc_rollup.rollup.l1.fallback import Challenge, Proposal
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.plan import offers_of_signed
from aitbc_rollup.rollup.room import Signed
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.store import Store
from aitbc_rollup.rollup.sync import sync
from aitbc_rollup.rollup.transactions import SignedSession, SignedTransfer

from .. import common
from ..progress import reporter
from ..sending import Sending, sending
from .history import genesis_of, history, state_after
from .shared import ACCOUNT, Hex, chain, lines, rollup_at, signer_of, transaction, viewing

_shape = click.option(
    "--shape", type=common.ShapeType(), help="The full circuit's.  [default: that of the state folder's fallback]"
)


@click.group("fallback")
def fallback() -> None:
    """When no proofs come: anybody opens the fallback and proposes full batches, with a bond on what comes of them.

    What nobody challenges in time becomes final by `l1 finalize`; what is challenged, by `l1 fallback settle`.
    """


@fallback.command("open")
@viewing
@sending
def open_fallback(contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Open the fallback, when the oldest unproven batch has waited too long; every unproven batch is void then."""
    rollup = rollup_at(l1, contract, sending)
    step = rollup.fallback.open(signer_of(rollup.client, sending))
    status = rollup.status()
    result = {"next_batch": status.committed + 1, "bond": str(rollup.fallback.bond()), "already": step.already}
    title = "the fallback was open before" if step.already else "the fallback is open"
    common.emit(result | transaction(step.receipt), as_json=as_json, title=title)


@fallback.command("propose")
@click.argument("source", metavar="[INPUT]", type=common.PATH, required=False)
@click.option("--skip", type=common.SIZE, default=0, help="Records to leave out at the start.")
@click.option("--limit", type=common.COUNT, help="Most records to take.  [default: all]")
@click.option("--operator", type=ACCOUNT, help="Account that gets the operator's share.  [default: the genesis's]")
@common.options(_shape, common.beacon, common.archive, common.state, common.l1, common.as_json)
@sending
def propose(
    source: Path | None,
    skip: int,
    limit: int | None,
    operator: int | None,
    shape: Shape | None,
    beacon: tuple[str, ...],
    archive: Path | None,
    state: Path,
    l1: str,
    as_json: bool,
    sending: Sending,
) -> None:
    """Propose the next batch, with a bond: the queue's waiting items, and what INPUT has of signed transactions.

    INPUT is a file of signed sessions and transfers, one a line. The state folder is brought to the chain first. What
    is not valid is shown; it is posted all the same, and has no effect. With an INPUT of more than the circuit has room
    for, --skip and --limit choose.
    """
    selection = ingest.NOTHING if source is None else _signed(source, skip, limit)
    with Store.existing(state) as store:
        domain = store.domain()
        found = genesis_file.from_json(store.genesis_json(), str(state))
        rollup = RollupContract(chain(l1, sending, expected_chain_id=domain.chain_id), format_address(domain.contract))
        rollup.check_deployed()
        with next_step("a proposal that does not come out is challenged with `aitbc-rollup l1 challenge`"):
            sync(store, rollup, elsewhere=Elsewhere(rollup.bound, beacon, archive))
        signed = [offer.signed for offer in offers_of_signed(selection, domain)]
        index = found.operator_index if operator is None else operator
        batch = next_full_batch(store, rollup, found, signed, shape or store.shape().fallback, index)
    refused = _refused(batch, signed)
    for line in refused:
        click.echo(f"not valid: {line}", err=True)
    selector = rollup.router.full_circuit(batch.shape)
    signer = signer_of(rollup.client, sending)
    proposal, receipt = rollup.fallback.propose(signer, selector, batch.data.posted, batch.binding.commitment)
    inputs = batch.data.inputs
    result = {
        **_proposal(proposal),
        "queue_items": len(inputs.queue_items),
        "transfers": len(inputs.transfers),
        "sessions": len(inputs.sessions),
        "not_valid": refused,
        "new_root": common.root_text(batch.data.new_root),
        "bond": str(rollup.fallback.bond()),
        **transaction(receipt),
    }
    common.emit(result, as_json=as_json, title=f"batch {proposal.number} is proposed")


def _signed(source: Path, skip: int, limit: int | None) -> Selection:
    selection = ingest.read(source, skip=skip, limit=limit)
    if selection.rows:
        raise BadInputError(
            "a trace is signed by nobody",
            place=str(source),
            expected="signed sessions and transfers, one a line",
            got=selection.format,
        )
    return selection


def _refused(batch: FullBatch, signed: Sequence[Signed]) -> list[str]:
    """Of each transaction that is not valid where it was read, and why."""
    places: dict[str, str] = {}
    for kind, name in ((SignedTransfer, "transfer"), (SignedSession, "session")):
        of_kind = (one for one in signed if isinstance(one, kind))
        places |= {f"{name} {number}": one.place for number, one in enumerate(of_kind)}
    return [f"{places[place]}: {refusal.reason}" for place, refusal in batch.refusals]


@fallback.command("status")
@viewing
def status(contract: int, l1: str, as_json: bool) -> None:
    """Show whether the fallback is open, and every proposal with its challenges."""
    rollup = rollup_at(l1, contract)
    made = [rollup.fallback.proposal(identity) for identity in range(1, rollup.fallback.proposals() + 1)]
    found = [
        _proposal(one)
        | {
            "standing": _standing(rollup, one),
            "challenges": [_challenge(challenge) for challenge in rollup.fallback.challenges(one)],
        }
        for one in made
    ]
    result = {"open": rollup.fallback.is_open(), "bond": str(rollup.fallback.bond()), "proposals": len(found)}
    common.emit(result | ({"proposals": found} if as_json else {}), as_json=as_json)
    if not as_json:
        lines(found)


def _standing(rollup: RollupContract, found: Proposal) -> str:
    """Whether a proposal is decided, stands to be, or never will be."""
    if found.settled:
        return "settled"
    standing = not rollup.escape.frozen and found.number <= rollup.status().committed
    return "open" if standing and rollup.batch(found.number).proposal == found.id else "void"


@fallback.command("settle")
@click.argument("batch", type=common.COUNT)
@click.option("--shape", type=common.ShapeType(), required=True, help="The full circuit's, as `init` shows it.")
@click.option("--payout", type=common.Address(), help="L1 address the proof pays.  [default: yours]")
@common.options(history, common.keys, common.engine, viewing)
@sending
def settle(
    batch: int,
    shape: Shape,
    payout: int | None,
    genesis: Path | None,
    state: Path | None,
    beacon: tuple[str, ...],
    archive: Path | None,
    keys: Path | None,
    engine: str,
    contract: int,
    l1: str,
    as_json: bool,
    sending: Sending,
) -> None:
    """Decide the proposed BATCH, the one behind the last proven, by a proof; lost bonds pay who made it.

    Right or wrong, its outcome is recomputed from L1 data and proven: a right one is proven as it is, a wrong one
    replaced.
    """
    found = genesis_of(genesis, state)
    rollup = rollup_at(l1, contract, sending)
    signer = signer_of(rollup.client, sending, "prover")
    paid = signer.address if payout is None else format_address(payout)
    before = state_after(rollup, batch - 1, found, beacon, archive)
    judged = _judge(rollup, batch, before)
    right = FullData(judged.data.inputs, judged.right)
    with reporter(as_json) as report:
        bound, proof = ProofSettler(shape, common.keys_folder(keys), engine, report).prove(before, right, paid)
    if judged.holds:
        receipt = rollup.prove(signer, batch, bound, paid, proof).receipt
    else:
        receipt = rollup.fallback.settle(signer, batch, right.posted, bound.commitment, paid, proof)
    result = {
        "batch": batch,
        "as_proposed": judged.holds,
        "outcome": f"0x{right.outcome.digest.hex()}",
        "new_root": common.root_text(right.new_root),
        "payout": paid.lower(),
    }
    title = "proven as it was proposed" if judged.holds else "replaced by its right outcome"
    common.emit(result | transaction(receipt), as_json=as_json, title=title)


@fallback.command("claim")
@click.argument("proposal", type=common.COUNT)
@viewing
@sending
def claim(proposal: int, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Have the bonds of PROPOSAL and of its challenges go where they belong, once it is decided or void.

    Anybody may ask; `l1 collect` then pays them.
    """
    rollup = rollup_at(l1, contract, sending)
    signer = signer_of(rollup.client, sending)
    found = rollup.fallback.proposal(proposal)
    lost = found.settled and found.right != found.outcome
    bonds = []
    if not lost:
        step = rollup.fallback.claim_proposal(signer, proposal)
        bonds.append({"of": found.proposer.lower(), "already": step.already} | transaction(step.receipt))
    for challenge in rollup.fallback.challenges(found):
        step = rollup.fallback.claim_challenge(signer, challenge)
        bonds.append(_challenge(challenge) | {"already": step.already} | transaction(step.receipt))
    result = _proposal(found) | {"proposer_lost": lost}
    common.emit(result | ({"bonds": bonds} if as_json else {}), as_json=as_json, title="bonds are where they belong")
    if not as_json:
        lines(bonds)


@click.command("challenge")
@click.argument("batch", type=common.COUNT)
@click.option("--outcome", type=Hex(32), help="Hash of the outcome you say is right.  [default: recomputed]")
@common.options(history, viewing)
@sending
def challenge(
    batch: int,
    outcome: bytes | None,
    genesis: Path | None,
    state: Path | None,
    beacon: tuple[str, ...],
    archive: Path | None,
    contract: int,
    l1: str,
    as_json: bool,
    sending: Sending,
) -> None:
    """Say, with a bond, that the proposed BATCH has another outcome; from then on a proof alone decides.

    The right outcome is recomputed from genesis and L1 data. A batch that is right is not challenged, unless --outcome
    says otherwise: whoever is wrong loses the bond.
    """
    rollup = rollup_at(l1, contract, sending)
    proposal = rollup.batch(batch).proposal  # asked for first: what is judged is what is challenged, or a later one
    if proposal == 0:
        raise BadInputError(
            "the batch is no proposal",
            place=f"batch {batch} of {rollup.address}",
            expected="a full batch of the fallback",
            got="one that needs a proof anyway, or has it",
        )
    if outcome is None:
        before = state_after(rollup, batch - 1, genesis_of(genesis, state), beacon, archive)
        judged = _judge(rollup, batch, before)
        if judged.holds:
            raise BadInputError(
                "the batch is right: whoever challenges it loses the bond",
                place=f"batch {batch} of {rollup.address}",
                expected="a proposal with a wrong outcome",
                got=f"the right one, 0x{judged.right.digest.hex()}",
            )
        outcome = judged.right.digest
    made, receipt = rollup.fallback.challenge(signer_of(rollup.client, sending, "challenger"), proposal, outcome)
    result = {"batch": batch, "proposal": proposal, **_challenge(made), "bond": str(rollup.fallback.bond())}
    common.emit(result | transaction(receipt), as_json=as_json, title=f"batch {batch} is challenged")


def _judge(rollup: RollupContract, number: int, before: State) -> Judgement:
    return judge(before, rollup.posted(number), rollup.queue_items(number), f"batch {number}")


def _proposal(found: Proposal) -> dict[str, Any]:
    return {
        "proposal": found.id,
        "batch": found.number,
        "proposer": found.proposer.lower(),
        "outcome": f"0x{found.outcome.hex()}",
    }


def _challenge(found: Challenge) -> dict[str, Any]:
    return {
        "challenge": found.index,
        "challenger": found.challenger.lower(),
        "outcome": f"0x{found.outcome.hex()}",
    }
