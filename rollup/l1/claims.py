"""What a batch owes on L1.

Claims stand in a batch's queue results and transfers (of a full batch, their results), of which the contract keeps the
hash alone. Whoever makes a claim shows these words, which stand in the batch's posted data; it is owed then to its
address, and :class:`~.treasury.Treasury` pays it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eth_utils.crypto import keccak

from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.errors import BadInputError, L1Error

from ..binding import to_data, to_words
from ..posted import unpacked
from .bound import BoundContract, Step
from .signer import Signer


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of an L1 address (a number) for an amount in wei; ``word`` is its place in the section."""

    batch: int
    word: int
    address: int
    amount: int


@dataclass(frozen=True, slots=True)
class Section:
    """A batch's queue results and transfers.

    Args:
        batch: number of the batch.
        words: the words, results first.
        results: how many results.
        width: words a transfer, in the last of which a claim stands; of a full batch 1, its result.
    """

    batch: int
    words: tuple[int, ...]
    results: int
    width: int = layout.TRANSFER_WORDS

    @classmethod
    def of(cls, batch: int, posted: bytes) -> Section:
        """The section of a batch's posted data.

        Raises:
            BadInputError: not whole words, or shorter than the header says.
        """
        place = f"batch {batch}"
        words = to_words(posted, place)
        if len(words) < layout.HEADER_WORDS:
            expected = f"{layout.HEADER_WORDS} words"
            raise BadInputError("the header is cut short", place=place, expected=expected, got=str(len(words)))
        header = dict(zip(layout.HEADER, words, strict=False))
        counts = unpacked(layout.COUNTS, header["counts"], f"{place}, counts")
        kind = layout.Kind(unpacked(layout.MODE, header["mode"], f"{place}, mode")["kind"])
        registrations = layout.HEADER_WORDS + layout.QUEUE_RESULT_WORDS * counts["queue_items"]
        transfers = registrations
        if kind == layout.Kind.CALLDATA:  # otherwise they lie elsewhere, or there are none
            transfers += layout.REGISTRATION_WORDS * counts["registrations"]
        width = layout.TRANSFER_RESULT_WORDS if kind == layout.Kind.FULL else layout.TRANSFER_WORDS
        end = transfers + width * counts["transfers"]
        if len(words) < end:
            raise BadInputError(
                "the data end in their transfers", place=place, expected=f"{end} words", got=f"{len(words)}"
            )
        found = (*words[layout.HEADER_WORDS : registrations], *words[transfers:end])
        return cls(batch, found, counts["queue_items"], width)

    @property
    def data(self) -> bytes:
        """The bytes that the contract asks for."""
        return to_data(self.words)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Every claim: results that name an address, and last words of transfers that do.

        Raises:
            BadInputError: bits are set above a word's last field.
        """
        found = []
        for number, word in enumerate(self.words):
            behind = number - self.results
            if behind >= 0 and behind % self.width != self.width - 1:
                continue
            is_result = behind < 0 or self.width == layout.TRANSFER_RESULT_WORDS
            part = layout.QUEUE_RESULT if is_result else layout.CLAIM
            fields = unpacked(part, word, f"batch {self.batch}, claim word {number}")
            if fields["address"]:
                found.append(Claim(self.batch, number, fields["address"], fields["amount"]))
        return tuple(found)


class Claims:
    """Claims of a deployed rollup's batches.

    Args:
        contract: the rollup.
        posted: gives the posted data of a batch.
    """

    def __init__(self, contract: BoundContract, posted: Callable[[int], bytes]) -> None:
        self._contract = contract
        self._posted = posted

    def section(self, batch: int) -> Section:
        """A committed batch's queue results and transfers, compared with the hash that the contract keeps.

        Raises:
            L1Error: no such batch, or the chain does not have its data any more.
        """
        section = Section.of(batch, self._posted(batch))
        _, _, claims, *_ = self._contract.view("batch", batch)
        kept = bytes(claims)
        got = keccak(section.data) if section.words else bytes(32)
        if got != kept:
            raise L1Error(
                "the batch's data are not those of its commit",
                place=f"batch {batch} of {self._contract.address}",
                expected=f"claims with hash 0x{kept.hex()}",
                got=f"0x{got.hex()}",
                hint="ask another node, with --l1",
            )
        return section

    def is_made(self, claim: Claim) -> bool:
        """Whether a claim has been made, so that its amount is owed, or paid already.

        Raises:
            L1Error: the chain does not answer.
        """
        return bool(self._contract.view("isClaimed", claim.batch, claim.word))

    def make(self, signer: Signer, section: Section, claim: Claim) -> Step:
        """Make a claim, unless it was made: its amount is owed to its address from then on.

        Args:
            signer: anyone.
            section: the batch's.
            claim: one of its claims.

        Raises:
            L1Error: refused: the batch is not final, or not for long enough.
        """
        if self.is_made(claim):
            return self._contract.done("Claimed", batchNumber=claim.batch, word=claim.word)
        place = f"claim {claim.word} of batch {claim.batch}"
        return Step(self._contract.send(signer, "claim", [claim.batch, section.data, claim.word], place))
