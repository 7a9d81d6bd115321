"""How a proof and the posted bytes hold on to each other (``docs/protocol.md``, "Binding the data").

::

    C = sponge(BATCH, all words of the polynomial)
    ζ = keccak256(tag ‖ C ‖ keccak256(posted data) ‖ keccak256(queue items' words) [‖ versioned hash]) mod r
    y = Σ wordᵢ · ζⁱ mod r                     words that lie elsewhere count as 0
    [b = Σ wordⱼ · ζʲ modulo BLS12-381's group order, over the words in the blob]
    binding = keccak256(C ‖ ζ ‖ y [‖ b₀ ‖ b₁])     b = b₀ + 2^128·b₁

What stands in brackets is said of a batch with a blob. The node computes this to prove a batch, the contract to
commit it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import sponge
from aitbc_rollup.circuits.statements.batch.layout import DATA_TAG, WORD_BYTES, Tag
from aitbc_rollup.circuits.statements.batch.shape import Section
from aitbc_rollup.errors import BadInputError

from .kzg import Blob

_HALF_BITS = 128


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
    """C, ζ and y of a batch's data, and of its blob, if it has one, the value b at ζ."""

    commitment: int
    zeta: int
    evaluation: int
    blob_value: int | None = None

    @classmethod
    def of(
        cls,
        polynomial: Sequence[int],
        posted: bytes,
        queue_items: bytes,
        commitment: int | None = None,
        *,
        elsewhere: Sequence[Section] = (),
        blob: Blob | None = None,
    ) -> Binding:
        """The binding of a batch's data.

        Args:
            polynomial: all words, unused room as zeros.
            posted: what the operator posts.
            queue_items: the words of the batch's queue items, which the contract has.
            commitment: C as the operator claims it; the right one if left out.
            elsewhere: sections of the polynomial that are not posted.
            blob: what they are in, if it is a blob.
        """
        chosen = sponge(Tag.BATCH, polynomial) if commitment is None else commitment
        versioned_hash = b"" if blob is None else blob.versioned_hash
        drawn = keccak(DATA_TAG + to_data([chosen]) + keccak(posted) + keccak(queue_items) + versioned_hash)
        zeta = int.from_bytes(drawn, "big") % R
        shown = list(polynomial)
        for start, count in elsewhere:
            shown[start : start + count] = [0] * count
        evaluation = 0
        for word in reversed(shown):
            evaluation = (evaluation * zeta + word) % R
        return cls(chosen, zeta, evaluation, None if blob is None else blob.value(zeta))

    @property
    def blob_halves(self) -> list[int]:
        """b₀ and b₁; none without a blob."""
        if self.blob_value is None:
            return []
        high, low = divmod(self.blob_value, 1 << _HALF_BITS)
        return [low, high]

    @property
    def statement(self) -> list[int]:
        """The circuit's public inputs but the payout, in order."""
        return [self.commitment, self.zeta, self.evaluation, *self.blob_halves]

    @property
    def digest(self) -> bytes:
        """What the contract keeps of them."""
        return keccak(to_data(self.statement))

    def public_inputs(self, payout: int) -> list[int]:
        """The circuit's public inputs, in order."""
        return [*self.statement, payout]

    def named_inputs(self, payout: int) -> dict[str, int]:
        """The same by the names that the protocol gives them."""
        names = ("C", "ζ", "y", *("b₀", "b₁")[: len(self.blob_halves)], "payout")
        return dict(zip(names, self.public_inputs(payout), strict=True))
