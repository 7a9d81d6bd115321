import inspect
import re
import textwrap

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits import api
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.template import template
from aitbc_rollup.circuits.testing import forgeries, survivors
from aitbc_rollup.errors import BadInputError


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def rows(circuit: Circuit) -> list[tuple[dict[int, int], ...]]:
    """Every constraint of a circuit without templates, as dictionaries in final wire order."""
    r1cs = circuit.compile().r1cs
    table = from_limbs(r1cs.table)

    def terms(matrix, i):
        wires, coefficients = matrix.row(i)
        return {int(w): table[int(k)] for w, k in zip(wires, coefficients, strict=True)}

    return [tuple(terms(matrix, i) for matrix in (r1cs.a, r1cs.b, r1cs.c)) for i in range(r1cs.n_constraints)]


def test_linear_arithmetic_costs_nothing():
    circuit = Circuit()
    x, y = circuit.private_input("x"), circuit.private_input("y")
    z = 3 * x - y + 5 - (x + 2) * 2 + (-y) * 4 + (7 - x)
    assert circuit.n_constraints == 0
    assert z.terms == {2: R - 5, 0: 8}


def test_a_product_is_one_wire_and_one_constraint():
    circuit = Circuit()
    x, y = circuit.private_input("x"), circuit.private_input("y")
    assert ((x + 1) * (y - 2)).wire == 3
    assert rows(circuit) == [({1: 1, 0: 1}, {2: 1, 0: R - 2}, {3: 1})]


def test_constants_are_folded():
    circuit = Circuit()
    x = circuit.private_input("x")
    assert (circuit.constant(3) * x).terms == {1: 3}
    assert (x * circuit.constant(0)).constant == 0
    assert (x - x).constant == 0
    assert (circuit.constant(R + 4) * circuit.constant(-2)).constant == R - 8
    assert circuit.hint_inverse(2).constant == pow(2, -1, R)
    assert circuit.hint_inverse(circuit.constant(0)).constant == 0
    assert [bit.constant for bit in circuit.hint_bits(6, 4)] == [0, 1, 1, 0]
    assert [part.constant for part in circuit.hint_divmod(17, 5)] == [3, 2]
    circuit.assert_equal(x + 1, 1 + x)
    circuit.assert_product(2, 3, 6)
    circuit.assert_boolean(1)
    assert circuit.materialise(5).constant == 5
    assert circuit.n_constraints == 0


def test_assertions_make_the_rows_they_say():
    circuit = Circuit()
    x, y, z = circuit.private_inputs("v", 3)
    circuit.assert_equal(x + y, z)
    circuit.assert_equal(7, z)
    circuit.assert_product(x, y, z + 1)
    circuit.assert_product(2, y, z)
    circuit.assert_boolean(x)
    circuit.assert_zero(y)
    assert rows(circuit) == [
        ({1: 1, 2: 1}, {0: 1}, {3: 1}),
        ({3: 1}, {0: 1}, {0: 7}),
        ({1: 1}, {2: 1}, {3: 1, 0: 1}),
        ({2: 2}, {0: 1}, {3: 1}),
        ({1: 1}, {1: 1, 0: R - 1}, {}),
        ({2: 1}, {0: 1}, {}),
    ]


def test_sum_and_inner_product():
    circuit = Circuit()
    x, y = circuit.private_input("x"), circuit.private_input("y")
    assert circuit.sum([x, y, x, 3, -y]).terms == {1: 2, 0: 3}
    assert circuit.inner_product([2, -1, 4], [x, y, 1]).terms == {1: 2, 2: R - 1, 0: 4}
    assert sum([x, y, 1]).terms == {1: 1, 2: 1, 0: 1}


def test_a_combination_is_materialised_once():
    circuit = Circuit()
    x, y = circuit.private_input("x"), circuit.private_input("y")
    first, second = circuit.materialise(x + 2 * y), circuit.materialise(2 * y + x)
    assert first.wire == second.wire == 3
    assert circuit.materialise(x) is x
    assert rows(circuit) == [({1: 1, 2: 2}, {0: 1}, {3: 1})]


def test_wires_take_circoms_order_whatever_the_order_of_declaration():
    circuit = Circuit()
    secret = circuit.private_inputs("s", 2)
    product = secret[0] * secret[1]
    public = circuit.public_inputs("p", 2, 2)
    circuit.public_output("o", product + public[1][1])
    compiled = circuit.compile()
    names = [compiled.wire_name(i) for i in range(compiled.r1cs.n_wires)]
    assert names == ["one", "main.o", *(f"main.p[{i}][{j}]" for i in (0, 1) for j in (0, 1)),
                     "main.s[0]", "main.s[1]", "main.w3"]  # fmt: skip
    r1cs = compiled.r1cs
    assert (r1cs.n_public_outputs, r1cs.n_public_inputs, r1cs.n_private_inputs) == (1, 4, 2)
    witness = compiled.witness({"s": [3, 5], "p": [[1, 2], [3, 4]]})
    assert compiled.public_inputs(witness) == [19, 1, 2, 3, 4]
    assert check(compiled, witness) is None


def test_compilation_is_deterministic_and_the_hash_sees_everything():
    def build(constant: int = 5, swap: bool = False) -> str:
        circuit = Circuit()
        x, y = circuit.private_input("x"), circuit.private_input("y")
        z = x * (y + constant)
        circuit.assert_product(z, y if swap else x, constant)
        return circuit.compile().structure_hash

    assert build() == build()
    assert len({build(), build(6), build(swap=True)}) == 3


def test_a_circuit_may_go_on_after_compile():
    circuit = Circuit()
    x = circuit.private_input("x")
    circuit.assert_boolean(x)
    compiled = circuit.compile()
    circuit.assert_zero(x)
    assert compiled.r1cs.n_constraints == compiled.stats().components["main"] == 1


@pytest.mark.parametrize(
    "claim",
    [
        lambda circuit: circuit.assert_equal(1, 2, "one is two"),
        lambda circuit: circuit.assert_boolean(2, "one is two"),
        lambda circuit: circuit.assert_product(2, 3, 7, "one is two"),
    ],
)
def test_what_is_constantly_false_is_refused_with_its_line(claim):
    with pytest.raises(BadInputError, match=r"always differ: .* \(one is two\)") as caught:
        claim(Circuit())
    assert caught.value.place is not None
    file, _, number = caught.value.place.rpartition(":")
    assert file.endswith("tests/circuits/test_api.py")
    assert int(number) == claim.__code__.co_firstlineno


def test_variables_of_two_circuits_do_not_mix():
    a, b = Circuit().private_input("x"), Circuit().private_input("x")
    here = line() + 2
    with pytest.raises(BadInputError, match="another circuit or template") as caught:
        a + b
    assert str(caught.value.place).endswith(f"test_api.py:{here}")
    for mixed in (lambda: a * b, lambda: a.circuit.assert_equal(a, b), lambda: a.circuit.sum([a, b])):
        with pytest.raises(BadInputError, match="another circuit or template"):
            mixed()


def test_variables_cannot_be_compared_or_branched_on():
    x = Circuit().private_input("x")
    with pytest.raises(TypeError, match="assert_equal"):
        x == 1  # noqa: B015
    with pytest.raises(TypeError, match="no truth value"):
        bool(x)
    with pytest.raises(TypeError):
        x + 1.5
    with pytest.raises(TypeError):
        hash(x)


@pytest.mark.parametrize(
    ("declare", "problem"),
    [
        (lambda c: c.private_input("x"), "the name 'x' is taken"),
        (lambda c: c.public_output("x", 1), "the name 'x' is taken"),
        (lambda c: c.private_input("a.b"), "cannot be a name"),
        (lambda c: c.private_input(""), "cannot be a name"),
        (lambda c: c.private_input("a\u2028b"), "cannot be a name"),
        (lambda c: c.private_inputs("y", 2, 0), "empty dimension"),
        (lambda c: c.private_inputs("y"), "at least one dimension"),
        (lambda c: c.component("a,b").__enter__(), "cannot be a name"),
        (lambda c: c.hint_bits(1, 255), "0 to 254 bits, not 255"),
        (lambda c: c.hint_divmod(1, 0), r"constant in \[1, r\), not 0"),
        (lambda c: c.hint(lambda: 1, [], 0), "at least one output"),
    ],
)
def test_misuse_is_refused(declare, problem):
    circuit = Circuit()
    circuit.public_input("x")
    with pytest.raises(BadInputError, match=problem):
        declare(circuit)


def test_repr_reads_like_the_combination():
    circuit = Circuit()
    x, y = circuit.private_input("x"), circuit.private_input("y")
    assert repr(x - 3 * y + 7) == "w1 + -3·w2 + 7"
    assert repr(x - x) == "0"
    assert re.fullmatch(r"(w\d+ \+ ){8}…", repr(circuit.sum(circuit.private_inputs("v", 9))))
    assert isinstance(x, Variable)


def test_the_gadget_of_the_manual_does_what_the_manual_says(tmp_path):
    assert api.__doc__ is not None
    block = api.__doc__.split("How to write a gadget::")[1].split("\n- Values")[0]
    # Through a file: the gadget's lines are found like anybody's.
    file = tmp_path / "manual.py"
    file.write_text(textwrap.dedent(block), encoding="utf-8")
    names = {"template": template, "Circuit": Circuit, "Variable": Variable}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    circuit = Circuit()
    a, b = circuit.private_input("a"), circuit.private_input("b")
    less = names["less_than"](circuit, a, b, n_bits=8)
    assert circuit.n_constraints == 8 + 2
    circuit.public_output("less", less)
    compiled = circuit.compile()
    for x, y in ((0, 0), (3, 200), (200, 3), (255, 255), (0, 255)):
        assert compiled.public_inputs(compiled.witness({"a": x, "b": y})) == [int(x < y)]
        assert survivors(compiled, {"a": x, "b": y}) == []
    wide = {"a": 1 << 9, "b": 0}
    assert forgeries(compiled, wide) == []
    violation = check(compiled, compiled.witness(wide))
    assert violation is not None and violation.message == "a − b does not fit"
    assert violation.place is not None and violation.place.startswith(f"{file}:")
