"""Known forgeries of lookups, played against arguments that are wrong on purpose, where they work, and against ours.

The wrong variants differ from ours in one thing each: challenges that are powers of one (so that the pole is one of the
factors), no tag between buses, queries or counts that are not committed to. A forgery is a witness of a false statement
that satisfies every constraint at the challenge that its own commitment draws.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.algebra.poseidon import poseidon_ex
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.buses import Bus, Table
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import challenge as challenges

ROWS = [3, 8, 5, 30]
TABLE = Table("table", 2, len(ROWS), lambda: to_limbs(ROWS).reshape(len(ROWS), 1, 4))
SMALL, LARGE = (Table(f"small{n}", 1, n, lambda n=n: np.empty((n, 0, 4), np.uint64)) for n in (2, 8))  # type: ignore[misc]
BUS = Bus("bus", 2)

Expand = Callable[[Circuit, Variable, int, int], list[Variable]]


def powers(circuit: Circuit, c: Variable, ordinal: int, count: int) -> list[Variable]:
    """Pole c, no tag, columns times c, c² …: the compression that uses the pole's own challenge."""
    found = [c, circuit.fixed(0), c]
    while len(found) < count:
        found.append(found[-1] * c)
    return found[:count]


def untagged(circuit: Circuit, c: Variable, ordinal: int, count: int) -> list[Variable]:
    """Ours, but that buses are not told apart."""
    found = challenges_as_they_are(circuit, c, ordinal, count)
    return [found[0], circuit.fixed(0), *found[2:]]


challenges_as_they_are: Expand = challenges.expand


def build(say: Callable[[Circuit], None]) -> CompiledCircuit:
    circuit = Circuit()
    say(circuit)
    return circuit.compile()


def accepts(compiled: CompiledCircuit, inputs: Mapping[str, Any], overrides: Mapping[int, int]) -> bool:
    return check(compiled, compiled.witness(inputs, overrides=overrides)) is None


def counts(compiled: CompiledCircuit, name: str) -> list[int]:
    """Wires that count how often the rows of a table are looked up."""
    (found,) = (lookups.outs.tolist() for lookups in compiled.program.lookups if lookups.bus.name == name)
    return list(found)


# -- compression by powers of the pole's challenge -------------------------------------------------------------------


def one_lookup(circuit: Circuit) -> None:
    circuit.look_up(TABLE, circuit.private_inputs("x", 2))


def a_multiple_of_a_row(compiled: CompiledCircuit) -> bool:
    """With pole c, f − c = v₀ + c·(v₁ − 1): k times that of a row (i, y) is that of (k·i, 1 + k·(y − 1)).

    So that tuple, which is no row, is answered by the row with the count 1/k.
    """
    i, k = 2, 7
    forged = [k * i, 1 + k * (ROWS[i] - 1)]
    return accepts(compiled, {"x": forged}, {counts(compiled, "table")[i]: pow(k, -1, R)})


def two_lookups(circuit: Circuit) -> None:
    circuit.look_up(TABLE, circuit.private_inputs("x", 2))
    circuit.look_up(TABLE, circuit.private_inputs("y", 2))


def tuples_that_cancel(compiled: CompiledCircuit) -> bool:
    """(a, 1) and (−a, 1) have the poles a and −a free of c, and 1/a + 1/−a = 0: no row answers for either."""
    return accepts(compiled, {"x": [9, 1], "y": [R - 9, 1]}, {})


@pytest.mark.parametrize(("say", "attack"), [(one_lookup, a_multiple_of_a_row), (two_lookups, tuples_that_cancel)])
def test_powers_of_the_poles_challenge(
    say: Callable[[Circuit], None], attack: Callable[[CompiledCircuit], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not attack(build(say))
    monkeypatch.setattr(challenges, "expand", powers)
    assert attack(build(say)), "the forgery is one"
    # Independent challenges stop it even without a tag.
    monkeypatch.setattr(challenges, "expand", untagged)
    assert not attack(build(say))


# -- buses that are not told apart -----------------------------------------------------------------------------------


def lookups_in_two_tables(circuit: Circuit) -> None:
    circuit.look_up(SMALL, [circuit.private_input("x")])
    circuit.look_up(LARGE, [circuit.private_input("y")])


def a_row_of_the_other_table(compiled: CompiledCircuit) -> bool:
    """5 is looked up where only 0 and 1 are rows; the larger table answers."""
    return accepts(compiled, {"x": 5, "y": 6}, {counts(compiled, "small8")[5]: 1})


def a_bus_and_a_table(circuit: Circuit) -> None:
    x, y = circuit.private_input("x"), circuit.private_input("y")
    circuit.look_up(TABLE, [x, y])
    circuit.send(BUS, [1, ROWS[1]])
    circuit.receive(BUS, [x, y])


def what_was_sent_to_another(compiled: CompiledCircuit) -> bool:
    """The bus receives (2, 5) though (1, 8) was sent: the lookup of (2, 5) answers the one, row 1 the other."""
    inputs = {"x": 2, "y": ROWS[2]}
    rows = counts(compiled, "table")
    return accepts(compiled, inputs, {rows[1]: 1, rows[2]: 0})


@pytest.mark.parametrize(
    ("say", "attack"),
    [(lookups_in_two_tables, a_row_of_the_other_table), (a_bus_and_a_table, what_was_sent_to_another)],
)
def test_buses_without_a_tag(
    say: Callable[[Circuit], None], attack: Callable[[CompiledCircuit], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not attack(build(say))
    monkeypatch.setattr(challenges, "expand", untagged)
    assert attack(build(say)), "the forgery is one"


# -- what is not committed to ----------------------------------------------------------------------------------------


def committing_to(compiled: CompiledCircuit, keep: Callable[[int], bool]) -> CompiledCircuit:
    """The same circuit with fewer wires committed to."""
    commitment = compiled.r1cs.commitment
    assert commitment is not None
    wires = commitment.wires[[keep(int(wire)) or wire == commitment.mask for wire in commitment.wires]]
    return dataclasses.replace(
        compiled, r1cs=dataclasses.replace(compiled.r1cs, commitment=dataclasses.replace(commitment, wires=wires))
    )


def hinted_query(circuit: Circuit) -> None:
    (x,) = circuit.hint(lambda: 0, [], 1)
    circuit.look_up(SMALL, [x])


def drawn(compiled: CompiledCircuit, overrides: Mapping[int, int]) -> tuple[int, int, int]:
    """The challenge after this commitment; the pole and the tag's factor that come of it."""
    c = compiled.begin({}, overrides=overrides).stand_in_challenge()
    pole, tag = poseidon_ex([c, 0], 2, challenges._TAG + (1 << 8) + 2)
    return c, pole, tag


def a_query_chosen_last(compiled: CompiledCircuit) -> bool:
    """Row 0 is counted twice; at the challenge, the x is chosen for which 1/(x + τ − X) is 2/(τ − X)."""
    (query,) = compiled.program.outs[:1].tolist()
    twice = {counts(compiled, "small2")[0]: 2, counts(compiled, "small2")[1]: 0}
    _, pole, tag = drawn(compiled, twice)
    x = ((tag - pole) * pow(2, -1, R) + pole - tag) % R
    assert x > 1, "not a row"
    return accepts(compiled, {}, {query: x, **twice})


def counts_chosen_last(compiled: CompiledCircuit) -> bool:
    """The query 5 is no row; at the challenge, row 0 is counted (τ − X) / (5 + τ − X) times."""
    (query,) = compiled.program.outs[:1].tolist()
    first, second = counts(compiled, "small2")
    _, pole, tag = drawn(compiled, {query: 5, first: 0, second: 0})
    often = (tag - pole) * pow(5 + tag - pole, -1, R) % R
    return accepts(compiled, {}, {query: 5, first: often, second: 0})


def test_queries_that_are_not_committed_to() -> None:
    """As in an optimisation proposed for gnark (pull request 1703): a query may then depend on the challenge."""
    compiled = build(hinted_query)
    (query,) = compiled.program.outs[:1].tolist()
    assert not a_query_chosen_last(compiled)
    assert a_query_chosen_last(committing_to(compiled, lambda wire: wire != query)), "the forgery is one"


def test_counts_that_are_not_committed_to() -> None:
    compiled = build(hinted_query)
    rows = counts(compiled, "small2")
    assert not counts_chosen_last(compiled)
    assert counts_chosen_last(committing_to(compiled, lambda wire: wire not in rows)), "the forgery is one"


# -- the rule behind them --------------------------------------------------------------------------------------------


def test_challenges_are_hashes_and_no_two_alike() -> None:
    """Every challenge is an output of the permutation, of another initial state each time it is drawn."""
    circuit = Circuit()
    circuit.commit([circuit.private_input("x")])
    values = [variable for count in (1, 2, 15, 15, 3) for variable in circuit.challenge(count)]
    compiled = circuit.compile()
    witness = compiled.begin({"x": 5}).finish(777)
    # The compiler moves the challenge's wire to the front; what was made after it keeps its order.
    wires = {int(original): wire for wire, original in enumerate(compiled._original_wires)}
    found = [from_limbs(witness[wires[variable.wire or 0]])[0] for variable in values]
    expected = [
        value
        for ordinal, count in enumerate((1, 2, 15, 15, 3), 1)
        for value in poseidon_ex([777, *[0] * (count - 1)], count, challenges._TAG + (ordinal << 8) + count)
    ]
    assert found == expected
    assert len(set(found)) == len(found)
    assert not any(found[i] == pow(found[0], k, R) for i in range(1, len(found)) for k in range(2, 6))
    for count in (0, 16):
        with pytest.raises(ValueError, match="1 to 15 challenges"):
            circuit.challenge(count)
