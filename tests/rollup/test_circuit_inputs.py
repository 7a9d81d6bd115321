"""The node's batches satisfy the circuit, and a batch that the node would refuse does not."""

from __future__ import annotations

import copy

import pytest
from rollup_world import context, make_session

from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.statements.agent_runs import Shape, compile_agent_runs
from aitbc_rollup.rollup.batch import Batch, build, circuit_inputs
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.records import RunRecord, SignedSession

SHAPE = Shape(3, 2)


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return compile_agent_runs(SHAPE)


FULL = tuple(
    RunRecord(
        wall_ms=2**32 - 1, cpu_ms=2**32 - 1, gpu_ms=2**32 - 1, memory_mib=2**32 - 1, tokens_in=2**32 - 1,
        tokens_out=2**32 - 1, outcome=3, fee=n + 2**40, sequence=2**48 - 1, task=n, parents=n, cid=n,
    )
    for n in range(16)
)  # fmt: skip

BATCHES: dict[str, list[SignedSession]] = {
    "one session, two idle slots": [make_session(2, 0)],
    "one agent twice": [make_session(2, 0), make_session(2, 1)],
    "full records, largest share": [
        make_session(2, 0, records=FULL, fee_cap=2**64 - 1, operator_share_bps=2000, expiry=2**40 - 1),
    ],
    "an agent provides for the other, the operator for both": [
        make_session(2, 0, provider_index=3),
        make_session(3, 0, provider_index=0, operator_share_bps=0),
        make_session(2, 1, provider_index=0),
    ],
}


def built(world: Genesis, sessions: list[SignedSession]) -> Batch:
    return build(world.state(), sessions, context(), SHAPE)


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_satisfies_its_circuit(world: Genesis, circuit: CompiledCircuit, name: str) -> None:
    batch = built(world, BATCHES[name])
    witness = circuit.witness(circuit_inputs(batch, payout=7))
    violation = check(circuit, witness)
    assert violation is None, violation.render()
    assert circuit.public_inputs(witness) == batch.binding.public_inputs(7)


def test_the_inputs_are_the_circuit_s(world: Genesis, circuit: CompiledCircuit) -> None:
    batch = built(world, BATCHES["one agent twice"])
    assert set(circuit_inputs(batch, 7)) == {item.name for item in circuit.inputs}


@pytest.mark.parametrize(
    ("name", "at", "add"),
    [
        ("session_nonce", (0,), 1),
        ("session_agent_index", (0,), 1),
        ("session_records", (0, 0, 7), 1),
        ("session_signature_s", (0,), 1),
        ("session_expiry", (0,), 1),
        ("session_account_balance", (2,), 1),
        ("provider_index", (0,), 1),
        ("provider_account_balance", (1,), 1),
        ("operator_children", (0, 1), 1),
        ("evaluation", (), 1),
        ("l1_time", (), 1),
    ],
)
def test_one_input_changed_does_not(
    world: Genesis, circuit: CompiledCircuit, name: str, at: tuple[int, ...], add: int
) -> None:
    inputs = copy.deepcopy(circuit_inputs(built(world, BATCHES["one agent twice"]), 7))
    if at:
        row = inputs[name]
        for index in at[:-1]:
            row = row[index]
        row[at[-1]] += add
    else:
        inputs[name] += add
    assert check(circuit, circuit.witness(inputs)) is not None
