"""The binding of a batch's data, as the contract computes it (docs/protocol.md, "Binding the data").

::

    ζ = keccak256(tag ‖ C ‖ keccak256(data)) mod r
    y = Σ wordᵢ · ζⁱ mod r
    binding = keccak256(C ‖ ζ ‖ y)
"""

from __future__ import annotations

from collections.abc import Iterable

from eth_utils.crypto import keccak

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.statements.protocol import DATA_TAG
from aitbc_rollup.errors import BadInputError

WORD_BYTES = 32


def to_words(data: bytes) -> list[int]:
    """The 32-byte big-endian words of some data.

    Raises:
        BadInputError: not whole words.
    """
    if len(data) % WORD_BYTES:
        expected = f"a multiple of {WORD_BYTES} bytes"
        raise BadInputError("the data are not whole words", expected=expected, got=f"{len(data)} bytes")
    return [int.from_bytes(data[i : i + WORD_BYTES], "big") for i in range(0, len(data), WORD_BYTES)]


def to_data(words: Iterable[int]) -> bytes:
    """Words as bytes."""
    return b"".join(word.to_bytes(WORD_BYTES, "big") for word in words)


def challenge(commitment: int, data: bytes) -> int:
    """ζ for C and the data."""
    return int.from_bytes(keccak(DATA_TAG + commitment.to_bytes(32, "big") + keccak(data)), "big") % R


def evaluate(data: bytes, zeta: int) -> int:
    """y: the data's polynomial at ζ."""
    y = 0
    for word in reversed(to_words(data)):
        y = (y * zeta + word) % R
    return y


def binding(commitment: int, zeta: int, y: int) -> bytes:
    """What the contract keeps of a batch's public inputs."""
    return keccak(to_data((commitment, zeta, y)))
