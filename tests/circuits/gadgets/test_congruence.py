"""Σ vᵢ·wᵢ ≡ 0 mod m over the integers: any ranges and weights, and the premise of the argument recomputed."""

from __future__ import annotations

import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.gadgets import congruence
from aitbc_rollup.circuits.gadgets.congruence import assert_multiple
from aitbc_rollup.errors import BadInputError

RANGES = st.tuples(st.integers(-(1 << 120), 1 << 120), st.integers(0, 1 << 120)).map(lambda x: (x[0], x[0] + x[1]))
TERMS = st.lists(st.tuples(RANGES, st.integers(-(1 << 300), 1 << 300)), min_size=1, max_size=6)
MODULI = st.one_of(st.integers(1, 1 << 20), st.integers(1 << 250, (1 << 255) - 1)).map(lambda x: 2 * x + 1)


@settings(max_examples=25, deadline=None)
@given(TERMS, MODULI, st.sampled_from([None, 8]), st.randoms(use_true_random=False))
def test_multiples_and_no_others(
    terms: list[tuple[tuple[int, int], int]], modulus: int, width: int | None, chance: random.Random
) -> None:
    """The last value, of weight 1, makes the sum a multiple; one more and it is none."""
    circuit = Circuit(limb_bits=width)
    wires = circuit.private_inputs("x", len(terms) + 1)
    last = 1 << 252 if modulus > 1 << 252 else modulus
    ranges = [*(pair for pair, _ in terms), (0, last)]
    values = [wire.within(low, high) for wire, (low, high) in zip(wires, ranges, strict=True)]
    weights = [*(weight for _, weight in terms), 1]
    if last < modulus:
        # A value that fits Fr cannot be every residue of so large a modulus: let two share it.
        high = circuit.private_input("high").within(0, 1 << 16)
        values, weights, ranges = [*values, high], [*weights, last], [*ranges, (0, 1 << 16)]
    assert_multiple(circuit, values, weights, modulus)
    compiled = circuit.compile()
    for pick in (min, max, lambda pair: chance.randint(*pair)):
        chosen = [pick(pair) for pair, _ in terms]
        missing = -sum(x * weight for x, (_, weight) in zip(chosen, terms, strict=True)) % modulus
        inputs = {"x": [x % R for x in (*chosen, missing % last)]}
        if last < modulus:
            inputs["high"] = missing // last  # type: ignore[assignment]
        assert check(compiled, compiled.witness(inputs)) is None
        inputs["x"][-1] += 1
        assert check(compiled, compiled.witness(inputs)) is not None


@settings(max_examples=200, deadline=None)
@given(TERMS, MODULI, st.sampled_from([1, 8, 11, 16]))
def test_no_column_can_wrap(terms: list[tuple[tuple[int, int], int]], modulus: int, step: int) -> None:
    """The premise of docs/spec/emulated.md, from the plan's numbers alone, in unbounded integers."""
    bounds, weights = tuple(pair for pair, _ in terms), tuple(weight % modulus for _, weight in terms)
    plan = congruence._plan(bounds, weights, modulus, step)
    assume(plan is not None)
    assert plan is not None
    total = [sum(f(w * x for x in pair) for w, pair in zip(weights, bounds, strict=True)) for f in (min, max)]
    q_low, q_high = plan.quotient.bounds
    assert q_low * modulus - modulus < total[0] and total[1] < (q_high + 1) * modulus
    columns = [plan.digits(weight) for weight in weights]
    assert all(
        sum(d << plan.column_bits * j for j, d in enumerate(c)) == w for c, w in zip(columns, weights, strict=True)
    )
    carry = (0, 0)
    for j, digit in enumerate(plan.digits(modulus)):
        low = (
            carry[0]
            - q_high * digit
            + sum(min(c[j] * x for x in pair) for c, pair in zip(columns, bounds, strict=True))
        )
        high = (
            carry[1] - q_low * digit + sum(max(c[j] * x for x in pair) for c, pair in zip(columns, bounds, strict=True))
        )
        if j == len(plan.carries):
            assert low <= 0 <= high < low + R
            break
        carry = plan.carries[j].bounds
        assert carry[0] <= -(-low >> plan.column_bits) and high >> plan.column_bits <= carry[1]
        least, greatest = low - (carry[1] << plan.column_bits), high - (carry[0] << plan.column_bits)
        assert least <= 0 <= greatest < least + R


def test_constants_that_are_no_multiple_are_refused() -> None:
    circuit = Circuit()
    assert_multiple(circuit, [circuit.constant(14)], [1], 7)
    with pytest.raises(BadInputError, match="could wrap around"):
        assert_multiple(circuit, [circuit.constant(15)], [1], 7)


def test_an_unknown_range_is_refused_at_the_caller_s_line() -> None:
    circuit = Circuit()
    with pytest.raises(BadInputError, match="nothing known") as error:
        assert_multiple(circuit, [circuit.private_input("x")], [1], 7)
    assert str(error.value.place).startswith("tests/circuits/gadgets/test_congruence.py")
