"""What a Groth16 verifier takes: a proof and a verifying key.

Names follow Groth, "On the size of pairing-based non-interactive arguments", EUROCRYPT 2016, section 3.2, and for the
commitment docs/spec/commitment.md. Nothing is checked here: ``groth16.check_key`` and ``groth16.verify`` do, and so do
the decoders of ``formats``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aitbc_rollup.algebra.reference.curve import G1Point, G2Point

__all__ = [
    "CHALLENGE_HASHES",
    "ChallengeHash",
    "CommitmentKey",
    "G1Point",
    "G2Point",
    "Proof",
    "VerifyingKey",
    "g1_words",
    "g2_words",
]

#: How a challenge is drawn: for proofs that a chain verifies, and for those verified inside a circuit.
ChallengeHash = Literal["keccak", "poseidon"]
CHALLENGE_HASHES: tuple[ChallengeHash, ...] = ("keccak", "poseidon")


def g1_words(point: G1Point) -> tuple[int, int]:
    """Coordinates of a point of G1 as the EVM takes them (EIP-196), the identity as zeros."""
    return point if point is not None else (0, 0)


def g2_words(point: G2Point) -> tuple[int, int, int, int]:
    """Coordinates of a point of G2 as the EVM takes them (EIP-197): x imaginary, x real, y imaginary, y real."""
    if point is None:
        return 0, 0, 0, 0
    (x0, x1), (y0, y1) = point
    return x1, x0, y1, y0


@dataclass(frozen=True)
class Proof:
    """A Groth16 proof: A and C in G1, B in G2; of a circuit with a commitment, D and PoK in G1 besides.

    Args:
        a: A.
        b: B.
        c: C.
        commitment: D = Σ wᵢ·Kᵢ over the committed wires; ``None`` if the circuit has no commitment.
        knowledge: PoK = σ·D; ``None`` likewise.
    """

    a: G1Point
    b: G2Point
    c: G1Point
    commitment: G1Point = None
    knowledge: G1Point = None

    @property
    def is_committed(self) -> bool:
        """Whether it has a D or a PoK."""
        return self.commitment is not None or self.knowledge is not None

    @property
    def words(self) -> list[int]:
        """The proof as the EVM takes it: A, B, C, eight words; then D and PoK if it has them."""
        words = [*g1_words(self.a), *g2_words(self.b), *g1_words(self.c)]
        return words + [*g1_words(self.commitment), *g1_words(self.knowledge)] * self.is_committed


@dataclass(frozen=True)
class CommitmentKey:
    """What a verifying key has besides if its circuit has a commitment.

    Args:
        kappa_g2: κ = σγ·G2, under which D is paired when PoK is paired under γ.
        hash: how the challenge is drawn from D and the public inputs.
    """

    kappa_g2: G2Point
    hash: ChallengeHash


@dataclass(frozen=True)
class VerifyingKey:
    """A Groth16 verifying key.

    Args:
        alpha_g1: α·G1.
        beta_g2: β·G2.
        gamma_g2: γ·G2.
        delta_g2: δ·G2.
        ic: (β·uᵢ(τ) + α·vᵢ(τ) + wᵢ(τ))/γ · G1 for the constant wire 1, then for each public input, and last for the
            challenge if there is a commitment.
        development: whether one machine knew the secrets behind the key, so that its owner can forge proofs.
        commitment: of a circuit with a commitment.
    """

    alpha_g1: G1Point
    beta_g2: G2Point
    gamma_g2: G2Point
    delta_g2: G2Point
    ic: tuple[G1Point, ...]
    development: bool = False
    commitment: CommitmentKey | None = None

    @property
    def n_public(self) -> int:
        """The number of public inputs the key is for; a challenge is none of them, for nobody passes it in."""
        return len(self.ic) - 1 - (self.commitment is not None)
