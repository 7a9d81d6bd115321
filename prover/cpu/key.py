"""A proving key as the CPU engine computes with it, and the sums of a proof."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from aitbc_rollup.algebra.limbs import Limbs

from .. import qap
from ..engine import Progress, Sums, silent, stage_starts
from ..keys import QUERIES, Matrix, ProvingKey
from . import ntt, vectors
from .msm import msm_packed
from .points import PackedPoints, join, pack


@dataclass(frozen=True, eq=False)
class CpuKey:
    """Implements ``prover.engine.LoadedKey``: what a proof needs of a key, its points packed.

    ``c`` has one point a private wire, ``h`` one a point of the domain, the others one a wire.
    """

    n_public: int
    power: int
    a_matrix: Matrix
    b_matrix: Matrix
    a: PackedPoints
    b_g1: PackedPoints
    b_g2: PackedPoints
    c: PackedPoints
    h: PackedPoints

    def sums(self, witness: Limbs, progress: Progress = silent) -> Sums:
        """All sums for a canonical witness."""
        starts = stage_starts()

        def begin(stage: str) -> None:
            progress(stage, starts[stage])

        begin("constraints")
        a_values = vectors.sparse_product(self.a_matrix, witness)
        b_values = vectors.sparse_product(self.b_matrix, witness)
        begin("quotient")
        quotient = ntt.quotient(a_values, b_values, qap.coset_shift(self.power))
        begin("A")
        a = msm_packed(1, self.a, witness)
        begin("B in G1")
        b_g1 = msm_packed(1, self.b_g1, witness)
        begin("B in G2")
        b_g2 = msm_packed(2, self.b_g2, witness)
        begin("C")
        c = msm_packed(1, self.c, witness[self.n_public + 1 :])
        begin("H")
        h = msm_packed(1, self.h, quotient)
        return Sums(a, b_g1, b_g2, c, h)


_loaded: WeakKeyDictionary[ProvingKey, CpuKey] = WeakKeyDictionary()


def load(key: ProvingKey) -> CpuKey:
    """The key with its points packed; packed once as long as ``key`` is kept."""
    found = _loaded.get(key)
    if found is None:
        found = _loaded[key] = _pack(key)
    return found


def _pack(key: ProvingKey) -> CpuKey:
    queries = (
        join(group, (pack(group, piece) for piece in key.body.points(query))) for query, group in QUERIES.items()
    )
    return CpuKey(key.n_public, key.power, *key.body.matrices(), *queries)
