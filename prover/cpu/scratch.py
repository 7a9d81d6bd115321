"""Scratch memory of kernels: a block a thread, kept from task to task."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from aitbc_rollup.algebra.limbs import aligned_empty

_LINE = 64


class _Memory(threading.local):
    block = aligned_empty(0)


_memory = _Memory()


def _flat(sizes: Any) -> Iterator[int]:
    for size in sizes:
        if isinstance(size, tuple):
            yield from _flat(size)
        else:
            yield size


def places(sizes: tuple[Any, ...]) -> list[int]:
    """Addresses of parts of these sizes in words of 8 bytes, in order, tuples among them taken apart.

    Each begins on a cache line. They hold anything, and are this thread's until it asks for others.
    """
    *starts, total = accumulate((-(-8 * size // _LINE) * _LINE for size in _flat(sizes)), initial=0)
    if 8 * len(_memory.block) < total:
        _memory.block = aligned_empty(total // 8)
    return [int(_memory.block.ctypes.data) + start for start in starts]
