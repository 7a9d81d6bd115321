"""One change of the Merkle tree for a whole batch: every node above a touched account is hashed twice, and only once.

Rows stand for nodes: (level, index) with the four children before and after. A row's children are nodes of the level
below; a flag says which were touched, and one that was not is the same before and after. On the bus ``nodes`` every
touched child is sent, with its level, index and both values, and every row below the root, and every account's slot at
level 0, receives itself. As multisets these are equal, so

- a row that no row above touches (an orphan) has no sender, a touched child without a row (an omitted one) no receiver;
- exactly one row is the root's, so by induction from there no (level, index) occurs twice: children of distinct nodes
  are distinct. So no account is opened twice;
- indices are integers below 4^(16 − level), without any range check: 4i + j from the root's 0.

Levels are the rows' own (each level has room of its own), bound to their numbers, so none can be swapped.
"""

from __future__ import annotations

from ...api import Circuit, Variable
from ...buses import Bus
from ...gadgets.poseidon import permute
from ...gadgets.ranges import boolean
from ...template import template
from .layout import TREE_ARITY, TREE_DEPTH
from .shape import Shape

#: (index, level, value before, value after).
NODES = Bus("nodes", 4)


@template
def tree_row(
    circuit: Circuit,
    level: Variable,
    level_below: Variable,
    used: Variable,
    index: Variable,
    touched: list[Variable],
    before: list[Variable],
    after: list[Variable],
) -> None:
    """One node; unused rows touch nothing. 604 constraints, and 15 on the bus.

    Levels are wires bound to their numbers, so that the rows of all levels are one template.
    """
    used = boolean(circuit, used)
    touched = [boolean(circuit, flag) for flag in touched]
    circuit.assert_product(circuit.sum(touched), 1 - used, 0, "an unused row touches a child")
    for flag, old, new in zip(touched, before, after, strict=True):
        circuit.assert_product(1 - flag, new - old, 0, "a child that is not touched changes")
    for j, flag in enumerate(touched):
        circuit.send(NODES, [index * TREE_ARITY + j, level_below, before[j], after[j]], flag)
    hashes = [permute(circuit, [0, *children], n_outputs=1)[0] for children in (before, after)]
    circuit.receive(NODES, [index, level, *hashes], used)


def update_tree(circuit: Circuit, shape: Shape, old_root: Variable, new_root: Variable) -> None:
    """All rows of all levels.

    Declares, per level l of 1 … 16 with room n: ``node_used_l[n]``, ``node_index_l[n]``, ``node_touched_l[n][4]``,
    ``node_before_l[n][4]``, ``node_after_l[n][4]``.
    """
    with circuit.component("levels"):
        numbers = [circuit.fixed(level) for level in range(TREE_DEPTH + 1)]
    for level in range(1, TREE_DEPTH + 1):
        room = shape.rows(level)
        columns = (
            circuit.private_inputs(f"node_used_{level}", room),
            circuit.private_inputs(f"node_index_{level}", room),
            *(
                circuit.private_inputs(f"node_{name}_{level}", room, TREE_ARITY)
                for name in ("touched", "before", "after")
            ),
        )
        levels = numbers[level], numbers[level - 1]
        tree_row.repeat(circuit, [(*levels, *row) for row in zip(*columns, strict=True)])
    circuit.send(NODES, [0, TREE_DEPTH, old_root, new_root])
