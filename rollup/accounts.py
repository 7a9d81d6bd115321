"""Accounts, the leaves of a shard's tree (``docs/protocol.md``, "Account")."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields, replace

from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.statements import protocol
from aitbc_rollup.circuits.statements.protocol import Tag
from aitbc_rollup.errors import BadInputError

from .checks import check_field_element, check_width


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account: agent, provider, operator or user; immutable, each change makes a new one.

    ``public_key`` is a Baby Jubjub point (x, y), ``l1_owner`` an address as a number, ``balance`` in the asset's
    smallest unit, the rest lifetime totals. That the key has prime order is checked where an account is born
    (``genesis``), not here.

    Raises:
        BadInputError: a field is wider than its packing.
    """

    public_key: tuple[int, int]
    l1_owner: int
    permissions: int = 0
    asset: int = 0
    balance: int = 0
    nonce: int = 0
    wall_ms: int = 0
    cpu_ms: int = 0
    gpu_ms: int = 0
    memory_mib: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    history_root: int = 0
    external_id: int = 0

    def __post_init__(self) -> None:
        check_field_element(self.public_key[0], field="public key x")
        check_field_element(self.public_key[1], field="public key y")
        if self.asset != protocol.ASSET_NATIVE:
            raise BadInputError("unknown asset", expected="0, the chain's native coin", got=str(self.asset))
        for name, bits in (*protocol.OWNER, *protocol.FUNDS, *protocol.USAGE_A, *protocol.USAGE_B):
            check_width(getattr(self, name), bits, field=name)
        check_field_element(self.history_root, field="history_root")
        check_field_element(self.external_id, field="external_id")

    @property
    def usage(self) -> tuple[int, ...]:
        """The six lifetime totals, in the order of ``protocol.USAGE``."""
        return tuple(getattr(self, name) for name in protocol.USAGE)

    def packed(self, layout: protocol.Layout) -> int:
        """One word of the leaf: the fields of this layout."""
        return protocol.pack(layout, {name: getattr(self, name) for name, _ in layout})

    @property
    def owner(self) -> int:
        """The packed word of L1 owner and permissions."""
        return self.packed(protocol.OWNER)

    @property
    def funds(self) -> int:
        """The packed word of balance and nonce."""
        return self.packed(protocol.FUNDS)

    @property
    def usage_a(self) -> int:
        """The packed word of the three times."""
        return self.packed(protocol.USAGE_A)

    @property
    def usage_b(self) -> int:
        """The packed word of memory and tokens."""
        return self.packed(protocol.USAGE_B)

    def leaf(self) -> int:
        """The leaf of the state tree."""
        return poseidon(
            [
                Tag.ACCOUNT,
                *self.public_key,
                self.owner,
                self.asset,
                self.funds,
                self.usage_a,
                self.usage_b,
                self.history_root,
                self.external_id,
            ]
        )

    def after_session(self, *, fee: int, usage: tuple[int, ...], history_root: int) -> Account:
        """The agent's account after a session: fee paid, nonce up, totals grown, history moved.

        The caller has checked that the balance covers the fee and a nonce is left (``state``).
        """
        grown = {name: getattr(self, name) + part for name, part in zip(protocol.USAGE, usage, strict=True)}
        return replace(
            self,
            balance=self.balance - fee,
            nonce=self.nonce + 1,
            history_root=history_root,
            **grown,
        )

    def credited(self, amount: int) -> Account:
        """The account with this much more.

        Raises:
            BadInputError: the balance would leave its 96 bits.
        """
        return replace(self, balance=self.balance + amount)

    def to_words(self) -> list[int]:
        """All fields as integers, the key as two, for storage; :meth:`from_words` is the way back."""
        (x, y), *rest = astuple(self)
        return [x, y, *rest]

    @classmethod
    def from_words(cls, words: list[int]) -> Account:
        """The account of :meth:`to_words`."""
        names = [field.name for field in fields(cls)][1:]
        return cls(public_key=(words[0], words[1]), **dict(zip(names, words[2:], strict=True)))


def next_history_root(history_root: int, message: int) -> int:
    """The agent's history root after a signed message."""
    return poseidon([Tag.HISTORY, history_root, message])
