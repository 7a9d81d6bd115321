"""Verification of proofs with a commitment, completed from known secrets (``trapdoor``), and of others."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from eth_hash.auto import keccak
from test_verifier_groth16 import TWIST_POINT_OUTSIDE_G2
from trapdoor import Trapdoor, g1

from aitbc_rollup.algebra.bn254 import G1_GENERATOR, P, R
from aitbc_rollup.algebra.reference import poseidon as plain_poseidon
from aitbc_rollup.algebra.reference.curve import g1_add, g1_neg, g2_neg
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier import formats, transcript
from aitbc_rollup.verifier.groth16 import check_key, verify
from aitbc_rollup.verifier.strict_json import parse_json
from aitbc_rollup.verifier.types import ChallengeHash, CommitmentKey, Proof, VerifyingKey

INPUTS = [100, R - 1]
WORLDS: dict[ChallengeHash, Trapdoor] = {
    "keccak": Trapdoor("commitment", inputs=2, hash="keccak"),
    "poseidon": Trapdoor("commitment for recursion", inputs=2, hash="poseidon"),
}
WORLD = WORLDS["keccak"]
KEY, PROOF = WORLD.key, WORLD.prove(INPUTS)
PLAIN = Trapdoor("verifier", inputs=2, development=False)


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> Trapdoor:
    return WORLDS[request.param]


# -- transcript -----------------------------------------------------------------------------------------------


def test_the_challenge_is_the_hash_that_the_specification_spells_out() -> None:
    data = b"aitbc-rollup/challenge/v1" + b"".join(x.to_bytes(32, "big") for x in (1, 2, 3, 4))
    assert transcript.challenge("keccak", (1, 2), [3, 4]) == int.from_bytes(keccak(data), "big") % R
    x, y = 5 << 128 | 6, 7 << 128 | 8
    expected = plain_poseidon.sponge(int.from_bytes(b"bsb22/v1", "big"), [6, 5, 8, 7, 9])
    assert transcript.challenge("poseidon", (x, y), [9]) == expected
    data = b"aitbc-rollup/knowledge/v1" + b"".join(word.to_bytes(32, "big") for word in [*PROOF.words, 9])
    assert len(PROOF.words) == 12
    assert transcript.knowledge_factor(PROOF, 9) == 1 + int.from_bytes(keccak(data)[16:], "big")


@pytest.mark.parametrize("kind", WORLDS)
def test_the_challenge_hangs_on_everything_hashed(kind: ChallengeHash) -> None:
    drawn = {
        transcript.challenge(kind, (x, y), inputs)
        for x, y, inputs in (
            (1, 2, [3, 4]), (2, 1, [3, 4]), (1, 3, [3, 4]), (1 << 128, 2, [3, 4]), (1, 2, [4, 3]), (1, 2, [3]),
            (1, 2, [3, 4, 0]), (1, 2, []),
        )
    }  # fmt: skip
    assert len(drawn) == 8 and all(0 <= c < R for c in drawn)


def test_the_factor_hangs_on_every_word_of_the_proof_and_on_the_challenge() -> None:
    """CVE-2024-45039 (GHSA-q3hw-3gm4-w5cr) began with a hash that left something out."""
    words = PROOF.words
    drawn = {transcript.knowledge_factor(PROOF, 1), transcript.knowledge_factor(PROOF, 2)}
    for i in range(12):
        changed = [*words[:i], words[i] + 1, *words[i + 1 :]]
        ax, ay, x1, x0, y1, y0, cx, cy, dx, dy, kx, ky = changed
        proof = Proof((ax, ay), ((x0, x1), (y0, y1)), (cx, cy), (dx, dy), (kx, ky))
        drawn.add(transcript.knowledge_factor(proof, 1))
    assert len(drawn) == 14 and all(1 <= rho <= 1 << 128 for rho in drawn)


# -- verification ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", [False, True], ids=["kernels", "reference"])
def test_a_proof_with_a_commitment_verifies_for_its_inputs_alone(world: Trapdoor, reference: bool) -> None:
    proof = world.prove(INPUTS)
    assert world.key.n_public == 2 and len(world.key.ic) == 4
    assert verify(world.key, INPUTS, proof, reference=reference) is True
    assert verify(world.key, INPUTS[::-1], proof, reference=reference) is False
    assert verify(world.key, [INPUTS[0] + 1, INPUTS[1]], proof) is False


def test_both_equations_hold_by_themselves_where_the_merged_one_does() -> None:
    from aitbc_rollup.algebra.pairing import pairing_check

    assert KEY.commitment is not None
    assert pairing_check([(PROOF.commitment, KEY.commitment.kappa_g2), (g1_neg(PROOF.knowledge), KEY.gamma_g2)])


def test_the_challenge_is_no_input() -> None:
    """Passed in by the caller, the verifier's own value or another, it is one input too many."""
    assert PROOF.commitment is not None
    for challenge in (transcript.challenge("keccak", PROOF.commitment, INPUTS), 5):
        proof = WORLD.prove(INPUTS, challenge=challenge)
        assert verify(KEY, [*INPUTS, challenge], proof) is False


def test_a_challenge_of_the_provers_choice_is_refused(world: Trapdoor) -> None:
    assert not verify(world.key, INPUTS, world.prove(INPUTS, challenge=7))


@pytest.mark.parametrize("reference", [False, True], ids=["kernels", "reference"])
def test_knowledge_of_the_commitment_is_checked(world: Trapdoor, reference: bool) -> None:
    """Without it, D could hold public wires' points, or make up for anything: a proof for any inputs."""
    assert not verify(world.key, INPUTS, world.prove(INPUTS, sigma=1), reference=reference)
    for sigma in (world.secret("sigma") + 1, R - world.secret("sigma")):
        assert not verify(world.key, INPUTS, world.prove(INPUTS, sigma=sigma))


@pytest.mark.parametrize("element", ["a", "b", "c", "commitment", "knowledge"])
def test_each_element_of_the_proof_is_bound(element: str) -> None:
    good: Any = getattr(PROOF, element)
    other: Any = getattr(WORLD.prove(INPUTS, blinding="another"), element)
    changes = [other, None, g2_neg(good) if element == "b" else g1_neg(good)]
    if element != "b":
        changes.append(g1_add(good, G1_GENERATOR))
    for change in changes:
        assert verify(KEY, INPUTS, replace(PROOF, **{element: change})) is False


def test_a_commitment_and_its_proof_belong_together() -> None:
    other = WORLD.prove(INPUTS, blinding="another")
    assert verify(KEY, INPUTS, other)
    swapped = replace(PROOF, commitment=PROOF.knowledge, knowledge=PROOF.commitment)
    moved = replace(PROOF, commitment=other.commitment, knowledge=other.knowledge)
    assert not verify(KEY, INPUTS, swapped) and not verify(KEY, INPUTS, moved)


def test_an_empty_commitment_is_refused() -> None:
    """D = PoK = 0 satisfies both equations; with its mask no commitment is 0 (CVE-2024-45040, GHSA-9xcg-3q8v-7fq6)."""
    assert not verify(KEY, INPUTS, WORLD.prove(INPUTS, d=0))
    assert WORLD.prove(INPUTS, d=0).commitment is None


def test_errors_in_both_equations_do_not_cancel() -> None:
    """Without ρ, C could take off what PoK is wrong by: here for ρ = 1 and for every factor the prover might guess."""
    wrong = replace(PROOF, knowledge=g1_add(PROOF.knowledge, G1_GENERATOR))
    over_delta = WORLD.secret("gamma") * pow(WORLD.secret("delta"), -1, R)
    assert PROOF.commitment is not None
    known = transcript.knowledge_factor(wrong, transcript.challenge("keccak", PROOF.commitment, INPUTS))
    for guess in (1, known, known + 1):
        assert not verify(KEY, INPUTS, replace(wrong, c=g1_add(PROOF.c, g1(guess * over_delta))))


def test_a_proof_without_commitment_is_none_for_a_key_with_one_and_the_reverse() -> None:
    plain = PLAIN.prove(INPUTS)
    assert verify(PLAIN.key, INPUTS, plain)
    assert not verify(KEY, INPUTS, plain)
    assert not verify(KEY, INPUTS, replace(PROOF, commitment=None, knowledge=None))
    assert not verify(PLAIN.key, INPUTS, replace(plain, commitment=PROOF.commitment, knowledge=PROOF.knowledge))
    assert not verify(PLAIN.key, INPUTS, replace(plain, knowledge=PROOF.knowledge))
    assert not verify(replace(KEY, commitment=None), [*INPUTS, 0], plain)


@pytest.mark.parametrize("element", ["commitment", "knowledge"])
@pytest.mark.parametrize("point", [(1, 3), (0, 0), (1 + P, 2), (1,), [1, 2], ("1", "2"), 7, TWIST_POINT_OUTSIDE_G2])
def test_points_that_are_none_are_answered_false(element: str, point: Any) -> None:
    assert verify(KEY, INPUTS, replace(PROOF, **{element: point})) is False


def _with_kappa(point: Any, kind: Any = "keccak") -> VerifyingKey:
    return replace(KEY, commitment=CommitmentKey(point, kind))


def test_keys_with_a_bad_kappa_are_refused() -> None:
    """κ = ±γ would make PoK = ±D; κ = ±δ or ±β would let points of the key stand for σ·D."""
    for point in (None, TWIST_POINT_OUTSIDE_G2, ((0, 0), (0, 0)), 5):
        with pytest.raises(BadInputError, match="unusable verifying key") as caught:
            check_key(_with_kappa(point))
        assert caught.value.place == "kappa_g2"
    for name in ("beta_g2", "gamma_g2", "delta_g2"):
        for point in (getattr(KEY, name), g2_neg(getattr(KEY, name))):
            with pytest.raises(BadInputError, match="lets anyone forge") as caught:
                check_key(_with_kappa(point))
            assert (caught.value.place, caught.value.got) == ("kappa_g2", f"{name} up to sign")


def test_keys_with_an_unknown_hash_or_without_a_challenge_are_refused() -> None:
    assert KEY.commitment is not None
    for kind in ("sha256", "", None, ["keccak"]):
        with pytest.raises(BadInputError, match="unusable verifying key") as caught:
            check_key(_with_kappa(KEY.commitment.kappa_g2, kind))
        assert caught.value.place == "hash"
    check_key(replace(KEY, ic=KEY.ic[:2]), n_public=0)
    with pytest.raises(BadInputError, match="1 points"):
        check_key(replace(KEY, ic=KEY.ic[:1]))
    with pytest.raises(BadInputError, match=r"expected: 5, 2 more than the public inputs"):
        check_key(KEY, n_public=3)


# -- formats --------------------------------------------------------------------------------------------------


def test_documents_round_trip(world: Trapdoor) -> None:
    proof = world.prove(INPUTS)
    document = parse_json(json.dumps(formats.proof_to_json(proof)), "proof")
    assert list(document)[3:] == ["commitment", "commitment_pok", "protocol", "curve"]
    assert formats.proof_from_json(document) == proof
    document = parse_json(json.dumps(formats.verification_key_to_json(world.key)), "key")
    assert document["nPublic"] == 2 and len(document["IC_commitment"]) == 4 and "IC" not in document
    assert formats.verification_key_from_json(document) == world.key
    words = formats.proof_to_calldata(proof)
    assert len(words) == 12 and formats.proof_from_calldata(words) == proof


PROOF_CHANGES: dict[str, tuple[Any, str]] = {
    "no D": (lambda d: d.pop("commitment"), "a key is missing"),
    "no PoK": (lambda d: d.pop("commitment_pok"), "a key is missing"),
    "D is infinity": (lambda d: d.update(commitment=["0", "1", "0"]), "the point at infinity"),
    "PoK is infinity": (lambda d: d.update(commitment_pok=["0", "1", "0"]), "the point at infinity"),
    "D off the curve": (lambda d: d.update(commitment=["1", "3", "1"]), "not on the curve"),
    "D not canonical": (lambda d: d.update(commitment=[str(P + 1), "2", "1"]), "not a field element"),
    "said to be plain": (lambda d: d.update(protocol="groth16"), "a field of another protocol"),
    "a list of commitments": (lambda d: d.update(commitment=[d["commitment"]] * 2), "not a point of G1"),
}
KEY_CHANGES: dict[str, tuple[Any, str]] = {
    "no kappa": (lambda d: d.pop("vk_kappa_2"), "a key is missing"),
    "no hash": (lambda d: d.pop("challenge_hash"), "a key is missing"),
    "no points": (lambda d: d.pop("IC_commitment"), "a key is missing"),
    "another hash": (lambda d: d.update(challenge_hash="sha256"), "not a hash"),
    "a list of hashes": (lambda d: d.update(challenge_hash=["keccak"]), "not a hash"),
    "kappa is infinity": (lambda d: d.update(vk_kappa_2=[["0", "0"], ["1", "0"], ["0", "0"]]), "unusable verifying"),
    "kappa is gamma": (lambda d: d.update(vk_kappa_2=d["vk_gamma_2"]), "unusable verifying key"),
    "two kappas": (lambda d: d.update(vk_kappa_2=[d["vk_kappa_2"]] * 2), "not a point of G2"),
    "the challenge counted": (lambda d: d.update(nPublic=3), "unusable verifying key"),
    "said to be plain": (lambda d: d.update(protocol="groth16"), "a field of another protocol"),
}


@pytest.mark.parametrize(("change", "message"), PROOF_CHANGES.values(), ids=PROOF_CHANGES)
def test_malformed_proofs_are_refused(change: Any, message: str) -> None:
    document = copy.deepcopy(formats.proof_to_json(PROOF))
    change(document)
    with pytest.raises(BadInputError, match=message):
        formats.proof_from_json(document)


@pytest.mark.parametrize(("change", "message"), KEY_CHANGES.values(), ids=KEY_CHANGES)
def test_malformed_keys_are_refused(change: Any, message: str) -> None:
    """Among them a second commitment (CVE-2024-45039, GHSA-q3hw-3gm4-w5cr): no document can say one."""
    document = copy.deepcopy(formats.verification_key_to_json(KEY))
    change(document)
    with pytest.raises(BadInputError, match=message):
        formats.verification_key_from_json(document)


def test_a_plain_document_has_no_field_of_a_commitment() -> None:
    key = formats.verification_key_to_json(PLAIN.key)
    with pytest.raises(BadInputError, match="a field of another protocol"):
        formats.verification_key_from_json(key | {"challenge_hash": "keccak"})
    proof = formats.proof_to_json(PLAIN.prove(INPUTS))
    with pytest.raises(BadInputError, match="a field of another protocol"):
        formats.proof_from_json(proof | {"commitment_pok": ["1", "2", "1"]})


@pytest.mark.parametrize("at", [8, 10])
def test_calldata_with_an_empty_commitment_is_refused(at: int) -> None:
    words = PROOF.words
    words[at : at + 2] = [0, 0]
    with pytest.raises(BadInputError, match="the point at infinity"):
        formats.proof_from_calldata(words)
    with pytest.raises(BadInputError, match="8 or 12 words"):
        formats.proof_from_calldata(words[:10])


def test_documents_of_plain_keys_and_proofs_are_what_they_were() -> None:
    """Byte for byte what the release before the commitment wrote."""
    texts = [
        json.dumps(formats.verification_key_to_json(PLAIN.key)),
        json.dumps(formats.proof_to_json(PLAIN.prove(INPUTS))),
    ]
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    assert digest == "36c3ff78d671e968329a4cef404ba211f310b1cbf97c8a73f4c19f65e9ebc729"
