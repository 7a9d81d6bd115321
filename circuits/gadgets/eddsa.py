"""EdDSA-Poseidon signatures over Baby Jubjub, equivalent to circomlib's ``EdDSAPoseidonVerifier``.

Constrained, for a signature (R8, S) of a message under a key A:

- A and R8 are on the curve, and A is not of small order (8·A is not neutral);
- 0 ≤ S < l, so a signature has one S;
- h = Poseidon(R8.x, R8.y, A.x, A.y, message), read as the canonical integer in [0, r): h + r is refused;
- S·Base8 = R8 + h·(8·A).

Not constrained: that A is of prime order. ``algebra.eddsa.verify`` asks that too; the rollup checks it once, when a
key enters an account. A key with a part of small order harms only who made it: 8·A has none.
"""

from __future__ import annotations

from collections.abc import Sequence

from aitbc_rollup.algebra import eddsa
from aitbc_rollup.algebra.reference.babyjubjub import BASE8, SUBGROUP_ORDER
from aitbc_rollup.algebra.reference.babyjubjub import multiply as multiply_plainly

from ..api import Circuit, Variable
from ..template import template
from .babyjubjub import Point, add, assert_on_curve, double, multiply, multiply_base8
from .boolean import boolean, select
from .poseidon import poseidon

__all__ = ["assert_signature", "key_is_prime_order", "signature_is_valid"]


def assert_signature(
    circuit: Circuit,
    enabled: Variable | int,
    key: Sequence[Variable],
    r8: Sequence[Variable],
    s: Variable,
    message: Variable,
) -> None:
    """Where the flag is 1, (r8, s) is a signature of the message under the key; where it is 0, nothing is said.

    Constraints: 2651, or 2646 for the constant flag 1. A flag of 0 puts sound values in place of key, R8 and S, so that
    then *any* field elements satisfy, points off the curve too.

    Args:
        circuit: where.
        enabled: the flag; a variable known to be 0 or 1, or 1.
        key: x and y of the public key A.
        r8: x and y of R8.
        s: S.
        message: the field element signed.

    Raises:
        BadInputError: the flag is not known to be 0 or 1.
        ValueError: the flag is a constant other than 1.
    """
    if isinstance(enabled, int) and enabled != 1:
        raise ValueError("a signature that is never checked has no place in a circuit")
    _assert_signature(circuit, enabled, list(key), list(r8), s, message)


@template
def _assert_signature(
    circuit: Circuit, enabled: Variable | int, key: list[Variable], r8: list[Variable], s: Variable, message: Variable
) -> None:
    challenge = poseidon(circuit, [*r8, *key, message])
    a, nonce_point = Point(*key), Point(*r8)
    enabled = circuit.sum([enabled])
    if enabled.constant is None:
        a, nonce_point = (
            Point(*(select(circuit, enabled, x, base) for x, base in zip(p, BASE8, strict=True)))
            for p in (a, nonce_point)
        )
        s = enabled * s
    with circuit.component("key"):
        assert_on_curve(circuit, a)
        base = double(circuit, double(circuit, double(circuit, a)))
    with circuit.component("r8"):
        assert_on_curve(circuit, nonce_point)
    with circuit.component("challenge_times_key"):
        product = multiply(circuit, base, challenge)
    with circuit.component("s_times_base"):
        left = multiply_base8(circuit, s)
    right = add(circuit, nonce_point, product)
    for x, y in zip(left, right, strict=True):
        circuit.assert_product(enabled, x - y, 0, "the signature does not verify")


def signature_is_valid(
    circuit: Circuit,
    key: Sequence[Variable],
    r8: Sequence[Variable],
    s: Variable,
    message: Variable,
    *,
    instance: Variable,
) -> Variable:
    """A bit: 1 only if (r8, s) is a signature of the message under the key; satisfiable for any field elements.

    The bit is hinted, so a prover can always say 0; it is for those who may show a signature or not.

    Args:
        circuit: where.
        key: x and y of the public key A.
        r8: x and y of R8.
        s: S.
        message: the field element signed.
        instance: a number that no other use of this gadget has in the circuit.
    """
    (hinted,) = circuit.hint(_verify, [*key, *r8, s, message], 1)
    bit = boolean(circuit, hinted)
    assert_signature(circuit, bit, key, r8, s, message)
    return bit


def _verify(*values: int) -> int:
    """Hint: whether a signature holds."""
    key_x, key_y, r8_x, r8_y, s, message = values
    return int(eddsa.verify((key_x, key_y), message, eddsa.Signature((r8_x, r8_y), s)))


def key_is_prime_order(circuit: Circuit, key: Sequence[Variable]) -> None:
    """The key is a point of the prime-order subgroup and not its neutral element; 21 constraints.

    The curve's group has order 8·l with l an odd prime, so multiplication by 8 maps it onto its subgroup of order l: a
    point is in there exactly if it is 8·Q for some Q on the curve. Q is hinted; that there is one is all that counts.
    """
    preimage = Point(*circuit.hint(_eighth, list(key), 2))
    assert_on_curve(circuit, preimage)
    point = preimage
    for _ in range(3):
        point = double(circuit, point)
    for found, expected in zip(point, key, strict=True):
        circuit.assert_equal(found, expected, "the key is not of prime order")
    circuit.assert_product(key[0], circuit.hint_inverse(key[0]), 1, "the key is the neutral point")


def _eighth(x: int, y: int) -> tuple[int, int]:
    """Hint: the point of the subgroup that 8 takes to this one; something else for what is not in the subgroup."""
    return multiply_plainly((x, y), pow(8, -1, SUBGROUP_ORDER))
