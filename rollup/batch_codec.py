"""A batch as JSON: its transactions, and what its accounts and their siblings were before it.

Reading it folds the transactions again over that part of the state, so that nothing is kept twice.
"""

from __future__ import annotations

from typing import Any

from aitbc_rollup.circuits.statements.batch.layout import TREE_ARITY, TREE_DEPTH
from aitbc_rollup.circuits.statements.batch.shape import Shape

from .accounts import Account
from .batch import Batch, build
from .data import BatchContext
from .documents import (
    registration_from_json,
    registration_to_json,
    signed_session_from_json,
    signed_session_to_json,
    signed_transfer_from_json,
    signed_transfer_to_json,
)
from .state import State
from .transactions import Domain, QueueItem, SignedSession, Transactions
from .tree import empty_node


class _Opening:
    """The accounts a batch touches and the nodes beside them, as they were before: a state's source."""

    def __init__(self, accounts: dict[int, Account], nodes: dict[tuple[int, int], int]) -> None:
        self._accounts = accounts
        self._nodes = nodes

    def account(self, index: int) -> Account | None:
        return self._accounts.get(index)

    def node(self, level: int, index: int) -> int | None:
        return self._nodes.get((level, index))


def batch_to_json(batch: Batch) -> dict[str, Any]:
    """A batch as plain values; :func:`batch_from_json` is the way back."""
    context, items = batch.data.context, batch.items
    domain = context.domain
    return {
        "domain": [domain.chain_id, domain.contract, domain.shard],
        "batch_number": context.batch_number,
        "mode": context.mode,
        "l1_time": context.l1_time,
        "operator_index": context.operator_index,
        "shape": str(batch.shape),
        "queue": [item.words for item in items.queue],
        "registrations": [registration_to_json(registration) for registration in items.registrations],
        "transfers": [[signed.place, signed_transfer_to_json(signed, domain)] for signed in items.transfers],
        "sessions": [[signed.place, signed_session_to_json(signed, domain)] for signed in items.sessions],
        "accounts": [[entry.index, *entry.before.to_words()] for entry in batch.accounts if entry.before.exists],
        "nodes": [
            [level, TREE_ARITY * family.index + place, f"{node:x}"]
            for level, families in enumerate(batch.levels)
            for family in families
            for place, node in enumerate(family.before)
            if node != empty_node(level)
        ],
        "old_root": f"{batch.data.old_root:x}",
    }


def batch_from_json(value: dict[str, Any]) -> Batch:
    """The batch of :func:`batch_to_json`; trusts its input, which is this program's own."""
    context = BatchContext(
        domain=Domain(*value["domain"]),
        batch_number=value["batch_number"],
        mode=value["mode"],
        l1_time=value["l1_time"],
        operator_index=value["operator_index"],
    )
    items = Transactions(
        queue=tuple(QueueItem.from_words(*words) for words in value["queue"]),
        registrations=tuple(registration_from_json(entry, "registration") for entry in value["registrations"]),
        transfers=tuple(signed_transfer_from_json(entry, place)[0] for place, entry in value["transfers"]),
        sessions=sessions_from_json(value),
    )
    accounts = {index: Account.from_words(words) for index, *words in value["accounts"]}
    nodes = {(level, index): int(node, 16) for level, index, node in value["nodes"]}
    nodes[TREE_DEPTH, 0] = int(value["old_root"], 16)
    return build(State(_Opening(accounts, nodes)), items, context, Shape.parse(value["shape"]))


def sessions_from_json(value: dict[str, Any]) -> tuple[SignedSession, ...]:
    """The sessions of :func:`batch_to_json` alone, in their order; nothing is folded."""
    return tuple(signed_session_from_json(entry, place)[0] for place, entry in value["sessions"])
