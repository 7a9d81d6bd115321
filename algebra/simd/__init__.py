"""Field arithmetic on all lanes of a vector register at once: what the prover's kernels are written in.

The inner step of a kernel is an :func:`operation`: Python that writes LLVM code with :class:`Element` values, one field
element a lane, which add, subtract and multiply like numbers::

    slope = (y2 - y1) * inverse
    x3 = slope.square() - x1 - x2

The generator carries exact bounds of every value and every limb along, so that reductions and carries stand only where
a bound asks for them, and an overflow is an error when the code is written, not a wrong proof when it runs.

:func:`lanes` gives the arithmetic of the path that ``cpu.chosen()`` names; kernels are the same on all of them. A
kernel that multiplies lanes is called through :func:`run`, which sets the processor's rounding where the path needs it.

``quadratic`` has the same arithmetic for Fq2, ``additions`` what sums of points are made of.
"""

from .element import Element, Lanes
from .operations import operation, run
from .paths import LANES, RADIX, REGISTER_BYTES, SPREAD_WORDS, lanes, spread

__all__ = [
    "LANES", "RADIX", "REGISTER_BYTES", "SPREAD_WORDS", "Element", "Lanes", "lanes", "operation", "run", "spread",
]  # fmt: skip
