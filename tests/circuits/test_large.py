"""Sizes of a real statement: what is quick at a thousand constraints must still be at half a million."""

import random
import time
import tracemalloc

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.template import template

_RANDOM = random.Random(5)
CONSTANTS = [_RANDOM.randrange(R) for _ in range(200)]


@template
def permutation(circuit: Circuit, a: Variable, b: Variable) -> Variable:
    """Shaped like a hash: 240 products, combinations that grow."""
    state = [a, b, circuit.constant(7)]
    for i in range(60):
        x = state[0] + CONSTANTS[i]
        square = x * x
        fourth = square * square
        eighth = fourth * fourth
        state[0] = eighth * x
        state = [circuit.inner_product(CONSTANTS[3 * j : 3 * j + 3], state) for j in range(3)]
        if i % 20 == 19:
            state = [circuit.materialise(x) for x in state]
    return state[0]


def chain(n: int) -> Circuit:
    circuit = Circuit()
    values = circuit.private_inputs("x", n)
    total = circuit.public_input("start")
    for value in values:
        with circuit.component("link"):
            total = permutation(circuit, total, value)
    circuit.public_output("end", total)
    return circuit


def test_thirty_instances_agree_with_one_at_a_time():
    long, short = chain(30).compile(), chain(1).compile()
    expected = 5
    for i in range(30):
        expected = short.public_inputs(short.witness({"x": [i], "start": expected}))[0]
    assert long.public_inputs(long.witness({"x": list(range(30)), "start": 5})) == [expected, 5]


@pytest.mark.heavy
def test_half_a_million_constraints_in_seconds_and_little_memory():
    tracemalloc.start()
    begun = time.perf_counter()
    compiled = chain(2000).compile()
    seconds = time.perf_counter() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert compiled.r1cs.n_constraints > 480_000
    assert compiled.r1cs.n_entries > 4_000_000
    assert seconds < 30
    assert peak < 2 << 30
    assignment = {"x": list(range(2000)), "start": 5}
    witness = compiled.witness(assignment)
    begun = time.perf_counter()
    assert (compiled.witness(assignment) == witness).all()
    assert time.perf_counter() - begun < 5
    assert check(compiled, witness) is None
