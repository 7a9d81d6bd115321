"""Baby Jubjub: its parameters recomputed, the group law's edge cases, circomlibjs 0.1.7's multiples."""

import json
from pathlib import Path

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.reference import babyjubjub as curve

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "circomlibjs.json").read_text())["babyjubjub"]

#: (0, −1) has order 2; adding it negates both coordinates.
ORDER_TWO = (0, R - 1)


def point(strings):
    return int(strings[0]), int(strings[1])


def is_square(x):
    return pow(x, (R - 1) // 2, R) == 1


def test_parameters():
    assert is_square(curve.A) and not is_square(curve.D)
    assert curve.A - curve.D == 4
    assert (curve.A + curve.D) * 2 // 4 == curve.MONTGOMERY_A
    assert pow(2, curve.SUBGROUP_ORDER - 1, curve.SUBGROUP_ORDER) == 1
    order = curve.COFACTOR * curve.SUBGROUP_ORDER
    assert (order - (R + 1)) ** 2 <= 4 * R, "Hasse's bound"
    assert curve.multiply(curve.GENERATOR, order) == curve.IDENTITY
    assert curve.multiply(curve.GENERATOR, order // 2) != curve.IDENTITY
    assert curve.multiply(curve.GENERATOR, curve.COFACTOR) == curve.BASE8
    assert curve.is_in_subgroup(curve.BASE8) and not curve.is_in_subgroup(curve.GENERATOR)


def test_the_generator_has_the_least_u():
    assert curve.to_montgomery(curve.GENERATOR)[0] == 7
    for u in range(1, 7):  # every smaller u is off the curve or of smaller order
        square = (u**3 + curve.MONTGOMERY_A * u**2 + u) % R
        if is_square(square):
            p = curve.from_montgomery((u, square_root(square)))
            assert curve.multiply(p, curve.COFACTOR // 2 * curve.SUBGROUP_ORDER) == curve.IDENTITY


def square_root(n):
    """Tonelli–Shanks with the non-residue 5."""
    q, s = R - 1, 0
    while q % 2 == 0:
        q, s = q // 2, s + 1
    m, c, t, root = s, pow(5, q, R), pow(n, q, R), pow(n, (q + 1) // 2, R)
    while t != 1:
        i, t2 = 0, t
        while t2 != 1:
            t2, i = t2 * t2 % R, i + 1
        b = pow(c, 1 << (m - i - 1), R)
        m, c, t, root = i, b * b % R, t * b * b % R, root * b % R
    return root


def test_group_law():
    p, q = curve.BASE8, curve.GENERATOR
    assert curve.add(p, curve.IDENTITY) == p
    assert curve.add(p, curve.negate(p)) == curve.IDENTITY
    assert curve.add(p, q) == curve.add(q, p)
    assert curve.add(curve.add(p, q), p) == curve.add(p, curve.add(q, p))
    assert curve.add(p, p) == curve.multiply(p, 2)
    assert curve.add(p, ORDER_TWO) == (-p[0] % R, -p[1] % R)
    assert curve.add(ORDER_TWO, ORDER_TWO) == curve.IDENTITY


def test_equals_circomlibjs():
    for case in VECTORS:
        assert curve.multiply(curve.BASE8, int(case["scalar"])) == point(case["base8"])
        assert curve.multiply(curve.GENERATOR, int(case["scalar"])) == point(case["generator"])


def test_on_curve_is_exact():
    x, y = curve.BASE8
    assert curve.is_on_curve((x, y)) and curve.is_on_curve(curve.IDENTITY) and curve.is_on_curve(ORDER_TWO)
    assert not curve.is_on_curve((x + 1, y)) and not curve.is_on_curve((x, y + 1))
    assert not curve.is_on_curve((x + R, y)) and not curve.is_on_curve((x, y - R))
    assert not curve.is_on_curve((0, 0))


def test_refusals():
    with pytest.raises(ValueError, match="negative"):
        curve.multiply(curve.BASE8, -1)
    with pytest.raises(ValueError, match="no affine Montgomery form"):
        curve.to_montgomery(ORDER_TWO)
