"""Buses: lookups, multisets and memories, in circuits, templates and repetitions; what is refused while building."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.buses import Bus, Table, range_table
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import ranges
from aitbc_rollup.circuits.template import template
from aitbc_rollup.circuits.testing import forgeries, survivors, unused_wires
from aitbc_rollup.errors import BadInputError

PAIRS = Bus("pairs", 2)
WORDS = Bus("words", 1)
MEMORY = Bus("memory", 3)
ROWS = [0, 1, 4, 9, 16]
SQUARES = Table("squares", 2, len(ROWS), lambda: to_limbs(ROWS).reshape(len(ROWS), 1, 4))


def holds(compiled: CompiledCircuit, **inputs: Any) -> bool:
    return check(compiled, compiled.witness(inputs)) is None


def direct(circuit: Circuit, x: Variable, y: Variable) -> None:
    circuit.look_up(SQUARES, [x, y])


in_template = template(direct)


@template
def in_nested_templates(circuit: Circuit, x: Variable, y: Variable) -> None:
    with circuit.component("inner"):
        in_template(circuit, x, y)


def repeated(circuit: Circuit, x: Variable, y: Variable) -> None:
    in_nested_templates.repeat(circuit, [[x, y], [x, y]])


# -- lookups --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look_up", [direct, in_template, in_nested_templates, repeated])
def test_rows_of_a_constant_table(look_up: Any) -> None:
    circuit = Circuit()
    look_up(circuit, *circuit.private_inputs("x", 2))
    circuit.look_up(SQUARES, [3, 9])
    compiled = circuit.compile()
    for i, square in enumerate(ROWS):
        assert holds(compiled, x=[i, square])
    for x in ([0, 1], [2, 9], [5, 25], [0, R - 1], [R - 2, 4], [9, 3]):
        assert not holds(compiled, x=x)
    assert unused_wires(compiled.r1cs) == []


@pytest.mark.parametrize("look_up", [direct, in_template, repeated])
def test_no_lie_about_a_lookup(look_up: Any) -> None:
    circuit = Circuit()
    look_up(circuit, *circuit.private_inputs("x", 2))
    compiled = circuit.compile()
    assert survivors(compiled, {"x": [3, 9]}, max_lies=40) == []
    assert forgeries(compiled, {"x": [3, 8]}) == []


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_lookup_counts_as_often_as_it_says(count: int) -> None:
    circuit = Circuit()
    x, y, often = circuit.private_inputs("x", 3)
    circuit.look_up(SQUARES, [x, y], ranges.uint(circuit, often, 3))
    compiled = circuit.compile()
    assert holds(compiled, x=[2, 4, count])
    assert holds(compiled, x=[2, 5, count]) == (count == 0), "a lookup that happens no time says nothing"


def test_counts_of_lookups_are_known_to_be_small() -> None:
    """With a count of −1, two lookups of a row that is not there would cancel."""
    circuit = Circuit()
    x, count = circuit.private_inputs("x", 2)
    with pytest.raises(BadInputError, match="the count of a lookup on bus 'squares' is not known"):
        circuit.look_up(SQUARES, [x, 4], count)
    with pytest.raises(BadInputError, match="is not known"):
        circuit.look_up(SQUARES, [x, 4], ranges.boolean(circuit, count) - 1)


def own_table(n_lookups: int, *, late: bool) -> CompiledCircuit:
    """Rows (key, value) put in by the circuit, before or after it looks them up."""
    circuit = Circuit()
    keys, values = circuit.private_inputs("keys", 3), circuit.private_inputs("values", 3)
    queries = circuit.private_inputs("queries", n_lookups, 2)
    for step in (0, 1) if late else (1, 0):
        if step:
            for key, value in zip(keys, values, strict=True):
                circuit.enter(PAIRS, [key, value])
        else:
            for query in queries:
                circuit.look_up(PAIRS, query)
    return circuit.compile()


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("large", [1 << 31, R - 3, 7 + (1 << 64)])
def test_rows_of_a_table_of_the_circuits_own(late: bool, large: int) -> None:
    compiled = own_table(4, late=late)
    rows = {"keys": [7, 3, large], "values": [70, R - 1, 5]}
    assert holds(compiled, **rows, queries=[[3, R - 1], [3, R - 1], [large, 5], [7, 70]])
    for wrong in ([3, 70], [4, 70], [7, 71], [R - 7, 70]):
        assert not holds(compiled, **rows, queries=[[3, R - 1], [3, R - 1], [7, 70], wrong])
    assert survivors(compiled, {**rows, "queries": [[7, 70]] * 4}, max_lies=40) == []
    assert forgeries(compiled, {**rows, "queries": [[7, 70], [7, 70], [7, 70], [7, 5]]}) == []


def test_equal_rows_are_as_good_as_one() -> None:
    """Twice the same row is no contradiction; two values under one key are two rows, and both may be looked up."""
    compiled = own_table(2, late=False)
    assert holds(compiled, keys=[1, 1, 2], values=[5, 5, 6], queries=[[1, 5], [1, 5]])
    rows = {"keys": [1, 1, 2], "values": [5, 6, 7]}
    assert holds(compiled, **rows, queries=[[1, 5], [1, 5]])
    assert not holds(compiled, **rows, queries=[[1, 7], [1, 5]])


def test_the_sign_of_zero_is_one_row() -> None:
    """A table of magnitudes with a sign has (0, 0) and no (0, 1): a second zero is refused."""
    signed = Table("signed", 2, 3, lambda: to_limbs([0, R - 1, R - 2]).reshape(3, 1, 4))
    circuit = Circuit()
    magnitude, value = circuit.private_inputs("x", 2)
    circuit.look_up(signed, [magnitude, value])
    compiled = circuit.compile()
    assert holds(compiled, x=[0, 0]) and holds(compiled, x=[2, R - 2])
    assert not holds(compiled, x=[0, 1]) and not holds(compiled, x=[0, R - 1])


# -- multisets ------------------------------------------------------------------------------------------------


def shuffle(n: int, *, in_rows: bool) -> CompiledCircuit:
    circuit = Circuit()
    left, right = circuit.private_inputs("left", n), circuit.private_inputs("right", n)
    if in_rows:
        crossing.repeat(circuit, list(zip(left, right, strict=True)))
    else:
        for x, y in zip(left, right, strict=True):
            circuit.send(WORDS, [x])
            circuit.receive(WORDS, [y])
    return circuit.compile()


@template
def crossing(circuit: Circuit, x: Variable, y: Variable) -> None:
    circuit.send(WORDS, [x])
    circuit.receive(WORDS, [y])


@pytest.mark.parametrize("in_rows", [False, True])
def test_a_multiset_counts_multiplicities(in_rows: bool) -> None:
    """A shuffle that compares sets takes 1, 1, 2 for 1, 2, 2."""
    compiled = shuffle(3, in_rows=in_rows)
    assert holds(compiled, left=[1, 1, 2], right=[2, 1, 1])
    assert holds(compiled, left=[R - 1, 0, 5], right=[0, 5, R - 1])
    for right in ([1, 2, 2], [1, 1, 1], [1, 2, 3], [0, 2, 2]):
        assert not holds(compiled, left=[1, 1, 2], right=right)
    assert survivors(compiled, {"left": [1, 1, 2], "right": [2, 1, 1]}) == []
    assert forgeries(compiled, {"left": [1, 1, 2], "right": [2, 2, 1]}) == []


def test_weights_add_up() -> None:
    circuit = Circuit()
    x, y, w, v = circuit.private_inputs("x", 4)
    circuit.send(PAIRS, [x, 7], w)
    circuit.send(PAIRS, [y, 7], 2)
    circuit.receive(PAIRS, [x, 7], v)
    compiled = circuit.compile()
    assert holds(compiled, x=[4, 4, 3, 5])
    assert holds(compiled, x=[4, 4, R - 2, 0])
    assert not holds(compiled, x=[4, 4, 3, 4])
    assert not holds(compiled, x=[4, 5, 3, 5])
    assert not holds(compiled, x=[4, 5, 5, 5])


def test_columns_are_not_exchanged_and_constants_may_stand_anywhere() -> None:
    circuit = Circuit()
    x, y = circuit.private_inputs("x", 2)
    circuit.send(MEMORY, [x, 0, x + y])
    circuit.receive(MEMORY, [y, 0, 2 * x])
    compiled = circuit.compile()
    assert holds(compiled, x=[3, 3])
    assert not holds(compiled, x=[3, 4])
    turned = Circuit()
    turned.send(PAIRS, [turned.private_input("x"), 5])
    turned.receive(PAIRS, [5, turned.private_input("y")])
    compiled = turned.compile()
    assert holds(compiled, x=5, y=5)
    assert not holds(compiled, x=4, y=4)


# -- memories -------------------------------------------------------------------------------------------------

TIME_BITS = 4


@template
def access(circuit: Circuit, address: Variable, old: Variable, then: Variable, new: Variable, now: Variable) -> None:
    """Read what was written ``then``, which is before now, and write."""
    then = ranges.uint(circuit, then, TIME_BITS)
    earlier = ranges.less_than(circuit, then, now.within(0, (1 << TIME_BITS) - 1), TIME_BITS)
    circuit.assert_equal(earlier, 1, "a read of what is not written yet")
    circuit.receive(MEMORY, [address, then, old])
    circuit.send(MEMORY, [address, now, new])


def memory(n_accesses: int) -> CompiledCircuit:
    """Two cells, 0 at first; each access reads a cell and writes it; what is in them last is public."""
    circuit = Circuit(limb_bits=2)
    rows = circuit.private_inputs("rows", n_accesses, 4)
    last = circuit.private_inputs("last", 2)
    final = circuit.public_inputs("final", 2)
    for cell in range(2):
        circuit.send(MEMORY, [cell, 0, 0])
        circuit.receive(MEMORY, [cell, last[cell], final[cell]])
    access.repeat(circuit, [[*row, circuit.fixed(1 + i)] for i, row in enumerate(rows)])
    return circuit.compile()


def test_a_memory_returns_what_was_written_last() -> None:
    compiled = memory(3)
    rows = [[0, 0, 0, 11], [1, 0, 0, 22], [0, 11, 1, 33]]
    assert holds(compiled, rows=rows, last=[3, 2], final=[33, 22])
    stale = [[0, 0, 0, 11], [1, 0, 0, 22], [0, 0, 0, 33]]
    foreign = [[0, 0, 0, 11], [1, 0, 0, 22], [0, 22, 2, 33]]
    ahead = [[0, 33, 3, 11], [1, 0, 0, 22], [0, 11, 1, 33]]
    for wrong in (stale, foreign, ahead):
        assert not holds(compiled, rows=wrong, last=[3, 2], final=[33, 22])
    assert not holds(compiled, rows=rows, last=[1, 2], final=[11, 22])
    assert survivors(compiled, {"rows": rows, "last": [3, 2], "final": [33, 22]}, max_lies=60) == []
    assert forgeries(compiled, {"rows": stale, "last": [3, 2], "final": [33, 22]}) == []


# -- what is committed to ---------------------------------------------------------------------------------------


def committed_names(compiled: CompiledCircuit) -> set[str]:
    commitment = compiled.r1cs.commitment
    assert commitment is not None and commitment.fault(compiled.r1cs.n_wires, compiled.r1cs.n_public) is None
    return {compiled.wire_name(wire) for wire in commitment.wires.tolist() if wire != commitment.mask}


def test_every_wire_of_a_message_is_committed_to() -> None:
    """Values, counts, the prover's own counts; public ones are hashed with the commitment and stay out of it."""
    circuit = Circuit(limb_bits=2)
    public = circuit.public_input("public")
    names = ("a", "b", "c", "weight", "given", "never")
    a, b, c, weight, given, _ = (circuit.private_input(name) for name in names)
    circuit.send(PAIRS, [a + public, 3 * b], weight)
    circuit.receive(PAIRS, [a, c - 1])
    (late,) = circuit.hint(lambda x: x, [a], 1)
    circuit.assert_equal(late, a)
    ranges.uint(circuit, c, 2)
    circuit.commit([given, public, 5])
    compiled = circuit.compile()
    named = committed_names(compiled)
    assert {f"main.{name}" for name in ("a", "b", "c", "weight", "given")} <= named
    assert named.isdisjoint({"main.never", "main.public", compiled.wire_name(0)})
    assert len(named) == 5 + 4, "and the table's counts"
    r1cs = compiled.r1cs
    assert r1cs.commitment is not None
    uses = [int((matrix.wires == r1cs.commitment.mask).sum()) for matrix in (r1cs.a, r1cs.b, r1cs.c)]
    assert uses == [1, 0, 0], "the mask stands in mask · 0 = 0 alone"


def test_a_commitment_without_messages_has_a_challenge() -> None:
    circuit = Circuit()
    x, y = circuit.private_inputs("x", 2)
    circuit.commit([x])
    first, second = circuit.challenge(2)
    (third,) = circuit.challenge()
    circuit.divide(first * x + second, third * y)
    compiled = circuit.compile()
    witness = compiled.witness({"x": [3, 4]})
    assert check(compiled, witness) is None
    assert committed_names(compiled) == {"main.x[0]"}
    other, moved = compiled.witness({"x": [3, 5]}), compiled.witness({"x": [4, 4]})
    challenge = compiled.r1cs.n_public
    assert np.array_equal(witness[challenge], other[challenge]), "what is not committed does not move the challenge"
    assert not np.array_equal(witness[challenge], moved[challenge])


def test_circuits_without_messages_have_no_commitment() -> None:
    circuit = Circuit(limb_bits=8)
    circuit.assert_boolean(circuit.private_input("x"))
    compiled = circuit.compile()
    assert compiled.r1cs.commitment is None
    assert compiled.begin({"x": 1}).stand_in_challenge() == 0
    with pytest.raises(ValueError, match="has no commitment"):
        compiled.begin({"x": 1}).commitment_values(0)


# -- counts -----------------------------------------------------------------------------------------------------


def grown(messages: Sequence[Sequence[int | None]]) -> int:
    """Constraints that tuples add, sent and received, beside a first one; ``None`` is a wire, else a constant."""

    def count(n: int) -> int:
        circuit = Circuit()
        x = circuit.private_inputs("x", 40)
        bus = Bus("any", len(messages[0]))
        for i, values in enumerate(messages[:n] * 2):
            wires = [x[3 * (i % n) + k] if value is None else value for k, value in enumerate(values)]
            (circuit.send if i < n else circuit.receive)(bus, wires)
        return circuit.compile().r1cs.n_constraints

    return count(len(messages)) - count(1)


def test_what_messages_cost() -> None:
    """One a message, and one for each further value that is no constant; the same wire is multiplied once."""
    assert grown([[None]] * 3) == 2 * 2
    assert grown([[None, 5]] * 3) == 2 * 2
    assert grown([[None, None]] * 3) == 2 * 2 + 2
    assert grown([[None, None, 0, None]] * 3) == 2 * 2 + 2 * 2


def test_what_a_circuit_with_tables_costs() -> None:
    circuit = Circuit(limb_bits=4)
    ranges.uint(circuit, circuit.private_input("x"), 10)
    stats = circuit.compile().stats()
    permutation = 3 * (8 * 3 + 57 - 2) + 1  # width 3, two constants; the second output is bound to a wire
    assert stats.components == {
        "main": 3 + 16 + 4 + 1 + 1 + permutation,
        "main.buses": 3 + 16 + 4 + 1 + 1 + permutation,
        "main.buses.bits2": 1 + 4,
        "main.buses.bits4": 2 + 16,
        "main.buses.permute": permutation - 1,
    }


# -- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("say", "problem"),
    [
        (lambda c, x: c.send(WORDS, [x]), "bus 'words' is only sent on"),
        (lambda c, x: c.receive(WORDS, [x]), "bus 'words' is only received on"),
        (lambda c, x: c.look_up(WORDS, [x]), "bus 'words' is only sent on"),
        (lambda c, x: c.enter(WORDS, [x]), "bus 'words' is only received on"),
        (lambda c, x: c.send(WORDS, [x, x]), "carries 1 values, not 2"),
        (lambda c, x: c.look_up(SQUARES, [x]), "carries 2 values, not 1"),
        (lambda c, x: c.send(SQUARES, [x, x]), "rows of table 'squares' are constant"),
        (lambda c, x: c.receive(SQUARES, [x, x]), "rows of table 'squares' are constant"),
        (lambda c, x: c.enter(SQUARES, [x, x]), "rows of table 'squares' are constant"),
        (lambda c, x: (c.challenge(), c.look_up(SQUARES, [x, x])), "after the challenge is drawn"),
        (lambda c, x: (c.challenge(), in_template(c, x, x)), "after the challenge is drawn"),
        (lambda c, x: (c.challenge(), repeated(c, x, x)), "after the challenge is drawn"),
        (lambda c, x: (c.challenge(), c.commit([x])), "after the challenge is drawn"),
        (lambda c, x: (c.challenge(), c.enter(WORDS, [x])), "after the challenge is drawn"),
        (lambda c, x: (c.look_up(SQUARES, [x, x]), c.send(Bus("squares", 2), [x, x])), "two different buses"),
        (lambda c, x: (c.send(WORDS, [x]), c.receive(Bus("words", 2), [x, x])), "two different buses"),
        (lambda c, x: (in_template(c, x, x), c.look_up(other_squares(), [x, x])), "two different buses"),
        (
            lambda c, x: (c.enter(WORDS, [x]), c.look_up(WORDS, [x]), c.send(WORDS, [x])),
            "a table and a multiset at once",
        ),
        (lambda c, x: (c.receive(WORDS, [x]), c.look_up(WORDS, [x])), "a table and a multiset at once"),
        (lambda c, x: drawing(c, x), "a template cannot draw a challenge"),
        (lambda c, x: committing(c, x), "a template cannot commit"),
    ],
)
def test_what_cannot_be_meant_is_refused_while_the_circuit_is_built(say: Any, problem: str) -> None:
    def build() -> None:
        circuit = Circuit()
        say(circuit, circuit.private_input("x"))
        circuit.compile()

    with pytest.raises(BadInputError, match=problem):
        build()


def other_squares() -> Table:
    """The same name, size and shape, and other rows: a template's trace must not confuse them."""
    return Table("squares", 2, len(ROWS), lambda: to_limbs([0, 1, 8, 27, 64]).reshape(len(ROWS), 1, 4))


@template
def drawing(circuit: Circuit, x: Variable) -> Variable:
    return x * circuit.challenge()[0]


@template
def committing(circuit: Circuit, x: Variable) -> None:
    circuit.commit([x])


@template
def in_table(circuit: Circuit, x: Variable, y: Variable, *, table: Table) -> None:
    circuit.look_up(table, [x, y])


def test_a_trace_belongs_to_its_table() -> None:
    """Tables that differ in their rows alone, as parameters of one template: each circuit has its own."""
    for table, squares in ((SQUARES, True), (other_squares(), False)):
        circuit = Circuit()
        in_table(circuit, *circuit.private_inputs("x", 2), table=table)
        compiled = circuit.compile()
        assert holds(compiled, x=[2, 4]) == squares
        assert holds(compiled, x=[2, 8]) != squares


@pytest.mark.parametrize(
    "make",
    [
        lambda: Bus("", 1),
        lambda: Bus("b", 0),
        lambda: Bus("b", 15),
        lambda: Table("t", 1, 0, lambda: to_limbs([])),
        lambda: Table("t", 1, (1 << 20) + 1, lambda: to_limbs([])),
    ],
)
def test_buses_of_no_sense_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"a bus has a name|a table has 1 to"):
        make()


def test_a_table_of_the_wrong_shape_is_refused() -> None:
    circuit = Circuit()
    circuit.look_up(Table("t", 2, 3, lambda: to_limbs([1, 2]).reshape(2, 1, 4)), [circuit.private_input("x"), 1])
    with pytest.raises(ValueError, match="table 't' made values of shape"):
        circuit.compile()


def test_the_widest_bus() -> None:
    circuit = Circuit()
    bus = Bus("wide", 14)
    left, right = circuit.private_inputs("left", 14), circuit.private_inputs("right", 14)
    circuit.send(bus, left)
    circuit.receive(bus, right)
    compiled = circuit.compile()
    values = list(range(14))
    assert holds(compiled, left=values, right=values)
    for k in range(14):
        assert not holds(compiled, left=values, right=[*values[:k], 99, *values[k + 1 :]])


# -- determinism --------------------------------------------------------------------------------------------------


def everything() -> CompiledCircuit:
    """A bit of each kind; also built by another process."""
    circuit = Circuit(limb_bits=3)
    x, y = circuit.private_inputs("x", 2)
    ranges.less_than(circuit, ranges.uint(circuit, x, 7), ranges.uint(circuit, y, 5), 8)
    in_nested_templates.repeat(circuit, [[x, y], [y, x]])
    circuit.enter(PAIRS, [x, y])
    circuit.look_up(PAIRS, [y, x], ranges.boolean(circuit, x))
    crossing.repeat(circuit, [[x, y], [y, x]])
    return circuit.compile()


def test_the_structure_is_the_same_in_every_process() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_buses; print(test_buses.everything().structure_hash)"
    )
    here = __file__.rsplit("/", 1)[0]
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program, here], capture_output=True, text=True, check=True, env=env
        ).stdout
        for env in ({"PYTHONHASHSEED": seed, **_environment()} for seed in ("1", "2"))
    }
    assert hashes == {everything().structure_hash + "\n"}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}


def test_compiling_twice_gives_the_same() -> None:
    circuit = Circuit()
    circuit.look_up(range_table(3), [circuit.private_input("x")])
    assert circuit.compile().structure_hash == circuit.compile().structure_hash


def test_late_instructions_see_the_challenge_and_early_ones_do_not() -> None:
    """What follows a drawn challenge is computed after the commitment; hints too."""
    circuit = Circuit()
    x = circuit.private_input("x")
    circuit.commit([x])
    (challenge,) = circuit.challenge()
    (late,) = circuit.hint(lambda c: c + 1, [challenge], 1)
    circuit.assert_equal(late, challenge + 1)
    compiled = circuit.compile()
    run = compiled.begin({"x": 4})
    witness = run.finish(12345)
    assert check(compiled, witness) is None
    assert from_limbs(witness[compiled.r1cs.n_public])[0] == 12345
    assert survivors(compiled, {"x": 4}) == []
