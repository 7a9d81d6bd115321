"""Poseidon in circuits: equal to the kernel, one witness only, constraint counts, short rows."""

from __future__ import annotations

import pytest

from aitbc_rollup.algebra import poseidon as native
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import poseidon
from aitbc_rollup.circuits.testing import survivors

#: Constraints of Poseidon(1) … Poseidon(16) with capacity 0.
COUNTS = (213, 240, 261, 297, 321, 354, 381, 402, 417, 459, 465, 504, 543, 537, 573, 609)


def compiled(n_inputs: int, n_outputs: int, initial_state: bool = False) -> CompiledCircuit:
    circuit = Circuit()
    inputs = circuit.private_inputs("x", n_inputs)
    state = circuit.private_input("state") if initial_state else 0
    for i, value in enumerate(poseidon.poseidon_ex(circuit, inputs, n_outputs, state)):
        circuit.public_output(f"out{i}", value)
    return circuit.compile()


@pytest.mark.parametrize("n", range(1, 17))
def test_every_width_equals_the_kernel(n: int) -> None:
    circuit = compiled(n, n + 1, initial_state=True)
    for inputs, state in [([0] * n, 0), ([R - 1] * n, R - 1), ([7**i for i in range(n)], 5)]:
        witness = circuit.witness({"x": inputs, "state": state})
        assert check(circuit, witness) is None
        assert circuit.public_inputs(witness) == native.poseidon_ex(inputs, n + 1, state)


@pytest.mark.parametrize("n", range(1, 17))
def test_counts(n: int) -> None:
    circuit = Circuit()
    inputs = circuit.private_inputs("x", n)
    output = poseidon.poseidon(circuit, inputs)
    assert output.wire is not None, "the hash is a wire, which costs nothing to use"
    assert circuit.n_constraints == COUNTS[n - 1] == poseidon.n_constraints(n)


def test_constant_inputs_are_cheaper_and_the_same() -> None:
    circuit = Circuit()
    x = circuit.private_inputs("x", 2)
    circuit.public_output("hash", poseidon.poseidon(circuit, [3, *x, 0]))
    assert circuit.n_constraints - 1 == poseidon.n_constraints(4, n_constants=3) == 297 - 6
    built = circuit.compile()
    witness = built.witness({"x": [10, 20]})
    assert check(built, witness) is None
    assert built.public_inputs(witness) == [native.poseidon([3, 10, 20, 0])]


def test_rows_stay_short() -> None:
    """Non-zeros of all three matrices, held so that a change shows."""
    entries = {n: compiled(n, 1).r1cs.n_entries for n in (2, 4, 16)}
    assert entries == {2: 3191, 4: 4390, 16: 14814}


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 33])
def test_sponge_equals_the_protocol(n: int) -> None:
    circuit = Circuit()
    words = circuit.private_inputs("x", n) if n else []
    circuit.private_input("unused")
    circuit.public_output("hash", poseidon.sponge(circuit, 5, words))
    padding = -n % 16
    blocks = (n + padding) // 16
    assert circuit.n_constraints - 1 == (612 * blocks - 3 - 3 * padding if blocks else 0)
    built = circuit.compile()
    values = [R - 1 - i for i in range(n)]
    witness = built.witness({"unused": 0} | ({"x": values} if n else {}))
    assert check(built, witness) is None
    assert built.public_inputs(witness) == [native.sponge(5, values)]


@pytest.mark.parametrize(("n", "values"), [(1, [0]), (2, [5, 6]), (4, [R - 1, 0, 1, 2])])
def test_no_other_witness(n: int, values: list[int]) -> None:
    circuit = compiled(n, n + 1, initial_state=True)
    assert survivors(circuit, {"x": values, "state": 9}) == []


def test_another_output_is_refused() -> None:
    circuit = compiled(2, 1)
    witness = circuit.witness({"x": [1, 2]})
    assert from_limbs(witness[1]) == [native.poseidon([1, 2])]
    witness[1, 0] ^= 1
    violation = check(circuit, witness)
    assert violation is not None and violation.n_violations == 1


@pytest.mark.parametrize(("n_inputs", "n_outputs"), [(0, 1), (17, 1), (2, 0), (2, 4)])
def test_refuses(n_inputs: int, n_outputs: int) -> None:
    with pytest.raises(ValueError, match="takes 1 to 16 inputs"):
        poseidon.poseidon_ex(Circuit(), [1] * n_inputs, n_outputs)
