"""Number-theoretic transforms over Fr on a device: the plan of passes, and the tables they need.

A vector of n = n₁·n₂·n₃ elements is a cube, index i = (i₁·n₂ + i₂)·n₃ + i₃, and its transform's index is
j = (j₃·n₂ + j₂)·n₁ + j₁. A pass transforms along one axis, all in shared memory, and multiplies by what couples the
axes (Bailey, "FFTs in external or hierarchical memory", Supercomputing 1989)::

    along i₁, in place; times ω^(j₁·(i₂·n₃ + i₃))      ω of order n
    along i₂, in place; times ω^(n₁·j₂·i₃)
    along i₃; written where j is

So both ends are in natural order, and no pass is spent on that. One axis, and one pass, do up to 2^10 elements, two up
to 2^20, three up to 2^28. An inverse transform is a transform whose value j is written to place −j, times 1/n; the
powers of a coset's shift come with that factor. The root of unity of order 2^k is 5^((r − 1)/2^k), snarkjs's.

Tables: a size takes n entries of 32 bytes for its first product, n/n₁ for its second, and n for each shift that is not
1. They are made on the device when first needed; the :data:`TABLES` used last are kept.

Vectors are device arrays (2^k, 4) in Montgomery form: arguments below 2r, results canonical.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import NamedTuple

import numpy as np

from aitbc_rollup.algebra.bn254 import FR_GENERATOR, FR_TWO_ADICITY, R
from aitbc_rollup.algebra.limbs import to_limbs, to_montgomery

from .device import Array, Device

#: log2 of the elements of a tile, what a block has in shared memory, and so of the longest axis.
TILE = 10
#: How many tables are kept.
TABLES = 8

_LAST, _NEGATE, _JOIN = 1, 2, 4
_POWERS_THREADS = 128


class Pass(NamedTuple):
    """One pass over a vector of 2^power elements; logarithms all.

    ``low`` is, for a pass in place, the length of all axes that follow its own; for the last pass, the length of the
    first axis.
    """

    power: int
    points: int
    low: int
    last: bool


def passes(power: int, longest: int = TILE) -> list[Pass]:
    """The passes of a transform of 2^power elements: as few as can be, with axes as equal as can be, longest first."""
    count = max(1, -(-power // longest))
    *axes, last = [(power + i) // count for i in reversed(range(count))]
    inner = [Pass(power, points, power - sum(axes[: i + 1]), False) for i, points in enumerate(axes)]
    return [*inner, Pass(power, last, axes[0] if axes else 0, True)]


def root_of_unity(power: int) -> int:
    """The root of unity of order 2^power, power ≤ 28, that the domain uses."""
    return pow(FR_GENERATOR, (R - 1) >> power, R)


class Transforms:
    """Transforms on one device, and their tables. Whoever uses them from several lanes joins those in between.

    Args:
        device: where.
        longest: log2 of the longest axis, 3 … 10; for tests and tuning.
    """

    def __init__(self, device: Device, longest: int = TILE) -> None:
        self._device = device
        self._longest = longest
        roots = list(_progression(root_of_unity(longest), 1 << longest))
        self._roots = device.upload(to_limbs(x for root in roots for x in (root, (root << 256) // R)))
        self._tables: dict[Hashable, Array] = {}

    def ntt(self, values: Array, shift: int = 1) -> Array:
        """Values at shift·ωⁱ of the polynomial with these coefficients.

        Raises:
            ValueError: the length is no power of two up to 2^28.
            ResourceError: the memory budget does not allow it.
        """
        power = self._power(values)
        before = None if shift == 1 else self._powers(power, shift)
        return self._run(self._passes(power), [values], before)[0]

    def intt(self, values: Array, shift: int = 1) -> Array:
        """Coefficients of the polynomial with these values at shift·ωⁱ; errors as :meth:`ntt`."""
        power = self._power(values)
        scale = self._powers(power, pow(shift, -1, R), pow(2, -power, R))
        return self._run(self._passes(power), [values], None, scale, _NEGATE)[0]

    def quotient(self, a: Array, b: Array, shift: int) -> Array:
        """a·b − c at shift·ωⁱ, *canonical*, for polynomials given by values at ωⁱ, where c has the values a·b there.

        Takes six times the memory of ``a``, result included, and tables.

        Raises:
            ValueError: the lengths are not the same power of two up to 2^28.
            ResourceError: the memory budget does not allow it.
        """
        power = self._power(a)
        if len(b) != len(a):
            raise ValueError(f"values on different domains: {len(a)} and {len(b)}")
        *inner, last = planned = self._passes(power)
        scale = self._powers(power, shift, pow(2, -power, R))
        *factors, c = self._run(inner, self._run(planned, [a, b, a], b, scale, _NEGATE))
        return self._run([last], [c, *self._run([last], factors)], mode=_JOIN)[0]

    def forget(self) -> bool:
        """Let go of the tables' memory, until they are needed again; whether there were any."""
        held = bool(self._tables)
        self._tables.clear()
        return held

    def _power(self, values: Array) -> int:
        length = len(values)
        most = min(FR_TWO_ADICITY, 3 * self._longest)
        if length == 0 or length & (length - 1) or length > 1 << most:
            raise ValueError(f"a transform needs a power of two up to 2^{most} values, got {length}")
        return length.bit_length() - 1

    def _passes(self, power: int) -> list[Pass]:
        return passes(power, self._longest)

    def _run(
        self,
        planned: list[Pass],
        vectors: list[Array],
        before: Array | None = None,
        after: Array | None = None,
        mode: int = 0,
    ) -> list[Array]:
        """Passes that follow each other over one or more vectors, which stay as they are; no passes give them back.

        Args:
            planned: in order; the last of them may be a transform's last pass.
            vectors: at most three; with ``_JOIN``, one to be transformed, and two that were.
            before: factors of the last vector's elements, for the first pass.
            after: factors of each result's elements, for a transform's last pass: a power of two, used in turn.
            mode: ``_NEGATE``, ``_JOIN``, for a transform's last pass; see ``kernels/ntt.cu``.
        """
        out = None
        for step in planned:
            if out is None or step.last:
                count = 1 if mode & _JOIN else len(vectors)
                out = self._device.empty((count << step.power, 4), np.uint64)
            if step.last:
                self._launch(step, out, count, vectors, before, after, _LAST | mode)
            else:
                self._launch(step, out, count, vectors, before, self._couplings(step.points, step.low), 0)
            vectors = [out[v << step.power : v + 1 << step.power] for v in range(count)]
            before = None
        return vectors

    def _launch(
        self,
        step: Pass,
        out: Array,
        count: int,
        vectors: list[Array],
        before: Array | None,
        after: Array | None,
        mode: int,
    ) -> None:
        """One launch of ``ntt_pass``; ``count`` is the grid's second axis."""
        columns = min(TILE - step.points, step.power - step.points)
        sources = (vectors * 3)[:3]
        entries = 0 if after is None else len(after).bit_length() - 1
        factors = [np.uint64(0) if table is None else table for table in (before, after)]
        sizes = map(np.uint32, (self._longest, step.power, step.points, columns, step.low, entries, mode))
        blocks = 1 << step.power - step.points - columns
        threads = max(1, 1 << step.points + columns >> 2)
        self._device.launch("ntt", "ntt_pass", (blocks, count), threads, out, *sources, *factors, self._roots, *sizes)

    def _couplings(self, points: int, low: int) -> Array:
        """ω^(j·i) at j·2^low + i, for j < 2^points, i < 2^low, ω of order 2^(points + low)."""
        power = points + low
        return self._table(("coupling", points, low), lambda: self._expand(power, root_of_unity(power), 1, low))

    def _powers(self, power: int, base: int, first: int = 1) -> Array:
        """first·baseⁱ for i < 2^power; one entry if all are the same."""
        length = 0 if base == 1 else power
        return self._table(("powers", length, base, first), lambda: self._expand(length, base, first, 0))

    def _expand(self, power: int, base: int, first: int, columns: int) -> Array:
        half = power + 1 >> 1
        small = self._device.upload(to_montgomery(_progression(base, 1 << half, first), R))
        large = self._device.upload(to_montgomery(_progression(pow(base, 1 << half, R), 1 << power - half), R))
        out = self._device.empty((1 << power, 4), np.uint64)
        blocks = max(1, (1 << power) // _POWERS_THREADS)
        sizes = map(np.uint32, (half, columns, power))
        self._device.launch("ntt", "ntt_powers", blocks, _POWERS_THREADS, out, small, large, *sizes)
        return out

    def _table(self, key: Hashable, make: Callable[[], Array]) -> Array:
        """The table of a key, made if it is not kept; it becomes the one used last."""
        table = self._tables.pop(key, None)
        if table is None:
            while len(self._tables) >= TABLES:
                del self._tables[next(iter(self._tables))]
            table = make()
        self._tables[key] = table
        return table


def _progression(base: int, length: int, first: int = 1) -> Iterator[int]:
    """first·baseⁱ for i < length."""
    value = first
    for _ in range(length):
        yield value
        value = value * base % R
