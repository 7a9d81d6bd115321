from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import store_world
from store_world import DOMAIN, SHAPE, bound, next_batch, record_id, seal

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError, ResourceError
from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.store import Identity, Store
from aitbc_rollup.rollup.transactions import Domain


def test_a_new_folder_holds_genesis(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        assert store.state().root == world.state().root
        assert store.batch_count == 0
        assert store.genesis_json() == world.to_json()
        assert (store.shape(), store.domain(), store.verification_key_json()) == (SHAPE, DOMAIN, {"key": 1})


def test_sealed_batches_are_there_again(tmp_path: Path, world: Genesis) -> None:
    sealed = []
    for number in (1, 2):
        with bound(tmp_path, world) as store:
            sealed += seal(store, f"job{number}")
    with bound(tmp_path, world) as store:
        assert [store.batch(1), store.batch(2)] == sealed
        assert store.state().root == sealed[1].data.new_root == store.root_after(2)
        assert sealed[1].data.old_root == sealed[0].data.new_root
        assert (store.job("job1"), store.job_of_batch(2), store.job("job3")) == (
            {"batches": [1]},
            {"batches": [2]},
            None,
        )
        assert store.last_job() == ("job2", {"batches": [2]})
        assert store.queue_items == 2
        with pytest.raises(BadInputError, match="no such batch"):
            store.batch(3)


def test_several_batches_of_one_job(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        sealed = seal(store, "job", 3)
        assert [store.batch(number) for number in (1, 2, 3)] == sealed
        assert store.state().root == sealed[2].data.new_root
        assert store.state().account(2).nonce == 3
        assert (store.batch_count, store.queue_items) == (3, 3)
        with pytest.raises(BadInputError) as caught:
            store.check_unbilled([(record_id(2), "x")])
        assert caught.value.got == "a record of batch 2"


def test_a_new_folder_has_no_job(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        assert (store.last_job(), store.queue_items, store.last_l1_time) == (None, 0, 0)


def test_a_billed_record_names_its_batch(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        seal(store, "job")
        store.check_unbilled([(record_id(2), "input:3")])
        with pytest.raises(BadInputError) as caught:
            store.check_unbilled([(record_id(2), "input:3"), (record_id(1), "input:4")])
        assert caught.value.message == "the record is already billed"
        assert (caught.value.place, caught.value.got) == ("input:4", "a record of batch 1")


def test_a_batch_is_sealed_once(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        first = next_batch(store.state(), 1)
        store.seal([first], [], "job", {})
        root = store.state().root
        for again in ([first], [next_batch(store.state(), 2), first], [next_batch(world.state(), 2)]):
            with pytest.raises(BadInputError, match="not the next batch"):
                store.seal(again, [(record_id(9), 2)], "other", {})
        assert (store.job("other"), store.batch_count, store.state().root) == (None, 1, root)
        store.check_unbilled([(record_id(9), "x")])  # the refused ones billed nothing


def other_identities(world: Genesis) -> dict[str, Identity]:
    digest = world.digest()
    return {
        "genesis": Identity(genesis.development(31337, 3).digest(), DOMAIN, SHAPE),
        "chain id": Identity(digest, Domain(1337, DOMAIN.contract, 0), SHAPE),
        "shard": Identity(digest, Domain(31337, DOMAIN.contract, 1), SHAPE),
        "shape": Identity(digest, DOMAIN, Shape.for_records(64)),
        "contract": Identity(digest, Domain(31337, 1, 0), SHAPE),
    }


@pytest.mark.parametrize("what", ["genesis", "chain id", "shard", "shape", "contract"])
def test_a_folder_of_another(tmp_path: Path, world: Genesis, what: str) -> None:
    bound(tmp_path, world).close()
    with Store(tmp_path) as store, pytest.raises(BadInputError) as caught:
        store.bind(other_identities(world)[what], world, None)
    assert caught.value.message == f"the state folder belongs to another {what}"


def test_one_process_at_a_time(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world), pytest.raises(ResourceError, match="the state folder is in use"):
        Store(tmp_path)
    bound(tmp_path, world).close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="the state folder cannot be made"):
        Store(tmp_path / "file" / "state")


def test_a_spoiled_database(tmp_path: Path, world: Genesis) -> None:
    bound(tmp_path, world).close()
    (tmp_path / "state.lmdb" / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(ResourceError, match="the state folder cannot be opened"):
        Store(tmp_path)


def test_kill_nine_loses_nothing_and_doubles_nothing(tmp_path: Path, world: Genesis) -> None:
    program = [sys.executable, store_world.__file__, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    acknowledged = 0
    for reads in (1, 4, 2):
        process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        for _ in range(reads):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with bound(tmp_path, world) as store:
            count = store.batch_count
            assert count >= acknowledged
            batches = [store.batch(number) for number in range(1, count + 1)]
            assert store.state().root == batches[-1].data.new_root
            assert store.state().account(2).nonce == count
            for number in range(1, count + 1):
                assert store.job(f"job{number}") == {"batches": [number]}
                with pytest.raises(BadInputError, match="already billed"):
                    store.check_unbilled([(record_id(number), "x")])
            assert store.job(f"job{count + 1}") is None
            store.check_unbilled([(record_id(count + 1), "x")])
