"""Transforms of a few rows at a time, in the cache and in vector lanes: the one kernel that all transforms are made of.

A *tile* is 2^power elements in every lane, each lane a transform of its own. One butterfly takes two stages (radix 4).
Its factors come before its sums, as Cooley and Tukey (1965) have them, so values grow by a few times the modulus a
stage, not twofold, and are reduced once a pass, if at all. There are two orders of the stages:

- *down*, from natural to bit-reversed order: the polynomial is taken modulo x^(n/2) ∓ c, these modulo x^(n/4) ∓ √±c …;
  all butterflies of a block share their factors, and factor number b is the root of unity with b's bits reversed,
  whatever the size of the block;
- *up*, from bit-reversed to natural order: even and odd coefficients join; factors differ from place to place, and may
  carry the shift of a coset.

:func:`transform` loads, transforms and writes tile after tile as a :class:`Pass` says.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import simd
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.jit import kernel, load
from aitbc_rollup.algebra.simd import LANES, RADIX, REGISTER_BYTES, SPREAD_WORDS, Element

#: log2 of the largest tile: 320 KiB with eight lanes, and as much for its scales.
LARGEST = 10
#: Scratch that a call of :func:`transform` needs, in words: a tile, its scales, the squares these are made of.
SCRATCH_WORDS = (2 * (1 << LARGEST) + LARGEST) * REGISTER_BYTES // 8

#: Pairs of stages that run in blocks: 4^3 places fit the first-level cache.
_PAIRS_WITHIN = 3
_FACTOR = 8 * SPREAD_WORDS

# What rows hold; how much one butterfly may add to a value; what a value may be before the last one of a pass, which
# has at most LARGEST/2 down and as many up.
_ROWS = R
_GROWTH = 5 * R
_BELOW = _ROWS + LARGEST * _GROWTH
# A product of any such value and a factor.
_PRODUCT = 2 * R


class Pass(NamedTuple):
    """What :func:`transform` does to each tile. All numbers are addresses, bytes or flags.

    ``places`` is the address of pairs of addresses, source and target, one for each of ``arrays`` vectors. Place p of
    lane l of tile t is ``t·tile + p·place + l·lane`` bytes from there; places of the target are bit-reversed if
    ``reverse``.

    Loading: if ``product``, the first array is the product of the others' sources; if ``scale_first``, every place is
    multiplied by its scale. Then stages go down (``down``: address of the factors, or 0) and up (likewise; ``coset``
    says that no factor is 1). Writing: multiplied by the scale if ``scale_last``; if ``join``, the last array's target
    becomes its product with the one before less the first, canonical.

    The scale of place p, lane l of tile t is ``first · (base_l · step^t)^(p with its bits reversed)``: ``bases`` are
    rows, ``steps`` step^1, step^2, step^4 …, and these and ``first`` are as ``simd.spread`` makes them.
    """

    power: int
    arrays: int
    places: int
    source_tile: int
    source_place: int
    source_lane: int
    target_tile: int
    target_place: int
    target_lane: int
    down: int
    up: int
    first: int
    bases: int
    steps: int
    reverse: int = 0
    product: int = 0
    join: int = 0
    coset: int = 0
    scale_first: int = 0
    scale_last: int = 0


# -- one place of a tile ----------------------------------------------------------------------------------------


def _rows(builder: Any, base: Any, stride: Any) -> list[Any]:
    """One address a lane."""
    rows = [base]
    while len(rows) < LANES:
        rows.append(builder.add(rows[-1], stride))
    return rows


@simd.operation
def _load(builder: Any, place: Any, base: Any, stride: Any) -> None:
    f = simd.lanes(builder, R)
    f.store(place, f.gather(_rows(builder, base, stride), _ROWS))


@simd.operation
def _load_product(builder: Any, place: Any, base: Any, other: Any, stride: Any) -> None:
    f = simd.lanes(builder, R)
    f.store(place, f.gather(_rows(builder, base, stride), _ROWS) * f.gather(_rows(builder, other, stride), _ROWS))


@simd.operation
def _load_scaled(builder: Any, place: Any, base: Any, stride: Any, scale: Any) -> None:
    f = simd.lanes(builder, R)
    f.store(place, f.gather(_rows(builder, base, stride), _ROWS) * f.load(scale, _PRODUCT))


@simd.operation
def _write(builder: Any, place: Any, base: Any, stride: Any) -> None:
    f = simd.lanes(builder, R)
    f.scatter(_rows(builder, base, stride), f.load(place, _BELOW + _GROWTH).canonical())


@simd.operation
def _write_scaled(builder: Any, place: Any, base: Any, stride: Any, scale: Any) -> None:
    f = simd.lanes(builder, R)
    f.scatter(_rows(builder, base, stride), (f.load(place, _BELOW + _GROWTH) * f.load(scale, _PRODUCT)).canonical())


@simd.operation
def _write_joined(builder: Any, place: Any, base: Any, factor: Any, less: Any, stride: Any) -> None:
    """Three values of the form x·2^256, the third with another factor of 2^(256 − RADIX), to a canonical one."""
    f = simd.lanes(builder, R)
    x, y, z = f.load(place, _BELOW + _GROWTH), *(f.gather(_rows(builder, at, stride), _ROWS) for at in (factor, less))
    f.scatter(_rows(builder, base, stride), ((x * y - z) * f.constant(pow(2, RADIX - 512, R))).canonical())


# -- butterflies ------------------------------------------------------------------------------------------------


def _keep_sum_and_difference(at_sum: Any, at_difference: Any, x: Element, y: Element) -> None:
    for place, result in ((at_sum, x + y), (at_difference, x - y)):
        if result.below > _BELOW + _GROWTH:
            raise OverflowError("a butterfly adds more to its values than the passes allow for")
        result.lanes.store(place, result)


@simd.operation
def _butterfly2(builder: Any, x: Any, y: Any, w: Any) -> None:
    f = simd.lanes(builder, R)
    _keep_sum_and_difference(x, y, f.load(x, _BELOW), f.load(y, _BELOW) * f.broadcast(w))


@simd.operation
def _butterfly4(builder: Any, x: Any, y: Any, z: Any, t: Any, w1: Any, w2: Any, w3: Any) -> None:
    """x ± w₁z and y ± w₁t; then the sums with w₂, the differences with w₃, in the same way."""
    f = simd.lanes(builder, R)
    w = f.broadcast(w1)
    a, b, c, d = f.load(x, _BELOW), f.load(y, _BELOW), f.load(z, _BELOW) * w, f.load(t, _BELOW) * w
    sums, differences = (b + d) * f.broadcast(w2), (b - d) * f.broadcast(w3)
    _keep_sum_and_difference(x, y, a + c, sums)
    _keep_sum_and_difference(z, t, a - c, differences)


@simd.operation
def _butterfly4_of_ones(builder: Any, x: Any, y: Any, z: Any, t: Any, w3: Any) -> None:
    """The same with w₁ = w₂ = 1."""
    f = simd.lanes(builder, R)
    a, b, c, d = (f.load(at, _BELOW) for at in (x, y, z, t))
    b, c, d = b.reduced(), c.reduced(), d.reduced()
    sums, differences = b + d, (b - d) * f.broadcast(w3)
    _keep_sum_and_difference(x, y, a + c, sums)
    _keep_sum_and_difference(z, t, a - c, differences)


@kernel
def _two_stages(tile: int, quarter: int, start: int, stop: int, factors: int, up: int, coset: int) -> None:
    """Two stages of the blocks start ≤ b < stop, of four times ``quarter`` places each."""
    step = quarter * REGISTER_BYTES
    for block in range(start, stop):
        x = tile + 4 * step * block
        for i in range(quarter):
            if up:
                y, z, number = x + 2 * step, x + step, i
                w1, w2, w3 = quarter + i, 2 * quarter + i, 3 * quarter + i
            else:
                y, z, number = x + step, x + 2 * step, block
                w1, w2, w3 = block, 2 * block, 2 * block + 1
            w1, w2, w3 = factors + _FACTOR * w1, factors + _FACTOR * w2, factors + _FACTOR * w3
            if number or coset:
                _butterfly4(x, y, z, x + 3 * step, w1, w2, w3)
            else:
                _butterfly4_of_ones(x, y, z, x + 3 * step, w3)
            x += REGISTER_BYTES


@kernel
def _all_stages(tile: int, power: int, factors: int, up: int, coset: int) -> None:
    """All stages of a tile; the shorter ones, which stay within blocks, block by block, in the first-level cache."""
    length, odd, pairs = 1 << power, power & 1, power >> 1
    if odd:
        distance, step = (1, 2) if up else (length >> 1, 1)
        for i in range(0, step * (length >> 1), step):
            x = tile + REGISTER_BYTES * i
            _butterfly2(x, x + REGISTER_BYTES * distance, factors + _FACTOR * up)
    shortest = 1 << (odd & up)
    within = min(pairs, _PAIRS_WITHIN)
    for turn in range(2):
        # Down, the longer stages come first; up, the shorter ones.
        first, last, parts = (0, within, length // (shortest << 2 * within)) if turn != up else (within, pairs, 1)
        for part in range(parts):
            for i in range(last - first):
                quarter = shortest << 2 * (first + i if up else last - 1 - i)
                count = length // (4 * quarter * parts)
                _two_stages(tile, quarter, part * count, (part + 1) * count, factors, up, coset)


# -- scales -----------------------------------------------------------------------------------------------------


@simd.operation
def _load_base(builder: Any, out: Any, bases: Any, stride: Any) -> None:
    f = simd.lanes(builder, R)
    f.store(out, f.gather(_rows(builder, bases, stride), R))


@simd.operation
def _spread(builder: Any, out: Any, one: Any) -> None:
    f = simd.lanes(builder, R)
    f.store(out, f.broadcast(one))


@simd.operation
def _multiply(builder: Any, out: Any, x: Any, y: Any) -> None:
    f = simd.lanes(builder, R)
    f.store(out, f.load(x, _PRODUCT) * f.load(y, _PRODUCT))


@kernel
def _make_scales(scales: int, squares: int, plan: Pass, tile: int) -> None:
    """The scale of every place of a tile, in registers; ``squares`` is scratch for one register a bit of a place."""
    _load_base(squares, plan.bases, 32)
    bit = 0
    while tile >> bit:
        if tile >> bit & 1:
            _spread(scales, plan.steps + _FACTOR * bit)
            _multiply(squares, squares, scales)
        bit += 1
    for i in range(1, plan.power):
        square = squares + REGISTER_BYTES * i
        _multiply(square, square - REGISTER_BYTES, square - REGISTER_BYTES)
    _spread(scales, plan.first)
    for i in range(plan.power):
        square = squares + REGISTER_BYTES * (plan.power - 1 - i)
        for place in range(1 << i):
            at = scales + REGISTER_BYTES * place
            _multiply(at + (REGISTER_BYTES << i), at, square)


# -- a pass -----------------------------------------------------------------------------------------------------


@kernel
def _load_tile(tile: int, scales: int, plan: Pass, array: int, offset: int) -> None:
    source = np.intp(load(plan.places + 16 * array)) + offset
    other = np.intp(load(plan.places + 32)) + offset if plan.product and array == 0 else 0
    if other:
        source = np.intp(load(plan.places + 16)) + offset
    for i in range(1 << plan.power):
        place, at = REGISTER_BYTES * i, plan.source_place * i
        if other:
            _load_product(tile + place, source + at, other + at, plan.source_lane)
        elif plan.scale_first:
            _load_scaled(tile + place, source + at, plan.source_lane, scales + place)
        else:
            _load(tile + place, source + at, plan.source_lane)


@kernel
def _write_tile(tile: int, scales: int, plan: Pass, array: int, offset: int) -> None:
    last = plan.arrays - 1
    target = np.intp(load(plan.places + 16 * array + 8)) + offset
    joined = plan.join and array == last
    if joined:
        factor = np.intp(load(plan.places + 16 * last - 8)) + offset
        less = np.intp(load(plan.places + 8)) + offset
    number = 0
    for i in range(1 << plan.power):
        place, at = REGISTER_BYTES * i, plan.target_place * number
        if joined:
            _write_joined(tile + place, target + at, factor + at, less + at, plan.target_lane)
        elif plan.scale_last:
            _write_scaled(tile + place, target + at, plan.target_lane, scales + place)
        else:
            _write(tile + place, target + at, plan.target_lane)
        if plan.reverse:
            # The next number in bit-reversed order: one is added at the highest bit, and carried down.
            bit = 1 << plan.power >> 1
            while number & bit:
                number, bit = number ^ bit, bit >> 1
            number |= bit
        else:
            number += 1


@kernel
def transform(fields: NDArray[np.int64], start: int, stop: int, scratch: int) -> None:
    """Tiles start ≤ t < stop of the pass with these fields; ``scratch`` is the address of ``SCRATCH_WORDS`` words."""
    f = fields
    plan = Pass(
        f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9],
        f[10], f[11], f[12], f[13], f[14], f[15], f[16], f[17], f[18], f[19],
    )  # fmt: skip
    tile = scratch
    scales = tile + (REGISTER_BYTES << plan.power)
    squares = scales + (REGISTER_BYTES << plan.power)
    for t in range(start, stop):
        if plan.first:
            _make_scales(scales, squares, plan, t)
        for array in range(plan.arrays):
            _load_tile(tile, scales, plan, array, t * plan.source_tile)
            for up in range(2):
                factors = plan.up if up else plan.down
                if factors:
                    _all_stages(tile, plan.power, factors, up, up & plan.coset)
            _write_tile(tile, scales, plan, array, t * plan.target_tile)
