"""The state of a shard: its accounts and the tree over them, as an overlay on what is stored.

A :class:`State` reads what it has not changed from a :class:`Source` (the store on disk, or nothing) and keeps its
changes to itself until the store takes them over in one transaction. Accounts change one by one, the tree when its root
is asked for: all changed leaves at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from aitbc_rollup.circuits.statements.batch.layout import TREE_DEPTH

from .accounts import NO_ACCOUNT, Account, leaves
from .tree import Level, empty_node, update


class Source(Protocol):
    """Where a state reads what it has not changed itself."""

    def account(self, index: int) -> Account | None:
        """The account at this index, if there is one."""

    def node(self, level: int, index: int) -> int | None:
        """The node at this level (0 = leaves) and index, if its subtree is not empty."""


class State:
    """Accounts and tree of one shard, as an overlay on ``source``."""

    def __init__(self, source: Source | None = None) -> None:
        self._source = source
        self._stale: set[int] = set()
        self.accounts: dict[int, Account] = {}
        self.nodes: dict[tuple[int, int], int] = {}

    def account(self, index: int) -> Account:
        """The account at this index; ``NO_ACCOUNT`` if there is none."""
        found = self.accounts.get(index)
        if found is None and self._source is not None:
            found = self._source.account(index)
        return NO_ACCOUNT if found is None else found

    def put(self, index: int, account: Account) -> None:
        """Set an account."""
        self.accounts[index] = account
        self._stale.add(index)

    @property
    def root(self) -> int:
        """The root over all accounts."""
        if self._stale:
            self.update()
        return self.node(TREE_DEPTH, 0)

    def update(self, touched: Iterable[int] = ()) -> tuple[Level, ...]:
        """Bring the tree up to date.

        Args:
            touched: accounts to take along though they may not have changed.

        Returns:
            for level 1 to 16, the nodes above every leaf that changed since the last update or was named.
        """
        indices = sorted(self._stale.union(touched))
        hashes = leaves([self.account(index) for index in indices])
        levels, nodes = update(self.node, dict(zip(indices, hashes, strict=True)))
        self.nodes |= nodes
        self._stale.clear()
        return levels

    def node(self, level: int, index: int) -> int:
        """A node of the tree as of the last update; level 0 are the leaves, level 16 is the root."""
        found = self.nodes.get((level, index))
        if found is None and self._source is not None:
            found = self._source.node(level, index)
        return empty_node(level) if found is None else found
