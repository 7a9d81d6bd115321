"""The CPU engine: numba kernels on a pool of threads."""

from __future__ import annotations

from aitbc_rollup.algebra import cpu, threads
from aitbc_rollup.algebra.limbs import Limbs

from ..engine import LoadedKey
from ..keys import Matrix, ProvingKey
from . import fixed_base, msm, ntt, vectors
from .key import load as load_key


class CpuEngine:
    """Implements ``prover.engine.Engine``; it keeps no state but tables in this module's caches."""

    name = "cpu"

    def describe(self) -> str:
        """Threads and vector path."""
        return f"{threads.count()} threads, {cpu.chosen()}"

    def ntt(self, values: Limbs, shift: int = 1) -> Limbs:
        """Coefficients to values."""
        return ntt.ntt(values, shift)

    def intt(self, values: Limbs, shift: int = 1) -> Limbs:
        """Values to coefficients."""
        return ntt.intt(values, shift)

    def quotient(self, a: Limbs, b: Limbs, shift: int) -> Limbs:
        """a·b − c on the coset."""
        return ntt.quotient(a, b, shift)

    def sparse_product(self, matrix: Matrix, vector: Limbs) -> Limbs:
        """Matrix times vector."""
        return vectors.sparse_product(matrix, vector)

    def msm_g1(self, points: Limbs, scalars: Limbs) -> Limbs:
        """Multi-scalar multiplication in G1."""
        return msm.msm(1, points, scalars)

    def msm_g2(self, points: Limbs, scalars: Limbs) -> Limbs:
        """Multi-scalar multiplication in G2."""
        return msm.msm(2, points, scalars)

    def fixed_base_g1(self, scalars: Limbs) -> Limbs:
        """Multiples of G1's generator."""
        return fixed_base.multiples(1, scalars)

    def fixed_base_g2(self, scalars: Limbs) -> Limbs:
        """Multiples of G2's generator."""
        return fixed_base.multiples(2, scalars)

    def load(self, key: ProvingKey) -> LoadedKey:
        """The key with its points packed; a key loaded before is found again."""
        return load_key(key)


def open_engine() -> CpuEngine:
    """The engine; see ``prover.engine.load_engine``."""
    return CpuEngine()
