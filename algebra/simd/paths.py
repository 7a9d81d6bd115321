"""The path in use: its arithmetic, and the sizes that the layout of memory depends on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from llvmlite import ir

from .. import cpu
from ..limbs import Limbs, to_limbs
from . import vector
from .element import Lanes
from .products import Double256, Double512, Integer
from .scalar import Scalar

_PATHS: dict[str, type[Lanes]] = {
    "avx512ifma": Integer, "avx512": Double512, "avx2": Double256, "scalar": Scalar,
}  # fmt: skip
_CHOSEN = _PATHS[cpu.chosen()]

#: Lanes of a register.
LANES = _CHOSEN.count
#: log2 of the Montgomery radix of everything in lanes.
RADIX = _CHOSEN.radix
#: Bytes of an element for every lane as ``Lanes.store`` leaves it.
REGISTER_BYTES = _CHOSEN.register_bytes
#: Words of one element as ``Lanes.broadcast`` takes it.
SPREAD_WORDS = REGISTER_BYTES // (8 * LANES)


def lanes(builder: ir.IRBuilder, modulus: int) -> Lanes:
    """The chosen path's arithmetic, writing with this builder; ``modulus`` is odd, of 254 bits."""
    return _CHOSEN(builder, modulus)


def spread(values: Iterable[int], modulus: int) -> Limbs:
    """Integers in Montgomery form as ``Lanes.broadcast`` reads them, uint64 ``(n, SPREAD_WORDS)``."""
    numbers = [(value << RADIX) % modulus for value in values]
    if RADIX == 256:
        return to_limbs(numbers)
    return np.array([vector.split(number) for number in numbers], np.uint64).reshape(-1, SPREAD_WORDS)
