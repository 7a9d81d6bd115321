"""The tower Fq2 → Fq6 → Fq12 over plain integers, by its definition.

::

    Fq2  = Fq[i]/(i² + 1)            (c0, c1)          c0 + c1·i
    Fq6  = Fq2[v]/(v³ − ξ)           (a0, a1, a2)      a0 + a1·v + a2·v²        ξ = 9 + i
    Fq12 = Fq6[w]/(w² − v)           (b0, b1)          b0 + b1·w                so w⁶ = ξ

Frobenius x ↦ x^p conjugates Fq2 and multiplies v by ξ^((p−1)/3), w by ξ^((p−1)/6).
"""

from __future__ import annotations

from ..bn254 import G1_B, XI, P

Fq2 = tuple[int, int]
Fq6 = tuple[Fq2, Fq2, Fq2]
Fq12 = tuple[Fq6, Fq6]

FQ2_ZERO: Fq2 = (0, 0)
FQ2_ONE: Fq2 = (1, 0)
FQ6_ZERO: Fq6 = (FQ2_ZERO, FQ2_ZERO, FQ2_ZERO)
FQ6_ONE: Fq6 = (FQ2_ONE, FQ2_ZERO, FQ2_ZERO)
FQ12_ONE: Fq12 = (FQ6_ONE, FQ6_ZERO)


def fq2_add(x: Fq2, y: Fq2) -> Fq2:
    """Sum."""
    return (x[0] + y[0]) % P, (x[1] + y[1]) % P


def fq2_sub(x: Fq2, y: Fq2) -> Fq2:
    """Difference."""
    return (x[0] - y[0]) % P, (x[1] - y[1]) % P


def fq2_neg(x: Fq2) -> Fq2:
    """Negative."""
    return -x[0] % P, -x[1] % P


def fq2_mul(x: Fq2, y: Fq2) -> Fq2:
    """Product."""
    return (x[0] * y[0] - x[1] * y[1]) % P, (x[0] * y[1] + x[1] * y[0]) % P


def fq2_sqr(x: Fq2) -> Fq2:
    """Square."""
    return fq2_mul(x, x)


def fq2_scale(x: Fq2, k: int) -> Fq2:
    """Product with an integer."""
    return x[0] * k % P, x[1] * k % P


def fq2_conjugate(x: Fq2) -> Fq2:
    """c0 − c1·i, which is x^p."""
    return x[0], -x[1] % P


def fq2_inv(x: Fq2) -> Fq2:
    """Inverse of a nonzero element.

    Raises:
        ValueError: x is zero.
    """
    return fq2_scale(fq2_conjugate(x), pow(x[0] * x[0] + x[1] * x[1], -1, P))


def fq2_pow(x: Fq2, exponent: int) -> Fq2:
    """Power with an exponent ≥ 0."""
    result = FQ2_ONE
    for bit in bin(exponent)[2:]:
        result = fq2_sqr(result)
        if bit == "1":
            result = fq2_mul(result, x)
    return result


#: Constant of the twist, b' = 3/ξ.
B_TWIST: Fq2 = fq2_scale(fq2_inv(XI), G1_B)
#: ξ^(k(p−1)/6), by which Frobenius multiplies wᵏ, k = 0 … 5.
FROBENIUS: tuple[Fq2, ...] = tuple(fq2_pow(XI, k * (P - 1) // 6) for k in range(6))


def fq6_add(x: Fq6, y: Fq6) -> Fq6:
    """Sum."""
    return fq2_add(x[0], y[0]), fq2_add(x[1], y[1]), fq2_add(x[2], y[2])


def fq6_sub(x: Fq6, y: Fq6) -> Fq6:
    """Difference."""
    return fq2_sub(x[0], y[0]), fq2_sub(x[1], y[1]), fq2_sub(x[2], y[2])


def fq6_neg(x: Fq6) -> Fq6:
    """Negative."""
    return fq6_sub(FQ6_ZERO, x)


def fq6_mul(x: Fq6, y: Fq6) -> Fq6:
    """Product, schoolbook."""
    degrees = [FQ2_ZERO] * 5
    for j in range(3):
        for k in range(3):
            degrees[j + k] = fq2_add(degrees[j + k], fq2_mul(x[j], y[k]))
    return (
        fq2_add(degrees[0], fq2_mul(XI, degrees[3])),
        fq2_add(degrees[1], fq2_mul(XI, degrees[4])),
        degrees[2],
    )


def fq6_mul_by_v(x: Fq6) -> Fq6:
    """Product with v."""
    return fq2_mul(XI, x[2]), x[0], x[1]


def fq6_inv(x: Fq6) -> Fq6:
    """Inverse of a nonzero element: the adjugate of multiplication by x, over its determinant."""
    a, b, c = x
    t0 = fq2_sub(fq2_sqr(a), fq2_mul(XI, fq2_mul(b, c)))
    t1 = fq2_sub(fq2_mul(XI, fq2_sqr(c)), fq2_mul(a, b))
    t2 = fq2_sub(fq2_sqr(b), fq2_mul(a, c))
    determinant = fq2_add(fq2_mul(a, t0), fq2_mul(XI, fq2_add(fq2_mul(c, t1), fq2_mul(b, t2))))
    scale = fq2_inv(determinant)
    return fq2_mul(t0, scale), fq2_mul(t1, scale), fq2_mul(t2, scale)


def fq12_mul(x: Fq12, y: Fq12) -> Fq12:
    """Product."""
    low, high = fq6_mul(x[0], y[0]), fq6_mul(x[1], y[1])
    cross = fq6_add(fq6_mul(x[0], y[1]), fq6_mul(x[1], y[0]))
    return fq6_add(low, fq6_mul_by_v(high)), cross


def fq12_sqr(x: Fq12) -> Fq12:
    """Square."""
    return fq12_mul(x, x)


def fq12_conjugate(x: Fq12) -> Fq12:
    """b0 − b1·w, which is x^(p⁶)."""
    return x[0], fq6_neg(x[1])


def fq12_inv(x: Fq12) -> Fq12:
    """Inverse of a nonzero element."""
    norm = fq6_sub(fq6_mul(x[0], x[0]), fq6_mul_by_v(fq6_mul(x[1], x[1])))
    scale = fq6_inv(norm)
    return fq6_mul(x[0], scale), fq6_neg(fq6_mul(x[1], scale))


def fq12_pow(x: Fq12, exponent: int) -> Fq12:
    """Power with an exponent ≥ 0."""
    result = FQ12_ONE
    for bit in bin(exponent)[2:]:
        result = fq12_sqr(result)
        if bit == "1":
            result = fq12_mul(result, x)
    return result


def fq12_frobenius(x: Fq12) -> Fq12:
    """x^p: conjugate each coefficient of wᵏ and multiply it by ξ^(k(p−1)/6)."""
    (c0, c2, c4), (c1, c3, c5) = x
    k0, k1, k2, k3, k4, k5 = (
        fq2_mul(fq2_conjugate(c), factor) for c, factor in zip((c0, c1, c2, c3, c4, c5), FROBENIUS, strict=True)
    )
    return (k0, k2, k4), (k1, k3, k5)
