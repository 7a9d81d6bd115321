"""Arithmetic modulo another number: against Python's integers, at the edges of limbs, with dishonest provers."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra import bls12_381
from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import Violation, check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import emulated
from aitbc_rollup.circuits.gadgets.emulated import Element, EmulatedField
from aitbc_rollup.circuits.ir import Op
from aitbc_rollup.circuits.testing import Survivor, forgeries, survivors
from aitbc_rollup.errors import BadInputError

BLS = bls12_381.SCALAR_MODULUS
MODULI = {
    "3": 3,
    "2^31 - 1": (1 << 31) - 1,
    "Curve25519": (1 << 255) - 19,
    "secp256k1": (1 << 256) - (1 << 32) - 977,
    "2^256 - 1, not prime": (1 << 256) - 1,
    "BLS12-381 r": BLS,
    "BN254 p": P,
}
#: Small enough to try every lie.
SMALL = EmulatedField((1 << 31) - 1, 2)

Build = Callable[[Circuit, EmulatedField, list[Element]], list[Element]]


def build(field: EmulatedField, width: int | None, n_inputs: int, body: Build) -> CompiledCircuit:
    """A circuit of elements ``x`` that publishes what ``body`` makes of them, canonical."""
    circuit = Circuit(limb_bits=width)
    n_limbs = len(field.widths(circuit))
    inputs = [field.checked(circuit, limbs) for limbs in circuit.private_inputs("x", n_inputs, n_limbs)]
    for i, element in enumerate(body(circuit, field, inputs)):
        low, high = emulated.canonical(circuit, element, field=field)
        circuit.public_output(f"low{i}", low)
        circuit.public_output(f"high{i}", high)
    return circuit.compile()


def limbs(field: EmulatedField, width: int | None, value: int) -> list[int]:
    """An integer below 2^(the limbs' bits), not reduced."""
    circuit = Circuit(limb_bits=width)
    distance, widths = field.limb_bits(circuit), field.widths(circuit)
    cut = [value >> distance * k & (1 << bits) - 1 for k, bits in enumerate(widths)]
    assert sum(limb << distance * k for k, limb in enumerate(cut)) == value
    return cut


def room(field: EmulatedField, width: int | None) -> int:
    """One more than the greatest integer of an element's limbs."""
    return 1 << sum(field.widths(Circuit(limb_bits=width)))


def published(compiled: CompiledCircuit, witness: Any) -> list[int] | None:
    """The integers published, or nothing if a constraint fails."""
    if check(compiled, witness) is not None:
        return None
    halves = from_limbs(witness[1 : 1 + compiled.r1cs.n_public_outputs])
    return [low + (high << 128) for low, high in zip(halves[::2], halves[1::2], strict=True)]


def run(compiled: CompiledCircuit, field: EmulatedField, width: int | None, values: Sequence[int]) -> list[int] | None:
    assignment = {"x": [limbs(field, width, value) for value in values]}
    return published(compiled, compiled.witness(assignment))


def everything(circuit: Circuit, field: EmulatedField, x: list[Element]) -> list[Element]:
    a, b, c = x
    far = a.minus(b).plus(c.scaled(3))
    return [
        emulated.multiply(circuit, a, b, field=field),
        emulated.multiply_add(circuit, far, b.minus(a), c, field=field),
        emulated.inner_product(circuit, [(a, b), (b, c), (far, far)], a.scaled(-5), field=field),
        emulated.multiply(circuit, a, field.constant(circuit, -7), field=field),
        emulated.reduce(circuit, a.minus(b).minus(c), field=field),
        a.minus(b),
    ]


def everything_in_python(a: int, b: int, c: int, m: int) -> list[int]:
    far = a - b + 3 * c
    found = [a * b, far * (b - a) + c, a * b + b * c + far * far - 5 * a, -7 * a, a - b - c, a - b]
    return [value % m for value in found]


@pytest.mark.parametrize("width", [None, 8, 11])
@pytest.mark.parametrize("modulus", MODULI.values(), ids=MODULI.keys())
def test_against_integers(modulus: int, width: int | None) -> None:
    generator = random.Random(modulus)
    field = EmulatedField(modulus)
    circuit = build(field, width, 3, everything)
    top = room(field, width) - 1
    edges = [0, 1, modulus - 1, min(modulus, top), top, (modulus - 1) // 2]
    triples = [(top, top, top), (0, 0, 0), (0, top, 0), (top, 0, top), (modulus - 1, 1, modulus - 1)]
    triples += [tuple(generator.choice([*edges, generator.randrange(modulus)]) for _ in range(3)) for _ in range(4)]
    for values in triples:
        assert run(circuit, field, width, values) == everything_in_python(*values, modulus)


@pytest.mark.parametrize("n_limbs", [1, 2, 3, 4, 8])
def test_any_number_of_limbs(n_limbs: int) -> None:
    """Down to limbs whose products fit the field; one limb of 255 bits has no product."""
    field = EmulatedField(BLS, n_limbs)
    body: Build = lambda circuit, field, x: [emulated.multiply(circuit, *x, field=field)]  # noqa: E731
    if n_limbs < 3:
        with pytest.raises((BadInputError, ValueError), match=r"could wrap around|too wide"):
            build(field, 11, 2, body)
        return
    top = room(field, 11) - 1
    assert run(build(field, 11, 2, body), field, 11, [top, top]) == [top * top % BLS]


def test_division_and_inverse() -> None:
    body: Build = lambda circuit, field, x: [  # noqa: E731
        emulated.divide(circuit, *x, field=field),
        emulated.inverse(circuit, x[1], field=field),
    ]
    for modulus in (BLS, 15):
        field = EmulatedField(modulus)
        circuit = build(field, 8, 2, body)
        for x, y in [(5, 7), (0, 1), (modulus - 1, modulus - 1), (modulus + 3, 2)]:
            inverse = pow(y, -1, modulus)
            assert run(circuit, field, 8, [x, y]) == [x * inverse % modulus, inverse]
    assert run(circuit, field, 8, [5, 5]) is None, "5 has no inverse modulo 15"


def test_equality() -> None:
    field = EmulatedField(BLS)

    def body(circuit: Circuit, field: EmulatedField, x: list[Element]) -> list[Element]:
        emulated.assert_equal(circuit, *x, field=field)
        return []

    circuit = build(field, 8, 2, body)
    assert run(circuit, field, 8, [5, 5]) == []
    assert run(circuit, field, 8, [5, BLS + 5]) == []
    for x, y in [(5, 6), (0, BLS - 1), (BLS + 1, 0)]:
        assert run(circuit, field, 8, [x, y]) is None


def native(width: int | None, field: EmulatedField, bits: int | None = None) -> CompiledCircuit:
    circuit = Circuit(limb_bits=width)
    x = circuit.private_input("x")
    if bits is not None:
        x = x.within(0, (1 << bits) - 1)
    low, high = emulated.canonical(circuit, emulated.from_native(circuit, x, field=field), field=field)
    circuit.public_output("low", low)
    circuit.public_output("high", high)
    return circuit.compile()


def native_edges(step: int) -> list[int]:
    """Values where the digits of ``from_native`` turn."""
    plain_bits, weight, bit_weight = emulated.capped_digits(step)
    top = weight * ((1 << step) - 1)
    turns = [1 << plain_bits, weight, top, (1 << plain_bits) + top, (1 << plain_bits) + bit_weight, R - 1]
    return [value for turn in turns for value in (turn - 1, turn, turn + 1) if value < R] + [0, 1, R >> 1]


@pytest.mark.parametrize("width", [None, 8, 11, 12])
def test_a_native_value_is_its_canonical_integer(width: int | None) -> None:
    """Also modulo a number smaller than r, where x and x + r differ."""
    for field in (EmulatedField(BLS, 4), EmulatedField((1 << 127) - 1)):
        circuit = native(width, field)
        for value in native_edges(width or 1):
            assert published(circuit, circuit.witness({"x": value})) == [value % field.modulus]
    plain = native(width, field, 20)
    assert published(plain, plain.witness({"x": (1 << 20) - 1})) == [(1 << 20) - 1]


@pytest.mark.parametrize("step", range(1, 17))
def test_capped_digits_hold_every_integer_below_r_and_no_other(step: int) -> None:
    plain_bits, weight, bit_weight = emulated.capped_digits(step)
    assert (1 << plain_bits) - 1 + ((1 << step) - 1) * weight + bit_weight == R - 1
    # No gap: the next weight is at most one more than all before it together.
    assert bit_weight <= 1 << plain_bits
    assert weight <= 1 << plain_bits


def test_halves() -> None:
    circuit = Circuit(limb_bits=11)
    field = EmulatedField(BLS)
    element = emulated.from_halves(circuit, *circuit.private_inputs("half", 2), field=field)
    low, high = emulated.canonical(circuit, element, field=field)
    circuit.public_output("low", low)
    circuit.public_output("high", high)
    compiled = circuit.compile()
    top = (1 << 128) - 1
    for low_half, high_half in [(0, 0), (top, top), (BLS & top, BLS >> 128), (5, 7)]:
        found = published(compiled, compiled.witness({"half": [low_half, high_half]}))
        assert found == [(low_half + (high_half << 128)) % BLS]
    assert published(compiled, compiled.witness({"half": [top + 1, 0]})) is None
    assert published(compiled, compiled.witness({"half": [0, R - 1]})) is None


# -- what it costs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "gadget", "count"),
    [
        (11, "multiply", 54),
        (16, "multiply", 42),
        (11, "multiply_add", 54),
        (11, "inverse", 54),
        (11, "divide", 108),
        (11, "reduce", 27),
        (11, "assert_equal", 3),
        (11, "canonical", 52),
        (11, "from_native", 25),
        (16, "inverse", 42),
        (16, "divide", 84),
        (16, "reduce", 20),
        (16, "assert_equal", 4),
        (16, "canonical", 37),
        (16, "from_native", 17),
    ],
)
def test_counts(width: int, gadget: str, count: int) -> None:
    """Constraints beside the tables."""
    field = EmulatedField(BLS)
    arguments = {"multiply": 2, "multiply_add": 3, "divide": 2, "assert_equal": 2}.get(gadget, 1)

    def total(uses: int) -> int:
        circuit = Circuit(limb_bits=width)
        for i in range(2):
            n_limbs = len(field.widths(circuit))
            x = [field.checked(circuit, row) for row in circuit.private_inputs(f"x{i}", 3, n_limbs)]
            wire = circuit.private_input(f"w{i}")
            if i < uses:
                given: list[Any] = [wire] if gadget == "from_native" else x[:arguments]
                getattr(emulated, gadget)(circuit, *given, field=field)
        # So that every table is there whatever is used.
        emulated.canonical(circuit, x[0], field=field)
        return circuit.compile().r1cs.n_constraints

    assert total(2) - total(1) == count


@pytest.mark.parametrize(("bits", "count"), [(None, 25), (253, 23), (242, 22), (160, 15), (7, 1), (0, 0)])
def test_native_values_known_to_be_small_cost_less(bits: int | None, count: int) -> None:
    """And need no table of another width."""

    def total(uses: int) -> int:
        circuit = Circuit(limb_bits=11)
        x = circuit.private_inputs("x", 3)
        emulated.from_native(circuit, x[2], field=EmulatedField(BLS))
        for wire in x[:uses]:
            value = wire if bits is None else wire.within(0, (1 << bits) - 1) if bits else circuit.constant(R - 1)
            emulated.from_native(circuit, value, field=EmulatedField(BLS))
        return circuit.compile().r1cs.n_constraints

    assert (total(1) - total(0), total(2) - total(0)) == (count, 2 * count)


def test_many_products_are_one_hint_call(monkeypatch: pytest.MonkeyPatch) -> None:
    field = EmulatedField(BLS)
    circuit = Circuit(limb_bits=11)
    x = [field.checked(circuit, row) for row in circuit.private_inputs("x", 51, 6)]
    pairs = pairwise(x)
    for element in emulated.inner_product.repeat(circuit, [([pair], None) for pair in pairs], field=field):
        circuit.public_output(f"out{circuit.n_constraints}", element.limbs[0])
    compiled = circuit.compile()
    assert sorted(compiled.program.batches[:, 1].tolist())[-2:] == [50, 50]
    values = [random.Random(i).randrange(BLS) for i in range(51)]
    witness = compiled.witness({"x": [limbs(field, 11, value) for value in values]})
    assert check(compiled, witness) is None
    first = from_limbs(witness[1:51])
    assert first == [x * y % BLS & (1 << 44) - 1 for x, y in pairwise(values)]


# -- what is refused while the circuit is built ----------------------------------------------------------------------


@pytest.mark.parametrize(("modulus", "n_limbs"), [(4, 1), (1, 1), (-3, 1), ((1 << 256) + 1, 6), (7, 0)])
def test_a_modulus_that_cannot_be(modulus: int, n_limbs: int) -> None:
    with pytest.raises(ValueError, match=r"modulus|limb"):
        EmulatedField(modulus, n_limbs)


def test_limbs_nobody_has_checked_are_refused() -> None:
    circuit = Circuit(limb_bits=11)
    loose = Element(circuit.private_inputs("x", 6))
    for use in (emulated.reduce, emulated.canonical, emulated.inverse):
        with pytest.raises(BadInputError, match="could wrap around") as error:
            use(circuit, loose, field=EmulatedField(BLS))
        assert "nothing known" in str(error.value)


def widened(bits: int) -> CompiledCircuit:
    """A product of an operand that sums have made so many bits wider."""

    def body(circuit: Circuit, field: EmulatedField, x: list[Element]) -> list[Element]:
        wide = x[0].scaled((1 << bits) - 1)
        return [emulated.inner_product(circuit, [(wide, x[1]), (wide.scaled(-1), x[0])], wide, field=field)]

    return build(EmulatedField(BLS, 3), 11, 2, body)


def test_the_widest_operands_accepted_come_right() -> None:
    """One bit more and columns could wrap: that is refused, and up to there limbs at their greatest come right."""
    widest = 54
    with pytest.raises(BadInputError, match="could wrap around"):
        widened(widest + 1)
    circuit, field = widened(widest), EmulatedField(BLS, 3)
    top = room(field, 11) - 1
    for x, y in [(top, top), (top, 0), (0, top)]:
        wide = x * ((1 << widest) - 1)
        assert run(circuit, field, 11, [x, y]) == [(wide * y - wide * x + wide) % BLS]


# -- dishonest provers ------------------------------------------------------------------------------------------------


def surviving(compiled: CompiledCircuit, assignment: dict[str, Any]) -> list[Survivor]:
    """Survivors among all wires but the mask, which is free, and all lies about hints, those of buses left out."""
    program, commitment = compiled.program, compiled.r1cs.commitment
    assert commitment is not None
    honest = compiled.witness(assignment)
    free = compiled.wire_name(commitment.mask)
    found = [lie for lie in survivors(compiled, assignment, max_lies=5) if lie.wire != free]
    for at in np.flatnonzero(np.isin(program.ops, (Op.PYTHON, Op.LIMBS))):
        for wire in range(int(program.outs[at]), int(program.outs[at]) + int(program.widths[at])):
            (value,) = from_limbs(honest[wire])
            for spoilt in {value + 1, value - 1, value + 256, 0, 1, -value, R >> 1} - {value}:
                if check(compiled, compiled.witness(assignment, overrides={wire: spoilt % R})) is None:
                    found.append(Survivor("hint", compiled.wire_name(wire), value, spoilt % R))
    return found


@cache
def small_circuit(name: str) -> CompiledCircuit:
    bodies: dict[str, Build] = {
        "multiply": lambda c, f, x: [emulated.multiply(c, *x, field=f)],
        "multiply_add": lambda c, f, x: [emulated.multiply_add(c, x[0], x[1].minus(x[0]), x[1], field=f)],
        "divide": lambda c, f, x: [emulated.divide(c, *x, field=f)],
        "canonical": lambda c, f, x: [x[0].minus(x[1])],
        "assert_equal": lambda c, f, x: emulated.assert_equal(c, *x, field=f) or [],
    }
    return build(SMALL, 8, 2, bodies[name])


@pytest.mark.parametrize("name", ["multiply", "multiply_add", "divide", "canonical", "assert_equal"])
def test_no_lie_survives(name: str) -> None:
    circuit = small_circuit(name)
    y = 5 if name == "assert_equal" else SMALL.modulus - 2
    assignment = {"x": [limbs(SMALL, 8, 5), limbs(SMALL, 8, y)]}
    assert surviving(circuit, assignment) == []


def test_no_lie_survives_in_a_large_field() -> None:
    circuit = build(EmulatedField(BLS), 8, 2, lambda c, f, x: [emulated.multiply(c, *x, field=f)])
    assignment = {"x": [limbs(EmulatedField(BLS), 8, value) for value in (BLS - 3, 12345 << 200)]}
    assert surviving(circuit, assignment) == []


@pytest.mark.parametrize(("x", "y"), [(5, 6), (0, SMALL.modulus - 1)])
def test_what_is_not_equal_has_no_proof(x: int, y: int) -> None:
    """Without tables, so that every lie is tried."""
    circuit = build(SMALL, None, 2, lambda c, f, x: emulated.assert_equal(c, *x, field=f) or [])
    assert forgeries(circuit, {"x": [limbs(SMALL, None, x), limbs(SMALL, None, y)]}) == []


def test_digits_of_a_native_value_are_free_and_their_integer_is_not() -> None:
    """The digits may be chosen where two choices make one integer; whatever survives, the integer is the same."""
    circuit = native(8, EmulatedField((1 << 127) - 1))
    wires = hinted(circuit)[0]
    for value in (5, R - 1, 1 << 252):
        honest = published(circuit, circuit.witness({"x": value}))
        assert honest == [value % ((1 << 127) - 1)]
        for top in [*range(0, 256, 15), 254]:
            for bit in (0, 1):
                assert lie(circuit, {"x": value}, wires, [top, bit])[0] in (None, honest)


def hinted(compiled: CompiledCircuit) -> list[list[int]]:
    """The wires of each hint in Python, in the order of the program: of a product, the remainder, then the quotient."""
    program = compiled.program
    found = []
    for at in np.flatnonzero(program.ops == Op.PYTHON):
        first, count = int(program.outs[at]), program.hints[program.extras[at]].n_outputs
        found.append(list(range(first, first + count)))
    return found


def lie(
    compiled: CompiledCircuit, assignment: dict[str, Any], wires: Sequence[int], values: Sequence[int]
) -> tuple[list[int] | None, Violation | None]:
    """What is published and what is violated when hints take these values and the rest follows."""
    overrides = {wire: value % R for wire, value in zip(wires, values, strict=True)}
    witness = compiled.witness(assignment, overrides=overrides)
    return published(compiled, witness), check(compiled, witness)


def assert_only_lookups_fail(violation: Violation | None) -> None:
    """All arithmetic holds modulo r; a value that is in no table is what gives the lie away."""
    assert violation is not None
    assert violation.n_violations == 1
    assert re.search(r"looked up \d+ in bits8: no such row", violation.message)


class TestAdvisories:
    """Mistakes that others have published, tried here; each test names its origin."""

    def test_a_remainder_above_m_is_the_same_residue(self) -> None:
        """Consensys/gnark#426: a remainder taken to be below the modulus where only its width is checked."""
        circuit = small_circuit("multiply")
        assignment = {"x": [limbs(SMALL, 8, 3), limbs(SMALL, 8, 4)]}
        remainder, quotient = hinted(circuit)[:2]
        least = from_limbs(circuit.witness(assignment)[quotient])[0]
        above = [*limbs(SMALL, 8, 12 + SMALL.modulus), least - 1]
        assert lie(circuit, assignment, [*remainder, *quotient], above) == ([12], None)

    def test_a_canonical_value_is_below_m(self) -> None:
        """noir-lang/noir-bignum#270, finding 3: comparisons of what is not canonical. Here canonical is below m."""
        circuit = small_circuit("canonical")
        assignment = {"x": [limbs(SMALL, 8, 9), limbs(SMALL, 8, 2)]}
        halves, quotient = hinted(circuit)
        (least,) = from_limbs(circuit.witness(assignment)[quotient])
        for times in (1, -1, 2, 1 << 90):
            forged = 7 + times * SMALL.modulus
            values = [forged & (1 << 128) - 1, forged >> 128, least - times]
            assert lie(circuit, assignment, [*halves, *quotient], values)[0] is None

    def test_quotients_are_checked(self) -> None:
        """Consensys/gnark#1682, review: with q = (x·y − z)/m mod r unchecked, any z is the remainder."""
        field = EmulatedField((1 << 61) - 1, 1)
        circuit = build(field, 8, 2, lambda c, f, x: [emulated.multiply(c, *x, field=f)])
        assignment = {"x": [limbs(field, 8, 3), limbs(field, 8, 4)]}
        remainder, quotient = hinted(circuit)[:2]
        (zero,) = from_limbs(circuit.witness(assignment)[quotient])
        for false in (13, 0, field.modulus - 1):
            q = (12 - false) * pow(field.modulus, -1, R) % R
            found, violation = lie(circuit, assignment, [*remainder, *quotient], [false, q + zero])
            assert found is None
            assert_only_lookups_fail(violation)

    def test_carries_are_checked(self) -> None:
        """Veridise on circom-pairing (2023): a range check whose result nobody used.

        The remainder x·y + r fits its limbs and fulfils the equation modulo r: only the carries, which are then no
        integers, give it away.
        """
        field = EmulatedField(BLS)
        circuit = build(field, 8, 2, lambda c, f, x: [emulated.multiply(c, *x, field=f)])
        assignment = {"x": [limbs(field, 8, 3), limbs(field, 8, 4)]}
        remainder, quotient = hinted(circuit)[:2]
        (zero,) = from_limbs(circuit.witness(assignment)[quotient])
        wires = [*remainder, *quotient]
        assert lie(circuit, assignment, wires, [*limbs(field, 8, 12), zero]) == ([12], None)
        found, violation = lie(circuit, assignment, wires, [*limbs(field, 8, 12 + R), zero])
        assert found is None
        assert_only_lookups_fail(violation)

    def test_division_by_zero_has_no_result(self) -> None:
        """MinaProtocol/mina#646: as "any z with z·y = x", 0/0 is anything."""
        circuit = small_circuit("divide")
        for x, zero in [(0, 0), (5, 0), (0, SMALL.modulus)]:
            assignment = {"x": [limbs(SMALL, 8, x), limbs(SMALL, 8, zero)]}
            inverse = hinted(circuit)[0]
            for z in (0, 1, SMALL.modulus - 1, x):
                assert lie(circuit, assignment, inverse, limbs(SMALL, 8, z))[0] is None

    def test_too_many_products_are_refused(self) -> None:
        """noir-lang/noir-bignum#270, finding 1: a limit on the number of products that was too high."""
        field = EmulatedField(BLS, 3)
        circuit = Circuit(limb_bits=11)
        x = field.checked(circuit, circuit.private_inputs("x", 3)).scaled(1 << 27)
        emulated.inline_inner_product(circuit, [(x, x)] * 2, None, field=field)
        with pytest.raises(BadInputError, match="could wrap around"):
            emulated.inline_inner_product(circuit, [(x, x)] * 8, None, field=field)

    def test_range_checks_end_at_the_width_asked_for(self) -> None:
        """GHSA-rjjm-x32p-m3f7 (gnark): widths that are no multiple of the table's were rounded up."""
        circuit = Circuit(limb_bits=11)
        emulated.from_halves(circuit, *circuit.private_inputs("half", 2), field=EmulatedField(BLS))
        compiled = circuit.compile()
        assert check(compiled, compiled.witness({"half": [(1 << 128) - 1] * 2})) is None
        for halves in ([1 << 128, 0], [0, 1 << 128], [(1 << 132) - 1, 0]):
            assert check(compiled, compiled.witness({"half": halves})) is not None

    def test_no_limb_reaches_the_native_modulus(self) -> None:
        """Zellic on Barretenberg's bigfield: a limb whose greatest value reaches r stands for no integer."""
        circuit = Circuit(limb_bits=11)
        x = EmulatedField(BLS).checked(circuit, circuit.private_inputs("x", 6))
        with pytest.raises(BadInputError, match="nothing known"):
            emulated.inline_inner_product(circuit, [], x.scaled(R >> 40), field=EmulatedField(BLS))
