"""Transforms and quotients of the CPU engine at every size a schedule differs in."""

from __future__ import annotations

import random

import numpy as np
import pytest

from aitbc_rollup.algebra import fr
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, from_montgomery, to_montgomery
from aitbc_rollup.prover import qap
from aitbc_rollup.prover.cpu import ntt, tiles, vectors

RNG = random.Random(15)

#: Powers with that of the largest tile: the usual one, and one with which vectors of 2^9 and more have rows that are
#: vectors again, as otherwise from 2^21 on.
SIZES = [*((power, tiles.LARGEST) for power in range(13)), *((power, 4) for power in range(8, 13))]


def plain_ntt(values: list[int], root: int) -> list[int]:
    """Values at the powers of ``root``: even and odd coefficients apart, by recursion."""
    if len(values) == 1:
        return values
    even, odd = (plain_ntt(values[start::2], root * root % R) for start in (0, 1))
    low, high, x = [], [], 1
    for e, o in zip(even, odd, strict=True):
        low.append((e + x * o) % R)
        high.append((e - x * o) % R)
        x = x * root % R
    return low + high


def shifted(values: list[int], shift: int) -> list[int]:
    """Coefficients of p(shift·x)."""
    return [value * pow(shift, i, R) % R for i, value in enumerate(values)]


def plain_quotient(a: list[int], b: list[int], power: int, shift: int) -> list[int]:
    root, n = ntt.root_of_unity(power), 1 << power
    on_domain = (a, b, [x * y % R for x, y in zip(a, b, strict=True)])
    coefficients = [[x * pow(n, -1, R) for x in plain_ntt(values, pow(root, -1, R))] for values in on_domain]
    on_coset = (plain_ntt(shifted(c, shift), root) for c in coefficients)
    return [(x * y - z) % R for x, y, z in zip(*on_coset, strict=True)]


def elements(count: int) -> list[int]:
    """The ends of the range and random numbers, mixed."""
    return RNG.sample([0, 1, R - 1, R - 1, *(RNG.randrange(R) for _ in range(count))], count)


def random_rows(count: int) -> Limbs:
    rows = np.random.default_rng(RNG.randrange(1 << 32)).integers(0, 1 << 64, (count, 4), np.uint64)
    rows[:, 3] >>= np.uint64(3)
    return rows


@pytest.mark.parametrize(("power", "largest"), SIZES)
@pytest.mark.parametrize("shift", [1, 5])
def test_transforms_agree_with_plain_ones(
    power: int, largest: int, shift: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "LARGEST", largest)
    coefficients = elements(1 << power)
    values = plain_ntt(shifted(coefficients, shift), ntt.root_of_unity(power))
    assert (ntt.ntt(to_montgomery(coefficients, R), shift) == to_montgomery(values, R)).all()
    assert (ntt.intt(to_montgomery(values, R), shift) == to_montgomery(coefficients, R)).all()


@pytest.mark.parametrize(("power", "largest"), SIZES)
def test_quotient_agrees_with_plain_one(power: int, largest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "LARGEST", largest)
    n = 1 << power
    extremes = [[0] * n, [1] * n, [R - 1] * n, [R - 1, 0] * (n // 2) or [R - 1]]
    pairs = [(elements(n), elements(n)), *([(x, x) for x in extremes] if power in (3, 8) else [])]
    for a, b in pairs:
        for shift in (qap.coset_shift(power), 25) if power < 8 else (25,):
            got = ntt.quotient(to_montgomery(a, R), to_montgomery(b, R), shift)
            assert from_limbs(got) == plain_quotient(a, b, power, shift)


@pytest.mark.parametrize("power", [16, 17, 19])
def test_long_transforms_by_what_is_known_of_them(power: int) -> None:
    """They are linear, have inverses, and take the powers of x to geometric sums."""
    n, shift, x = 1 << power, 7, RNG.randrange(R)
    geometric, noise = ntt.powers(x, n), random_rows(n)
    values, others = ntt.ntt(geometric, shift), ntt.ntt(noise, shift)
    root = ntt.root_of_unity(power)
    for i in (0, 1, n // 2, n - 1, *(RNG.randrange(n) for _ in range(20))):
        ratio = shift * pow(root, i, R) * x % R
        assert from_montgomery(values[i], R) == [(pow(ratio, n, R) - 1) * pow(ratio - 1, -1, R) % R]
    assert (ntt.intt(others, shift) == noise).all()
    constant = to_montgomery([R - 1], R).repeat(n, axis=0)
    assert from_montgomery(ntt.ntt(constant)[:2], R) == [R - n, 0]
    assert not ntt.ntt(constant)[1:].any()
    factors = [3, R - 5]
    combined = ntt.ntt(vectors.combine([geometric, noise], factors), shift)
    assert (combined == vectors.combine([values, others], factors)).all()


@pytest.mark.parametrize("power", [16, 17])
def test_long_quotients_by_what_is_known_of_them(power: int) -> None:
    """a·b = c + (xⁿ − 1)·h with h of degree n − 2 at most; where gⁿ = −1, a·b − c is −2h."""
    n, x = 1 << power, RNG.randrange(R)
    shift = qap.coset_shift(power)
    values = random_rows(n), random_rows(n)
    h = ntt.intt(fr.batch_to_montgomery(ntt.quotient(*values, shift)), shift)
    at = ntt.powers(x, n)
    polynomials = [*(ntt.intt(v) for v in (*values, ntt.multiply(*values))), h]
    a_x, b_x, c_x, h_x = (sum(from_montgomery(ntt.multiply(part, at), R)) for part in polynomials)
    assert (2 * (a_x * b_x - c_x) + (pow(x, n, R) - 1) * h_x) % R == 0
    assert from_montgomery(h[-1], R) == [0]


def test_quotient_in_its_arguments_memory() -> None:
    a, b = random_rows(64), random_rows(64)
    expected = ntt.quotient(a, b, 5)
    result = ntt.quotient(a, b, 5, overwrite=True)
    assert np.shares_memory(result, a)
    assert (result == expected).all()


def test_domains_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="different domains: 4 and 8"):
        ntt.quotient(random_rows(4), random_rows(8), 5)
