"""Many multiples of one generator, as setup needs them: tables of window multiples, then additions only.

``table[w][k − 1] = k·2^(c·w)·G`` for 1 ≤ k ≤ 2^(c−1); a multiple is one mixed addition a window. Results are made
affine a thousand at a time with one inversion.
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.jit import address, checked, kernel
from aitbc_rollup.algebra.limbs import Limbs

from . import digits as signed
from . import threads
from .digits import Digits
from .groups import (
    ACC_WORDS,
    AFFINE_WORDS,
    Group,
    add,
    add_affine,
    batch_to_affine,
    copy,
    double,
    set_affine,
    set_infinity,
    sub_affine,
)

_CHUNK = 1024


@kernel
def _window_bases(group: int, accs: Limbs, generator: Limbs, width: int) -> None:
    """``accs[w] = 2^(width·w)·generator``."""
    acc_bytes = 128 * group
    at = address(accs)
    set_affine(group, at, address(generator))
    for _ in range(1, accs.shape[0]):
        copy(group, at + acc_bytes, at)
        at += acc_bytes
        for _ in range(width):
            double(group, at)


@kernel
def _window_multiples(group: int, row: Limbs, accs: Limbs, base: Limbs) -> None:
    """``row[k] = (k + 1)·base``, affine; ``accs`` is scratch."""
    acc_bytes = 128 * group
    at = address(accs)
    copy(group, at, address(base))
    for _ in range(1, accs.shape[0]):
        copy(group, at + acc_bytes, at)
        at += acc_bytes
        add(group, at, address(base))
    batch_to_affine(group, address(row), address(accs), accs.shape[0])


@kernel
def _multiples(group: int, out: Limbs, accs: Limbs, table: Limbs, digits: Digits, start: int, stop: int) -> None:
    """Affine multiples start ≤ i < stop, chunk by chunk; ``accs`` is scratch for one chunk."""
    point_bytes, acc_bytes = 64 * group, 128 * group
    row_bytes = point_bytes * table.shape[1]
    for chunk in range(start, stop, accs.shape[0]):
        count = min(accs.shape[0], stop - chunk)
        for i in range(count):
            acc = address(accs) + acc_bytes * i
            set_infinity(group, acc)
            row = address(table) - point_bytes
            for window in range(digits.shape[0]):
                digit = np.intp(digits[window, chunk + i])
                if digit > 0:
                    add_affine(group, acc, row + point_bytes * digit)
                elif digit < 0:
                    sub_affine(group, acc, row - point_bytes * digit)
                row += row_bytes
        batch_to_affine(group, address(out) + point_bytes * chunk, address(accs), count)


@lru_cache(maxsize=2)
def _table(group: Group, width: int) -> Limbs:
    generator = g1.to_array([G1_GENERATOR]) if group == 1 else g2.to_array([G2_GENERATOR])
    windows = signed.windows(R.bit_length(), width)
    half = 1 << (width - 1)
    bases = np.empty((windows, ACC_WORDS * group), np.uint64)
    _window_bases(group, bases, generator, width)
    table = np.empty((windows, half, AFFINE_WORDS * group), np.uint64)

    def task(window: int) -> None:
        _window_multiples(group, table[window], np.empty((half, ACC_WORDS * group), np.uint64), bases[window])

    threads.run(partial(task, window) for window in range(windows))
    return table


def _width(length: int) -> int:
    """The width that needs the fewest additions, the table's included (a table entry costs about three)."""

    def cost(width: int) -> int:
        return signed.windows(R.bit_length(), width) * (length + (3 << (width - 1)))

    return min(range(2, 15), key=cost)


def multiples(group: Group, scalars: Limbs) -> Limbs:
    """scalars[i]·generator for each i: canonical ``(n, 4)`` to affine ``(n, 8·group)`` in Montgomery form."""
    checked(scalars, None, 4)
    out = np.empty((len(scalars), AFFINE_WORDS * group), np.uint64)
    width = _width(len(scalars))
    table = _table(group, width)
    digits = signed.cut(scalars, width, len(table))

    def task(start: int, stop: int) -> None:
        scratch = np.empty((_CHUNK, ACC_WORDS * group), np.uint64)
        _multiples(group, out, scratch, table, digits, start, stop)

    threads.run(partial(task, *part) for part in threads.ranges(len(scalars), 64))
    return out
