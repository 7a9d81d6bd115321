"""The field Fq of coordinates, integers mod p: numba kernels on addresses, in Montgomery form (see ``prime_field``)."""

from .bn254 import P
from .prime_field import build

MODULUS = P
(
    mul, sqr, add, sub, neg, double, invert, copy, equal, is_zero, set_zero, set_one, to_montgomery, from_montgomery,
    batch_to_montgomery, batch_from_montgomery, ONE, RADIX_SQUARED,
) = build("fq", MODULUS)  # fmt: skip
