"""Keys and proofs as contracts take them, and a stand-alone Solidity verifier of one key.

Points are encoded as in EIP-196 and EIP-197: 32-byte big-endian coordinates, the imaginary part of an Fq2 element
before the real one, and the identity as zeros.

``contracts/src/Groth16Verifier.sol`` takes its key at deployment and is what the rollup uses. :func:`emit_verifier`
writes the same checks with the key as constants, for someone who wants one readable file to deploy and to audit.
"""

from __future__ import annotations

from aitbc_rollup.algebra.reference.curve import G1Point, G2Point

from .types import VerifyingKey

_DEVELOPMENT = 1


def g1_words(point: G1Point) -> tuple[int, int]:
    """Coordinates of a point of G1 as the EVM takes them."""
    return point if point is not None else (0, 0)


def g2_words(point: G2Point) -> tuple[int, int, int, int]:
    """Coordinates of a point of G2 as the EVM takes them: x imaginary, x real, y imaginary, y real."""
    if point is None:
        return 0, 0, 0, 0
    (x0, x1), (y0, y1) = point
    return x1, x0, y1, y0


def verifying_key_blob(vk: VerifyingKey) -> bytes:
    """A key as ``Groth16VerifierInit`` takes it: flags, alpha, beta, gamma, delta, IC points; 32-byte words.

    Flags: bit 0 is set for a development key. The contract checks the points; nothing is checked here.
    """
    words = [
        _DEVELOPMENT if vk.development else 0,
        *g1_words(vk.alpha_g1),
        *g2_words(vk.beta_g2),
        *g2_words(vk.gamma_g2),
        *g2_words(vk.delta_g2),
        *(coordinate for point in vk.ic for coordinate in g1_words(point)),
    ]
    return b"".join(word.to_bytes(32, "big") for word in words)
