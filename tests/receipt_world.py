"""A batch with records to make receipts of: an agent's sessions, another agent's between, and one not valid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from batch_chain import SHARD, Chain, make_chain
from chains import CHAIN_ID

from aitbc_rollup.algebra.eddsa import public_key, sign
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup.accounts import Account
from aitbc_rollup.rollup.batch import Batch, build
from aitbc_rollup.rollup.data import BatchContext
from aitbc_rollup.rollup.genesis import Genesis, GenesisAccount
from aitbc_rollup.rollup.l1.client import L1Client
from aitbc_rollup.rollup.records import RunRecord
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.store import Identity, Store
from aitbc_rollup.rollup.transactions import Domain, Session, SignedSession, Transactions

L1_TIME = 1_700_000_000
SHAPE = Shape(pages=8, sessions=6, accounts=12, queue=1, registrations=0, transfers=0, signatures=8, index_bits=24)
OPERATOR, PROVIDER, ALICE, BOB = 0, 5, 70_001, 70_002
EXTERNAL_ID, BALANCE = 4242, 10**6
#: Who did the session, its nonce, and how many records it has.
SESSIONS = ((ALICE, 0, 1), (BOB, 0, 16), (ALICE, 1, 37), (ALICE, 7, 2), (ALICE, 2, 2))
NOT_VALID = 3


def private_key(index: int) -> bytes:
    return index.to_bytes(32, "big")


def genesis() -> Genesis:
    accounts = []
    for index in sorted((OPERATOR, PROVIDER, ALICE, BOB, ALICE ^ 3, ALICE ^ 1 << 22)):
        key = public_key(private_key(index))
        account = Account(public_key=key, l1_owner=index, balance=BALANCE, external_id=EXTERNAL_ID)
        accounts.append(GenesisAccount(index, account, label="", development=False))
    return Genesis(CHAIN_ID, SHARD, OPERATOR, tuple(accounts))


def session(domain: Domain, agent: int, nonce: int, count: int) -> SignedSession:
    records = tuple(
        RunRecord(wall_ms=7 + i, gpu_ms=i, tokens_in=100, outcome=i % 4, fee=10 + i, sequence=i, task=nonce + 1, cid=i)
        for i in range(count)
    )
    made = Session(
        agent_index=agent,
        provider_index=PROVIDER,
        nonce=nonce,
        fee_cap=10_000,
        operator_share_bps=500,
        expiry=2**40 - 1,
        records=records,
    )
    return SignedSession(made, sign(private_key(agent), made.message(domain)), place=f"session {agent} {nonce}")


def settled(
    domain: Domain,
    before: State | None = None,
    number: int = 1,
    sessions: Sequence[tuple[int, int, int]] = SESSIONS,
    l1_time: int = L1_TIME,
) -> Batch:
    """The batch, on a state of its own unless one is given, which then moves on."""
    signed = tuple(session(domain, *said) for said in sessions)
    context = BatchContext(domain=domain, batch_number=number, mode=0, l1_time=l1_time, operator_index=OPERATOR)
    return build(genesis().state() if before is None else before, Transactions(sessions=signed), context, SHAPE)


def sealed(folder: Path, domain: Domain, **changes: Any) -> Batch:
    """The batch in a state folder; the records of its first two sessions billed as those are that agents send."""
    world = genesis()
    with Store(folder) as store:
        store.bind(Identity(world.digest(), domain, SHAPE), world, {"key": 1})
        after = State(store)
        batch = settled(domain, after, **changes)
        hashes = [run_hash for signed in batch.items.sessions[:2] for run_hash in signed.session.run_hashes]
        store.seal([(batch, after)], [(found.to_bytes(32, "big"), 1) for found in hashes], "job", {"batches": [1, 1]})
    return batch


def deployed(client: L1Client, salt: str) -> Chain:
    """A rollup with this genesis on a chain. What ``Chain`` knows of states is another's."""
    world = genesis()
    backing = BALANCE * len(world.accounts)
    return make_chain(client, salt, shape=SHAPE, genesis_root=world.root, genesis_balance=backing)
