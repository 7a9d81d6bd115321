"""Writes docs/spec/vectors/commitment.json: keys, proofs, challenges and what must be refused; run it as a program."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "spec" / "vectors" / "commitment.json"
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from trapdoor import Trapdoor  # noqa: E402

from aitbc_rollup.algebra.bn254 import R  # noqa: E402
from aitbc_rollup.algebra.reference.curve import g1_neg  # noqa: E402
from aitbc_rollup.verifier import formats, transcript  # noqa: E402
from aitbc_rollup.verifier.types import CHALLENGE_HASHES, ChallengeHash, Proof  # noqa: E402

INPUTS = [0, 1, 165, R - 1]


def case(kind: ChallengeHash) -> dict[str, Any]:
    """A key and a proof, what is drawn on the way, and proofs that differ and do not verify."""
    world = Trapdoor(f"commitment vectors, {kind}", hash=kind)
    proof, other = world.prove(INPUTS), world.prove(INPUTS, blinding="other")
    challenge = transcript.challenge(kind, proof.commitment, INPUTS)
    wrong: dict[str, Proof] = {
        "the challenge is 7 instead of the hash": world.prove(INPUTS, challenge=7),
        "PoK is 5·D": world.prove(INPUTS, sigma=5),
        "PoK is negated": replace(proof, knowledge=g1_neg(proof.knowledge)),
        "D and PoK are swapped": replace(proof, commitment=proof.knowledge, knowledge=proof.commitment),
        "D and PoK are another proof's": replace(proof, commitment=other.commitment, knowledge=other.knowledge),
        "C is another proof's": replace(proof, c=other.c),
        "D and PoK are left out": replace(proof, commitment=None, knowledge=None),
    }
    return {
        "verification_key": formats.verification_key_to_json(world.key),
        "public": formats.public_to_json(INPUTS),
        "proof": formats.proof_to_json(proof),
        "calldata": [hex(word) for word in proof.words],
        "challenge": str(challenge),
        "rho": str(transcript.knowledge_factor(proof, challenge)),
        "another_proof": formats.proof_to_json(other),
        "refused": {name: formats.proof_to_json(found) for name, found in wrong.items()},
    }


def render() -> str:
    """The file's text."""
    document = {
        "source": "tests/verifier/make_commitment_vectors.py, from secrets derived by SHA-256 from names",
        "specification": "docs/spec/commitment.md",
        **{kind: case(kind) for kind in CHALLENGE_HASHES},
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(render())
