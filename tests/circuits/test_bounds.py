"""What a variable knows of its range is true: arithmetic against all values, narrowing, traces of templates."""

from __future__ import annotations

import itertools
import random

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.template import template
from aitbc_rollup.circuits.variable import Bounds
from aitbc_rollup.errors import BadInputError


def stands_for(bounds: Bounds | None, value: int) -> bool:
    """Whether some integer within the bounds is this field element."""
    return bounds is None or (value - bounds[0]) % R <= bounds[1] - bounds[0]


def value_of(variable: Variable, inputs: dict[int, int]) -> int:
    return sum(c * inputs[wire] for wire, c in variable.terms.items()) % R


@pytest.mark.parametrize("seed", range(60))
def test_bounds_of_random_expressions_hold_every_value(seed: int) -> None:
    """Two or three inputs of random small ranges, all their values; factors small, near r, and around r/2."""
    rng = random.Random(seed)
    circuit = Circuit()
    inputs = circuit.private_inputs("x", rng.randrange(2, 4))
    ranges = [range(low := rng.randrange(-6, 4), low + rng.randrange(1, 6)) for _ in inputs]
    pool = [x.within(r[0], r[-1]) for x, r in zip(inputs, ranges, strict=True)]
    steps: list[tuple[str, int, int]] = []
    for _ in range(8):
        a, b = rng.randrange(len(pool)), rng.randrange(len(pool))
        factor = rng.choice([-3, -1, 0, 2, 7, R - 2, R // 2, R // 2 + 1, R // 3, rng.randrange(R)])
        kind = rng.choice(["+", "-", "*", "·", "c", "s"])
        steps.append((kind, b if kind != "·" else factor, a))
        if kind == "+":
            pool.append(pool[a] + pool[b])
        elif kind == "-":
            pool.append(pool[a] - pool[b])
        elif kind == "*":
            pool.append(pool[a] * pool[b])
        elif kind == "·":
            pool.append(pool[a] * factor)
        elif kind == "c":
            pool.append(5 - pool[a])
        else:
            pool.append(circuit.sum([pool[a], pool[b], -1]))
    known = [variable.bounds for variable in pool]
    assert all(bounds is None or 0 <= bounds[1] - bounds[0] < R for bounds in known)
    for given in itertools.product(*ranges):
        values = [value % R for value in given]
        for kind, b, a in steps:
            x = values[a]
            y = b if kind == "·" else values[b]
            results = {"+": x + y, "-": x - y, "*": x * y, "·": x * y, "c": 5 - x, "s": x + y - 1}
            values.append(results[kind] % R)
        for value, bounds, variable in zip(values, known, pool, strict=True):
            assert stands_for(bounds, value), (variable, bounds, value)


@pytest.mark.parametrize("seed", range(40))
def test_narrowing_keeps_every_value_that_both_allow(seed: int) -> None:
    """Bounds may overlap as sets of field elements without overlapping as integers: 3 and 3 − r are the same."""
    rng = random.Random(seed)
    edges = [0, 1, 5, R // 3, R // 2, R // 2 + 1, R - 6, R - 1]
    for _ in range(60):
        low = rng.choice([-1, 1]) * rng.choice(edges)
        known = (low, low + rng.choice(edges))
        claimed_low = rng.choice([-1, 1]) * rng.choice(edges)
        claimed = (claimed_low, claimed_low + rng.choice(edges))
        x = Circuit().private_input("x").within(*known)
        found = x.within(*claimed).bounds
        assert found is not None and found[1] - found[0] < R
        for end in (*known, *claimed, 0, 3, -3):
            for value in ((end + d) % R for d in (-1, 0, 1)):
                if stands_for(known, value) and stands_for(claimed, value):
                    assert stands_for(found, value), (known, claimed, value)


def test_a_narrowing_that_wraps_is_not_an_intersection() -> None:
    """As integers −(r − 2) … 0 and 0 … 4 share only 0; but 3 − r is in the first and 3 in the second."""
    x = Circuit().private_input("x").within(-(R - 2), 0)
    assert x.within(0, 4).bounds == (0, 4)
    assert x.within(-10, 4).bounds == (-10, 4)
    assert Circuit().private_input("x").within(-10, 10).within(0, 300).bounds == (0, 10)


@pytest.mark.parametrize(("low", "high"), [(1, 0), (0, R), (-1, R - 1)])
def test_what_is_no_range_of_a_field_element_is_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="no range for a field element"):
        Circuit().private_input("x").within(low, high)


def test_constants_know_themselves_and_sums_forget_what_is_too_wide() -> None:
    circuit = Circuit()
    assert circuit.constant(7).bits == 3
    assert circuit.constant(-7).bounds == (-7, -7)
    wide = circuit.private_input("x").within(0, R - 1)
    assert wide.bounds == (0, R - 1)
    assert (wide + circuit.private_input("y").within(0, 1)).bounds is None
    assert (wide - wide).bounds == (0, 0)
    assert (wide * 2).bounds is None


SEEN: list[Bounds | None] = []


@template
def sees(circuit: Circuit, x: Variable) -> Variable:
    SEEN.append(x.bounds)
    return x + 1


@pytest.mark.parametrize(
    "bounds",
    [(0, 0), (0, 1), (0, 5), (-1, 0), (-4, 3), (-5, 3), (3, 4), (-(1 << 252) - 1, (1 << 252) + 1), (0, R - 1), (7, R)],
)
def test_templates_see_bounds_rounded_outwards_but_never_past_the_field(bounds: Bounds) -> None:
    sees._traces.clear()
    circuit = Circuit()
    returned = sees(circuit, circuit.private_input("x").within(*bounds))
    seen = SEEN[-1]
    assert seen is not None and returned.bounds == (seen[0] + 1, seen[1] + 1)
    assert seen[0] <= bounds[0] and bounds[1] <= seen[1] and seen[1] - seen[0] < R
    traces = len(SEEN)
    sees(circuit, circuit.private_input("y").within(*seen))
    assert len(SEEN) == traces, "what rounds to the same is one trace"


def test_a_template_asks_for_the_narrowing_where_it_is_used() -> None:
    @template
    def byte(circuit: Circuit, x: Variable) -> Variable:
        x.require_bits(8, "the byte")
        return x

    circuit = Circuit()
    x = circuit.private_input("x")
    assert byte(circuit, x.within(0, 200)).bits == 8
    with pytest.raises(BadInputError, match="the byte is not known") as error:
        byte(circuit, x.within(0, 256))
    assert error.value.got == "0 … 511"
    with pytest.raises(BadInputError, match="the byte is not known") as error:
        byte(circuit, x)
    assert error.value.got == "nothing known of its range"
    assert error.value.hint is not None and "ranges.uint" in error.value.hint
