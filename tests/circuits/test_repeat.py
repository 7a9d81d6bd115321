"""``repeat`` is a loop: the same constraints, the same witness; hints in batches are called once for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra import threads
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs
from aitbc_rollup.circuits import witness as witness_module
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.buses import Bus
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import ranges
from aitbc_rollup.circuits.template import template
from aitbc_rollup.circuits.testing import hint_wires, survivors
from aitbc_rollup.errors import BadInputError

BUS = Bus("repeat", 2)
calls: list[int] = []


@pytest.fixture(autouse=True)
def forget_calls() -> None:
    calls.clear()


def roots(inputs: Limbs) -> Limbs:
    """Batched hint: (x, y) → (x + y, x + 1), of values below 2^32."""
    calls.append(len(inputs))
    out = np.zeros((len(inputs), 2, 4), np.uint64)
    out[:, 0, 0] = inputs[:, 0, 0] + inputs[:, 1, 0]
    out[:, 1, 0] = inputs[:, 0, 0] + np.uint64(1)
    return out


def one(x: int) -> int:
    return x + 5


@template
def inner(circuit: Circuit, x: Variable, y: Variable) -> Variable:
    total, successor = circuit.hint(roots, [x, y], 2, batch=True)
    circuit.assert_equal(total, x + y, "not the sum")
    circuit.assert_equal(successor, x + 1, "not the successor")
    return total


@template
def outer(circuit: Circuit, x: Variable, y: Variable, *, times: int) -> Variable:
    """Products and single hints before, between and after batches: two of the gadget's own, and nested ones."""
    product = x * y + 1
    first, successor = circuit.hint(roots, [product, x], 2, batch=True)
    circuit.assert_equal(first, product + x)
    circuit.assert_equal(successor, product + 1)
    (single,) = circuit.hint(one, [first * 2], 1)
    circuit.assert_equal(single, 2 * first + 5)
    nested = inner.repeat(circuit, [[single, first + i] for i in range(times)])
    circuit.send(BUS, [x, nested[0]])
    last, successor = circuit.hint(roots, [nested[-1], y], 2, batch=True)
    circuit.assert_equal(last, nested[-1] + y)
    circuit.assert_equal(successor, nested[-1] + 1)
    return last * last


def value(x: int, y: int, times: int) -> int:
    """What ``outer`` returns."""
    first = x * y + 1 + x
    return (2 * first + 5 + first + times - 1 + y) ** 2


def build(n: int, *, times: int, repeated: bool, gadget: Any = outer) -> CompiledCircuit:
    circuit = Circuit()
    x, y = circuit.private_inputs("x", n), circuit.private_inputs("y", n)
    rows = list(zip(x, y, strict=True))
    if repeated:
        results = gadget.repeat(circuit, rows, times=times)
    else:
        results = [gadget(circuit, *row, times=times) for row in rows]
    for i, result in enumerate(results):
        circuit.public_output(f"out{i}", result)
        circuit.receive(BUS, [x[i], 3 * (x[i] * y[i] + 1 + x[i]) + 5])
    return circuit.compile()


@pytest.mark.parametrize(("n", "times"), [(1, 1), (3, 1), (5, 3)])
def test_repeat_is_a_loop(n: int, times: int) -> None:
    loop, repeated = (build(n, times=times, repeated=flag) for flag in (False, True))
    assert repeated.structure_hash == loop.structure_hash
    assert repeated.program.ops.size == loop.program.ops.size
    assignment = {"x": list(range(2, 2 + n)), "y": list(range(30, 30 + n))}
    witnesses = [compiled.witness(assignment) for compiled in (loop, repeated)]
    assert np.array_equal(*witnesses)
    assert check(repeated, witnesses[1]) is None
    expected = [value(x, y, times) for x, y in zip(assignment["x"], assignment["y"], strict=True)]
    assert repeated.public_inputs(witnesses[1]) == expected
    assert [repeated.locate(i).message for i in range(20)] == [loop.locate(i).message for i in range(20)]


def test_batched_hints_are_called_once_for_all() -> None:
    n, times = 4, 3
    compiled = build(n, times=times, repeated=True)
    compiled.witness({"x": [1, 2, 3, 4], "y": [5, 6, 7, 8]})
    assert calls == [n, n * times, n]
    calls.clear()
    build(n, times=times, repeated=False).witness({"x": [1, 2, 3, 4], "y": [5, 6, 7, 8]})
    assert calls == [1, times, 1] * n, "a loop calls them for each instance"


@template
def deepest(circuit: Circuit, x: Variable, y: Variable, *, times: int) -> Variable:
    """Two levels of repetition below the one that uses this."""
    results = outer.repeat(circuit, [[x, y], [y, x]], times=times)
    circuit.receive(BUS, [y, 3 * (x * y + 1 + y) + 5])
    return results[0] + results[1]


def test_batches_of_nested_repetitions_are_one_call() -> None:
    n, times = 3, 2
    compiled = build(n, times=times, repeated=True, gadget=deepest)
    x, y = [3, 4, 5], [7, 8, 9]
    witness = compiled.witness({"x": x, "y": y})
    assert calls == [2 * n, 2 * n * times, 2 * n]
    assert check(compiled, witness) is None
    expected = [value(a, b, times) + value(b, a, times) for a, b in zip(x, y, strict=True)]
    assert compiled.public_inputs(witness) == expected
    assert compiled.structure_hash == build(n, times=times, repeated=False, gadget=deepest).structure_hash


def test_a_lie_in_the_middle_of_a_batch_changes_that_instance_alone() -> None:
    compiled = build(4, times=2, repeated=True)
    assignment = {"x": [1, 2, 3, 4], "y": [5, 6, 7, 8]}
    honest = from_limbs(compiled.witness(assignment))
    program = compiled.program
    starts = dict(program.batches.tolist())
    assert sorted(starts.values()) == [4, 4, 8]
    for first, count in starts.items():
        for position in (first, first + 1, first + count - 1):
            wire = int(program.outs[position])
            calls.clear()
            lied = from_limbs(compiled.witness(assignment, overrides={wire: 999}))
            assert lied[wire] == 999
            assert sum(calls) == 16, "every instance is computed once, whatever is overridden"
            assert len(calls) <= 4, "and in as few calls as can be"
            others = program.outs[first : first + count].tolist()
            assert all(lied[other] == honest[other] for other in others if other != wire)


def test_no_lie_survives_in_a_repetition() -> None:
    compiled = build(2, times=2, repeated=True)
    assert len(hint_wires(compiled)) > 10
    assert survivors(compiled, {"x": [1, 2], "y": [5, 6]}, max_lies=120) == []


def test_components_and_counts_of_repeated_instances() -> None:
    compiled = build(3, times=2, repeated=True)
    stats = compiled.stats()
    assert stats.components["main.outer.inner"] == 3 * 2 * 2
    paths = {compiled.locate(i).component for i in range(compiled.r1cs.n_constraints)}
    assert {"main.outer[0].inner[1]", "main.outer[2].inner[0]"} <= paths
    assert len(set(compiled.wire_names())) == compiled.r1cs.n_wires


@template
def pair(circuit: Circuit, x: Variable, values: Sequence[Variable], *, factor: int = 2) -> Variable:
    return x * circuit.sum(values) * factor


def test_rows_that_are_not_alike_are_refused() -> None:
    circuit = Circuit()
    x, y = circuit.private_inputs("x", 2)
    unlike: list[tuple[Callable[[], Any], str]] = [
        (lambda: pair.repeat(circuit, [[x, [y]], [x, [y, y]]]), "rows 0 and 1"),
        (lambda: pair.repeat(circuit, [[x, [y]], [y, [x]], [x, [5]]]), "rows 0 and 2"),
        (lambda: pair.repeat(circuit, [[x, [y]], [x, [x]]]), "rows 0 and 1"),
        (lambda: pair.repeat(circuit, [[x, [y]], [x.within(0, 7), [y]]]), "rows 0 and 1"),
    ]
    for call, message in unlike:
        with pytest.raises(ValueError, match=f"template pair: {message} of a repeat are not alike"):
            call()


def test_no_rows_are_no_instances() -> None:
    circuit = Circuit()
    x = circuit.private_input("x")
    assert pair.repeat(circuit, []) == []
    circuit.public_output("y", pair.repeat(circuit, [[x, [x, 1]]], factor=3)[0])
    compiled = circuit.compile()
    assert compiled.public_inputs(compiled.witness({"x": 4})) == [4 * 5 * 3]


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (lambda inputs: inputs[:, :1], r"got: shape \(2, 1, 4\)"),
        (lambda inputs: inputs[:1], r"got: shape \(1, 2, 4\)"),
        (lambda inputs: np.full_like(inputs, 2**64 - 1), "values below r"),
    ],
)
def test_a_batched_hint_that_returns_nonsense_is_named(result: Callable[[Limbs], Limbs], problem: str) -> None:
    @template
    def hinted(circuit: Circuit, x: Variable, y: Variable) -> None:
        circuit.hint(result, [x, y], 2, batch=True)

    circuit = Circuit()
    x = circuit.private_inputs("x", 2)
    hinted.repeat(circuit, [[x[0], x[1]], [x[1], x[0]]])
    compiled = circuit.compile()
    with pytest.raises(BadInputError, match=problem) as error:
        compiled.witness({"x": [1, 2]})
    assert error.value.place is not None and "hint" in error.value.place


def test_an_error_in_a_batched_hint_says_where() -> None:
    def fails(inputs: Limbs) -> Limbs:
        raise ZeroDivisionError("nothing to divide by")

    circuit = Circuit()
    circuit.hint(fails, [circuit.private_input("x")], 1, batch=True)
    with pytest.raises(ZeroDivisionError) as error:
        circuit.compile().witness({"x": 1})
    assert any("batched witness hint" in note and "1 occurrences" in note for note in error.value.__notes__)


def test_many_range_checks_at_once() -> None:
    """Repetition, native hints and lookups together."""

    @template
    def checked(circuit: Circuit, x: Variable, y: Variable) -> Variable:
        return ranges.less_than(circuit, ranges.uint(circuit, x, 9), ranges.uint(circuit, y, 9), 9)

    def built(*, repeated: bool) -> CompiledCircuit:
        circuit = Circuit(limb_bits=4)
        rows = circuit.private_inputs("x", 50, 2)
        results = checked.repeat(circuit, rows) if repeated else [checked(circuit, *row) for row in rows]
        circuit.public_output("less", circuit.sum(results))
        return circuit.compile()

    compiled = built(repeated=True)
    assert compiled.structure_hash == built(repeated=False).structure_hash
    rows = [[i * 37 % 512, i * 91 % 512] for i in range(50)]
    witness = compiled.witness({"x": rows})
    assert check(compiled, witness) is None
    assert compiled.public_inputs(witness) == [sum(x < y for x, y in rows)]
    rows[33][1] = R - 1
    violation = check(compiled, compiled.witness({"x": rows}))
    assert violation is not None


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("gadget", [outer, deepest])
def test_any_number_of_threads_gives_the_same_witness(
    gadget: Any, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = build(5, times=2, repeated=True, gadget=gadget)
    assignment = {"x": [1, 2, 3, 4, 5], "y": [6, 7, 8, 9, 10]}
    lies = [{}, *({wire: 77} for wire in hint_wires(compiled)[::3])]  # those cut stretches of instances everywhere
    alone = [compiled.witness(assignment, overrides=lie) for lie in lies]
    shares: list[int] = []

    def counted(tasks: Iterable[Callable[[], object]]) -> None:
        waiting = list(tasks)
        shares.append(len(waiting))
        run(waiting)

    run = threads.run
    monkeypatch.setattr(threads, "run", counted)
    monkeypatch.setattr(threads, "count", lambda: workers)
    monkeypatch.setattr(witness_module, "_WORTH_SHARING", 1)
    for lie, expected in zip(lies, alone, strict=True):
        assert np.array_equal(compiled.witness(assignment, overrides=lie), expected)
    assert max(shares) == workers
