"""The signature gadget that answers with a bit: right for hostile inputs, and no witness proves the other answer."""

from __future__ import annotations

import json
import runpy
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from repository import REPOSITORY

from aitbc_rollup.algebra import babyjubjub as curve
from aitbc_rollup.algebra import eddsa
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets.eddsa import key_is_prime_order, signature_is_valid
from aitbc_rollup.circuits.template import template
from aitbc_rollup.circuits.testing import forgeries, survivors, unused_wires
from aitbc_rollup.circuits.variable import Variable

VECTORS = REPOSITORY / "docs" / "spec" / "vectors" / "eddsa.json"
L = curve.SUBGROUP_ORDER
KEY = bytes(range(32))
MESSAGE = 20_000
ROOM = 40

Signed = tuple[curve.Point, curve.Point, int, int]


@template
def slot(
    circuit: Circuit, key: list[Variable], r8: list[Variable], s: Variable, message: Variable, number: Variable,
    *, window: int,
) -> Variable:  # fmt: skip
    return signature_is_valid(circuit, key, r8, s, message, instance=number, window=window)


def build(room: int, *, limb_bits: int = 8, window: int = 4) -> CompiledCircuit:
    circuit = Circuit(limb_bits=limb_bits)
    keys, r8 = circuit.private_inputs("keys", room, 2), circuit.private_inputs("r8", room, 2)
    s, messages = circuit.private_inputs("s", room), circuit.private_inputs("messages", room)
    numbers = [circuit.fixed(i) for i in range(room)]
    for i, bit in enumerate(slot.repeat(circuit, zip(keys, r8, s, messages, numbers, strict=True), window=window)):
        assert bit.bits == 1
        circuit.public_output(f"bit{i}", bit)
    return circuit.compile()


@pytest.fixture(scope="module")
def pool() -> CompiledCircuit:
    return build(ROOM)


def assignment(signed: Sequence[Signed]) -> dict[str, Any]:
    keys, r8, s, messages = zip(*signed, strict=True)
    return {"keys": [list(p) for p in keys], "r8": [list(p) for p in r8], "s": list(s), "messages": list(messages)}


def bits(pool: CompiledCircuit, signed: Sequence[Signed]) -> list[int]:
    """What the circuit says of each, checked; unused slots are zeros."""
    found: list[int] = []
    for start in range(0, len(signed), ROOM):
        part = list(signed[start : start + ROOM])
        witness = pool.witness(assignment(part + [((0, 0), (0, 0), 0, 0)] * (ROOM - len(part))))
        violation = check(pool, witness)
        assert violation is None, violation.render()
        found += from_limbs(witness[1 : 1 + len(part)])
    return found


def signed_by(private_key: bytes, message: int) -> Signed:
    return (eddsa.public_key(private_key), *eddsa.sign(private_key, message), message)


def verify(signed: Signed) -> bool:
    key, r8, s, message = signed
    return eddsa.verify(key, message, eddsa.Signature(r8, s))


# -- answers --------------------------------------------------------------------------------------------------


def test_vectors_are_what_their_generator_writes() -> None:
    assert runpy.run_path(str(REPOSITORY / "docs" / "tools" / "eddsa_vectors.py"))["render"]() == VECTORS.read_text()


def test_vectors(pool: CompiledCircuit) -> None:
    cases = json.loads(VECTORS.read_text())["cases"]
    signed = [
        ((int(c["key"][0]), int(c["key"][1])), (int(c["r8"][0]), int(c["r8"][1])), int(c["s"]), int(c["message"]))
        for c in cases
    ]
    named = {case["name"]: bit for case, bit in zip(cases, bits(pool, signed), strict=True)}
    assert named == {case["name"]: case["bit"] for case in cases}
    assert [case["valid"] for case in cases] == [verify(s) for s in signed]
    # the one difference: a part of small order in the key, which 8·A has not
    assert {c["name"] for c in cases if c["bit"] != c["valid"]} == {f"{k}·T added to the key" for k in (1, 2, 4)}


def test_agrees_with_native_verification_on_hostile_inputs(pool: CompiledCircuit) -> None:
    random = Random(5)
    signed = [hostile(random) for _ in range(10 * ROOM)]
    valid = [verify(case) for case in signed]
    assert bits(pool, signed) == valid
    assert ROOM < sum(valid) < 9 * ROOM


def hostile(random: Random) -> Signed:
    """A signature under a key of prime order, one in three of them altered in some place."""
    secret, nonce = random.choice([1, 2, L - 1, random.randrange(1, L)]), random.choice([0, 1, random.randrange(L)])
    key, r8 = curve.multiply(curve.BASE8, secret), curve.multiply(curve.BASE8, nonce)
    message = random.choice([0, R - 1, random.randrange(R)])
    s = eddsa_s(secret, nonce, key, r8, message)
    change = random.randrange(12)
    if change == 0:
        s = random.choice([0, (s + L) % R, s + 6 * L, random.randrange(R), R - 1, L - s])
    elif change == 1:
        r8 = random.choice([curve.negate(r8), curve.add(r8, (0, R - 1)), (random.randrange(R), r8[1]), (0, 0)])
    elif change == 2:
        key = random.choice([curve.negate(key), curve.multiply(key, 2)])
    elif change == 3:
        message = random.randrange(R)
    return key, r8, s, message


def eddsa_s(secret: int, nonce: int, key: curve.Point, r8: curve.Point, message: int) -> int:
    return (nonce + 8 * secret * poseidon([*r8, *key, message])) % L


# -- advisories -----------------------------------------------------------------------------------------------


def test_ghsa_95v9_hv42_pwrj_a_signature_has_one_s(pool: CompiledCircuit) -> None:
    """gnark's EdDSA and ECDSA circuits took S + l for S: several witnesses for one statement."""
    key, r8, s, message = signed_by(KEY, MESSAGE)
    again = [s + k * L for k in range(8) if s + k * L < R]
    assert bits(pool, [(key, r8, other, message) for other in again]) == [1] + [0] * (len(again) - 1)
    assert len(again) >= 7


def test_gnark_1684_s_is_below_the_order_not_at_most(pool: CompiledCircuit) -> None:
    """gnark pull request 1684: S = l was taken for 0."""
    key = eddsa.public_key(KEY)
    r8, message = curve.BASE8, MESSAGE
    assert bits(pool, [(key, r8, s, message) for s in (0, L, L - 1)]) == [0, 0, 0]


def test_maci_2835_and_2836_points_are_checked(pool: CompiledCircuit) -> None:
    """MACI issues 2835, 2836: keys and R8 off the curve or of the wrong subgroup in EdDSAPoseidonVerifier."""
    key, r8, s, message = signed_by(KEY, MESSAGE)
    torsion = curve.multiply(curve.GENERATOR, L)
    shifted = [curve.add(r8, curve.multiply(torsion, k)) for k in range(1, 8)]
    small = [curve.multiply(torsion, k) for k in range(8)]
    hostile_points = [(key, point, s, message) for point in shifted]
    hostile_points += [(point, curve.multiply(curve.BASE8, 5), 5, message) for point in small]
    hostile_points += [((key[0] + 1, key[1]), r8, s, message), (key, (r8[0], r8[1] + 1), s, message)]
    assert bits(pool, hostile_points) == [0] * len(hostile_points)


# -- dishonest witnesses --------------------------------------------------------------------------------------


def asserting(bit: int) -> CompiledCircuit:
    """The circuit of one signature whose answer must be this."""
    circuit = Circuit(limb_bits=8)
    key, r8 = circuit.private_inputs("key", 2), circuit.private_inputs("r8", 2)
    s, message = circuit.private_input("s"), circuit.private_input("message")
    answer = signature_is_valid(circuit, key, r8, s, message, instance=0, window=4)
    circuit.assert_equal(answer, bit, "the other answer")
    return circuit.compile()


def given(signed: Signed) -> dict[str, Any]:
    key, r8, s, message = signed
    return {"key": list(key), "r8": list(r8), "s": s, "message": message}


HOSTILE = {
    "another message": {"message": 1},
    "S + l": {"s": eddsa.sign(KEY, MESSAGE).s + L},
    "S = 0": {"s": 0},
    "zeros": {"key": [0, 0], "r8": [0, 0], "s": 0, "message": 0},
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
    assert forgeries(says_one, given(signed_by(KEY, MESSAGE)) | HOSTILE[name], max_lies=20) == []


def test_no_lie_unmakes_a_signature(says_zero: CompiledCircuit) -> None:
    assert forgeries(says_zero, given(signed_by(KEY, MESSAGE)), max_lies=60) == []


def test_no_other_witness(says_one: CompiledCircuit) -> None:
    """Free are only the mask, and inverses of the four values that are 0 in a valid signature."""
    found = survivors(says_one, given(signed_by(KEY, MESSAGE)), max_lies=40)
    assert {s.honest for s in found} == {0}
    assert len({s.wire for s in found}) <= 5
    assert unused_wires(says_one.r1cs) == []


@pytest.mark.heavy
def test_no_lie_of_many(says_one: CompiledCircuit, says_zero: CompiledCircuit) -> None:
    for name in ("another message", "zeros"):
        assert forgeries(says_one, given(signed_by(KEY, MESSAGE)) | HOSTILE[name], seed=1, max_lies=1500) == []
    assert forgeries(says_zero, given(signed_by(KEY, MESSAGE)), seed=1, max_lies=1500) == []


# -- use ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limb_bits", "window", "expected"), [(16, 8, 1569), (12, 8, 1593), (11, 8, 1601), (8, 4, 1819)]
)
def test_constraints(limb_bits: int, window: int, expected: int) -> None:
    one, two = (build(room, limb_bits=limb_bits, window=window).r1cs.n_constraints for room in (1, 2))
    assert two - one == expected + 2  # and each has its number and its output


@pytest.mark.parametrize("window", [3, 9])
def test_windows(window: int) -> None:
    small = build(2, limb_bits=8, window=window)
    good = signed_by(KEY, MESSAGE)
    witness = small.witness(assignment([good, (*good[:2], good[2] + 1, good[3])]))
    assert check(small, witness) is None
    assert from_limbs(witness[1:3]) == [1, 0]


def test_needs_limb_bits_and_a_window() -> None:
    circuit = Circuit()
    x = circuit.private_inputs("x", 2)
    with pytest.raises(ValueError, match="limb_bits"):
        signature_is_valid(circuit, x, x, x[0], x[1], instance=0)
    circuit = Circuit(limb_bits=8)
    x = circuit.private_inputs("x", 2)
    for window in (1, 11):
        with pytest.raises(ValueError, match="2 to 10 bits"):
            signature_is_valid(circuit, x, x, x[0], x[1], instance=0, window=window)


# -- registered keys ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def registration() -> CompiledCircuit:
    circuit = Circuit()
    key_is_prime_order(circuit, circuit.private_inputs("key", 2))
    assert circuit.n_constraints == 21
    return circuit.compile()


def test_keys_of_prime_order(registration: CompiledCircuit) -> None:
    random = Random(3)
    torsion = curve.multiply(curve.GENERATOR, L)
    for _ in range(5):
        key = curve.multiply(curve.BASE8, random.randrange(1, L))
        for k in range(8):
            shifted = curve.add(key, curve.multiply(torsion, k))
            assert (check(registration, registration.witness({"key": list(shifted)})) is None) == (k == 0)
            assert eddsa.is_public_key(shifted) == (k == 0)


def test_other_keys(registration: CompiledCircuit) -> None:
    torsion = curve.multiply(curve.GENERATOR, L)
    good = curve.multiply(curve.BASE8, 7)
    points = [curve.multiply(torsion, k) for k in range(8)]
    points += [(0, 0), (1, 1), (good[0], good[1] + 1), (good[1], good[0]), (R - 1, R - 1), (0, 5)]
    for point in points:
        assert check(registration, registration.witness({"key": list(point)})) is not None, point
        assert not eddsa.is_public_key(point)


def test_no_other_preimage_by_chance(registration: CompiledCircuit) -> None:
    assert survivors(registration, {"key": list(eddsa.public_key(KEY))}) == []
    torsion = curve.multiply(curve.GENERATOR, L)
    for point in (curve.IDENTITY, curve.add(curve.BASE8, torsion), (0, 0)):
        assert forgeries(registration, {"key": list(point)}) == []
