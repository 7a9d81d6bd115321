"""Poseidon as the bytecode runs it: the same function with 2m multiplications a partial round, m = width − 1.

A partial round raises only the first element of the state to the fifth power; what happens to the other m, the vector
x, is linear, and the same in every round (the round constants are already folded into one a round, see
``algebra.poseidon_parameters``). With M = [[d, v], [w, N]], the fifth power y and the first element s of the state::

    s' = d·y + v·x        x' = w·y + N·x

Such a system has a controller form. Let χ = zᵐ − Σ αⱼ·zᵐ⁻ʲ be the characteristic polynomial of N, and

::

    u = y + Σ αⱼ·u₋ⱼ                      (u₋ⱼ: j rounds ago)
    g₁ = w,  gⱼ₊₁ = N·gⱼ − αⱼ·w           (gₘ₊₁ = 0, by Cayley and Hamilton)

Then x = Σ gⱼ·u₋ⱼ in every round, by induction, and s' = d·y + Σ cⱼ·u₋ⱼ with cⱼ = v·gⱼ. So a round needs the αⱼ and the
cⱼ, which are those of every round, and remembers the last m values of u. With W = [g₁ … gₘ], W⁻¹·x enters into this
form (folded into the matrix of the full round before) and W·u leaves it.

*Scaling*: the fifth power of λ·a is λ⁵·a⁵, so elements may be kept multiplied by constants, which vanish in the
matrices around. In the partial rounds s is kept as s/λ and u as u/λ⁵, with λ⁴ = 1/d where d has a fourth root: then d
is 1, a multiplication less a round. In the full rounds a scale for each element makes one coefficient of each row 1;
not if the matrix is to be the same in every round.

Source of the form: T. Kailath, "Linear Systems", 1980, section 2.1 (controller form). Of Poseidon: ``algebra``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from operator import mul
from typing import NamedTuple

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon_parameters import Matrix, Row, apply, inverse, multiply, sparse_parameters, transpose
from aitbc_rollup.algebra.reference.babyjubjub import square_root
from aitbc_rollup.algebra.reference.poseidon import FULL_ROUNDS

HALF = FULL_ROUNDS // 2


class Layer(NamedTuple):
    """A matrix, by rows, and constants: what a round does before the next fifth powers."""

    matrix: Matrix
    constants: Row


class Schedule(NamedTuple):
    """The permutation of one width t = m + 1, for its first element alone; all numbers are in [0, r).

    * ``first``: t constants; add them to the state, take fifth powers.
    * ``before``: three layers of t rows, each followed by fifth powers.
    * ``entry``: t rows; the fifth power of the first is y, the others are the last m values of u, the latest first.
    * ``feedback`` αⱼ, ``direct`` d, ``output`` cⱼ, and for each partial round its constant: u = y + Σ αⱼ·u₋ⱼ, and the
      next y is the fifth power of d·y + Σ cⱼ·u₋ⱼ + constant.
    * ``leave``: the first element is ``head``·y; m rows on the last values of u and fifth powers give the others.
    * ``after``: three layers as ``before``.
    * ``last``: one row gives the result.
    """

    first: Row
    before: tuple[Layer, ...]
    entry: Layer
    feedback: Row
    direct: int
    output: Row
    constants: Row
    head: int
    leave: Layer
    after: tuple[Layer, ...]
    last: Row


@cache
def schedule(width: int, *, same_matrix: bool) -> Schedule:
    """The schedule of a width in 2 … 17.

    Args:
        width: elements of the state, the number of inputs and one.
        same_matrix: whether all layers before and after have one matrix, and ``head`` may be other than 1.

    Raises:
        ValueError: another width.
    """
    parameters = sparse_parameters(width)
    matrix, full, partial = parameters.matrix, parameters.full_constants, parameters.partial_constants
    (direct, *top), m = matrix[0], width - 1
    block, column = tuple(row[1:] for row in matrix[1:]), tuple(row[0] for row in matrix[1:])
    feedback, states = _controller(block, column)
    scale = _fourth_root(pow(direct, -1, R)) or 1
    fifth = pow(scale, 5, R)

    before = [Layer(matrix, full[i]) for i in range(1, HALF)]
    into_u = multiply(inverse(states), matrix[1:])
    entry = Layer((matrix[0], *into_u), (partial[0], *(0,) * m))
    leave = Layer(states, full[HALF][1:])
    after = [Layer(matrix, full[i]) for i in range(HALF + 1, FULL_ROUNDS)]

    scales: Row = (1,) * width
    if not same_matrix:
        for i, layer in enumerate(before):
            before[i], scales = _with_ones(layer, scales)
    entry = _scaled(entry, scales, (scale, *(fifth,) * m))
    leave = _scaled(leave, (scale,) * m, (1,) * m)
    scales = (1,) * width
    if not same_matrix:
        leave, rest = _with_ones(leave, (1,) * m)
        scales = (scale, *rest)
        for i, layer in enumerate(after):
            after[i], scales = _with_ones(layer, scales)
    return Schedule(
        first=full[0],
        before=tuple(before),
        entry=entry,
        feedback=feedback,
        direct=direct * fifth * pow(scale, -1, R) % R,
        output=tuple(x * fifth * pow(scale, -1, R) % R for x in apply(transpose(states), tuple(top))),
        constants=tuple(x * pow(scale, -1, R) % R for x in (*partial[1:], full[HALF][0])),
        head=fifth if same_matrix else 1,
        leave=leave,
        after=tuple(after),
        last=_scaled(Layer((matrix[0],), (0,)), scales, (1,)).matrix[0],
    )


def evaluate(schedule: Schedule, state: Sequence[int]) -> int:
    """The first element of the permuted state: the plain twin of the bytecode."""
    values = _fifth_powers(x + c for x, c in zip(state, schedule.first, strict=True))
    for layer in schedule.before:
        values = _fifth_powers(_layer(layer, values))
    s, *u = _layer(schedule.entry, values)
    y = pow(s, 5, R)
    for constant in schedule.constants:
        s = schedule.direct * y + sum(map(mul, schedule.output, u)) + constant
        u = [(y + sum(map(mul, schedule.feedback, u))) % R, *u[:-1]]
        y = pow(s, 5, R)
    values = [schedule.head * y % R, *_fifth_powers(_layer(schedule.leave, u))]
    for layer in schedule.after:
        values = _fifth_powers(_layer(layer, values))
    return apply((schedule.last,), tuple(values))[0]


def _layer(layer: Layer, values: Sequence[int]) -> list[int]:
    return [x + c for x, c in zip(apply(layer.matrix, tuple(values)), layer.constants, strict=True)]


def _fifth_powers(values: Iterable[int]) -> list[int]:
    return [pow(x, 5, R) for x in values]


def _controller(block: Matrix, column: Row) -> tuple[Row, Matrix]:
    """The αⱼ, and W with the gⱼ as columns, of N and w."""
    m = len(column)
    powers = [column]  # w, N·w … Nᵐ·w, and the last is Σ αⱼ·Nᵐ⁻ʲ·w
    for _ in range(m):
        powers.append(apply(block, powers[-1]))
    feedback = apply(inverse(transpose(tuple(powers[m - 1 :: -1]))), powers[m])
    states = [column]
    for alpha in feedback:
        states.append(tuple((x - alpha * w) % R for x, w in zip(apply(block, states[-1]), column, strict=True)))
    if any(states.pop()):
        raise AssertionError("Cayley and Hamilton say 0")
    return feedback, transpose(tuple(states))


def _scaled(layer: Layer, inputs: Row, outputs: Row) -> Layer:
    """The layer between fifth powers of elements kept as a/λ, with the λ before and after it."""
    powers, inverses = [pow(x, 5, R) for x in inputs], [pow(x, -1, R) for x in outputs]
    rows = (
        tuple(x * power * by % R for x, power in zip(row, powers, strict=True))
        for row, by in zip(layer.matrix, inverses, strict=True)
    )
    return Layer(tuple(rows), tuple(c * by % R for c, by in zip(layer.constants, inverses, strict=True)))


def _with_ones(layer: Layer, inputs: Row) -> tuple[Layer, Row]:
    """The layer with the scales that make each row's first coefficient 1, and these scales."""
    outputs = tuple(row[0] * pow(inputs[0], 5, R) % R for row in layer.matrix)
    return _scaled(layer, inputs, outputs), outputs


def _fourth_root(x: int) -> int | None:
    root = square_root(x)  # r = 1 mod 4: either both square roots are squares or none is
    return None if root is None else square_root(root)
