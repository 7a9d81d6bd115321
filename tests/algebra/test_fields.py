"""Fq and Fr: the kernels against galois, at the edges and at random."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import galois
import numba
import numpy as np
import pytest
from test_groups import address_of

from aitbc_rollup.algebra import field_kernels, fq, fr
from aitbc_rollup.algebra.bn254 import FR_GENERATOR
from aitbc_rollup.algebra.jit import Intrinsic
from aitbc_rollup.algebra.limbs import from_limbs, from_montgomery, to_limbs, to_montgomery

fields = pytest.mark.parametrize("field", [fq, fr], ids=["Fq", "Fr"])


def _galois(modulus: int) -> Any:
    # 3 generates Fq's group as 5 does Fr's; galois uses it for logarithms only.
    return galois.GF(modulus, primitive_element=FR_GENERATOR if modulus == fr.MODULUS else 3, verify=False)


def _values(modulus: int) -> list[int]:
    source = random.Random(1)
    words = [2**64 - 1, 2**64, 2**128 - 1, 2**192, 2**253]
    return [0, 1, 2, modulus - 1, modulus - 2, modulus // 2, *words, *(source.randrange(modulus) for _ in range(10))]


@cache
def callable_kernel(operation: Any, arity: int) -> Any:
    """An intrinsic, which exists inside kernels only, as a function of addresses."""
    if not isinstance(operation, Intrinsic):
        return operation
    if arity == 2:
        return numba.njit(lambda out, x, y: operation(out, x, y))
    return numba.njit(lambda out, x: operation(out, x))


def _apply(operation: Any, modulus: int, *operands: int) -> int:
    """The result, computed once into fresh memory and once over each operand in turn."""
    kernel = callable_kernel(operation, len(operands))
    results = []
    for target in range(-1, len(operands)):
        arrays = [to_montgomery([x], modulus) for x in operands]
        out = np.empty((1, 4), dtype=np.uint64) if target < 0 else arrays[target]
        kernel(address_of(out), *(address_of(a) for a in arrays))
        assert from_limbs(out)[0] < modulus, "fully reduced"
        results += from_montgomery(out, modulus)
    assert len(set(results)) == 1
    return results[0]


@fields
def test_binary_operations(field: Any) -> None:
    m, GF = field.MODULUS, _galois(field.MODULUS)
    values = _values(m)
    for x in values:
        for y in values[::2]:
            a, b = GF(x), GF(y)
            assert _apply(field.mul, m, x, y) == int(a * b)
            assert _apply(field.add, m, x, y) == int(a + b)
            assert _apply(field.sub, m, x, y) == int(a - b)
            assert field.equal(address_of(to_limbs([x])), address_of(to_limbs([y]))) == (x == y)


@fields
def test_unary_operations(field: Any) -> None:
    m, GF = field.MODULUS, _galois(field.MODULUS)
    for x in _values(m):
        a = GF(x)
        assert _apply(field.sqr, m, x) == int(a * a)
        assert _apply(field.neg, m, x) == int(-a)
        assert _apply(field.double, m, x) == int(a + a)
        assert _apply(field.invert, m, x) == (int(a**-1) if x else 0)
        assert _apply(field.copy, m, x) == x
        assert field.is_zero(address_of(to_limbs([x]))) == (x == 0)


@fields
def test_montgomery_form(field: Any) -> None:
    m = field.MODULUS
    values = _values(m)
    canonical, form = to_limbs(values), to_montgomery(values, m)
    assert np.array_equal(field.batch_to_montgomery(canonical), form)
    assert np.array_equal(field.batch_from_montgomery(form), canonical)
    out = np.empty(4, dtype=np.uint64)
    field.set_one(address_of(out))
    assert np.array_equal(out, field.ONE) and from_montgomery(out, m) == [1]
    field.set_zero(address_of(out))
    assert not out.any()


@fields
def test_arrays_that_do_not_fit_are_refused(field: Any) -> None:
    for wrong in (np.zeros((2, 3), np.uint64), np.zeros((2, 4), np.int64), np.zeros((4, 4), np.uint64)[:, ::2]):
        with pytest.raises(ValueError, match="C-contiguous uint64"):
            field.batch_to_montgomery(wrong)


@pytest.mark.parametrize("modulus", [2**254 + 1, 2**200, 2**64 - 59])
def test_moduli_without_spare_bits_are_refused(modulus: int) -> None:
    with pytest.raises(ValueError, match="odd modulus"):
        field_kernels.build("bad", modulus)


def test_limbs_refuse_what_does_not_fit() -> None:
    for value in (-1, 2**256):
        with pytest.raises(OverflowError):
            to_limbs([value])
