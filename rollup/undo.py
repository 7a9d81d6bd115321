"""What a store writes so that it can step back: of every value the one before it, and a job without its last batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .accounts import NO_ACCOUNT, Account
from .state import State
from .tree import empty_node


class Writer:
    """A write transaction by the names of tables; it sees what it has written.

    Args:
        transaction: LMDB's.
        tables: its databases by name.
    """

    def __init__(self, transaction: Any, tables: dict[str, Any]) -> None:
        self._transaction = transaction
        self._tables = tables

    def get(self, table: str, key: bytes) -> bytes | None:
        """The value of a key, if it has one."""
        found = self._transaction.get(key, db=self._tables[table])
        return None if found is None else bytes(found)

    def put(self, table: str, key: bytes, value: bytes | None) -> None:
        """Set a value, or remove it."""
        if value is None:
            self._transaction.delete(key, db=self._tables[table])
        else:
            self._transaction.put(key, value, db=self._tables[table])


def text(value: Any) -> bytes:
    """A plain value as the store keeps it."""
    return json.dumps(value).encode()


def overwrite(write: Writer, state: State) -> list[list[str | None]]:
    """Write what an overlay changes; returns table, key and old value of each, for :func:`restore`."""
    overwritten: list[list[str | None]] = []
    for table, key, value in _changes(state):
        old = write.get(table, key)
        overwritten.append([table, key.hex(), None if old is None else old.hex()])
        write.put(table, key, value)
    return overwritten


def restore(write: Writer, overwritten: list[list[str | None]]) -> None:
    """Put back what :func:`overwrite` found."""
    for table, key, old in overwritten:
        write.put(str(table), bytes.fromhex(str(key)), None if old is None else bytes.fromhex(old))


def rewind(state: State, overwritten: list[list[str | None]]) -> None:
    """Set in an overlay what :func:`overwrite` found: the state before that, while nothing is written."""
    for table, key, old in overwritten:
        place, value = bytes.fromhex(str(key)), None if old is None else bytes.fromhex(old)
        if table == "accounts":
            words = [] if value is None else [int(word) for word in value.split()]
            state.accounts[int.from_bytes(place, "big")] = Account.from_words(words) if words else NO_ACCOUNT
        else:
            level, index = place[0], int.from_bytes(place[1:], "big")
            state.nodes[level, index] = empty_node(level) if value is None else int.from_bytes(value, "big")


def shorten_job(write: Writer, number: int) -> None:
    """Take the last batch of all off its job; what is left gets another name, so that the job is not found again."""
    name = write.get("batches", b"job" + number.to_bytes(8, "big"))
    raw = None if name is None else write.get("jobs", name)
    if name is None or raw is None:
        return
    write.put("jobs", name, None)
    job = json.loads(raw)
    first = int(job["batches"][0])
    if first == number:
        return
    rest = name.split(b",")[0] + f",{first}-{number - 1}".encode()
    proofs = {batch: proof for batch, proof in job.get("proofs", {}).items() if batch != str(number)}
    write.put("jobs", rest, text(job | {"batches": [first, number - 1], "proofs": proofs}))
    for kept in range(first, number):
        write.put("batches", b"job" + kept.to_bytes(8, "big"), rest)


def _changes(state: State) -> Iterator[tuple[str, bytes, bytes]]:
    """Table, key and value of everything that an overlay changes."""
    for index, account in state.accounts.items():
        words = " ".join(str(word) for word in account.to_words())
        yield "accounts", index.to_bytes(4, "big"), words.encode()
    for (level, index), node in state.nodes.items():
        yield "nodes", bytes([level]) + index.to_bytes(4, "big"), node.to_bytes(32, "big")
