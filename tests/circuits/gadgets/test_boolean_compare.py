"""Logic, bits and zero: valid, invalid and dishonest witnesses; counts."""

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
from aitbc_rollup.errors import BadInputError

Build = Callable[..., Any]


def flags(gadget: Callable[..., Any]) -> Build:
    """The gadget on flags that its arguments are first constrained to be."""
    return lambda circuit, *x: gadget(circuit, *(boolean.boolean(circuit, value) for value in x))


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
    assert run(compiled(2, flags(boolean.logical_and)), a, b) == [a & b]
    assert run(compiled(2, flags(boolean.logical_or)), a, b) == [a | b]
    assert run(compiled(2, flags(boolean.logical_xor)), a, b) == [a ^ b]
    assert run(compiled(1, flags(boolean.logical_not)), a) == [1 - a]
    assert run(compiled(1, flags(lambda c, x: boolean.select(c, x, 5, 9))), a) == [5 if a else 9]
    assert run(compiled(2, flags(boolean.one_hot_of_two_bits)), a, b) == [int(i == a + 2 * b) for i in range(4)]


def test_prefix_and_one_hot() -> None:
    prefix = compiled(4, flags(lambda c, *x: boolean.assert_prefix(c, x)))
    for given in ([0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]):
        assert run(prefix, *given) == []
    for given in ([0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]):
        assert run(prefix, *given) is None
    hot = compiled(3, lambda c, *x: boolean.assert_one_hot(c, x))
    assert run(hot, 0, 1, 0) == [0, 1, 0]
    for given in ([0, 0, 0], [1, 1, 0], [2, -1, 0]):
        assert run(hot, *given) is None


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
    """x + r has 254 bits for small x; its bits recompose to x in the field and must still be refused.

    That they were not is GHSA-498w-5j49-vqjg (gnark).
    """
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


@pytest.mark.parametrize("bound", [0, 1, 2, 5, 6, 7, 8, 12, 255, 256, 0b101000000])
def test_bits_at_most(bound: int) -> None:
    circuit = compiled(8, flags(lambda c, *x: compare.assert_bits_at_most(c, x, bound)))
    for value in range(256):
        bits = [value >> i & 1 for i in range(8)]
        assert (run(circuit, *bits) == []) == (value <= bound), (value, bound)


def test_is_zero() -> None:
    zero = compiled(1, compare.is_zero)
    assert [run(zero, x) for x in (0, 1, R - 1)] == [[1], [0], [0]]


@pytest.mark.parametrize(
    ("n_inputs", "build", "inputs"),
    [
        (1, lambda c, x: compare.num2bits(c, x, 8), [165]),
        (1, lambda c, x: compare.num2bits(c, x, 254), [R - 2]),
        (1, lambda c, x: compare.num2bits(c, x, 254), [3]),
        (1, compare.is_zero, [9]),
        (2, flags(boolean.logical_xor), [1, 0]),
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
        (1, lambda c, x: compare.num2bits(c, x, 32) and None, 33),
        (1, lambda c, x: compare.num2bits(c, x, 253) and None, 254),
        (1, lambda c, x: compare.num2bits(c, x, 254) and None, 407),
        (3, lambda c, f, x, y: c.assert_zero(boolean.select(c, boolean.boolean(c, f), x, y)), 3),
    ],
)
def test_counts(n_inputs: int, build: Build, count: int) -> None:
    assert compiled(n_inputs, build).r1cs.n_constraints == count


@pytest.mark.parametrize(
    "build",
    [
        lambda c, x: compare.num2bits(c, x, 255),
        lambda c, x: compare.num2bits(c, x, 0),
        lambda c, x: compare.assert_bits_at_most(c, [boolean.boolean(c, x)], -1),
    ],
)
def test_parameters_that_could_wrap_are_refused(build: Build) -> None:
    with pytest.raises(ValueError):
        compiled(1, build)


@pytest.mark.parametrize(
    "build",
    [
        boolean.logical_not,
        lambda c, x: boolean.logical_and(c, x, c.constant(1)),
        lambda c, x: boolean.logical_or(c, x, c.constant(1)),
        lambda c, x: boolean.logical_xor(c, c.constant(1), x),
        lambda c, x: boolean.select(c, x, 1, 2),
        lambda c, x: boolean.select(c, c.constant(2), 1, x),
        lambda c, x: boolean.assert_prefix(c, [x]),
        lambda c, x: boolean.one_hot_of_two_bits(c, c.constant(1), x),
        lambda c, x: compare.bits2num(c, [x]),
        lambda c, x: compare.assert_bits_at_most(c, [x], 1),
    ],
)
def test_what_nobody_constrained_to_a_flag_is_refused(build: Build) -> None:
    with pytest.raises(BadInputError, match="a flag is not known to be in its range"):
        compiled(1, build)


def test_logic_hands_out_flags_and_select_keeps_ranges() -> None:
    circuit = Circuit()
    a, b = (boolean.boolean(circuit, x) for x in circuit.private_inputs("x", 2))
    results = [f(circuit, a, b) for f in (boolean.logical_and, boolean.logical_or, boolean.logical_xor)]
    results += [boolean.logical_not(circuit, a), *boolean.one_hot_of_two_bits(circuit, a, b)]
    assert [result.bits for result in results] == [1] * 8
    assert boolean.select(circuit, a, 300, -5).bounds == (-5, 300)
    assert boolean.select(circuit, a, circuit.private_input("y"), 7).bounds is None
    n = circuit.n_constraints
    assert boolean.boolean(circuit, a).bits == 1
    assert circuit.n_constraints == n, "what is known costs nothing"
