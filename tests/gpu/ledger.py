"""A device that does nothing but keep account of memory, so that plans for any size can be held to their budget."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from aitbc_rollup.gpu.device import DeviceMemoryError


class Ledger:
    """Implements ``gpu.device.Device`` as far as plans use it, with the shape of an H200 and any memory.

    As with CuPy's pool, what was let go of in a lane serves that lane alone: what is taken is the sum of the most that
    each lane, and the rest, had at a time.
    """

    name = "ledger"
    multiprocessors = 132

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.launches = 0
        self._lane = -1
        self._held: Counter[int] = Counter()
        self._most: Counter[int] = Counter()

    @property
    def free(self) -> int:
        return self.budget - self._held.total()

    @property
    def taken(self) -> int:
        """Bytes of the card that are taken."""
        return self._most.total()

    def settle(self) -> None:
        """What nobody holds goes back to the card."""
        self._most = Counter(self._held)

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        place = np.empty((), dtype)
        array = np.broadcast_to(place, shape)
        if array.nbytes > self.free:
            raise DeviceMemoryError("the ledger's memory does not suffice", got=f"{self.free} of {array.nbytes} bytes")
        self._count(self._lane, array.nbytes)
        weakref.finalize(place, self._count, self._lane, -array.nbytes)
        return array

    def _count(self, lane: int, size: int) -> None:
        self._held[lane] += size
        self._most[lane] = max(self._most[lane], self._held[lane])

    zeros = empty

    def upload(self, host: NDArray[Any]) -> NDArray[Any]:
        return self.empty(host.shape, host.dtype)

    def download(self, array: NDArray[Any]) -> NDArray[Any]:
        return np.zeros(array.shape, array.dtype)

    def launch(self, module: str, kernel: str, blocks: Any, threads: int, *arguments: Any, shared: int = 0) -> None:
        grid = blocks if isinstance(blocks, tuple) else (blocks, 1)
        assert 0 <= grid[0] < 1 << 31 and grid[1] < 1 << 16 and threads <= 1024
        self.launches += 1

    @contextmanager
    def lane(self, number: int) -> Iterator[None]:
        outer, self._lane = self._lane, number
        yield
        self._lane = outer

    def join(self) -> None:
        pass
