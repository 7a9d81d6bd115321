"""Many multiples of the generator, as setup needs them: a table of multiples, then an addition a window and scalar."""

from __future__ import annotations

import numpy as np

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.limbs import to_limbs

from .device import Array, Device
from .plan import DigitPlan
from .points import AFFINE_WORDS, SUM_WORDS, Group, normalise

#: Threads of a block.
_THREADS = 128
#: Multiples made at a time: their sums take 128 MiB in G1, twice that in G2.
_CHUNK = 1 << 20
#: Wider windows would need fewer additions, but a table that the chip's caches do not hold.
_WIDTHS = range(2, 13)
#: Windows of one bit: the table is the powers of two.
_BITS = DigitPlan.of(1)


def multiples(device: Device, group: Group, scalars: Array) -> Array:
    """scalars[i]·generator for *canonical* scalars, uint64 (n, 4): affine points, (n, 8·group), canonical.

    Raises:
        ResourceError: the device has no room for them.
    """
    if len(scalars) == 0:
        return device.empty((0, AFFINE_WORDS * group), np.uint64)
    plan = DigitPlan.of(_width(len(scalars)))
    rows = [k << plan.window_bits * w for w in range(plan.windows) for k in range(1, plan.buckets + 1)]
    table = _sums(device, group, _powers(device, group), _BITS, device.upload(to_limbs([row % R for row in rows])))
    return _sums(device, group, table, plan, scalars)


def _sums(device: Device, group: Group, table: Array, plan: DigitPlan, scalars: Array) -> Array:
    """The multiples, by the table of a plan, uint64 (windows·buckets, 8·group)."""
    n = len(scalars)
    out = device.empty((n, AFFINE_WORDS * group), np.uint64)
    sums = device.empty((min(n, _CHUNK), SUM_WORDS * group), np.uint64)
    cut = np.uint32(plan.window_bits), np.uint32(plan.windows)
    for start in range(0, n, _CHUNK):
        part = scalars[start : start + _CHUNK]
        count = len(part)
        blocks = -(-count // _THREADS)
        device.launch("fixed_base", f"multiples_g{group}", blocks, _THREADS, sums, table, part, np.uint32(count), *cut)
        normalise(device, group, out[start : start + count], sums[:count])
    return out


def _powers(device: Device, group: Group) -> Array:
    """2^i·generator for each window of one bit."""
    exponents = to_limbs([1 << i for i in range(_BITS.windows)])
    if group == 1:
        return device.upload(g1.multiply(g1.to_array([G1_GENERATOR] * _BITS.windows), exponents))
    return device.upload(g2.multiply(g2.to_array([G2_GENERATOR] * _BITS.windows), exponents))


def _width(n: int) -> int:
    """The window width that needs the fewest additions for n multiples, with a row of the table for some ten."""
    return min(_WIDTHS, key=lambda width: DigitPlan.of(width).windows * (n + (10 << (width - 1))))
