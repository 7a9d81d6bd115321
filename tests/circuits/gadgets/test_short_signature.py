"""Signatures in Schnorr's form, as a bit: whatever challenge somebody posts, there is a witness, and one answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest

from aitbc_rollup.algebra import babyjubjub as curve
from aitbc_rollup.algebra import eddsa
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.eddsa import ShortSignature
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets.halves import short_vector
from aitbc_rollup.circuits.gadgets.short_eddsa import short_signature_is_valid
from aitbc_rollup.circuits.ir import Op
from aitbc_rollup.circuits.template import template
from aitbc_rollup.circuits.testing import forgeries, survivors, unused_wires
from aitbc_rollup.circuits.variable import Variable

L = curve.SUBGROUP_ORDER
KEY = bytes(range(32))
MESSAGE = 20_000
ROOM = 40

#: Key, challenge, S, message.
Signed = tuple[curve.Point, int, int, int]


@template
def slot(
    circuit: Circuit, key: list[Variable], challenge: Variable, s: Variable, message: Variable, number: Variable,
    *, window: int,
) -> Variable:  # fmt: skip
    return short_signature_is_valid(circuit, key, challenge, s, message, instance=number, window=window)


def build(room: int, *, limb_bits: int = 8, window: int = 4) -> CompiledCircuit:
    circuit = Circuit(limb_bits=limb_bits)
    keys = circuit.private_inputs("keys", room, 2)
    challenges, s, messages = (circuit.private_inputs(name, room) for name in ("challenges", "s", "messages"))
    numbers = [circuit.fixed(i) for i in range(room)]
    rows = zip(keys, challenges, s, messages, numbers, strict=True)
    for i, bit in enumerate(slot.repeat(circuit, rows, window=window)):
        assert bit.bits == 1
        circuit.public_output(f"bit{i}", bit)
    return circuit.compile()


@pytest.fixture(scope="module")
def pool() -> CompiledCircuit:
    return build(ROOM)


def assignment(signed: Sequence[Signed]) -> dict[str, Any]:
    keys, challenges, s, messages = zip(*signed, strict=True)
    return {"keys": [list(p) for p in keys], "challenges": list(challenges), "s": list(s), "messages": list(messages)}


def bits(pool: CompiledCircuit, signed: Sequence[Signed]) -> list[bool]:
    """What the circuit says of each, checked; unused slots are zeros."""
    found: list[int] = []
    for start in range(0, len(signed), ROOM):
        part = list(signed[start : start + ROOM])
        witness = pool.witness(assignment(part + [((0, 0), 0, 0, 0)] * (ROOM - len(part))))
        violation = check(pool, witness)
        assert violation is None, violation.render()
        found += from_limbs(witness[1 : 1 + len(part)])
    return [bool(bit) for bit in found]


def signed_by(private_key: bytes, message: int) -> Signed:
    key = eddsa.public_key(private_key)
    return (key, *eddsa.shorten(key, message, eddsa.sign(private_key, message)), message)


def verify(signed: Signed) -> bool:
    key, challenge, s, message = signed
    return eddsa.verify_short(key, message, ShortSignature(challenge, s))


# -- the two forms -------------------------------------------------------------------------------------------


def test_both_forms_hold_or_neither() -> None:
    random = Random(1)
    valid = 0
    for _ in range(60):
        private = random.randbytes(32)
        key, message = eddsa.public_key(private), random.randrange(R)
        r8, s = eddsa.sign(private, message)
        change = random.randrange(6)
        if change == 0:
            r8 = random.choice([curve.negate(r8), curve.add(r8, (0, R - 1)), (r8[0], r8[1] + 1), (0, 0)])
        elif change == 1:
            s = random.choice([s + L, 0, L, s ^ 1])
        elif change == 2:
            key = random.choice([curve.negate(key), (0, 0), (0, 1), curve.add(key, (0, R - 1))])
        signature = eddsa.Signature(r8, s)
        short = eddsa.shorten(key, message, signature)
        other = message + (change == 3)
        assert eddsa.verify_short(key, other, short) == eddsa.verify(key, other, signature)
        valid += eddsa.verify_short(key, other, short)
    assert 15 < valid < 45


@pytest.mark.parametrize("change", [{"challenge": R}, {"s": L}, {"message": R}, {"s": -1}, {"challenge": -1}])
def test_numbers_out_of_range_are_no_signature(change: dict[str, int]) -> None:
    key, challenge, s, message = signed_by(KEY, MESSAGE)
    given = {"challenge": challenge, "s": s, "message": message}
    assert eddsa.verify_short(key, message, ShortSignature(challenge, s))
    given |= {name: value if value < 0 or name == "s" else given[name] + value for name, value in change.items()}
    assert not eddsa.verify_short(key, given["message"], ShortSignature(given["challenge"], given["s"]))


# -- answers -------------------------------------------------------------------------------------------------


def test_agrees_with_native_verification_on_hostile_inputs(pool: CompiledCircuit) -> None:
    random = Random(5)
    signed = [hostile(random) for _ in range(4 * ROOM)]
    valid = [verify(case) for case in signed]
    assert bits(pool, signed) == valid
    assert ROOM < sum(valid) < 3 * ROOM


def hostile(random: Random) -> Signed:
    """A signature under a key of prime order, about one in three of them altered in some place."""
    secret, nonce = random.choice([1, 2, L - 1, random.randrange(1, L)]), random.choice([0, 1, random.randrange(L)])
    key, r8 = curve.multiply(curve.BASE8, secret), curve.multiply(curve.BASE8, nonce)
    message = random.choice([0, R - 1, random.randrange(R)])
    challenge = poseidon([*r8, *key, message])
    s = (nonce + 8 * secret * challenge) % L
    change = random.randrange(12)
    if change == 0:
        s = random.choice([0, (s + L) % R, s + 6 * L, random.randrange(R), R - 1, L - s])
    elif change == 1:
        challenge = random.choice([0, challenge ^ 1, (challenge + L) % R, R - 1, random.randrange(R)])
    elif change == 2:
        key = random.choice([curve.negate(key), curve.multiply(key, 2)])
    elif change == 3:
        message = random.randrange(R)
    return key, challenge, s, message


def corners() -> Iterator[int]:
    """Challenges whose residues have the shortest vectors there are, in every form that fits below r; and edges."""
    vectors = [(a, b) for b in range(1, 4) for a in range(-4, 5)] + [(11, 4), (1, 11), (-11, 3), (8, 9), (12, 1)]
    for a, b in vectors:
        k = -a * pow(b, -1, L) % L
        yield from {k, k + L, k + 7 * L if k + 7 * L < R else k + 6 * L}
    for k in range(8):
        yield from (k * L + d for d in (-257, -256, -255, -1, 0, 1) if k * L + d >= 0)
    yield from (R - 1, R - 2, 1 << 253, 1 << 125, (1 << 125) - 1)


def test_every_challenge_has_a_witness(pool: CompiledCircuit) -> None:
    """Where P is any point, and where it is neutral: S·Base8 = e·(8·A)."""
    random = Random(2)
    cases: list[Signed] = []
    for challenge in corners():
        secret = random.choice([1, L - 1, pow(8, -1, L), random.randrange(1, L)])
        key = curve.multiply(curve.BASE8, secret)
        cases.append((key, challenge, random.choice([8 * secret * challenge % L, 0, 1, L - 1]), random.randrange(R)))
    assert len(cases) > 120
    assert bits(pool, cases) == [False] * len(cases)


def test_every_short_vector_has_a_witness(pool: CompiledCircuit) -> None:
    """All residues that cannot be multiplied, and those next to them that can."""
    key = eddsa.public_key(KEY)
    vectors = [(a, b) for b in range(1, 21) for a in range(-20, 21)]
    cases = [(key, -a * pow(b, -1, L) % L, 5, MESSAGE) for a, b in vectors]
    assert bits(pool, cases) == [False] * len(cases)


def test_of_two_scalars_one_can_be_multiplied() -> None:
    """Nobody finds a residue k for which both k and k + 256 have a vector shorter than 12."""
    for a in range(-12, 13):
        for b in range(1, 13):
            x, y = short_vector((-a * pow(b, -1, L) + 256) % L)
            assert x * x + y * y >= 144, (a, b)


def test_keys_that_are_none(pool: CompiledCircuit) -> None:
    """Off the curve and of small order: never, not even by the signature that everybody could give."""
    torsion = curve.multiply(curve.GENERATOR, L)
    keys = [curve.multiply(torsion, k) for k in range(8)] + [(0, 0), (1, 1), (0, 2), (R - 1, R - 1)]
    cases = []
    for key in keys:
        r8 = curve.multiply(curve.BASE8, 5)
        cases.append((key, poseidon([*r8, *key, MESSAGE]), 5, MESSAGE))
        cases.append((key, 0, 0, MESSAGE))
    assert bits(pool, cases) == [False] * len(cases)


def test_a_signature_has_one_s_and_one_challenge(pool: CompiledCircuit) -> None:
    key, challenge, s, message = signed_by(KEY, MESSAGE)
    cases = [(key, challenge, s + k * L, message) for k in range(8) if s + k * L < R]
    cases += [(key, (challenge + k * L) % R, s, message) for k in range(1, 8)]
    assert bits(pool, cases) == [True] + [False] * (len(cases) - 1)


# -- dishonest witnesses -------------------------------------------------------------------------------------


def asserting(bit: int) -> CompiledCircuit:
    """The circuit of one signature whose answer must be this."""
    circuit = Circuit(limb_bits=8)
    key = circuit.private_inputs("key", 2)
    challenge, s, message = (circuit.private_input(name) for name in ("challenge", "s", "message"))
    answer = short_signature_is_valid(circuit, key, challenge, s, message, instance=0, window=4)
    circuit.assert_equal(answer, bit, "the other answer")
    return circuit.compile()


def given(signed: Signed) -> dict[str, Any]:
    key, challenge, s, message = signed
    return {"key": list(key), "challenge": challenge, "s": s, "message": message}


HOSTILE = {
    "another message": {"message": 1},
    "S + l": {"s": signed_by(KEY, MESSAGE)[2] + L},
    "a challenge of 0": {"challenge": 0},
    "zeros": {"key": [0, 0], "challenge": 0, "s": 0, "message": 0},
    "a key of order 8": {"key": list(curve.multiply(curve.GENERATOR, L))},
}


@pytest.fixture(scope="module")
def says_one() -> CompiledCircuit:
    return asserting(1)


@pytest.fixture(scope="module")
def says_zero() -> CompiledCircuit:
    return asserting(0)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_lie_makes_a_signature(says_one: CompiledCircuit, name: str) -> None:
    assert forgeries(says_one, given(signed_by(KEY, MESSAGE)) | HOSTILE[name], max_lies=12) == []


def test_no_lie_unmakes_a_signature(says_zero: CompiledCircuit) -> None:
    """In this form nobody may call a valid signature invalid."""
    assert forgeries(says_zero, given(signed_by(KEY, MESSAGE)), max_lies=40) == []


def shift(circuit: CompiledCircuit) -> int:
    """The wire of t; the next one is whether k + 256·t reaches l."""
    program = circuit.program
    for op, out, extra in zip(program.ops, program.outs, program.extras, strict=True):
        if op == Op.PYTHON and program.hints[extra].function.__name__ == "_choose_shift":
            return int(out)
    raise LookupError


@pytest.mark.parametrize("challenge", [L - 1, 7 * L - 256, 31337**16 % R, 0])
def test_the_shift_changes_no_answer(says_zero: CompiledCircuit, says_one: CompiledCircuit, challenge: int) -> None:
    """Either shift leads to one answer, or, where a scalar cannot be multiplied, to none; a false carry to none."""
    good = given(signed_by(KEY, MESSAGE))
    for values, right, wrong in ((good, says_one, says_zero), (good | {"challenge": challenge}, says_zero, says_one)):
        k = values["challenge"] % L
        for shifted in (0, 1):
            carry = int(k + 256 * shifted >= L)
            for lie in (carry, 1 - carry):
                overrides = {shift(right): shifted, shift(right) + 1: lie}
                assert check(wrong, wrong.witness(values, overrides=overrides)) is not None
                a, b = short_vector((k + 256 * shifted) % L)
                possible = lie == carry and a * a + b * b >= 144
                assert (check(right, right.witness(values, overrides=overrides)) is None) == possible


def test_no_other_witness(says_one: CompiledCircuit) -> None:
    """Free are only the mask, and inverses of values that are 0 in a valid signature."""
    found = survivors(says_one, given(signed_by(KEY, MESSAGE)), max_lies=40)
    assert {s.honest for s in found} == {0}
    assert len({s.wire for s in found}) <= 4
    assert unused_wires(says_one.r1cs) == []


@pytest.mark.heavy
def test_no_lie_of_many(says_one: CompiledCircuit, says_zero: CompiledCircuit) -> None:
    for name in ("another message", "zeros"):
        assert forgeries(says_one, given(signed_by(KEY, MESSAGE)) | HOSTILE[name], seed=1, max_lies=1500) == []
    assert forgeries(says_zero, given(signed_by(KEY, MESSAGE)), seed=1, max_lies=1500) == []


# -- use -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limb_bits", "window", "expected"), [(16, 8, 1638), (11, 8, 1682), (8, 4, 1912)])
def test_constraints(limb_bits: int, window: int, expected: int) -> None:
    one, two = (build(room, limb_bits=limb_bits, window=window).r1cs.n_constraints for room in (1, 2))
    assert two - one == expected + 2  # and each has its number and its output


def test_needs_limb_bits() -> None:
    circuit = Circuit()
    x = circuit.private_inputs("x", 2)
    with pytest.raises(ValueError, match="limb_bits"):
        short_signature_is_valid(circuit, x, x[0], x[0], x[1], instance=0)
