"""Proof that an account stands under a state root: its leaf's words and the siblings on the way to the root.

What ``AccountProofs`` checks on L1, and here its plain twin. Source: ``docs/protocol.md``, "Account".
"""

from __future__ import annotations

from dataclasses import dataclass

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.statements.batch.layout import LEAF, TREE_ARITY, TREE_DEPTH, Tag
from aitbc_rollup.errors import BadInputError

from .state import State

SIBLINGS = (TREE_ARITY - 1) * TREE_DEPTH


@dataclass(frozen=True, slots=True)
class AccountProof:
    """The arguments of ``isAccount``, in its order.

    ``leaf`` has the 8 words of ``layout.LEAF``; ``siblings`` the three others of each of the 16 levels, leaves first,
    by ascending place. All words are integers; those of a proof that holds are in [0, r).
    """

    root: int
    index: int
    leaf: tuple[int, ...]
    siblings: tuple[int, ...]


def prove_account(state: State, index: int) -> AccountProof:
    """The proof of the account at an index.

    Raises:
        BadInputError: there is no account.
    """
    account, root = state.account(index), state.root
    if not account.exists:
        raise BadInputError(
            "there is no account to prove", place=f"account {index}", expected="the index of an account", got="none"
        )
    siblings = []
    place = index
    for level in range(TREE_DEPTH):
        first = place - place % TREE_ARITY
        siblings += [state.node(level, i) for i in range(first, first + TREE_ARITY) if i != place]
        place //= TREE_ARITY
    return AccountProof(root, index, tuple(account.leaf_words), tuple(siblings))


def is_account(proof: AccountProof) -> bool:
    """Whether the proof holds; False for whatever is malformed, never an exception."""
    words = (*proof.leaf, *proof.siblings)
    if len(proof.leaf) != len(LEAF) or len(proof.siblings) != SIBLINGS or not 0 <= proof.index < TREE_ARITY**TREE_DEPTH:
        return False
    if proof.leaf[0] == 0 or not all(0 <= word < R for word in words):
        return False
    node, place = poseidon(proof.leaf, initial_state=Tag.ACCOUNT), proof.index
    for level in range(TREE_DEPTH):
        children = list(proof.siblings[(TREE_ARITY - 1) * level : (TREE_ARITY - 1) * (level + 1)])
        children.insert(place % TREE_ARITY, node)
        node, place = poseidon(children), place // TREE_ARITY
    return node == proof.root
