"""A small world for tests of the fold: accounts at scattered indices, and makers of transactions that are valid."""

from __future__ import annotations

import dataclasses
from typing import Any

from aitbc_rollup.algebra.eddsa import public_key, sign
from aitbc_rollup.circuits.statements.batch.layout import QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup.accounts import Account
from aitbc_rollup.rollup.batch import Batch, build
from aitbc_rollup.rollup.data import BatchContext
from aitbc_rollup.rollup.records import RunRecord
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.transactions import (
    Domain,
    QueueItem,
    Registration,
    Session,
    SignedSession,
    SignedTransfer,
    Transactions,
    Transfer,
)

DOMAIN = Domain(31337, 0xC0FFEE, 3)
L1_TIME = 1_700_000_000
OPERATOR, PROVIDER, ALICE, BOB = 0, 5, 70_000, 70_001
FREE = 4242
SHAPE = Shape(pages=12, sessions=6, accounts=20, queue=5, registrations=2, transfers=4, signatures=16, index_bits=24)


def private_key(index: int) -> bytes:
    return index.to_bytes(32, "big")


def owner(index: int) -> int:
    """The L1 owner of an account."""
    return 0xA00000 + index


def account(index: int, **changes: Any) -> Account:
    fields: dict[str, Any] = {"public_key": public_key(private_key(index)), "l1_owner": owner(index), "balance": 10_000}
    return Account(**fields | changes)


def new_state() -> State:
    state = State()
    for index in (OPERATOR, PROVIDER, ALICE, BOB):
        state.put(index, account(index))
    return state


def record(**changes: Any) -> RunRecord:
    return RunRecord(**{"tokens_in": 100, "tokens_out": 7, "fee": 405, "task": 1, "outcome": 1} | changes)


def session(agent: int = ALICE, nonce: int = 0, *, signer: int | None = None, **changes: Any) -> SignedSession:
    """A session of two records with a fee of 499, and a share of 24, valid unless a change makes it not."""
    countersigner = changes.pop("countersigner", None)
    fields: dict[str, Any] = {
        "agent_index": agent,
        "provider_index": PROVIDER,
        "nonce": nonce,
        "fee_cap": 100_000,
        "operator_share_bps": 500,
        "expiry": L1_TIME,
        "records": (record(), record(fee=94, wall_ms=9, cpu_ms=8, gpu_ms=7, memory_mib=6, sequence=1)),
    }
    made = Session(**fields | changes)
    message = made.message(DOMAIN)
    signature = sign(private_key(agent if signer is None else signer), message)
    second = None if countersigner is None else sign(private_key(countersigner), message)
    return SignedSession(made, signature, second, "sessions.jsonl:1")


def transfer(sender: int = ALICE, nonce: int = 0, *, signer: int | None = None, **changes: Any) -> SignedTransfer:
    """A transfer of 1,000 to Bob with a fee of 10, valid unless a change makes it not."""
    fields: dict[str, Any] = {
        "from_index": sender,
        "to_index": 0 if changes.get("exit") else BOB,
        "nonce": nonce,
        "exit": False,
        "expiry": L1_TIME,
        "amount": 1000,
        "fee": 10,
    }
    made = Transfer(**fields | changes)
    signature = sign(private_key(sender if signer is None else signer), made.message(DOMAIN))
    return SignedTransfer(made, signature, "transfers.jsonl:1")


def queue_item(kind: QueueKind, a: int, amount: int = 1000, *, b: int = 0, sender: int | None = None) -> QueueItem:
    return QueueItem(kind=kind, a=a, b=b, amount=amount, sender=owner(a) if sender is None else sender)


def registration(index: int = FREE, **changes: Any) -> Registration:
    fields: dict[str, Any] = {"index": index, "public_key": public_key(private_key(index)), "l1_owner": owner(index)}
    return Registration(**fields | changes)


def context(number: int = 1, **changes: Any) -> BatchContext:
    made = BatchContext(domain=DOMAIN, batch_number=number, mode=1, l1_time=L1_TIME, operator_index=OPERATOR)
    return dataclasses.replace(made, **changes)


def run(state: State, shape: Shape = SHAPE, number: int = 1, **items: Any) -> Batch:
    """A batch of these transactions, each kind by its name in :class:`Transactions`."""
    made = Transactions(**{name: tuple(kind) for name, kind in items.items()})
    return build(state, made, context(number), shape)
