"""Scalars cut into signed windows: k = Σ dᵢ·2^(c·i) with −2^(c−1) ≤ dᵢ < 2^(c−1), and the top one from 0 to 2^(c−1).

All digits of a scalar come of one addition: those of k + Σ 2^(c−1 + c·i), the top window left out of the sum, are
2^(c−1) too large. So a number of b bits needs ⌈(b + 1)/c⌉ windows: the top one holds at most 2^(c−1) − 1 and a carry.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import threads
from aitbc_rollup.algebra.jit import address, bit_length, kernel, load, load_uint32, stack, store, store_int16
from aitbc_rollup.algebra.limbs import Limbs, to_limbs

Digits = NDArray[np.int16]
Wires = NDArray[np.uint32]

#: A digit of a wider window would not fit 16 bits.
MAX_WIDTH = 16
#: Longer scalars are refused: their sum above would overflow.
MAX_BITS = 255


@kernel
def _count_lengths(counts: NDArray[np.int64], scalars: int, wires: int, start: int, stop: int) -> None:
    for i in range(start, stop):
        scalar = scalars + 32 * (np.intp(load_uint32(wires + 4 * i)) if wires else i)
        limb = 3
        while limb > 0 and load(scalar + 8 * limb) == 0:
            limb -= 1
        counts[64 * limb + bit_length(load(scalar + 8 * limb))] += 1


#: Scalars cut at once: their sums stay in the first-level cache.
_BLOCK = 128


@kernel
def _cut(digits: Digits, scalars: int, wires: int, offset: Limbs, width: int, start: int, stop: int) -> None:
    count, total = digits.shape
    mask = np.uint64((1 << width) - 1)
    # Six times a block: all lowest words of the sums, then all second ones …, and zeros, where a window may end.
    words = stack(768)
    for i in range(_BLOCK):
        store(words + 8 * (5 * _BLOCK + i), np.uint64(0))
    for first in range(start, stop, _BLOCK):
        here = min(_BLOCK, stop - first)
        for i in range(here):
            scalar = scalars + 32 * (np.intp(load_uint32(wires + 4 * (first + i))) if wires else first + i)
            carry = np.uint64(0)
            for limb in range(4):
                word = load(scalar + 8 * limb)
                plus = word + offset[0, limb] + carry
                carry = np.uint64(plus < word or (carry != 0 and plus == word))
                store(words + 8 * (_BLOCK * limb + i), plus)
            store(words + 8 * (_BLOCK * 4 + i), carry)
        for window in range(count):
            low = words + 8 * _BLOCK * (width * window >> 6)
            shift = np.uint64(width * window & 63)
            less = np.int64(0 if window == count - 1 else 1 << (width - 1))
            at = address(digits) + 2 * (total * window + first)
            for i in range(here):
                high = load(low + 8 * (_BLOCK + i)) << np.uint64(1) << np.uint64(63) - shift
                digit = np.int64((load(low + 8 * i) >> shift | high) & mask) - less
                store_int16(at + 2 * i, np.int16(digit))


def _address(array: NDArray[Any] | None) -> int:
    return 0 if array is None else array.ctypes.data


def bit_lengths(scalars: Limbs, wires: Wires | None = None) -> NDArray[np.int64]:
    """How many scalars have each bit length from 0 to 256; of those at ``wires``, where given."""
    total = len(scalars) if wires is None else len(wires)
    parts = threads.ranges(total, 1 << 14)
    counts = np.zeros((len(parts), 257), np.int64)
    threads.run(
        partial(_count_lengths, row, _address(scalars), _address(wires), *part)
        for row, part in zip(counts, parts, strict=True)
    )
    return counts.sum(axis=0)


def windows(bits: int, width: int) -> int:
    """Windows for scalars of ``bits`` bits; one bit more holds the last carry, and the widest digits keep a sign."""
    return -(-(bits + 1 + (width == MAX_WIDTH)) // width)


def cut(scalars: Limbs, width: int, count: int, wires: Wires | None = None) -> Digits:
    """Digits of each scalar, or of those at ``wires``, shape ``(count, n)``: all first ones, then all second ones …"""
    digits = np.empty((count, len(scalars) if wires is None else len(wires)), np.int16)
    offset = to_limbs([sum(1 << width * i + width - 1 for i in range(count - 1))])
    threads.run(
        partial(_cut, digits, _address(scalars), _address(wires), offset, width, *part)
        for part in threads.ranges(digits.shape[1], 1 << 12)
    )
    return digits
