"""What does the heavy work of a proof: one protocol, several engines, found by name.

Arrays cross this seam as limbs on the host: uint64, C-contiguous, field elements ``(n, 4)``, affine points ``(n, 8)``
in G1 and ``(n, 16)`` in G2, Montgomery form with radix 2^256, unless "canonical" is said. An engine with its own
memory uploads a key once (:meth:`Engine.load`) and then needs only the witness per proof. The same tests run over
each engine.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import NamedTuple, Protocol, cast

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.errors import ResourceError, UsageError

from . import qap
from .keys import Matrix, ProvingKey

#: Told the name of the stage that begins and the share of the work done before it, from 0 to 1.
Progress = Callable[[str, float], None]

#: The stages a :class:`LoadedKey` reports, with their share of the work, roughly.
STAGES = {"constraints": 0.01, "quotient": 0.06, "A": 0.15, "B in G1": 0.15, "B in G2": 0.35, "C": 0.13, "H": 0.15}


def silent(stage: str, done: float) -> None:
    """A :data:`Progress` that says nothing."""


def stage_starts() -> dict[str, float]:
    """For each stage, the share of the work done when it begins."""
    starts, done = {}, 0.0
    for stage, share in STAGES.items():
        starts[stage] = round(done, 4)
        done += share
    return starts


class Sums(NamedTuple):
    """The five witness-dependent sums of a proof, before blinding; flat affine points.

    a = Σ wᵢ·Aᵢ, b_g1 and b_g2 = Σ wᵢ·Bᵢ, c = Σ wᵢ·Cᵢ over the private wires, h = Σ pⱼ·Hⱼ with p the quotient's values.
    """

    a: Limbs
    b_g1: Limbs
    b_g2: Limbs
    c: Limbs
    h: Limbs


class LoadedKey(Protocol):
    """A proving key where the engine wants it."""

    def sums(self, witness: Limbs, progress: Progress = silent) -> Sums:
        """All sums for a canonical witness, ``(n_wires, 4)``, whose length and range the caller has checked."""
        ...

    def commit(self, values: Limbs) -> tuple[Limbs, Limbs]:
        """Σ vᵢ·Kᵢ and Σ vᵢ·σKᵢ, flat, for the canonical values of the committed wires; the key has a commitment."""
        ...


class Engine(Protocol):
    """Operations a prover is made of; none changes its arguments."""

    @property
    def name(self) -> str:
        """What :func:`load_engine` calls it."""
        ...

    def describe(self) -> str:
        """What it computes on, in one line for a person."""
        ...

    def ntt(self, values: Limbs, shift: int = 1) -> Limbs:
        """Values at shift·ωⁱ of the polynomial with these coefficients, both in natural order; length 2^k ≤ 2^28."""
        ...

    def intt(self, values: Limbs, shift: int = 1) -> Limbs:
        """Coefficients of the polynomial with these values at shift·ωⁱ."""
        ...

    def quotient(self, a: Limbs, b: Limbs, shift: int) -> Limbs:
        """a·b − c at shift·ωⁱ, *canonical*; a and b are given by their values at ωⁱ, c has the values a·b there."""
        ...

    def sparse_product(self, matrix: Matrix, vector: Limbs) -> Limbs:
        """Matrix times a *canonical* vector; one row of the result per row."""
        ...

    def msm_g1(self, points: Limbs, scalars: Limbs) -> Limbs:
        """Σ scalars[i]·points[i], flat; *canonical* scalars."""
        ...

    def msm_g2(self, points: Limbs, scalars: Limbs) -> Limbs:
        """The same in G2."""
        ...

    def fixed_base_g1(self, scalars: Limbs) -> Limbs:
        """scalars[i]·generator for each i; *canonical* scalars."""
        ...

    def fixed_base_g2(self, scalars: Limbs) -> Limbs:
        """The same in G2."""
        ...

    def load(self, key: ProvingKey) -> LoadedKey:
        """Bring a key to where the engine computes; it stays valid as long as the result is kept."""
        ...


class HostKey:
    """A key in main memory, and the sums in terms of an engine's single operations."""

    def __init__(self, engine: Engine, key: ProvingKey) -> None:
        self._engine = engine
        self._key = key

    def sums(self, witness: Limbs, progress: Progress = silent) -> Sums:
        """All sums for a canonical witness."""
        engine, key, starts = self._engine, self._key, stage_starts()
        arrays = key.arrays

        def begin(stage: str) -> None:
            progress(stage, starts[stage])

        begin("constraints")
        a_values = engine.sparse_product(arrays.a, witness)
        b_values = engine.sparse_product(arrays.b, witness)
        begin("quotient")
        quotient = engine.quotient(a_values, b_values, qap.coset_shift(key.power))
        begin("A")
        a = engine.msm_g1(arrays.a_query, witness)
        begin("B in G1")
        b_g1 = engine.msm_g1(arrays.b_g1_query, witness)
        begin("B in G2")
        b_g2 = engine.msm_g2(arrays.b_g2_query, witness)
        begin("C")
        c = engine.msm_g1(arrays.c_query, witness[key.n_public + 1 :])
        begin("H")
        h = engine.msm_g1(arrays.h_query, quotient)
        return Sums(a, b_g1, b_g2, c, h)

    def commit(self, values: Limbs) -> tuple[Limbs, Limbs]:
        """The commitment and its proof of knowledge."""
        arrays, msm = self._key.arrays, self._engine.msm_g1
        return msm(arrays.committed_query, values), msm(arrays.knowledge_query, values)


class NoEngineError(ResourceError):
    """An engine's package, driver or device is not there: a machine without it, not one where it is broken."""


_MODULES = {
    "cpu": "aitbc_rollup.prover.cpu.engine",
    "gpu": "aitbc_rollup.gpu.engine",
    "reference": "aitbc_rollup.prover.reference",
}


def load_engine(name: str = "auto") -> Engine:
    """The engine ``cpu``, ``gpu`` or ``reference``; ``auto`` is the GPU where there is one, else the CPU.

    An engine is a module with a function ``open_engine()``; nothing of it is imported before it is asked for.

    Raises:
        NoEngineError: ``gpu`` was asked for and the package, a driver or a device are missing.
        ResourceError: ``gpu`` or ``auto`` was asked for and there is a GPU, but it cannot be used as it is.
        UsageError: no engine has this name.
    """
    if name == "auto":
        try:
            return load_engine("gpu")
        except NoEngineError:
            return load_engine("cpu")
    if name not in _MODULES:
        raise UsageError("no such engine", place=f"engine {name!r}", expected="auto, cpu, gpu or reference")
    try:
        module = importlib.import_module(_MODULES[name])
    except ImportError as error:
        if name != "gpu":
            raise
        raise NoEngineError(
            "there is no GPU engine here",
            place="engine 'gpu'",
            expected="a release that carries one, its libraries and an NVIDIA driver",
            got=str(error),
            hint="use the engine 'cpu'",
        ) from error
    return cast(Engine, module.open_engine())
