"""Every derived figure of the curve's data sheet, recomputed."""

from __future__ import annotations

from math import isqrt, prod

import galois
from py_ecc import bn128

from aitbc_rollup.algebra import bn254
from aitbc_rollup.algebra.bn254 import ATE_LOOP, G2_COFACTOR, P, R, U
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.algebra.reference.tower import FQ2_ONE, fq2_pow


def test_primes_from_the_seed() -> None:
    # The decimal figures are EIP-196's.
    assert P == 21888242871839275222246405745257275088696311157297823662689037894645226208583
    assert R == 21888242871839275222246405745257275088548364400416034343698204186575808495617
    assert galois.is_prime(P) and galois.is_prime(R)
    assert P.bit_length() == R.bit_length() == 254
    assert P + 1 - (6 * U**2 + 1) == R, "the trace is 6u² + 1"
    assert bn128.bn128_pairing.ate_loop_count == ATE_LOOP
    assert (P**12 - 1) % R == 0 and all((P**k - 1) % R for k in range(1, 12)), "embedding degree 12"


def test_generators() -> None:
    assert tuple(int(c) for c in bn128.G1) == bn254.G1_GENERATOR
    assert tuple(tuple(int(c) for c in part.coeffs) for part in bn128.G2) == bn254.G2_GENERATOR
    assert curve.g1_is_on_curve(bn254.G1_GENERATOR)
    assert curve.g1_mul(bn254.G1_GENERATOR, R) is None
    assert curve.g2_is_in_subgroup(bn254.G2_GENERATOR)


def test_cofactor_of_g2() -> None:
    # The six twists of a j = 0 curve over Fp2 with trace t₂ have traces ±t₂ and (±t₂ ± 3f)/2, where 3f² = 4p² − t₂².
    trace = (P + 1 - R) ** 2 - 2 * P
    f = isqrt((4 * P**2 - trace**2) // 3)
    assert 3 * f * f == 4 * P**2 - trace**2
    traces = {trace, -trace} | {(s * trace + t * 3 * f) // 2 for s in (1, -1) for t in (1, -1)}
    divisible = {P**2 + 1 - t for t in traces if (P**2 + 1 - t) % R == 0} - {_untwisted_order()}
    assert divisible == {R * G2_COFACTOR}
    assert G2_COFACTOR % R != 0, "G2 is all of the twist's r-torsion"


def _untwisted_order() -> int:
    """Order of E(Fq2) itself, #E(Fq) times that of its quadratic twist."""
    return R * (P + 1 + (P + 1 - R))


def test_xi_is_neither_square_nor_cube() -> None:
    assert pow(-1, (P - 1) // 2, P) == P - 1, "−1 is no square, so i² = −1 extends Fq"
    assert fq2_pow(bn254.XI, (P**2 - 1) // 2) != FQ2_ONE
    assert fq2_pow(bn254.XI, (P**2 - 1) // 3) != FQ2_ONE


def test_multiplicative_group_of_fr() -> None:
    primes = [3, 13, 29, 983, 11003, 237073, 405928799, 1670836401704629, 13818364434197438864469338081]
    assert all(galois.is_prime(prime) for prime in primes)
    assert 2**bn254.FR_TWO_ADICITY * 3 * prod(primes) == R - 1
    assert all(pow(bn254.FR_GENERATOR, (R - 1) // prime, R) != 1 for prime in (2, *primes))
