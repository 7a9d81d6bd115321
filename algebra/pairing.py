"""The optimal ate pairing on BN254: numba kernels, and the product check that Groth16 and EIP-197 ask for.

Miller loops of all pairs share their squarings and one final power. Points of G2 walk in homogeneous coordinates with
the line functions of Costello, Lange and Naehrig, "Faster pairing computations on curves with high-degree twists",
PKC 2010; the loop runs over the signed digits of 6u + 2. The final power is (p⁶ − 1)(p² + 1), then the hard part
(p⁴ − p² + 1)/r by Scott, Benger, Charlemagne, Dominguez Perez and Kachisa, "On the final exponentiation for calculating
pairings on ordinary elliptic curves", Pairing 2009. The plain twin is ``reference.pairing``; results are equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import fq2, g1, g2, tower
from .bn254 import ATE_LOOP, P, U
from .jit import address, kernel, stack
from .limbs import Limbs, to_montgomery
from .reference.curve import G1Point, G2Point, g1_is_on_curve
from .reference.tower import B_TWIST, FQ12_ONE, Fq12, fq2_scale


def signed_digits(value: int) -> list[int]:
    """Non-adjacent form of a positive integer, highest digit first: no two neighbours are both nonzero."""
    digits = []
    while value:
        digit = 2 - value % 4 if value % 2 else 0
        digits.append(digit)
        value = (value - digit) // 2
    return digits[::-1]


_LOOP = np.array(signed_digits(ATE_LOOP), dtype=np.int8)
_U_LENGTH = U.bit_length()
_THREE_B = to_montgomery(fq2_scale(B_TWIST, 3), P)

#: Bytes of a walking point of G2: X, Y, Z in Fq2, with x = X/Z and y = Y/Z.
_WALKER = 192


@kernel
def _tangent(line: int, t: int, p: int) -> None:
    """Double t; write the tangent at it, evaluated at p, scaled by −2YZ: −2YZ·y_p + 3X²·x_p·w + (3b'Z² − Y²)·w³."""
    x, y, z = t, t + 64, t + 128
    b = stack(8)
    e = stack(8)
    f = stack(8)
    h = stack(8)
    xy = stack(8)
    fq2.sqr(b, y)
    fq2.sqr(e, z)
    fq2.mul(e, e, address(_THREE_B))
    fq2.mul(h, y, z)
    fq2.double(h, h)
    fq2.mul(xy, x, y)

    fq2.neg(line, h)
    fq2.scale(line, line, p + 32)
    fq2.sqr(line + 64, x)
    fq2.scale(line + 64, line + 64, p)
    fq2.double(line + 128, line + 64)
    fq2.add(line + 64, line + 64, line + 128)
    fq2.sub(line + 128, e, b)

    # With f = 3e: X' = 2xy(b − f), Y' = (b + f)² − 12e², Z' = 4bh.
    fq2.double(f, e)
    fq2.add(f, f, e)
    fq2.sub(x, b, f)
    fq2.mul(x, x, xy)
    fq2.double(x, x)
    fq2.add(f, b, f)
    fq2.sqr(f, f)
    fq2.sqr(e, e)
    fq2.double(e, e)
    fq2.double(e, e)
    fq2.double(y, e)
    fq2.add(y, y, e)
    fq2.sub(y, f, y)
    fq2.mul(z, b, h)
    fq2.double(z, z)
    fq2.double(z, z)


@kernel
def _chord(line: int, t: int, q: int, p: int) -> None:
    """Add the affine q ≠ ±t to t; write the line through both, evaluated at p and scaled by μ.

    With μ = X − x_q·Z, θ = Y − y_q·Z it is μ·y_p − θ·x_p·w + (θ·x_q − μ·y_q)·w³.
    """
    x, y, z = t, t + 64, t + 128
    theta = stack(8)
    mu = stack(8)
    d = stack(8)
    e = stack(8)
    g = stack(8)
    h = stack(8)
    fq2.mul(theta, q + 64, z)
    fq2.sub(theta, y, theta)
    fq2.mul(mu, q, z)
    fq2.sub(mu, x, mu)

    fq2.scale(line, mu, p + 32)
    fq2.scale(line + 64, theta, p)
    fq2.neg(line + 64, line + 64)
    fq2.mul(line + 128, theta, q)
    fq2.mul(d, mu, q + 64)
    fq2.sub(line + 128, line + 128, d)

    # With d = μ², e = μ³, g = X·d, h = e + θ²·Z − 2g: X' = μh, Y' = θ(g − h) − e·Y, Z' = e·Z.
    fq2.sqr(d, mu)
    fq2.mul(e, mu, d)
    fq2.mul(g, x, d)
    fq2.sqr(h, theta)
    fq2.mul(h, h, z)
    fq2.add(h, h, e)
    fq2.sub(h, h, g)
    fq2.sub(h, h, g)
    fq2.mul(x, mu, h)
    fq2.sub(g, g, h)
    fq2.mul(g, theta, g)
    fq2.mul(y, e, y)
    fq2.sub(y, g, y)
    fq2.mul(z, e, z)


@kernel
def _add_step(f: int, ps: int, qs: int, walkers: int, count: int, which: int) -> None:
    """For each pair, add to its walker q, −q, πq or −π²q (``which`` 1, −1, 2, 3) and multiply f by the line."""
    line = stack(24)
    addend = stack(16)
    for i in range(count):
        g2.copy_affine(addend, qs + g2.AFFINE_BYTES * i)
        if which == 2:
            g2.frobenius(addend, addend)
        elif which == 3:
            g2.frobenius(addend, addend)
            g2.frobenius(addend, addend)
        if which == 3 or which == -1:
            g2.negate_affine(addend, addend)
        _chord(line, walkers + _WALKER * i, addend, ps + g1.AFFINE_BYTES * i)
        tower.fq12_mul_by_line(f, line)


@kernel
def _miller_loop(f: int, ps: int, qs: int, walkers: int, count: int) -> None:
    """Product of the Miller functions of ``count`` pairs, no point being infinity."""
    line = stack(24)
    tower.fq12_set_one(f)
    for i in range(count):
        g2.copy_affine(walkers + _WALKER * i, qs + g2.AFFINE_BYTES * i)
        fq2.set_one(walkers + _WALKER * i + 128)
    for k in range(1, len(_LOOP)):
        tower.fq12_sqr(f, f)
        for i in range(count):
            _tangent(line, walkers + _WALKER * i, ps + g1.AFFINE_BYTES * i)
            tower.fq12_mul_by_line(f, line)
        if _LOOP[k] != 0:
            _add_step(f, ps, qs, walkers, count, _LOOP[k])
    _add_step(f, ps, qs, walkers, count, 2)
    _add_step(f, ps, qs, walkers, count, 3)


@kernel
def _inverse_power_u(out: int, x: int) -> None:
    """Write x^(−u) for a unitary x; no overlap."""
    tower.fq12_copy(out, x)
    for k in range(_U_LENGTH - 2, -1, -1):
        tower.unitary_sqr(out)
        if U >> k & 1:
            tower.fq12_mul(out, out, x)
    tower.fq12_conjugate(out, out)


@kernel
def _easy_power(f: int) -> None:
    """Raise f to (p⁶ − 1)(p² + 1), in place; the result is unitary."""
    t = stack(48)
    tower.fq12_invert(t, f)
    tower.fq12_conjugate(f, f)
    tower.fq12_mul(f, f, t)
    tower.fq12_frobenius(t, f)
    tower.fq12_frobenius(t, t)
    tower.fq12_mul(f, f, t)


@kernel
def _hard_power(f: int) -> None:
    """Raise a unitary f to (p⁴ − p² + 1)/r, in place.

    ::

        y0 = f^(p + p² + p³)    y1 = f^−1    y2 = f^(u²p²)    y3 = f^(−up)
        y4 = f^(−u − u²p)       y5 = f^(−u²)                  y6 = f^(−u³ − u³p)
        result = y0 · y1² · y2⁶ · y3¹² · y4¹⁸ · y5³⁰ · y6³⁶
    """
    fu = stack(48)
    y3 = stack(48)
    y4 = stack(48)
    y5 = stack(48)
    y6 = stack(48)
    t0 = stack(48)
    t1 = stack(48)
    _inverse_power_u(fu, f)  # f^−u
    tower.fq12_conjugate(t0, fu)
    _inverse_power_u(y5, t0)  # f^−u²
    tower.fq12_conjugate(t0, y5)
    _inverse_power_u(y6, t0)  # f^−u³
    tower.fq12_frobenius(t0, y6)
    tower.fq12_mul(y6, y6, t0)
    tower.fq12_frobenius(y3, fu)
    tower.fq12_frobenius(t0, y5)
    tower.fq12_mul(y4, fu, t0)

    # The published addition chain: t0 = y6²·y4·y5, t1 = y3·y5·t0, t0 ·= y2, t1 = (t1²·t0)², then y1 and y0.
    tower.fq12_copy(t0, y6)
    tower.unitary_sqr(t0)
    tower.fq12_mul(t0, t0, y4)
    tower.fq12_mul(t0, t0, y5)
    tower.fq12_mul(t1, y3, y5)
    tower.fq12_mul(t1, t1, t0)
    tower.fq12_conjugate(y5, y5)
    tower.fq12_frobenius(y5, y5)
    tower.fq12_frobenius(y5, y5)  # y2
    tower.fq12_mul(t0, t0, y5)
    tower.unitary_sqr(t1)
    tower.fq12_mul(t1, t1, t0)
    tower.unitary_sqr(t1)
    tower.fq12_conjugate(y3, f)  # y1
    tower.fq12_mul(t0, t1, y3)
    tower.unitary_sqr(t0)
    for _ in range(3):  # y0, a factor at a time
        tower.fq12_frobenius(f, f)
        tower.fq12_mul(t1, t1, f)
    tower.fq12_mul(f, t0, t1)


@kernel
def _pairing_product(out: Limbs, ps: Limbs, qs: Limbs, walkers: Limbs) -> None:
    f = address(out)
    _miller_loop(f, address(ps), address(qs), address(walkers), ps.shape[0])
    _easy_power(f)
    _hard_power(f)


def pairing_product(pairs: Sequence[tuple[G1Point, G2Point]]) -> Fq12:
    """The product of e(P, Q) over the pairs; a pair with infinity counts as 1.

    Raises:
        ValueError: a point is not in its group. (Off its subgroup the result would mean nothing.)
    """
    ps = g1.to_array(p for p, _ in pairs)
    qs = g2.to_array(q for _, q in pairs)
    if not all(g1_is_on_curve(p) for p, _ in pairs):
        raise ValueError("a first point is not on G1")
    if (index := g2.first_outside(qs)) is not None:
        raise ValueError(f"pair {index}: the second point is not in G2")
    finite = ps.any(axis=1) & qs.any(axis=1)
    out = np.empty((1, tower.FQ12_WORDS), dtype=np.uint64)
    walkers = np.empty((int(finite.sum()), _WALKER // 8), dtype=np.uint64)
    _pairing_product(out, ps[finite], qs[finite], walkers)
    return tower.fq12_from_array(out)[0]


def pairing(p: G1Point, q: G2Point) -> Fq12:
    """The optimal ate pairing e(P, Q).

    Raises:
        ValueError: a point is not in its group.
    """
    return pairing_product([(p, q)])


def pairing_check(pairs: Sequence[tuple[G1Point, G2Point]]) -> bool:
    """Whether the product of e(P, Q) over the pairs is 1; a pair with infinity counts as 1, no pairs give True.

    Raises:
        ValueError: a point is not in its group.
    """
    return pairing_product(pairs) == FQ12_ONE
