"""BLS12-381's scalar field, in which EIP-4844 evaluates blobs: parameters alone, no arithmetic.

The curve's seed is x = −0xd201000000010000; its groups have order x⁴ − x² + 1 (draft-irtf-cfrg-pairing-friendly-curves,
section 4.2.1). 7 generates the multiplicative group, whose 2-adicity is 32 (consensus-specs,
``deneb/polynomial-commitments``: ``PRIMITIVE_ROOT_OF_UNITY``). ``tests/circuits/test_blob.py`` recomputes all of it.
"""

from __future__ import annotations

#: Parameter of the curve family.
SEED = -0xD201000000010000
#: Order of the groups: the scalar field's modulus, 255 bits.
SCALAR_MODULUS = SEED**4 - SEED**2 + 1
#: Generates the multiplicative group of the scalar field.
GENERATOR = 7


def root_of_unity(order: int) -> int:
    """The root of unity of a power-of-two order that the consensus specification takes.

    Raises:
        ValueError: the order does not divide r − 1.
    """
    if order < 1 or (SCALAR_MODULUS - 1) % order:
        raise ValueError(f"no root of unity of order {order}")
    return pow(GENERATOR, (SCALAR_MODULUS - 1) // order, SCALAR_MODULUS)
