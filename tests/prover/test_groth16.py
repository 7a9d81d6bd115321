"""Proofs: made, blinded, verified; and refused where the witness is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.errors import BadInputError, InvalidError
from aitbc_rollup.prover.engine import STAGES, load_engine
from aitbc_rollup.prover.groth16 import prove, public_inputs
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup
from aitbc_rollup.verifier.groth16 import verify

System = tuple[R1CS, Limbs]
CPU = load_engine("cpu")


def changed(witness: Limbs, wire: int, value: int) -> Limbs:
    other = witness.copy()
    other[wire] = to_limbs([value])[0]
    return other


def test_a_proof_verifies_for_its_inputs_and_no_others(small: System, small_key: ProvingKey) -> None:
    proof = prove(small_key, small[1], engine=CPU)
    public = public_inputs(small_key, small[1])
    assert public == from_limbs(small[1][1:3])
    assert verify(small_key.verifying_key, public, proof)
    for i in range(len(public)):
        wrong = [x + (i == j) for j, x in enumerate(public)]
        assert not verify(small_key.verifying_key, wrong, proof)
    assert not verify(small_key.verifying_key, public[::-1], proof)


def test_a_public_input_in_no_constraint_is_bound_all_the_same() -> None:
    circuit = Circuit()
    circuit.public_input("free")
    compiled = circuit.compile()
    key = setup(compiled.r1cs, engine=CPU)
    assert None not in key.verifying_key.ic
    proof = prove(key, compiled.witness({"free": 5}), engine=CPU)
    assert verify(key.verifying_key, [5], proof)
    assert not verify(key.verifying_key, [6], proof)


def test_a_medium_circuit(make_chain: Callable[[int], System]) -> None:
    r1cs, witness = make_chain(1000)
    key = setup(r1cs, engine=CPU)
    assert key.domain_size == 1024
    assert verify(key.verifying_key, public_inputs(key, witness), prove(key, witness, engine=CPU))


@pytest.mark.parametrize("steps", [0, 1])
def test_the_smallest_circuits(make_chain: Callable[[int], System], steps: int) -> None:
    r1cs, witness = make_chain(steps)
    key = setup(r1cs, engine=CPU)
    assert verify(key.verifying_key, public_inputs(key, witness), prove(key, witness, engine=CPU))


def test_the_reference_proves_and_agrees(small: System, small_key: ProvingKey) -> None:
    reference = load_engine("reference")
    ours, plain = (engine.load(small_key).sums(small[1]) for engine in (CPU, reference))
    for name, left, right in zip(ours._fields, ours, plain, strict=True):
        assert (left == right).all(), name
    proof = prove(small_key, small[1], engine=reference)
    assert verify(small_key.verifying_key, public_inputs(small_key, small[1]), proof)


def test_two_proofs_of_one_witness_differ_everywhere(small: System, small_key: ProvingKey) -> None:
    first, second = (prove(small_key, small[1], engine=CPU) for _ in range(2))
    assert first.a != second.a
    assert first.b != second.b
    assert first.c != second.c


def test_any_wrong_wire_is_refused(small: System, small_key: ProvingKey) -> None:
    r1cs, witness = small
    used = set(r1cs.a.wires) | set(r1cs.b.wires) | set(r1cs.c.wires)
    assert used - {0} == set(range(1, r1cs.n_wires)) - {4}, "wire 4 is the unused input"
    for wire in sorted(used - {0}):
        wrong = changed(witness, wire, (from_limbs(witness[wire : wire + 1])[0] + 1) % R)
        with pytest.raises(InvalidError, match="does not verify") as caught:
            prove(small_key, wrong, engine=CPU)
        assert "check the witness" in str(caught.value.hint)


def test_an_unconstrained_wire_is_free(small: System, small_key: ProvingKey) -> None:
    prove(small_key, changed(small[1], 4, R - 1), engine=CPU)


def test_the_key_of_another_circuit_is_refused(small: System, small_key: ProvingKey) -> None:
    r1cs, witness = small
    table = to_limbs((c + 1) % R for c in from_limbs(r1cs.table))
    other = setup(replace(r1cs, table=table), engine=CPU)
    with pytest.raises(InvalidError, match="does not verify"):
        prove(other, witness, engine=CPU)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w: w[:-1].copy(), "does not fit the key"),
        (lambda w: np.concatenate([w, w[:1]]), "does not fit the key"),
        (lambda w: w.astype(np.int64), "does not fit the key"),
        (lambda w: changed(w, 0, 2), "the constant wire is not 1"),
        (lambda w: changed(w, 5, R), "wire 5: the value is not below r"),
        (lambda w: changed(w, 5, (1 << 256) - 1), "wire 5: the value is not below r"),
    ],
)
def test_what_is_no_witness_is_refused(
    small: System, small_key: ProvingKey, spoil: Callable[[Limbs], Limbs], message: str
) -> None:
    with pytest.raises(BadInputError, match=message):
        prove(small_key, spoil(small[1]), engine=CPU)


def test_progress_names_each_stage_once_in_order(small: System, small_key: ProvingKey) -> None:
    seen: list[tuple[str, float]] = []
    prove(small_key, small[1], engine=CPU, progress=lambda stage, done: seen.append((stage, done)))
    assert [stage for stage, _ in seen] == ["key", *STAGES, "verify", "done"]
    shares = [done for _, done in seen]
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0
