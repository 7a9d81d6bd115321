"""Range checks of whole arrays of limbs."""

from __future__ import annotations

from aitbc_rollup.algebra.limbs import Limbs, is_below


def first_not_below(limbs: Limbs, modulus: int) -> int | None:
    """Index of the first element, of shape ``(n, 4)``, that is not below the modulus; ``None`` if all are."""
    below = is_below(limbs, modulus)
    return None if below.all() else int(below.argmin())
