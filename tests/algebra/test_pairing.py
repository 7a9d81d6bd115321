"""The tower and the pairing: kernels against the plain reference, and both against py_ecc."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from py_ecc import optimized_bn128
from py_ecc.fields import bn128_FQ12 as PyFQ12
from test_fields import callable_kernel
from test_groups import address_of, twist_point_outside_g2

from aitbc_rollup.algebra import fq2, g2, pairing, tower
from aitbc_rollup.algebra.bn254 import ATE_LOOP, G1_GENERATOR, G2_COFACTOR, G2_GENERATOR, XI, P, R
from aitbc_rollup.algebra.limbs import from_montgomery, to_montgomery
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.algebra.reference import pairing as reference_pairing
from aitbc_rollup.algebra.reference import tower as plain
from aitbc_rollup.algebra.reference.tower import FQ12_ONE, Fq2, Fq6, Fq12

EDGES = [0, 1, 2, P - 1, P - 2, (P - 1) // 2]


def _elements(count: int) -> list[Fq12]:
    source = random.Random(254)

    def fq2_element() -> Fq2:
        pick = [*EDGES, *(source.randrange(P) for _ in range(6))]
        return source.choice(pick), source.choice(pick)

    def fq6_element() -> Fq6:
        return fq2_element(), fq2_element(), fq2_element()

    return [FQ12_ONE, (plain.FQ6_ZERO, plain.FQ6_ONE)] + [(fq6_element(), fq6_element()) for _ in range(count)]


def _to_py(x: Fq12) -> Any:
    """The same element of Fq[w]/(w¹² − 18w⁶ + 82): i = w⁶ − 9."""
    coefficients = [0] * 12
    for k in range(6):
        c0, c1 = x[k % 2][k // 2]
        coefficients[k] = (c0 - 9 * c1) % P
        coefficients[k + 6] = c1
    return PyFQ12(coefficients)


def _run(kernel: Any, *operands: Fq12) -> Fq12:
    arrays = [tower.fq12_to_array([x]) for x in operands]
    out = np.empty((1, tower.FQ12_WORDS), dtype=np.uint64)
    kernel(address_of(out), *(address_of(a) for a in arrays))
    return tower.fq12_from_array(out)[0]


def _run_in_place(kernel: Any, x: Fq12) -> Fq12:
    array = tower.fq12_to_array([x])
    kernel(address_of(array))
    return tower.fq12_from_array(array)[0]


def test_fq2_kernels() -> None:
    values = [(a, b) for a in EDGES for b in EDGES]
    out, k = np.empty((2, 4), dtype=np.uint64), to_montgomery([7], P)

    def run(kernel: Any, *operands: Fq2) -> Fq2:
        kernel = callable_kernel(kernel, len(operands))
        arrays = [to_montgomery(x, P) for x in operands]
        kernel(address_of(out), *(address_of(a) for a in arrays))
        c0, c1 = from_montgomery(out, P)
        # The output may be the first input.
        kernel(address_of(arrays[0]), *(address_of(a) for a in arrays))
        assert from_montgomery(arrays[0], P) == [c0, c1]
        return c0, c1

    for x in values:
        assert run(fq2.sqr, x) == plain.fq2_sqr(x)
        assert run(fq2.neg, x) == plain.fq2_neg(x)
        assert run(fq2.double, x) == plain.fq2_scale(x, 2)
        assert run(fq2.conjugate, x) == plain.fq2_conjugate(x)
        assert run(fq2.mul_by_xi, x) == plain.fq2_mul(x, XI)
        assert run(fq2.invert, x) == (plain.fq2_inv(x) if any(x) else (0, 0))
        assert run(fq2.copy, x) == x
        array = to_montgomery(x, P)
        assert fq2.is_zero(address_of(array)) == (x == (0, 0))
        callable_kernel(fq2.scale, 2)(address_of(out), address_of(array), address_of(k))
        assert tuple(from_montgomery(out, P)) == plain.fq2_scale(x, 7)
        for y in values[:: len(values) // 8]:
            assert run(fq2.add, x, y) == plain.fq2_add(x, y)
            assert run(fq2.sub, x, y) == plain.fq2_sub(x, y)
            assert run(fq2.mul, x, y) == plain.fq2_mul(x, y)
            assert fq2.equal(address_of(array), address_of(to_montgomery(y, P))) == (x == y)


def test_reference_tower_agrees_with_py_ecc() -> None:
    for x, y in zip(_elements(6), _elements(7)[1:], strict=True):
        assert _to_py(plain.fq12_mul(x, y)) == _to_py(x) * _to_py(y)
        assert _to_py(plain.fq12_inv(x)) == PyFQ12.one() / _to_py(x)
        assert plain.fq12_mul(x, plain.fq12_inv(x)) == FQ12_ONE
        assert plain.fq6_mul(x[0], (plain.FQ2_ZERO, plain.FQ2_ONE, plain.FQ2_ZERO)) == plain.fq6_mul_by_v(x[0])
    x = _elements(1)[-1]
    assert plain.fq12_frobenius(x) == plain.fq12_pow(x, P)
    conjugate = x
    for _ in range(6):
        conjugate = plain.fq12_frobenius(conjugate)
    assert conjugate == plain.fq12_conjugate(x)


def test_fq12_kernels() -> None:
    elements = _elements(10)
    for x, y in zip(elements, elements[::-1], strict=True):
        assert _run(tower.fq12_mul, x, y) == plain.fq12_mul(x, y)
        assert _run(tower.fq12_sqr, x) == plain.fq12_sqr(x)
        assert _run(tower.fq12_invert, x) == plain.fq12_inv(x)
        assert _run(tower.fq12_frobenius, x) == plain.fq12_frobenius(x)
        assert _run(tower.fq12_conjugate, x) == plain.fq12_conjugate(x)
        assert _run_in_place(lambda a: tower.fq12_mul(a, a, a), x) == plain.fq12_sqr(x)
        line = to_montgomery((c for pair in y[0] for c in pair), P)
        sparse = ((y[0][0], (0, 0), (0, 0)), (y[0][1], y[0][2], (0, 0)))
        assert _run_in_place(lambda a, at=line: tower.fq12_mul_by_line(a, address_of(at)), x) == plain.fq12_mul(
            x, sparse
        )
    assert _run(tower.fq12_invert, (plain.FQ6_ZERO, plain.FQ6_ZERO)) == (plain.FQ6_ZERO, plain.FQ6_ZERO)


def test_unitary_square_is_the_square_of_unitary_elements_only() -> None:
    x = _elements(3)[-1]
    unitary = plain.fq12_mul(plain.fq12_conjugate(x), plain.fq12_inv(x))
    twice = plain.fq12_frobenius(plain.fq12_frobenius(unitary))
    unitary = plain.fq12_mul(twice, unitary)
    assert _run_in_place(tower.unitary_sqr, unitary) == plain.fq12_sqr(unitary)
    assert _run_in_place(tower.unitary_sqr, x) != plain.fq12_sqr(x)


def test_signed_digits() -> None:
    digits = pairing.signed_digits(ATE_LOOP)
    assert sum(d << i for i, d in enumerate(reversed(digits))) == ATE_LOOP
    assert set(digits) <= {-1, 0, 1} and digits[0] == 1
    assert all(a == 0 or b == 0 for a, b in pairwise(digits))


def _py_pairing(p: Any, q: Any) -> Any:
    one = optimized_bn128.FQ.one()
    fq2_one = optimized_bn128.FQ2.one()
    py_p = (optimized_bn128.FQ(p[0]), optimized_bn128.FQ(p[1]), one)
    py_q = (optimized_bn128.FQ2(q[0]), optimized_bn128.FQ2(q[1]), fq2_one)
    return PyFQ12([int(c) for c in optimized_bn128.pairing(py_q, py_p).coeffs])


def test_three_pairings_agree() -> None:
    p, q = curve.g1_mul(G1_GENERATOR, 0xA11CE << 230), curve.g2_mul(G2_GENERATOR, R - 0xB0B)
    result = pairing.pairing(p, q)
    assert result == reference_pairing.pairing(p, q)
    assert _to_py(result) == _py_pairing(p, q)


def test_bilinear_and_not_degenerate() -> None:
    e = pairing.pairing(G1_GENERATOR, G2_GENERATOR)
    assert e != FQ12_ONE
    assert plain.fq12_pow(e, R) == FQ12_ONE
    for a, b in ((2, 3), (R - 1, 1), (R - 5, 7), (2**200 + 1, 2**253)):
        assert pairing.pairing(curve.g1_mul(G1_GENERATOR, a), curve.g2_mul(G2_GENERATOR, b)) == plain.fq12_pow(
            e, a * b % R
        )


def test_infinity_counts_as_one() -> None:
    assert pairing.pairing(None, G2_GENERATOR) == FQ12_ONE == reference_pairing.pairing(None, G2_GENERATOR)
    assert pairing.pairing(G1_GENERATOR, None) == FQ12_ONE == reference_pairing.pairing(G1_GENERATOR, None)
    assert pairing.pairing_check([])
    assert pairing.pairing_check([(None, None), (None, G2_GENERATOR)])
    assert not pairing.pairing_check([(None, G2_GENERATOR), (G1_GENERATOR, G2_GENERATOR)])


def test_pairing_check_is_a_product() -> None:
    minus = curve.g1_neg(G1_GENERATOR)
    six, two, three = curve.g1_mul(minus, 6), curve.g1_mul(G1_GENERATOR, 2), curve.g2_mul(G2_GENERATOR, 3)
    assert pairing.pairing_check([(G1_GENERATOR, G2_GENERATOR), (minus, G2_GENERATOR)])
    assert pairing.pairing_check([(six, G2_GENERATOR), (None, three), (two, three)])
    assert not pairing.pairing_check([(six, G2_GENERATOR), (two, three), (two, three)])
    many = [(curve.g1_mul(G1_GENERATOR, k), G2_GENERATOR) for k in range(1, 6)]
    assert pairing.pairing_check([*many, (curve.g1_mul(minus, 15), G2_GENERATOR)])


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (((1, 3), G2_GENERATOR), "a first point is not on G1"),
        ((None, (G2_GENERATOR[0], G2_GENERATOR[0])), "pair 1: the second point is not in G2"),
        ((G1_GENERATOR, "outside"), "pair 1: the second point is not in G2"),
        (((1 + P, 2), G2_GENERATOR), "expected affine coordinates"),
        (((0, 0), G2_GENERATOR), "expected affine coordinates"),
        ((G1_GENERATOR, ((0, 0), (0, 0))), "expected affine coordinates"),
        ((G1_GENERATOR, ((-1, 0), (1, 0))), "expected affine coordinates"),
    ],
)
def test_points_outside_their_group_are_refused(pair: Any, message: str) -> None:
    p, q = pair
    q = twist_point_outside_g2() if q == "outside" else q
    with pytest.raises(ValueError, match=message):
        pairing.pairing_check([(G1_GENERATOR, G2_GENERATOR), (p, q)])


def test_subgroup_check_by_the_endomorphism_agrees_with_multiplication_by_r() -> None:
    outside = twist_point_outside_g2()
    of_cofactor_order = curve.g2_mul(outside, R)
    mixed = curve.g2_add(of_cofactor_order, G2_GENERATOR)
    points = [None, G2_GENERATOR, curve.g2_mul(outside, G2_COFACTOR), outside, of_cofactor_order, mixed]
    by_order = [curve.g2_is_in_subgroup(point) for point in points]
    assert by_order == [True, True, True, False, False, False]
    assert [g2.first_outside(g2.to_array([point])) is None for point in points] == by_order
    assert g2.first_outside(g2.to_array([None, G2_GENERATOR, outside, outside])) == 2
    off_curve = (G2_GENERATOR[0], G2_GENERATOR[0])
    assert g2.first_outside(g2.to_array([off_curve])) == 0
