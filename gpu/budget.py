"""How a device's memory is shared out among a key's lists of points: where a multiple saves most, it is kept first.

Each list has at least its points and what one sum of them takes, so that all sums can be under way at once. What is
left goes, step by step, for more levels of a list's table (:mod:`.plan`), each time where the additions saved per byte
are most.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, TypeVar

from . import plan
from .device import DeviceMemoryError
from .points import Group

Name = TypeVar("Name")

#: What an addition in G2 costs, in additions in G1: three products for one.
_WEIGHT: dict[Group, int] = {1: 1, 2: 3}
#: Numbers of levels that are tried.
_LEVELS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
#: More than any device has.
_ENDLESS = 1 << 60


class Points(NamedTuple):
    """A list of points, as far as its memory goes; ``besides`` is what a sum takes whatever its plan."""

    group: Group
    length: int
    besides: int


class _Option(NamedTuple):
    size: int
    cost: float


class Share(NamedTuple):
    """Bytes that a list's table and one sum may take, and how many levels the table may have, if that is limited."""

    size: int
    levels: int | None = None


def shares(lists: Mapping[Name, Points], available: int, *, tight: bool) -> dict[Name, Share]:
    """What each list may take of so many bytes.

    Where there is no room for all sums at once and ``tight`` allows it, there are no tables, and each list's sum gets
    what all the points leave: it then has to have that to itself.

    Raises:
        DeviceMemoryError: there is no room even so.
    """
    options = {name: _options(points) for name, points in lists.items()}
    chosen = dict.fromkeys(lists, 0)
    spare = available - sum(found[0].size for found in options.values())
    if spare < 0:
        held = {name: 64 * points.group * points.length for name, points in lists.items()}
        # While the last list is put together, its points are there twice.
        alone = sum(held.values()) + max(held[name] + points.besides for name, points in lists.items())
        least = alone if tight else available - spare
        if least > available:
            raise DeviceMemoryError(
                "the GPU's memory has no room for the proving key",
                place=f"a key of {sum(points.length for points in lists.values())} points",
                expected=f"{least / 2**20:.1f} MiB",
                got=f"{max(available, 0) / 2**20:.1f} MiB besides its matrices and the vectors of a proof",
                hint="raise AITBC_GPU_MEMORY, or use the engine 'cpu'",
            )
        left = available - sum(held.values())
        return {name: Share(left + own, levels=1) for name, own in held.items()}

    def gain(name: Name) -> float:
        now, then = options[name][chosen[name] : chosen[name] + 2]
        return (now.cost - then.cost) / (then.size - now.size)

    def price(name: Name) -> int:
        now, then = options[name][chosen[name] : chosen[name] + 2]
        return then.size - now.size

    while True:
        wanting = [name for name, at in chosen.items() if at + 1 < len(options[name])]
        affordable = [name for name in wanting if price(name) <= spare]
        if not affordable:
            return {name: Share(options[name][at].size) for name, at in chosen.items()}
        best = max(affordable, key=gain)
        spare -= price(best)
        chosen[best] += 1


@cache
def _options(points: Points) -> list[_Option]:
    """What can be bought for a list: more memory, fewer additions, from the least on."""
    group, length, besides = points
    found: list[_Option] = []
    for levels in _LEVELS:
        best = plan.choose(length, group, _ENDLESS, levels)
        cost = _WEIGHT[group] * best.parts * plan.cost(-(-length // best.parts), best.digits)
        option = _Option(plan.memory(length, group, best) + besides, cost)
        if not found or (option.size > found[-1].size and option.cost < found[-1].cost):
            found.append(option)
    return found
