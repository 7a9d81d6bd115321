"""What the GPU's check and benchmark share: the device, numbers that are easy and numbers that are not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, from_montgomery, to_limbs
from aitbc_rollup.gpu.device import Device
from aitbc_rollup.prover.engine import Engine
from aitbc_rollup.prover.keys import Matrix

Group = Literal[1, 2]

REPOSITORY = Path(__file__).resolve().parent.parent
#: The topmost limb of r: a number whose topmost limb is smaller is canonical, whatever the others.
_TOP = R >> 192


def on_shim() -> bool:
    """Whether ``AITBC_GPU=shim`` asks for the CPU that stands in for a card (``tests/gpu``)."""
    return os.environ.get("AITBC_GPU") == "shim"


def open_device() -> Device:
    """This machine's card, or its stand-in.

    Raises:
        ResourceError: there is no card, or it cannot be used.
    """
    if on_shim():
        sys.path.insert(0, str(REPOSITORY / "tests" / "gpu"))
        from shim_device import ShimDevice

        return ShimDevice()
    from aitbc_rollup.gpu.cupy_device import CupyDevice

    return CupyDevice()


def dense(count: int, seed: int = 1) -> Limbs:
    """Canonical numbers of full length, the same in every run."""
    rng = np.random.default_rng([seed, count])
    limbs = rng.integers(0, 1 << 64, (count, 4), np.uint64)
    limbs[:, 3] = rng.integers(0, _TOP, count, np.uint64)
    return limbs


def _repeated(values: list[int]) -> Callable[[int], Limbs]:
    return lambda count: np.resize(to_limbs(values), (count, 4))


def _witness(count: int) -> Limbs:
    """Two fifths bits, two fifths words, the rest of full length: what witnesses look like."""
    numbers, kinds = dense(count, 2), np.random.default_rng(count).integers(0, 5, count)
    numbers[kinds < 4, 1:] = 0
    numbers[kinds < 2, 0] &= np.uint64(1)
    return numbers


def _few_buckets(count: int) -> Limbs:
    return dense(3, 3)[np.random.default_rng(count).integers(0, 3, count)]


#: Scalars by what is hard about them.
SCALARS: dict[str, Callable[[int], Limbs]] = {
    "dense": dense,
    "witness": _witness,
    "zeros": _repeated([0]),
    "ones": _repeated([1]),
    "r - 1": _repeated([R - 1]),
    "all equal": _repeated([from_limbs(dense(1, 4))[0]]),
    "few buckets": _few_buckets,
    "powers of two": _repeated([1 << k for k in range(254)]),
    "halves of r": _repeated([R >> 1, (R >> 1) + 1]),
}


def inner_product(cpu: Engine, left: Limbs, right: Limbs) -> int:
    """Σ left[i]·right[i] mod r of canonical numbers: the discrete logarithm of a sum of known multiples."""
    rows = min(len(left), 1 << 12)
    offsets = np.linspace(0, len(left), rows + 1).astype(np.int64)
    # An entry times 2^512 is what a matrix holds; here it is the numbers themselves, and what is missing comes after.
    matrix = Matrix(offsets, np.arange(len(left), dtype=np.uint32), left)
    return sum(from_montgomery(cpu.sparse_product(matrix, right), R)) * pow(2, 512, R) % R


def same(got: Limbs, expected: Limbs) -> bool:
    """Equal, shape and all."""
    return got.shape == expected.shape and bool((got == expected).all())
