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

#: Stages run in blocks of this many places where they can: they fit the first-level cache.
_BLOCK = 64
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


def _keep(place: Any, x: Element) -> None:
    if x.below > _BELOW + _GROWTH:
        raise OverflowError("a butterfly adds more to its values than the passes allow for")
    x.lanes.store(place, x)


@simd.operation
def _butterfly2(builder: Any, x: Any, y: Any, w: Any) -> None:
    f = simd.lanes(builder, R)
    a, b = f.load(x, _BELOW), f.load(y, _BELOW) * f.broadcast(w)
    _keep(x, a + b)
    _keep(y, a - b)


@simd.operation
def _butterfly4(builder: Any, x: Any, y: Any, z: Any, t: Any, w1: Any, w2: Any, w3: Any) -> None:
    """x ± w₁z and y ± w₁t; then the sums with w₂, the differences with w₃, in the same way."""
    f = simd.lanes(builder, R)
    w = f.broadcast(w1)
    a, b, c, d = f.load(x, _BELOW), f.load(y, _BELOW), f.load(z, _BELOW) * w, f.load(t, _BELOW) * w
    sums, differences = (b + d) * f.broadcast(w2), (b - d) * f.broadcast(w3)
    _keep(x, a + c + sums)
    _keep(y, a + c - sums)
    _keep(z, a - c + differences)
    _keep(t, a - c - differences)


@simd.operation
def _butterfly4_of_ones(builder: Any, x: Any, y: Any, z: Any, t: Any, w3: Any) -> None:
    """The same with w₁ = w₂ = 1."""
    f = simd.lanes(builder, R)
    a, b, c, d = (f.load(at, _BELOW) for at in (x, y, z, t))
    b, c, d = b.reduced(), c.reduced(), d.reduced()
    sums, differences = b + d, (b - d) * f.broadcast(w3)
    _keep(x, a + c + sums)
    _keep(y, a + c - sums)
    _keep(z, a - c + differences)
    _keep(t, a - c - differences)


@kernel
def _two_stages(tile: int, quarter: int, start: int, stop: int, factors: int, up: bool, coset: bool) -> None:
    """Two stages of the blocks start ≤ b < stop, of four times ``quarter`` places each."""
    far = quarter * REGISTER_BYTES
    for block in range(start, stop):
        at = tile + 4 * far * block
        for i in range(quarter):
            if up:
                y, z, number = at + 2 * far, at + far, i
                w1, w2, w3 = quarter + i, 2 * quarter + i, 3 * quarter + i
            else:
                y, z, number = at + far, at + 2 * far, block
                w1, w2, w3 = block, 2 * block, 2 * block + 1
            if number or coset:
                _butterfly4(
                    at, y, z, at + 3 * far, factors + _FACTOR * w1, factors + _FACTOR * w2, factors + _FACTOR * w3
                )
            else:
                _butterfly4_of_ones(at, y, z, at + 3 * far, factors + _FACTOR * w3)
            at += REGISTER_BYTES


@kernel
def _go_down(tile: int, power: int, factors: int) -> None:
    length = 1 << power
    quarter = length >> 2
    blocks = 1
    if power & 1:
        half = length >> 1
        for i in range(half):
            _butterfly2(tile + REGISTER_BYTES * i, tile + REGISTER_BYTES * (half + i), factors)
        quarter, blocks = quarter >> 1, 2
    while 4 * quarter > _BLOCK:
        _two_stages(tile, quarter, 0, blocks, factors, False, False)
        quarter, blocks = quarter >> 2, blocks << 2
    for block in range(blocks):
        smaller, count = quarter, 1
        while smaller:
            _two_stages(tile, smaller, block * count, (block + 1) * count, factors, False, False)
            smaller, count = smaller >> 2, count << 2


@kernel
def _go_up(tile: int, power: int, factors: int, coset: bool) -> None:
    length = 1 << power
    size = min(length, _BLOCK if power & 1 == 0 else 2 * _BLOCK)
    for block in range(length // size):
        quarter = 1
        if power & 1:
            for i in range(size * block, size * (block + 1), 2):
                _butterfly2(tile + REGISTER_BYTES * i, tile + REGISTER_BYTES * (i + 1), factors + _FACTOR)
            quarter = 2
        while 4 * quarter <= size:
            count = size // (4 * quarter)
            _two_stages(tile, quarter, block * count, (block + 1) * count, factors, True, coset)
            quarter <<= 2
    quarter = size
    while 4 * quarter <= length:
        _two_stages(tile, quarter, 0, length // (4 * quarter), factors, True, coset)
        quarter <<= 2


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
def _address(plan: Pass, array: int, is_target: int) -> np.intp:
    return np.intp(load(plan.places + 16 * array + 8 * is_target))


@kernel
def _load_tile(tile: int, scales: int, plan: Pass, array: int, offset: int) -> None:
    at, lane = tile, plan.source_lane
    source = _address(plan, array, 0) + offset
    if plan.product and array == 0:
        x, y = _address(plan, 1, 0) + offset, _address(plan, 2, 0) + offset
        for _ in range(1 << plan.power):
            _load_product(at, x, y, lane)
            at, x, y = at + REGISTER_BYTES, x + plan.source_place, y + plan.source_place
    elif plan.scale_first:
        for _ in range(1 << plan.power):
            _load_scaled(at, source, lane, scales)
            at, source, scales = at + REGISTER_BYTES, source + plan.source_place, scales + REGISTER_BYTES
    else:
        for _ in range(1 << plan.power):
            _load(at, source, lane)
            at, source = at + REGISTER_BYTES, source + plan.source_place


@kernel
def _write_tile(tile: int, scales: int, plan: Pass, array: int, offset: int) -> None:
    lane, last = plan.target_lane, plan.arrays - 1
    target = _address(plan, array, 1) + offset
    place = 0
    for i in range(1 << plan.power):
        at, to = REGISTER_BYTES * i, plan.target_place * place
        if plan.join and array == last:
            factor, less = _address(plan, last - 1, 1) + offset, _address(plan, 0, 1) + offset
            _write_joined(tile + at, target + to, factor + to, less + to, lane)
        elif plan.scale_last:
            _write_scaled(tile + at, target + to, lane, scales + at)
        else:
            _write(tile + at, target + to, lane)
        if plan.reverse:
            # The next number in bit-reversed order: one is added at the highest bit, and carried down.
            bit = 1 << plan.power >> 1
            while place & bit:
                place, bit = place ^ bit, bit >> 1
            place |= bit
        else:
            place += 1


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
            if plan.down:
                _go_down(tile, plan.power, plan.down)
            if plan.up:
                _go_up(tile, plan.power, plan.up, plan.coset != 0)
            _write_tile(tile, scales, plan, array, t * plan.target_tile)
