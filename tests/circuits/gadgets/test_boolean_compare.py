"""Logic, bits, ranges, order and division: valid, invalid and dishonest witnesses; counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import boolean, compare
from aitbc_rollup.circuits.testing import hint_wires, survivors

Build = Callable[..., Any]


def compiled(n_inputs: int, build: Build) -> CompiledCircuit:
    """A circuit of private inputs ``x`` whose outputs are what ``build`` returns."""
    circuit = Circuit()
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


@pytest.mark.parametrize("a", [0, 1])
@pytest.mark.parametrize("b", [0, 1])
def test_logic(a: int, b: int) -> None:
    assert run(compiled(2, boolean.logical_and), a, b) == [a & b]
    assert run(compiled(2, boolean.logical_or), a, b) == [a | b]
    assert run(compiled(2, boolean.logical_xor), a, b) == [a ^ b]
    assert run(compiled(1, boolean.logical_not), a) == [1 - a]
    assert run(compiled(3, boolean.select), a, 5, 9) == [5 if a else 9]
    flags = run(compiled(2, boolean.one_hot_of_two_bits), a, b)
    assert flags == [int(i == a + 2 * b) for i in range(4)]


def test_prefix_and_one_hot() -> None:
    prefix = compiled(4, lambda c, *x: boolean.assert_prefix(c, x))
    for flags in ([0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]):
        assert run(prefix, *flags) == []
    for flags in ([0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]):
        assert run(prefix, *flags) is None
    hot = compiled(3, lambda c, *x: boolean.assert_one_hot(c, x))
    assert run(hot, 0, 1, 0) == []
    for flags in ([0, 0, 0], [1, 1, 0], [2, -1, 0]):
        assert run(hot, *flags) is None


@pytest.mark.parametrize("n", [1, 2, 8, 64, 253, 254])
def test_num2bits(n: int) -> None:
    circuit = compiled(1, lambda c, x: compare.num2bits(c, x, n))
    top = min((1 << n) - 1, R - 1)
    for value in {0, 1, top, top // 3}:
        assert run(circuit, value) == [value >> i & 1 for i in range(n)]
    if n < 254:
        assert run(circuit, 1 << n) is None
        assert run(circuit, R - 1) is None


def test_254_bits_refuse_the_alias() -> None:
    """x + r has 254 bits for small x; its bits recompose to x in the field and must still be refused."""
    circuit = compiled(1, lambda c, x: compare.num2bits(c, x, 254))
    alias = 5 + R
    assert alias < 1 << 254
    bits = hint_wires(circuit)[:254]
    for value, holds in ((5, True), (alias, False)):
        lie = {wire: value >> i & 1 for i, wire in enumerate(bits)}
        violation = check(circuit, circuit.witness({"x": [5]}, overrides=lie))
        assert (violation is None) == holds
    assert violation is not None
    assert violation.message == f"the bits exceed {R - 1}"


def lie(circuit: CompiledCircuit, x: int, *outputs: int) -> str | None:
    """What refuses a witness whose hint gives these outputs."""
    overrides = dict(zip(hint_wires(circuit), outputs, strict=False))
    violation = check(circuit, circuit.witness({"x": [x]}, overrides=overrides))
    return violation and violation.message


def test_bits_that_recompose_but_are_no_bits_are_refused() -> None:
    """Lies about two outputs at once: the sum is right and only the bits themselves are wrong."""
    circuit = compiled(1, lambda c, x: compare.num2bits(c, x, 8))
    assert lie(circuit, 5, 1, 0, 1) is None
    assert lie(circuit, 5, 3, R - 1, 1) == "neither 0 nor 1"
    assert lie(circuit, 256, 256, 0) == "neither 0 nor 1"
    assert lie(circuit, R - 1, R - 1, *[0] * 7) == "neither 0 nor 1"


def test_one_bit() -> None:
    circuit = compiled(1, lambda c, x: compare.assert_bits(c, x, 1))
    assert [run(circuit, value) for value in (0, 1, 2, R - 1)] == [[], [], None, None]


def test_a_remainder_above_the_divisor_is_refused() -> None:
    """q − 1 and remainder + divisor recompose, and 13 has four bits as 9 has: only the bound says no."""
    circuit = compiled(1, lambda c, x: compare.divmod_constant(c, x, 10, 8))
    assert lie(circuit, 23, 2, 3) is None
    assert lie(circuit, 23, 1, 13) == "the bits exceed 9"
    assert lie(circuit, 23, 3, R - 7) == "does not fit 4 bits"
    by_one = compiled(1, lambda c, x: compare.divmod_constant(c, x, 1, 8))
    assert lie(by_one, 23, 23, 0) is None
    assert lie(by_one, 23, 22, 1) is not None


@pytest.mark.parametrize("bound", [0, 1, 2, 5, 6, 7, 8, 12, 255, 256, 0b101000000])
def test_bits_at_most(bound: int) -> None:
    circuit = compiled(8, lambda c, *x: compare.assert_bits_at_most(c, x, bound))
    for value in range(256):
        bits = [value >> i & 1 for i in range(8)]
        assert (run(circuit, *bits) == []) == (value <= bound), (value, bound)


def test_is_zero_and_is_equal() -> None:
    zero = compiled(1, compare.is_zero)
    assert [run(zero, x) for x in (0, 1, R - 1)] == [[1], [0], [0]]
    equal = compiled(2, compare.is_equal)
    assert [run(equal, 7, y) for y in (7, 8)] == [[1], [0]]


@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 1), (1, 0), (255, 255), (254, 255), (255, 0), (0, 255)])
def test_less_than(a: int, b: int) -> None:
    assert run(compiled(2, lambda c, x, y: compare.less_than(c, x, y, 8)), a, b) == [int(a < b)]
    assert run(compiled(1, lambda c, x: compare.less_than(c, x, b, 8)), a) == [int(a < b)]


@pytest.mark.parametrize("divisor", [1, 2, 3, 7, 8, 10_000])
def test_divmod(divisor: int) -> None:
    circuit = compiled(1, lambda c, x: compare.divmod_constant(c, x, divisor, 16))
    for value in (0, 1, divisor - 1, divisor, 12345, divisor * 65535 + divisor - 1):
        assert run(circuit, value) == list(divmod(value, divisor))
    assert run(circuit, divisor << 16) is None
    assert run(circuit, R - 1) is None


@pytest.mark.parametrize(
    ("n_inputs", "build", "inputs"),
    [
        (1, lambda c, x: compare.num2bits(c, x, 8), [165]),
        (1, lambda c, x: compare.num2bits(c, x, 254), [R - 2]),
        (1, lambda c, x: compare.num2bits(c, x, 254), [3]),
        (1, compare.is_zero, [9]),
        (2, lambda c, x, y: compare.less_than(c, x, y, 8), [3, 200]),
        (1, lambda c, x: compare.divmod_constant(c, x, 10_000, 20), [1_234_567]),
        (1, lambda c, x: compare.divmod_constant(c, x, 8, 20), [0]),
        (2, boolean.logical_xor, [1, 0]),
    ],
)
def test_nothing_spoilt_survives(n_inputs: int, build: Build, inputs: list[int]) -> None:
    assert survivors(compiled(n_inputs, build), {"x": inputs}) == []


def test_the_free_inverse_of_zero_is_reported() -> None:
    """The harness finds real freedom: at x = 0 the inverse can be anything, and the result is 1 all the same."""
    found = survivors(compiled(1, compare.is_zero), {"x": [0]})
    assert {survivor.kind for survivor in found} == {"wire", "hint"}
    assert len({survivor.wire for survivor in found}) == 1


def test_the_harness_finds_a_forgotten_range() -> None:
    """The lowest bit as a bare hint: any value at all goes through."""

    def forgetful(circuit: Circuit, x: Variable) -> Variable:
        bit, *_ = circuit.hint_bits(x, 1)
        return x - bit

    assert survivors(compiled(1, forgetful), {"x": [5]}) != []
    bounded = compiled(1, lambda c, x: x - compare.num2bits(c, x, 3)[0])
    assert survivors(bounded, {"x": [5]}) == []


@pytest.mark.parametrize(
    ("n_inputs", "build", "count"),
    [
        (1, lambda c, x: compare.assert_bits(c, x, 1), 1),
        (1, lambda c, x: compare.assert_bits(c, x, 32), 33),
        (1, lambda c, x: compare.assert_bits(c, x, 253), 254),
        (1, lambda c, x: compare.assert_bits(c, x, 254), 407),
        (2, lambda c, x, y: compare.assert_bits(c, compare.less_than(c, x, y, 8), 1), 12),
        (3, lambda c, f, x, y: c.assert_zero(boolean.select(c, f, x, y)), 2),
    ],
)
def test_counts(n_inputs: int, build: Build, count: int) -> None:
    assert compiled(n_inputs, build).r1cs.n_constraints == count


@pytest.mark.parametrize(
    "build",
    [
        lambda c, x: compare.num2bits(c, x, 255),
        lambda c, x: compare.num2bits(c, x, 0),
        lambda c, x: compare.less_than(c, x, x, 253),
        lambda c, x: compare.divmod_constant(c, x, 3, 253),
        lambda c, x: compare.divmod_constant(c, x, 0, 8),
        lambda c, x: compare.assert_bits_at_most(c, [x], -1),
    ],
)
def test_parameters_that_could_wrap_are_refused(build: Build) -> None:
    with pytest.raises(ValueError):
        compiled(1, build)
