"""The vectors of docs/spec/commitment.md: what their generator writes, and what they say."""

from __future__ import annotations

from typing import Any

import make_commitment_vectors
import pytest
from eth_hash.auto import keccak

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.reference import poseidon
from aitbc_rollup.verifier import formats
from aitbc_rollup.verifier.groth16 import verify
from aitbc_rollup.verifier.strict_json import parse_json


@pytest.fixture(scope="module")
def document() -> Any:
    return parse_json(make_commitment_vectors.TARGET.read_bytes(), "vectors")


def test_the_file_is_what_its_generator_writes() -> None:
    assert make_commitment_vectors.TARGET.read_text() == make_commitment_vectors.render()


@pytest.mark.parametrize("kind", ["keccak", "poseidon"])
def test_proofs_verify_and_the_others_are_refused(document: Any, kind: str) -> None:
    case = document[kind]
    vk = formats.verification_key_from_json(case["verification_key"])
    public = formats.public_from_json(case["public"])
    for name, reference in (("proof", True), ("another_proof", False)):
        assert verify(vk, public, formats.proof_from_json(case[name]), reference=reference)
    assert formats.proof_from_calldata([int(word, 16) for word in case["calldata"]]) == formats.proof_from_json(
        case["proof"]
    )
    assert len(case["refused"]) == 7
    for name, refused in case["refused"].items():
        assert not verify(vk, public, formats.proof_from_json(refused)), name


@pytest.mark.parametrize("kind", ["keccak", "poseidon"])
def test_what_is_drawn_follows_from_the_words_alone(document: Any, kind: str) -> None:
    """Written out once more from the specification, without the package's transcript."""
    case = document[kind]
    words = [int(word, 16).to_bytes(32, "big") for word in case["calldata"]]
    inputs = [int(value) for value in case["public"]]
    challenge = int(case["challenge"])
    if kind == "keccak":
        data = b"aitbc-rollup/challenge/v1" + b"".join(words[8:10]) + b"".join(x.to_bytes(32, "big") for x in inputs)
        assert challenge == int.from_bytes(keccak(data), "big") % R
    else:
        limbs = [int.from_bytes(part, "big") for word in words[8:10] for part in (word[16:], word[:16])]
        assert challenge == poseidon.sponge(0x62736232322F7631, [*limbs, *inputs])
    data = b"aitbc-rollup/knowledge/v1" + b"".join(words) + challenge.to_bytes(32, "big")
    assert int(case["rho"]) == 1 + int.from_bytes(keccak(data)[16:], "big")
