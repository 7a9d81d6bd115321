"""EdDSA-Poseidon signatures in Schnorr's form (e, S), answered with a bit: exactly, and for whatever anybody posts.

Where :func:`eddsa.signature_is_valid` computes e, a hash, here it is given. With P = S·Base8 − e·(8·A) the signature
holds exactly if Poseidon(P.x, P.y, A.x, A.y, message) = e and S < l; then P is the R8 that was left out. So e is
anybody's free choice, and a circuit without a witness for some of them could be held up by whoever finds one: easily,
for 0 is one that ``multiply_by_halves`` has none for. What it has no witness for are 500 residues k, those of short
vectors; of k and k + 256 at most one is such. So k + 256·t is multiplied, with t ∈ {0, 1} as the prover likes, and
256·t·(8·A) taken off again. ``docs/spec/eddsa.md``, "The short form", has the argument.

Not checked: that A is of prime order, as in ``eddsa``.
"""

from __future__ import annotations

from collections.abc import Sequence

from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs
from aitbc_rollup.algebra.reference import babyjubjub as curve

from ..api import Circuit, Variable
from ..template import template
from .babyjubjub import Point, add, tangent, to_edwards
from .boolean import boolean
from .compare import vanishes
from .eddsa import eight_times, low_below_order, multiply_base8_any
from .halves import multiply_by_halves, short_vector
from .poseidon import poseidon
from .windows import divmod_order

__all__ = ["short_signature_is_valid"]

L = curve.SUBGROUP_ORDER
#: By how many doublings a scalar that cannot be multiplied gets away from all such: 2^8 exceeds 12².
_DOUBLINGS = 8
#: A scalar can be multiplied if its shortest vector has this length or more (``halves``).
_SHORTEST = 12


def short_signature_is_valid(
    circuit: Circuit,
    key: Sequence[Variable],
    challenge: Variable,
    s: Variable,
    message: Variable,
    *,
    instance: Variable | int,
    window: int = 8,
) -> Variable:
    """1 if (challenge, s) is a signature of the message under the key, else 0, and known to be; for any field elements.

    1 means: the key A is on the curve, 8·A is not neutral, S < l, and with P = S·Base8 − e·(8·A) the challenge e is
    Poseidon(P.x, P.y, A.x, A.y, message). For a key of prime order that is what ``algebra.eddsa.verify_short`` says.
    There is a witness whatever the arguments are.

    Constraints: 1638 with windows of 8 bits and ``limb_bits`` of 16, 1682 with 11; tables as for
    ``eddsa.signature_is_valid``.

    Args:
        circuit: where; with ``limb_bits``.
        key: x and y of the public key A.
        challenge: e.
        s: S.
        message: the field element signed.
        instance: a number below 2^28 that no other signature in the circuit has, for the honest prover's sake.
        window: bits of a digit of S, 2 to 10.

    Raises:
        ValueError: the circuit has no ``limb_bits``, or a window has not 2 to 10 bits.
    """
    if circuit.limb_bits is None:
        raise ValueError("short_signature_is_valid looks ranges up: make the circuit with limb_bits")
    return _short_signature_is_valid(circuit, list(key), challenge, s, message, instance, window=window)


@template
def _short_signature_is_valid(
    circuit: Circuit,
    key: list[Variable],
    challenge: Variable,
    s: Variable,
    message: Variable,
    instance: Variable | int,
    *,
    window: int,
) -> Variable:
    with circuit.component("key"):
        key_is_good, base = eight_times(circuit, Point(*key))
    with circuit.component("challenge_times_key"):
        product = _multiply_any(circuit, base, challenge, instance)
    with circuit.component("s_times_base"):
        quotient, left = multiply_base8_any(circuit, s, window)
    r8 = add(circuit, left, Point(-product.x, product.y))
    same = vanishes(circuit, poseidon(circuit, [*r8, *key, message]) - challenge)
    return key_is_good * vanishes(circuit, quotient) * same


def _multiply_any(circuit: Circuit, p: Point, challenge: Variable, instance: Variable | int) -> Point:
    """challenge·p in Edwards coordinates, for p of order l in Montgomery ones and any field element."""
    _, k, last = divmod_order(circuit, challenge)
    low_below_order(circuit, k, last)
    shifted, wrapped = (boolean(circuit, bit) for bit in circuit.hint(_choose_shift, [k], 2, batch=True))
    scalar = k + shifted * (1 << _DOUBLINGS) - wrapped * L
    low = low_below_order(circuit, scalar, circuit.constant(0))
    product = multiply_by_halves(circuit, p, scalar, low, instance)
    multiple = p
    for _ in range(_DOUBLINGS):
        multiple = tangent(circuit, multiple)
    excess = to_edwards(circuit, multiple)
    return add(circuit, product, Point(-(shifted * excess.x), 1 + shifted * (excess.y - 1)))


def _choose_shift(inputs: Limbs) -> Limbs:
    """Batched hint, of k: whether to multiply by k + 256 in place of k, and whether that is l or more."""
    found = []
    for k in from_limbs(inputs[:, 0]):
        a, b = short_vector(k % L)
        shifted = a * a + b * b < _SHORTEST**2
        found += [shifted, k + (shifted << _DOUBLINGS) >= L]
    return to_limbs(found).reshape(len(inputs), 2, 4)
