"""From what is offered to batches: signed, cut to the circuit's room, folded, each on the state after the one before.

Nothing is kept here. No batch is made unless every session and transfer of all of them is valid: the node includes no
invalid one of its own accord, though the protocol would let it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from aitbc_rollup.circuits.statements.batch.layout import MODE, pack
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError

from .batch import Batch, build
from .data import BatchContext
from .dev_agents import Assignment, development_public_key, sign_rows
from .documents import check_domain
from .ingest import Selection
from .ingest.transactions import records_of
from .room import Signed, batches
from .state import State
from .transactions import Domain, QueueItem, Registration, SignedSession, SignedTransfer, Transactions


@dataclass(frozen=True, slots=True)
class Offer:
    """A signed transaction, and of each record that it bills the identity, 32 bytes, and the place."""

    signed: Signed
    records: tuple[tuple[bytes, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What all batches of a job share."""

    domain: Domain
    shape: Shape
    l1_time: int
    operator_index: int
    development: frozenset[int]


def offers_of_trace(selection: Selection, how: Assignment, state: State, domain: Domain, expiry: int) -> list[Offer]:
    """The rows of a trace as sessions of development agents."""
    nonces = {agent: state.account(agent).nonce for agent in how.agents}
    return [
        Offer(signed, tuple((hashlib.sha256(row.identity).digest(), row.place) for row in rows))
        for signed, rows in sign_rows(selection.rows, how, nonces, domain, expiry)
    ]


def offers_of_signed(selection: Selection, domain: Domain) -> list[Offer]:
    """Signed transactions, which must be for this domain.

    Raises:
        BadInputError: one is for another.
    """
    offers = []
    for signed, found in selection.signed:
        check_domain(found, domain, signed.place)
        records = tuple(records_of(signed)) if isinstance(signed, SignedSession) else ()
        offers.append(Offer(signed, records))
    return offers


def plan(
    state: State,
    first: int,
    offers: Sequence[Offer],
    queue: Sequence[QueueItem],
    registrations: Sequence[Registration],
    terms: Terms,
) -> list[tuple[Batch, State]]:
    """Batches of all that is offered, each with the state after it, an overlay on the state before.

    Args:
        state: as last sealed; left as it is.
        first: number of the first batch.
        offers: signed transactions, in order.
        queue: items of the L1's queue that no batch has taken, in order.
        registrations: new accounts.
        terms: what the batches share.

    Raises:
        BadInputError: a transaction is not valid, does not fit the circuit, or loses money.
    """
    for registration in registrations:
        _check_registration(registration, terms.development)
    made: list[tuple[Batch, State]] = []
    for number, items in enumerate(cut(offers, queue, registrations, terms), start=first):
        state = State(state)
        context = BatchContext(
            domain=terms.domain,
            batch_number=number,
            mode=pack(MODE, {"development_keys": bool(_signers(items) & terms.development), "kind": terms.shape.kind}),
            l1_time=terms.l1_time,
            operator_index=terms.operator_index,
        )
        batch = build(state, items, context, terms.shape)
        _check_batch(batch)
        made.append((batch, state))
    return made


def cut(
    offers: Sequence[Offer], queue: Sequence[QueueItem], registrations: Sequence[Registration], terms: Terms
) -> list[Transactions]:
    """What is offered, in as many batches as it takes.

    Raises:
        BadInputError: a transaction needs more room than the circuit has at all.
    """
    signed = [offer.signed for offer in offers]
    return batches(signed, queue, registrations, operator_index=terms.operator_index, shape=terms.shape)


def billed(offers: Sequence[Offer], batches: Sequence[Batch]) -> list[tuple[bytes, int]]:
    """Of each record its identity and the number of the batch that bills it."""
    with_records = iter(offer for offer in offers if isinstance(offer.signed, SignedSession))
    return [
        (identity, batch.data.context.batch_number)
        for batch in batches
        for _, offer in zip(batch.items.sessions, with_records, strict=False)
        for identity, _ in offer.records
    ]


def _signers(items: Transactions) -> set[int]:
    """Accounts whose keys signed something of a batch."""
    found = {signed.transfer.from_index for signed in items.transfers}
    for signed in items.sessions:
        found.add(signed.session.agent_index)
        if signed.countersignature is not None:
            found.add(signed.session.provider_index)
    return found


def _check_batch(batch: Batch) -> None:
    for place, refusal in batch.results.refusals:
        raise refusal.error(place)
    for signed, posted in zip(batch.items.transfers, batch.data.transfers, strict=True):
        if posted.exit and not posted.address:
            raise _lost(signed)


def _lost(signed: SignedTransfer) -> BadInputError:
    return BadInputError(
        "the amount would be lost",
        place=signed.place,
        expected="an exit from an account with an L1 owner",
        got=f"account {signed.transfer.from_index} without one",
        hint="transfer it to an account that has an L1 owner",
    )


def _check_registration(registration: Registration, development: frozenset[int]) -> None:
    """Refuse keys that anyone can derive: a batch's development mark is for those that genesis marks."""
    index = registration.index
    if registration.public_key == development_public_key(index) and index not in development:
        raise BadInputError(
            "a development key is registered",
            place=f"registration of account {index}",
            expected="a key of the account's own",
            got="one that anyone can derive",
            hint="make one with `aitbc-rollup session keygen`",
        )
