"""Between Python integers and arrays of limbs.

An element of a 254-bit field is four little-endian 64-bit limbs: an array of shape ``(n, 4)``, dtype
``uint64``, C-contiguous. Whether the value is canonical or in Montgomery form (x·2^256 mod m) is said
by each function that takes one; nothing here looks at it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Limbs = NDArray[np.uint64]

#: Montgomery radix of the scalar kernels and of the .zkey format.
MONTGOMERY_RADIX = 1 << 256

_LINE = 64


def to_limbs(values: Iterable[int]) -> Limbs:
    """Integers in ``[0, 2^256)`` as limbs, shape ``(n, 4)``.

    Raises:
        OverflowError: a value is negative or has more than 256 bits.
    """
    data = b"".join(value.to_bytes(32, "little") for value in values)
    return np.frombuffer(data, dtype="<u8").reshape(-1, 4).astype(np.uint64)


def from_limbs(limbs: Limbs) -> list[int]:
    """The integers of an array whose last axis holds four limbs, flattened in C order."""
    data = np.ascontiguousarray(limbs, dtype="<u8").tobytes()
    return [int.from_bytes(data[i : i + 32], "little") for i in range(0, len(data), 32)]


def to_montgomery(values: Iterable[int], modulus: int) -> Limbs:
    """Integers (any sign, any size) reduced, in Montgomery form, shape ``(n, 4)``."""
    return to_limbs((value % modulus) * MONTGOMERY_RADIX % modulus for value in values)


def from_montgomery(limbs: Limbs, modulus: int) -> list[int]:
    """Canonical integers of an array in Montgomery form."""
    inverse = pow(MONTGOMERY_RADIX, -1, modulus)
    return [value * inverse % modulus for value in from_limbs(limbs)]


def aligned_empty(*shape: int) -> Limbs:
    """An uninitialised uint64 array of this shape whose data begin on a 64-byte boundary: a cache line, a vector."""
    size = 8 * math.prod(shape)
    buffer = np.empty(size + _LINE, np.uint8)
    start = -buffer.ctypes.data % _LINE
    return buffer[start : start + size].view(np.uint64).reshape(shape)


def is_below(limbs: Limbs, bound: int) -> NDArray[np.bool_]:
    """For each element, shape (n, 4), whether it is below ``bound`` as a 256-bit integer."""
    below = np.zeros(len(limbs), np.bool_)
    undecided = np.ones(len(limbs), np.bool_)
    for i in (3, 2, 1, 0):
        word = np.uint64(bound >> 64 * i & (1 << 64) - 1)
        below |= undecided & (limbs[:, i] < word)
        undecided &= limbs[:, i] == word
    return below
