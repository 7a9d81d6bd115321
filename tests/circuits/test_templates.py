from typing import NamedTuple

import pytest
from plain_circuits import failing

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.template import template
from aitbc_rollup.errors import BadInputError

TRACED: list[str] = []


def range_body(circuit: Circuit, x: Variable, *, n_bits: int) -> list[Variable]:
    TRACED.append(f"range {n_bits}")
    bits = circuit.hint_bits(x, n_bits)
    for bit in bits:
        circuit.assert_boolean(bit)
    circuit.assert_equal(circuit.inner_product([1 << i for i in range(n_bits)], bits), x, "out of range")
    return bits


def mix_body(circuit: Circuit, a: Variable, b: Variable, more: list[Variable], *, n_bits: int = 4) -> Variable:
    for x in more:
        ranged(circuit, x, n_bits=n_bits)
    quotient, remainder = circuit.hint_divmod(a * b, 10)
    circuit.assert_equal(quotient * 10 + remainder, a * b)
    (doubled,) = circuit.hint(double, [a + b], 1)
    circuit.assert_equal(doubled, 2 * (a + b))
    return a * circuit.sum(more) + remainder * 3 + doubled


def double(x: int) -> int:
    return 2 * x


ranged = template(range_body)
mixed = template(mix_body)


class Point(NamedTuple):
    x: Variable
    y: Variable


@template
def swap(circuit: Circuit, point: Point, flag: Variable | None) -> tuple[Point, None]:
    if flag is None:
        return Point(point.y, point.x), None
    shift = flag * (point.x - point.y)
    return Point(point.x - shift, point.y + shift), None


@template
def square_sum(circuit: Circuit, *terms: Variable) -> Variable:
    return circuit.sum(x * x for x in terms)


def build(gadget) -> Circuit:
    circuit = Circuit()
    v = circuit.private_inputs("v", 4)
    out = gadget(circuit, v[0], v[1], [v[2], v[3]])
    circuit.public_output("o", gadget(circuit, v[2], circuit.materialise(out), [v[3], v[0]]))
    return circuit


def test_a_template_says_exactly_what_its_gadget_says():
    plain, templated = build(mix_body).compile(), build(mixed).compile()
    assert plain.structure_hash == templated.structure_hash
    assignment = {"v": [3, 9, 15, 2]}
    assert (plain.witness(assignment) == templated.witness(assignment)).all()
    assert check(templated, templated.witness(assignment)) is None
    bad = {"v": [3, 9, 16, 2]}
    violations = [check(circuit, circuit.witness(bad)) for circuit in (plain, templated)]
    assert [(v.constraint, v.a, v.b, v.c, v.message, v.place) for v in violations if v] == [
        (violations[0].constraint, 0, 1, 16, "out of range", violations[0].place)
    ] * 2


def test_a_template_is_traced_once_for_each_use_case():
    circuit = Circuit()
    x, y = circuit.private_input("x"), circuit.private_input("y")
    TRACED.clear()
    for value in (x, y, x, x + y, 3 * x):
        ranged(circuit, value, n_bits=19)
    ranged(circuit, x, n_bits=18)
    ranged(circuit, 77, n_bits=19)
    ranged(circuit, 77, n_bits=19)
    ranged(circuit, 78, n_bits=19)
    assert TRACED == ["range 19", "range 18", "range 19", "range 19"]


def test_combinations_cost_one_constraint_and_constants_none():
    circuit = Circuit()
    x = circuit.private_input("x")
    ranged(circuit, x, n_bits=8)
    assert circuit.n_constraints == 9
    ranged(circuit, x + 1, n_bits=8)
    assert circuit.n_constraints == 19
    ranged(circuit, 1 + x, n_bits=8)
    assert circuit.n_constraints == 28, "the same combination is materialised once"
    bits = ranged(circuit, 200, n_bits=8)
    assert circuit.n_constraints == 28
    assert [bit.constant for bit in bits] == [0, 0, 0, 1, 0, 0, 1, 1]


def test_a_constant_that_breaks_the_gadget_is_refused_at_build_time():
    with pytest.raises(BadInputError, match="out of range") as caught:
        ranged(Circuit(), 256, n_bits=8)
    assert "test_templates.py" in str(caught.value.place)


def test_the_same_wire_twice_never_stands_twice_in_a_row():
    @template
    def both(circuit: Circuit, a: Variable, b: Variable) -> Variable:
        circuit.assert_product(a + b, a - b + 1, a + 2 * b)
        return (a + b) * (a - 2 * b)

    circuit = Circuit()
    x, y = circuit.private_input("x"), circuit.private_input("y")
    circuit.public_output("o", both(circuit, x, x) + both(circuit, x, y) + both(circuit, y, x))
    compiled = circuit.compile()
    for matrix in (compiled.r1cs.a, compiled.r1cs.b, compiled.r1cs.c):
        for i in range(matrix.n_rows):
            wires = matrix.row(i)[0].tolist()
            assert len(wires) == len(set(wires))
    witness = compiled.witness({"x": 5, "y": 2})
    assert compiled.public_inputs(witness) == [(10 * -5 + 7 * 1 + 7 * -8) % R]


def test_named_tuples_none_and_star_arguments():
    circuit = Circuit()
    p = Point(circuit.private_input("x"), circuit.private_input("y"))
    flag = circuit.private_input("flag")
    plain, nothing = swap(circuit, p, None)
    assert isinstance(plain, Point) and nothing is None
    assert (plain.x.wire, plain.y.wire) == (p.y.wire, p.x.wire)
    swapped, _ = swap(circuit, point=p, flag=flag)
    circuit.public_output("ox", swapped.x)
    circuit.public_output("oy", swapped.y)
    circuit.public_output("squares", square_sum(circuit, p.x, p.y, flag, 3))
    compiled = circuit.compile()
    assert compiled.public_inputs(compiled.witness({"x": 7, "y": 9, "flag": 1})) == [9, 7, 49 + 81 + 1 + 9]


def test_defaults_and_keywords_name_the_same_trace():
    @template
    def scaled(circuit: Circuit, x: Variable, y: Variable | int = 2, *, by: int = 3) -> Variable:
        TRACED.append("scaled")
        return x * y * by

    TRACED.clear()
    circuit = Circuit()
    x = circuit.private_input("x")
    results = [scaled(circuit, x), scaled(circuit, x, 2, by=3), scaled(circuit, x=x, y=2), scaled(circuit, y=2, x=x)]
    assert TRACED == ["scaled"]
    assert [result.terms for result in results] == [{1: 6}] * 4


def test_deep_nesting_expands_in_program_order():
    @template
    def level(circuit: Circuit, x: Variable, *, depth: int) -> Variable:
        with circuit.component("inner"):
            y = x * x + depth if depth == 0 else level(circuit, x + 1, depth=depth - 1)
        circuit.hint_inverse(y)
        return y * level_end(circuit, x, y) + 1

    @template
    def level_end(circuit: Circuit, x: Variable, y: Variable) -> Variable:
        return (x + 1) * (y + 2)

    def expected(x: int, depth: int) -> int:
        y = x * x if depth == 0 else expected(x + 1, depth - 1)
        return (y * (x + 1) * (y + 2) + 1) % R

    circuit = Circuit()
    x = circuit.private_inputs("x", 3)
    for i in range(3):
        circuit.public_output(f"o{i}", level(circuit, x[i], depth=5))
    compiled = circuit.compile()
    witness = compiled.witness({"x": [1, 2, 3]})
    assert compiled.public_inputs(witness) == [expected(i, 5) for i in (1, 2, 3)]
    assert failing(compiled.r1cs, from_limbs(witness)) == []


def test_many_instances_are_expanded_in_chunks(monkeypatch):
    whole = build(mixed).compile().structure_hash
    monkeypatch.setattr("aitbc_rollup.circuits.assemble._CHUNK", 1)
    assert build(mixed).compile().structure_hash == whole


def test_templates_are_closed():
    outside: list[Variable] = []

    @template
    def leaky(circuit: Circuit, x: Variable) -> Variable:
        return x + outside[0]

    @template
    def greedy(circuit: Circuit, x: Variable) -> Variable:
        return circuit.private_input("more")

    circuit = Circuit()
    x = circuit.private_input("x")
    outside.append(x)
    with pytest.raises(BadInputError, match="another circuit or template"):
        leaky(circuit, x)
    with pytest.raises(BadInputError, match="only a circuit has inputs"):
        greedy(circuit, x)
    with pytest.raises(BadInputError, match="another circuit or template"):
        ranged(Circuit(), x, n_bits=3)


def test_signatures_and_arguments_are_checked():
    with pytest.raises(TypeError, match="expected \\(circuit, variables"):
        template(lambda circuit, **rest: None)
    circuit = Circuit()
    with pytest.raises(TypeError, match="keyword-only"):
        ranged(circuit, "x", n_bits=3)
    with pytest.raises(TypeError, match="must be hashable"):
        ranged(circuit, 1, n_bits=[3])

    @template
    def odd(circuit: Circuit, x: Variable) -> object:
        return {"x": x}

    with pytest.raises(TypeError, match="returns dict"):
        odd(circuit, 1)
