"""Range checks of whole arrays of limbs."""

from __future__ import annotations

import numpy as np

from aitbc_rollup.algebra.limbs import Limbs


def first_not_below(limbs: Limbs, modulus: int) -> int | None:
    """Index of the first element, of shape ``(n, 4)``, that is not below the modulus; ``None`` if all are."""
    below = np.zeros(len(limbs), bool)
    for i in range(4):
        bound = np.uint64(modulus >> 64 * i & (1 << 64) - 1)
        below = (limbs[:, i] < bound) | ((limbs[:, i] == bound) & below)
    return None if below.all() else int(below.argmin())
