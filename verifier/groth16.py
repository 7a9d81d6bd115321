"""Groth16 verification: the trusted base of everything above it.

::

    e(A, B) = e(α, β) · e(IC₀ + Σ xᵢ·ICᵢ, γ) · e(C, δ)

Groth, "On the size of pairing-based non-interactive arguments", EUROCRYPT 2016, section 3.2. A proof is *malleable*:
from one that verifies anyone makes others for the same inputs, so a proof's bytes must not serve as an identifier.

Every input must be below r: x and x + r give the same sum, and a verifier that takes both lets one statement be
submitted twice. Every point must be in its group: the pairing says nothing about points outside.

A circuit with a commitment has a challenge c for its last public wire, which is drawn here (``transcript``), and a
proof has D and PoK besides, PoK = σ·D for the key's secret σ. Two equations are checked in one, the second to the power
of a ρ drawn after everything else; docs/spec/commitment.md has the argument::

    e(A, B) = e(α, β) · e(IC₀ + Σ xᵢ·ICᵢ + c·IC_last + D, γ) · e(C, δ)        and        e(D, κ) = e(PoK, γ)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from aitbc_rollup.algebra import g1, g2, pairing, poseidon
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import to_limbs
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.algebra.reference import poseidon as plain_poseidon
from aitbc_rollup.algebra.reference.curve import G1Point, G2Point
from aitbc_rollup.errors import BadInputError

from . import transcript
from .types import CHALLENGE_HASHES, Proof, VerifyingKey

Pairs = Sequence[tuple[G1Point, G2Point]]


def check_key(vk: VerifyingKey, *, n_public: int | None = None, reference: bool = False) -> None:
    """Refuse a key whose points are malformed, or that is known to let anyone forge.

    Beside points that are no points of their group, that is: the point at infinity anywhere (an α, β, γ or δ of zero,
    or a public input that nothing binds), and two of β, γ, δ, κ equal up to sign. With δ = ±γ the proof A = α, B = β,
    C = ∓(IC₀ + Σ xᵢ·ICᵢ) verifies for any inputs; the other pairs are as bad, and with κ = ±γ PoK = ±D proves no
    knowledge. A key that passes may still come from a dishonest setup: no check of a key alone can tell.

    Args:
        vk: the key.
        n_public: the number of public inputs it should be for, the challenge not counted, if known.
        reference: compute with plain integers.

    Raises:
        BadInputError: the key is refused.
    """
    arithmetic = _REFERENCE if reference else _FAST
    named_g1 = [("alpha_g1", vk.alpha_g1), *((f"ic[{i}]", point) for i, point in enumerate(vk.ic))]
    named_g2 = [("beta_g2", vk.beta_g2), ("gamma_g2", vk.gamma_g2), ("delta_g2", vk.delta_g2)]
    if vk.commitment is not None:
        named_g2.append(("kappa_g2", vk.commitment.kappa_g2))
        if vk.commitment.hash not in CHALLENGE_HASHES:
            raise _refusal("hash", _shown(vk.commitment.hash), " or ".join(CHALLENGE_HASHES))
    if vk.n_public < 0:
        got = f"{len(vk.ic)} points" if vk.ic else "no points"
        raise _refusal("ic", got, "one for the constant, one for each public input, one for a challenge")
    if n_public is not None and vk.n_public != n_public:
        extra = len(vk.ic) - vk.n_public
        raise _refusal("ic", f"{len(vk.ic)} points", f"{n_public + extra}, {extra} more than the public inputs")
    for name, point in (*named_g1, *named_g2):
        if point is None:
            raise _refusal(name, "the point at infinity", "any other point")
    for name, p in named_g1:
        if not _is_pair_of_ints(p) or not arithmetic.in_g1(p):
            raise _refusal(name, _shown(p), "a point of G1, coordinates in [0, p)")
    for name, q in named_g2:
        if not _is_pair_of_pairs(q) or not arithmetic.in_g2(q):
            raise _refusal(name, _shown(q), "a point of G2's prime-order subgroup, coordinates in [0, p)")
    for (first, p2), (second, q2) in combinations(named_g2, 2):
        if p2 in (q2, curve.g2_neg(q2)):
            raise _refusal(second, f"{first} up to sign", f"a point independent of {first}: this key lets anyone forge")


def verify(vk: VerifyingKey, public_inputs: Sequence[int], proof: Proof, *, reference: bool = False) -> bool:
    """Whether a proof holds for these public inputs under a key.

    A malformed proof or input (too many, not below r, off the curve, outside the subgroup) is answered False.

    Args:
        vk: the verifying key, checked first.
        public_inputs: canonical field elements, public outputs before public inputs.
        proof: the proof.
        reference: use py_ecc's pairing and plain integers in place of this package's kernels; same checks.

    Raises:
        BadInputError: the key is refused by :func:`check_key`.
    """
    arithmetic = _REFERENCE if reference else _FAST
    check_key(vk, reference=reference)
    if len(public_inputs) != vk.n_public:
        return False
    if not all(type(value) is int and 0 <= value < R for value in public_inputs):
        return False
    if not _is_well_formed(proof, arithmetic) or not _has_commitment_of(vk, proof):
        return False
    return arithmetic.pairing_check(_pairs(vk, public_inputs, proof, arithmetic))


def _is_well_formed(proof: Proof, arithmetic: _Arithmetic) -> bool:
    in_g1 = (proof.a, proof.c, proof.commitment, proof.knowledge)
    return all(p is None or (_is_pair_of_ints(p) and arithmetic.in_g1(p)) for p in in_g1) and (
        proof.b is None or (_is_pair_of_pairs(proof.b) and arithmetic.in_g2(proof.b))
    )


def _has_commitment_of(vk: VerifyingKey, proof: Proof) -> bool:
    """Whether D and PoK are there if the key wants them; neither is infinity, for a D with its mask never is."""
    if vk.commitment is None:
        return not proof.is_committed
    return proof.commitment is not None and proof.knowledge is not None


def _pairs(vk: VerifyingKey, public_inputs: Sequence[int], proof: Proof, arithmetic: _Arithmetic) -> Pairs:
    """The pairs whose pairings multiply to 1 if a well-formed proof holds."""
    points, scalars, last = list(vk.ic), [1, *public_inputs], []
    if vk.commitment is not None:
        c = transcript.challenge(vk.commitment.hash, proof.commitment, public_inputs, sponge=arithmetic.sponge)
        rho = transcript.knowledge_factor(proof, c)
        points += [proof.commitment, proof.knowledge]
        scalars += [c, 1, R - rho]
        last.append((arithmetic.combine([proof.commitment], [rho]), vk.commitment.kappa_g2))
    return [
        (curve.g1_neg(proof.a), proof.b),
        (vk.alpha_g1, vk.beta_g2),
        (arithmetic.combine(points, scalars), vk.gamma_g2),
        (proof.c, vk.delta_g2),
        *last,
    ]


class _Arithmetic(NamedTuple):
    """The computations a verifier needs, so that both ways run under the same checks."""

    in_g1: Callable[[G1Point], bool]
    in_g2: Callable[[G2Point], bool]
    combine: Callable[[Sequence[G1Point], Sequence[int]], G1Point]
    pairing_check: Callable[[Pairs], bool]
    sponge: transcript.Sponge


def _in_g2(point: G2Point) -> bool:
    return curve.g2_is_on_curve(point) and g2.first_outside(g2.to_array([point])) is None


def _combine(points: Sequence[G1Point], scalars: Sequence[int]) -> G1Point:
    return _sum(g1.from_array(g1.multiply(g1.to_array(points), to_limbs(scalars))))


def _combine_plainly(points: Sequence[G1Point], scalars: Sequence[int]) -> G1Point:
    return _sum(curve.g1_mul(point, scalar) for point, scalar in zip(points, scalars, strict=True))


def _sum(points: Any) -> G1Point:
    total: G1Point = None
    for point in points:
        total = curve.g1_add(total, point)
    return total


def _pairing_check_by_py_ecc(pairs: Pairs) -> bool:
    from py_ecc import optimized_bn128 as bn

    product = bn.FQ12.one()
    for p, q in pairs:
        if p is not None and q is not None:
            p3 = (bn.FQ(p[0]), bn.FQ(p[1]), bn.FQ.one())
            q3 = (bn.FQ2(q[0]), bn.FQ2(q[1]), bn.FQ2.one())
            product *= bn.pairing(q3, p3, final_exponentiate=False)
    return bool(bn.final_exponentiate(product) == bn.FQ12.one())


# G1's cofactor is 1, so a point on its curve is in the group.
_FAST = _Arithmetic(curve.g1_is_on_curve, _in_g2, _combine, pairing.pairing_check, poseidon.sponge)
_REFERENCE = _Arithmetic(
    curve.g1_is_on_curve, curve.g2_is_in_subgroup, _combine_plainly, _pairing_check_by_py_ecc, plain_poseidon.sponge
)


def _is_pair_of_ints(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(type(part) is int for part in value)


def _is_pair_of_pairs(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(_is_pair_of_ints(part) for part in value)


def _shown(point: object) -> str:
    try:
        return str(point)
    except ValueError:  # Python prints no integer of more than 4300 digits
        return "numbers too long to print"


def _refusal(name: str, got: str, expected: str) -> BadInputError:
    return BadInputError("unusable verifying key", place=name, expected=expected, got=got)
