"""EdDSA-Poseidon in circuits: what circomlibjs signs is accepted, every alteration is refused, with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aitbc_rollup.algebra import babyjubjub as curve
from aitbc_rollup.algebra import eddsa
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets.eddsa import assert_signature
from aitbc_rollup.circuits.testing import survivors

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "circomlibjs.json").read_text())["eddsa"]
L = curve.SUBGROUP_ORDER
KEY = bytes(range(32))
MESSAGE = 20_000
ORDER_TWO = (0, R - 1)
INVALID = "the signature does not verify"


def build(flag: bool) -> CompiledCircuit:
    circuit = Circuit()
    enabled = circuit.private_input("enabled").within(0, 1) if flag else 1
    key, r8 = circuit.private_inputs("key", 2), circuit.private_inputs("r8", 2)
    s, message = circuit.private_input("s"), circuit.private_input("message")
    assert_signature(circuit, enabled, key, r8, s, message)
    # circomlib 2.0.5 takes 4,218 for the same
    assert circuit.n_constraints == (2651 if flag else 2646)
    return circuit.compile()


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return build(flag=True)


@pytest.fixture(scope="module")
def unconditional() -> CompiledCircuit:
    return build(flag=False)


@pytest.fixture(scope="module")
def signed() -> dict[str, Any]:
    return assignment(eddsa.public_key(KEY), eddsa.sign(KEY, MESSAGE))


def assignment(key: curve.Point, signature: eddsa.Signature, message: int = MESSAGE) -> dict[str, Any]:
    return {"enabled": 1, "key": list(key), "r8": list(signature.r8), "s": signature.s, "message": message}


def verdict(circuit: CompiledCircuit, values: dict[str, Any]) -> str | None:
    """Nothing if the witness satisfies, else the message of the first constraint that fails."""
    violation = check(circuit, circuit.witness(values))
    return None if violation is None else violation.message


def test_accepts_what_circomlibjs_signs(circuit: CompiledCircuit, unconditional: CompiledCircuit) -> None:
    for case in VECTORS:
        r8 = int(case["r8"][0]), int(case["r8"][1])
        key = int(case["public_key"][0]), int(case["public_key"][1])
        values = assignment(key, eddsa.Signature(r8, int(case["s"])), int(case["message"]))
        assert verdict(circuit, values) is None
        values.pop("enabled")
        assert verdict(unconditional, values) is None


def test_refuses_every_alteration(circuit: CompiledCircuit, signed: dict[str, Any]) -> None:
    x, y = signed["r8"]
    other_key = list(eddsa.public_key(KEY[::-1]))
    off_curve = "the point is not on the curve"
    for change, reason in [
        ({"message": MESSAGE + 1}, INVALID),
        ({"message": R - MESSAGE}, INVALID),
        ({"key": other_key}, INVALID),
        ({"key": list(curve.negate(tuple(signed["key"])))}, INVALID),
        ({"s": signed["s"] + 1}, INVALID),
        ({"s": L - signed["s"]}, INVALID),
        ({"s": signed["s"] + L}, "the scalar is not below the group's order"),
        ({"s": R - 1}, "the scalar is not below the group's order"),
        ({"r8": list(curve.add((x, y), curve.BASE8))}, INVALID),
        ({"r8": [R - x, y]}, INVALID),
        ({"r8": [x + 1, y]}, off_curve),
        ({"r8": [y, x]}, off_curve),
        ({"r8": [0, 0]}, off_curve),
        ({"key": [0, 0]}, off_curve),
        ({"key": [signed["key"][0], signed["key"][1] + 1]}, off_curve),
    ]:
        assert verdict(circuit, signed | change) == reason, change


def test_a_disabled_signature_says_nothing(circuit: CompiledCircuit, signed: dict[str, Any]) -> None:
    for change in [
        {}, {"message": 1}, {"s": R - 1}, {"r8": [0, 0]}, {"key": [0, 0]}, {"key": [0, 1]}, {"key": [0, R - 1]},
        {"key": [0, 0], "r8": [0, 0], "s": 0, "message": 0},
    ]:  # fmt: skip
        assert verdict(circuit, signed | change | {"enabled": 0}) is None


def sign_with_torsion(r8_torsion: curve.Point, key_torsion: curve.Point) -> dict[str, Any]:
    """A signature whose R8 and A have parts of small order added before they are hashed."""
    secret, nonce = 8 * 31337, 77
    key = curve.add(curve.multiply(curve.BASE8, secret // 8), key_torsion)
    r8 = curve.add(curve.multiply(curve.BASE8, nonce), r8_torsion)
    s = (nonce + poseidon([*r8, *key, MESSAGE]) * secret) % L
    return assignment(key, eddsa.Signature(r8, s))


def test_small_order(circuit: CompiledCircuit) -> None:
    order_eight = curve.multiply(curve.GENERATOR, L)
    assert verdict(circuit, sign_with_torsion(curve.IDENTITY, curve.IDENTITY)) is None
    for torsion in (ORDER_TWO, order_eight):
        assert verdict(circuit, sign_with_torsion(torsion, curve.IDENTITY)) == INVALID
        # as circomlib: 8·A counts, and registration is where A itself is checked
        assert verdict(circuit, sign_with_torsion(curve.IDENTITY, torsion)) is None


def test_keys_under_which_anyone_could_sign_are_refused(circuit: CompiledCircuit) -> None:
    order_eight = curve.multiply(curve.GENERATOR, L)
    for k in range(8):
        key = curve.multiply(order_eight, k)
        anyone = eddsa.Signature(curve.multiply(curve.BASE8, 5), 5)
        assert verdict(circuit, assignment(key, anyone)) == "the point is neutral"


def test_no_other_witness(circuit: CompiledCircuit, signed: dict[str, Any]) -> None:
    assert survivors(circuit, signed, max_lies=100) == []
    assert survivors(circuit, signed | {"enabled": 0, "s": L}, max_lies=50) == []


@pytest.mark.heavy
def test_no_other_witness_for_any_lie(circuit: CompiledCircuit, signed: dict[str, Any]) -> None:
    assert survivors(circuit, signed, seed=1) == []


def test_agrees_with_native_verification(unconditional: CompiledCircuit) -> None:
    random = Random(11)
    accepted = 0
    for _ in range(30):
        key, message = random.randbytes(32), random.randrange(R)
        public, (r8, s) = eddsa.public_key(key), eddsa.sign(key, message)
        change = random.randrange(5)
        r8 = curve.multiply(curve.BASE8, random.randrange(L)) if change == 0 else r8
        s = random.randrange(L) if change == 1 else s
        message = random.randrange(R) if change == 2 else message
        valid = eddsa.verify(public, message, eddsa.Signature(r8, s))
        accepted += valid
        values = assignment(public, eddsa.Signature(r8, s), message)
        values.pop("enabled")
        assert verdict(unconditional, values) == (None if valid else INVALID)
    assert 0 < accepted < 30


def test_a_constant_flag_must_be_one() -> None:
    circuit = Circuit()
    x = circuit.private_inputs("x", 2)
    with pytest.raises(ValueError, match="never checked"):
        assert_signature(circuit, 0, x, x, x[0], x[1])
