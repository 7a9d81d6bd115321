"""Baby Jubjub in circuits: edge cases of the group law, ranges of scalars, aliases, dishonest digits, counts."""

from __future__ import annotations

from random import Random

import pytest

from aitbc_rollup.algebra import babyjubjub as curve
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.reference.babyjubjub import is_on_curve, to_montgomery
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import babyjubjub as gadget
from aitbc_rollup.circuits.ir import Op
from aitbc_rollup.circuits.testing import survivors

L = curve.SUBGROUP_ORDER
ORDER_TWO = (0, R - 1)
P = curve.multiply(curve.BASE8, 12345)


def run(
    circuit: CompiledCircuit, *values: int, lie: list[int] | None = None, more: list[list[int]] | None = None
) -> tuple[int, ...] | str:
    """The outputs, or the message of the first constraint that fails.

    ``lie`` takes the place of the first hint's first outputs, ``more`` of those that follow.
    """
    hints = circuit.program.outs[circuit.program.ops == Op.PYTHON].tolist()
    lies = zip(hints, [lie or [], *(more or [])], strict=False)
    overrides = {first + i: value for first, outputs in lies for i, value in enumerate(outputs)}
    witness = circuit.witness({"x": [value % R for value in values]}, overrides=overrides)
    violation = check(circuit, witness)
    return tuple(circuit.public_inputs(witness)) if violation is None else violation.message


def with_outputs(circuit: Circuit, point: gadget.Point) -> CompiledCircuit:
    circuit.public_output("out_x", point.x)
    circuit.public_output("out_y", point.y)
    return circuit.compile()


@pytest.fixture(scope="module")
def adding() -> CompiledCircuit:
    circuit = Circuit()
    x = circuit.private_inputs("x", 4)
    point = gadget.add(circuit, gadget.Point(*x[:2]), gadget.Point(*x[2:]))
    assert circuit.n_constraints == 6
    return with_outputs(circuit, point)


@pytest.fixture(scope="module")
def fixed_base() -> CompiledCircuit:
    circuit = Circuit()
    (x,) = circuit.private_inputs("x", 1)
    point = gadget.multiply_base8(circuit, x)
    assert circuit.n_constraints == 673
    return with_outputs(circuit, point)


@pytest.fixture(scope="module")
def variable_base() -> CompiledCircuit:
    circuit = Circuit()
    x = circuit.private_inputs("x", 3)
    point = gadget.multiply(circuit, gadget.Point(*x[:2]), x[2])
    assert circuit.n_constraints == 1623
    return with_outputs(circuit, point)


def test_addition_is_complete(adding: CompiledCircuit) -> None:
    points = [P, curve.BASE8, curve.GENERATOR, curve.negate(P), curve.IDENTITY, ORDER_TWO]
    for p in points:
        for q in points:
            assert run(adding, *p, *q) == curve.add(p, q)
    assert survivors(adding, {"x": [*P, *curve.BASE8]}) == []
    assert survivors(adding, {"x": [*P, *P]}) == []


def test_doubling() -> None:
    circuit = Circuit()
    x = circuit.private_inputs("x", 2)
    point = gadget.double(circuit, gadget.Point(*x))
    assert circuit.n_constraints == 5
    built = with_outputs(circuit, point)
    for p in (P, curve.GENERATOR, curve.IDENTITY, ORDER_TWO):
        assert run(built, *p) == curve.add(p, p)
    assert survivors(built, {"x": list(P)}) == []


def test_on_curve() -> None:
    circuit = Circuit()
    x = circuit.private_inputs("x", 2)
    gadget.assert_on_curve(circuit, gadget.Point(*x))
    assert circuit.n_constraints == 3
    built = circuit.compile()
    for p in (P, curve.GENERATOR, curve.IDENTITY, ORDER_TWO):
        assert run(built, *p) == ()
    for p in ((0, 0), (1, 1), (P[0], P[1] + 1), (P[1], P[0])):
        assert not is_on_curve(p)
        assert run(built, *p) == "the point is not on the curve"
    assert survivors(built, {"x": list(P)}) == []


TOP = 1 << 250


@pytest.mark.parametrize("scalar", [0, 1, 2, 7, 8, TOP - 1, TOP, TOP + 1, L - TOP, L - TOP - 1, L - 2, L - 1])
def test_fixed_base_at_the_ends(fixed_base: CompiledCircuit, scalar: int) -> None:
    assert run(fixed_base, scalar) == curve.multiply(curve.BASE8, scalar)


def test_fixed_base_at_random(fixed_base: CompiledCircuit) -> None:
    random = Random(8)
    for _ in range(10):
        scalar = random.randrange(L)
        assert run(fixed_base, scalar) == curve.multiply(curve.BASE8, scalar)


@pytest.mark.parametrize("scalar", [L, L + 1, 2 * L, 1 << 251, R - 1, R - L])
def test_fixed_base_refuses_what_is_not_reduced(fixed_base: CompiledCircuit, scalar: int) -> None:
    assert run(fixed_base, scalar) == "the scalar is not below the group's order"
    lie = gadget._scalar_bits(scalar % L)
    assert run(fixed_base, scalar, lie=lie) == "the scalar is not below the group's order"


def test_fixed_base_has_one_result_a_scalar(fixed_base: CompiledCircuit) -> None:
    """Scalars from l − 2^250 up to 2^250 have two decompositions; both must give the same point."""
    scalar = L - TOP + 12345
    bits = [*(12345 >> i & 1 for i in range(250)), 1]
    assert bits != gadget._scalar_bits(scalar)
    assert run(fixed_base, scalar, lie=bits) == curve.multiply(curve.BASE8, scalar)


def test_fixed_base_lies(fixed_base: CompiledCircuit) -> None:
    for scalar in (0, L - 1, 31415926535):
        assert survivors(fixed_base, {"x": [scalar]}, max_lies=60) == []


@pytest.mark.parametrize("scalar", [1, 2, 3, 5, 1 << 253, R - 1, R - 2, R // 2, R // 4])
def test_variable_base_at_the_ends(variable_base: CompiledCircuit, scalar: int) -> None:
    for p in (P, curve.BASE8):
        assert run(variable_base, *p, scalar) == curve.multiply(p, scalar)


def test_variable_base_at_random(variable_base: CompiledCircuit) -> None:
    random = Random(9)
    for _ in range(20):
        scalar, p = random.randrange(R), curve.multiply(curve.BASE8, random.randrange(1, L))
        assert run(variable_base, *p, scalar) == curve.multiply(p, scalar)


def test_variable_base_around_multiples_of_the_order(variable_base: CompiledCircuit) -> None:
    """Where additions could be exceptional: right or refused, never wrong; and refused only close to a multiple."""
    refused = []
    for multiple in range(8):
        for scalar in range(max(0, multiple * L - 40), multiple * L + 41):
            result = run(variable_base, *P, scalar)
            if result == "an exceptional case of the addition":
                refused.append(scalar)
            else:
                assert result == curve.multiply(P, scalar)
    assert 0 in refused
    assert all(abs((scalar + 16) % L - 16) <= 16 for scalar in refused)


def test_variable_base_refuses_the_neutral_point(variable_base: CompiledCircuit) -> None:
    assert run(variable_base, *curve.IDENTITY, 5) == "the point is neutral"


def digits_of(value: int, v: int) -> list[int]:
    return [value & 1, *(v if value >> i & 1 else R - v for i in range(1, 254))]


@pytest.mark.parametrize("alias", [R, -R])
def test_variable_base_refuses_the_alias(variable_base: CompiledCircuit, alias: int) -> None:
    """254 digits hold V and V ± r alike for some scalars; the wrong one gives another point and must be refused."""
    scalar = 5 if alias > 0 else R - 5
    value = scalar + gadget._LOW + alias
    assert 0 <= value < 1 << 254, "the alias fits the digits"
    v = curve_v(P)
    message = "the digits are those of scalar + r" if alias > 0 else "the digits are those of scalar − r"
    assert run(variable_base, *P, scalar, lie=digits_of(value, v)) == message
    # the same with the honest digits, given as a lie: it is the alias that is refused, not the lie
    assert run(variable_base, *P, scalar, lie=digits_of(scalar + gadget._LOW, v)) == curve.multiply(P, scalar)


def curve_v(p: tuple[int, int]) -> int:
    return to_montgomery(p)[1]


def test_variable_base_refuses_digits_that_recompose_but_are_none(variable_base: CompiledCircuit) -> None:
    """Lies about two outputs at once: the sum is right, and only the digits themselves are wrong."""
    v, scalar = curve_v(P), 27182818284
    honest = digits_of(scalar + gadget._LOW, v)
    assert run(variable_base, *P, scalar, lie=honest) == curve.multiply(P, scalar)
    shifted = [*honest[:5], (honest[5] - 2 * v) % R, (honest[6] + v) % R, *honest[7:]]
    assert run(variable_base, *P, scalar, lie=shifted) == "a digit is neither v nor −v"
    lowest = [(honest[0] + 2) % R, (honest[1] - 2 * v) % R, *honest[2:]]
    assert run(variable_base, *P, scalar, lie=lowest) == "neither 0 nor 1"


@pytest.mark.parametrize("alias", [R, -R])
def test_variable_base_refuses_the_alias_whatever_the_comparison_claims(
    variable_base: CompiledCircuit, alias: int
) -> None:
    """The hint that says where a comparison holds, answered with what would be true if it took more than bits."""
    scalar = 5 if alias > 0 else R - 5
    value = scalar + gadget._LOW + alias
    excess = (gadget._LOW + R - 1 - value if alias > 0 else value - gadget._LOW) % R
    digits = digits_of(value, curve_v(P))
    no_bits = [0, 0, 0, 0, excess, *[0] * 15]
    answers = [[], no_bits] if alias > 0 else [no_bits]
    assert run(variable_base, *P, scalar, lie=digits, more=answers) == "neither 0 nor 1"
    for cut in range(16):
        selectors = [cut >> i & 1 for i in range(4)]
        answers = [[], selectors] if alias > 0 else [selectors]
        assert "the digits are those" in run(variable_base, *P, scalar, lie=digits, more=answers)
    # selectors that are no bits mix the cuts: find the mixture of the first two that is zero
    first, second = (
        (
            ((gadget._LOW + R) >> 16 * k) - 1 - (value >> 16 * k)
            if alias > 0
            else (value >> 16 * k) - (gadget._LOW - 1 >> 16 * k) - 1
        )
        for k in range(2)
    )
    mixed = [first * pow(first - second, -1, R) % R, 0, 0, 0, *[0] * 16]
    answers = [[], mixed] if alias > 0 else [mixed]
    assert run(variable_base, *P, scalar, lie=digits, more=answers) == "neither 0 nor 1"


def test_fixed_base_refuses_bits_that_recompose_but_are_none(fixed_base: CompiledCircuit) -> None:
    bits = gadget._scalar_bits(31415926535)
    assert run(fixed_base, 31415926535, lie=bits) == curve.multiply(curve.BASE8, 31415926535)
    for i in (0, 100, 247, 248, 249):
        weights = [1 << i, gadget._LAST_WEIGHT if i == 249 else 1 << i + 1]
        other = list(bits)
        other[i] = (bits[i] + weights[1] * pow(weights[0], -1, R)) % R
        other[i + 1] = (bits[i + 1] - 1) % R
        assert run(fixed_base, 31415926535, lie=other) == "neither 0 nor 1"


def test_every_window_of_the_fixed_base() -> None:
    """The look-up gives each odd multiple, of each window, for each choice of signs."""
    half = curve.multiply(curve.BASE8, (L + 1) // 2)
    circuit = Circuit()
    signs = circuit.private_inputs("x", 3)
    for table in gadget._base8_tables()[0]:
        x, y = gadget._look_up(circuit, table, signs)
        circuit.public_output(f"x{circuit.n_constraints}", x)
        circuit.public_output(f"y{circuit.n_constraints}", y)
    built = circuit.compile()
    for choice in range(8):
        s = [2 * (choice >> i & 1) - 1 for i in range(3)]
        got = built.public_inputs(built.witness({"x": [sign % R for sign in s]}))
        digit = s[0] + 2 * s[1] + 4 * s[2]
        points = [curve.multiply(half, digit * 8**i % L) for i in range(83)]
        assert got == [coordinate for point in points for coordinate in to_montgomery(point)]


def test_the_comparison_of_cuts_is_the_comparison_of_integers() -> None:
    """For V of 254 bits: some cut's excess is below 2^16, for both bounds, just when low ≤ V < low + r."""
    low, high = gadget._LOW, gadget._LOW + R
    random = Random(10)
    values = {random.randrange(1 << 254) for _ in range(1000)}
    for bound in (0, low, high, 1 << 254, high - (1 << 254)):
        values |= {bound + sign * ((1 << j) + d) for j in range(254) for sign in (1, -1) for d in (-1, 0, 1)}
    for value in values:
        if 0 <= value < 1 << 254:
            cuts = range(0, 254, 16)
            above = any(((value >> k) - (low - 1 >> k) - 1) % R < 1 << 16 for k in cuts)
            below = any(((high >> k) - 1 - (value >> k)) % R < 1 << 16 for k in cuts)
            assert (above and below) == (low <= value < high), value


def test_variable_base_lies(variable_base: CompiledCircuit) -> None:
    for scalar in (1, R - 1, 27182818284):
        assert survivors(variable_base, {"x": [*P, scalar]}, max_lies=60) == []
