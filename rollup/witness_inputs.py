"""A batch as the inputs of its circuit (``circuits.statements.batch``): slots in order, unused ones zero.

This is the one place of the node that writes the circuit's input names; each part's names and shapes are in the
docstring of the function that declares them there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.circuits.statements.batch.frame import HEADER_INPUTS
from aitbc_rollup.circuits.statements.batch.layout import (
    PAGE_RECORDS,
    RECORD_FIELDS,
    REGISTRATION,
    TREE_ARITY,
    USAGE,
    Tag,
)
from aitbc_rollup.circuits.statements.batch.memory import Clock, State
from aitbc_rollup.circuits.statements.batch.queue import ITEM
from aitbc_rollup.circuits.statements.batch.sessions import TERMS as SESSION_TERMS
from aitbc_rollup.circuits.statements.batch.transfers import TERMS as TRANSFER_TERMS

from .accounts import NO_ACCOUNT
from .batch import Batch
from .binding import Binding
from .full.batch import FullBatch
from .journal import Visit
from .posted import registration_words
from .transactions import SignedSession, SignedTransfer
from .transition import SignatureCheck

Inputs = dict[str, Any]

_STATE = len(State._fields)
_NO_VISIT = Visit(time=0, index=0, account=NO_ACCOUNT, previous=0)


def circuit_inputs(batch: Batch, payout: int) -> Inputs:
    """Every input of the batch's circuit by name: integers, or canonical limbs, uint64 (shape of the input …, 4).

    Args:
        batch: the batch; its shape is the circuit's.
        payout: the L1 address that the proof pays, as a number.
    """
    visits = Visits(batch)
    return (
        public_inputs(batch.binding, payout)
        | shared_inputs(batch, visits)
        | _registrations(batch, visits)
        | _transfers(batch, visits)
        | _pages(batch)
        | _sessions(batch, visits)
        | _signatures(batch)
    )


def public_inputs(binding: Binding, payout: int) -> Inputs:
    """The public inputs by their names in circuits."""
    inputs: Inputs = {
        "commitment": binding.commitment, "zeta": binding.zeta, "evaluation": binding.evaluation, "payout": payout,
    }  # fmt: skip
    return inputs | ({} if binding.blob_value is None else {"blob_value": binding.blob_halves})


class Visits:
    """A batch's visits by their times; a time without one has the zeros of an unused slot."""

    def __init__(self, batch: Batch | FullBatch) -> None:
        self.clock = Clock(batch.shape)
        self._by_time = {visit.time: visit for visit in batch.visits}

    def at(self, prefix: str, times: Sequence[int]) -> Inputs:
        """State and time of the previous visit at each of these times, as ``<prefix>`` and ``<prefix>_previous``."""
        found = [self._by_time.get(time, _NO_VISIT) for time in times]
        return {
            prefix: table((visit.account.state_words for visit in found), len(times), _STATE),
            f"{prefix}_previous": _column((visit.previous for visit in found), len(times)),
        }

    def both(self, prefixes: tuple[str, str], times: Iterable[tuple[int, int]]) -> Inputs:
        """The same for slots with two times."""
        first, second = zip(*times, strict=True)
        return self.at(prefixes[0], first) | self.at(prefixes[1], second)


def shared_inputs(batch: Batch | FullBatch, visits: Visits) -> Inputs:
    """What all kinds of batches have: header, operator, tree, accounts and queue."""
    return _header(batch, visits) | _tree(batch) | _accounts(batch) | _queue(batch, visits)


def _header(batch: Batch | FullBatch, visits: Visits) -> Inputs:
    context = batch.data.context
    values = {
        "chain_id": context.domain.chain_id,
        "contract": context.domain.contract,
        "shard": context.domain.shard,
        "batch_number": context.batch_number,
        "mode": context.mode,
        "l1_time": context.l1_time,
        "old_root": batch.data.old_root,
        "new_root": batch.data.new_root,
        "operator_index": context.operator_index,
    }
    operator = visits.at("operator", [visits.clock.operator])
    return {name: values[name] for name in HEADER_INPUTS} | {name: column[0] for name, column in operator.items()}


def _tree(batch: Batch | FullBatch) -> Inputs:
    inputs: Inputs = {}
    for level, families in enumerate(batch.levels, start=1):
        room = batch.shape.rows(level)
        inputs |= {
            f"node_used_{level}": _used(families, room),
            f"node_index_{level}": _column((family.index for family in families), room),
            f"node_touched_{level}": table((family.touched for family in families), room, TREE_ARITY),
            f"node_before_{level}": table((family.before for family in families), room, TREE_ARITY),
            f"node_after_{level}": table((family.after for family in families), room, TREE_ARITY),
        }
    return inputs


def _accounts(batch: Batch | FullBatch) -> Inputs:
    room, accounts = batch.shape.accounts, batch.accounts
    last = {visit.index: visit.time for visit in batch.visits}
    return {
        "account_used": _used(accounts, room),
        "account_index": _column((entry.index for entry in accounts), room),
        "account_last": _column((last.get(entry.index, 0) for entry in accounts), room),
        "account_before": table((entry.before.state_words for entry in accounts), room, _STATE),
        "account_after": table((entry.after.state_words for entry in accounts), room, _STATE),
    }


def _queue(batch: Batch | FullBatch, visits: Visits) -> Inputs:
    room = batch.shape.queue
    if room == 0:
        return {}
    rows = ([1, item.kind, item.a, item.b, item.amount, item.sender] for item in batch.data.queue_items)
    times = map(visits.clock.queue_item, range(room))
    return {"queue_items": table(rows, room, len(ITEM))} | visits.both(("queue_a", "queue_b"), times)


def _registrations(batch: Batch, visits: Visits) -> Inputs:
    room, registrations = batch.shape.registrations, batch.items.registrations
    if room == 0:
        return {}
    found = visits.at("registration", [visits.clock.registration(slot) for slot in range(room)])
    return {
        "registration_active": _used(registrations, room),
        "registration_words": table(map(registration_words, registrations), room, len(REGISTRATION)),
        "registration_previous": found["registration_previous"],
    }


def _transfers(batch: Batch, visits: Visits) -> Inputs:
    room = batch.shape.transfers
    if room == 0:
        return {}
    rows = map(_transfer_terms, batch.items.transfers, batch.results.transfer_checks)
    times = map(visits.clock.transfer, range(room))
    terms = {"transfer_terms": table(rows, room, len(TRANSFER_TERMS))}
    return terms | visits.both(("transfer_from", "transfer_to"), times)


def _transfer_terms(signed: SignedTransfer, check: SignatureCheck) -> list[int]:
    transfer = signed.transfer
    said: dict[str, int] = {"active": 1, "signed": check.holds}
    return [said[name] if name in said else int(getattr(transfer, name)) for name in TRANSFER_TERMS]


def _pages(batch: Batch) -> Inputs:
    room = batch.shape.pages
    states, agents, last = [], [], []
    present: list[list[int]] = []
    records: list[list[int]] = []
    for signed in batch.items.sessions:
        session = signed.session
        pages = range(session.pages)
        states += [Tag.RECORDS, *session.page_states[:-1]]
        agents += [session.agent_index for _ in pages]
        last += [page == pages[-1] for page in pages]
        for page in pages:
            held = session.records[PAGE_RECORDS * page : PAGE_RECORDS * (page + 1)]
            present.append([1] * len(held) + [0] * (PAGE_RECORDS - len(held)))
            fields = list(chain.from_iterable(record.fields for record in held))
            records.append(fields + [0] * (len(RECORD_FIELDS) * PAGE_RECORDS - len(fields)))
    states += [Tag.RECORDS] * (room - len(states))
    width = len(RECORD_FIELDS)
    return {
        "page_state": _column(states, room),
        "page_agent": _column(agents, room),
        "page_last": _column(last, room),
        "page_present": table(present, room, PAGE_RECORDS),
        "page_records": table(records, room, PAGE_RECORDS * width).reshape(room, PAGE_RECORDS, width, 4),
    }


def _sessions(batch: Batch, visits: Visits) -> Inputs:
    room = batch.shape.sessions
    rows = map(_session_terms, batch.items.sessions, batch.results.session_checks)
    times = map(visits.clock.session, range(room))
    terms = {"session_terms": table(rows, room, len(SESSION_TERMS))}
    return terms | visits.both(("session_agent", "session_provider"), times)


def _session_terms(signed: SignedSession, checks: Sequence[SignatureCheck]) -> list[int]:
    session = signed.session
    said: dict[str, int] = {
        "active": 1,
        "countersigned": len(checks) > 1,
        "agent_signed": checks[0].holds,
        "provider_signed": len(checks) > 1 and checks[1].holds,
        **dict(zip(USAGE, session.usage, strict=True)),
    }
    return [said[name] if name in said else getattr(session, name) for name in SESSION_TERMS]


def _signatures(batch: Batch) -> Inputs:
    room = batch.shape.signatures
    checks = [*batch.results.transfer_checks, *chain.from_iterable(batch.results.session_checks)]
    return {
        "signature_used": _used(checks, room),
        "signature_key": table((check.public_key for check in checks), room, 2),
        "signature_message": _column((check.message for check in checks), room),
        "signature_r8": table((check.signature.r8 for check in checks), room, 2),
        "signature_s": _column((check.signature.s for check in checks), room),
    }


def _used(items: Sequence[Any], room: int) -> Limbs:
    return _column([1] * len(items), room)


def _column(values: Iterable[int], room: int) -> Limbs:
    """Values as limbs (room, 4), zeros at the end."""
    return table(([value] for value in values), room, 1).reshape(room, 4)


def table(rows: Iterable[Iterable[int]], room: int, width: int) -> Limbs:
    """Rows of values as limbs (room, width, 4), rows of zeros at the end."""
    values = [int(value) for row in rows for value in row]
    return to_limbs(values + [0] * (room * width - len(values))).reshape(room, width, 4)
