"""Compiled circuits with lookups, proven: what the compiler commits to, the prover commits to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.buses import range_table
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.errors import InvalidError
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.groth16 import WitnessRun, prove_circuit
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup
from aitbc_rollup.verifier.groth16 import verify

CPU = load_engine("cpu")
VALUES = [0, 7, 7, 255, 12]


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    """Knows bytes whose sum is the public one, with the product of all and a challenge's square for good measure."""
    circuit = Circuit("bytes")
    total = circuit.public_input("total")
    values = circuit.private_inputs("value", len(VALUES))
    for value in values:
        circuit.look_up(range_table(8), [value])
    circuit.assert_equal(circuit.sum(values), total)
    circuit.public_output("square", total * total)
    circuit.commit(values[:1])
    (drawn,) = circuit.challenge()
    circuit.assert_equal(circuit.multiply(drawn - values[0], drawn + values[0]), drawn * drawn - values[0] * values[0])
    return circuit.compile()


@pytest.fixture(scope="module", params=["keccak", "poseidon"])
def key(circuit: CompiledCircuit, request: pytest.FixtureRequest) -> ProvingKey:
    return setup(circuit.r1cs, challenge_hash=request.param, engine=CPU)


class Dishonest:
    """The circuit, with some wires' values overridden."""

    def __init__(self, circuit: CompiledCircuit, overrides: Mapping[int, int]) -> None:
        self.r1cs, self._circuit, self._overrides = circuit.r1cs, circuit, overrides

    def begin(self, assignment: Mapping[str, Any]) -> WitnessRun:
        return self._circuit.begin(assignment, overrides=self._overrides)


def test_a_circuit_with_lookups_is_proven(circuit: CompiledCircuit, key: ProvingKey) -> None:
    proof, public = prove_circuit(key, circuit, {"total": sum(VALUES), "value": VALUES}, engine=CPU)
    assert public == [sum(VALUES) ** 2, sum(VALUES)]
    assert verify(key.verifying_key, public, proof)


def test_the_witness_holds_with_any_challenge(circuit: CompiledCircuit) -> None:
    for challenge in (1, 2, R - 1):
        run = circuit.begin({"total": sum(VALUES), "value": VALUES})
        run.commitment_values(5)
        assert check(circuit.r1cs, run.finish(challenge)) is None


def test_what_is_committed_to_is_in_the_witness(circuit: CompiledCircuit, key: ProvingKey) -> None:
    assert circuit.r1cs.commitment is not None and key.commitment is not None
    assert np.array_equal(key.commitment.wires, circuit.r1cs.commitment.wires)
    run = circuit.begin({"total": sum(VALUES), "value": VALUES})
    values = run.commitment_values(99)
    witness = run.finish(3)
    assert np.array_equal(witness[key.commitment.wires], values)
    assert int(witness[key.commitment.mask, 0]) == 99


@pytest.mark.parametrize("value", [256, 300, R - 1])
def test_a_value_that_is_no_byte_is_not_proven(circuit: CompiledCircuit, key: ProvingKey, value: int) -> None:
    values = [value, *VALUES[1:]]
    with pytest.raises(InvalidError, match="does not verify"):
        prove_circuit(key, circuit, {"total": sum(values) % R, "value": values}, engine=CPU)


def test_a_wrong_count_of_lookups_is_not_proven(circuit: CompiledCircuit, key: ProvingKey) -> None:
    """Whatever committed wire that the witness computes is off by one: the argument is about all of them."""
    assert circuit.r1cs.commitment is not None
    assignment = {"total": sum(VALUES), "value": VALUES}
    honest = circuit.begin(assignment).finish(0)
    free = 1 + circuit.r1cs.n_public + circuit.r1cs.n_private_inputs
    computed = [int(w) for w in circuit.r1cs.commitment.wires if w >= free and w != circuit.r1cs.commitment.mask]
    for wire in computed[:: max(1, len(computed) // 4)]:
        override = {wire: int(honest[wire, 0]) + 1}
        with pytest.raises(InvalidError, match="does not verify"):
            prove_circuit(key, Dishonest(circuit, override), assignment, engine=CPU)
