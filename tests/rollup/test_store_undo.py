"""A store steps back as exactly as it went forward, also when it is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from store_world import bound, next_batch, record_id, seal

from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup import store as store_module
from aitbc_rollup.rollup.binding import to_words
from aitbc_rollup.rollup.data import read_head
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.store import Store


def content(store: Store) -> dict[str, dict[bytes, bytes]]:
    """Every byte that the store keeps."""
    with store._env.begin() as transaction:
        return {name: dict(transaction.cursor(table)) for name, table in store._tables.items()}


def test_every_byte_is_what_it_was(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        before = [content(store)]
        for number in range(1, 4):
            seal(store, f"job{number}")
            before.append(content(store))
        assert store.undo(3) == []
        assert store.undo(2) == [3]
        assert content(store) == before[2]
        assert store.undo(0) == [2, 1]
        assert content(store) == before[0]
        with pytest.raises(BadInputError, match="no such batch"):
            store.undo(1)


def test_records_are_billable_again_and_the_batches_can_be_sealed_again(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        first = seal(store, "job", 2)
        store.undo(1)
        store.check_unbilled([(record_id(2), "x")])
        with pytest.raises(BadInputError, match="already billed"):
            store.check_unbilled([(record_id(1), "x")])
        assert (store.job("job"), store.last_job()) == (None, ("job,1-1", {"batches": [1, 1], "proofs": {}}))
        assert seal(store, "job")[0].data == first[1].data
        assert store.undo(0) == [2, 1]
        assert content(store)["jobs"] == {}


def test_a_batch_of_somebody_else_is_adopted_and_undone(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path / "a", world) as ours, bound(tmp_path / "b", world) as theirs:
        (batch,) = seal(theirs, "theirs")
        before = content(ours)
        _, after = next_batch(ours.state(), 1)
        data = batch.data
        head = read_head(to_words(data.posted, "batch"), data.queue_items, "batch")
        ours.adopt(head, data.posted, after)
        assert (ours.state().root, ours.root_after(1), ours.batch_count) == (batch.data.new_root,) * 2 + (1,)
        assert (ours.queue_items, ours.last_l1_time) == (1, batch.data.context.l1_time)
        assert ours.job_of_batch(1)["provenance"] == {"source": "chain"}
        assert (ours.is_adopted(1), theirs.is_adopted(1)) == (True, False)
        assert ours.queue_items_after(1) == theirs.queue_items_after(1) == 1
        with pytest.raises(BadInputError, match="the batch is the chain's"):
            ours.batch(1)
        with pytest.raises(BadInputError, match="not the next batch"):
            ours.adopt(head, data.posted, after)
        assert ours.undo(0) == [1]
        assert content(ours) == before


def _undo_and_die(folder: Path, world: Genesis) -> None:
    shorten = store_module.shorten_job

    def die_at_the_second(write: store_module.Writer, number: int) -> None:
        shorten(write, number)
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    store_module.shorten_job = die_at_the_second
    with bound(folder, world) as store:
        store.undo(0)


def test_killed_in_the_middle_nothing_is_undone(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        seal(store, "job", 2)
        before = content(store)
    process = multiprocessing.get_context("spawn").Process(target=_undo_and_die, args=(tmp_path, world))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with bound(tmp_path, world) as store:
        assert content(store) == before


def test_checkpoints_are_kept(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        assert store.checkpoints == []
        store.keep_checkpoints([(1, b"\1" * 32), (7, b"\2" * 32)])
    with bound(tmp_path, world) as store:
        assert store.checkpoints == [(1, b"\1" * 32), (7, b"\2" * 32)]


def test_any_state_before_is_there_without_a_step_back(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        roots = [store.state().root]
        for number in range(1, 4):
            seal(store, f"job{number}")
            roots.append(store.state().root)
        before = content(store)
        for number, root in enumerate(roots):
            state = store.state_after(number)
            assert state.root == root
            state.update(list(state.accounts))  # every leaf and node again, from the accounts
            assert state.root == root
        assert content(store) == before
        with pytest.raises(BadInputError, match="no such batch"):
            store.state_after(4)
