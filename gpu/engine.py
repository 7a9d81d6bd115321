"""The GPU engine: host arrays in, host arrays out, keys on the card between proofs.

A key goes up once: matrices, and points with as many multiples as memory allows (:mod:`.key`). A proof then is one
upload of the witness, work that the host queues without waiting, and five small downloads. One thread at a time: the
others wait for the engine's lock, as they would for the card.

Keys stay as long as their ``ProvingKey`` does and memory allows: where a new one, or a proof with another, does not
fit, those go first that were not used for longest.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from threading import RLock
from typing import TypeVar
from weakref import WeakKeyDictionary

from aitbc_rollup.algebra.jit import checked
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.prover.engine import LoadedKey
from aitbc_rollup.prover.keys import Matrix, ProvingKey

from . import fixed_base
from .device import Array, Device, DeviceMemoryError
from .key import GpuKey
from .msm import msm
from .ntt import Transforms
from .points import AFFINE_WORDS, Group
from .sparse import DeviceMatrix

Result = TypeVar("Result")


class GpuEngine:
    """Implements ``prover.engine.Engine`` on a device."""

    name = "gpu"

    def __init__(self, device: Device) -> None:
        self._device = device
        self._transforms = Transforms(device)
        self._keys: WeakKeyDictionary[ProvingKey, GpuKey] = WeakKeyDictionary()
        self._lock = RLock()

    def describe(self) -> str:
        """The card, its memory, the compiler."""
        return self._device.describe()

    def ntt(self, values: Limbs, shift: int = 1) -> Limbs:
        """Coefficients to values."""
        return self._done(lambda: self._transforms.ntt(self._field(values), shift))

    def intt(self, values: Limbs, shift: int = 1) -> Limbs:
        """Values to coefficients."""
        return self._done(lambda: self._transforms.intt(self._field(values), shift))

    def quotient(self, a: Limbs, b: Limbs, shift: int) -> Limbs:
        """a·b − c on the coset."""
        return self._done(lambda: self._transforms.quotient(self._field(a), self._field(b), shift))

    def sparse_product(self, matrix: Matrix, vector: Limbs) -> Limbs:
        """Matrix times vector."""
        return self._done(lambda: DeviceMatrix(self._device, matrix).product(self._field(vector)))

    def msm_g1(self, points: Limbs, scalars: Limbs) -> Limbs:
        """Multi-scalar multiplication in G1."""
        return self._msm(1, points, scalars)

    def msm_g2(self, points: Limbs, scalars: Limbs) -> Limbs:
        """Multi-scalar multiplication in G2."""
        return self._msm(2, points, scalars)

    def fixed_base_g1(self, scalars: Limbs) -> Limbs:
        """Multiples of G1's generator."""
        return self._done(lambda: fixed_base.multiples(self._device, 1, self._field(scalars)))

    def fixed_base_g2(self, scalars: Limbs) -> Limbs:
        """Multiples of G2's generator."""
        return self._done(lambda: fixed_base.multiples(self._device, 2, self._field(scalars)))

    def load(self, key: ProvingKey) -> LoadedKey:
        """The key on the card; one loaded before is found again.

        Raises:
            BadInputError: the key is in a file, and its body there is wrong.
            DeviceMemoryError: the card has no room for it, even alone.
        """
        with self._lock:
            # Taken out and put back, so that the last is the one used last.
            found = self._keys.pop(key, None) or self._alone(partial(self._loaded, key))
            self._keys[key] = found
            return found

    def _loaded(self, key: ProvingKey) -> GpuKey:
        """A key that makes do with little memory only where no other holds any."""
        return GpuKey(self._device, self._transforms, self._alone, key, tight=not self._keys)

    def _msm(self, group: Group, points: Limbs, scalars: Limbs) -> Limbs:
        checked(scalars, len(checked(points, None, AFFINE_WORDS * group)), 4)
        return self._alone(lambda: msm(self._device, group, points, self._field(scalars)))

    def _field(self, elements: Limbs) -> Array:
        return self._device.upload(checked(elements, None, 4))

    def _done(self, work: Callable[[], Array]) -> Limbs:
        """The result of what is queued."""
        return self._alone(lambda: self._device.download(work()))

    def _alone(self, work: Callable[[], Result]) -> Result:
        """What a function returns that nobody else's work runs beside, given the memory that it takes: first that of
        the transforms' tables, then that of as many keys as need be, those used last kept longest."""
        with self._lock:
            try:
                return work()
            except DeviceMemoryError:
                if not self._transforms.forget() and not self._keys:
                    raise
            while self._keys:
                with suppress(DeviceMemoryError):
                    return work()
                self._keys.pop(next(iter(self._keys)))
            return work()


@cache
def open_engine() -> GpuEngine:
    """The engine on this machine's card, one for the process; see ``prover.engine.load_engine``.

    Raises:
        NoEngineError: CuPy, a driver or a card is missing.
        ResourceError: there is a card that cannot be used.
    """
    from .cupy_device import CupyDevice

    return GpuEngine(CupyDevice())
