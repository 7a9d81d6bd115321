"""How a proof and the posted bytes hold on to each other (``docs/protocol.md``, "Binding the data").

::

    C = sponge(BATCH, all words of the polynomial)
    ζ = keccak256(tag ‖ C ‖ keccak256(posted data) ‖ keccak256(queue items' words)) mod r
    y = Σ wordᵢ · ζⁱ mod r
    binding = keccak256(C ‖ ζ ‖ y)

The node computes this to prove a batch, the contract to commit it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import sponge
from aitbc_rollup.circuits.statements.batch.layout import DATA_TAG, WORD_BYTES, Tag
from aitbc_rollup.errors import BadInputError


def to_words(data: bytes, place: str) -> list[int]:
    """The 32-byte big-endian words of some data.

    Raises:
        BadInputError: not whole words, or a word that is no field element.
    """
    if len(data) % WORD_BYTES:
        expected = f"a multiple of {WORD_BYTES} bytes"
        raise BadInputError("the data are not whole words", place=place, expected=expected, got=f"{len(data)} bytes")
    words = [int.from_bytes(data[i : i + WORD_BYTES], "big") for i in range(0, len(data), WORD_BYTES)]
    for number, word in enumerate(words):
        if word >= R:
            raise BadInputError(
                "a data word is no field element", place=f"{place}, word {number}", expected="below r", got=hex(word)
            )
    return words


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
    def of(cls, polynomial: Sequence[int], posted: bytes, queue_items: bytes, commitment: int | None = None) -> Binding:
        """The binding of a batch's data.

        Args:
            polynomial: all words, unused room as zeros.
            posted: what the operator posts.
            queue_items: the words of the batch's queue items, which the contract has.
            commitment: C as the operator claims it; the right one if left out.
        """
        chosen = sponge(Tag.BATCH, polynomial) if commitment is None else commitment
        drawn = keccak(DATA_TAG + to_data([chosen]) + keccak(posted) + keccak(queue_items))
        zeta = int.from_bytes(drawn, "big") % R
        evaluation = 0
        for word in reversed(polynomial):
            evaluation = (evaluation * zeta + word) % R
        return cls(chosen, zeta, evaluation)

    @property
    def digest(self) -> bytes:
        """What the contract keeps of them."""
        return keccak(to_data((self.commitment, self.zeta, self.evaluation)))

    def public_inputs(self, payout: int) -> list[int]:
        """The circuit's public inputs, in order."""
        return [self.commitment, self.zeta, self.evaluation, payout]
