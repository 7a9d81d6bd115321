"""Poseidon in circuits: circomlib's ``Poseidon(n)``, ``PoseidonEx`` and the protocol's sponge.

An S-box costs three constraints (x², x⁴, x⁵); additions and matrices cost none. A hash of n inputs has width
t = n + 1 and takes 3·(8t + P) constraints, P being the partial rounds of that width, less 3 for each element of the
initial state that is constant (the capacity of a plain hash is): 297 for four inputs, 321 for five, 609 for sixteen.

To keep the combinations short, a partial round does not bind x⁵ itself but the next S-box's input, which is x⁵ times a
constant plus the rest of the row: so that input is a single wire, and the long combination stands in one constraint
instead of three. The last S-box binds the first output in the same way.

Nothing is unconstrained: there is no hint here, and every wire follows from the inputs. Inputs are any field elements.
What ``algebra.poseidon_parameters`` says of the arrangement holds here too.
"""

from __future__ import annotations

from collections.abc import Sequence

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon_parameters import SparseParameters, sparse_parameters
from aitbc_rollup.algebra.reference.poseidon import FULL_ROUNDS, MAX_INPUTS, PARTIAL_ROUNDS, sponge_start

from ..api import Circuit, Variable
from ..template import template

__all__ = ["MAX_INPUTS", "n_constraints", "permute", "poseidon", "poseidon_ex", "sponge"]

_HALF = FULL_ROUNDS // 2


def n_constraints(n_inputs: int, n_constants: int = 1) -> int:
    """Constraints of one hash of so many inputs, ``n_constants`` of the initial state (capacity included) constant."""
    width = n_inputs + 1
    return 3 * (FULL_ROUNDS * width + PARTIAL_ROUNDS[width - 2] - n_constants)


def poseidon(circuit: Circuit, inputs: Sequence[Variable | int], initial_state: Variable | int = 0) -> Variable:
    """circomlib's ``Poseidon(n)`` of 1 to 16 inputs; a single wire. Constraints: see :func:`n_constraints`.

    Raises:
        ValueError: no input or more than 16.
    """
    return poseidon_ex(circuit, inputs, 1, initial_state)[0]


def poseidon_ex(
    circuit: Circuit, inputs: Sequence[Variable | int], n_outputs: int, initial_state: Variable | int = 0
) -> list[Variable]:
    """circomlib's ``PoseidonEx``: the first outputs of the permuted state (initial_state, inputs …).

    Constraints: see :func:`n_constraints`, and one for each argument that is a combination of wires. Further outputs
    cost nothing; they are combinations of t wires.

    Raises:
        ValueError: no input, more than 16, or more outputs than inputs + 1.
    """
    if not 1 <= len(inputs) <= MAX_INPUTS or not 1 <= n_outputs <= len(inputs) + 1:
        raise ValueError(f"Poseidon takes 1 to {MAX_INPUTS} inputs and gives at most one output more")
    return _permute(circuit, [initial_state, *inputs], n_outputs=n_outputs)


def sponge(circuit: Circuit, tag: int, words: Sequence[Variable | int]) -> Variable:
    """The protocol's hash of a fixed number of words (``docs/protocol.md``); the number enters the hash.

    Constraints: 609 for the first 16 words, 612 for each 16 more, less 3 for each word of padding.

    Raises:
        ValueError: the tag is not in [0, 2^64).
    """
    state: Variable | int = sponge_start(tag, len(words))
    for i in range(0, len(words), MAX_INPUTS):
        block = list(words[i : i + MAX_INPUTS])
        state = poseidon(circuit, block + [0] * (MAX_INPUTS - len(block)), state)
    return circuit.sum([state])


def permute(circuit: Circuit, initial: Sequence[Variable | int], *, n_outputs: int) -> list[Variable]:
    """As :func:`poseidon_ex` of (initial state, inputs …), written out where it is called.

    For use inside another template: there, combinations of wires may enter without being bound first.
    """
    p = sparse_parameters(len(initial))
    state = [circuit.sum([x]) for x in initial]
    for r in range(FULL_ROUNDS - 1):
        if r == _HALF:
            state = _partial_rounds(circuit, p, state)
        powers = [_fifth_power(x + c) for x, c in zip(state, p.full_constants[r], strict=True)]
        matrix = p.entry if r == _HALF - 1 else p.matrix
        state = [circuit.inner_product(row, powers) for row in matrix]
    state = [x + c for x, c in zip(state, p.full_constants[-1], strict=True)]
    powers = [_fifth_power(x) for x in state[:-1]]
    *others, weight = p.matrix[0]
    rest = circuit.inner_product(others, powers)
    first = circuit.multiply_add(_fourth_power(state[-1]) * weight, state[-1], rest)
    powers.append((first - rest) * pow(weight, -1, R))
    return [first, *(circuit.inner_product(row, powers) for row in p.matrix[1:n_outputs])]


_permute = template(permute)


def _partial_rounds(circuit: Circuit, p: SparseParameters, state: list[Variable]) -> list[Variable]:
    first, *others = state
    for constant, (weight, *row), column in zip(p.partial_constants, p.rows, p.columns, strict=True):
        x = first + constant
        rest = circuit.inner_product(row, others)
        first = circuit.multiply_add(_fourth_power(x) * weight, x, rest)
        power = (first - rest) * pow(weight, -1, R)
        others = [y + power * factor for y, factor in zip(others, column, strict=True)]
    return [first, *others]


def _fourth_power(x: Variable) -> Variable:
    square = x * x
    return square * square


def _fifth_power(x: Variable) -> Variable:
    return _fourth_power(x) * x
