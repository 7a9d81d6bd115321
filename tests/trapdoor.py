"""A Groth16 key whose secrets are known, so that a proof of anything can be made: for tests of verifiers and contracts.

With alpha, beta, gamma, delta and the logarithms k of the IC points in hand, any A = a·G1 and B = b·G2 is completed by
C = (a·b − alpha·beta − gamma·Σ kᵢ·xᵢ) / delta · G1: the pairing equation of Groth16 (EUROCRYPT 2016, section 3.2) read
as one about exponents. A verifier must accept it, and there is no circuit to prove first. With a commitment any
D = d·G1 and PoK = sigma·D are completed likewise, gamma·(c·k_last + d) taken off as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.reference.curve import G1Point, G2Point, g1_mul, g2_mul
from aitbc_rollup.verifier import transcript
from aitbc_rollup.verifier.types import ChallengeHash, CommitmentKey, Proof, VerifyingKey


def scalar(label: str) -> int:
    """A fixed scalar in [1, r) for each label."""
    return int.from_bytes(hashlib.sha256(label.encode()).digest(), "big") % (R - 1) + 1


def g1(k: int) -> G1Point:
    return g1_mul(G1_GENERATOR, k % R)


def g2(k: int) -> G2Point:
    return g2_mul(G2_GENERATOR, k % R)


@dataclass(frozen=True)
class Trapdoor:
    """Secrets of a key for a number of public inputs, derived from a name; ``hash`` if it has a commitment."""

    name: str = "aitbc-rollup test trapdoor"
    inputs: int = 4
    development: bool = True
    hash: ChallengeHash | None = None

    def secret(self, label: str) -> int:
        return scalar(f"{self.name}/{label}")

    @cached_property
    def key(self) -> VerifyingKey:
        gamma, committed = self.secret("gamma"), self.hash is not None
        return VerifyingKey(
            alpha_g1=g1(self.secret("alpha")),
            beta_g2=g2(self.secret("beta")),
            gamma_g2=g2(gamma),
            delta_g2=g2(self.secret("delta")),
            ic=tuple(g1(self.secret(f"ic{i}")) for i in range(self.inputs + 1 + committed)),
            development=self.development,
            commitment=CommitmentKey(g2(self.secret("sigma") * gamma), self.hash) if self.hash else None,
        )

    def prove(
        self,
        public_inputs: Sequence[int],
        *,
        blinding: str = "blinding",
        a: int | None = None,
        d: int | None = None,
        sigma: int | None = None,
        challenge: int | None = None,
    ) -> Proof:
        """A proof that verifies for these inputs, whatever they say.

        ``a`` and ``d`` set the logarithms of A and D. It does not verify any more with another ``sigma`` than the
        key's, or another ``challenge`` than the verifier's.
        """
        assert len(public_inputs) == self.inputs
        a = self.secret(f"{blinding}/a") if a is None else a
        b = self.secret(f"{blinding}/b")
        values, bound, points = [1, *public_inputs], 0, ()
        if self.hash is not None:
            d = self.secret(f"{blinding}/d") if d is None else d
            sigma = self.secret("sigma") if sigma is None else sigma
            points = g1(d), g1(d * sigma)
            if challenge is None:
                challenge = transcript.challenge(self.hash, points[0], public_inputs)
            values.append(challenge)
            bound = d
        bound += sum(self.secret(f"ic{i}") * x for i, x in enumerate(values))
        c = (a * b - self.secret("alpha") * self.secret("beta") - self.secret("gamma") * bound) * pow(
            self.secret("delta"), -1, R
        )
        return Proof(g1(a), g2(b), g1(c), *points)
