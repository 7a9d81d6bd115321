"""What a launch plan needs of a machine with kernels: memory, transfers, launches.

The plans (``ntt``, ``msm`` …) are written against :class:`Device` alone. Here it is a card, through CuPy; in the tests
it is a CPU that runs the same kernels (``tests/gpu/``).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from aitbc_rollup.errors import ResourceError

#: An array in a device's memory, C-contiguous: CuPy's or, in tests, numpy's. A slice of the first axis is one too.
Array = Any
#: Kernels take arrays, as the address of their first element, and numpy integers of the width the kernel declares.
Argument = Array | np.integer[Any]

#: How many lanes a device has; see :meth:`Device.lane`.
LANES = 4


class DeviceMemoryError(ResourceError):
    """What is asked for does not fit into a device's memory budget."""


class Device(Protocol):
    """Memory and kernels of one device. Work is queued in order on the current stream, and errors may come late.

    Memory that is let go of is used again by what is queued later on the same stream. So an array that another lane
    works with is kept until after :meth:`join`.
    """

    @property
    def name(self) -> str:
        """What the maker calls it."""
        ...

    @property
    def multiprocessors(self) -> int:
        """How many of them there are: launches are cut to fill them."""
        ...

    @property
    def free(self) -> int:
        """Bytes that the memory budget still allows."""
        ...

    def describe(self) -> str:
        """What it is, in one line for a person."""
        ...

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
        """An uninitialised array.

        Raises:
            DeviceMemoryError: the memory budget does not allow it.
        """
        ...

    def zeros(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array of zeros; errors as :meth:`empty`."""
        ...

    def upload(self, host: NDArray[Any]) -> Array:
        """A copy of a host array on the device."""
        ...

    def download(self, array: Array) -> NDArray[Any]:
        """A copy of a device array on the host, after all that was queued before."""
        ...

    def launch(
        self,
        module: str,
        kernel: str,
        blocks: int | tuple[int, int],
        threads: int,
        *arguments: Argument,
        shared: int = 0,
    ) -> None:
        """Queue a kernel of ``kernels/<module>.cu`` on a grid of ``blocks`` of ``threads``.

        ``shared`` is the block's dynamic shared memory in bytes. An empty grid is no launch.
        """
        ...

    def lane(self, number: int) -> AbstractContextManager[None]:
        """What is queued within goes beside the rest: after what was queued before, and :meth:`join` waits for it."""
        ...

    def join(self) -> None:
        """What is queued from now on comes after all that was queued in lanes."""
        ...

    def time(self, work: Callable[[], object]) -> float:
        """Milliseconds that the device takes for what a function queues; lanes count as far as they are joined."""
        ...
