"""What a verifier draws by hashing: a committed circuit's challenge c, and the factor ρ (docs/spec/commitment.md).

::

    c = keccak256("aitbc-rollup/challenge/v1" ‖ D ‖ public inputs) mod r                          for proofs for a chain
    c = sponge("bsb22/v1", low and high 128 bits of D.x, of D.y, public inputs)         for proofs verified in a circuit
    ρ = 1 + keccak256("aitbc-rollup/knowledge/v1" ‖ A ‖ B ‖ C ‖ D ‖ PoK ‖ c) mod 2^128

Everything is hashed as 32-byte big-endian words, points as the EVM takes them. D is hashed with the public inputs
before c is known, and ρ after every element of the proof, so that no prover chooses one after the other. Further
challenges of a circuit are hashes of c under tags of their own, made in the circuit, never its powers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aitbc_rollup.algebra import poseidon
from aitbc_rollup.algebra.bn254 import R

from .types import ChallengeHash, G1Point, Proof, g1_words

CHALLENGE_TAG = b"aitbc-rollup/challenge/v1"
KNOWLEDGE_TAG = b"aitbc-rollup/knowledge/v1"
#: Tag of the Poseidon sponge, beyond the small tags of docs/protocol.md.
SPONGE_TAG = int.from_bytes(b"bsb22/v1", "big")

Sponge = Callable[[int, Sequence[int]], int]


def challenge(
    kind: ChallengeHash, commitment: G1Point, public_inputs: Sequence[int], *, sponge: Sponge = poseidon.sponge
) -> int:
    """c, below r.

    Args:
        kind: the hash, a property of the verifying key.
        commitment: D, coordinates below p.
        public_inputs: each below r; c itself is none of them.
        sponge: the Poseidon sponge; the kernel's unless given.
    """
    if kind == "keccak":
        return _keccak(CHALLENGE_TAG, (*g1_words(commitment), *public_inputs)) % R
    limbs = [part for x in g1_words(commitment) for part in (x % (1 << 128), x >> 128)]
    return sponge(SPONGE_TAG, [*limbs, *public_inputs])


def knowledge_factor(proof: Proof, challenge: int) -> int:
    """ρ, from 1 to 2^128: what the equation of the proof of knowledge is multiplied by."""
    return 1 + _keccak(KNOWLEDGE_TAG, (*proof.words, challenge)) % (1 << 128)


def _keccak(tag: bytes, words: Iterable[int]) -> int:
    from eth_hash.auto import keccak  # only here: proofs without a commitment need numpy and the kernels alone

    return int.from_bytes(keccak(tag + b"".join(word.to_bytes(32, "big") for word in words)), "big")
