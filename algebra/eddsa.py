"""EdDSA over Baby Jubjub with Poseidon, bit for bit circomlibjs's ``signPoseidon`` and ``verifyPoseidon``.

::

    H          = BLAKE-512(private key), 64 bytes
    s          = the low half of H, pruned: a multiple of 8 in [2^254, 2^255)
    public key = A = (s/8)·Base8
    nonce      = BLAKE-512(high half of H ‖ message) mod l        so no randomness, and no reuse
    R8         = nonce·Base8
    h          = Poseidon(R8.x, R8.y, A.x, A.y, message), an integer in [0, r)
    S          = nonce + h·s mod l
    valid      ⇔ S·Base8 = R8 + 8·h·A

Messages are field elements. Verification is stricter than circomlibjs's: besides S < l, it takes only points of the
prime-order subgroup, and no neutral public key, under which anyone could sign. So a signature has one encoding.

Security: about 125 bits (l has 251). A signer whose memory an attacker can fault or whose time he can measure is out
of scope: neither the kernels nor Python's integers are constant-time.

Sources: circomlibjs 0.1.7; RFC 8032 for the shape; Bernstein, Duif, Lange, Schwabe, Yang, "High-speed high-security
signatures", CHES 2011.
"""

from __future__ import annotations

from typing import NamedTuple

from aitbc_rollup.errors import BadInputError

from .babyjubjub import (
    BASE8,
    COFACTOR,
    IDENTITY,
    SUBGROUP_ORDER,
    Point,
    combine,
    compress,
    decompress,
    is_in_subgroup,
    multiply,
    negate,
)
from .blake512 import blake512
from .bn254 import R
from .poseidon import poseidon

PRIVATE_KEY_BYTES = 32
SIGNATURE_BYTES = 64


class Signature(NamedTuple):
    """A signature: the point R8 and the scalar S."""

    r8: Point
    s: int

    def to_bytes(self) -> bytes:
        """circomlibjs's ``packSignature``: R8 compressed, then S little-endian; 64 bytes.

        Raises:
            OverflowError: S is not in [0, 2^256).
        """
        return compress(self.r8) + self.s.to_bytes(32, "little")

    @staticmethod
    def from_bytes(data: bytes) -> Signature:
        """The signature of :meth:`to_bytes`.

        Raises:
            BadInputError: not 64 bytes, not a point of the curve, or S ≥ l.
        """
        if len(data) != SIGNATURE_BYTES:
            raise BadInputError("wrong length", place="signature", expected="64 bytes", got=f"{len(data)} bytes")
        s = int.from_bytes(data[32:], "little")
        if s >= SUBGROUP_ORDER:
            raise BadInputError("S is not reduced", place="signature", expected="an integer below l", got=str(s))
        try:
            return Signature(decompress(data[:32]), s)
        except ValueError as error:
            raise BadInputError(f"R8 is not a point: {error}", place="signature", got=data[:32].hex()) from error


def public_key(private_key: bytes) -> Point:
    """The public key of a 32-byte private key.

    Raises:
        BadInputError: the key has another length.
    """
    secret, _ = _expand(private_key)
    return multiply(BASE8, secret // COFACTOR)


def sign(private_key: bytes, message: int) -> Signature:
    """Sign a field element; the same key and message always give the same signature.

    Raises:
        BadInputError: the key has not 32 bytes, or the message is not in [0, r).
    """
    if not 0 <= message < R:
        raise BadInputError("not a field element", place="message", expected="an integer in [0, r)", got=str(message))
    secret, prefix = _expand(private_key)
    nonce = int.from_bytes(blake512(prefix + message.to_bytes(32, "little")), "little") % SUBGROUP_ORDER
    r8 = multiply(BASE8, nonce)
    challenge = poseidon([*r8, *multiply(BASE8, secret // COFACTOR), message])
    return Signature(r8, (nonce + challenge * secret) % SUBGROUP_ORDER)


def verify(public_key: Point, message: int, signature: Signature) -> bool:
    """Whether a signature is valid: S·Base8 = R8 + 8·h·A, with S < l and both points of the prime-order subgroup.

    Never raises for values out of range: it answers False.
    """
    r8, s = signature
    if not (0 <= message < R and 0 <= s < SUBGROUP_ORDER):
        return False
    if not is_public_key(public_key) or not is_in_subgroup(r8):
        return False
    challenge = poseidon([*r8, *public_key, message])
    return combine(BASE8, s, negate(public_key), COFACTOR * challenge % SUBGROUP_ORDER) == r8


class ShortSignature(NamedTuple):
    """A signature in Schnorr's form: the challenge h, and S. R8 follows from them: S·Base8 − h·8·A."""

    challenge: int
    s: int


def shorten(public_key: Point, message: int, signature: Signature) -> ShortSignature:
    """The other form of a signature, which :func:`verify_short` accepts exactly if :func:`verify` accepts this one.

    For coordinates and a message that are field elements, whatever points they are.
    """
    return ShortSignature(poseidon([*signature.r8, *public_key, message]), signature.s)


def verify_short(public_key: Point, message: int, signature: ShortSignature) -> bool:
    """Whether a signature is valid: with P = S·Base8 − h·8·A, h is the challenge that P as R8 would give; and S < l.

    Never raises for values out of range: it answers False.
    """
    challenge, s = signature
    if not (0 <= message < R and 0 <= challenge < R and 0 <= s < SUBGROUP_ORDER and is_public_key(public_key)):
        return False
    r8 = combine(BASE8, s, negate(public_key), COFACTOR * challenge % SUBGROUP_ORDER)
    return poseidon([*r8, *public_key, message]) == challenge


def is_public_key(point: Point) -> bool:
    """Whether a point may be a public key: of the prime-order subgroup and not neutral."""
    return point != IDENTITY and is_in_subgroup(point)


def _expand(private_key: bytes) -> tuple[int, bytes]:
    """The pruned secret scalar and the nonce's prefix."""
    if len(private_key) != PRIVATE_KEY_BYTES:
        raise BadInputError(
            "wrong length", place="private key", expected="32 bytes", got=f"{len(private_key)} bytes"
        )  # never the key itself
    digest = blake512(private_key)
    low = int.from_bytes(digest[:32], "little")
    return low & ~7 & (1 << 255) - 1 | 1 << 254, digest[32:]
