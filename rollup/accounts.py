"""Accounts, the leaves of a shard's tree (``docs/protocol.md``, "Account")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace

import numpy as np

from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.algebra.poseidon import poseidon, poseidon_batch
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import Tag

from .checks import check_field_element, check_width


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account: agent, provider, operator or user; immutable, each change makes a new one.

    ``public_key`` is a Baby Jubjub point (x, y), ``l1_owner`` an address as a number, ``balance`` in wei, the rest
    lifetime totals. That the key has prime order is checked where an account is born (genesis, registration).

    Raises:
        BadInputError: a field is wider than its packing.
    """

    public_key: tuple[int, int]
    l1_owner: int
    permissions: int = 0
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
        for name, bits in (*layout.OWNER, *layout.FUNDS, *layout.USAGE_A, *layout.USAGE_B):
            check_width(getattr(self, name), bits, field=name)
        check_field_element(self.history_root, field="history_root")
        check_field_element(self.external_id, field="external_id")

    @property
    def exists(self) -> bool:
        """Whether this is an account, and not what an empty leaf reads as."""
        return self.public_key[0] != 0

    @property
    def usage(self) -> tuple[int, ...]:
        """The six lifetime totals, in the order of ``layout.USAGE``."""
        return tuple(getattr(self, name) for name in layout.USAGE)

    @property
    def state_words(self) -> list[int]:
        """What a circuit knows of it: the leaf's words, but balance and nonce apart."""
        return [
            *self.public_key,
            self._packed(layout.OWNER),
            self.balance,
            self.nonce,
            self._packed(layout.USAGE_A),
            self._packed(layout.USAGE_B),
            self.history_root,
            self.external_id,
        ]

    @property
    def leaf_words(self) -> list[int]:
        """What the leaf hashes, in the order of ``layout.LEAF``."""
        x, y, owner, _, _, *rest = self.state_words
        return [x, y, owner, self._packed(layout.FUNDS), *rest]

    def _packed(self, part: layout.Layout) -> int:
        return layout.pack(part, {name: getattr(self, name) for name, _ in part})

    @property
    def owner(self) -> int:
        """The packed word of L1 owner and permissions."""
        return self._packed(layout.OWNER)

    def leaf(self) -> int:
        """The leaf of the state tree; 0 if there is no account."""
        return poseidon(self.leaf_words, initial_state=Tag.ACCOUNT) if self.exists else 0

    def after_session(self, *, fee: int, usage: tuple[int, ...], history_root: int) -> Account:
        """The agent's account after a session: fee paid, nonce up, totals grown, history moved.

        That the balance covers the fee and a nonce is left is for the caller to know.
        """
        grown = {name: getattr(self, name) + part for name, part in zip(layout.USAGE, usage, strict=True)}
        return replace(self.moved(-fee), nonce=self.nonce + 1, history_root=history_root, **grown)

    def after_transfer(self, amount: int) -> Account:
        """The sender's account after a transfer of ``amount``, the fee included; the caller knows that it covers it."""
        return replace(self.moved(-amount), nonce=self.nonce + 1)

    def moved(self, amount: int) -> Account:
        """The account with this much more, or less if it is negative.

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


#: What an empty leaf reads as.
NO_ACCOUNT = Account(public_key=(0, 0), l1_owner=0)


def leaves(accounts: Sequence[Account]) -> list[int]:
    """The leaf of each account, all in one call of the hash."""
    if not accounts:
        return []
    words = to_limbs([word for account in accounts for word in account.leaf_words])
    tags = np.tile(to_limbs([Tag.ACCOUNT]), (len(accounts), 1))
    hashes = from_limbs(poseidon_batch(words.reshape(len(accounts), len(layout.LEAF), 4), tags))
    return [hashed if account.exists else 0 for account, hashed in zip(accounts, hashes, strict=True)]


def next_history_root(history_root: int, message: int) -> int:
    """The agent's history root after a session with this signed message."""
    return poseidon([history_root, message], initial_state=Tag.HISTORY)
