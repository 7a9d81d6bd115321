"""A small world for tests: a maker of signed sessions of development agents, and of batches in a store.

Also a program: ``rollup_world.py FOLDER`` seals batch after batch and prints each number once it is sealed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from aitbc_rollup.algebra.eddsa import sign
from aitbc_rollup.circuits.statements.agent_runs import Shape
from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.batch import Batch, BatchContext, build
from aitbc_rollup.rollup.dev_agents import development_private_key
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.records import Domain, RunRecord, Session, SignedSession
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.store import Identity, Store

DOMAIN = Domain(31337, 0xC0FFEE, 0)
L1_TIME = 1_700_000_000
SHAPE = Shape(2, 1)


def make_session(
    agent: int = 2, nonce: int = 0, *, domain: Domain = DOMAIN, signer: int | None = None, **changes: Any
) -> SignedSession:
    """A session of two records with a fee of 499, valid unless a change makes it not."""
    fields: dict[str, Any] = {
        "agent_index": agent,
        "provider_index": 1,
        "nonce": nonce,
        "fee_cap": 10_000,
        "operator_share_bps": 500,
        "expiry": L1_TIME + 60,
        "records": (
            RunRecord(tokens_in=100, tokens_out=7, fee=405, sequence=16 * nonce, task=1000 + nonce, outcome=1),
            RunRecord(wall_ms=9, cpu_ms=8, gpu_ms=7, memory_mib=6, fee=94, sequence=16 * nonce + 1, task=5),
        ),
    } | changes
    session = Session(**fields)
    key = development_private_key(agent if signer is None else signer)
    return SignedSession(session, sign(key, session.message(domain)), "sessions.jsonl:1")


def context(number: int = 1) -> BatchContext:
    return BatchContext(domain=DOMAIN, batch_number=number, mode=1, l1_time=L1_TIME, operator_index=0)


def bound(folder: Path, world: Genesis) -> Store:
    store = Store(folder)
    store.bind(Identity(world.digest(), DOMAIN, SHAPE), world, {"key": 1})
    return store


def next_batch(store: Store) -> tuple[Batch, State]:
    state = store.state()
    sessions = [make_session(agent, state.account(agent).nonce) for agent in (2, 3)]
    return build(state, sessions, context(store.batch_count + 1), SHAPE), state


def record_id(number: int) -> bytes:
    return number.to_bytes(32, "big")


def seal_for_ever(folder: Path) -> None:
    with bound(folder, genesis.development(31337, 2)) as store:
        while True:
            batch, state = next_batch(store)
            number = batch.context.batch_number
            store.seal(batch, state, [record_id(number)], f"job{number}", {})
            print(number, flush=True)


if __name__ == "__main__":
    seal_for_ever(Path(sys.argv[1]))
