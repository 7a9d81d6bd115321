"""What a Groth16 verifier takes: a proof and a verifying key.

Names follow Groth, "On the size of pairing-based non-interactive arguments", EUROCRYPT 2016, section 3.2. Nothing is
checked here: ``groth16.check_key`` and ``groth16.verify`` do, and so do the decoders of ``formats``.
"""

from __future__ import annotations

from dataclasses import dataclass

from aitbc_rollup.algebra.reference.curve import G1Point, G2Point

__all__ = ["G1Point", "G2Point", "Proof", "VerifyingKey"]


@dataclass(frozen=True)
class Proof:
    """A Groth16 proof: A and C in G1, B in G2."""

    a: G1Point
    b: G2Point
    c: G1Point


@dataclass(frozen=True)
class VerifyingKey:
    """A Groth16 verifying key.

    Args:
        alpha_g1: α·G1.
        beta_g2: β·G2.
        gamma_g2: γ·G2.
        delta_g2: δ·G2.
        ic: (β·uᵢ(τ) + α·vᵢ(τ) + wᵢ(τ))/γ · G1 for the constant wire 1, then for each public input.
        development: whether one machine knew the secrets behind the key, so that its owner can forge proofs.
    """

    alpha_g1: G1Point
    beta_g2: G2Point
    gamma_g2: G2Point
    delta_g2: G2Point
    ic: tuple[G1Point, ...]
    development: bool = False

    @property
    def n_public(self) -> int:
        """The number of public inputs the key is for."""
        return len(self.ic) - 1
