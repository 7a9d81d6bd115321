"""Points as the sums of a proof want them: packed once when a key is loaded, then used for every proof.

A wire that no combination of B names has infinity for its point there: such points are left out here, so that no proof
looks at them again. This module alone knows what coordinates the kernels compute with.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import fq, simd, threads
from aitbc_rollup.algebra.bn254 import P
from aitbc_rollup.algebra.jit import address, checked, kernel
from aitbc_rollup.algebra.limbs import MONTGOMERY_RADIX, Limbs, aligned_empty, to_limbs

from .groups import AFFINE_WORDS, Group

#: Coordinates are in Montgomery form with this power of two as radix.
RADIX_BITS = simd.RADIX
#: From radix 2^256 to that one; and back, by a product of radix 2^256.
_FACTOR = (1 << RADIX_BITS) // MONTGOMERY_RADIX
_BACK = to_limbs([MONTGOMERY_RADIX // _FACTOR % P])


class PackedPoints(NamedTuple):
    """Affine points without infinities.

    ``points`` uint64 (m, 8·group), C-contiguous, beginning on a 64-byte boundary; ``wires`` uint32 (m,), increasing,
    the row that each had before, or ``None`` if all were kept; ``length``, the number of rows before; ``radix_bits``,
    the :data:`RADIX_BITS` they were packed with.
    """

    points: Limbs
    wires: NDArray[np.uint32] | None
    length: int
    radix_bits: int


def _clamped(builder: Any, at: Any, last: Any, stride: Any) -> list[Any]:
    """One address a lane, from ``at`` on but none after ``last``."""
    rows = [at]
    while len(rows) < simd.LANES:
        row = builder.add(rows[-1], stride)
        rows.append(builder.select(builder.icmp_signed("<", row, last), row, last))
    return rows


@simd.operation
def _enter(builder: Any, at: Any, last: Any, stride: Any) -> None:
    lanes, rows = simd.lanes(builder, P), _clamped(builder, at, last, stride)
    lanes.scatter(rows, lanes.gather(rows, P).times(_FACTOR).canonical())


@simd.operation
def _leave(builder: Any, at: Any, last: Any, stride: Any) -> None:
    lanes, rows = simd.lanes(builder, P), _clamped(builder, at, last, stride)
    lanes.scatter(rows, (lanes.gather(rows, 2 * P) * lanes.constant(pow(_FACTOR, -1, P))).canonical())


@kernel
def _change_radix(points: Limbs, enter: bool, start: int, stop: int) -> None:
    """Of all coordinates of the points start ≤ i < stop."""
    row = 8 * points.shape[1]
    first, end = address(points) + row * start, address(points) + row * stop
    for at in range(first, end, 32 * simd.LANES):
        if enter:
            _enter(at, end - 32, 32)
        else:
            _leave(at, end - 32, 32)


def pack(group: Group, points: Limbs) -> PackedPoints:
    """Points of a key, affine in Montgomery form with radix 2^256, shape ``(n, 8·group)``, all zero being infinity.

    Raises:
        ValueError: shape or dtype do not fit.
    """
    checked(points, None, AFFINE_WORDS * group)
    kept = points.any(axis=1)
    wires = None if kept.all() else np.flatnonzero(kept).astype(np.uint32)
    out = aligned_empty(len(points) if wires is None else len(wires), AFFINE_WORDS * group)
    np.compress(kept, points, axis=0, out=out)
    if _FACTOR > 1:
        threads.run(partial(simd.run, _change_radix, out, True, *part) for part in threads.ranges(len(out), 1024))
    return PackedPoints(out, wires, len(points), RADIX_BITS)


def join(group: Group, parts: Iterable[PackedPoints]) -> PackedPoints:
    """Points that were packed in pieces, in one; a single piece is taken as it is."""
    known = list(parts)
    if len(known) == 1:
        return known[0]
    total, length = sum(len(part.points) for part in known), sum(part.length for part in known)
    out, at = aligned_empty(total, AFFINE_WORDS * group), 0
    for part in known:
        out[at : at + len(part.points)] = part.points
        at += len(part.points)
    return PackedPoints(out, joined_wires((part.wires, part.length) for part in known), length, RADIX_BITS)


def joined_wires(parts: Iterable[tuple[NDArray[np.uint32] | None, int]]) -> NDArray[np.uint32] | None:
    """The rows kept of points packed in pieces, from ``wires`` and ``length`` of each; ``None`` if all were."""
    rows, total, all_kept = [np.empty(0, np.uint32)], 0, True
    for wires, length in parts:
        kept = np.arange(length, dtype=np.uint32) if wires is None else wires
        rows.append(kept + np.uint32(total))
        total += length
        all_kept &= wires is None
    return None if all_kept else np.concatenate(rows)


def unpack(rows: Limbs) -> None:
    """Make affine points of radix 2^256, reduced, of rows that the sums' kernels have written, ``(n, 8·group)``."""
    simd.run(_change_radix, rows, False, 0, len(rows))


@kernel
def unpack_point(group: int, out: int, row: int) -> None:
    """The same for one, inside a kernel."""
    for i in range(0, 64 * group, 32):
        fq.mul(out + i, row + i, address(_BACK))
