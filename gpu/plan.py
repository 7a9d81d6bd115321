"""How the scalars of a multi-scalar multiplication are cut into digits, and what becomes of each digit.

A scalar k is Σ_w d_w·2^(c·w) with signed digits −2^(c−1) < d_w ≤ 2^(c−1). A digit that is not 0 puts its point into a
bucket, the one of |d|, with the digit's sign. Windows share buckets where a table holds the points' multiples: with q
levels the table has 2^(c·s·l)·P for l < q, where s = ⌈W/q⌉ is the number of *sets* of buckets. Window w = l·s + set
then uses level l of the table and the buckets of that set. q = 1 is no table but the points themselves, q = W one set
for all windows.

A scalar k above r/2 is taken for k − r, all of whose digits then change sign: witnesses are full of small negative
numbers, and each then puts its point into one bucket, not into W. As r/2 < 2^253, W = ⌈254/c⌉ windows suffice.
"""

from __future__ import annotations

from typing import NamedTuple

from aitbc_rollup.algebra.bn254 import R

#: Bits of a scalar's magnitude, and one for the sign of its topmost digit, whose carry has nowhere to go.
SIGNED_BITS = (R // 2).bit_length() + 1


class DigitPlan(NamedTuple):
    """Width c of a window, number W of windows, number q of levels of the table."""

    window_bits: int
    windows: int
    levels: int

    @classmethod
    def of(cls, window_bits: int, levels: int = 1) -> DigitPlan:
        """The plan for scalars below r; no more levels than there are windows to use them."""
        windows = -(-SIGNED_BITS // window_bits)
        sets = -(-windows // levels)
        return cls(window_bits, windows, -(-windows // sets))

    @property
    def sets(self) -> int:
        """Number s of sets of buckets."""
        return -(-self.windows // self.levels)

    @property
    def buckets(self) -> int:
        """Buckets of a set: one for each size of a digit but 0."""
        return 1 << (self.window_bits - 1)

    @property
    def keys(self) -> int:
        """Buckets in all: digit d of a window that uses set s has the key s·2^(c−1) + |d| − 1."""
        return self.sets * self.buckets

    @property
    def shift(self) -> int:
        """A level of the table is the one before it times 2^shift."""
        return self.window_bits * self.sets
