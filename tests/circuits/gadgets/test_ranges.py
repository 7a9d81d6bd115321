"""Integers of known ranges, by bits and by lookups: valid, invalid and dishonest witnesses; counts; what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import ranges
from aitbc_rollup.circuits.testing import forgeries, hint_wires, survivors
from aitbc_rollup.errors import BadInputError

Build = Callable[..., Any]
#: Bit by bit, and by tables of limbs that divide some of the widths below and not others.
LIMBS = [None, 2, 4]


def compiled(limb_bits: int | None, n_inputs: int, build: Build) -> CompiledCircuit:
    """A circuit of private inputs ``x`` whose outputs are what ``build`` returns."""
    circuit = Circuit(limb_bits=limb_bits)
    result = build(circuit, *circuit.private_inputs("x", n_inputs))
    outputs = result if isinstance(result, list | tuple) else [] if result is None else [result]
    for i, output in enumerate(outputs):
        circuit.public_output(f"out{i}", output)
    return circuit.compile()


def run(circuit: CompiledCircuit, *x: int) -> list[int] | None:
    """The outputs, or nothing if a constraint fails."""
    witness = circuit.witness({"x": [value % R for value in x]})
    if check(circuit, witness) is not None:
        return None
    return from_limbs(witness[1 : 1 + circuit.r1cs.n_public_outputs])


def of(n_bits: int, gadget: Callable[..., Any]) -> Build:
    """The gadget on integers of so many bits."""
    return lambda c, *x: gadget(c, *(ranges.uint(c, value, n_bits) for value in x))


@pytest.mark.parametrize("limb_bits", LIMBS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9, 253])
def test_uint(limb_bits: int | None, n: int) -> None:
    circuit = compiled(limb_bits, 1, lambda c, x: ranges.uint(c, x, n))
    for value in {0, 1, (1 << n) - 1, (1 << n) // 3}:
        assert run(circuit, value) == [value]
    for value in {1 << n, (1 << n) + 1, R - 1, -(1 << n - 1)}:
        assert run(circuit, value) is None


@pytest.mark.parametrize("limb_bits", LIMBS)
@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 1), (1, 0), (31, 31), (30, 31), (31, 0), (0, 31), (17, 16)])
def test_order_and_equality(limb_bits: int | None, a: int, b: int) -> None:
    less = compiled(limb_bits, 2, of(5, lambda c, x, y: ranges.less_than(c, x, y, 5)))
    assert run(less, a, b) == [int(a < b)]
    assert run(less, a, 32) is None
    against = compiled(limb_bits, 1, of(5, lambda c, x: [ranges.less_than(c, x, b, 5), ranges.less_than(c, b, x, 5)]))
    assert run(against, a) == [int(a < b), int(b < a)]
    assert run(compiled(limb_bits, 2, of(5, lambda c, x, y: ranges.select_less(c, x, y, 5))), a, b) == [min(a, b)]
    assert run(compiled(limb_bits, 2, lambda c, x, y: ranges.equal(c, x, y)), a, b) == [int(a == b)]
    assert run(compiled(limb_bits, 1, lambda c, x: ranges.equal(c, x, b)), a) == [int(a == b)]


@pytest.mark.parametrize("limb_bits", LIMBS)
def test_order_of_the_widest(limb_bits: int | None) -> None:
    less = compiled(limb_bits, 2, of(252, lambda c, x, y: ranges.less_than(c, x, y, 252)))
    top = (1 << 252) - 1
    assert [run(less, a, b) for a, b in ((0, top), (top, 0), (top, top), (top - 1, top))] == [[1], [0], [0], [1]]


@pytest.mark.parametrize("limb_bits", LIMBS)
@pytest.mark.parametrize("divisor", [1, 2, 3, 7, 8, 1000])
def test_division(limb_bits: int | None, divisor: int) -> None:
    circuit = compiled(limb_bits, 1, lambda c, x: ranges.divmod_constant(c, x, divisor, 16))
    for value in (0, 1, divisor - 1, divisor, 12345, divisor * 65535 + divisor - 1):
        assert run(circuit, value) == list(divmod(value, divisor))
    assert run(circuit, divisor << 16) is None
    assert run(circuit, R - 1) is None


def lie(circuit: CompiledCircuit, x: int, *outputs: int) -> str | None:
    """What refuses a witness whose hints give these outputs."""
    overrides = dict(zip(hint_wires(circuit), outputs, strict=False))
    violation = check(circuit, circuit.witness({"x": [x]}, overrides=overrides))
    return violation and violation.message


def test_a_remainder_above_the_divisor_is_refused() -> None:
    """q − 1 and remainder + divisor recompose, and 13 has four bits as 9 has: only the bound says no."""
    circuit = compiled(None, 1, lambda c, x: ranges.divmod_constant(c, x, 10, 8))
    assert lie(circuit, 23, 2, 3) is None
    assert lie(circuit, 23, 1, 13) == "the bits exceed 9"
    assert lie(circuit, 23, 3, R - 7) == "does not fit 4 bits"
    by_tables = compiled(4, 1, lambda c, x: ranges.divmod_constant(c, x, 10, 8))
    assert lie(by_tables, 23, 2, 3) is None
    assert lie(by_tables, 23, 1, 13) is not None
    assert lie(by_tables, 23, 3, R - 7) is not None
    by_one = compiled(None, 1, lambda c, x: ranges.divmod_constant(c, x, 1, 8))
    assert lie(by_one, 23, 23, 0) is None
    assert lie(by_one, 23, 22, 1) is not None


@pytest.mark.parametrize("limb_bits", [None, 2])
@pytest.mark.parametrize(
    ("n_inputs", "build", "inputs"),
    [
        (1, lambda c, x: ranges.boolean(c, x), [1]),
        (1, lambda c, x: ranges.uint(c, x, 5), [19]),
        (1, lambda c, x: ranges.uint(c, x, 4), [0]),
        (2, of(3, lambda c, x, y: ranges.less_than(c, x, y, 3)), [2, 6]),
        (2, of(3, lambda c, x, y: ranges.less_than(c, x, y, 3)), [5, 5]),
        (2, of(3, lambda c, x, y: ranges.select_less(c, x, y, 3)), [6, 2]),
        (2, lambda c, x, y: ranges.equal(c, x, y), [2, 6]),
        (1, lambda c, x: ranges.divmod_constant(c, x, 10, 5), [57]),
        (1, lambda c, x: ranges.divmod_constant(c, x, 8, 5), [0]),
    ],
)
def test_nothing_spoilt_survives(limb_bits: int | None, n_inputs: int, build: Build, inputs: list[int]) -> None:
    assert survivors(compiled(limb_bits, n_inputs, build), {"x": inputs}, max_lies=150) == []


@pytest.mark.parametrize("limb_bits", LIMBS)
@pytest.mark.parametrize(("n", "x"), [(5, 32), (5, R - 1), (4, 16), (3, 9)])
def test_no_single_lie_makes_a_value_small(limb_bits: int | None, n: int, x: int) -> None:
    """With limbs of 2 and 4 bits the last one is narrower than the others, and has a table of its own.

    A last limb checked against the table of the whole ones lets 32 pass for five bits: GHSA-rjjm-x32p-m3f7.
    """
    assert forgeries(compiled(limb_bits, 1, lambda c, v: ranges.uint(c, v, n)), {"x": [x]}) == []


@pytest.mark.parametrize("width", [2, 3, 4])
def test_every_split_into_limbs_of_a_wide_value_is_refused(width: int) -> None:
    """All limbs but the last are hints: whatever small limbs a prover claims, the last one is out of its table."""
    circuit = compiled(width, 1, lambda c, x: ranges.uint(c, x, 2 * width + 1))
    for wide in (1 << 2 * width + 1, (1 << 3 * width) - 1, R - 5):
        for limbs in ((wide & (1 << width) - 1, 0), (0, 0), ((1 << width) - 1, (1 << width) - 1), (wide, 0)):
            assert lie(circuit, wide, *limbs) is not None


def test_counts() -> None:
    def count(limb_bits: int | None, n_inputs: int, build: Build) -> int:
        circuit = Circuit(limb_bits=limb_bits)
        build(circuit, *(x.within(0, 31) for x in circuit.private_inputs("x", n_inputs)))
        circuit._recorder.n_constraints += circuit._recorder.n_messages  # a message of one column is one constraint
        return circuit.n_constraints

    def less(c: Circuit, a: Variable, b: Variable) -> Variable:
        return ranges.less_than(c, a, b, 32)

    free: Build = lambda n: lambda c, x: ranges.uint(c, x * (1 << 250), n)  # noqa: E731
    assert [count(None, 1, free(n)) for n in (1, 16, 32, 253)] == [1, 18, 34, 255]  # one binds the product to a wire
    assert [count(16, 1, free(n)) for n in (1, 16, 32, 64, 96, 253)] == [1, 1, 2, 4, 6, 16]
    assert count(None, 2, less) == 32 + 3
    assert count(16, 2, less) == ranges.n_lookups(32, 16) + 2
    assert count(16, 2, lambda c, a, b: ranges.select_less(c, a, b, 32)) == ranges.n_lookups(32, 16) + 3
    assert count(None, 2, lambda c, a, b: ranges.equal(c, a, b)) == 3
    assert count(None, 1, lambda c, a: ranges.equal(c, a, 0)) == 2
    assert count(None, 2, lambda c, a, b: ranges.pack(c, [("a", 8), ("b", 8)], {"a": a, "b": b})) == 0
    assert count(None, 1, lambda c, a: ranges.uint(c, a, 5)) == 0, "what is known costs nothing"
    assert count(None, 1, lambda c, a: ranges.uint(c, a + 1, 6)) == 0


def test_results_are_known() -> None:
    circuit = Circuit(limb_bits=4)
    x, y = (ranges.uint(circuit, v, 7) for v in circuit.private_inputs("x", 2))
    assert (x.bits, (x * y + 3).bits) == (7, 14)
    assert ranges.less_than(circuit, x, y, 7).bits == 1
    assert ranges.equal(circuit, x, y).bits == 1
    assert ranges.select_less(circuit, x, y, 8).bits == 7
    quotient, remainder = ranges.divmod_constant(circuit, x, 10, 4)
    assert (quotient.bounds, remainder.bounds) == ((0, 15), (0, 9))
    packed = ranges.pack(circuit, [("low", 7), ("high", 8)], {"low": x, "high": y})
    assert packed.bits == 14


@pytest.mark.parametrize(
    ("build", "what"),
    [
        (lambda c, x: ranges.less_than(c, x, 3, 8), "the left side of <"),
        (lambda c, x: ranges.less_than(c, 3, x, 8), "the right side of <"),
        (lambda c, x: ranges.less_than(c, 3, ranges.uint(c, x, 9), 8), "the right side of <"),
        (lambda c, x: ranges.select_less(c, x, c.constant(1), 8), "the left side of <"),
        (lambda c, x: ranges.pack(c, [("fee", 8)], {"fee": ranges.uint(c, x, 9)}), "fee"),
        (lambda c, x: ranges.pack(c, [("fee", 8)], {"fee": ranges.uint(c, x, 8) - 1}), "fee"),
        (lambda c, x: ranges.pack(c, [("fee", 8)], {"fee": c.constant(256)}), "fee"),
    ],
)
def test_an_unchecked_narrowing_names_the_place(build: Build, what: str) -> None:
    with pytest.raises(BadInputError, match=f"{what} is not known to be in its range") as error:
        compiled(None, 1, build)
    assert error.value.place is not None
    assert "test_ranges.py:" in error.value.place


@pytest.mark.parametrize(
    "build",
    [
        lambda c, x: ranges.uint(c, x, 254),
        lambda c, x: ranges.uint(c, x, 0),
        lambda c, x: ranges.uint_limbs(c, x, 254, 8),
        lambda c, x: ranges.less_than(c, 1, 2, 253),
        lambda c, x: ranges.divmod_constant(c, x, 3, 253),
        lambda c, x: ranges.divmod_constant(c, x, 0, 8),
        lambda c, x: ranges.pack(c, [("a", 200), ("b", 54)], {"a": x, "b": x}),
    ],
)
def test_parameters_that_could_wrap_are_refused(build: Build) -> None:
    with pytest.raises(ValueError, match="bits"):
        compiled(None, 1, build)
    with pytest.raises(ValueError, match="limb_bits"):
        Circuit(limb_bits=17)
