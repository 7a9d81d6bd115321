"""Scalars cut into signed windows: k = Σ dᵢ·2^(c·i) with −2^(c−1) < dᵢ ≤ 2^(c−1).

The digit is kept at 2^(c−1) rather than carried on, so a number of b bits needs no more than ⌈(b + 1)/c⌉ windows: the
top one holds at most 2^(c−1) − 1 and a carry.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.jit import address, kernel, load
from aitbc_rollup.algebra.limbs import Limbs

from . import threads

Digits = NDArray[np.int16]

#: A digit of a wider window would not fit 16 bits.
MAX_WIDTH = 15


@kernel
def _cut(digits: Digits, scalars: Limbs, width: int, start: int, stop: int) -> None:
    half = 1 << (width - 1)
    mask = np.uint64((1 << width) - 1)
    for i in range(start, stop):
        scalar = address(scalars) + 32 * i
        carry = 0
        for window in range(digits.shape[0]):
            bit = window * width
            word, offset = bit >> 6, bit & 63
            low = np.uint64(0)
            if word < 4:
                low = load(scalar + 8 * word) >> np.uint64(offset)
                if offset + width > 64 and word < 3:
                    low |= load(scalar + 8 * (word + 1)) << np.uint64(64 - offset)
            digit = np.intp(low & mask) + carry
            carry = 0
            if digit > half:
                digit -= 2 * half
                carry = 1
            digits[window, i] = digit


def bit_length(scalars: Limbs) -> int:
    """Bits of the largest of canonical scalars, shape (n, 4)."""
    for limb in range(3, -1, -1):
        top = int(scalars[:, limb].max(initial=0))
        if top:
            return 64 * limb + top.bit_length()
    return 0


def windows(bits: int, width: int) -> int:
    """Windows for scalars of ``bits`` bits; one bit more holds the last carry."""
    return -(-(bits + 1) // width)


def cut(scalars: Limbs, width: int, count: int) -> Digits:
    """Digits of each scalar, shape ``(count, n)``: all first digits, then all second ones …"""
    digits = np.empty((count, len(scalars)), np.int16)
    parts = threads.ranges(len(scalars), 4096)
    threads.run(partial(_cut, digits, scalars, width, *part) for part in parts)
    return digits
