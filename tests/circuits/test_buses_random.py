"""Random messages, said directly, in nested templates and repetitions: constraints hold exactly if counts agree."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import to_limbs
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.buses import Bus, Table
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.template import template

BUSES = [Bus(f"random{k}", k) for k in (1, 2, 3)]
ROWS = [2, 0, 3, 3]
TABLE = Table("random table", 2, len(ROWS), lambda: to_limbs(ROWS).reshape(len(ROWS), 1, 4))
N_INPUTS = 4

Balance = Counter[tuple[Any, ...]]


class Linear(NamedTuple):
    """A combination of the arguments: a constant, then coefficients."""

    constant: int
    coefficients: tuple[int, ...]

    def of(self, arguments: Sequence[Any]) -> Any:
        """Its value: of integers an integer, of variables a variable."""
        return sum((x * c for x, c in zip(arguments, self.coefficients, strict=True) if c), start=self.constant)


class Say(NamedTuple):
    """A message: bus (``None`` for the table), whether it is sent, values, count."""

    bus: int | None
    sent: bool
    values: tuple[Linear, ...]
    count: Linear


class Use(NamedTuple):
    """A program put to use for each row of arguments."""

    program: Any
    rows: tuple[tuple[Linear, ...], ...]


def linear(rng: random.Random) -> Linear:
    if rng.random() < 0.3:
        return Linear(rng.choice([0, 1, 2, R - 1]), (0,) * N_INPUTS)
    if rng.random() < 0.5:
        alone = rng.randrange(N_INPUTS)
        return Linear(0, tuple(int(i == alone) for i in range(N_INPUTS)))
    return Linear(rng.randrange(3), tuple(rng.choice([0, 0, 1, 2, R - 1]) for _ in range(N_INPUTS)))


def program(rng: random.Random, depth: int) -> tuple[Say | Use, ...]:
    steps: list[Say | Use] = []
    for _ in range(rng.randrange(2, 5)):
        if depth and rng.random() < 0.6:
            # Rows of a repetition are alike, so every argument is a combination of all that no other row has.
            rows = tuple(
                tuple(Linear(1 + 5 * i + k, (1 + k,) * N_INPUTS) for k in range(N_INPUTS))
                for i in range(rng.choice([1, 1, 2, 3]))
            )
            steps.append(Use(program(rng, depth - 1), rows))
        elif rng.random() < 0.2:
            count = Linear(rng.randrange(3), (0,) * N_INPUTS)
            steps.append(Say(None, True, (linear(rng), linear(rng)), count))
        else:
            bus = rng.randrange(len(BUSES))
            values = tuple(linear(rng) for _ in range(BUSES[bus].columns))
            steps.append(Say(bus, rng.random() < 0.5, values, linear(rng)))
    return tuple(steps)


def play(circuit: Circuit, arguments: Sequence[Variable], *, steps: tuple[Say | Use, ...]) -> None:
    for step in steps:
        if isinstance(step, Use):
            played.repeat(circuit, [[[v.of(arguments) for v in row]] for row in step.rows], steps=step.program)
            continue
        values, count = [v.of(arguments) for v in step.values], step.count.of(arguments)
        if step.bus is None:
            circuit.look_up(TABLE, values, count)
        else:
            (circuit.send if step.sent else circuit.receive)(BUSES[step.bus], values, count)


played = template(play)


def expected(arguments: Sequence[int], steps: tuple[Say | Use, ...], balance: Balance) -> bool:
    """Add up counts by bus and tuple; whether every lookup is a row."""
    rows = True
    for step in steps:
        if isinstance(step, Use):
            for row in step.rows:
                rows &= expected([v.of(arguments) % R for v in row], step.program, balance)
            continue
        values, count = tuple(v.of(arguments) % R for v in step.values), step.count.of(arguments)
        if step.bus is None:
            rows &= count == 0 or values in set(enumerate(ROWS))
        else:
            balance[step.bus, *values] += count if step.sent else -count
    return rows


def told(steps: tuple[Say | Use, ...], kept: Any) -> tuple[Say | Use, ...]:
    """The steps for which ``kept`` says yes, at every depth."""
    return tuple(
        Use(told(step.program, kept), step.rows) if isinstance(step, Use) else step
        for step in steps
        if isinstance(step, Use) or kept(step)
    )


@pytest.mark.parametrize("seed", range(30))
def test_constraints_hold_exactly_if_counts_agree(seed: int) -> None:
    rng = random.Random(seed)
    inputs = [rng.randrange(4) for _ in range(N_INPUTS)]
    steps = program(rng, 3)
    if seed % 3:
        # Mostly without lookups, which hardly ever are rows.
        steps = told(steps, lambda step: step.bus is not None)
    balance: Balance = Counter()
    rows = expected(inputs, steps, balance)
    unpaired = [(key, count % R) for key, count in balance.items() if count % R]
    rng.shuffle(unpaired)
    circuit = Circuit()
    x = circuit.private_inputs("x", N_INPUTS)
    play(circuit, x, steps=steps)
    for (bus, *values), count in unpaired:
        circuit.receive(BUSES[bus], values, count)
    for bus in BUSES:  # so that none has one side alone
        circuit.send(bus, [7] * bus.columns)
        circuit.receive(bus, [7] * bus.columns)
    compiled = circuit.compile()
    assert (check(compiled, compiled.witness({"x": inputs})) is None) == rows
    for _ in range(4):
        other = [(value + rng.choice([0, 1, 2, R - 1])) % R for value in inputs]
        again: Balance = Counter()
        rows = expected(other, steps, again)
        for (bus, *values), count in unpaired:
            again[bus, *values] -= count
        holds = rows and not any(count % R for count in again.values())
        violation = check(compiled, compiled.witness({"x": other}))
        assert (violation is None) == holds
        if violation is not None:
            named = {(item.bus, *item.values) for item in violation.unpaired}
            wrong = {(BUSES[bus].name, *values) for (bus, *values), count in again.items() if count % R}
            assert {item for item in named if item[0] != TABLE.name} <= wrong
            assert named, "somebody is named"
