"""Packed points: the same sums, without the points at infinity."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, aligned_empty, to_limbs
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.prover.cpu import fixed_base
from aitbc_rollup.prover.cpu.groups import Group
from aitbc_rollup.prover.cpu.msm import msm, msm_packed
from aitbc_rollup.prover.cpu.points import RADIX_BITS, pack
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.keys import ProvingKey

System = tuple[R1CS, Limbs]


def points(group: Group, factors: list[int]) -> Limbs:
    return fixed_base.multiples(group, to_limbs(factors).reshape(-1, 4))


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize(
    "factors",
    [[], [0], [5], [0, 0, 0], [1, 2, 3], [0, 7, 0, 0, R - 7, 7, 0], [3] * 40 + [0] * 40],
    ids=["none", "infinity", "one", "infinities", "all kept", "mixed", "halves"],
)
def test_sums_over_packed_points_are_those_over_all(group: Group, factors: list[int]) -> None:
    raw, rng = points(group, factors), random.Random(4)
    packed = pack(group, raw)
    kept = [i for i, factor in enumerate(factors) if factor]
    assert packed.length == len(factors) and packed.radix_bits == RADIX_BITS
    assert packed.points.shape == (len(kept), 8 * group) and packed.points.flags.c_contiguous
    assert packed.points.any(axis=1).all()
    if packed.wires is None:
        assert len(kept) == len(factors)
    else:
        assert packed.wires.dtype == np.uint32 and packed.wires.tolist() == kept
    scalars = to_limbs(rng.choice([0, 1, rng.randrange(R)]) for _ in factors).reshape(-1, 4)
    assert (msm_packed(group, packed, scalars) == msm(group, raw, scalars)).all()


def test_data_begin_on_a_cache_line() -> None:
    for rows in range(1, 20):
        assert aligned_empty(rows, 4).ctypes.data % 64 == 0
        assert pack(1, points(1, [1] * rows)).points.ctypes.data % 64 == 0


def test_what_does_not_fit_is_refused() -> None:
    packed = pack(1, points(1, [0, 1, 2]))
    with pytest.raises(ValueError, match="expected a C-contiguous"):
        msm_packed(1, packed, to_limbs([1, 2]))
    with pytest.raises(ValueError, match="expected a C-contiguous"):
        msm_packed(2, packed, to_limbs([1, 2, 3]))
    with pytest.raises(ValueError, match="radix"):
        msm_packed(1, packed._replace(radix_bits=RADIX_BITS + 1), to_limbs([1, 2, 3]))


def test_a_loaded_key_gives_the_reference_engines_sums(small: System, small_key: ProvingKey) -> None:
    expected = load_engine("reference").load(small_key).sums(small[1])
    for ours, theirs in zip(load_engine("cpu").load(small_key).sums(small[1]), expected, strict=True):
        assert (ours == theirs).all()


def test_a_key_is_packed_once(small_key: ProvingKey) -> None:
    assert load_engine("cpu").load(small_key) is load_engine("cpu").load(small_key)
    assert load_engine("cpu").load(replace(small_key)) is not load_engine("cpu").load(small_key)
