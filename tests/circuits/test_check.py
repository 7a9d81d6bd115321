import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_circuits import failing

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.check import assert_satisfied, check
from aitbc_rollup.circuits.formats.r1cs import decode_r1cs, encode_r1cs
from aitbc_rollup.circuits.template import template
from aitbc_rollup.errors import BadInputError, InvalidError


@template
def in_range(circuit: Circuit, x: Variable, *, n_bits: int) -> None:
    bits = circuit.hint_bits(x, n_bits)
    for bit in bits:
        circuit.assert_boolean(bit)
    circuit.assert_equal(circuit.inner_product([1 << i for i in range(n_bits)], bits), x, "out of range")  # RANGE


@template
def transfer(circuit: Circuit, balance: Variable, amount: Variable) -> Variable:
    in_range(circuit, amount, n_bits=8)
    in_range(circuit, balance - amount, n_bits=8)  # SECOND
    return balance - amount


def ledger() -> Circuit:
    circuit = Circuit("ledger")
    balance = circuit.public_input("balance")
    for amount in circuit.private_inputs("amounts", 3):
        with circuit.component("payment"):
            balance = transfer(circuit, balance, amount)  # PAYMENT
    circuit.public_output("left", balance)
    return circuit


def line_of(mark: str) -> int:
    with open(__file__, encoding="utf-8") as file:  # noqa: PTH123
        return next(number for number, line in enumerate(file, 1) if line.rstrip().endswith(f"# {mark}"))


def test_a_violation_names_gadget_line_and_values():
    compiled = ledger().compile()
    good = compiled.witness({"balance": 200, "amounts": [50, 60, 70]})
    assert compiled.public_inputs(good) == [20, 200]
    assert check(compiled, good) is None
    assert_satisfied(compiled, good)

    violation = check(compiled, compiled.witness({"balance": 200, "amounts": [50, 60, 100]}))
    assert violation is not None and violation.located is not None
    assert violation.component == "main.payment[2].transfer.in_range[1]"
    assert violation.message == "out of range"
    assert [place.line for place in violation.located.calls] == [line_of("PAYMENT"), line_of("SECOND")]
    assert violation.located.place.line == line_of("RANGE")
    assert violation.located.place.file == __file__
    # −10 has no eight bits: the low ones of r − 10 are compared with it.
    assert (violation.a, violation.b, violation.c) == ((R - 10) % 256, 1, R - 10)
    assert violation.n_violations == 1
    report = violation.render().splitlines()
    assert report[0] == (
        f"constraint {violation.constraint} ({violation.place}, main.payment[2].transfer.in_range[1]) "
        f"A·B = C fails: A = {(R - 10) % 256}, B = 1, C = −10; out of range"
    )
    assert [line.rpartition(":")[2] for line in report[1:3]] == [str(line_of("SECOND")), str(line_of("PAYMENT"))]
    assert "  main.payment[2].transfer.w11 = −10" in report
    with pytest.raises(InvalidError, match="out of range"):
        assert_satisfied(compiled, compiled.witness({"balance": 1, "amounts": [2, 0, 0]}))


def test_an_imported_system_is_checked_without_places():
    compiled = ledger().compile()
    imported = decode_r1cs(encode_r1cs(compiled.r1cs)).r1cs
    bad = compiled.witness({"balance": 200, "amounts": [50, 60, 100]})
    ours, theirs = check(compiled, bad), check(imported, bad)
    assert ours is not None and theirs is not None
    assert (theirs.constraint, theirs.a, theirs.b, theirs.c) == (ours.constraint, ours.a, ours.b, ours.c)
    assert theirs.place is None and theirs.component is None and theirs.message == ""
    assert theirs.render().startswith(f"constraint {ours.constraint} A·B = C fails: A = ")


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_every_changed_wire_is_judged_as_integers_judge_it(data):
    compiled = ledger().compile()
    values = from_limbs(compiled.witness({"balance": 200, "amounts": [50, 60, 70]}))
    for _ in range(data.draw(st.integers(1, 3))):
        values[data.draw(st.integers(1, len(values) - 1))] = data.draw(
            st.one_of(st.integers(0, 1), st.integers(0, R - 1))
        )
    expected = failing(compiled.r1cs, values)
    violation = check(compiled, to_limbs(values))
    assert (violation and (violation.constraint, violation.n_violations)) == (
        (expected[0], len(expected)) if expected else None
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda w: w[:-1], "does not fit the circuit"),
        (lambda w: w.astype(np.int64), "does not fit the circuit"),
        (lambda w: np.concatenate([to_limbs([2]), w[1:]]), "first wire must be 1"),
        (lambda w: np.concatenate([w[:-1], to_limbs([R])]), "not below r"),
    ],
)
def test_what_cannot_be_a_witness_is_refused(change, problem):
    compiled = ledger().compile()
    witness = compiled.witness({"balance": 200, "amounts": [50, 60, 70]})
    with pytest.raises(BadInputError, match=problem):
        check(compiled, change(witness))


def test_a_system_that_points_outside_its_wires_never_reaches_the_kernel():
    r1cs = ledger().compile().r1cs
    wires = r1cs.a.wires.copy()
    wires[3] = r1cs.n_wires
    broken = dataclasses.replace(r1cs, a=dataclasses.replace(r1cs.a, wires=wires))
    with pytest.raises(ValueError, match="points outside"):
        check(broken, to_limbs([1] * r1cs.n_wires))


def test_stats_count_by_component():
    stats = ledger().compile().stats()
    assert stats.n_constraints == 3 * (9 + 9 + 1) + 2 + 1
    assert stats.components == {
        "main": 60,
        "main.payment": 59,
        "main.payment.transfer": 57,
        "main.payment.transfer.in_range": 54,
    }
    assert (stats.n_public, stats.n_private, stats.n_hints) == (2, 3, 0)
