"""The sparse Merkle tree over accounts, updated for many leaves at once (``docs/protocol.md``, "Account").

4-ary with 16 levels above the leaves; every subtree that nothing was put into is the empty one of its level. An update
goes level by level, each level's hashes in one call: each touched node is hashed once, however many leaves below it
changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.algebra.poseidon import poseidon, poseidon_batch
from aitbc_rollup.circuits.statements.batch.layout import TREE_ARITY, TREE_DEPTH


@dataclass(frozen=True, slots=True)
class Family:
    """A touched node of a level above the leaves: its four children before and after, and which of them are touched."""

    index: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    touched: tuple[bool, ...]


#: The touched nodes of one level, in ascending order.
Level = tuple[Family, ...]


@cache
def empty_node(level: int) -> int:
    """The hash of an empty subtree; level 0 is an empty leaf."""
    return 0 if level == 0 else poseidon([empty_node(level - 1)] * TREE_ARITY)


def update(
    read: Callable[[int, int], int], leaves: Mapping[int, int]
) -> tuple[tuple[Level, ...], dict[tuple[int, int], int]]:
    """What changes in the tree when leaves do.

    Args:
        read: the node before at a level (0 = leaves) and index.
        leaves: the new hash of every touched leaf, changed or not; at least one.

    Returns:
        the families of level 1 to 16, and every touched node's new hash by level and index, the leaves' too.
    """
    levels: list[Level] = []
    nodes = {(0, index): leaf for index, leaf in leaves.items()}
    below = dict(leaves)
    for level in range(1, TREE_DEPTH + 1):
        families = tuple(
            _family(read, level, index, below) for index in sorted({index // TREE_ARITY for index in below})
        )
        children = to_limbs(child for family in families for child in family.after)
        hashes = from_limbs(poseidon_batch(children.reshape(-1, TREE_ARITY, 4)))
        below = {family.index: node for family, node in zip(families, hashes, strict=True)}
        nodes |= {(level, index): node for index, node in below.items()}
        levels.append(families)
    return tuple(levels), nodes


def _family(read: Callable[[int, int], int], level: int, index: int, below: Mapping[int, int]) -> Family:
    """The children of node (level, index), given the touched ones' new hashes."""
    places = range(TREE_ARITY * index, TREE_ARITY * (index + 1))
    before = tuple(read(level - 1, place) for place in places)
    after = tuple(below.get(place, old) for place, old in zip(places, before, strict=True))
    return Family(index, before, after, tuple(place in below for place in places))
