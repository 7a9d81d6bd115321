"""Poseidon's parameters rearranged so that a partial round costs 2t multiplications instead of t².

Only the first element of the state passes an S-box in a partial round, so what a round does to the others commutes
with the next S-box, and can be moved elsewhere. Write the matrix and its lower right block as

::

    M = [ m  v ]        N, of size t − 1            diag(1, N) commutes with the partial S-box
        [ w  N ]

*Constants*: those of the others move through M into the next round; after the last partial round a full vector
remains, which is what the following full round adds anyway.

*Matrices*: M = [[m, v·N⁻¹], [w, 1]] · diag(1, N). The right factor moves back through the S-box into the round before,
whose matrix becomes diag(1, N)·M, and splits again. By induction the k-th partial round from the end keeps

::

    [ m        v·N⁻⁽ᵏ⁺¹⁾ ]        and diag(1, Nᴾ)·M takes the place of the matrix of the full round before them.
    [ Nᵏ·w     1         ]

Source: the Poseidon paper (ePrint 2019/458), appendix B. The kernel and the circuit both run this form; the
reference runs the plain one.
"""

from __future__ import annotations

from functools import cache
from operator import mul
from typing import NamedTuple

from .bn254 import R
from .reference.poseidon import FULL_ROUNDS, parameters

Row = tuple[int, ...]
Matrix = tuple[Row, ...]


class SparseParameters(NamedTuple):
    """One width's parameters, integers in [0, r).

    ``full_constants`` has a row for each full round, first half then second. ``partial_constants``, ``rows`` (each t
    wide: the matrix's first row) and ``columns`` (t − 1: the rest of its first column) have one entry for each partial
    round. ``entry`` replaces ``matrix`` in the last full round of the first half.
    """

    width: int
    matrix: Matrix
    entry: Matrix
    full_constants: Matrix
    partial_constants: Row
    rows: Matrix
    columns: Matrix


@cache
def sparse_parameters(width: int) -> SparseParameters:
    """The rearranged parameters of a width in 2 … 17.

    Raises:
        ValueError: another width.
    """
    _, partial_rounds, constants, matrix = parameters(width)
    by_round = [constants[i : i + width] for i in range(0, len(constants), width)]
    half = FULL_ROUNDS // 2

    partial_constants = []
    carried: Row = (0,) * width
    for row in by_round[half : half + partial_rounds]:
        total = _sum(row, carried)
        partial_constants.append(total[0])
        carried = apply(matrix, (0, *total[1:]))
    after = by_round[half + partial_rounds :]
    full_constants = (*by_round[:half], _sum(after[0], carried), *after[1:])

    block = tuple(row[1:] for row in matrix[1:])
    transposed_inverse = transpose(inverse(block))
    top, column = matrix[0][1:], tuple(row[0] for row in matrix[1:])
    rows: list[Row] = []
    columns: list[Row] = []
    for _ in range(partial_rounds):
        top = apply(transposed_inverse, top)
        rows.append((matrix[0][0], *top))
        columns.append(column)
        column = apply(block, column)
    entry = (matrix[0], *multiply(_power(block, partial_rounds), matrix[1:]))
    return SparseParameters(
        width, matrix, entry, full_constants, tuple(partial_constants), tuple(rows[::-1]), tuple(columns[::-1])
    )


def _sum(x: Row, y: Row) -> Row:
    return tuple((a + b) % R for a, b in zip(x, y, strict=True))


def apply(matrix: Matrix, vector: Row) -> Row:
    """The matrix times a vector."""
    return tuple(sum(map(mul, row, vector)) % R for row in matrix)


def multiply(x: Matrix, y: Matrix) -> Matrix:
    """The product of two matrices."""
    columns = transpose(y)
    return tuple(apply(columns, row) for row in x)


def _power(matrix: Matrix, exponent: int) -> Matrix:
    """The matrix to a power of at least 1."""
    result = matrix
    for bit in f"{exponent:b}"[1:]:
        result = multiply(result, result)
        if bit == "1":
            result = multiply(result, matrix)
    return result


def transpose(matrix: Matrix) -> Matrix:
    """Rows become columns."""
    return tuple(zip(*matrix, strict=True))


def inverse(matrix: Matrix) -> Matrix:
    """By Gauss and Jordan, without pivoting, which every minor of a Cauchy matrix allows.

    Raises:
        ValueError: a pivot is 0.
    """
    n = len(matrix)
    work = [[*row, *(int(i == j) for j in range(n))] for i, row in enumerate(matrix)]
    for i in range(n):
        scale = pow(work[i][i], -1, R)
        pivot = work[i] = [x * scale % R for x in work[i]]
        for j in range(n):
            if j != i and work[j][i]:
                factor = work[j][i]
                work[j] = [(x - factor * y) % R for x, y in zip(work[j], pivot, strict=True)]
    return tuple(tuple(row[n:]) for row in work)
