"""Baby Jubjub: its parameters recomputed, the group law's edge cases, circomlibjs 0.1.7's multiples."""

import json
from pathlib import Path
from random import Random

import pytest

from aitbc_rollup.algebra import babyjubjub as fast
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
            p = curve.from_montgomery((u, curve.square_root(square)))
            assert curve.multiply(p, curve.COFACTOR // 2 * curve.SUBGROUP_ORDER) == curve.IDENTITY


@pytest.mark.parametrize("group", [curve, fast], ids=["reference", "kernel"])
def test_group_law(group):
    p, q = curve.BASE8, curve.GENERATOR
    assert group.add(p, curve.IDENTITY) == p
    assert group.add(p, curve.negate(p)) == curve.IDENTITY
    assert group.add(p, q) == group.add(q, p)
    assert group.add(group.add(p, q), p) == group.add(p, group.add(q, p))
    assert group.add(p, p) == group.multiply(p, 2)
    assert group.add(p, ORDER_TWO) == (-p[0] % R, -p[1] % R)
    assert group.add(ORDER_TWO, ORDER_TWO) == curve.IDENTITY


@pytest.mark.parametrize("group", [curve, fast], ids=["reference", "kernel"])
def test_equals_circomlibjs(group):
    for case in VECTORS:
        assert group.multiply(curve.BASE8, int(case["scalar"])) == point(case["base8"])
        assert group.multiply(curve.GENERATOR, int(case["scalar"])) == point(case["generator"])


def test_combine_equals_reference():
    random = Random(1)
    p, q = curve.GENERATOR, curve.multiply(curve.BASE8, 99)
    scalars = [0, 1, 2, curve.SUBGROUP_ORDER, 2**256 - 1, random.getrandbits(256), random.getrandbits(64)]
    for k in scalars:
        for m in scalars[::3]:
            expected = curve.add(curve.multiply(p, k), curve.multiply(q, m))
            assert fast.combine(p, k, q, m) == expected
    assert fast.combine(p, 5, curve.negate(p), 5) == curve.IDENTITY
    with pytest.raises(OverflowError):
        fast.multiply(p, 2**256)
    with pytest.raises(OverflowError):
        fast.multiply(p, -1)


def test_subgroup():
    for group in (curve, fast):
        assert group.is_in_subgroup(curve.BASE8) and group.is_in_subgroup(curve.IDENTITY)
        assert not group.is_in_subgroup(curve.GENERATOR) and not group.is_in_subgroup(ORDER_TWO)
        assert not group.is_in_subgroup((1, 1)), "off the curve"


def test_compression():
    points = [curve.multiply(curve.GENERATOR, k) for k in range(40)] + [ORDER_TWO]
    for p in points:
        assert curve.decompress(curve.compress(p)) == p
    good = curve.compress(curve.BASE8)
    squares = ((y, (1 - y * y) * pow(curve.A - curve.D * y * y, -1, R)) for y in range(2, 99))
    off_curve = next(y for y, square in squares if not is_square(square))
    for bad, message in [
        (good[:31], "32 bytes, not 31"),
        ((R + 1).to_bytes(32, "little"), "y is not in"),
        ((1 | 1 << 255).to_bytes(32, "little"), "no point"),
        (off_curve.to_bytes(32, "little"), "no point"),
    ]:
        with pytest.raises(ValueError, match=message):
            curve.decompress(bad)


def test_square_root():
    for n in [0, 1, 2, 4, R - 1, 5**14, *(pow(5, (R - 1) >> k, R) for k in range(2, 29))]:
        root = curve.square_root(n)
        assert (root is None) == (n != 0 and not is_square(n))
        assert root is None or root * root % R == n


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
