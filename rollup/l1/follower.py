"""What a rollup's chain says, block after block, and when it takes back what it said.

What was read is never assumed to last. Blocks up to which the chain was read are kept with their hashes; before reading
on, the newest is compared with the chain's block of that height. If it is another one, or there is none, a reorg took
it back, and reading goes on from the newest that still agrees, or from the start. A block counts once ``confirmations``
blocks lie above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aitbc_rollup.errors import L1Error

from .bound import BoundContract, Event
from .client import Block

#: Checkpoints kept; a reorg deeper than the oldest is read again from the start.
KEPT = 64
_TRIES = 3


class Memory(Protocol):
    """Where checkpoints are kept from run to run: number and hash, the oldest first."""

    @property
    def checkpoints(self) -> list[tuple[int, bytes]]:
        """Those kept last."""

    def keep_checkpoints(self, blocks: Sequence[tuple[int, bytes]]) -> None:
        """Replace them; durable on return."""


@dataclass(frozen=True, slots=True)
class Reorg:
    """The chain took back blocks that were read: the newest that was, and the newest that still holds (-1: none)."""

    read: int
    holds: int


@dataclass(frozen=True, slots=True)
class News:
    """What a look at the chain brought.

    ``block`` is the newest that counts, ``events`` what the rollup logged from the last agreeing checkpoint up to it,
    ``reorg`` what the chain took back before that.
    """

    block: Block
    events: tuple[Event, ...]
    reorg: Reorg | None


class Follower:
    """Reads a rollup's events on and notices reorgs.

    Args:
        contract: the rollup.
        memory: keeps the checkpoints.
        confirmations: blocks that must lie above one that counts.
    """

    def __init__(self, contract: BoundContract, memory: Memory, *, confirmations: int = 0) -> None:
        self._contract = contract
        self._memory = memory
        self._confirmations = confirmations

    def look(self) -> News:
        """What is new. Whoever has acted on it calls :meth:`keep`; until then the same is told again.

        Raises:
            L1Error: the chain does not answer, keeps no logs that old, or changes faster than it is read.
        """
        for _ in range(_TRIES):
            news = self._look()
            if self._contract.client.block(news.block.number) == news.block:
                return news
        raise L1Error("the chain changes faster than it is read", place=self._contract.client.name)

    def _look(self) -> News:
        client = self._contract.client
        kept = [Block(*one) for one in self._memory.checkpoints]
        held = list(kept)
        while held and client.block(held[-1].number) != held[-1]:
            held.pop()
        head = client.block()
        if head is None:
            raise L1Error("the chain has no block", place=client.name)
        deep = client.block(max(head.number - self._confirmations, 0)) or head
        first = held[-1].number + 1 if held else client.since
        if held and deep.number < held[-1].number:  # more confirmations are asked for than when it was read
            deep = held[-1]
        reorg = Reorg(kept[-1].number, held[-1].number if held else -1) if len(held) < len(kept) else None
        return News(deep, tuple(self._contract.history(first, deep.number)), reorg)

    def keep(self, news: News) -> None:
        """Remember that everything up to the news' block was acted on."""
        holds = news.block.number if news.reorg is None else news.reorg.holds
        kept = [block for block in self._memory.checkpoints if block[0] <= holds and block[0] < news.block.number]
        self._memory.keep_checkpoints([*kept, (news.block.number, news.block.hash)][-KEPT:])
