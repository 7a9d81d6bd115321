"""A proving key on a device, and the sums of a proof: the whole of what the card does for one.

In lanes, so that where one sum has too few threads for the card, another fills it: sparse products, quotient and its
sum in the first, B in G2 in the second, the other three in the rest. Where memory does not suffice for all at once,
they are queued one after another.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Protocol, TypeVar

from aitbc_rollup.algebra.jit import checked
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.prover import qap
from aitbc_rollup.prover.engine import Progress, Sums, silent, stage_starts
from aitbc_rollup.prover.keys import ProvingKey, Query

from .budget import Points, shares
from .device import Array, Device, DeviceMemoryError
from .msm import SLICES, Bases
from .ntt import Transforms
from .sparse import DeviceMatrix

#: Of a field's element.
_ELEMENT_BYTES = 32
#: Vectors of the domain's size that the quotient has at a time, the tables of its transforms among them.
_VECTORS = 12
#: What each query is called in progress, and the lane of its sum.
_STAGES: dict[Query, tuple[str, int]] = {
    "a": ("A", 2), "b_g1": ("B in G1", 3), "b_g2": ("B in G2", 1), "c": ("C", 2), "h": ("H", 0),
}  # fmt: skip


Result = TypeVar("Result")


class Alone(Protocol):
    """How a function is called that works on the device."""

    def __call__(self, work: Callable[[], Result]) -> Result:
        """Its result, with nobody else at work there; called again, where memory does not suffice, with more of it."""
        ...


class GpuKey:
    """Implements ``prover.engine.LoadedKey``.

    Args:
        device: where the key goes.
        transforms: those of the device.
        alone: what the device does for this key is done by it.
        key: the key; not kept.
        tight: whether it is to do with less memory than it takes to have all sums under way at once.

    Raises:
        BadInputError: the key is in a file, and its body there is wrong.
        DeviceMemoryError: the device has no room for it.
    """

    def __init__(self, device: Device, transforms: Transforms, alone: Alone, key: ProvingKey, *, tight: bool) -> None:
        self._device, self._transforms, self._alone = device, transforms, alone
        self._n_wires, self._n_public, self._power = key.n_wires, key.n_public, key.power
        self._a, self._b = (DeviceMatrix(device, matrix) for matrix in key.body.matrices())
        lists = {
            query: Points(group, key.n_points(query), SLICES[group].nbytes(device, group))
            for query, group in key.queries.items()
        }
        vectors = _ELEMENT_BYTES * (key.n_wires + _VECTORS * key.domain_size)
        self._bases = {
            query: Bases(device, lists[query].group, key.body.points(query), share.size, levels=share.levels)
            for query, share in shares(lists, device.free - vectors, tight=tight).items()
        }

    @property
    def nbytes(self) -> int:
        """Memory it takes on the device."""
        return self._a.nbytes + self._b.nbytes + sum(bases.nbytes for bases in self._bases.values())

    def sums(self, witness: Limbs, progress: Progress = silent) -> Sums:
        """All sums for a canonical witness."""
        checked(witness, self._n_wires, 4)
        return self._alone(lambda: self._sums(witness, progress))

    def _sums(self, witness: Limbs, progress: Progress) -> Sums:
        parts = None
        with suppress(DeviceMemoryError):
            parts = self._queued(witness, progress, self._device.lane)
        if parts is None:  # only here, where the error no longer holds what was allocated before it
            parts = self._queued(witness, silent, lambda number: nullcontext())
        return Sums(**{str(query): self._bases[query].finish(part) for query, part in parts.items()})

    def commit(self, values: Limbs) -> tuple[Limbs, Limbs]:
        """The commitment and its proof of knowledge."""
        if "committed" not in self._bases:
            raise ValueError("the key has no commitment")
        checked(values, None, 4)
        return self._alone(lambda: self._commitment(values))

    def _commitment(self, values: Limbs) -> tuple[Limbs, Limbs]:
        scalars = self._device.upload(values)
        first, second = (self._bases[query].sum(scalars) for query in ("committed", "knowledge"))
        return self._bases["committed"].finish(first), self._bases["knowledge"].finish(second)

    def _queued(
        self, witness: Limbs, progress: Progress, lane: Callable[[int], AbstractContextManager[None]]
    ) -> dict[Query, Array]:
        """The sums as the device will have them."""
        starts = stage_starts()
        progress("constraints", starts["constraints"])
        wires = self._device.upload(witness)
        parts: dict[Query, Array] = {}
        try:
            with lane(0):
                a, b = self._a.product(wires), self._b.product(wires)
                progress("quotient", starts["quotient"])
                quotient = self._transforms.quotient(a, b, qap.coset_shift(self._power))
                del a, b
            scalars: dict[Query, Array] = {"c": wires[self._n_public + 1 :], "h": quotient}
            for query, (stage, number) in _STAGES.items():
                progress(stage, starts[stage])
                with lane(number):
                    parts[query] = self._bases[query].sum(scalars.get(query, wires))
        finally:
            # However it ends: lanes may be at work with arrays that are let go of here.
            self._device.join()
        return parts
