"""EdDSA-Poseidon: circomlibjs 0.1.7's keys and signatures bit for bit, and what verification refuses."""

import json
from pathlib import Path

import pytest

from aitbc_rollup.algebra import eddsa
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.algebra.reference import babyjubjub as curve
from aitbc_rollup.errors import BadInputError

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "circomlibjs.json").read_text())["eddsa"]

KEY = bytes(range(32))
MESSAGE = 1234567
ORDER_TWO = (0, R - 1)


@pytest.fixture(scope="module")
def signed():
    return eddsa.public_key(KEY), eddsa.sign(KEY, MESSAGE)


def test_equals_circomlibjs():
    for case in VECTORS:
        key, message = bytes.fromhex(case["private_key"]), int(case["message"])
        public = eddsa.public_key(key)
        assert [str(x) for x in public] == case["public_key"]
        signature = eddsa.sign(key, message)
        assert [str(x) for x in signature.r8] == case["r8"]
        assert str(signature.s) == case["s"]
        assert signature.to_bytes().hex() == case["packed"]
        assert eddsa.Signature.from_bytes(bytes.fromhex(case["packed"])) == signature
        assert eddsa.verify(public, message, signature)


def test_refuses_another_message_key_or_signature(signed):
    public, (r8, s) = signed
    assert eddsa.verify(public, MESSAGE, eddsa.Signature(r8, s))
    assert not eddsa.verify(public, MESSAGE + 1, eddsa.Signature(r8, s))
    assert not eddsa.verify(eddsa.public_key(KEY[::-1]), MESSAGE, eddsa.Signature(r8, s))
    assert not eddsa.verify(public, MESSAGE, eddsa.Signature(r8, s + 1))
    assert not eddsa.verify(public, MESSAGE, eddsa.Signature(curve.add(r8, curve.BASE8), s))


def test_refuses_malleated_and_non_canonical_values(signed):
    public, (r8, s) = signed
    for message, signature in [
        (MESSAGE, eddsa.Signature(r8, s + curve.SUBGROUP_ORDER)),
        (MESSAGE, eddsa.Signature(r8, s - curve.SUBGROUP_ORDER)),
        (MESSAGE + R, eddsa.Signature(r8, s)),
        (MESSAGE - R, eddsa.Signature(r8, s)),
        (MESSAGE, eddsa.Signature((r8[0] + R, r8[1]), s)),
        (MESSAGE, eddsa.Signature((r8[0], r8[1] + 1), s)),
    ]:
        assert not eddsa.verify(public, message, signature)


def sign_with_torsion(r8_torsion, key_torsion):
    """A signature that satisfies the equation times eight, with small-order parts added to R8 and A."""
    secret, nonce = 8 * 31337, 77
    public = curve.add(curve.multiply(curve.BASE8, secret // 8), key_torsion)
    r8 = curve.add(curve.multiply(curve.BASE8, nonce), r8_torsion)
    s = (nonce + poseidon([*r8, *public, MESSAGE]) * secret) % curve.SUBGROUP_ORDER
    return public, eddsa.Signature(r8, s)


def test_refuses_points_outside_the_subgroup():
    public, signature = sign_with_torsion(curve.IDENTITY, curve.IDENTITY)
    assert eddsa.verify(public, MESSAGE, signature)
    for r8_torsion, key_torsion in [(ORDER_TWO, curve.IDENTITY), (curve.IDENTITY, ORDER_TWO), (ORDER_TWO, ORDER_TWO)]:
        public, signature = sign_with_torsion(r8_torsion, key_torsion)
        assert not eddsa.verify(public, MESSAGE, signature)


def test_refuses_the_neutral_public_key():
    anyone = eddsa.Signature(curve.multiply(curve.BASE8, 5), 5)
    assert not eddsa.verify(curve.IDENTITY, MESSAGE, anyone)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: eddsa.sign(KEY[:31], 0), "expected: 32 bytes\n  got: 31 bytes"),
        (lambda: eddsa.public_key(KEY + b"\0"), "expected: 32 bytes\n  got: 33 bytes"),
        (lambda: eddsa.sign(KEY, R), "message: not a field element"),
        (lambda: eddsa.sign(KEY, -1), "message: not a field element"),
        (lambda: eddsa.Signature.from_bytes(bytes(63)), "expected: 64 bytes"),
        (lambda: eddsa.Signature.from_bytes(bytes(32) + b"\xff" * 32), "S is not reduced"),
        (lambda: eddsa.Signature.from_bytes(b"\xff" * 32 + bytes(32)), "R8 is not a point"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(BadInputError, match=message):
        call()
