"""Proofs with a commitment: made, hidden, bound; and the ways around the commitment, each closed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from committed_world import (
    CHALLENGE,
    COMMITTED,
    FREE,
    MASK,
    ROWS,
    SYSTEM,
    Circuit,
    E,
    F,
    X,
    challenge_of_a_lie,
    changed,
    system,
    values,
    witness,
)

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs
from aitbc_rollup.algebra.reference.curve import G1Point, g1_add, g1_mul
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.formats.r1cs import decode_r1cs, encode_r1cs
from aitbc_rollup.circuits.r1cs import R1CS, Commitment
from aitbc_rollup.errors import BadInputError, InvalidError
from aitbc_rollup.prover.consistency import check_matrices, check_pairs
from aitbc_rollup.prover.engine import Engine, load_engine
from aitbc_rollup.prover.groth16 import prove, prove_circuit, public_inputs
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import _source, setup
from aitbc_rollup.verifier.groth16 import verify
from aitbc_rollup.verifier.transcript import challenge
from aitbc_rollup.verifier.types import ChallengeHash, Proof

CPU = load_engine("cpu")
INPUTS = {"x": 3, "y": 5, "swap": False}


@pytest.fixture(scope="module", params=["keccak", "poseidon"])
def key(request: pytest.FixtureRequest) -> ProvingKey:
    return setup(SYSTEM, challenge_hash=request.param, entropy=b"commitment", engine=CPU)


@pytest.fixture(scope="module")
def keccak_key() -> ProvingKey:
    return setup(SYSTEM, entropy=b"commitment", engine=CPU)


def kind(key: ProvingKey) -> ChallengeHash:
    assert key.commitment is not None
    return key.commitment.hash


def committed(key: ProvingKey, full: Limbs, engine: Engine = CPU) -> tuple[G1Point, G1Point]:
    d, pok = g1.from_array(np.stack(engine.load(key).commit(full[list(COMMITTED)])))
    return d, pok


def assemble(key: ProvingKey, full: Limbs, d: G1Point, pok: G1Point) -> Proof:
    """What a prover without scruples sends: A, B and C of this witness, unblinded, beside any D and PoK."""
    header, sums = key.header, CPU.load(key).sums(full)
    a = CPU.msm_g1(np.stack([header.alpha_g1, sums.a]), to_limbs([1, 1]))
    b = CPU.msm_g2(np.stack([header.beta_g2, sums.b_g2]), to_limbs([1, 1]))
    c = CPU.msm_g1(np.stack([sums.c, sums.h]), to_limbs([1, 1]))
    (first, third), (second,) = g1.from_array(np.stack([a, c])), g2.from_array(b.reshape(1, -1))
    return Proof(first, second, third, d, pok)


class Honest(NamedTuple):
    full: Limbs
    d: G1Point
    pok: G1Point


def honest(key: ProvingKey, mask: int = 77) -> Honest:
    draft = witness(challenge=0, mask=mask)
    d, pok = committed(key, draft)
    return Honest(witness(challenge=challenge(kind(key), d, public_inputs(key, draft)), mask=mask), d, pok)


# -- honest proofs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["cpu", "reference"])
@pytest.mark.parametrize("swap", [False, True])
def test_a_circuit_is_proven(key: ProvingKey, engine: str, swap: bool) -> None:
    proof, public = prove_circuit(key, Circuit(), INPUTS | {"swap": swap}, engine=load_engine(engine))
    assert public == [3, 5, 11 if swap else 13]
    assert verify(key.verifying_key, public, proof)
    assert not verify(key.verifying_key, [3, 5, 12], proof)


def test_a_witness_is_proven_as_it_is(key: ProvingKey) -> None:
    full = honest(key).full
    assert public_inputs(key, full) == [3, 5, 13]
    assert verify(key.verifying_key, [3, 5, 13], prove(key, full, engine=CPU))
    assert prove(key, full, engine=CPU).commitment == honest(key).d


def test_a_circuit_without_commitment_is_proven_the_same_way(small: tuple[R1CS, Limbs], small_key: ProvingKey) -> None:
    class Plain:
        r1cs = small[0]

        def begin(self, assignment: Any) -> Any:
            return self

        def finish(self, challenge: int) -> Limbs:
            assert challenge == 0
            return small[1]

    proof, public = prove_circuit(small_key, Plain(), {}, engine=CPU)
    assert verify(small_key.verifying_key, public, proof) and not proof.is_committed
    for circuit, pk in ((Plain(), setup(SYSTEM, engine=CPU)), (Circuit(), small_key)):
        with pytest.raises(BadInputError, match="the key commits to other wires than the circuit"):
            prove_circuit(pk, circuit, INPUTS, engine=CPU)


def test_every_point_of_the_commitment_is_what_the_specification_says(key: ProvingKey) -> None:
    """Against the same system's key without a commitment: K = δ/γ times the committed wires' points in C."""
    plain = setup(replace(SYSTEM, commitment=None), entropy=b"commitment", engine=CPU)
    assert (key.ic == plain.ic).all() and key.commitment is not None
    draw = _source(b"commitment")
    _, _, _, delta, sigma = (draw() for _ in range(5))
    private = range(CHALLENGE + 1, SYSTEM.n_wires)
    c_points = dict(zip(private, g1.from_array(plain.arrays.c_query), strict=True))
    ours = dict(zip(private, g1.from_array(key.arrays.c_query), strict=True))
    assert all(ours[wire] == (None if wire in COMMITTED else c_points[wire]) for wire in private)
    k_points = g1.from_array(key.arrays.committed_query)
    assert k_points == [g1_mul(c_points[wire], delta) for wire in COMMITTED]
    assert g1.from_array(key.arrays.knowledge_query) == [g1_mul(point, sigma) for point in k_points]
    vk = key.verifying_key
    assert vk.commitment is not None
    assert (vk.commitment.kappa_g2,) == tuple(g2.from_array(CPU.fixed_base_g2(to_limbs([sigma]))))
    assert vk.n_public == key.n_inputs == 3 and key.n_public == 4


def test_progress_names_the_commitment(keccak_key: ProvingKey) -> None:
    seen: list[str] = []
    prove_circuit(keccak_key, Circuit(), INPUTS, engine=CPU, progress=lambda stage, done: seen.append(stage))
    assert seen[:4] == ["key", "witness", "commitment", "constraints"] and seen[-1] == "done"


# -- CVE-2024-45040, GHSA-9xcg-3q8v-7fq6: a commitment must hide --------------------------------------------------


def test_cve_2024_45040_two_proofs_of_one_statement_share_no_element(keccak_key: ProvingKey) -> None:
    first, second = (prove_circuit(keccak_key, Circuit(), INPUTS, engine=CPU)[0] for _ in range(2))
    for name in ("a", "b", "c", "commitment", "knowledge"):
        assert getattr(first, name) != getattr(second, name)


def test_cve_2024_45040_the_committed_values_cannot_be_searched_for(keccak_key: ProvingKey) -> None:
    """The attack on gnark before 0.11: try every small value, and look whether its commitment is the proof's."""
    k_points = g1.from_array(keccak_key.arrays.committed_query)

    def found(target: G1Point) -> list[tuple[int, int]]:
        tries = [(e, f) for e in range(8) for f in range(8)]
        return [(e, f) for e, f in tries if g1_add(g1_mul(k_points[0], e), g1_mul(k_points[1], f)) == target]

    proof, _ = prove_circuit(keccak_key, Circuit(), INPUTS, engine=CPU)
    assert found(proof.commitment) == []
    assert found(committed(keccak_key, witness(challenge=0, mask=0))[0]) == [(3, 5)], "without a mask it would be"


def test_cve_2024_45040_a_mask_of_zero_is_refused(keccak_key: ProvingKey) -> None:
    with pytest.raises(BadInputError, match="the mask is 0") as caught:
        prove(keccak_key, honest(keccak_key, mask=0).full, engine=CPU)
    assert caught.value.place == f"witness, wire {MASK}"


def rows_with(*changed: tuple[dict[int, int], ...]) -> R1CS:
    return system((*ROWS[:-1], *changed))


@pytest.mark.parametrize(
    "other",
    [
        rows_with(),
        rows_with(({MASK: 0}, {}, {})),
        rows_with(({MASK: 1}, {X: 1}, {})),
        rows_with(({MASK: 1}, {}, {X: 1})),
        rows_with(({MASK: 1, X: 1}, {}, {})),
        rows_with(({}, {MASK: 1}, {})),
        rows_with(({MASK: 1}, {}, {}), ({MASK: 1}, {}, {})),
        rows_with(({MASK: 1}, {}, {}), ({X: 1}, {MASK: 1}, {})),
        rows_with(({MASK: 1}, {}, {}), ({X: 1}, {X: 1}, {MASK: 1})),
    ],
    ids=["none", "zero", "times x", "equals x", "not alone", "in B", "twice", "in B too", "in C too"],
)
def test_cve_2024_45040_a_system_whose_mask_hides_nothing_gets_no_key(other: R1CS) -> None:
    """A mask in no constraint has infinity for its point; one in others is not free to be drawn."""
    with pytest.raises(BadInputError, match=r"the mask, wire 7, is not in the constraint mask · 0 = 0 alone"):
        setup(other, engine=CPU)


# -- CVE-2024-45039, GHSA-q3hw-3gm4-w5cr: the prover must not choose a challenge ----------------------------------


def test_cve_2024_45039_a_challenge_chosen_after_the_commitment_proves_nothing(key: ProvingKey) -> None:
    """z = 100 comes of no order of 3 and 5, but at one challenge the product says so."""
    e, f = 90, 5
    forged = to_limbs(values(3, 5, 100, e, f, challenge_of_a_lie(3, 5, e, f), 77))
    assert check(SYSTEM, forged) is None, "every constraint holds"
    with pytest.raises(BadInputError, match="the challenge is not the hash of commitment and public inputs") as caught:
        prove(key, forged, engine=CPU)
    assert caught.value.place == f"witness, wire {CHALLENGE}"
    proof = assemble(key, forged, *committed(key, forged))
    assert not verify(key.verifying_key, [3, 5, 100], proof)
    assert not verify(key.verifying_key, [3, 5, 100, from_limbs(forged)[CHALLENGE]], proof)


def test_cve_2024_45039_the_same_lie_verifies_where_the_caller_passes_the_challenge_in() -> None:
    """So the tests here look at a lie that the commitment alone stops."""
    plain = setup(replace(SYSTEM, commitment=None), engine=CPU)
    forged = to_limbs(values(3, 5, 100, 90, 5, challenge_of_a_lie(3, 5, 90, 5), 77))
    assert verify(plain.verifying_key, public_inputs(plain, forged), prove(plain, forged, engine=CPU))


def test_cve_2024_45039_no_system_says_two_commitments() -> None:
    """Of several, gnark's prover could choose all but the last: here there is one, by the shape of every type."""
    data = encode_r1cs(SYSTEM)
    section = data[data.index(b"\x7c\xa1\x00\x00") :]
    twice = data[:8] + (int.from_bytes(data[8:12], "little") + 1).to_bytes(4, "little") + data[12:] + section
    with pytest.raises(BadInputError, match=r"section 41340 \(commitment\) is there twice"):
        decode_r1cs(twice)


# -- other ways around ------------------------------------------------------------------------------------------


def test_unblinded_proofs_of_an_honest_witness_verify(key: ProvingKey) -> None:
    """So what is refused below is refused for what was changed."""
    full, d, pok = honest(key)
    assert verify(key.verifying_key, [3, 5, 13], assemble(key, full, d, pok))


@pytest.mark.parametrize("wire", [E, F, MASK])
def test_a_commitment_to_other_values_than_the_witness_is_refused(key: ProvingKey, wire: int) -> None:
    full, _, _ = honest(key)
    d, pok = committed(key, changed(full, wire, from_limbs(full)[wire] + 1))
    redrawn = witness(challenge=challenge(kind(key), d, [3, 5, 13]), mask=77)
    assert not verify(key.verifying_key, [3, 5, 13], assemble(key, redrawn, d, pok))


def test_a_commitment_may_not_hold_a_public_wires_point(key: ProvingKey) -> None:
    """D + t·IC_x satisfies the first equation for x − t, but nobody can prove knowledge of it: σ·IC_x is secret."""
    t = 2
    draft = witness(challenge=0, mask=77)
    d, pok = committed(key, draft)
    moved = g1_add(d, g1_mul(key.verifying_key.ic[X], t))
    claimed = [3 - t, 5, 13]
    full = witness(challenge=challenge(kind(key), moved, claimed), mask=77)
    forged = assemble(key, full, moved, pok)
    assert not verify(key.verifying_key, claimed, forged)
    draw = _source(b"commitment")
    sigma = [draw() for _ in range(5)][4]
    with_sigma = replace(forged, knowledge=g1_mul(moved, sigma))
    assert verify(key.verifying_key, claimed, with_sigma), "whoever kept σ could"


def test_a_commitment_may_not_hold_other_private_wires_points(key: ProvingKey) -> None:
    """A private wire taken out of C and into D, γ/δ apart, is bound by the proof of knowledge in the same way."""
    full, d, pok = honest(key)
    proof = assemble(key, full, d, pok)
    free = g1.from_array(key.arrays.c_query)[FREE - CHALLENGE - 1]
    assert free is not None
    assert not verify(key.verifying_key, [3, 5, 13], replace(proof, commitment=g1_add(d, free)))


def test_a_proof_of_another_commitment_is_refused(key: ProvingKey) -> None:
    one, two = honest(key, mask=77), honest(key, mask=78)
    assert not verify(key.verifying_key, [3, 5, 13], assemble(key, one.full, two.d, two.pok))
    assert not verify(key.verifying_key, [3, 5, 13], assemble(key, one.full, one.d, two.pok))
    assert not verify(key.verifying_key, [3, 5, 13], assemble(key, one.full, None, None))


def test_any_wrong_wire_is_refused(key: ProvingKey) -> None:
    full = honest(key).full
    for wire in range(1, SYSTEM.n_wires):
        with pytest.raises((InvalidError, BadInputError)):
            prove(key, changed(full, wire, from_limbs(full)[wire] + 1), engine=CPU)


def test_a_lie_is_not_handed_out_by_the_circuits_prover_either(key: ProvingKey) -> None:
    with pytest.raises(InvalidError, match="does not verify"):
        prove_circuit(key, Circuit(), {"x": 3, "y": 5, "pair": (90, 5)}, engine=CPU)


# -- systems and keys -------------------------------------------------------------------------------------------


def test_a_system_with_a_commitment_comes_back_from_its_file() -> None:
    found = decode_r1cs(encode_r1cs(SYSTEM)).r1cs
    assert found.structure_hash == SYSTEM.structure_hash
    assert found.commitment is not None and found.commitment.mask == MASK
    assert found.commitment.wires.tolist() == list(COMMITTED)
    plain = replace(SYSTEM, commitment=None)
    assert decode_r1cs(encode_r1cs(plain)).r1cs.commitment is None
    assert len(encode_r1cs(SYSTEM)) == len(encode_r1cs(plain)) + 12 + 8 + 4 * len(COMMITTED)


WRONG = {
    "a public wire": ((CHALLENGE, E, F, MASK), MASK, "is not private"),
    "the constant": ((0, E, MASK), MASK, "is not private"),
    "no such wire": ((E, MASK, 10), MASK, "is not private"),
    "twice": ((E, E, MASK), MASK, "not in increasing order"),
    "backwards": ((F, E, MASK), MASK, "not in increasing order"),
    "none": ((), MASK, "the committed wires are none"),
    "no mask": ((E, F), MASK, "the mask, wire 7, is not committed"),
}


@pytest.mark.parametrize(("wires", "mask", "message"), WRONG.values(), ids=WRONG)
def test_a_commitment_to_wrong_wires_is_refused(wires: tuple[int, ...], mask: int, message: str) -> None:
    bad = system(commitment=Commitment(np.array(wires, np.uint32), mask))
    with pytest.raises(BadInputError, match=message):
        setup(bad, engine=CPU)
    with pytest.raises(BadInputError, match=message):
        decode_r1cs(encode_r1cs(bad), "bad.r1cs")


def test_a_system_without_a_public_wire_has_no_challenge() -> None:
    bad = replace(system(), n_public_inputs=0)
    with pytest.raises(BadInputError, match="no public wire for the challenge"):
        setup(bad, engine=CPU)
    with pytest.raises(BadInputError, match="no public wire for the challenge"):
        decode_r1cs(encode_r1cs(bad))


@pytest.mark.parametrize("count", [0, 2, 4, 1 << 31, (1 << 32) - 1])
def test_cve_2024_50354_a_count_of_wires_takes_no_memory(count: int) -> None:
    """GHSA-cph5-3pgr-c82g, of keys: gnark made the array before it looked whether the file had it."""
    data = encode_r1cs(SYSTEM)
    at = data.index(b"\x7c\xa1\x00\x00") + 16
    assert data[at : at + 4] == len(COMMITTED).to_bytes(4, "little")
    with pytest.raises(BadInputError, match=r"section 41340 \(commitment\)"):
        decode_r1cs(data[:at] + count.to_bytes(4, "little") + data[at + 4 :])


def test_a_key_is_known_to_be_a_systems_by_its_commitment_too(keccak_key: ProvingKey) -> None:
    check_matrices(keccak_key, SYSTEM)
    check_pairs(keccak_key)
    fewer = system(commitment=Commitment(np.array([E, MASK], np.uint32), MASK))
    for other in (fewer, replace(SYSTEM, commitment=None)):
        with pytest.raises(InvalidError, match="made for another circuit") as caught:
            check_matrices(keccak_key, other)
        assert caught.value.expected == "the system's committed wires"


def test_a_key_whose_points_hold_another_sigma_is_found(keccak_key: ProvingKey) -> None:
    points = keccak_key.arrays.knowledge_query.copy()
    points[0] = points[1]
    spoiled = replace(keccak_key, body=keccak_key.arrays._replace(knowledge_query=points))
    with pytest.raises(InvalidError, match="σ in G1 and in G2 are not the same"):
        check_pairs(spoiled)
