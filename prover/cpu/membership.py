"""Are points in their group: checks of many at once, for keys that come from outside."""

from __future__ import annotations

import secrets
from functools import partial

import numpy as np

from aitbc_rollup.algebra import g1, g2, threads
from aitbc_rollup.algebra.bn254 import P
from aitbc_rollup.algebra.jit import address, checked, kernel
from aitbc_rollup.algebra.limbs import Limbs

from ..limits import first_not_below
from .groups import AFFINE_WORDS, Group
from .msm import msm

#: Random sums taken by :func:`all_in_g2`, and the bits of their coefficients.
_TRIALS = 5
_COEFFICIENT_BITS = 13
#: Up to so many points are cheaper one by one.
_FEW = 32


@kernel
def _off_curve(group: int, bad: Limbs, points: Limbs, start: int, stop: int) -> None:
    for i in range(start, stop):
        point = address(points) + 64 * group * i
        fits = g1.is_on_curve(point) if group == 1 else g2.is_on_curve(point)
        if not fits:
            bad[i] = 1


def first_invalid(group: Group, points: Limbs) -> int | None:
    """Index of the first affine point, of an array ``(n, 8·group)``, with a coordinate ≥ p or off the curve.

    Infinity is on the curve. In G1 that is membership; in G2 see :func:`all_in_g2`.
    """
    checked(points, None, AFFINE_WORDS * group)
    large = first_not_below(points.reshape(-1, 4), P)
    bad = np.zeros(len(points), np.uint64)
    threads.run(partial(_off_curve, group, bad, points, *part) for part in threads.ranges(len(points), 1024))
    if large is not None:
        bad[large // (2 * group)] = 1
    return int(bad.argmax()) if bad.any() else None


def all_in_g2(points: Limbs) -> bool:
    """Whether points of the twist, ``(n, 16)``, are all in G2; of many, wrong with probability at most 2^−65.

    Few are checked one by one, many by five random sums. The twist has r·c points, and 10069 is the smallest prime
    factor of the cofactor c = 2p − r. If r·Pᵢ ≠ 0 for some i, its order is at least 10069, so of 2^13 values for the
    coefficient kᵢ at most one makes r·Σ kⱼ·Pⱼ vanish. The coefficients are drawn afresh for each sum.
    """
    if len(points) <= _FEW:
        return g2.first_outside(points) is None
    sums = np.empty((_TRIALS, 16), np.uint64)
    for trial in range(_TRIALS):
        coefficients = np.zeros((len(points), 4), np.uint64)
        drawn = np.frombuffer(secrets.token_bytes(2 * len(points)), np.uint16)
        coefficients[:, 0] = drawn & np.uint16((1 << _COEFFICIENT_BITS) - 1)
        sums[trial] = msm(2, points, coefficients)
    return g2.first_outside(sums) is None
