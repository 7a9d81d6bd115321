from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import rollup_world
from rollup_world import DOMAIN, SHAPE, bound, next_batch, record_id

from aitbc_rollup.circuits.statements.agent_runs import Shape
from aitbc_rollup.errors import BadInputError, ResourceError
from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.records import Domain
from aitbc_rollup.rollup.store import Identity, Store


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
            batch, state = next_batch(store)
            store.seal(batch, state, [record_id(number)], f"job{number}", {"n": number})
            sealed.append(batch)
    with bound(tmp_path, world) as store:
        assert [store.batch(1), store.batch(2)] == sealed
        assert store.state().root == sealed[1].new_root
        assert sealed[1].old_root == sealed[0].new_root
        assert (store.job("job1"), store.job_of_batch(2), store.job("job3")) == ({"n": 1}, {"n": 2}, None)
        with pytest.raises(BadInputError, match="no such batch"):
            store.batch(3)


def test_a_billed_record_names_its_batch(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        batch, state = next_batch(store)
        store.seal(batch, state, [b"a" * 32], "job", {})
        store.check_unbilled([(b"b" * 32, "input:3")])
        with pytest.raises(BadInputError) as caught:
            store.check_unbilled([(b"b" * 32, "input:3"), (b"a" * 32, "input:4")])
        assert caught.value.message == "the record is already billed"
        assert (caught.value.place, caught.value.got) == ("input:4", "a record of batch 1")


def test_a_batch_is_sealed_once(tmp_path: Path, world: Genesis) -> None:
    with bound(tmp_path, world) as store:
        batch, state = next_batch(store)
        store.seal(batch, state, [b"a" * 32], "job", {})
        with pytest.raises(BadInputError, match="not the next batch"):
            store.seal(batch, state, [b"b" * 32], "other", {})
        assert store.job("other") is None
        store.check_unbilled([(b"b" * 32, "x")])  # the refused one billed nothing


def other_identities(world: Genesis) -> dict[str, Identity]:
    digest = world.digest()
    return {
        "genesis": Identity(genesis.development(31337, 3).digest(), DOMAIN, SHAPE),
        "chain id": Identity(digest, Domain(1337, DOMAIN.contract, 0), SHAPE),
        "shard": Identity(digest, Domain(31337, DOMAIN.contract, 1), SHAPE),
        "shape": Identity(digest, DOMAIN, Shape(4, 1)),
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
    program = [sys.executable, rollup_world.__file__, str(tmp_path)]
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
            assert store.state().root == batches[-1].new_root
            assert store.state().account(2).nonce == count
            for number in range(1, count + 1):
                assert store.job(f"job{number}") == {}
                with pytest.raises(BadInputError, match="already billed"):
                    store.check_unbilled([(record_id(number), "x")])
            assert store.job(f"job{count + 1}") is None
            store.check_unbilled([(record_id(count + 1), "x")])
