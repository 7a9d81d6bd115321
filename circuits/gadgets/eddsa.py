"""EdDSA-Poseidon signatures over Baby Jubjub, as circomlib's ``EdDSAPoseidonVerifier`` has them.

What is checked of a signature (R8, S) of a message under a key A:

- A is on the curve and not of small order (8·A is not neutral);
- 0 ≤ S < l, so a signature has one S;
- S·Base8 = R8 + h·(8·A) for h = Poseidon(R8.x, R8.y, A.x, A.y, message), the canonical integer in [0, r): h + r is
  refused. R8 is then on the curve and in the subgroup of order l.

:func:`signature_is_valid` answers with a bit, for any field elements whatever; it wants a circuit with ``limb_bits``.
:func:`assert_signature` refuses what is no signature, and stays without commitment. ``docs/spec/eddsa.md`` has the
relation and why it holds.

Not checked: that A is of prime order. ``algebra.eddsa.verify`` asks that too; the rollup checks it once, when a
key enters an account (:func:`key_is_prime_order`). A key with a part of small order harms only who made it: 8·A has
none.
"""

from __future__ import annotations

from collections.abc import Sequence

from aitbc_rollup.algebra import babyjubjub as curve

from ..api import Circuit, Variable
from ..template import template
from .babyjubjub import Point, add, assert_on_curve, double, multiply, multiply_base8, tangent
from .boolean import select
from .compare import vanishes
from .halves import LOW_BITS, multiply_by_halves
from .poseidon import poseidon
from .ranges import uint
from .windows import SCALAR_BITS, assert_below_order, divmod_order, multiply_base8_windows

__all__ = [
    "assert_signature", "eight_times", "key_is_prime_order", "low_below_order", "multiply_base8_any",
    "signature_is_valid",
]  # fmt: skip


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
            Point(*(select(circuit, enabled, x, base) for x, base in zip(p, curve.BASE8, strict=True)))
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
    instance: Variable | int,
    window: int = 8,
) -> Variable:
    """1 if (r8, s) is a signature of the message under the key, else 0, and known to be; for any field elements.

    1 means: the key A is on the curve, 8·A is not neutral, S < l, and S·Base8 = R8 + h·(8·A). For a key of prime order
    that is what ``algebra.eddsa.verify`` says, R8 being of the subgroup by the equation. Keys off the curve, (0, 0)
    among them, and keys of small order give 0.

    Unsatisfiable for fewer than 500 of the l residues that the hash can have; to find one takes 2^241 trials.

    Constraints: 1569 with windows of 8 bits and ``limb_bits`` of 16, 1601 with 11. Besides, once a circuit, one for
    each row of the windows' tables, 7,944 in all, and of the limbs' ones.

    Args:
        circuit: where; with ``limb_bits``.
        key: x and y of the public key A.
        r8: x and y of R8.
        s: S.
        message: the field element signed.
        instance: a number below 2^28 that no other use in the circuit has. That is for the honest prover's sake: the
            answer is right with any numbers.
        window: bits of a digit of S, 2 to 10: more cost fewer constraints each and larger tables.

    Raises:
        ValueError: the circuit has no ``limb_bits``, or a window has not 2 to 10 bits.
    """
    if circuit.limb_bits is None:
        raise ValueError("signature_is_valid looks ranges up: make the circuit with limb_bits")
    return _signature_is_valid(circuit, list(key), list(r8), s, message, instance, window=window)


@template
def _signature_is_valid(
    circuit: Circuit,
    key: list[Variable],
    r8: list[Variable],
    s: Variable,
    message: Variable,
    instance: Variable | int,
    *,
    window: int,
) -> Variable:
    challenge = poseidon(circuit, [*r8, *key, message])
    with circuit.component("key"):
        key_is_good, base = eight_times(circuit, Point(*key))
    with circuit.component("challenge"):
        _, h, last = divmod_order(circuit, challenge)
        low = low_below_order(circuit, h, last)
    with circuit.component("challenge_times_key"):
        product = multiply_by_halves(circuit, base, h, low, instance)
    with circuit.component("s_times_base"):
        quotient, left = multiply_base8_any(circuit, s, window)
    expected = add(circuit, left, Point(-product.x, product.y))
    same = [vanishes(circuit, x - y) for x, y in zip(expected, r8, strict=True)]
    return key_is_good * vanishes(circuit, quotient) * same[0] * same[1]


def low_below_order(circuit: Circuit, h: Variable, last: Variable) -> Variable:
    """h mod 2^125 of an h asserted to be an integer below l, and where ``last`` is 1, below r − 7·l."""
    high, low = circuit.hint_divmod(h, 1 << LOW_BITS)
    circuit.assert_equal(low + high * (1 << LOW_BITS), h, "the halves do not recompose")
    low, high = uint(circuit, low, LOW_BITS), uint(circuit, high, SCALAR_BITS - LOW_BITS)
    assert_below_order(circuit, low, high, LOW_BITS, last)
    return low


def multiply_base8_any(circuit: Circuit, s: Variable, window: int) -> tuple[Variable, Point]:
    """⌊s/l⌋ and s·Base8, for the canonical integer s of any field element."""
    quotient, remainder, last = divmod_order(circuit, s)
    product, digits = multiply_base8_windows(circuit, remainder, window)
    cut = len(digits) // 2
    low, high = (
        circuit.inner_product([1 << window * i for i in range(len(part))], part)
        for part in (digits[:cut], digits[cut:])
    )
    assert_below_order(circuit, low, high, window * cut, last)
    return quotient, product


def eight_times(circuit: Circuit, key: Point) -> tuple[Variable, Point]:
    """Whether a key is on the curve and not of small order, and 8 times it, or 8 times Base8; 24 constraints.

    8·A in Montgomery coordinates. A point of the curve is of small order if x·y·(y² − a·x²) = 0: of order 1 or 2 if
    x = 0, of order 4 if y = 0, of order 8 if y² = a·x². The first doubling is computed from what the curve's equation
    needs anyway, 2·A being ((1 − a·x²)/(1 − y²), …) in Montgomery coordinates; its divisors vanish for points of order
    1 or 2 only.
    """
    ax_squared, y_squared, product = curve.A * (key.x * key.x), key.y * key.y, key.x * key.y
    on_curve = vanishes(circuit, ax_squared + y_squared - 1 - curve.D * (product * product))
    small = vanishes(circuit, product * (y_squared - ax_squared))
    good = on_curve * (1 - small)
    x, y = curve.BASE8
    ax_squared, y_squared, product = (
        select(circuit, good, value, safe)
        for value, safe in zip((ax_squared, y_squared, product), (curve.A * x * x, y * y, x * y), strict=True)
    )
    u = circuit.divide(1 - ax_squared, 1 - y_squared)
    double_x = circuit.divide(2 * product, ax_squared + y_squared)
    twice = Point(u, circuit.divide(u, double_x))
    return good, tangent(circuit, tangent(circuit, twice))


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
    return curve.multiply((x, y), pow(8, -1, curve.SUBGROUP_ORDER))
