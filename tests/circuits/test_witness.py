from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_circuits import failing, run

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.template import template
from aitbc_rollup.errors import BadInputError

EDGES = [0, 1, 2, R - 1, R - 2, (R - 1) // 2, (1 << 64) - 1, 1 << 64, (1 << 128) - 1, 1 << 253, 0xFFFFFFFF << 190]
elements = st.one_of(st.sampled_from(EDGES), st.integers(0, R - 1), st.integers(0, 300))
divisors = st.one_of(st.sampled_from([1, 2, 10, 1 << 64, (1 << 64) - 59, 1 << 253, R - 1]), st.integers(1, R - 1))


def weave(x: int, y: int) -> tuple[int, int, int]:
    return x ^ y, -x, x * y + 3


#: A value in the circuit, and what it must be.
Shadow = tuple[Variable, int]


def sized(draw: Callable[..., Any], circuit: Circuit, pool: list[Shadow]) -> None:
    """Append one random operation's results to the pool, computed twice: as circuit and as integers."""
    (a, x), (b, y) = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
    kind = draw(st.integers(0, 8))
    if kind == 0:
        pool.append((a * b, x * y % R))
    elif kind == 1:
        factor = draw(elements)
        pool.append((a * factor - b + factor, (x * factor - y + factor) % R))
    elif kind == 2:
        pool.append((circuit.hint_inverse(a), pow(x, R - 2, R)))
    elif kind == 3:
        n = draw(st.sampled_from([1, 8, 64, 65, 254]))
        bits = circuit.hint_bits(a, n)
        i = draw(st.integers(0, n - 1))
        pool.append((bits[i], x >> i & 1))
        pool.append((circuit.inner_product([1 << j for j in range(n)], bits), x % (1 << n) % R))
    elif kind == 4:
        d = draw(divisors)
        quotient, remainder = circuit.hint_divmod(a, d)
        pool += [(quotient, x // d), (remainder, x % d)]
    elif kind == 5:
        pool += zip(circuit.hint(weave, [a, b], 3), (value % R for value in weave(x, y)), strict=True)
    elif kind == 6:
        pool.append((circuit.materialise(a + b), (x + y) % R))
    elif kind == 7:
        pool.append((cube_plus(circuit, a, b), (pow(x, 3, R) + y) % R))
    else:
        p, q = woven(circuit, [a, b])
        pool += [(p, (x ^ y) * x % R), (q, pow(y, 3, R) * y % R)]


@template
def cube_plus(circuit: Circuit, a: Variable, b: Variable) -> Variable:
    return a * a * a + b


@template
def woven(circuit: Circuit, pair: list[Variable]) -> tuple[Variable, Variable]:
    a, b = pair
    xor, _, _ = circuit.hint(weave, [a, b], 3)
    return xor * a, cube_plus(circuit, b, 0) * b


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_random_circuits_agree_with_integers(data):
    circuit = Circuit()
    values = data.draw(st.lists(elements, min_size=2, max_size=4))
    pool: list[Shadow] = list(zip(circuit.private_inputs("v", len(values)), values, strict=True))
    for _ in range(data.draw(st.integers(1, 12))):
        sized(data.draw, circuit, pool)
    for i, (variable, _) in enumerate(pool):
        circuit.public_output(f"o{i}", variable)
    compiled = circuit.compile()
    witness = compiled.witness({"v": values})
    assert compiled.public_inputs(witness) == [value for _, value in pool]
    wires = from_limbs(witness)
    assert wires == run(compiled, {"v": values})
    assert failing(compiled.r1cs, wires) == []
    assert check(compiled, witness) is None


@settings(max_examples=200, deadline=None)
@given(elements, divisors)
def test_division_of_canonical_values(x, divisor):
    circuit = Circuit()
    quotient, remainder = circuit.hint_divmod(circuit.private_input("x"), divisor)
    circuit.public_output("q", quotient)
    circuit.public_output("r", remainder)
    compiled = circuit.compile()
    assert compiled.public_inputs(compiled.witness({"x": x})) == list(divmod(x, divisor))


def test_a_circuit_without_anything():
    compiled = Circuit().compile()
    assert from_limbs(compiled.witness({})) == [1]
    assert check(compiled, compiled.witness({})) is None


# -- inputs -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def matrix_circuit():
    circuit = Circuit("table")
    rows = circuit.private_inputs("rows", 2, 3)
    circuit.public_output("sum", circuit.sum(x for row in rows for x in row) + circuit.public_input("offset"))
    return circuit.compile()


GOOD = {"rows": [[1, 2, 3], [4, 5, 6]], "offset": 100}


def test_nested_sequences_of_any_kind(matrix_circuit):
    for rows in ([[1, 2, 3], [4, 5, 6]], ((1, 2, 3), range(4, 7)), np.arange(1, 7).reshape(2, 3)):
        witness = matrix_circuit.witness({"rows": rows, "offset": np.uint8(100)})
        assert matrix_circuit.public_inputs(witness) == [121, 100]


@pytest.mark.parametrize(
    ("change", "place", "problem"),
    [
        ({"offset": None}, "input offset", "not an integer"),
        ({"offset": 1.0}, "input offset", "not an integer"),
        ({"offset": "1"}, "input offset", "not an integer"),
        ({"offset": [1]}, "input offset", "not an integer"),
        ({"offset": -1}, "input offset", "not a field element"),
        ({"offset": R}, "input offset", "not a field element"),
        ({"offset": 1 << 70000}, "input offset", "not a field element"),
        ({"rows": 1}, "input rows", "not a sequence"),
        ({"rows": "ab"}, "input rows", "not a sequence"),
        ({"rows": [[1, 2, 3]]}, "input rows", "wrong length"),
        ({"rows": [[1, 2, 3], [4, 5]]}, "input rows[1]", "wrong length"),
        ({"rows": [[1, 2, 3], [4, R, 6]]}, "input rows[1][1]", "not a field element"),
        ({"surplus": 1}, "input surplus", "circuit table: an input is unknown"),
    ],
)
def test_an_assignment_that_does_not_fit_names_the_input(matrix_circuit, change, place, problem):
    with pytest.raises(BadInputError) as caught:
        matrix_circuit.witness({**GOOD, **change})
    assert (caught.value.place, caught.value.message) == (place, problem)


def test_a_missing_input_is_named(matrix_circuit):
    with pytest.raises(BadInputError) as caught:
        matrix_circuit.witness({"rows": GOOD["rows"]})
    assert (caught.value.place, caught.value.message) == ("input offset", "circuit table: an input is missing")


# -- hints in Python --------------------------------------------------------------------------------------------


def too_many(x: int) -> list[int]:
    return [x, x]


def fraction(x: int) -> float:
    return x / 2


def divides(x: int) -> int:
    return 1 // x


@pytest.mark.parametrize(
    ("function", "error", "text"),
    [
        (too_many, BadInputError, "wrong number of values"),
        (fraction, TypeError, "float"),
        (divides, ZeroDivisionError, "division"),
    ],
)
def test_a_hint_that_fails_is_named(function, error, text):
    circuit = Circuit()
    circuit.hint(function, [circuit.private_input("x")], 1)
    with pytest.raises(error, match=text) as caught:
        circuit.compile().witness({"x": 0})
    named = caught.value.place if error is BadInputError else caught.value.__notes__[0]
    assert function.__name__ in str(named)


def test_overrides_are_felt_downstream_and_only_there():
    circuit = Circuit()
    x = circuit.private_input("x")
    quotient, remainder = circuit.hint_divmod(x, 10)
    (tripled,) = circuit.hint(lambda q: 3 * q, [quotient], 1)
    circuit.public_output("q", quotient)
    circuit.public_output("r", remainder)
    circuit.public_output("t", tripled * tripled)
    compiled = circuit.compile()
    assert compiled.public_inputs(compiled.witness({"x": 47})) == [4, 7, 144]
    wire = next(i for i in range(compiled.r1cs.n_wires) if compiled.wire_name(i) == "main.w2")
    assert compiled.public_inputs(compiled.witness({"x": 47}, overrides={wire: 5})) == [5, 7, 225]
    assert compiled.public_inputs(compiled.witness({"x": 47}, overrides={wire: 5, wire + 1: -1})) == [5, R - 1, 225]
    with pytest.raises(ValueError, match="is an input"):
        compiled.witness({"x": 47}, overrides={4: 1})
