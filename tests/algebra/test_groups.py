"""G1 and G2: the kernels and the plain reference against py_ecc, over every exceptional case."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from py_ecc import bn128

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_COFACTOR, G2_GENERATOR, P, R
from aitbc_rollup.algebra.jit import address
from aitbc_rollup.algebra.limbs import to_limbs, to_montgomery
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.algebra.reference.tower import Fq2

G1 = SimpleNamespace(
    kernels=g1, generator=G1_GENERATOR, add=curve.g1_add, neg=curve.g1_neg, mul=curve.g1_mul,
    on_curve=curve.g1_is_on_curve, py=bn128.G1, b=bn128.b,
    from_py=lambda p: None if p is None else tuple(int(c) for c in p),
    off_curve=(1, 3), shifted=lambda p: (p[0] + P, p[1]),
)  # fmt: skip
G2 = SimpleNamespace(
    kernels=g2, generator=G2_GENERATOR, add=curve.g2_add, neg=curve.g2_neg, mul=curve.g2_mul,
    on_curve=curve.g2_is_on_curve, py=bn128.G2, b=bn128.b2,
    from_py=lambda p: None if p is None else tuple(tuple(int(c) for c in part.coeffs) for part in p),
    off_curve=(G2_GENERATOR[0], G2_GENERATOR[0]), shifted=lambda p: ((p[0][0] + P, p[0][1]), p[1]),
)  # fmt: skip
groups = pytest.mark.parametrize("group", [G1, G2], ids=["G1", "G2"])


def twist_point_outside_g2() -> tuple[Fq2, Fq2]:
    """The affine point with the smallest x = c + i that is on the twist; the cofactor is prime to r, so r·P ≠ 0."""
    from py_ecc.fields import bn128_FQ2 as FQ2

    for c in range(100):
        square = FQ2([c, 1]) ** 3 + bn128.b2
        # Complex method: a square root in Fq2 from one of the norm in Fq (p = 3 mod 4).
        a, b = (int(x) for x in square.coeffs)
        norm = pow(a * a + b * b, (P + 1) // 4, P)
        for sign in (norm, -norm):
            half = (a + sign) * pow(2, -1, P) % P
            re = pow(half, (P + 1) // 4, P)
            if re and re * re % P == half:
                y = (re, b * pow(2 * re, -1, P) % P)
                if FQ2(y) ** 2 == square:
                    return (c, 1), y
    raise AssertionError("no point found")


def _point_array(group: Any, points: list[Any]) -> np.ndarray[Any, Any]:
    return group.kernels.to_array(points)


def _accumulator(group: Any, point: Any, z: int = 1) -> np.ndarray[Any, Any]:
    """The point with ZZ = z², ZZZ = z³: one of its many forms."""
    words = group.kernels.ACC_WORDS
    acc = np.zeros((1, words), dtype=np.uint64)
    quarter = words // 4
    if point is None:
        # X and Y of infinity are arbitrary.
        acc[0, : 2 * quarter] = np.tile(to_montgomery([7], P)[0], quarter // 2)
        return acc
    scales = (z**2, z**3)
    flat = [[c] if isinstance(c, int) else list(c) for c in point]
    values = [[c * s for c in part] for part, s in zip(flat, scales, strict=True)]
    values += [[s] + [0] * (quarter // 4 - 1) for s in scales]
    acc[0] = to_montgomery([c for part in values for c in part], P).reshape(-1)
    return acc


def _affine(group: Any, acc: np.ndarray[Any, Any]) -> Any:
    return group.kernels.from_array(group.kernels.normalise(acc))[0]


def _sample(group: Any) -> list[Any]:
    base = group.generator
    five = group.mul(base, 5)
    return [None, base, group.neg(base), group.add(base, base), five, group.neg(five), group.mul(base, R - 1)]


@groups
def test_reference_agrees_with_py_ecc(group: Any) -> None:
    total = None
    for k in range(6):
        assert group.mul(group.generator, k) == total == group.from_py(bn128.multiply(group.py, k) if k else None)
        total = group.add(total, group.generator)
    k = 0xDEADBEEF << 200 | 12345
    assert group.mul(group.generator, k) == group.from_py(bn128.multiply(group.py, k))
    assert group.mul(group.generator, -k) == group.from_py(bn128.neg(bn128.multiply(group.py, k)))


@groups
def test_arrays_round_trip(group: Any) -> None:
    points = _sample(group)
    assert group.kernels.from_array(_point_array(group, points)) == points
    assert group.kernels.from_array(_point_array(group, [])) == []


@groups
@pytest.mark.parametrize("z", [1, 3, P - 1])
def test_addition_of_every_pair(group: Any, z: int) -> None:
    k = group.kernels
    points = _sample(group)
    for left in points:
        for right in points:
            expected = group.add(left, right)
            difference = group.add(left, group.neg(right))
            affine = _point_array(group, [right])
            for operation, other, answer in (
                (k.add_affine, affine, expected),
                (k.sub_affine, affine, difference),
                (k.add, _accumulator(group, right), expected),
                (k.add, _accumulator(group, right, 11), expected),
                (k.sub, _accumulator(group, right, 11), difference),
            ):
                acc = _accumulator(group, left, z)
                operation(address_of(acc), address_of(other))
                assert _affine(group, acc) == answer
            a, b = _accumulator(group, left, z), _accumulator(group, right, 11)
            assert k.equal(address_of(a), address_of(b)) == (left == right)


@groups
def test_doubling_and_an_accumulator_added_to_itself(group: Any) -> None:
    k = group.kernels
    for point in _sample(group):
        expected = group.add(point, point)
        acc = _accumulator(group, point, 5)
        k.double(address_of(acc))
        assert _affine(group, acc) == expected
        acc = _accumulator(group, point, 5)
        k.add(address_of(acc), address_of(acc))
        assert _affine(group, acc) == expected
        acc = _accumulator(group, point, 5)
        k.sub(address_of(acc), address_of(acc))
        assert _affine(group, acc) is None


@groups
def test_sums_stay_right_along_a_chain(group: Any) -> None:
    acc = _accumulator(group, None)
    base = _point_array(group, [group.generator])
    for _ in range(20):
        group.kernels.double(address_of(acc))
        group.kernels.add_affine(address_of(acc), address_of(base))
    assert _affine(group, acc) == group.mul(group.generator, 2**20 - 1)


@groups
def test_batch_to_affine_agrees_with_one_at_a_time(group: Any) -> None:
    k = group.kernels
    points = [*_sample(group), None, None]
    accs = np.concatenate([_accumulator(group, point, 3 + i) for i, point in enumerate(points)])
    assert k.from_array(k.normalise(accs)) == points
    single = np.empty((1, k.AFFINE_WORDS), dtype=np.uint64)
    for i, point in enumerate(points):
        one = accs[i : i + 1].copy()
        k.to_affine(address_of(single), address_of(one))
        assert k.from_array(single) == [point]
    assert k.from_array(k.normalise(accs[:0])) == []
    assert k.from_array(k.normalise(accs[:1])) == [None]


@groups
def test_multiply(group: Any) -> None:
    k = group.kernels
    scalars = [0, 1, 2, R - 1, R, R + 1, 2**256 - 1, 0x123456789 << 190]
    points = [group.generator] * len(scalars) + [None]
    result = k.multiply(_point_array(group, points), to_limbs([*scalars, 77]))
    assert k.from_array(result) == [group.mul(group.generator, s) for s in scalars] + [None]


@groups
def test_multiply_refuses_arrays_that_do_not_fit(group: Any) -> None:
    points = _point_array(group, [group.generator] * 2)
    with pytest.raises(ValueError, match="shape"):
        group.kernels.multiply(points, to_limbs([1]))
    with pytest.raises(ValueError, match="shape"):
        group.kernels.multiply(points[:, :4], to_limbs([1, 2]))


@groups
def test_on_curve(group: Any) -> None:
    good = _sample(group)
    assert all(group.on_curve(point) for point in good)
    assert group.kernels.first_off_curve(_point_array(group, good)) is None
    assert not group.on_curve(group.off_curve)
    assert group.kernels.first_off_curve(_point_array(group, [*good, group.off_curve, None])) == len(good)
    assert not group.on_curve(group.shifted(group.generator)), "coordinates of p and above are not canonical"


@groups
def test_order_is_r(group: Any) -> None:
    assert group.mul(group.generator, R) is None
    assert group.mul(group.generator, R - 1) == group.neg(group.generator)


def test_group_law_holds_off_the_subgroup() -> None:
    outside = twist_point_outside_g2()
    assert curve.g2_is_on_curve(outside)
    assert not curve.g2_is_in_subgroup(outside)
    cleared = curve.g2_mul(outside, G2_COFACTOR)
    assert cleared is not None and curve.g2_is_in_subgroup(cleared)
    result = g2.multiply(g2.to_array([outside] * 3), to_limbs([R, G2_COFACTOR, R * G2_COFACTOR % 2**256]))
    assert g2.from_array(result)[:2] == [curve.g2_mul(outside, R), cleared]


def address_of(array: np.ndarray[Any, Any]) -> int:
    assert array.flags.c_contiguous
    return int(array.ctypes.data)


def test_address_of_is_what_kernels_see() -> None:
    from aitbc_rollup.algebra.jit import kernel

    @kernel
    def where(array):  # type: ignore[no-untyped-def]
        return address(array)

    array = np.zeros(4, dtype=np.uint64)
    assert where(array) == address_of(array)
