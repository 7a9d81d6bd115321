"""Sums of many independent pairs of affine points, in lanes, at one inversion for all of them.

An affine addition takes 1/(x₂ − x₁). Montgomery's trick turns the inversions of a batch into one and three products
each: going up, every lane multiplies its denominators into a chain and keeps each product; the ends of the chains are
inverted together; going down, each addition takes its inverse off the chain. In all 5 products and a square a pair.

Every case is exact. Infinity is the row that is all zero; no other point is, for no point of these curves has y = 0:
their orders (that of the twist too, on which G2 lies) are odd. Pairs in which a denominator may be 0 or a point may
be infinity are looked at again, exactly: a doubling gets the denominator 2·y and the slope 3·x²/(2·y), so it costs
hardly more than an addition; where the result is infinity or one of the points, the denominator is 1.

The functions marked ``@template`` are written once for both groups; see ``jit.Templates``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir

from .. import fq
from ..bn254 import P
from ..jit import I64, Templates, address, kernel, load, prefetch, stack, store
from ..limbs import to_limbs
from .operations import operation
from .paths import LANES, RADIX, REGISTER_BYTES, lanes
from .quadratic import QuadraticLanes

#: Coordinates in rows are below this, which ``reduced`` gives; values of chains below that.
_ROW_BELOW = 13 * P // 10
_CHAIN_BELOW = 5 * P
#: A number x stands in lanes as x·2^RADIX. The inversion of ``fq`` gives 2^512/(x·2^RADIX); times this and 2^-256, that
#: is (1/x)·2^RADIX.
_BACK = to_limbs([pow(2, 2 * RADIX - 256, P)])

# Filled in by _build(); named here so that the templates read, and check, like ordinary code.
SIZE = 0
CHAIN = 0
begin: Any = None
climb: Any = None
climb_exactly: Any = None
norm_rows: Any = None
turn: Any = None
descend: Any = None
descend_exactly: Any = None

template = Templates()


class Batch(NamedTuple):
    """Where the pairs are that :func:`add_pairs` adds, and its scratch: addresses, or as :func:`batch_words` sizes.

    A pair is ``left`` and ``right``, addresses of rows, plus 1 for the negative of the point there; ``sums`` says where
    its sum goes, also a row. The other parts are scratch.
    """

    left: int
    right: int
    sums: int
    chain: int
    cases: int
    spare: int


def batch_words(degree: int, pairs: int) -> Batch:
    """Words of 8 bytes that each part of a batch for so many pairs takes."""
    steps = -(-pairs // LANES)
    listed = steps * LANES
    return Batch(listed, listed, listed, (steps + 1) * REGISTER_BYTES * degree // 8, steps, 8 * degree)


class _Code:
    """Writes the steps of one register's pairs; lists are addresses of one ``i64`` a lane."""

    def __init__(self, builder: ir.IRBuilder, degree: int, left: Any = None, right: Any = None) -> None:
        self.builder = builder
        self.lanes = lanes(builder, P)
        self.field: Any = self.lanes if degree == 1 else QuadraticLanes(self.lanes)
        self.size, self.link = 32 * degree, REGISTER_BYTES * degree
        self.lists = (left, right)

    def plus(self, at: Any, offset: int) -> Any:
        """An address further on."""
        return self.builder.add(at, ir.Constant(I64, offset))

    def rows(self, references: Any, offset: int = 0) -> list[Any]:
        """Addresses without the sign."""
        pointers = [
            self.builder.inttoptr(self.plus(references, 8 * i), I64.as_pointer()) for i in range(self.lanes.count)
        ]
        rows = [self.builder.and_(self.builder.load(at), ir.Constant(I64, -2)) for at in pointers]
        return [self.plus(row, offset) for row in rows] if offset else rows

    def xs(self) -> list[Any]:
        """x₁, x₂."""
        return [self.field.gather(self.rows(references), _ROW_BELOW) for references in self.lists]

    def ys(self) -> list[Any]:
        """y₁, y₂ as they lie there."""
        return [self.field.gather(self.rows(references, self.size), _ROW_BELOW) for references in self.lists]

    def signed(self, ys: list[Any]) -> list[Any]:
        """y₁, y₂ of the points meant."""
        zero = self.field.constant(0)
        return [
            self.field.select(self.lanes.odd(references), zero - y, y)
            for references, y in zip(self.lists, ys, strict=True)
        ]

    def lengthen(self, chain: Any, denominator: Any) -> None:
        """Going up: the next product."""
        product = self.load(chain) * denominator
        self.store(self.plus(chain, self.link), product)

    def load(self, chain: Any) -> Any:
        """A value of the chain."""
        return self.field.load(chain, _CHAIN_BELOW)

    def store(self, chain: Any, x: Any) -> None:
        """Keep one."""
        if x.below > _CHAIN_BELOW:
            raise OverflowError("a chain's value exceeds the bound it will be loaded with")
        self.field.store(chain, x)

    def take_inverse(self, chain: Any, denominator: Any) -> Any:
        """Going down: the inverse of a denominator; the chain's product before it gives way to that one's inverse."""
        inverse, before = self.load(self.plus(chain, self.link)), self.load(chain)
        self.store(chain, inverse * denominator)
        return inverse * before

    def chord(self, slope: Any, xs: list[Any], y1: Any) -> tuple[Any, Any]:
        """The third point of the line, reflected."""
        x3 = (slope.square() - (xs[0] + xs[1])).reduced()
        return x3, (slope * (xs[0] - x3) - y1).reduced()

    def write(self, sums: Any, x: Any, y: Any) -> None:
        """Rows of results."""
        if max(x.below, y.below) > _ROW_BELOW:
            raise OverflowError("a coordinate exceeds the bound it will be loaded with")
        self.field.scatter(self.rows(sums), x)
        self.field.scatter(self.rows(sums, self.size), y)

    # An exceptional register's cases are four masks in a word.

    def pack(self, masks: list[Any]) -> Any:
        """The word."""
        word = ir.Constant(I64, 0)
        for i, mask in enumerate(masks):
            word = self.builder.or_(word, self.builder.shl(self.lanes.bits(mask), ir.Constant(I64, 8 * i)))
        return word

    def unpack(self, word: Any) -> list[Any]:
        """The masks."""
        return [self.lanes.mask(self.builder.lshr(word, ir.Constant(I64, 8 * i))) for i in range(4)]

    def tell_cases(self, xs: list[Any], ys: list[Any]) -> list[Any]:
        """Where the sum is a doubling, the left point, the right one, infinity: disjoint masks."""
        b, f = self.builder, self.field
        y1, y2 = self.signed(ys)
        null1, null2 = (f.all_null(x, y) for x, y in zip(xs, ys, strict=True))
        neither = b.not_(b.or_(null1, null2))
        same_x = b.and_(neither, f.all_null((xs[1] - xs[0]).canonical()))
        same_y = f.all_null((y2 - y1).canonical())
        return [
            b.and_(same_x, same_y),
            b.and_(null2, b.not_(null1)),
            b.and_(null1, b.not_(null2)),
            b.or_(b.and_(null1, null2), b.and_(same_x, b.not_(same_y))),
        ]

    def denominator(self, xs: list[Any], y1: Any, masks: list[Any]) -> Any:
        """What an exceptional register's lanes divide by."""
        f, (doubling, left, right, infinity) = self.field, masks
        trivial = self.builder.or_(self.builder.or_(left, right), infinity)
        return f.select(trivial, f.constant(1), f.select(doubling, y1 + y1, xs[1] - xs[0]))


def _steps(degree: int) -> dict[str, Any]:
    """The steps of a batch as operations; ``chain`` is the place in the chain that belongs to a register's pairs."""

    @operation
    def begin(builder: ir.IRBuilder, chain: Any) -> None:
        """Write the product of nothing."""
        code = _Code(builder, degree)
        code.store(chain, code.field.constant(1))

    @operation
    def climb(builder: ir.IRBuilder, chain: Any, left: Any, right: Any) -> int:
        """Lengthen the chain by the differences of x; returns the lanes in which that may be wrong."""
        code = _Code(builder, degree, left, right)
        x1, x2 = code.xs()
        difference = x2 - x1
        code.lengthen(chain, difference)
        nulls = builder.or_(code.field.all_null(x1), code.field.all_null(x2))
        return code.lanes.bits(builder.or_(code.field.may_be_zero(difference), nulls))

    @operation
    def climb_exactly(builder: ir.IRBuilder, chain: Any, left: Any, right: Any) -> int:
        """The same for a register with such lanes; returns its cases, 0 if there are none after all."""
        code = _Code(builder, degree, left, right)
        xs, ys = code.xs(), code.ys()
        masks = code.tell_cases(xs, ys)
        code.lengthen(chain, code.denominator(xs, code.signed(ys)[0], masks))
        return code.pack(masks)

    @operation
    def norm_rows(builder: ir.IRBuilder, chain: Any, rows: Any) -> None:
        """Write what is to be inverted in Fq, 32 bytes a lane."""
        code = _Code(builder, degree)
        norm = code.field.norm(code.load(chain)).canonical()
        code.lanes.scatter([code.plus(rows, 32 * i) for i in range(code.lanes.count)], norm)

    @operation
    def turn(builder: ir.IRBuilder, chain: Any, rows: Any) -> None:
        """Write the inverse over the last product, given what was asked for by :func:`norm_rows`."""
        code = _Code(builder, degree)
        inverses = code.lanes.gather([code.plus(rows, 32 * i) for i in range(code.lanes.count)], P)
        code.store(chain, code.field.inverse(code.load(chain), inverses))

    @operation
    def descend(builder: ir.IRBuilder, chain: Any, left: Any, right: Any, sums: Any) -> None:
        """Take the inverses off the chain and write the sums."""
        code = _Code(builder, degree, left, right)
        xs = code.xs()
        inverse = code.take_inverse(chain, xs[1] - xs[0])
        y1, y2 = code.signed(code.ys())
        code.write(sums, *code.chord((y2 - y1) * inverse, xs, y1))

    @operation
    def descend_exactly(builder: ir.IRBuilder, chain: Any, left: Any, right: Any, sums: Any, cases: Any) -> None:
        """The same for a register with these cases."""
        code = _Code(builder, degree, left, right)
        f, masks = code.field, code.unpack(cases)
        xs, (y1, y2) = code.xs(), code.signed(code.ys())
        inverse = code.take_inverse(chain, code.denominator(xs, y1, masks))
        doubling, left_alone, right_alone, infinity = masks
        rise = f.select(doubling, xs[0].square().times(3), y2 - y1)
        results = []
        third = code.chord(rise * inverse, xs, y1)
        for of_third, of_left, of_right in zip(third, (xs[0], y1), (xs[1], y2), strict=True):
            one_alone = f.select(left_alone, of_left, f.select(right_alone, of_right, of_third))
            results.append(f.select(infinity, f.constant(0), one_alone).reduced())
        code.write(sums, *results)

    return {
        "begin": begin, "climb": climb, "climb_exactly": climb_exactly, "norm_rows": norm_rows, "turn": turn,
        "descend": descend, "descend_exactly": descend_exactly,
    }  # fmt: skip


@kernel
def _invert_all(rows: int) -> None:
    """Invert one element of Fq a lane, in place; if one is 0, all become 0."""
    products, inverse, result = stack(32), stack(4), stack(4)
    fq.copy(products, rows)
    for i in range(1, LANES):
        fq.mul(products + 32 * i, products + 32 * (i - 1), rows + 32 * i)
    fq.invert(inverse, products + 32 * (LANES - 1))
    fq.mul(inverse, inverse, address(_BACK))
    for j in range(LANES - 1):
        i = LANES - 1 - j
        fq.mul(result, inverse, products + 32 * (i - 1))
        fq.mul(inverse, inverse, rows + 32 * i)
        fq.copy(rows + 32 * i, result)
    fq.copy(rows, inverse)


@template
def add_pairs(batch: Batch, count: int, ahead: int, ahead_count: int) -> None:
    """Write the sums of the first ``count`` pairs; meanwhile have ``ahead_count`` rows listed at ``ahead`` fetched.

    A sum may lie over a point of its own pair, and over no other pair's.
    """
    left, right, sums, chain, cases, spare = batch
    norms = stack(32)
    if count == 0:
        return
    steps = (count + LANES - 1) // LANES
    for i in range(count, steps * LANES):
        store(left + 8 * i, load(left))
        store(right + 8 * i, load(right))
        store(sums + 8 * i, np.uint64(spare))
    begin(chain)
    for step in range(steps):
        at = 8 * LANES * step
        case = climb(chain, left + at, right + at)
        if case != 0:
            case = climb_exactly(chain, left + at, right + at)
        store(cases + 8 * step, np.uint64(case))
        chain += CHAIN
    norm_rows(chain, norms)
    _invert_all(norms)
    turn(chain, norms)
    fetched = 0
    for j in range(steps):
        step = steps - 1 - j
        at = 8 * LANES * step
        chain -= CHAIN
        case = np.intp(load(cases + 8 * step))
        if case == 0:
            descend(chain, left + at, right + at, sums + at)
        else:
            descend_exactly(chain, left + at, right + at, sums + at, case)
        while fetched * steps < ahead_count * (j + 1):
            row = np.intp(load(ahead + 8 * fetched))
            for line in range(0, 2 * SIZE, 64):
                prefetch(row + line)
            fetched += 1


def _build(degree: int) -> Any:
    sizes = {"SIZE": 32 * degree, "CHAIN": REGISTER_BYTES * degree}
    return template.build(f"g{degree}", {**globals(), **sizes, **_steps(degree)})["add_pairs"]


#: :func:`add_pairs` of points with coordinates in Fq, and in Fq2.
add_pairs_g1 = _build(1)
add_pairs_g2 = _build(2)
