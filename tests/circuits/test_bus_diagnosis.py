"""A sum over the buses that fails names the messages without a partner: tuple, bus, line, component, calls."""

from __future__ import annotations

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import to_limbs
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.buses import Bus, Table, range_table
from aitbc_rollup.circuits.check import Violation, check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import ranges
from aitbc_rollup.circuits.template import template

PAIRS = Bus("pairs", 2)
CUBES = Table("cubes", 2, 4, lambda: to_limbs([0, 1, 8, 27]).reshape(4, 1, 4))


def line_of(mark: str) -> int:
    with open(__file__, encoding="utf-8") as file:  # noqa: PTH123
        return next(number for number, line in enumerate(file, 1) if line.rstrip().endswith(f"# {mark}"))


def violation(compiled: CompiledCircuit, **inputs: object) -> Violation:
    found = check(compiled, compiled.witness(inputs))
    assert found is not None
    return found


@template
def record(circuit: Circuit, x: Variable) -> None:
    ranges.uint(circuit, x, 16)  # RECORD


@template
def page(circuit: Circuit, xs: list[Variable]) -> None:
    record.repeat(circuit, [[x] for x in xs])  # PAGE


def pages() -> CompiledCircuit:
    circuit = Circuit(limb_bits=16)
    page.repeat(circuit, [[xs] for xs in circuit.private_inputs("x", 5, 4)])  # CIRCUIT
    return circuit.compile()


def test_a_value_out_of_range_is_named_through_nested_repetitions() -> None:
    values = [[4 * i + j for j in range(4)] for i in range(5)]
    values[3][2] = 70_000
    found = violation(pages(), x=values)
    assert (found.message, found.component) == ("looked up 70000 in bits16: no such row", "main.page[3].record[2]")
    assert found.place is not None and found.place.endswith(f"test_bus_diagnosis.py:{line_of('RECORD')}")
    assert found.located is not None
    assert [place.line for place in found.located.calls] == [line_of("CIRCUIT"), line_of("PAGE")]
    report = found.render().splitlines()
    assert report[0] == (
        f"constraint {found.constraint} ({found.place}, main.page[3].record[2]) the buses do not balance; "
        "looked up 70000 in bits16: no such row"
    )
    assert len(report) == 3, "no wires: the sum reads 65,536 of them, and none would help"
    assert found.n_wires > 65_536 and found.wires == ()
    values[0][1], values[4][0] = R - 1, 1 << 16
    messages = [item.located.message for item in violation(pages(), x=values).unpaired]
    assert messages == [f"looked up {x} in bits16: no such row" for x in ("−1", "70000", "65536")]


def test_a_row_with_a_wrong_value_is_named() -> None:
    circuit = Circuit()
    x, y = circuit.private_inputs("x", 2)
    with circuit.component("cubing"):
        circuit.look_up(CUBES, [x, y])  # CUBING
        circuit.look_up(range_table(2), [x])
    compiled = circuit.compile()
    found = violation(compiled, x=[2, 9])
    assert (found.message, found.component) == ("looked up (2, 9) in cubes: no such row", "main.cubing")
    assert found.place is not None and found.place.endswith(f":{line_of('CUBING')}")
    rows = next(lookups.outs.tolist() for lookups in compiled.program.lookups if lookups.bus is CUBES)
    lied = check(compiled, compiled.witness({"x": [2, 8]}, overrides={rows[2]: 3}))
    assert lied is not None and lied.message == "looked up (2, 8) in cubes once, but counted 3 times"
    idle = check(compiled, compiled.witness({"x": [2, 8]}, overrides={rows[3]: R - 1}))
    assert idle is not None and idle.message == "looked up (3, 27) in cubes 0 times, but counted −1 times"


def test_unbalanced_multisets_are_named_from_both_sides() -> None:
    circuit = Circuit()
    left, right = circuit.private_inputs("left", 6), circuit.private_inputs("right", 6)
    weight = circuit.private_input("weight")
    for x in left:
        circuit.send(PAIRS, [x, 1])  # SENT
    for y in right:
        circuit.receive(PAIRS, [y, 1], weight)  # RECEIVED
    compiled = circuit.compile()
    left_values = [5, 5, 6, 7, 8, 9]
    found = violation(compiled, left=left_values, right=[6, 5, 4, 3, 2, 1], weight=1)
    assert [item.located.message for item in found.unpaired] == [
        "sent (5, 1) on pairs 2 times, but received once",
        "sent (7, 1) on pairs once, and nobody receives it",
        "sent (8, 1) on pairs once, and nobody receives it",
        "sent (9, 1) on pairs once, and nobody receives it",
        "received (4, 1) on pairs once, and nobody sends it",
        "received (3, 1) on pairs once, and nobody sends it",
    ]
    lines = [item.located.place.line for item in found.unpaired]
    assert lines == [line_of("SENT")] * 4 + [line_of("RECEIVED")] * 2
    assert [(item.sent, item.received) for item in found.unpaired[:2]] == [(2, 1), (1, 0)]
    for wrong in (2, R - 1, R // 2):
        shown = violation(compiled, left=left_values, right=left_values, weight=wrong).unpaired[0]
        assert (shown.values, shown.sent, shown.received) == ((5, 1), 2, 2 * wrong % R)
    large = violation(compiled, left=[R - 3, *left_values[1:]], right=left_values, weight=1)
    assert large.message == "sent (−3, 1) on pairs once, and nobody receives it"


def test_rows_of_the_circuits_own_table() -> None:
    circuit = Circuit()
    rows, query = circuit.private_inputs("rows", 2, 2), circuit.private_inputs("query", 2)
    for row in rows:
        circuit.enter(PAIRS, row)
    circuit.look_up(PAIRS, query)
    found = violation(circuit.compile(), rows=[[1, 2], [3, 4]], query=[3, 2])
    assert [item.located.message for item in found.unpaired] == [
        "looked up (3, 4) in pairs 0 times, but counted once",
        "looked up (3, 2) in pairs: no such row",
    ]


def test_another_constraint_that_fails_first_is_reported_as_ever() -> None:
    circuit = Circuit()
    x, y = circuit.private_inputs("x", 2)
    circuit.assert_equal(x, y, "not the same")
    circuit.look_up(range_table(2), [x])
    found = violation(circuit.compile(), x=[5, 6])
    assert (found.message, found.unpaired, found.n_violations) == ("not the same", (), 2)
    assert "  main.x[0] = 5" in found.render().splitlines()


def test_a_long_row_shows_some_wires() -> None:
    circuit = Circuit()
    circuit.assert_equal(circuit.sum(circuit.private_inputs("x", 100)), 1, "the sum is not one")
    found = violation(circuit.compile(), x=[1] * 100)
    assert (len(found.wires), found.n_wires) == (12, 100)
    assert found.render().endswith("  … and 88 more wires")
