"""Points on a device: affine, and as the sums that kernels keep (``kernels/curve.cuh``).

An affine point has 8 words in G1, 16 in G2; a sum (X, Y, ZZ, ZZZ) has twice as many.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.jit import address, checked, kernel, stack
from aitbc_rollup.algebra.limbs import Limbs

from .device import Argument, Array, Device

Group = Literal[1, 2]

#: Words of an affine point and of a sum, times the group.
AFFINE_WORDS, SUM_WORDS = 8, 16

#: Threads of a block.
THREADS = 128
#: Points that share an inversion, at least, and threads of a multiprocessor at most.
_SHARING, _NORMALISING = 16, 256


def launch(device: Device, group: Group, kernel: str, count: int, *arguments: Argument) -> None:
    """Queue a kernel of the group's module with a thread for each of ``count`` things; they check the bound."""
    device.launch(f"msm_g{group}", kernel, -(-count // THREADS), THREADS, *arguments)


def normalise(device: Device, group: Group, out: Array, sums: Array) -> None:
    """Write the affine points of sums, uint64 (n, 16·group), to ``out``, (n, 8·group), *canonical*."""
    n = len(sums)
    threads = min(-(-n // _SHARING), _NORMALISING * device.multiprocessors)
    launch(device, group, "normalise_points", threads, out, sums, np.uint32(n))


@kernel
def _add(group: int, total: int, point: int) -> None:
    if group == 1:
        g1.add(total, point)
    else:
        g2.add(total, point)


@kernel
def _weigh(group: int, out: Limbs, lists: Limbs) -> None:
    total = stack(32)
    parts, sets, bits, words = lists.shape
    if group == 1:
        g1.set_infinity(total)
    else:
        g2.set_infinity(total)
    for step in range(sets * bits - 1, -1, -1):
        list_set, bit = step // bits, step % bits
        if group == 1:
            g1.double(total)
        else:
            g2.double(total)
        for part in range(parts):
            at = address(lists) + 8 * words * (bits * (sets * part + list_set))
            if bit + 1 < bits:
                _add(group, total, at + 8 * words * (bit + 1))
            if bit == 0:
                _add(group, total, at)
    if group == 1:
        g1.to_affine(address(out), total)
    else:
        g2.to_affine(address(out), total)


def weigh(group: Group, lists: Limbs) -> Limbs:
    """Σ over parts, sets s and bits b of 2^(c·s)·(2^b·lists[part, s, 1 + b] + lists[part, s, 0]), affine and flat.

    Args:
        group: 1 for G1, 2 for G2.
        lists: *canonical* sums on the host, shape (parts, sets, c, 16·group), Montgomery form.
    """
    checked(lists, None, None, None, SUM_WORDS * group)
    out = np.zeros(AFFINE_WORDS * group, np.uint64)
    _weigh(group, out, lists)
    return out
