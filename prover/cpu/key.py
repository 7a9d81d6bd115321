"""A proving key as the CPU engine computes with it, and the sums of a proof."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from numpy.typing import NDArray

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.formats.files import MappedFile

from .. import qap
from ..engine import Progress, Sums, silent, stage_starts
from ..keys import Matrix, ProvingKey
from . import ntt, vectors
from .msm import msm_packed
from .points import PackedPoints
from .prepared import prepare


@dataclass(frozen=True, eq=False)
class CpuKey:
    """Implements ``prover.engine.LoadedKey``: what a proof needs of a key, its points packed.

    ``c`` has one point a private wire, ``h`` one a point of the domain, ``committed`` and ``knowledge`` one a committed
    wire, the others one a wire. ``source`` is the mapping that they lie in, if they lie in one.
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
    source: MappedFile | None
    committed: PackedPoints | None = None
    knowledge: PackedPoints | None = None

    def sums(self, witness: Limbs, progress: Progress = silent) -> Sums:
        """All sums for a canonical witness."""
        stage = partial(self._stage, progress)
        with stage("constraints", *self.a_matrix, *self.b_matrix):
            a_values = vectors.sparse_product(self.a_matrix, witness)
            b_values = vectors.sparse_product(self.b_matrix, witness)
        with stage("quotient"):
            quotient = ntt.quotient(a_values, b_values, qap.coset_shift(self.power), overwrite=True)
            del a_values, b_values
        with stage("A", self.a.points):
            a = msm_packed(1, self.a, witness)
        with stage("B in G1", self.b_g1.points):
            b_g1 = msm_packed(1, self.b_g1, witness)
        with stage("B in G2", self.b_g2.points):
            b_g2 = msm_packed(2, self.b_g2, witness)
        with stage("C", self.c.points):
            c = msm_packed(1, self.c, witness[self.n_public + 1 :])
        with stage("H", self.h.points):
            h = msm_packed(1, self.h, quotient)
        return Sums(a, b_g1, b_g2, c, h)

    def commit(self, values: Limbs) -> tuple[Limbs, Limbs]:
        """The commitment and its proof of knowledge."""
        if self.committed is None or self.knowledge is None:
            raise ValueError("the key has no commitment")
        with self._using(self.committed.points, self.knowledge.points):
            return msm_packed(1, self.committed, values), msm_packed(1, self.knowledge, values)

    @contextmanager
    def _stage(self, progress: Progress, name: str, *arrays: NDArray[Any]) -> Iterator[None]:
        """A stage and the arrays of a mapped key that it uses."""
        progress(name, stage_starts()[name])
        with self._using(*arrays):
            yield

    @contextmanager
    def _using(self, *arrays: NDArray[Any]) -> Iterator[None]:
        """Arrays of a mapped key that are used now: they take memory no longer than that lasts."""
        if self.source is None:
            yield
            return
        for array in arrays:
            self.source.prefetch(array)
        yield
        for array in arrays:
            self.source.release(array)


_loaded: WeakKeyDictionary[ProvingKey, CpuKey] = WeakKeyDictionary()


def load(key: ProvingKey) -> CpuKey:
    """The key with its points packed; packed once as long as ``key`` is kept, and see ``prepared``.

    Raises:
        BadInputError: the key is in a file, and its body there is wrong.
    """
    found = _loaded.get(key)
    if found is None:
        (a_matrix, b_matrix), queries, source = prepare(key)
        found = _loaded[key] = CpuKey(key.n_public, key.power, a_matrix, b_matrix, source=source, **queries)
    return found
