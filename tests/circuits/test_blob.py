"""The evaluation of a blob's polynomial in a circuit: honest words, edges, lies, counts, and a proof."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

from aitbc_rollup.algebra import bls12_381
from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import sponge
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import Violation, check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets.emulated import Element, from_halves
from aitbc_rollup.circuits.statements.batch.layout import Tag
from aitbc_rollup.circuits.statements.blob import FIELD, compile_blob, evaluate_blob
from aitbc_rollup.circuits.testing import survivors
from aitbc_rollup.prover.groth16 import prove_circuit
from aitbc_rollup.prover.setup import setup
from aitbc_rollup.verifier.groth16 import verify

MASK = (1 << 128) - 1


@cache
def compiled(n_words: int) -> CompiledCircuit:
    return compile_blob(n_words, limb_bits=8)


def halves(value: int) -> list[int]:
    return [value & MASK, value >> 128]


def assignment(words: list[int], z: int) -> dict[str, Any]:
    y = sum(word * pow(z, i, SCALAR_MODULUS) for i, word in enumerate(words)) % SCALAR_MODULUS
    return {"commitment": sponge(Tag.BATCH, words), "z": halves(z), "y": halves(y), "words": words}


def violation(inputs: dict[str, Any]) -> Violation | None:
    circuit = compiled(len(inputs["words"]))
    return check(circuit, circuit.witness(inputs))


def test_the_field_is_that_of_the_consensus_specification() -> None:
    """consensus-specs v1.5, deneb/polynomial-commitments: BLS_MODULUS, PRIMITIVE_ROOT_OF_UNITY."""
    assert SCALAR_MODULUS == 52435875175126190479447740508185965837690552500527637822603658699938581184513
    assert R < SCALAR_MODULUS
    root = bls12_381.root_of_unity(1 << 32)
    assert pow(root, 1 << 31, SCALAR_MODULUS) == SCALAR_MODULUS - 1
    with pytest.raises(ValueError, match="no root of unity"):
        bls12_381.root_of_unity(1 << 33)


@pytest.mark.parametrize("n_words", [1, 2, 3, 4, 10, 17])
def test_any_number_of_words(n_words: int) -> None:
    """Full steps, a partial one, none but one."""
    generator = random.Random(n_words)
    words = [generator.randrange(R) for _ in range(n_words)]
    assert violation(assignment(words, generator.randrange(SCALAR_MODULUS))) is None


@pytest.mark.parametrize("z", [0, 1, SCALAR_MODULUS - 1, SCALAR_MODULUS, (1 << 256) - 1])
@pytest.mark.parametrize("word", [0, 1, R - 1])
def test_edges(word: int, z: int) -> None:
    assert violation(assignment([word] * 10, z)) is None


def test_one_thing_wrong_is_refused() -> None:
    words = [random.Random(3).randrange(R) for _ in range(10)]
    honest = assignment(words, 123 << 200)
    y = honest["y"][0] + (honest["y"][1] << 128)
    message = "not the value of these words at z"
    for forged in (y + 1, y + SCALAR_MODULUS):
        found = violation(honest | {"y": halves(forged)})
        assert found is not None and found.message == message
    other = violation(honest | {"z": halves(123 << 199)})
    assert other is not None and other.message == message
    committed = violation(honest | {"words": [*words[:-1], (words[-1] + 1) % R]})
    assert committed is not None and committed.message == "not the commitment of these words"
    assert violation(honest | {"z": [(123 << 200 & MASK) + (1 << 128), honest["z"][1] - 1]}) is not None


def test_a_word_is_below_r_though_the_blob_s_field_is_larger() -> None:
    """word and word + r are one word of the circuit and two of the blob; only the first has a y."""
    words = [5, 7, 11, 13]
    z = 1 << 100
    aliased = assignment(words, z)["y"]
    assert violation(assignment(words, z)) is None
    for i in range(4):
        y = sum((word + R * (i == j)) * pow(z, j, SCALAR_MODULUS) for j, word in enumerate(words)) % SCALAR_MODULUS
        assert halves(y) != aliased
        assert violation(assignment(words, z) | {"y": halves(y)}) is not None


def test_no_lie_survives() -> None:
    circuit = compiled(4)
    inputs = assignment([R - 1, 1 << 200, 3, R - 5], SCALAR_MODULUS - 7)
    assert circuit.r1cs.commitment is not None
    free = circuit.wire_name(circuit.r1cs.commitment.mask)
    # Digits of a word may be chosen where two choices make one integer (see the gadget's tests).
    found = {survivor.wire for survivor in survivors(circuit, inputs, max_lies=60)}
    assert [wire for wire in found if wire != free and ".from_native" not in wire] == []


def mixed(known: bool) -> CompiledCircuit:
    """Five words, the third a constant; of the first two the ranges are known, or not."""
    circuit = Circuit(limb_bits=11)
    small, middle, *others = circuit.private_inputs("words", 4)
    if known:
        small, middle = small.within(0, 255), middle.within(0, (1 << 40) - 1)
    z = from_halves(circuit, *circuit.public_inputs("z", 2), field=FIELD)
    words = [small, middle, circuit.constant(3), *others]
    for name, half in evaluate_blob(circuit, words, z)._asdict().items():
        circuit.public_output(name, half)
    return circuit.compile()


def test_words_of_known_ranges_cost_less() -> None:
    """In a batch's circuit most words are packed of fields; unused room is constant."""
    values, point = [7, (1 << 40) - 1, 3, R - 2, R - 1], SCALAR_MODULUS - 2
    inputs = {"words": [*values[:2], *values[3:]], "z": halves(point)}
    for known in (True, False):
        circuit = mixed(known)
        witness = circuit.witness(inputs)
        assert check(circuit, witness) is None
        assert circuit.public_inputs(witness)[:2] == assignment(values, point)["y"]
    # One digit and four instead of twenty-five each.
    assert mixed(False).r1cs.n_constraints - mixed(True).r1cs.n_constraints >= 45


@pytest.mark.parametrize("n_words", [0, 4097])
def test_too_many_words_and_none(n_words: int) -> None:
    with pytest.raises(ValueError, match="1 to 4096 words"):
        compile_blob(n_words)
    with pytest.raises(ValueError, match="at least one word"):
        evaluate_blob(Circuit(), [], Element([Circuit().constant(0)]))


def test_a_blob_proven_and_verified() -> None:
    circuit = compiled(4)
    inputs = assignment([R - 1, 2, 3, 4], 1 << 250)
    key = setup(circuit.r1cs)
    proof, public = prove_circuit(key, circuit, inputs)
    assert public == [inputs["commitment"], *inputs["z"], *inputs["y"]]
    assert verify(key.verifying_key, public, proof)
    assert not verify(key.verifying_key, [*public[:-1], public[-1] + 1], proof)
