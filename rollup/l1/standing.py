"""A rollup's whole standing on its chain at one block: batches, clocks, money, fallback, escape, circuits, upgrades."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..checks import format_address
from .client import Block
from .rollup_contract import RollupContract


def standing(rollup: RollupContract, block: Block) -> dict[str, Any]:
    """Everything by name, after a block; times in unix seconds, 0 where a clock does not run, amounts as strings.

    Raises:
        L1Error: the chain does not answer.
    """
    at = block.number

    def view(name: str, *arguments: Any) -> Any:
        return rollup.bound.view(name, *arguments, at=at)

    status = rollup.status(at)
    pointers = status.queue
    overdue = int(view("item", pointers.finalized + 1)[2]) if pointers.queued > pointers.finalized else 0
    oldest = rollup.batch(status.proven + 1, at).committed_at if status.committed > status.proven else 0
    return {
        "block": at,
        "committed": status.committed,
        "proven": status.proven,
        "finalized": status.finalized,
        "state_root": f"0x{status.state_root:064x}",
        "queue": asdict(pointers) | {"waiting": pointers.waiting, "fee": str(view("queueFee"))},
        "clocks": {
            "oldest_unproven_since": oldest,
            "oldest_item_overdue_at": overdue,
            "pending_since": int(view("pendingSince")),
            "disputed_since": int(view("disputedSince")),
            "exit_delay": int(view("exitDelay")),
            "withdrawal_delay": int(view("withdrawalDelay")),
        },
        "fallback_open": bool(view("fallbackOpen")),
        "proposals": int(view("proposals")),
        "bond": str(view("bond")),
        "freezable": bool(view("isFreezable")),
        "frozen": bool(view("frozen")),
        "asset": str(view("asset")).lower(),
        "holdings": str(view("holdings")),
        "withdrawable": str(view("withdrawable")),
        "authority": str(view("authority")).lower(),
        "router": format_address(int(rollup.router.address, 16)),
        "circuits": [
            {"selector": f"0x{selector.hex()}"} | asdict(rollup.router.status(selector, at))
            for selector in rollup.router.known()
        ],
        "upgrade": _upgrade(bytes(view("announcedUpgrade")), int(view("upgradeAt"))),
    }


def _upgrade(announced: bytes, at: int) -> dict[str, Any] | None:
    """The announced upgrade: hash of implementation and call, and from when on it can take effect."""
    return {"hash": f"0x{announced.hex()}", "from": at} if any(announced) else None
