"""What a batch posts of each transaction, as data words and back (``docs/protocol.md``, "Data").

These are the results of the fold, and all that is needed to apply it again without signatures and records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import BASIS_POINTS, USAGE
from aitbc_rollup.errors import BadInputError

from .checks import placed
from .transactions import Registration


@dataclass(frozen=True, slots=True)
class QueueResult:
    """What became of a queue item; ``address`` has a claim for ``amount`` if it is not 0."""

    valid: bool
    amount: int = 0
    address: int = 0

    @property
    def words(self) -> list[int]:
        """The one posted word."""
        return [layout.pack(layout.QUEUE_RESULT, {"amount": self.amount, "address": self.address, "valid": self.valid})]

    @classmethod
    def from_words(cls, words: Sequence[int], place: str) -> QueueResult:
        """The result of a posted word.

        Raises:
            BadInputError: bits are set above the last field.
        """
        fields = unpacked(layout.QUEUE_RESULT, words[0], place)
        return cls(bool(fields["valid"]), fields["amount"], fields["address"])


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedTransfer:
    """A transfer as posted; ``address`` has a claim for ``amount`` if it is not 0. Of an invalid one the fee is 0."""

    from_index: int
    to_index: int
    nonce: int
    exit: bool
    valid: bool
    fee: int
    amount: int
    address: int

    @property
    def words(self) -> list[int]:
        """The two posted words."""
        values = {name: int(getattr(self, name)) for name, _ in (*layout.TRANSFER, *layout.CLAIM)}
        return [layout.pack(layout.TRANSFER, values), layout.pack(layout.CLAIM, values)]

    @classmethod
    def from_words(cls, words: Sequence[int], place: str) -> PostedTransfer:
        """The transfer of its posted words.

        Raises:
            BadInputError: bits are set above a last field.
        """
        fields = unpacked(layout.TRANSFER, words[0], place) | unpacked(layout.CLAIM, words[1], place)
        return cls(**with_flags(fields, "exit", "valid"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedSession:
    """A session as posted; ``usage`` has six totals in the order of ``layout.USAGE``.

    Of an invalid session, fee, usage and the history root are 0.
    """

    agent_index: int
    provider_index: int
    nonce: int
    count: int
    operator_share_bps: int
    fee: int
    countersigned: bool
    valid: bool
    history_root: int
    usage: tuple[int, ...]

    @property
    def operator_share(self) -> int:
        """What the operator gets of the fee, rounded down; the provider gets the rest."""
        return self.fee * self.operator_share_bps // BASIS_POINTS

    @property
    def words(self) -> list[int]:
        """The three posted words."""
        values = {name: int(getattr(self, name)) for name, _ in layout.SESSION}
        usage = dict(zip(USAGE, self.usage, strict=True))
        return [self.history_root, layout.pack(layout.SESSION, values), layout.pack(layout.SESSION_USAGE, usage)]

    @classmethod
    def from_words(cls, words: Sequence[int], place: str) -> PostedSession:
        """The session of its posted words.

        Raises:
            BadInputError: bits are set above a last field.
        """
        fields = unpacked(layout.SESSION, words[1], place)
        usage = tuple(unpacked(layout.SESSION_USAGE, words[2], place).values())
        return cls(**with_flags(fields, "countersigned", "valid"), history_root=words[0], usage=usage)


def registration_words(registration: Registration) -> list[int]:
    """The five posted words of a registration."""
    return [
        registration.index, *registration.public_key, registration.account.owner, registration.external_id,
    ]  # fmt: skip


def registration_from_words(words: Sequence[int], place: str) -> Registration:
    """The registration of its posted words.

    Raises:
        BadInputError: a field is too wide, or the key is no point of prime order.
    """
    owner = unpacked(layout.OWNER, words[3], place)
    with placed(place):
        return Registration(index=words[0], public_key=(words[1], words[2]), external_id=words[4], **owner)


def unpacked(part: layout.Layout, word: int, place: str) -> dict[str, int]:
    """The fields of a packed word.

    Raises:
        BadInputError: bits are set above the last field.
    """
    try:
        return layout.unpack(part, word)
    except ValueError as error:
        raise BadInputError(str(error), place=place) from None


def with_flags(fields: dict[str, int], *names: str) -> dict[str, Any]:
    """The same fields, these of one bit as booleans."""
    return fields | {name: bool(fields[name]) for name in names}
