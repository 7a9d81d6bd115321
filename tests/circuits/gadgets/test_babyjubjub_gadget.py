"""Baby Jubjub in circuits: edge cases of the group law, ranges of scalars, aliases, dishonest digits, counts."""

from __future__ import annotations

from random import Random

import pytest

from aitbc_rollup.algebra import babyjubjub as curve
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.reference.babyjubjub import is_on_curve
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import babyjubjub as gadget
from aitbc_rollup.circuits.ir import Op
from aitbc_rollup.circuits.testing import survivors

L = curve.SUBGROUP_ORDER
ORDER_TWO = (0, R - 1)
P = curve.multiply(curve.BASE8, 12345)


def run(circuit: CompiledCircuit, *values: int, lie: list[int] | None = None) -> tuple[int, ...] | str:
    """The outputs, or the message of the first constraint that fails; ``lie`` takes the place of the first hint."""
    position = list(circuit.program.ops).index(Op.PYTHON) if lie else 0
    overrides = {int(circuit.program.outs[position]) + i: value for i, value in enumerate(lie or [])}
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
    from aitbc_rollup.algebra.reference.babyjubjub import to_montgomery

    return to_montgomery(p)[1]


def test_variable_base_lies(variable_base: CompiledCircuit) -> None:
    for scalar in (1, R - 1, 27182818284):
        assert survivors(variable_base, {"x": [*P, scalar]}, max_lies=60) == []
