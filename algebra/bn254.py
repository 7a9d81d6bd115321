"""BN254 (alt_bn128), the pairing curve of the EVM precompiles.

::

    u    = 4965661367192848881                   the curve's seed (Barreto–Naehrig)
    p    = 36u⁴ + 36u³ + 24u² + 6u + 1           field of coordinates, "Fq"   254 bits
    r    = 36u⁴ + 36u³ + 18u² + 6u + 1           order of G1, G2, GT, "Fr"    254 bits
    G1   : y² = x³ + 3            over Fq,  cofactor 1
    G2   : y² = x³ + 3/(9 + i)    over Fq2 = Fq[i]/(i² + 1), the D-twist, cofactor 2p − r
    Fq6  = Fq2[v]/(v³ − (9 + i)),   Fq12 = Fq6[w]/(w² − v)
    ate  loop length 6u + 2; the embedding degree is 12
    security about 100 bits (Barbulescu–Duquesne, "Updating key size estimations for pairings", 2019)

Sources: EIP-196, EIP-197; Barreto and Naehrig, "Pairing-friendly elliptic curves of prime order", SAC 2005.
Every derived figure is recomputed in ``tests/algebra/test_bn254.py``.
"""

from __future__ import annotations

U = 4965661367192848881
P = 36 * U**4 + 36 * U**3 + 24 * U**2 + 6 * U + 1
R = 36 * U**4 + 36 * U**3 + 18 * U**2 + 6 * U + 1
ATE_LOOP = 6 * U + 2

G1_B = 3
#: ξ = 9 + i, the sextic non-residue of the tower, as (c0, c1).
XI = (9, 1)
G1_GENERATOR = (1, 2)
#: EIP-197's P2, coordinates as (c0, c1), meaning c0 + c1·i.
G2_GENERATOR = (
    (
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
    ),
    (
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ),
)
G2_COFACTOR = 2 * P - R

#: r − 1 = 2^28 · odd; 5 generates Fr's multiplicative group.
FR_TWO_ADICITY = 28
FR_GENERATOR = 5
