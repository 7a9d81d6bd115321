"""A Groth16 key whose secrets are known, so that a proof of anything can be made: for tests of verifiers and contracts.

With alpha, beta, gamma, delta and the logarithms k of the IC points in hand, any A = a·G1 and B = b·G2 is completed by
C = (a·b − alpha·beta − gamma·Σ kᵢ·xᵢ) / delta · G1: the pairing equation of Groth16 (EUROCRYPT 2016, section 3.2) read
as one about exponents. A verifier must accept it, and there is no circuit to prove first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.reference.curve import G1Point, G2Point, g1_mul, g2_mul
from aitbc_rollup.verifier.types import Proof, VerifyingKey


def scalar(label: str) -> int:
    """A fixed scalar in [1, r) for each label."""
    return int.from_bytes(hashlib.sha256(label.encode()).digest(), "big") % (R - 1) + 1


def g1(k: int) -> G1Point:
    return g1_mul(G1_GENERATOR, k % R)


def g2(k: int) -> G2Point:
    return g2_mul(G2_GENERATOR, k % R)


@dataclass(frozen=True)
class Trapdoor:
    """Secrets of a key for a number of public inputs, derived from a name."""

    name: str = "aitbc-rollup test trapdoor"
    inputs: int = 4
    development: bool = True

    def secret(self, label: str) -> int:
        return scalar(f"{self.name}/{label}")

    @cached_property
    def key(self) -> VerifyingKey:
        return VerifyingKey(
            alpha_g1=g1(self.secret("alpha")),
            beta_g2=g2(self.secret("beta")),
            gamma_g2=g2(self.secret("gamma")),
            delta_g2=g2(self.secret("delta")),
            ic=tuple(g1(self.secret(f"ic{i}")) for i in range(self.inputs + 1)),
            development=self.development,
        )

    def prove(self, public_inputs: Sequence[int], *, blinding: str = "blinding", a: int | None = None) -> Proof:
        """A proof that verifies for these inputs, whatever they say; ``a`` sets the logarithm of A."""
        assert len(public_inputs) == self.inputs
        a = self.secret(f"{blinding}/a") if a is None else a
        b = self.secret(f"{blinding}/b")
        bound = sum(self.secret(f"ic{i}") * x for i, x in enumerate([1, *public_inputs]))
        c = (a * b - self.secret("alpha") * self.secret("beta") - self.secret("gamma") * bound) * pow(
            self.secret("delta"), -1, R
        )
        return Proof(a=g1(a), b=g2(b), c=g1(c))
