"""The change of the Merkle tree for a whole batch, tried on every way a prover could cheat it."""

from __future__ import annotations

from typing import Any

import pytest

from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.statements.batch.layout import TREE_ARITY, TREE_DEPTH
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.circuits.statements.batch.tree import NODES, update_tree
from aitbc_rollup.circuits.testing import survivors
from aitbc_rollup.rollup.tree import Level, empty_node, update

#: Two neighbours under one node, and one far away; room for one more.
BEFORE = {5: 111, 6: 222, 0x89ABCDEF: 333}
AFTER = {5: 1110, 6: 222, 0x89ABCDEF: 3330}
SHAPE = Shape(pages=1, sessions=1, accounts=4, queue=0, registrations=0, transfers=0, signatures=1)
#: The row that no honest batch uses: the last one.
SPARE = 3

Inputs = dict[str, Any]


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    """The tree alone: leaves are inputs, received as accounts' slots would."""
    made = Circuit("tree", limb_bits=8)
    update_tree(made, SHAPE, made.public_input("old_root"), made.public_input("new_root"))
    columns = (made.private_inputs(f"leaf_{name}", SHAPE.accounts) for name in ("used", "index", "before", "after"))
    for used, index, before, after in zip(*columns, strict=True):
        made.receive(NODES, [index, 0, before, after], used)
    return made.compile()


def honest(after: dict[int, int] | None = None) -> Inputs:
    after = after or AFTER
    _, nodes = update(lambda level, _: empty_node(level), BEFORE)
    levels, new = update(lambda level, index: nodes.get((level, index), empty_node(level)), after)
    inputs: Inputs = {"old_root": nodes[TREE_DEPTH, 0], "new_root": new[TREE_DEPTH, 0]}
    for level, families in enumerate(levels, 1):
        inputs |= _rows(level, families)
    indices = sorted(after)
    inputs["leaf_used"] = [1] * len(indices) + [0] * (4 - len(indices))
    for name, values in (("index", {i: i for i in indices}), ("before", BEFORE), ("after", after)):
        inputs[f"leaf_{name}"] = [values[i] for i in indices] + [0] * (4 - len(indices))
    return inputs


def _rows(level: int, families: Level) -> Inputs:
    spare = SHAPE.rows(level) - len(families)
    nothing = [[0] * TREE_ARITY] * spare
    return {
        f"node_used_{level}": [1] * len(families) + [0] * spare,
        f"node_index_{level}": [family.index for family in families] + [0] * spare,
        f"node_touched_{level}": [list(map(int, family.touched)) for family in families] + nothing,
        f"node_before_{level}": [list(family.before) for family in families] + nothing,
        f"node_after_{level}": [list(family.after) for family in families] + nothing,
    }


def place(inputs: Inputs, level: int, row: int, values: dict[str, Any]) -> None:
    """Write a row."""
    for name, value in values.items():
        inputs[f"node_{name}_{level}"][row] = value


def refused(circuit: CompiledCircuit, inputs: Inputs) -> str:
    violation = check(circuit, circuit.witness(inputs))
    assert violation is not None, "a false change of the tree has a witness"
    return f"{violation.component} {violation.message}"


def climb(inputs: Inputs, side: str, level: int, index: int, value: int) -> None:
    """Put a value into the tree at (level, index) and hash it up to the root, as a forger would."""
    for above in range(level + 1, TREE_DEPTH + 1):
        row = inputs[f"node_index_{above}"].index(index // TREE_ARITY)
        family = inputs[f"node_{side}_{above}"][row] = list(inputs[f"node_{side}_{above}"][row])
        family[index % TREE_ARITY] = value
        index, value = index // TREE_ARITY, poseidon(family)
    inputs["old_root" if side == "before" else "new_root"] = value


def test_honest(circuit: CompiledCircuit) -> None:
    assert check(circuit, circuit.witness(honest())) is None


def test_rows_cost_what_they_say(circuit: CompiledCircuit) -> None:
    rows = sum(SHAPE.rows(level) for level in range(1, TREE_DEPTH + 1))
    components = circuit.stats().components
    assert components["main.tree_row"] == 604 * rows
    # And on the bus 15 a row, 3 a leaf and 3 for the root, and 1 for each level.
    assert components["main.levels"] == TREE_DEPTH + 1
    assert components["main.buses.nodes"] == 15 * rows + 3 * SHAPE.accounts + 3 + TREE_DEPTH + 1


def test_nothing_is_left_free(circuit: CompiledCircuit) -> None:
    assert survivors(circuit, honest(), max_lies=40) == []


def test_an_orphan_row(circuit: CompiledCircuit) -> None:
    """A family that hangs under no row changes an account that is not there."""
    inputs = honest()
    family = [777, 0, 0, 0]
    place(inputs, 1, SPARE, {"used": 1, "index": 99, "touched": [1, 0, 0, 0], "before": [1, 0, 0, 0], "after": family})
    for name, value in (("used", 1), ("index", 396), ("before", 1), ("after", 777)):
        inputs[f"leaf_{name}"][SPARE] = value
    assert "buses" in refused(circuit, inputs) or "nodes" in refused(circuit, inputs)


def test_an_account_nobody_registered(circuit: CompiledCircuit) -> None:
    """A leaf opened and closed beside the tree."""
    inputs = honest()
    for name, value in (("used", 1), ("index", 7), ("before", 10**9), ("after", 0)):
        inputs[f"leaf_{name}"][SPARE] = value
    assert "nodes" in refused(circuit, inputs) or "buses" in refused(circuit, inputs)


def test_an_omitted_child(circuit: CompiledCircuit) -> None:
    """A change in the tree that no account's slot answers for."""
    inputs = honest()
    inputs["leaf_used"][0] = 0
    refused(circuit, inputs)


def test_a_child_that_changes_untouched(circuit: CompiledCircuit) -> None:
    inputs = honest()
    inputs["leaf_used"][0] = 0
    inputs["node_touched_1"][0] = [0, 0, 1, 0]
    assert "a child that is not touched changes" in refused(circuit, inputs)


def test_a_whole_subtree_omitted(circuit: CompiledCircuit) -> None:
    """The row above says that a child is touched and changes, and no row opens it."""
    inputs = honest()
    level, index = 3, 0x89ABCDEF >> 6
    row = inputs[f"node_index_{level}"].index(index)
    inputs[f"node_used_{level}"][row] = 0
    inputs[f"node_touched_{level}"][row] = [0, 0, 0, 0]
    refused(circuit, inputs)


def test_a_swapped_level(circuit: CompiledCircuit) -> None:
    """A row of one level, true in itself, stood in for one of another level."""
    inputs = honest()
    for name in ("used", "index", "touched", "before", "after"):
        low, high = inputs[f"node_{name}_4"], inputs[f"node_{name}_5"]
        low[0], high[0] = high[0], low[0]
    refused(circuit, inputs)


def test_a_leaf_at_the_level_above(circuit: CompiledCircuit) -> None:
    """A node's hash offered as a leaf: the levels are part of the message."""
    inputs = honest()
    row = 0
    index = inputs["node_index_1"][row]
    before, after = (poseidon(inputs[f"node_{side}_1"][row]) for side in ("before", "after"))
    place(inputs, 1, row, {"used": 0, "touched": [0] * 4, "after": inputs["node_before_1"][row]})
    inputs["leaf_used"][:2] = [1, 0]
    for name, value in (("index", index), ("before", before), ("after", after)):
        inputs[f"leaf_{name}"][0] = value
    refused(circuit, inputs)


def test_a_duplicate_leaf(circuit: CompiledCircuit) -> None:
    """One account opened twice, so that it could be spent twice."""
    inputs = honest()
    for name in ("used", "index", "before", "after"):
        inputs[f"leaf_{name}"][SPARE] = inputs[f"leaf_{name}"][0]
    refused(circuit, inputs)


def test_a_duplicate_row(circuit: CompiledCircuit) -> None:
    """The family twice, and its leaves twice."""
    inputs = honest()
    place(
        inputs,
        1,
        SPARE,
        {name: inputs[f"node_{name}_1"][0] for name in ("used", "index", "touched", "before", "after")},
    )
    refused(circuit, inputs)


def test_a_wrong_sibling(circuit: CompiledCircuit) -> None:
    """A sibling that is not in the old tree, put into both, changes the root that is claimed."""
    inputs = honest()
    for side in ("before", "after"):
        family = inputs[f"node_{side}_2"][0] = list(inputs[f"node_{side}_2"][0])
        family[3] += 1
    refused(circuit, inputs)


def test_a_sibling_that_changes_on_the_way(circuit: CompiledCircuit) -> None:
    """Consistent hashes up to a new root, but a leaf beside the touched ones is replaced."""
    inputs = honest()
    climb(inputs, "after", 0, 4, 10**18)
    assert "a child that is not touched changes" in refused(circuit, inputs)


def test_an_unused_row_touches_nothing(circuit: CompiledCircuit) -> None:
    inputs = honest()
    place(inputs, 1, SPARE, {"touched": [1, 0, 0, 0], "after": [5, 0, 0, 0]})
    assert "an unused row touches a child" in refused(circuit, inputs)


@pytest.mark.parametrize("flag", [2, -1 % (1 << 64), 1 << 200])
def test_flags_are_bits(circuit: CompiledCircuit, flag: int) -> None:
    """A count that is no bit could cancel another."""
    for name, value in (("used", flag), ("touched", [flag, 1, 1, 0])):
        inputs = honest()
        place(inputs, 1, 0, {name: value})
        assert "neither 0 nor 1" in refused(circuit, inputs)


@pytest.mark.parametrize("name", ["old_root", "new_root"])
def test_another_root(circuit: CompiledCircuit, name: str) -> None:
    inputs = honest()
    inputs[name] += 1
    refused(circuit, inputs)


def test_an_index_beyond_the_tree(circuit: CompiledCircuit) -> None:
    """4i + j is taken in the field: an index a quarter of r further has other children, and no parent."""
    inputs = honest()
    inputs["node_index_1"][0] += pow(4, -1, (1 << 61) - 1)
    refused(circuit, inputs)
