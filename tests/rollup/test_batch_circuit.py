"""The node's batches satisfy the circuit, whatever is in them; a batch that says something else does not."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from batch_world import (
    ALICE,
    BOB,
    FREE,
    PROVIDER,
    new_state,
    queue_item,
    record,
    registration,
    run,
    session,
    transfer,
)
from test_batch_data import random_batch

from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.circuits.statements.batch.layout import QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup.v2.batch import Batch
from aitbc_rollup.rollup.v2.batch_codec import batch_from_json, batch_to_json
from aitbc_rollup.rollup.v2.witness_inputs import circuit_inputs

DEPOSIT, EXIT, MOVE = QueueKind
SHAPE = Shape(pages=8, sessions=6, accounts=12, queue=5, registrations=1, transfers=4, signatures=12, index_bits=24)
PAYOUT = 0xFEE


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return compile_batch(SHAPE)


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Some of each kind, valid and not, with sessions of one page and of three."""
    return run(
        new_state(),
        SHAPE,
        queue=[
            queue_item(DEPOSIT, ALICE),
            queue_item(DEPOSIT, 2**32 - 1, sender=0xBAD),
            queue_item(MOVE, BOB, b=2**24),
            queue_item(MOVE, ALICE, 5, b=ALICE),
            queue_item(EXIT, BOB, 2**88 - 1),
        ],
        registrations=[registration(external_id=9)],
        transfers=[
            transfer(),
            transfer(ALICE, 1, exit=True),
            transfer(BOB, 5),
            transfer(FREE, signer=ALICE, amount=0, fee=0),
        ],
        sessions=[
            session(nonce=2, records=(record(fee=1),) * 40, countersigner=PROVIDER),
            session(BOB, provider_index=BOB, records=(record(fee=3),)),
            session(ALICE, 3, countersigner=BOB),
            session(ALICE, 3, operator_share_bps=3000),
            session(ALICE, 3, signer=BOB),
        ],
    )


def test_a_batch_of_everything(circuit: CompiledCircuit, batch: Batch) -> None:
    assert [refusal.reason for _, refusal in batch.results.refusals] == [
        "wrong nonce",
        "the signature is not the sender's",
        "the signature is not the provider's",
        "operator's share is above the protocol's cap",
        "the signature is not the agent's",
    ]
    inputs = circuit_inputs(batch, PAYOUT)
    assert check(circuit, circuit.witness(inputs)) is None
    assert circuit.begin(inputs).public_inputs() == batch.binding.public_inputs(PAYOUT)


def test_an_empty_batch(circuit: CompiledCircuit) -> None:
    assert check(circuit, circuit.witness(circuit_inputs(run(new_state(), SHAPE), PAYOUT))) is None


@pytest.mark.parametrize("seed", range(3))
def test_batches_at_random(circuit: CompiledCircuit, seed: int) -> None:
    batch = random_batch(random.Random(100 + seed), new_state(), 1, SHAPE)
    assert check(circuit, circuit.witness(circuit_inputs(batch, PAYOUT))) is None


def test_a_circuit_without_room_for_the_optional() -> None:
    shape = Shape(pages=1, sessions=1, accounts=3, queue=0, registrations=0, transfers=0, signatures=1, index_bits=24)
    circuit = compile_batch(shape)
    batch = run(new_state(), shape, sessions=[session()])
    assert check(circuit, circuit.witness(circuit_inputs(batch, PAYOUT))) is None


#: An input, the place in it, and the value it is given.
ALTERED: list[tuple[str, tuple[int, ...], int]] = [
    ("new_root", (), 1),
    ("old_root", (), 1),
    ("operator_index", (), PROVIDER),
    ("l1_time", (), 1),
    ("queue_items", (0, 4), 1001),
    ("registration_words", (0, 4), 10),
    ("transfer_terms", (0, 6), 1001),
    ("session_terms", (0, 5), 400),
    ("page_records", (0, 3, 7), 2),
    ("account_after", (1, 3), 10**6),
    ("signature_s", (0,), 1),
]


@pytest.mark.parametrize(("name", "place", "value"), ALTERED)
def test_an_altered_batch(
    circuit: CompiledCircuit, batch: Batch, name: str, place: tuple[int, ...], value: int
) -> None:
    inputs: dict[str, Any] = copy.copy(circuit_inputs(batch, PAYOUT))
    if place:
        inputs[name] = inputs[name].copy()
        inputs[name][place] = [value, 0, 0, 0]
    else:
        inputs[name] = value
    assert check(circuit, circuit.witness(inputs)) is not None


def test_a_batch_comes_back_from_json_whole(batch: Batch) -> None:
    assert batch_from_json(batch_to_json(batch)) == batch
