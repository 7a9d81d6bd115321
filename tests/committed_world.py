"""A small system with a commitment, made by hand: public z = e + 2f where (e, f) is (x, y) in some order.

The order is proven by a product at the challenge, (c − x)(c − y) = (c − e)(c − f), which holds for *every* z at some c:
so whoever chooses c after e and f proves what is false.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs
from aitbc_rollup.circuits.r1cs import R1CS, Commitment, SparseMatrix

ONE, X, Y, Z, CHALLENGE, E, F, MASK, PRODUCT, FREE = range(10)
COMMITTED = (E, F, MASK)
#: For each constraint the combinations of A, B, C.
ROWS: tuple[tuple[dict[int, int], ...], ...] = (
    ({CHALLENGE: 1, X: R - 1}, {CHALLENGE: 1, Y: R - 1}, {PRODUCT: 1}),
    ({CHALLENGE: 1, E: R - 1}, {CHALLENGE: 1, F: R - 1}, {PRODUCT: 1}),
    ({E: 1, F: 2}, {ONE: 1}, {Z: 1}),
    ({FREE: 1}, {FREE: 1}, {ONE: 1}),
    ({MASK: 1}, {}, {}),
)


def matrix(rows: list[dict[int, int]], table: list[int]) -> SparseMatrix:
    entries = [(wire, table.index(value)) for row in rows for wire, value in row.items()]
    indptr = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return SparseMatrix(indptr, *(np.array(column, np.uint32) for column in zip(*entries, strict=True)))


def system(rows: tuple[tuple[dict[int, int], ...], ...] = ROWS, commitment: Commitment | None = None) -> R1CS:
    table = sorted({value for row in rows for part in row for value in part.values()})
    parts = (matrix([row[i] for row in rows], table) for i in range(3))
    chosen = commitment or Commitment(np.array(COMMITTED, np.uint32), MASK)
    return R1CS(10, 0, 4, 0, *parts, to_limbs(table), chosen)


SYSTEM = system()


def values(x: int, y: int, z: int, e: int, f: int, challenge: int, mask: int) -> list[int]:
    """The wires' values, as far as (e, f) go: honest if they are x and y."""
    return [1, x, y, z, challenge, e, f, mask, (challenge - e) * (challenge - f) % R, 1]


@dataclass(frozen=True)
class Run:
    x: int
    y: int
    e: int
    f: int
    masks: list[int]

    def commitment_values(self, mask: int) -> Limbs:
        self.masks.append(mask)
        return to_limbs([self.e, self.f, mask])

    def public_inputs(self) -> list[int]:
        return [self.x, self.y, (self.e + 2 * self.f) % R]

    def finish(self, challenge: int) -> Limbs:
        return to_limbs(values(*self.public_inputs(), self.e, self.f, challenge, self.masks[-1]))


class Circuit:
    """What a compiler makes of it, as far as a prover looks at it: ``swap`` chooses the order."""

    r1cs = SYSTEM

    def begin(self, assignment: Mapping[str, Any]) -> Run:
        x, y = assignment["x"], assignment["y"]
        e, f = assignment.get("pair") or ((y, x) if assignment["swap"] else (x, y))
        return Run(x, y, e, f, [])


def challenge_of_a_lie(x: int, y: int, e: int, f: int) -> int:
    """The one c at which (c − x)(c − y) = (c − e)(c − f), of pairs with different sums."""
    return (x * y - e * f) * pow(x + y - e - f, -1, R) % R


def witness(x: int = 3, y: int = 5, *, challenge: int, mask: int | None = None) -> Limbs:
    chosen = 1 + secrets.randbelow(R - 1) if mask is None else mask
    return to_limbs(values(x, y, x + 2 * y, x, y, challenge, chosen))


def changed(limbs: Limbs, wire: int, value: int) -> Limbs:
    other = from_limbs(limbs)
    other[wire] = value % R
    return to_limbs(other)
