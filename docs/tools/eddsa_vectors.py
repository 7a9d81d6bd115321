"""Writes ``docs/spec/vectors/eddsa.json``: signatures, hostile ones above all; with ``--check`` fails where it differs.

Each case says whether ``algebra.eddsa.verify`` accepts (``valid``) and which bit the circuit computes (``bit``); they
differ for keys that are not of prime order only. Field elements and scalars are decimal strings.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aitbc_rollup.algebra import babyjubjub as curve
from aitbc_rollup.algebra import eddsa
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.algebra.reference.babyjubjub import square_root

PATH = Path(__file__).parent.parent / "spec" / "vectors" / "eddsa.json"
L = curve.SUBGROUP_ORDER
PRIVATE_KEY = bytes(range(32))
MESSAGE = 20_000
#: Of order 8.
TORSION = curve.multiply(curve.GENERATOR, L)

Case = tuple[str, curve.Point, curve.Point, int, int]


def sign_plainly(secret: int, nonce: int, message: int, *, key: curve.Point, r8: curve.Point) -> int:
    """S for a key and an R8 that need not be multiples of Base8: what their discrete logarithms would give."""
    return (nonce + 8 * secret * poseidon([*r8, *key, message])) % L


def cases() -> Iterator[Case]:
    """(name, key, R8, S, message)."""
    key, (r8, s) = eddsa.public_key(PRIVATE_KEY), eddsa.sign(PRIVATE_KEY, MESSAGE)
    yield "a signature", key, r8, s, MESSAGE
    for message in (0, R - 1):
        yield f"of the message {message}", key, *eddsa.sign(PRIVATE_KEY, message), message
    yield "another message", key, r8, s, MESSAGE + 1
    yield "the opposite message", key, r8, s, R - MESSAGE
    yield "another key", eddsa.public_key(PRIVATE_KEY[::-1]), r8, s, MESSAGE
    yield "the opposite key", curve.negate(key), r8, s, MESSAGE
    yield "another R8", key, curve.add(r8, curve.BASE8), s, MESSAGE
    yield "the opposite R8", key, curve.negate(r8), s, MESSAGE
    yield "zeros", (0, 0), (0, 0), 0, 0
    for name, other in [
        ("S + 1", s + 1), ("l − S", L - s), ("0", 0), ("1", 1), ("l − 1", L - 1), ("l", L), ("S + l", s + L),
        ("S + 6·l", s + 6 * L), ("2^251 − 1", (1 << 251) - 1), ("2^253", 1 << 253), ("7·l", 7 * L), ("r − 1", R - 1),
    ]:  # fmt: skip
        yield f"{name} for S", key, r8, other, MESSAGE
    yield from _points(key, r8, s)
    yield from _relations()


def _points(key: curve.Point, r8: curve.Point, s: int) -> Iterator[Case]:
    """Points off the curve, of small order, and with a part of small order."""
    root = square_root(-1 % R)
    assert root is not None
    a_root = square_root(curve.A)
    assert a_root is not None
    for name, point in [
        ("(0, 0)", (0, 0)), ("x + 1", (key[0] + 1, key[1])), ("y + 1", (key[0], key[1] + 1)), ("swapped", key[::-1]),
        ("(1, 1)", (1, 1)), ("(1, 0)", (1, 0)), ("(0, 2)", (0, 2)), ("(2, −1)", (2, R - 1)),
        ("a·x² + y² = 0", (1, root * a_root % R)), ("y² = a·x²", (1, a_root)),
    ]:  # fmt: skip
        yield f"a key off the curve: {name}", point, r8, s, MESSAGE
    for name, point in [("(0, 0)", (0, 0)), ("x + 1", (r8[0] + 1, r8[1])), ("swapped", r8[::-1])]:
        yield f"R8 off the curve: {name}", key, point, s, MESSAGE
    for k in range(8):
        torsion = curve.multiply(TORSION, k)
        yield f"a key of small order, {k}·T", torsion, curve.multiply(curve.BASE8, 5), 5, MESSAGE
    secret, nonce = 31337, 77
    for k in (1, 2, 4):
        torsion = curve.multiply(TORSION, k)
        honest_key, honest_r8 = curve.multiply(curve.BASE8, secret), curve.multiply(curve.BASE8, nonce)
        mixed_key, mixed_r8 = curve.add(honest_key, torsion), curve.add(honest_r8, torsion)
        for name, a, r in [("the key", mixed_key, honest_r8), ("R8", honest_key, mixed_r8)]:
            yield f"{k}·T added to {name}", a, r, sign_plainly(secret, nonce, MESSAGE, key=a, r8=r), MESSAGE


def _relations() -> Iterator[Case]:
    """Keys and nonces whose logarithms are small, known, or related: where additions could meet an exceptional case."""
    secrets = {"1": 1, "2": 2, "−1": L - 1, "1/2": (L + 1) // 2, "1/8": pow(8, -1, L)}
    for name, secret in secrets.items():
        key = curve.multiply(curve.BASE8, secret)
        for nonce_name, nonce in {"0": 0, "1": 1, "−1": L - 1, "3": 3}.items():
            r8 = curve.multiply(curve.BASE8, nonce)
            s = sign_plainly(secret, nonce, MESSAGE, key=key, r8=r8)
            case = f"key {name}·Base8, nonce {nonce_name}"
            yield case, key, r8, s, MESSAGE
            yield f"{case}, S·Base8 = h·8·A", key, r8, (s - nonce) % L, MESSAGE
            yield f"{case}, S·Base8 = −h·8·A", key, r8, (nonce - s) % L, MESSAGE


def relation(key: curve.Point, r8: curve.Point, s: int, message: int) -> bool:
    """What the circuit says: A on the curve, 8·A not neutral, S < l, S·Base8 = R8 + h·(8·A)."""
    if not (curve.is_on_curve(key) and curve.is_on_curve(r8) and s < L):
        return False
    eightfold = curve.multiply(key, 8)
    challenge = poseidon([*r8, *key, message]) % L
    right = curve.add(r8, curve.multiply(eightfold, challenge))
    return eightfold != curve.IDENTITY and curve.multiply(curve.BASE8, s) == right


def vectors() -> dict[str, Any]:
    """The file's content."""
    rows = [
        {
            "name": name,
            "key": [str(x) for x in key],
            "r8": [str(x) for x in r8],
            "s": str(s),
            "message": str(message),
            "valid": eddsa.verify(key, message, eddsa.Signature(r8, s)),
            "bit": int(relation(key, r8, s, message)),
        }
        for name, key, r8, s, message in cases()
    ]
    return {"generator": "docs/tools/eddsa_vectors.py", "version": 1, "cases": rows}


def render() -> str:
    """The file's text."""
    return json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write, or compare."""
    if "--check" in sys.argv[1:]:
        if PATH.read_text() != render():
            print(f"{PATH.name}: stale. Next: python docs/tools/eddsa_vectors.py", file=sys.stderr)
            return 1
        return 0
    PATH.write_text(render())
    return 0


if __name__ == "__main__":
    sys.exit(main())
