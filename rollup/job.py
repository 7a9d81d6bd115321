"""What a job is asked to do, and how it ended (``node`` does it)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aitbc_rollup.circuits.statements.batch.layout import PAGE_RECORDS, Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape

from .batch import Batch
from .dev_agents import DEFAULT_PRICES, Prices
from .transactions import Domain, QueueItem

#: Most pages of records in a circuit that nobody asked for in particular; the prover needs some gigabytes for it.
AUTO_PAGES = 64

#: Items of a contract's queue that wait behind so many taken, at most so many.
QueueSource = Callable[[Domain, int, int], Sequence[QueueItem]]


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """What a job does, and where; options left ``None`` have the default their comment names."""

    source: Path | None  # nothing but the queue's items and registrations
    state: Path
    out: Path
    keys: Path
    chain_id: int = 31337
    form: str | None = None  # recognised
    skip: int = 0
    limit: int | None = None  # all
    registrations: Path | None = None  # none
    queue: QueueSource | None = None  # none
    genesis: Path | None = None  # development accounts
    dev_agents: int | None = None  # 16, or all that the genesis file marks
    session_records: int = PAGE_RECORDS
    prices: Prices = DEFAULT_PRICES
    operator_share_bps: int = 500
    payout: int | None = None  # the operator's L1 address
    l1_time: int | None = None  # now
    shape: Shape | None = None  # the state folder's, or just enough room
    data: Kind | None = None  # the shape's
    most_pages: int = AUTO_PAGES  # of a shape that is not given
    engine: str = "auto"


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """One batch of a job; ``proved`` says whether the proof was made now, ``changed`` whether anything was.

    ``seconds`` are of witness and proof, whenever they were made.
    """

    batch: Batch
    proved: bool
    changed: bool
    constraints: int
    seconds: dict[str, float]
    out: Path


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """How a job ended; ``resumed`` says whether an earlier run had sealed its batches and not proven all of them."""

    job: str
    batches: tuple[BatchResult, ...]
    resumed: bool
    provenance: dict[str, Any]

    @property
    def changed(self) -> bool:
        """Whether this run did anything."""
        return any(result.changed for result in self.batches)
