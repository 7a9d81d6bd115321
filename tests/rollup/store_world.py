"""Batches of development agents in a store; also a program that seals batch after batch and prints each number.

store_world.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from aitbc_rollup.algebra.eddsa import sign
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.batch import Batch, build
from aitbc_rollup.rollup.data import BatchContext
from aitbc_rollup.rollup.dev_agents import development_private_key
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.records import RunRecord
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.store import Identity, Store
from aitbc_rollup.rollup.transactions import Domain, QueueItem, Session, SignedSession, Transactions

DOMAIN = Domain(31337, 0xC0FFEE, 0)
L1_TIME = 1_700_000_000
SHAPE = Shape.for_records(32, agents=2, providers=1)


def session(agent: int, nonce: int) -> SignedSession:
    made = Session(
        agent_index=agent,
        provider_index=1,
        nonce=nonce,
        fee_cap=100,
        operator_share_bps=500,
        expiry=L1_TIME,
        records=(RunRecord(fee=100, task=nonce),),
    )
    return SignedSession(made, sign(development_private_key(agent), made.message(DOMAIN)))


def bound(folder: Path, world: Genesis) -> Store:
    store = Store(folder)
    store.bind(Identity(world.digest(), DOMAIN, SHAPE), world, {"key": 1})
    return store


def next_batch(state: State, number: int) -> tuple[Batch, State]:
    """A batch of two sessions and a deposit on a state, and the overlay after it."""
    after = State(state)
    sessions = tuple(session(agent, state.account(agent).nonce) for agent in (2, 3))
    deposit = QueueItem(kind=1, a=2, amount=5, sender=1)
    context = BatchContext(domain=DOMAIN, batch_number=number, mode=1, l1_time=L1_TIME, operator_index=0)
    return build(after, Transactions(queue=(deposit,), sessions=sessions), context, SHAPE), after


def record_id(number: int) -> bytes:
    return number.to_bytes(32, "big")


def seal(store: Store, job: str, batches: int = 1) -> list[Batch]:
    """Seal the next batches as one job; each bills the record of its number."""
    state, planned = store.state(), []
    first = store.batch_count + 1
    for number in range(first, first + batches):
        batch, state = next_batch(state, number)
        planned.append((batch, state))
    numbers = [batch.data.context.batch_number for batch, _ in planned]
    store.seal(planned, [(record_id(number), number) for number in numbers], job, {"batches": numbers})
    return [batch for batch, _ in planned]


def seal_for_ever(folder: Path) -> None:
    with bound(folder, genesis.development(31337, 2)) as store:
        while True:
            number = store.batch_count + 1
            seal(store, f"job{number}")
            print(number, flush=True)


if __name__ == "__main__":
    seal_for_ever(Path(sys.argv[1]))
