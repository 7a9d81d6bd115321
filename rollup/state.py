"""The state of a shard: a sparse Merkle tree over accounts, and what a session and a credit do to it.

``docs/protocol.md``, "Account" and "Batch". The tree is 4-ary with 16 levels; only touched nodes exist,
every other subtree is the empty one of its level. A :class:`State` is an overlay: it reads what it has not
touched from a :class:`Source` (the store on disk, or nothing) and keeps its changes to itself until the
store takes them over in one transaction. A refused session changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from aitbc_rollup.algebra.eddsa import verify
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.statements import protocol
from aitbc_rollup.errors import BadInputError

from .accounts import Account, next_history_root
from .records import Domain, Session, SignedSession

Path = tuple[tuple[int, ...], ...]


class Source(Protocol):
    """Where a state reads what it has not changed itself."""

    def account(self, index: int) -> Account | None:
        """The account at this index, if there is one."""

    def node(self, level: int, index: int) -> int | None:
        """The node at this level (0 = leaves) and index, if its subtree is not empty."""


@dataclass(frozen=True, slots=True)
class Step:
    """One account just before a change, with its Merkle path: what a circuit needs to redo the change.

    ``children`` has 16 rows of four hashes, level 0 (leaves) first: the family of siblings, the node itself included,
    at each level of the path.
    """

    index: int
    account: Account
    children: Path


@cache
def empty_node(level: int) -> int:
    """The hash of an empty subtree; level 0 is an empty leaf."""
    return 0 if level == 0 else poseidon([empty_node(level - 1)] * protocol.TREE_ARITY)


def path_root(leaf: int, index: int, children: Path) -> int:
    """The root that follows from a leaf put into its place in a path's families."""
    node = leaf
    for level, family in enumerate(children):
        row = list(family)
        row[index >> 2 * level & 3] = node
        node = poseidon(row)
    return node


class State:
    """Accounts and tree of one shard, as an overlay on ``source``."""

    def __init__(self, source: Source | None = None) -> None:
        self._source = source
        self.accounts: dict[int, Account] = {}
        self.nodes: dict[tuple[int, int], int] = {}

    @property
    def root(self) -> int:
        """The root over all accounts."""
        return self.node(protocol.TREE_DEPTH, 0)

    def node(self, level: int, index: int) -> int:
        """A node of the tree; level 0 are the leaves, level 16 is the root."""
        found = self.nodes.get((level, index))
        if found is None and self._source is not None:
            found = self._source.node(level, index)
        return empty_node(level) if found is None else found

    def get(self, index: int) -> Account | None:
        """The account at this index, or nothing."""
        found = self.accounts.get(index)
        if found is None and self._source is not None:
            return self._source.account(index)
        return found

    def account(self, index: int, role: str = "account", place: str | None = None) -> Account:
        """The account at this index.

        Raises:
            BadInputError: there is none.
        """
        found = self.get(index)
        if found is None:
            raise BadInputError(
                f"unknown {role}",
                place=place,
                expected="the index of an account of this shard",
                got=str(index),
                hint="the genesis file lists the accounts",
            )
        return found

    def put(self, index: int, account: Account) -> None:
        """Set an account and every node above it."""
        self.accounts[index] = account
        node = account.leaf()
        self.nodes[0, index] = node
        for level in range(1, protocol.TREE_DEPTH + 1):
            index //= protocol.TREE_ARITY
            node = poseidon(self._family(level - 1, index))
            self.nodes[level, index] = node

    def path(self, index: int) -> Path:
        """The four children at each level of a leaf's path, level 0 first."""
        return tuple(tuple(self._family(level, index >> 2 * (level + 1))) for level in range(protocol.TREE_DEPTH))

    def step(self, index: int, role: str = "account", place: str | None = None) -> Step:
        """An account and its path as they are now."""
        return Step(index, self.account(index, role, place), self.path(index))

    def apply_session(self, signed: SignedSession, domain: Domain, l1_time: int) -> Step:
        """Check a signed session against this state and apply it to its agent's account.

        Args:
            signed: the session.
            domain: chain, contract and shard of this state.
            l1_time: the batch's L1 time, unix seconds.

        Returns:
            the agent's account before.

        Raises:
            BadInputError: unknown agent or provider, wrong nonce, expired, overdrawn, or a signature by another key.
        """
        session, place = signed.session, signed.place
        step = self.step(session.agent_index, "agent", place)
        self.account(session.provider_index, "provider", place)
        _check_session(session, step.account, l1_time, place)
        message = session.message(domain)
        if not verify(step.account.public_key, message, signed.signature):
            raise BadInputError(
                "the signature is not the agent's",
                place=place,
                expected=f"a signature by the key of agent {session.agent_index} for chain {domain.chain_id}, "
                f"contract 0x{domain.contract:040x}, shard {domain.shard}",
                got="a signature that does not verify",
                hint="sign the session again with the agent's key and these values",
            )
        after = step.account.after_session(
            fee=session.fee,
            usage=session.usage,
            history_root=next_history_root(step.account.history_root, message),
        )
        self.put(session.agent_index, after)
        return step

    def credit(self, index: int, amount: int) -> Step:
        """Credit an account and give back what it was before.

        Raises:
            BadInputError: there is no such account, or its balance would leave 96 bits.
        """
        step = self.step(index)
        self.put(index, step.account.credited(amount))
        return step

    def _family(self, level: int, parent: int) -> list[int]:
        first = protocol.TREE_ARITY * parent
        return [self.node(level, first + place) for place in range(protocol.TREE_ARITY)]


def _check_session(session: Session, agent: Account, l1_time: int, place: str) -> None:
    """Everything but the signature that a session must satisfy against its agent's account."""
    if session.nonce != agent.nonce:
        raise BadInputError(
            "wrong nonce",
            place=place,
            expected=str(agent.nonce),
            got=str(session.nonce),
            hint="an agent's sessions count up from its account's nonce; a lower nonce was used before",
        )
    if session.nonce == (1 << protocol.NONCE_BITS) - 1:
        raise BadInputError("the account's nonces are used up", place=place, got=str(session.nonce))
    if session.expiry < l1_time:
        raise BadInputError(
            "the session has expired",
            place=place,
            expected=f"an expiry of at least {l1_time}, the batch's L1 time",
            got=str(session.expiry),
            hint="the agent signs it again with a later expiry",
        )
    if session.fee > agent.balance:
        raise BadInputError(
            "the fee overdraws the agent's account",
            place=place,
            expected=f"at most {agent.balance}, the balance of account {session.agent_index}",
            got=str(session.fee),
        )
