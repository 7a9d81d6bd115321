"""What a full batch posts of each transaction: the words of its message, and its signature in Schnorr's form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aitbc_rollup.algebra.eddsa import ShortSignature, shorten
from aitbc_rollup.circuits.statements.batch import layout

from ..accounts import Account
from ..posted import unpacked, with_flags
from ..transactions import Domain, SignedSession, SignedTransfer, session_message, transfer_message


@dataclass(frozen=True, slots=True, kw_only=True)
class FullTransfer:
    """A transfer before anybody has judged it; the fields are those of ``transactions.Transfer``.

    Here an exit may name a receiver: then it is not valid.
    """

    from_index: int
    to_index: int
    nonce: int
    exit: bool
    expiry: int
    amount: int
    fee: int
    signature: ShortSignature

    @classmethod
    def of(cls, signed: SignedTransfer, sender: Account, domain: Domain) -> FullTransfer:
        """A signed transfer, under the key of the account that it names as its sender."""
        said = signed.transfer
        names = ("from_index", "to_index", "nonce", "exit", "expiry", "amount", "fee")
        short = shorten(sender.public_key, said.message(domain), signed.signature)
        return cls(**{name: getattr(said, name) for name in names}, signature=short)

    def message(self, domain: Domain) -> int:
        """The field element that the sender signs."""
        return transfer_message(domain, self)

    @property
    def words(self) -> list[int]:
        """The four posted words."""
        values = {name: int(getattr(self, name)) for name, _ in (*layout.TRANSFER_TERMS, *layout.TRANSFER_AMOUNTS)}
        packed = [layout.pack(part, values) for part in (layout.TRANSFER_TERMS, layout.TRANSFER_AMOUNTS)]
        return [*packed, *self.signature]

    @classmethod
    def from_words(cls, words: Sequence[int], place: str) -> FullTransfer:
        """The transfer of its posted words.

        Raises:
            BadInputError: bits are set above a last field.
        """
        terms, amounts, *signature = words
        fields = unpacked(layout.TRANSFER_TERMS, terms, place) | unpacked(layout.TRANSFER_AMOUNTS, amounts, place)
        return cls(**with_flags(fields, "exit"), signature=ShortSignature(*signature))


@dataclass(frozen=True, slots=True, kw_only=True)
class FullSession:
    """A session before anybody has judged it; the fields are those of ``transactions.Session``, and its records' root.

    No record is shown: count and fee are what the agent signed.
    """

    agent_index: int
    provider_index: int
    nonce: int
    count: int
    operator_share_bps: int
    expiry: int
    fee: int
    fee_cap: int
    records_root: int
    signature: ShortSignature

    @classmethod
    def of(cls, signed: SignedSession, agent: Account, domain: Domain) -> FullSession:
        """A signed session, under the key of the account that it names as its agent; no countersignature is posted."""
        said = signed.session
        names = [name for name, _ in (*layout.SESSION_TERMS, *layout.SESSION_FEES)]
        short = shorten(agent.public_key, said.message(domain), signed.signature)
        return cls(**{name: getattr(said, name) for name in names}, records_root=said.records_root, signature=short)

    @property
    def usage(self) -> tuple[int, ...]:
        """What a full session adds to usage totals: nothing."""
        return (0,) * len(layout.USAGE)

    def message(self, domain: Domain) -> int:
        """The field element that the agent signs."""
        return session_message(domain, self.records_root, self)

    @property
    def words(self) -> list[int]:
        """The five posted words."""
        values = {name: getattr(self, name) for name, _ in (*layout.SESSION_TERMS, *layout.SESSION_FEES)}
        packed = [layout.pack(part, values) for part in (layout.SESSION_TERMS, layout.SESSION_FEES)]
        return [self.records_root, *packed, *self.signature]

    @classmethod
    def from_words(cls, words: Sequence[int], place: str) -> FullSession:
        """The session of its posted words.

        Raises:
            BadInputError: bits are set above a last field.
        """
        records_root, terms, fees, *signature = words
        fields = unpacked(layout.SESSION_TERMS, terms, place) | unpacked(layout.SESSION_FEES, fees, place)
        return cls(**fields, records_root=records_root, signature=ShortSignature(*signature))
