"""Groth16's setup by one party: quick, and fit for development only.

Jens Groth, "On the Size of Pairing-based Non-interactive Arguments", EUROCRYPT 2016, section 3.2, with γ = 1 as in
Bowe, Gabizon and Miers (ePrint 2017/1050) and in snarkjs.

Whoever knows τ, α, β, δ forges proofs. They are drawn from the system's generator, live in local variables of
:func:`setup` and are never written; but Python cannot wipe memory, and nobody can check that they were forgotten. So
the key is marked: the mark goes into files and contracts, and both refuse it outside local chains.

For a circuit with a commitment σ is drawn besides (docs/spec/commitment.md). Its committed wires leave the list C,
where they get infinity, for Kᵢ = (β·uᵢ + α·vᵢ + wᵢ)/γ and σ·Kᵢ; the verifying key gets κ = σγ·G2. Who knows σ can prove
knowledge of any D, and so choose the challenge.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import fr
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.verifier.types import ChallengeHash

from . import qap
from .cpu import ntt, vectors
from .engine import Engine, Progress, load_engine, silent
from .keys import KeyArrays, KeyCommitment, Matrix, ProvingKey, VerifyingPoints


def setup(
    r1cs: R1CS,
    *,
    challenge_hash: ChallengeHash = "keccak",
    entropy: bytes | None = None,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> ProvingKey:
    """A fresh proving key for a constraint system, marked as a development key.

    Args:
        r1cs: the system; at most 2^28 constraints, public wires and one more.
        challenge_hash: how the challenge of a system with a commitment is drawn; other systems have none.
        entropy: for reproducible tests only; whoever knows it can forge proofs. Leave it out and the system's
            generator is used.
        engine: what multiplies the generators; ``load_engine("auto")`` if left out.
        progress: told each stage.

    Raises:
        BadInputError: the system is too large or inconsistent.
    """
    engine = engine or load_engine()
    progress("polynomials", 0.0)
    a, b, c = qap.matrices(r1cs)
    scalars = _evaluate(engine, (a, b, c), r1cs, _source(entropy))
    in_g1, in_g2 = engine.fixed_base_g1, engine.fixed_base_g2
    alpha_g1, beta_g1, delta_g1 = in_g1(scalars.header_g1)
    beta_g2, gamma_g2, delta_g2 = in_g2(scalars.header_g2)
    header = VerifyingPoints(alpha_g1, beta_g1, beta_g2, gamma_g2, delta_g1, delta_g2)
    ic = in_g1(scalars.ic)
    progress("A", 0.1)
    a_query = in_g1(scalars.a)
    progress("B in G1", 0.25)
    b_g1_query = in_g1(scalars.b)
    progress("B in G2", 0.4)
    b_g2_query = in_g2(scalars.b)
    progress("C", 0.7)
    c_query = in_g1(scalars.c)
    progress("H", 0.85)
    h_query = in_g1(scalars.h)
    body = KeyArrays(a, b, a_query, b_g1_query, b_g2_query, c_query, h_query)
    digest = _digest(*header, ic, *a, *b, *body[2:7])
    commitment = None
    if r1cs.commitment is not None:
        progress("commitment", 0.95)
        wires, mask = r1cs.commitment.wires, r1cs.commitment.mask
        commitment = KeyCommitment(wires, mask, in_g2(scalars.kappa)[0], challenge_hash)
        body = body._replace(committed_query=in_g1(scalars.committed), knowledge_query=in_g1(scalars.knowledge))
        digest = _digest(np.frombuffer(digest, np.uint8), wires, np.array([mask]), commitment.kappa_g2, *body[7:])
    progress("done", 1.0)
    return ProvingKey(
        n_wires=r1cs.n_wires,
        n_public=r1cs.n_public,
        power=a.n_rows.bit_length() - 1,
        header=header,
        ic=ic,
        body=body,
        development=True,
        circuit_hash=digest,
        commitment=commitment,
    )


class _Scalars(NamedTuple):
    """The discrete logarithms of a key's points, canonical limbs ``(n, 4)``; as secret as τ."""

    header_g1: Limbs
    header_g2: Limbs
    ic: Limbs
    a: Limbs
    b: Limbs
    c: Limbs
    h: Limbs
    kappa: Limbs
    committed: Limbs
    knowledge: Limbs


def _evaluate(engine: Engine, matrices: tuple[Matrix, Matrix, Matrix], r1cs: R1CS, draw: Callable[[], int]) -> _Scalars:
    """Draw τ, α, β, δ, and σ if need be, and take every polynomial of the system at τ."""
    n, n_public = matrices[0].n_rows, r1cs.n_public
    tau = next(t for t in iter(draw, 0) if pow(t, n, R) != 1)
    alpha, beta, delta = draw(), draw(), draw()
    sigma, wires = 0, np.empty(0, np.uint32)
    if r1cs.commitment is not None:
        sigma, wires = draw(), r1cs.commitment.wires
    over_delta = pow(delta, -1, R)
    at_tau = fr.batch_from_montgomery(_lagrange(engine, tau, n))
    u, v, w = (vectors.transposed_product(matrix, at_tau, r1cs.n_wires) for matrix in matrices)
    ic = vectors.combine([part[: n_public + 1] for part in (u, v, w)], [beta, alpha, 1])
    private = [part[n_public + 1 :] for part in (u, v, w)]
    c = vectors.combine(private, [beta * over_delta, alpha * over_delta, over_delta])
    c[wires.astype(np.intp) - (n_public + 1)] = 0
    committed, knowledge = (
        vectors.combine([part[wires] for part in (u, v, w)], [factor * beta, factor * alpha, factor])
        for factor in (1, sigma)
    )
    shift = qap.coset_shift(n.bit_length() - 1)
    vanishing = (pow(tau, n, R) - 1) * pow(pow(shift, n, R) - 1, -1, R)
    h = vectors.combine([_lagrange(engine, tau * pow(shift, -1, R), n)], [vanishing * over_delta])
    ic, u, v, c, h, committed, knowledge = map(fr.batch_from_montgomery, (ic, u, v, c, h, committed, knowledge))
    header_g1, header_g2, kappa = (to_limbs(drawn) for drawn in ([alpha, beta, delta], [beta, 1, delta], [sigma]))
    return _Scalars(header_g1, header_g2, ic, u, v, c, h, kappa, committed, knowledge)


def _source(entropy: bytes | None) -> Callable[[], int]:
    """A source of uniform numbers in [1, r): the system's generator, or SHAKE-256 of the entropy and a counter."""
    if entropy is None:
        return lambda: 1 + secrets.randbelow(R - 1)
    counter = iter(range(1 << 30))

    def draw() -> int:
        seed = b"aitbc-rollup insecure setup" + next(counter).to_bytes(4, "big") + entropy
        return 1 + int.from_bytes(hashlib.shake_256(seed).digest(64), "big") % (R - 1)

    return draw


def _lagrange(engine: Engine, point: int, length: int) -> Limbs:
    """The values of the domain's Lagrange polynomials at a point.

    Lᵢ(x) = 1/n · Σⱼ (x·ω^−i)ʲ for j < n, so they are the inverse transform of the powers of x.
    """
    return engine.intt(ntt.powers(point % R, length))


def _digest(*arrays: NDArray[Any]) -> bytes:
    """BLAKE2b-512 of the key's contents; it stands where snarkjs puts the hash of its first key."""
    digest = hashlib.blake2b()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()
