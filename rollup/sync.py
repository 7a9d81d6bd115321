"""A state folder brought to where its chain is: what the chain took back or replaced is undone, what it has is taken.

The chain may come to another history than the node saw or wanted: an L1 reorg, a rollback, a fallback that voids
batches, a batch that somebody else settled. What is read here is read of one block, and its hash is asked for again
before anything is written::

    agreed    the newest batch whose root and queue items are the same here and there
    undo      batches behind it, if the chain went on otherwise; or the first that takes items which the chain's queue
              does not hold in its place, and those after it
    adopt     the chain's batches behind it, from their posted data alone

A batch that was sealed here, that the chain lacks and that still fits it stays: it waits to be submitted. Undoing is
one transaction of the store, and so is each adoption: killed in between, the folder stands where the chain once was,
and the next run goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

from aitbc_rollup.errors import L1Error

from .l1.client import Block
from .l1.follower import Follower, News, Reorg
from .l1.rollup_contract import RollupContract
from .rebuild import Elsewhere, apply_posted, nothing_elsewhere
from .store import Store
from .transactions import QueueItem


@dataclass(frozen=True, slots=True)
class Synced:
    """What was done: numbers of the batches undone, last one first, and taken over; up to which block of the chain."""

    undone: tuple[int, ...]
    adopted: tuple[int, ...]
    reorg: Reorg | None
    block: Block


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where to step back to, and posted data and queue items of the chain's batches to take over from there."""

    keep: int
    adopt: tuple[tuple[bytes, list[QueueItem]], ...]


def sync(
    store: Store,
    rollup: RollupContract,
    *,
    confirmations: int = 0,
    elsewhere: Elsewhere = nothing_elsewhere,
) -> Synced:
    """Bring a folder to its chain.

    Args:
        store: the folder.
        rollup: its contract, deployed or not.
        confirmations: blocks that must lie above one that counts.
        elsewhere: asked for what batches did not post in their transactions.

    Raises:
        L1Error: the chain does not answer, keeps no data that old, or changes while it is read.
        BadInputError: data that do not decode.
        InvalidError: data whose roots do not come out.
    """
    follower = Follower(rollup.bound, store, confirmations=confirmations)
    news = follower.look()
    plan = _plan(store, rollup, news)
    if rollup.client.block(news.block.number) != news.block:
        raise L1Error(
            "the chain took back a block while it was read",
            place=rollup.client.name,
            got=f"another block {news.block.number}",
            hint="run the same command again",
        )
    undone = store.undo(plan.keep)
    adopted = []
    domain = store.domain()
    for posted, items in plan.adopt:
        number, state = store.batch_count + 1, store.state()
        head = apply_posted(state, domain.chain_id, domain.shard, number, posted, items, elsewhere)
        store.adopt(head, posted, state)
        adopted.append(number)
    follower.keep(news)
    return Synced(tuple(undone), tuple(adopted), news.reorg, news.block)


def _plan(store: Store, rollup: RollupContract, news: News) -> _Plan:
    at = news.block.number
    if not rollup.is_deployed(at):
        return _Plan(_last_fitting(store, rollup, 0, queued=0, at=at), ())
    status = rollup.status(at)
    agreed = _agreed(store, rollup, status.committed, at)
    if status.committed == agreed:
        return _Plan(_last_fitting(store, rollup, agreed, queued=status.queue.queued, at=at), ())
    ahead = range(agreed + 1, status.committed + 1)
    return _Plan(agreed, tuple((rollup.posted(number, at), rollup.queue_items(number, at)) for number in ahead))


def _agreed(store: Store, rollup: RollupContract, committed: int, at: int) -> int:
    """The newest batch that is the same in the folder and on the chain; 0 is the genesis.

    A root binds every account, and with it the history of every run: equal roots are equal states.
    """
    for number in range(min(store.batch_count, committed), 0, -1):
        batch = rollup.batch(number, at)
        if (batch.new_root, batch.last_item) == (store.root_after(number), store.queue_items_after(number)):
            return number
    return 0


def _last_fitting(store: Store, rollup: RollupContract, agreed: int, *, queued: int, at: int) -> int:
    """The last of the folder's batches that could still follow the chain's last one."""
    for number in range(agreed + 1, store.batch_count + 1):
        first, last = store.queue_items_after(number - 1) + 1, store.queue_items_after(number)
        if store.is_adopted(number) or last > queued:
            return number - 1
        count = last - first + 1
        if count and tuple(rollup.queue.items(first, count, at)) != store.batch(number).data.queue_items:
            return number - 1
    return store.batch_count
