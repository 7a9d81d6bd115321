"""4-ary Merkle trees of Poseidon(4): membership, and replacing one leaf.

A path is given from the leaf up: for each level the *four* children of the node above, the path's own among them, and
two bits of the index, low first, that say which one it is. The gadget constrains the chosen child to be the node below,
so the own child is known twice and the siblings need no shuffling.

Index bits must be *known* to be bits (``compare.num2bits`` of the index makes them so); with anything else a prover
could choose a mixture of children. Nodes are any field elements: nothing distinguishes a leaf from a node but its
level, so the caller fixes the depth, as these functions do by the number of bits.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..api import Circuit, Variable
from ..template import template
from .boolean import require_flags
from .poseidon import permute

__all__ = ["root", "update"]

Node = Variable | int


def root(
    circuit: Circuit, leaf: Node, index_bits: Sequence[Variable], levels: Sequence[Sequence[Variable]]
) -> Variable:
    """The root over a leaf at an index; unsatisfiable if some level's own child is not the node below it.

    Constraints: 300 a level (3 choose the child, 297 hash).

    Args:
        circuit: where.
        leaf: the leaf's value.
        index_bits: two bits a level, least significant first.
        levels: four children a level, from the leaf up.

    Raises:
        BadInputError: an index bit is not known to be one.
        ValueError: the numbers of bits and levels do not fit, or a level has not four children.
    """
    _check_shape(index_bits, levels)
    node = circuit.sum([leaf])
    for i, children in enumerate(levels):
        node = _parent(circuit, node, index_bits[2 * i], index_bits[2 * i + 1], children)
    return node


def update(
    circuit: Circuit,
    old_leaf: Node,
    new_leaf: Node,
    index_bits: Sequence[Variable],
    levels: Sequence[Sequence[Variable]],
) -> tuple[Variable, Variable]:
    """Roots before and after one leaf is replaced, everything else staying; unsatisfiable as :func:`root`.

    ``levels`` are the children *before*. Constraints: 600 a level (3 choose the child, 3 replace it, two hashes).
    Equal leaves give equal roots.

    Raises:
        BadInputError: an index bit is not known to be one.
        ValueError: the numbers of bits and levels do not fit, or a level has not four children.
    """
    _check_shape(index_bits, levels)
    old, new = circuit.sum([old_leaf]), circuit.sum([new_leaf])
    for i, children in enumerate(levels):
        old, new = _parents(circuit, old, new, index_bits[2 * i], index_bits[2 * i + 1], children)
    return old, new


def _check_shape(index_bits: Sequence[Variable], levels: Sequence[Sequence[Variable]]) -> None:
    if len(index_bits) != 2 * len(levels) or any(len(children) != 4 for children in levels):
        raise ValueError("a 4-ary path has two index bits and four children for each level")
    require_flags(index_bits)


@template
def _parent(circuit: Circuit, node: Variable, low: Variable, high: Variable, children: Sequence[Variable]) -> Variable:
    _assert_chosen(circuit, node, low, high, children)
    return _hash(circuit, children)


@template
def _parents(
    circuit: Circuit, old: Variable, new: Variable, low: Variable, high: Variable, children: Sequence[Variable]
) -> tuple[Variable, Variable]:
    _assert_chosen(circuit, old, low, high, children)
    change = new - old
    at_low = low * change
    at_high = high * change
    at_both = low * at_high
    changes = (change - at_low - at_high + at_both, at_low - at_both, at_high - at_both, at_both)
    replaced = [child + moved for child, moved in zip(children, changes, strict=True)]
    return _hash(circuit, children), _hash(circuit, replaced)


def _assert_chosen(
    circuit: Circuit, node: Variable, low: Variable, high: Variable, children: Sequence[Variable]
) -> None:
    """Node = the child at low + 2·high; 3 constraints."""
    left = children[0] + low * (children[1] - children[0])
    right = children[2] + low * (children[3] - children[2])
    circuit.assert_product(high, right - left, node - left, "the path's own child is not the node below")


def _hash(circuit: Circuit, children: Sequence[Variable]) -> Variable:
    return permute(circuit, [0, *children], n_outputs=1)[0]
