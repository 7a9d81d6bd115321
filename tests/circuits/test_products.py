"""Fused products and quotients: values, constraints, folding of constants, refusals."""

from __future__ import annotations

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import to_limbs
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.testing import survivors
from aitbc_rollup.errors import BadInputError


def test_multiply_add_is_one_wire_and_one_constraint() -> None:
    circuit = Circuit()
    a, b, c = circuit.private_inputs("x", 3)
    out = circuit.multiply_add(a + 1, b, 2 * c - 5)
    assert out.wire is not None and circuit.n_constraints == 1
    circuit.public_output("out", out)
    built = circuit.compile()
    witness = built.witness({"x": [3, 7, 11]})
    assert check(built, witness) is None
    assert built.public_inputs(witness) == [4 * 7 + 2 * 11 - 5]
    assert survivors(built, {"x": [3, 7, 11]}) == []


def test_constants_cost_nothing() -> None:
    circuit = Circuit()
    a = circuit.private_input("a")
    circuit.public_output("sum", circuit.multiply_add(3, a, 4) + circuit.multiply_add(a, 0, a))
    circuit.public_output("half", circuit.divide(a, 2))
    assert circuit.n_constraints == 2, "the outputs"
    built = circuit.compile()
    assert built.public_inputs(built.witness({"a": 6})) == [22 + 6, 3]


def test_divide() -> None:
    circuit = Circuit()
    a, b = circuit.private_inputs("x", 2)
    quotient = circuit.divide(a + 1, b - 2)
    assert circuit.n_constraints == 1
    circuit.public_output("quotient", quotient)
    built = circuit.compile()
    witness = built.witness({"x": [41, 9]})
    assert check(built, witness) is None and built.public_inputs(witness) == [6]
    assert survivors(built, {"x": [41, 9]}) == []
    assert check(built, built.witness({"x": [41, 2]})) is not None, "1/0"
    zero_by_zero = built.witness({"x": [R - 1, 2]})
    assert check(built, zero_by_zero) is None
    zero_by_zero[1] = zero_by_zero[4] = to_limbs([77])[0]
    assert check(built, zero_by_zero) is None, "0/0 is free, as documented"


def test_division_by_the_constant_zero_is_refused() -> None:
    circuit = Circuit()
    with pytest.raises(BadInputError, match="division by the constant 0"):
        circuit.divide(circuit.private_input("a"), 0)
