"""What moves a shard's state: sessions, transfers, registrations, and what people put on L1 (``docs/protocol.md``).

Objects hold what is well-formed: every field fits its bits. Whether one is *valid* against a state is for the fold to
say (``transition``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate

from aitbc_rollup.algebra.eddsa import Signature, is_public_key
from aitbc_rollup.algebra.poseidon import MAX_INPUTS, poseidon
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import PAGE_RECORDS, QueueKind, Tag
from aitbc_rollup.errors import BadInputError

from .accounts import Account
from .checks import check_field_element, check_width
from .records import RunRecord

#: Words of a page of records.
PAGE_WORDS = layout.RECORD_WORDS * PAGE_RECORDS


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a signature counts: one chain, one contract (a number of 160 bits), one shard."""

    chain_id: int
    contract: int
    shard: int

    def __post_init__(self) -> None:
        check_width(self.chain_id, 64, field="chain id")
        check_width(self.contract, layout.ADDRESS_BITS, field="contract")
        check_width(self.shard, 32, field="shard")

    @property
    def element(self) -> int:
        """The field element that stands for it in every signed message."""
        return _domain_element(self)


@cache
def _domain_element(domain: Domain) -> int:
    return poseidon([domain.chain_id, domain.contract, domain.shard], initial_state=Tag.DOMAIN)


def session_message(domain: Domain, records_root: int, said: object) -> int:
    """The field element that is signed for a session, ``said`` having the fields of its layouts."""
    return poseidon([domain.element, records_root, *session_words(said)], initial_state=Tag.SESSION)


def pages_of(count: int) -> int:
    """The number of pages that so many records take."""
    return -(-count // PAGE_RECORDS)


def fold_words(words: Sequence[int], state: int = Tag.RECORDS) -> int:
    """The fold over records' words, whole blocks of 16, from a state on; from the beginning if it is left out."""
    for start in range(0, len(words), MAX_INPUTS):
        state = poseidon(words[start : start + MAX_INPUTS], initial_state=state)
    return state


def session_words(said: object) -> list[int]:
    """The packed terms and fees of a session's message, ``said`` having their fields."""
    return _packed(said, layout.SESSION_TERMS, layout.SESSION_FEES)


def transfer_message(domain: Domain, said: object) -> int:
    """The field element that is signed for a transfer, ``said`` having the fields of its layouts."""
    packed = _packed(said, layout.TRANSFER_TERMS, layout.TRANSFER_AMOUNTS)
    return poseidon([domain.element, *packed], initial_state=Tag.TRANSFER)


def _packed(said: object, *parts: layout.Layout) -> list[int]:
    return [layout.pack(part, {name: int(getattr(said, name)) for name, _ in part}) for part in parts]


@dataclass(frozen=True, kw_only=True)
class Session:
    """Records of one agent done by one provider, before the signature.

    ``fee_cap`` is in wei, ``operator_share_bps`` in basis points, ``expiry`` in unix seconds.

    Raises:
        BadInputError: a width, the number of records or their total fee does not hold.
    """

    agent_index: int
    provider_index: int
    nonce: int
    fee_cap: int
    operator_share_bps: int
    expiry: int
    records: tuple[RunRecord, ...]

    def __post_init__(self) -> None:
        most = layout.MAX_SESSION_RECORDS
        if not 1 <= len(self.records) <= most:
            raise BadInputError(
                "wrong number of records in a session", expected=f"1 to {most}", got=str(len(self.records))
            )
        for name, bits in (*layout.SESSION_TERMS, *layout.SESSION_FEES):
            check_width(getattr(self, name), bits, field=name)

    @property
    def count(self) -> int:
        """The number of records."""
        return len(self.records)

    @cached_property
    def fee(self) -> int:
        """The sum of the records' fees."""
        return sum(record.fee for record in self.records)

    @cached_property
    def usage(self) -> tuple[int, ...]:
        """The six usage totals over the records."""
        return tuple(sum(column) for column in zip(*(record.usage for record in self.records), strict=True))

    @cached_property
    def run_hashes(self) -> tuple[int, ...]:
        """The run hash of each record."""
        return tuple(record.run_hash(self.agent_index) for record in self.records)

    @property
    def pages(self) -> int:
        """The number of pages of sixteen records that the session takes in a circuit."""
        return pages_of(self.count)

    @property
    def page_words(self) -> tuple[int, ...]:
        """The records' words, 80 a page, the last one filled with zeros."""
        words = [word for record in self.records for word in record.words(self.agent_index)]
        return (*words, *[0] * (PAGE_WORDS * self.pages - len(words)))

    @cached_property
    def page_states(self) -> tuple[int, ...]:
        """The state of the fold over the records' words after each page."""
        words = self.page_words
        pages = (words[start : start + PAGE_WORDS] for start in range(0, len(words), PAGE_WORDS))
        _, *states = accumulate(pages, lambda state, page: fold_words(page, state), initial=int(Tag.RECORDS))
        return tuple(states)

    @property
    def records_root(self) -> int:
        """The end of that fold."""
        return self.page_states[-1]

    def message(self, domain: Domain) -> int:
        """The field element that the agent signs, and the provider may countersign."""
        return session_message(domain, self.records_root, self)


@dataclass(frozen=True, slots=True)
class SignedSession:
    """A session with the agent's EdDSA-Poseidon signature over its message, and the provider's if it countersigned.

    ``place`` says where it was read (file:line) and serves error messages alone.
    """

    session: Session
    signature: Signature
    countersignature: Signature | None = None
    place: str = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Money from an account to another, or out to L1 (``exit``, then ``to_index`` is 0), before the signature.

    Raises:
        BadInputError: a width does not hold, or an exit names a receiver.
    """

    from_index: int
    to_index: int
    nonce: int
    exit: bool
    expiry: int
    amount: int
    fee: int

    def __post_init__(self) -> None:
        for name, bits in (*layout.TRANSFER_TERMS, *layout.TRANSFER_AMOUNTS):
            check_width(getattr(self, name), bits, field=name)
        if self.exit and self.to_index:
            raise BadInputError("an exit names a receiver", expected="to_index 0", got=str(self.to_index))

    def message(self, domain: Domain) -> int:
        """The field element that the sender signs."""
        return transfer_message(domain, self)


@dataclass(frozen=True, slots=True)
class SignedTransfer:
    """A transfer with the sender's EdDSA-Poseidon signature over its message; ``place`` is where it was read."""

    transfer: Transfer
    signature: Signature
    place: str = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A whole new account; balance, nonce, usage and history begin at 0.

    Raises:
        BadInputError: a width does not hold, or the key is no point of prime order.
    """

    index: int
    public_key: tuple[int, int]
    l1_owner: int
    permissions: int = 0
    external_id: int = 0

    def __post_init__(self) -> None:
        check_width(self.index, layout.INDEX_BITS, field="index")
        check_field_element(self.external_id, field="external_id")
        for name, bits in layout.OWNER:
            check_width(getattr(self, name), bits, field=name)
        if not is_public_key(self.public_key):
            raise BadInputError(
                "the public key is no point of prime order",
                expected="a Baby Jubjub public key, as `aitbc-rollup session keygen` prints it",
                got=f"({self.public_key[0]}, {self.public_key[1]})",
            )

    @property
    def account(self) -> Account:
        """The account that it makes."""
        return Account(
            public_key=self.public_key,
            l1_owner=self.l1_owner,
            permissions=self.permissions,
            external_id=self.external_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """What someone put on L1 with the contract; ``sender`` is its L1 address, as a number, never 0.

    Raises:
        BadInputError: a width does not hold, the kind is unknown, or there is no sender.
    """

    kind: int
    a: int
    b: int = 0
    amount: int
    sender: int

    def __post_init__(self) -> None:
        for name, bits in layout.QUEUE_ITEM:
            check_width(getattr(self, name), bits, field=name)
        check_width(self.sender, layout.ADDRESS_BITS, field="sender")
        if self.kind not in tuple(QueueKind):
            raise BadInputError("unknown kind of queue item", expected="1, 2 or 3", got=str(self.kind))
        if self.sender == 0:
            raise BadInputError("a queue item without a sender", expected="an L1 address", got="0")

    @property
    def words(self) -> list[int]:
        """The two words that stand in the data polynomial."""
        return [
            layout.pack(layout.QUEUE_ITEM, {name: getattr(self, name) for name, _ in layout.QUEUE_ITEM}),
            self.sender,
        ]

    @classmethod
    def from_words(cls, item: int, sender: int) -> QueueItem:
        """The item of these two words.

        Raises:
            BadInputError: they are no queue item.
        """
        try:
            return cls(**layout.unpack(layout.QUEUE_ITEM, item), sender=sender)
        except ValueError as error:
            raise BadInputError(str(error), place="queue item") from None


@dataclass(frozen=True, slots=True)
class Transactions:
    """What one batch takes, each kind in its order."""

    queue: tuple[QueueItem, ...] = ()
    registrations: tuple[Registration, ...] = ()
    transfers: tuple[SignedTransfer, ...] = ()
    sessions: tuple[SignedSession, ...] = ()
