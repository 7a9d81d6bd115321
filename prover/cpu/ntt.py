"""Number-theoretic transforms over Fr: between coefficients and values on a power-of-two domain or a coset of it.

Four steps (Bailey, "FFTs in external or hierarchical memory", Supercomputing 1989): a vector of n = n₁·n₂ elements is
a matrix of n₁ rows. Its columns are transformed, each by itself; place (i, j) is multiplied by ω^ij; then the rows are
transformed. A tile of columns or of rows fits a core's cache (see ``tiles``). Rows longer than one are vectors again.

Between values and values on a coset nothing needs its natural order: down into bit-reversed coefficients, and up again.
The root of unity of order 2^k is 5^((r − 1)/2^k), snarkjs's. All arrays are in Montgomery form, shape ``(2^k, 4)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import fr, simd, threads
from aitbc_rollup.algebra.bn254 import FR_GENERATOR, FR_TWO_ADICITY, R
from aitbc_rollup.algebra.jit import address, checked, kernel
from aitbc_rollup.algebra.limbs import Limbs, aligned_empty, to_limbs, to_montgomery
from aitbc_rollup.algebra.simd import LANES, RADIX

from . import tiles
from .tiles import Pass

#: log2 of the longest vector that is one tile: its lanes all do the same.
_SMALL = 5
_ROW = 32


def root_of_unity(power: int) -> int:
    """The root of unity of order 2^power that the domain uses.

    Raises:
        ValueError: Fr has none, ``power`` is above 28.
    """
    if not 0 <= power <= FR_TWO_ADICITY:
        raise ValueError(f"Fr has no root of unity of order 2^{power}")
    return pow(FR_GENERATOR, (R - 1) >> power, R)


# -- factors and scales -----------------------------------------------------------------------------------------


def _reversed(power: int) -> NDArray[np.intp]:
    """The numbers below 2^power in bit-reversed order."""
    order = np.zeros(1, np.intp)
    for _ in range(power):
        order = np.concatenate([2 * order, 2 * order + 1])
    return order


def _progression(base: int, length: int, first: int = 1) -> list[int]:
    values = [first % R]
    while len(values) < length:
        values.append(values[-1] * base % R)
    return values


@lru_cache(maxsize=8)
def _factors_down(power: int, root: int) -> Limbs:
    """For tiles up to 2^power: powers of ``root``, of order 2^power, in bit-reversed order."""
    half = max(power - 1, 0)
    return simd.spread(_progression(root, 1 << half), R)[_reversed(half)]


@lru_cache(maxsize=8)
def _factors_up(power: int, shift: int) -> Limbs:
    """For tiles of 2^power: at h + j, for j < h = 1, 2, 4 …, shift^(n/2h) times power j of the root of order 2h."""
    values = [0]
    for level in range(power):
        values += _progression(root_of_unity(level + 1), 1 << level, pow(shift, 1 << power - 1 - level, R))
    return simd.spread(values, R)


class _Scales(NamedTuple):
    """What a :class:`Pass` makes its scales of."""

    first: Limbs
    bases: Limbs
    steps: Limbs


@lru_cache(maxsize=16)
def _scales(root: int, shift: int, first: int) -> _Scales:
    """Scales of columns: ``first·(shift·root^j)^i`` for column j. With root 1 all columns have the same."""
    bases = _progression(root, LANES, shift)
    steps = [pow(root, LANES << bit, R) for bit in range(FR_TWO_ADICITY)]
    return _Scales(simd.spread([first], R), to_limbs((base << RADIX) % R for base in bases), simd.spread(steps, R))


# -- passes -----------------------------------------------------------------------------------------------------


class _Split(NamedTuple):
    """n = 2^columns·2^rows: log2 of a column's length and of a row's."""

    columns: int
    rows: int


def _split(power: int) -> _Split:
    """Columns of even power, so that all stages but one go in pairs; one column if there are too few for the lanes."""
    if power <= _SMALL:
        return _Split(power, 0)
    if power > 2 * tiles.LARGEST:
        columns = max(power // 3, power - 2 * tiles.LARGEST) + 1 & -2
    else:
        columns = min((power + 2) // 4 * 2, power + 1 - LANES.bit_length())
    return _Split(columns, power - columns)


class _Steps(NamedTuple):
    """Bytes from a tile to the next, from a place to the next, from a lane to the next."""

    tile: int
    place: int
    lane: int


def _steps_of_columns(split: _Split, element: int = _ROW) -> _Steps:
    """Each lane a column; ``element`` bytes from one element to the next. A single column is in all lanes."""
    return _Steps(LANES * element, element << split.rows, element if split.rows else 0)


def _steps_of_rows(split: _Split) -> _Steps:
    """Each lane a row."""
    return _Steps(LANES * _ROW << split.rows, _ROW, _ROW << split.rows)


def _run(
    n_tiles: int,
    power: int,
    arrays: Sequence[tuple[int, int]],
    source: _Steps,
    target: _Steps | None = None,
    *,
    down: Limbs | None = None,
    up: Limbs | None = None,
    scales: _Scales | None = None,
    **flags: bool,
) -> None:
    """A pass over vectors at these addresses, source and target of each; the steps of both are the same if not said."""
    places = np.array(arrays, np.intp)
    steps = (*source, *(target or source))
    bases = [0, 0, 0] if scales is None else [array.ctypes.data for array in scales]
    factors = [0 if table is None else table.ctypes.data for table in (down, up)]
    plan = np.array(Pass(power, len(arrays), places.ctypes.data, *steps, *factors, *bases, **flags), np.int64)

    def part(start: int, stop: int) -> None:
        scratch = aligned_empty(tiles.SCRATCH_WORDS)
        simd.run(tiles.transform, plan, start, stop, scratch.ctypes.data)

    threads.run(partial(part, *bounds) for bounds in threads.ranges(n_tiles))


def _run_columns(split: _Split, *arguments: Any, **options: Any) -> None:
    _run(max(1, (1 << split.rows) // LANES), split.columns, *arguments, **options)


def _run_rows(split: _Split, *arguments: Any, **options: Any) -> None:
    _run((1 << split.columns) // LANES, split.rows, *arguments, **options)


# -- natural order ----------------------------------------------------------------------------------------------


def _transform(source: int, work: int, target: int, element: int, power: int, root: int, first: int) -> None:
    """``first·Σᵢ xᵢ·root^ik`` at target + element·k for each k; the 2^power xᵢ at source, root of order 2^power.

    ``work`` is the address of as many elements, and may be ``source``.
    """
    split = _split(power)
    columns, rows = split
    steps = _steps_of_columns(split)
    down = _factors_down(columns, pow(root, 1 << rows, R))
    options = {"down": down, "reverse": True, "scale_last": True}
    if not rows:
        one_column = _steps_of_columns(split, element)
        _run_columns(split, [(source, target)], steps, one_column, scales=_scales(1, 1, first), **options)
        return
    _run_columns(split, [(source, work)], steps, scales=_scales(root, 1, first), **options)
    inner = pow(root, 1 << columns, R)
    if rows > tiles.LARGEST:
        for i in range(1 << columns):
            row = work + (_ROW * i << rows)
            _transform(row, row, target + element * i, element << columns, rows, inner, 1)
        return
    transposed = _Steps(LANES * element, element << columns, element)
    down = _factors_down(rows, inner)
    _run_rows(split, [(work, target)], _steps_of_rows(split), transposed, down=down, reverse=True)


def _power_of(values: Limbs) -> int:
    length = len(checked(values, None, 4))
    if length == 0 or length & (length - 1) or length > 1 << FR_TWO_ADICITY:
        raise ValueError(f"a transform needs a power of two up to 2^{FR_TWO_ADICITY} values, got {length}")
    return length.bit_length() - 1


def _natural(values: Limbs, root: int, first: int) -> Limbs:
    if len(values) == 1:
        return values.copy()
    work, out = aligned_empty(*values.shape), aligned_empty(*values.shape)
    _transform(values.ctypes.data, work.ctypes.data, out.ctypes.data, _ROW, len(values).bit_length() - 1, root, first)
    return out


def ntt(values: Limbs, shift: int = 1) -> Limbs:
    """Values at shift·ωⁱ, in order of i, of the polynomial with these coefficients."""
    root = root_of_unity(_power_of(values))
    return _natural(multiply(values, powers(shift, len(values))) if shift != 1 else values, root, 1)


def intt(values: Limbs, shift: int = 1) -> Limbs:
    """Coefficients of the polynomial with these values at shift·ωⁱ."""
    root = root_of_unity(_power_of(values))
    out = _natural(values, pow(root, -1, R), pow(len(values), -1, R))
    return multiply(out, powers(pow(shift, -1, R), len(values)), out) if shift != 1 else out


# -- the quotient -----------------------------------------------------------------------------------------------


def _to_coset(arrays: Sequence[int], power: int, shift: int, first: int, ends: bool) -> None:
    """In place, from values at ωⁱ to ``first·n`` times values at shift·ωⁱ.

    With ``ends`` the arrays are c, b and a: at first c is made the product of the others, at last a becomes a·b − c.
    """
    split = _split(power)
    columns, rows = split
    root = root_of_unity(power)
    back = pow(root, -1, R)
    places = [(array, array) for array in arrays]
    down, scales = _factors_down(columns, pow(back, 1 << rows, R)), _scales(back if rows else 1, 1, 1)
    steps = _steps_of_columns(split)
    _run_columns(split, places, steps, down=down, scales=scales, scale_last=True, product=ends)
    inner = pow(shift, 1 << columns, R)
    if rows > tiles.LARGEST:
        for i in range(1 << columns):
            _to_coset([array + (_ROW * i << rows) for array in arrays], rows, inner, 1, False)
    elif rows:
        down, up = _factors_down(rows, pow(back, 1 << columns, R)), _factors_up(rows, inner)
        _run_rows(split, places, _steps_of_rows(split), down=down, up=up, coset=True)
    up, scales = _factors_up(columns, 1), _scales(root if rows else 1, shift, first)
    _run_columns(split, places, steps, up=up, scales=scales, scale_first=True, join=ends)


def quotient(a: Limbs, b: Limbs, shift: int, *, overwrite: bool = False) -> Limbs:
    """a·b − c at shift·ωⁱ, canonical, for polynomials given by values at ωⁱ, where c has the values a·b there.

    With ``overwrite`` both arguments, of different arrays, are scratch, and the result lies where a was.
    """
    if _power_of(a) != _power_of(b):
        raise ValueError(f"values on different domains: {len(a)} and {len(b)}")
    if not overwrite:
        a, b = a.copy(), b.copy()
    c = aligned_empty(*a.shape)
    _to_coset([array.ctypes.data for array in (c, b, a)], _power_of(a), shift, pow(len(a), -1, R), True)
    return a


# -- vectors ----------------------------------------------------------------------------------------------------


@kernel
def _powers(out: Limbs, base: Limbs, first: Limbs, start: int, stop: int) -> None:
    """``out[i] = first·base^(i − start)`` for start ≤ i < stop."""
    at = address(out)
    if start < stop:
        fr.copy(at + 32 * start, address(first))
    for i in range(start + 1, stop):
        fr.mul(at + 32 * i, at + 32 * (i - 1), address(base))


def powers(base: int, length: int, first: int = 1) -> Limbs:
    """``first·base^i`` for i below ``length``, in Montgomery form."""
    out = np.empty((length, 4), np.uint64)
    step = to_montgomery([base], R)
    threads.run(
        partial(_powers, out, step, to_montgomery([first * pow(base, start, R)], R), start, stop)
        for start, stop in threads.ranges(length, 1024)
    )
    return out


@kernel
def _multiply(out: Limbs, left: Limbs, right: Limbs, start: int, stop: int) -> None:
    for i in range(start, stop):
        fr.mul(address(out) + 32 * i, address(left) + 32 * i, address(right) + 32 * i)


def multiply(left: Limbs, right: Limbs, out: Limbs | None = None) -> Limbs:
    """Product entry by entry, into ``out`` (which may be one of the two) or a new array."""
    target = np.empty_like(left) if out is None else out
    threads.run(partial(_multiply, target, left, right, *part) for part in threads.ranges(len(left), 1024))
    return target
