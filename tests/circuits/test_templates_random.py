"""Random circuits, with templates and without: the same constraints but for the wires that bind arguments."""

from __future__ import annotations

import random
from typing import Any

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.template import template

Terms = dict[int, int]
DEPTH = 4


def mix(*values: int) -> list[int]:
    """A hint with as many outputs as inputs."""
    return [value * value + 3 * i for i, value in enumerate(values)]


def body(circuit: Circuit, first: Variable, many: list[Variable], *, seed: int, depth: int, inline: bool) -> Any:
    """A gadget of random steps over its arguments; nested gadgets are templates, or written out."""
    rng = random.Random(seed)
    pool: list[Variable] = [first, *many, circuit.constant(rng.randrange(3))]

    def pick() -> Variable:
        kind = rng.randrange(4)
        if kind == 0:
            return pool[rng.randrange(len(pool))]
        if kind == 1:
            return circuit.constant(rng.choice([0, 1, R - 1, rng.randrange(R)]))
        return circuit.sum(pool[rng.randrange(len(pool))] * rng.randrange(1, R) for _ in range(kind))

    for _ in range(rng.randrange(6, 14)):
        step = rng.randrange(8)
        if step == 0:
            pool.append(pick() * pick())
        elif step == 1:
            pool.append(circuit.multiply_add(pick(), pick(), pick()))
        elif step == 2:
            pool += circuit.hint(mix, [pick(), pick()], 2)
        elif step == 3:
            pool += circuit.hint_bits(pick(), rng.randrange(1, 5))
            pool += circuit.hint_divmod(pick(), rng.randrange(1, 1 << 70))
        elif step == 4:
            value = pick()
            pool.append(circuit.divide(pick(), value) if value.constant != 0 else value)
        elif step == 5:
            a, b = pick(), pick()
            circuit.assert_product(a, b, a * b + circuit.hint_inverse(pick()) * 0, "true")
        elif depth:
            arguments = [pick() for _ in range(rng.randrange(1, 6))]
            arguments += [rng.choice(arguments)]
            gadget = body if inline else nested
            # Few seeds, so that traces are met again, with other constants and other equal arguments.
            pool += gadget(circuit, arguments[0], arguments[1:], seed=rng.randrange(6), depth=depth - 1, inline=inline)
    return [pool[rng.randrange(len(pool))] for _ in range(2)] + [circuit.sum(pool[-2:])]


nested = template(body)


def build(seed: int, *, inline: bool) -> CompiledCircuit:
    circuit = Circuit()
    x = circuit.private_inputs("x", 3)
    with circuit.component("outer"):
        first = body(circuit, x[0], x, seed=seed, depth=DEPTH, inline=inline)
    for i, value in enumerate(body(circuit, first[0], [*first, x[1]], seed=seed + 1, depth=DEPTH, inline=inline)):
        circuit.public_output(f"y{i}", value)
    return circuit.compile()


def rows(compiled: CompiledCircuit) -> tuple[list[tuple[Terms, ...]], dict[int, int]]:
    """Constraints with argument wires replaced by what they are bound to; the other wires, renumbered in order."""
    r1cs = compiled.r1cs
    table = from_limbs(r1cs.table)
    bound: dict[int, Terms] = {}
    found: list[tuple[Terms, ...]] = []

    def expand(terms: Terms) -> Terms:
        total: Terms = {}
        for wire, coefficient in terms.items():
            for inner, factor in bound.get(wire, {wire: 1}).items():
                total[inner] = (total.get(inner, 0) + coefficient * factor) % R
        return {wire: coefficient for wire, coefficient in total.items() if coefficient}

    for i in range(r1cs.n_constraints):
        parts = []
        for matrix in (r1cs.a, r1cs.b, r1cs.c):
            wires, coefficients = matrix.row(i)
            assert len(set(wires.tolist())) == len(wires)
            parts.append({int(w): table[int(c)] for w, c in zip(wires, coefficients, strict=True)})
        if compiled.locate(i).message == "materialised linear combination":
            ((wire, one),) = parts[2].items()
            assert (one, parts[1]) == (1, {0: 1})
            bound[wire] = expand(parts[0])
        else:
            found.append(tuple(map(expand, parts)))
    order = {wire: i for i, wire in enumerate(w for w in range(r1cs.n_wires) if w not in bound)}
    return [tuple({order[w]: c for w, c in part.items()} for part in row) for row in found], order


@pytest.mark.parametrize("seed", range(24))
def test_templates_lose_nothing_and_add_nothing(seed: int) -> None:
    plain, templated = build(1000 * seed, inline=True), build(1000 * seed, inline=False)
    (expected, names), (got, others) = rows(plain), rows(templated)
    assert got == expected
    assignment = {"x": [seed, R - 1 - seed, 5 * seed + 2]}
    values = [from_limbs(compiled.witness(assignment)) for compiled in (plain, templated)]
    assert [values[0][w] for w in names] == [values[1][w] for w in others]
    violations = [check(compiled, compiled.witness(assignment)) for compiled in (plain, templated)]
    assert (violations[0] is None) == (violations[1] is None)
