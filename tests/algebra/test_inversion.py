import random

import numpy as np
import pytest

from aitbc_rollup.algebra import fq, fr, inversion
from aitbc_rollup.algebra.jit import address, kernel
from aitbc_rollup.algebra.limbs import from_montgomery, to_montgomery


@kernel
def invert_fq(out, x):
    for i in range(x.shape[0]):
        fq.invert(address(out) + 32 * i, address(x) + 32 * i)


@kernel
def invert_fr(out, x):
    for i in range(x.shape[0]):
        fr.invert(address(out) + 32 * i, address(x) + 32 * i)


@pytest.mark.parametrize(("field", "invert"), [(fq, invert_fq), (fr, invert_fr)])
def test_inverses_of_many_values(field, invert):
    """The Montgomery forms, which are what is inverted, take sparse, dense, small and large patterns too."""
    m = field.MODULUS
    rng = random.Random(11)
    patterns = [0, 1, m - 1, (m + 1) // 2, *(1 << k for k in range(254)), *(m - (1 << k) for k in range(253))]
    patterns += [(1 << k) - 1 for k in range(1, 254)]
    values = [*patterns, *(p * pow(1 << 256, -1, m) % m for p in patterns), *(rng.randrange(m) for _ in range(3000))]
    x = to_montgomery(values, m)
    out = np.empty_like(x)
    invert(out, x)
    assert from_montgomery(out, m) == [pow(v, -1, m) if v % m else 0 for v in values]
    invert(x, x)
    assert (x == out).all(), "in place"


def test_twelve_rounds_suffice():
    """Bernstein and Yang, theorem 11.2: ⌊(49·d + 57)/17⌋ divsteps for inputs of d ≥ 46 bits."""
    assert max(fq.MODULUS, fr.MODULUS).bit_length() == 254
    assert (49 * 254 + 57) // 17 == 735 <= inversion.ROUNDS * inversion.STEPS
