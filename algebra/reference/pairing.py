"""The optimal ate pairing on BN254, the obvious way: affine lines, binary loop, one plain power at the end.

::

    e(P, Q) = ( f(6u+2, Q)(P) · l([6u+2]Q, πQ)(P) · l([6u+2]Q + πQ, −π²Q)(P) ) ^ ((p¹² − 1)/r)

Vercauteren, "Optimal pairings", IEEE Trans. IT 2010, section IV-B. The twist goes into E(Fq12) by
(x, y) ↦ (x·w², y·w³), so a line of slope λ through T on the twist, at P in G1, is
y_P − λ·x_P·w + (λ·x_T − y_T)·w³. The result is the same element py_ecc computes.
"""

from __future__ import annotations

from ..bn254 import ATE_LOOP, P, R
from . import tower
from .curve import G1Point, G2Point, g2_add, g2_neg
from .tower import FQ2_ZERO, FQ12_ONE, FROBENIUS, Fq2, Fq12, fq2_conjugate, fq2_mul, fq2_scale, fq2_sub, fq12_mul


def pairing(p: G1Point, q: G2Point) -> Fq12:
    """The pairing of a point of G1 and a point of G2, both taken to be in their groups; 1 if either is infinity."""
    return tower.fq12_pow(miller_loop(p, q), (P**12 - 1) // R)


def miller_loop(p: G1Point, q: G2Point) -> Fq12:
    """The pairing before its final power."""
    if p is None or q is None:
        return FQ12_ONE
    f, t = FQ12_ONE, q
    for bit in bin(ATE_LOOP)[3:]:
        f, t = fq12_mul(tower.fq12_sqr(f), _line(t, t, p)), _add(t, t)
        if bit == "1":
            f, t = fq12_mul(f, _line(t, q, p)), _add(t, q)
    q1 = g2_frobenius(q)
    q2 = _negative(g2_frobenius(q1))
    f, t = fq12_mul(f, _line(t, q1, p)), _add(t, q1)
    return fq12_mul(f, _line(t, q2, p))


def g2_frobenius(q: tuple[Fq2, Fq2]) -> tuple[Fq2, Fq2]:
    """Frobenius of E(Fq12) seen on the twist: conjugate, then times ξ^((p−1)/3) and ξ^((p−1)/2)."""
    x, y = q
    return fq2_mul(fq2_conjugate(x), FROBENIUS[2]), fq2_mul(fq2_conjugate(y), FROBENIUS[3])


def _line(t: tuple[Fq2, Fq2], q: tuple[Fq2, Fq2], p: tuple[int, int]) -> Fq12:
    """The line through two points of the twist that are not negatives of each other, at P."""
    (x1, y1), (x2, y2) = t, q
    if t == q:
        slope = fq2_mul(fq2_scale(tower.fq2_sqr(x1), 3), tower.fq2_inv(fq2_scale(y1, 2)))
    else:
        slope = fq2_mul(fq2_sub(y2, y1), tower.fq2_inv(fq2_sub(x2, x1)))
    at_w = tower.fq2_neg(fq2_scale(slope, p[0]))
    at_w3 = fq2_sub(fq2_mul(slope, x1), y1)
    return ((p[1], 0), FQ2_ZERO, FQ2_ZERO), (at_w, at_w3, FQ2_ZERO)


def _add(t: tuple[Fq2, Fq2], q: tuple[Fq2, Fq2]) -> tuple[Fq2, Fq2]:
    total = g2_add(t, q)
    if total is None:  # only multiples of Q below its order are ever added
        raise ValueError("the point of the twist has small order: it is not in G2")
    return total


def _negative(q: tuple[Fq2, Fq2]) -> tuple[Fq2, Fq2]:
    negative = g2_neg(q)
    assert negative is not None
    return negative
