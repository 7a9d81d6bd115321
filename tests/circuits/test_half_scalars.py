"""Scalars modulo the order of Baby Jubjub and multiples by them, in circuits with lookups: edges, lies, counts."""

from __future__ import annotations

from random import Random

import pytest
from plain_circuits import failing

from aitbc_rollup.algebra import babyjubjub as curve
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.algebra.reference.babyjubjub import to_montgomery
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets.babyjubjub import Point
from aitbc_rollup.circuits.gadgets.halves import LOW_BITS, multiply_by_halves, short_vector
from aitbc_rollup.circuits.gadgets.ranges import uint
from aitbc_rollup.circuits.gadgets.windows import (
    SCALAR_BITS,
    assert_below_order,
    best_window,
    divmod_order,
    multiply_base8_windows,
)
from aitbc_rollup.circuits.ir import Op
from aitbc_rollup.circuits.testing import survivors

L = curve.SUBGROUP_ORDER
WINDOW = 8
#: Digits of a and b: i + 2^126·j stands for 2·i − 3 and 2·j − 3.
DIGITS, SIDE = 63, 1 << 126


def outputs(circuit: CompiledCircuit, values: dict[str, object], overrides: dict[int, int] | None = None) -> list[int]:
    """The circuit's outputs, of a witness that must satisfy it."""
    witness = circuit.witness(values, overrides=overrides or {})
    violation = check(circuit, witness)
    assert violation is None, violation.render()
    return from_limbs(witness[1 : 1 + circuit.r1cs.n_public_outputs])


def hinted(circuit: CompiledCircuit, name: str) -> int:
    """The first wire of the hint that the function of this name gives."""
    program = circuit.program
    for op, out, extra in zip(program.ops, program.outs, program.extras, strict=True):
        if op == Op.PYTHON and program.hints[extra].function.__name__ == name:
            return int(out)
    raise LookupError(name)


# -- modulo the order -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def division() -> CompiledCircuit:
    circuit = Circuit(limb_bits=8)
    quotient, remainder, last = divmod_order(circuit, circuit.private_input("x"))
    high, low = circuit.hint_divmod(remainder, 1 << LOW_BITS)
    circuit.assert_equal(low + high * (1 << LOW_BITS), remainder)
    low, high = uint(circuit, low, LOW_BITS), uint(circuit, high, SCALAR_BITS - LOW_BITS)
    assert_below_order(circuit, low, high, LOW_BITS, last)
    circuit.public_output("quotient", quotient)
    circuit.public_output("remainder", remainder)
    return circuit.compile()


def edges() -> list[int]:
    near = [k * L + d for k in range(9) for d in (-2, -1, 0, 1)] + [R - 1 - d for d in range(3)]
    near += [k * L + (L - 1 >> LOW_BITS << LOW_BITS) + d for k in range(8) for d in (-1, 0, 1)]
    return sorted({x for x in near if 0 <= x < R} | {R // 2, 1 << LOW_BITS, (1 << LOW_BITS) - 1})


def test_division_by_the_order(division: CompiledCircuit) -> None:
    for x in edges():
        assert outputs(division, {"x": x}) == list(divmod(x, L)), x


def test_there_is_one_quotient(division: CompiledCircuit) -> None:
    """Other quotients give remainders that are negative, too large, or those of x + r."""
    quotient = next(
        int(out) for op, out in zip(division.program.ops, division.program.outs, strict=True) if op == Op.DIVMOD
    )
    for x in edges():
        for lie in set(range(9)) - {x // L}:
            overrides = {quotient: lie, quotient + 1: (x - lie * L) % R}
            assert check(division, division.witness({"x": x}, overrides=overrides)) is not None, (x, lie)


def test_division_by_the_order_leaves_nothing_free(division: CompiledCircuit) -> None:
    for x in (0, L - 1, L, 7 * L, R - 1, 1 << LOW_BITS):
        # free are the mask, and the inverse of 0 where the high halves are equal
        assert len({s.wire for s in survivors(division, {"x": x}, max_lies=60)}) <= 2, x


# -- fixed base -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fixed_base() -> CompiledCircuit:
    circuit = Circuit(limb_bits=8)
    point, _ = multiply_base8_windows(circuit, circuit.private_input("k"), WINDOW)
    for name, value in zip("xy", point, strict=True):
        circuit.public_output(name, value)
    return circuit.compile()


def test_multiples_of_base8(fixed_base: CompiledCircuit) -> None:
    random = Random(1)
    powers = [(1 << i) + d for i in (8, 16, 128, 240, 248, 250) for d in (-1, 0, 1)]
    special = [0, 1, 2, L - 1, L, L + 1, (1 << 251) - 1, L >> 1, (L >> 1) + 1, 255, int("80" * 31, 16)]
    for k in [*special, *powers, *(random.randrange(1 << 251) for _ in range(10))]:
        assert tuple(outputs(fixed_base, {"k": k})) == curve.multiply(curve.BASE8, k), k
    for k in (1 << 251, 1 << 253, R - 1):
        assert check(fixed_base, fixed_base.witness({"k": k})) is not None


def test_a_digit_stays_in_its_window(fixed_base: CompiledCircuit) -> None:
    """A digit 256 or −1, made up for in the next one, would point into another window's table."""
    digits = next(
        int(out) for op, out in zip(fixed_base.program.ops, fixed_base.program.outs, strict=True) if op == Op.LIMBS
    )
    k = 5 + (7 << 8)
    for lies in ({digits: 5 + 256, digits + 1: 6}, {digits: 5 - 256, digits + 1: 8}):
        overrides = {wire: value % R for wire, value in lies.items()}
        assert check(fixed_base, fixed_base.witness({"k": k}, overrides=overrides)) is not None


# -- variable base --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def variable_base() -> CompiledCircuit:
    circuit = Circuit(limb_bits=8)
    p, k = Point(*circuit.private_inputs("p", 2)), circuit.private_input("k")
    high, low = circuit.hint_divmod(k, 1 << LOW_BITS)
    circuit.assert_equal(low + high * (1 << LOW_BITS), k)
    low = uint(circuit, low, LOW_BITS)
    for name, value in zip("xy", multiply_by_halves(circuit, p, k, low, 0), strict=True):
        circuit.public_output(name, value)
    return circuit.compile()


def given(p: curve.Point, k: int) -> dict[str, object]:
    return {"p": list(to_montgomery(p)), "k": k}


def scalars() -> list[int]:
    """Scalars with short relations to 1 and without; those of vectors below 12 are nobody's to find."""
    random = Random(2)
    root = 1 << 125
    ratios = [x * pow(y, -1, L) % L for x, y in [(12, 1), (1, 13), (100, 7), (root, 3), (3, root), (root, root + 1)]]
    return [
        *ratios, *(L - x for x in ratios), 1 << 250, (1 << 250) - 1, root, root - 1,
        *(random.randrange(L) for _ in range(10)),
    ]  # fmt: skip


def test_multiples_of_points(variable_base: CompiledCircuit) -> None:
    random = Random(3)
    for k in scalars():
        p = curve.multiply(curve.BASE8, random.choice([1, L - 1, random.randrange(1, L)]))
        assert tuple(outputs(variable_base, given(p, k))) == curve.multiply(p, k), k


def test_short_vectors_are_short() -> None:
    for k in [*scalars(), *range(20), L - 1]:
        a, b = short_vector(k)
        assert (a + b * k) % L == 0
        assert 0 < a * a + b * b <= 2 * L // 3**0.5 + 1
        assert (a, b) != (0, 0)


def test_scalars_with_too_short_a_relation_have_no_proof(variable_base: CompiledCircuit) -> None:
    """0 and ±1, ±3 and their inverses: a refusal, not a wrong product."""
    for k in (0, 1, 3, L - 1, pow(3, -1, L)):
        assert check(variable_base, variable_base.witness(given(curve.BASE8, k))) is not None


def lie(circuit: CompiledCircuit, p: curve.Point, k: int, overrides: dict[int, int]) -> str | None:
    violation = check(circuit, circuit.witness(given(p, k), overrides=overrides))
    return None if violation is None else violation.message


def test_the_product_is_the_only_one(variable_base: CompiledCircuit) -> None:
    """Other points in place of the product: near ones, unrelated ones, and points of small order under them."""
    k = 31337**15 % L
    z = hinted(variable_base, "_choose_eighth")
    eighth = curve.multiply(curve.BASE8, k * pow(8, -1, L) % L)
    order_eight = curve.multiply(curve.GENERATOR, L)
    others = [curve.add(eighth, curve.BASE8), curve.negate(eighth), curve.BASE8, curve.multiply(curve.BASE8, 12345)]
    others += [curve.multiply(order_eight, i) for i in (1, 2, 3, 5, 6, 7)]
    for u, v in [*(to_montgomery(point) for point in others), (0, 0), (1, 1)]:
        assert lie(variable_base, curve.BASE8, k, {z: u, z + 1: v}) is not None
    # what 8 takes to the product is free
    for i in range(8):
        u, v = to_montgomery(curve.add(eighth, curve.multiply(order_eight, i)))
        assert lie(variable_base, curve.BASE8, k, {z: u, z + 1: v}) is None


def vector_lies(circuit: CompiledCircuit, a: int, b: int) -> dict[int, int]:
    """Overrides that put a vector in place of the honest one."""
    first = hinted(circuit, "_choose_vector")
    even = [1 - a % 2, 1 - b % 2]
    halves = [(x - e + (1 << 126) - 1) // 2 for x, e in zip((a, b), even, strict=True)]
    codes = [(halves[0] >> 2 * i & 3) + (halves[1] >> 2 * i & 3) * SIDE for i in range(DIGITS)]
    return {first + i: value % R for i, value in enumerate([*even, halves[0], *codes])}


def test_relations_must_hold(variable_base: CompiledCircuit) -> None:
    k = 31337**15 % L
    a, b = short_vector(k)
    assert lie(variable_base, curve.BASE8, k, vector_lies(variable_base, a, b)) is None
    assert lie(variable_base, curve.BASE8, k, vector_lies(variable_base, -a, -b)) is None
    for change in ((1, 0), (0, 1), (2, 0), (0, -2)):
        lies = vector_lies(variable_base, a + change[0], b + change[1])
        assert lie(variable_base, curve.BASE8, k, lies) is not None


def test_a_relation_without_the_product_says_nothing(variable_base: CompiledCircuit) -> None:
    """a = b = 0 is true of any point whatever."""
    z = hinted(variable_base, "_choose_eighth")
    u, v = to_montgomery(curve.multiply(curve.BASE8, 12345))
    lies = vector_lies(variable_base, 0, 0) | {z: u, z + 1: v}
    assert lie(variable_base, curve.BASE8, 31337**15 % L, lies) == "the relation says nothing"


def test_a_slope_is_never_free(variable_base: CompiledCircuit) -> None:
    """For the false product 5·P and the digits (−3, 1), (−1, 1) the second step would add 4·P to 4·P by a chord."""
    z = hinted(variable_base, "_choose_eighth")
    u, v = to_montgomery(curve.multiply(curve.BASE8, 5 * pow(8, -1, L) % L))
    first = hinted(variable_base, "_choose_vector")
    a, b = -3 * 4 - 1, 1 * 4 + 1
    a, b = a * 4**61 + 4**61 - 1, b * 4**61 + 4**61 - 1
    lies = vector_lies(variable_base, a, b) | {z: u, z + 1: v}
    assert [lies[first + 3 + i] for i in (62, 61)] == [0 + 2 * SIDE, 1 + 2 * SIDE]
    violation = check(variable_base, variable_base.witness(given(curve.BASE8, 31337**15 % L), overrides=lies))
    assert violation is not None
    assert violation.message == "an exceptional case of the addition"


def test_codes_name_combinations_of_the_own_table() -> None:
    """Two instances: a code that reaches into the other's rows, with a point from there, is refused by the bus."""
    circuit = Circuit(limb_bits=8)
    k = 31337**15 % L
    for name in ("p", "q"):
        p, scalar = Point(*circuit.private_inputs(name, 2)), circuit.private_input(f"k_{name}")
        high, low = circuit.hint_divmod(scalar, 1 << LOW_BITS)
        circuit.assert_equal(low + high * (1 << LOW_BITS), scalar)
        multiply_by_halves(circuit, p, scalar, uint(circuit, low, LOW_BITS), int(name == "q"))
    compiled = circuit.compile()
    q = curve.multiply(curve.BASE8, 9)
    values = {"p": to_montgomery(curve.BASE8), "q": to_montgomery(q), "k_p": k, "k_q": k}
    honest = compiled.witness(values)
    assert check(compiled, honest) is None
    first, points = hinted(compiled, "_choose_vector") + 3, hinted(compiled, "_choose_points")
    code = from_limbs(honest[first])[0]
    alpha, beta = 2 * (code % SIDE) - 3, 2 * (code // SIDE) - 3
    u, v = to_montgomery(curve.multiply(q, (alpha + beta * k) % L))
    lies = {first: code + 4, points: u, points + 1: v}
    spoilt = from_limbs(compiled.witness(values, overrides=lies))
    assert failing(compiled.r1cs, spoilt)[-1] == compiled.r1cs.n_constraints - 1  # what is sent is what is received


def test_constraints() -> None:
    counts = []
    for n in (1, 2):
        circuit = Circuit(limb_bits=11)
        for i in range(n):
            u, v, k, low, number = circuit.private_inputs(f"x{i}", 5)
            multiply_by_halves(circuit, Point(u, v), k, low, number)
        counts.append(circuit.compile().r1cs.n_constraints)
    assert counts[1] - counts[0] == 938 + 4 * 12


def test_the_best_window_is() -> None:
    for n in (1, 10, 300):
        costs = {}
        for window in range(2, 11):
            whole = 250 // window
            rows = whole * 2**window + 2 ** (251 - whole * window)
            costs[window] = n * (6 * whole + 8) + rows
        assert costs[best_window(n)] <= 1.05 * min(costs.values())
