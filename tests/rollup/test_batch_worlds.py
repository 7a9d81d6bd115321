"""Random worlds: whatever strangers queue and people sign, the fold has one result, the circuit a witness for it.

A batch that no witness proves would hold up the rollup for good, so accounts are at their limits here, indices at the
edges of the circuit and beyond, amounts around balances, signatures by the wrong keys and not on the curve. Each batch
is also applied a second time from what it posts, and all money is counted.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from batch_world import L1_TIME, account, context, private_key, queue_item, record, registration, session, transfer

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.eddsa import Signature, public_key
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.circuits.statements.batch.layout import LAST_NONCE, QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup import rebuild
from aitbc_rollup.rollup.batch import Batch, build
from aitbc_rollup.rollup.binding import to_words
from aitbc_rollup.rollup.data import decode
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.transactions import SignedSession, SignedTransfer, Transactions
from aitbc_rollup.rollup.witness_inputs import circuit_inputs

SHAPE = Shape(pages=4, sessions=3, accounts=16, queue=4, registrations=2, transfers=3, signatures=9, index_bits=17)
END = 1 << 17
#: Neighbours, the first and the last, and one far from all.
ACCOUNTS = (0, 1, 2, 4, END // 4, END - 2, END - 1)
EMPTY = (3, 5, END // 2, END - 3)
BEYOND = (END, 2 * END + 1, 2**32 - 1)
PAYOUT = 2**160 - 1


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return compile_batch(SHAPE)


@cache
def key(index: int) -> tuple[int, int]:
    return public_key(private_key(index))


def some(generator: random.Random, *choices: Any) -> Any:
    return generator.choice(choices)


def new_world(generator: random.Random) -> State:
    """Accounts at their limits; together they hold less than 2^96."""
    state = State()
    for index in ACCOUNTS:
        changes = {
            "public_key": key(index),
            "l1_owner": some(generator, 0, 1, 0xA00000 + index, 2**160 - 1),
            "permissions": some(generator, 0, 2**32 - 1),
            "balance": some(generator, 0, 1, 10_000, 2**64 - 1, 2**88 - 1, 2**88, 2**92),
            "nonce": some(generator, 0, 0, 5, 5, LAST_NONCE - 1, LAST_NONCE),
            "wall_ms": some(generator, 0, 2**80 - 2**44),
            "tokens_out": some(generator, 0, 2**80 - 2**44),
            "history_root": some(generator, 0, R - 1),
            "external_id": some(generator, 0, R - 1),
        }
        state.put(index, account(index, **changes))
    assert state.root  # sealed, so that others may lie over it
    return state


def amount(generator: random.Random, balance: int, bits: int) -> int:
    """Something near a balance or near a limit, of so many bits."""
    chosen = some(generator, 0, 1, balance - 1, balance, balance + 1, balance // 2, 2**bits - 1)
    return max(0, min(chosen, 2**bits - 1))


def queue(generator: random.Random, state: State) -> Iterator[Any]:
    for _ in range(generator.randint(0, SHAPE.queue)):
        a, b = (some(generator, *ACCOUNTS, *ACCOUNTS, *EMPTY, *BEYOND) for _ in "ab")
        owner = state.account(a).l1_owner
        sender = some(generator, *[owner or 1] * 3, 1, 7, 2**160 - 1)
        kind = some(generator, *QueueKind)
        b = b if kind == QueueKind.TRANSFER else 0
        yield queue_item(kind, a, amount(generator, state.account(a).balance, 88), b=b, sender=sender)


def signed(generator: random.Random, made: Any) -> Any:
    """Now and then a signature that is none: off the curve, of numbers beyond their range, of zeros."""
    bad = Signature((some(generator, 0, 1, R - 1), some(generator, 0, 1, R - 1)), some(generator, 0, R - 1))
    if isinstance(made, SignedSession):
        return SignedSession(made.session, bad, made.countersignature and bad)
    return SignedTransfer(made.transfer, bad)


def transfers(generator: random.Random, state: State) -> Iterator[SignedTransfer]:
    for _ in range(generator.randint(0, SHAPE.transfers)):
        sender, to = (some(generator, *ACCOUNTS, *ACCOUNTS, *EMPTY) for _ in "ab")
        leaves = generator.random() < 0.4
        found = state.account(sender)
        made = transfer(
            sender,
            min(found.nonce + some(generator, *[0] * 7, 1), LAST_NONCE),
            signer=some(generator, sender, sender, sender, to),
            to_index=0 if leaves else to,
            exit=leaves,
            amount=amount(generator, found.balance, 88),
            fee=some(generator, 0, 0, 1, amount(generator, found.balance, 64)),
            expiry=some(generator, *[L1_TIME] * 8, L1_TIME - 1, 2**40 - 1),
        )
        yield made if generator.random() < 0.9 else signed(generator, made)


def sessions(generator: random.Random, state: State) -> Iterator[SignedSession]:
    room = SHAPE.pages
    for left in reversed(range(generator.randint(0, SHAPE.sessions))):
        agent, provider = (some(generator, *ACCOUNTS, *ACCOUNTS, *EMPTY) for _ in "ab")
        pages = generator.randint(1, room - left)
        room -= pages
        found = state.account(agent)
        n = some(generator, 16 * pages - 15, 16 * pages)
        total = some(generator, 0, 1, n, amount(generator, found.balance, 64))
        fees = [total // n] * (n - 1) + [total - total // n * (n - 1)]
        wide = some(generator, 0, 1, 2**32 - 1)
        made = session(
            agent,
            min(found.nonce + some(generator, *[0] * 7, 1), LAST_NONCE),
            signer=some(generator, *[agent] * 9, provider),
            countersigner=some(generator, None, None, provider, provider, agent),
            provider_index=provider,
            fee_cap=some(generator, *[total, 2**64 - 1] * 3, max(total - 1, 0)),
            operator_share_bps=some(generator, 0, 1, 999, 1999, 2000, 2000, 2001, 2**16 - 1),
            expiry=some(generator, *[L1_TIME] * 8, L1_TIME - 1, 2**40 - 1),
            records=tuple(record(fee=fee, wall_ms=wide, tokens_out=wide, sequence=wide, cid=R - 1) for fee in fees),
        )
        yield made if generator.random() < 0.9 else signed(generator, made)


def registrations(generator: random.Random) -> Iterator[Any]:
    for index in generator.sample(EMPTY, generator.randint(0, SHAPE.registrations)):
        owner = some(generator, 0, 1, 2**160 - 1)
        yield registration(index, public_key=key(index), l1_owner=owner, permissions=2**32 - 1, external_id=R - 1)


def new_batch(generator: random.Random, state: State, number: int) -> Batch:
    items = Transactions(
        queue=tuple(queue(generator, state)),
        registrations=tuple(registrations(generator)) if number == 1 else (),
        transfers=tuple(transfers(generator, state)),
        sessions=tuple(sessions(generator, state)),
    )
    return build(state, items, context(number, operator_index=some(generator, *ACCOUNTS)), SHAPE)


def holdings(state: State) -> int:
    return sum(state.account(index).balance for index in (*ACCOUNTS, *EMPTY))


def prove_world(circuit: CompiledCircuit, seed: int) -> None:
    """Two batches, the second on what the first left."""
    generator = random.Random(seed)
    state = new_world(generator)
    again = State(state)
    for number in (1, 2):
        before = holdings(state)
        state = State(state)
        batch = new_batch(generator, state, number)
        witness = circuit.witness(circuit_inputs(batch, PAYOUT))
        violation = check(circuit, witness)
        assert violation is None, f"seed {seed}, batch {number}: {violation.render()}"
        assert circuit.public_inputs(witness) == batch.binding.public_inputs(PAYOUT)

        deposited = sum(item.amount for item in batch.items.queue if item.kind == QueueKind.DEPOSIT)
        claimed = sum(result.amount for result in batch.data.queue_results)
        exited = sum(made.amount for made in batch.data.transfers if made.valid and made.exit)
        assert holdings(state) + claimed + exited == before + deposited

        again = State(again)
        rebuild.apply(again, decode(to_words(batch.data.posted, "data"), batch.items.queue, "data"), "data")
        assert again.root == state.root


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_is_proven(circuit: CompiledCircuit, seed: int) -> None:
    prove_world(circuit, seed)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(1000, 1400))
def test_whatever_happens_is_proven_often(circuit: CompiledCircuit, seed: int) -> None:
    prove_world(circuit, seed)


def test_the_worlds_reach_everything() -> None:
    """Otherwise the tests above would show little: every kind of result occurs, every reason of a refusal."""
    reasons, results = set(), set()
    for seed in range(60):
        generator = random.Random(seed)
        batch = new_batch(generator, new_world(generator), 1)
        reasons |= {refusal.reason for _, refusal in batch.results.refusals}
        results |= {
            (item.kind, result.valid, bool(result.amount), item.a >= END)
            for item, result in zip(batch.items.queue, batch.data.queue_results, strict=True)
        }
        results |= {("transfer", made.valid, made.exit, bool(made.address)) for made in batch.data.transfers}
        results |= {("session", made.valid, made.countersigned) for made in batch.data.sessions}
    assert reasons == {
        "unknown sender", "unknown receiver", "unknown agent", "unknown provider", "wrong nonce",
        "the account's nonces are used up", "the signature has expired", "the balance does not cover it",
        "total fee is above the fee cap", "operator's share is above the protocol's cap",
        "the signature is not the sender's", "the signature is not the agent's", "the signature is not the provider's",
    }  # fmt: skip
    assert results >= {
        (QueueKind.DEPOSIT, True, False, False), (QueueKind.DEPOSIT, False, True, False),
        (QueueKind.DEPOSIT, False, True, True), (QueueKind.EXIT, True, True, False),
        (QueueKind.EXIT, True, False, False), (QueueKind.EXIT, False, False, False),
        (QueueKind.EXIT, False, False, True), (QueueKind.TRANSFER, True, False, False),
        (QueueKind.TRANSFER, False, False, False), (QueueKind.TRANSFER, False, False, True),
        ("transfer", True, True, True), ("transfer", True, True, False), ("transfer", True, False, False),
        ("transfer", False, True, False), ("transfer", False, False, False),
        ("session", True, True), ("session", True, False), ("session", False, True), ("session", False, False),
    }  # fmt: skip
