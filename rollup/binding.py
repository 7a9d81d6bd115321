"""How a proof and the posted bytes hold on to each other (docs/protocol.md, "Binding the data").

::

    ζ = keccak256(tag ‖ C ‖ keccak256(data)) mod r
    y = Σ wordᵢ · ζⁱ mod r
    binding = keccak256(C ‖ ζ ‖ y)

The node computes this to prove a batch, the contract to commit it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eth_hash.auto import keccak

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.statements.protocol import DATA_TAG, WORD_BYTES
from aitbc_rollup.errors import BadInputError


def to_words(data: bytes, place: str | None = None) -> list[int]:
    """The 32-byte big-endian words of some data.

    Raises:
        BadInputError: not whole words.
    """
    if len(data) % WORD_BYTES:
        expected = f"a multiple of {WORD_BYTES} bytes"
        raise BadInputError("the data are not whole words", place=place, expected=expected, got=f"{len(data)} bytes")
    return [int.from_bytes(data[i : i + WORD_BYTES], "big") for i in range(0, len(data), WORD_BYTES)]


def to_data(words: Iterable[int]) -> bytes:
    """Words as bytes."""
    return b"".join(word.to_bytes(WORD_BYTES, "big") for word in words)


@dataclass(frozen=True, slots=True)
class Binding:
    """C, ζ and y of a batch's data."""

    commitment: int
    zeta: int
    evaluation: int

    @classmethod
    def of(cls, commitment: int, data: bytes) -> Binding:
        """C as claimed, and the ζ and y that follow from it and the data.

        Raises:
            BadInputError: the data are not whole words.
        """
        words = to_words(data)
        zeta = int.from_bytes(keccak(DATA_TAG + to_data([commitment]) + keccak(data)), "big") % R
        evaluation = 0
        for word in reversed(words):
            evaluation = (evaluation * zeta + word) % R
        return cls(commitment, zeta, evaluation)

    @property
    def digest(self) -> bytes:
        """What the contract keeps of them."""
        return keccak(to_data((self.commitment, self.zeta, self.evaluation)))

    def public_inputs(self, payout: int) -> list[int]:
        """The circuit's public inputs, in order."""
        return [self.commitment, self.zeta, self.evaluation, payout]
