"""``receipt`` from the command line: made from a state folder, checked against a root and against a chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_world import Cli, Result
from receipt_world import ALICE, EXTERNAL_ID, PROVIDER, deployed, sealed

from aitbc_rollup.rollup.batch import Batch
from aitbc_rollup.rollup.binding import to_words
from aitbc_rollup.rollup.data import read_head
from aitbc_rollup.rollup.l1 import client as l1_client
from aitbc_rollup.rollup.l1.client import L1Client, connect
from aitbc_rollup.rollup.l1.receipts import calldata
from aitbc_rollup.rollup.rebuild import apply
from aitbc_rollup.rollup.receipts import make
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.store import Store
from aitbc_rollup.rollup.transactions import Domain

DOMAIN = Domain(31337, 0xC0FFEE, 3)


@pytest.fixture
def batch(cli: Cli, tmp_path: Path) -> Batch:
    """In the folder that commands look into by themselves."""
    return sealed(tmp_path / "aitbc-state", DOMAIN)


@pytest.fixture
def written(cli: Cli, batch: Batch) -> Path:
    said = cli("receipt", "1:2:20", "--offline", "--out", "receipt.json", "--json")
    assert said.code == 0, said.err
    return Path("receipt.json")


def refused(said: Result, code: int, message: str) -> None:
    assert (said.code, said.json["exit_code"]) == (code, code)
    assert message in said.json["message"]
    assert "Traceback" not in said.err


def test_a_receipt_is_printed_or_written(cli: Cli, batch: Batch, written: Path) -> None:
    printed = cli("receipt", "make", "1:2:20", "--offline")
    assert printed.json == json.loads(written.read_text())
    said = cli("receipt", "1:2:20", "--offline", "--out", "again.json", "--json").json
    run = batch.items.sessions[2].session
    assert said == {
        "receipt": "again.json",
        "run_hash": str(run.run_hashes[20]),
        "agent": ALICE,
        "provider": PROVIDER,
        "nonce": 1,
        "place": 20,
        "external_id": str(EXTERNAL_ID),
        "outcome": "unstated",
        "fee": "30",
        "task": "2",
        "cid": "20",
        "batch": 1,
        "root": f"0x{batch.data.new_root:064x}",
        "chain_id": 31337,
        "contract": f"0x{DOMAIN.contract:040x}",
    }


@pytest.mark.parametrize(("session", "place"), [(1, 15), (2, 36)])
def test_a_record_is_found_by_its_run_hash(cli: Cli, batch: Batch, session: int, place: int) -> None:
    """Of a session that was billed by its run hashes, and of one that was not, as those of traces are not."""
    run_hash = batch.items.sessions[session].session.run_hashes[place]
    by_place = cli("receipt", f"1:{session}:{place}", "--offline").json
    assert cli("receipt", str(run_hash), "--offline").json == by_place
    assert cli("receipt", f"0x{run_hash:x}", "--offline").json == by_place


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("2:0:0", "no such batch"),
        ("1:5:0", "no such session"),
        ("1:0:1", "no such record"),
        ("1:3:0", "the session is not valid"),
        ("0x1234", "no record has this run hash"),
        ("1:0", "neither a place nor a run hash"),
        ("seven", "neither a place nor a run hash"),
        ("0x" + "f" * 64, "neither a place nor a run hash"),
    ],
)
def test_what_has_no_receipt(cli: Cli, batch: Batch, record: str, message: str) -> None:
    refused(cli("receipt", record, "--offline", "--json"), 3, message)


def test_a_batch_of_somebody_elses_has_none(cli: Cli, batch: Batch) -> None:
    """Its records are not on the chain, so a node that took it over does not have them."""
    with Store(Path("aitbc-state")) as store:
        store.undo(0)
        after = State(store)
        apply(after, batch.data, "batch")
        store.adopt(read_head(to_words(batch.data.posted, "batch"), [], "batch"), batch.data.posted, after)
    refused(cli("receipt", "1:0:0", "--offline", "--json"), 3, "the batch is the chain's")
    run_hash = batch.items.sessions[2].session.run_hashes[0]
    refused(cli("receipt", str(run_hash), "--offline", "--json"), 3, "no record has this run hash")


# -- verify ---------------------------------------------------------------------------------------------------------


def test_a_receipt_is_checked_against_a_root(cli: Cli, batch: Batch, written: Path) -> None:
    said = cli("receipt", "verify", written, "--json").json
    assert (said["valid"], said["root_trusted"], said["contract_trusted"]) == (True, False, False)
    root, contract = batch.data.new_root, f"0x{DOMAIN.contract:040x}"
    for text in (str(root), f"0x{root:064x}"):
        said = cli("receipt", "verify", written, "--root", text, "--contract", contract, "--json").json
        assert (said["valid"], said["root_trusted"], said["contract_trusted"]) == (True, True, True)
    refused(cli("receipt", "verify", written, "--root", root ^ 1, "--json"), 1, "the root after batch 1 is another")
    other = f"0x{DOMAIN.contract ^ 1:040x}"
    refused(cli("receipt", "verify", written, "--contract", other, "--json"), 1, "of another rollup")
    assert cli("receipt", "verify", written, "--root", "0xzz").code == 2
    refused(cli("receipt", "verify", written, "--root", 1, "--l1", "http://127.0.0.1:1", "--json"), 2, "two roots")


def test_a_forged_receipt_is_refused(cli: Cli, written: Path) -> None:
    document = json.loads(written.read_text())
    document["history_before"] = "7"
    written.write_text(json.dumps(document))
    refused(cli("receipt", "verify", written, "--json"), 1, "the account's history root does not come out")
    document["more"] = 1
    written.write_text(json.dumps(document))
    refused(cli("receipt", "verify", written, "--json"), 3, "unknown fields")
    written.write_text("{")
    assert cli("receipt", "verify", written).code == 3
    assert cli("receipt", "verify", "nowhere.json").code == 3


def test_a_receipt_as_calldata(cli: Cli, batch: Batch, written: Path) -> None:
    expected = calldata(make(batch, 2, 20))
    assert cli("receipt", "encode", written).out.strip() == "0x" + expected.hex()
    assert cli("receipt", "encode", written, "--bare").out.strip() == "0x" + expected[4:].hex()


# -- on a chain -----------------------------------------------------------------------------------------------------


def test_the_chain_says_what_is_final(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect()
    chain = deployed(client, "receipt")
    contract, l1_time = chain.rollup.address, client.time()

    def connected(url: str, *, expected_chain_id: int | None = None) -> L1Client:
        assert url == "http://l1"
        assert expected_chain_id in (None, client.chain_id)
        return client

    monkeypatch.setattr(l1_client, "connect", connected)
    batch = sealed(tmp_path / "aitbc-state", chain.domain, l1_time=l1_time)
    make_it = ("receipt", "--l1", "http://l1", "1:0:0", "--out", "receipt.json", "--json")
    refused(cli(*make_it), 1, "the batch is not final")
    assert not Path("receipt.json").exists()
    chain.finalize(batch)
    assert cli(*make_it).code == 0
    verify = ("receipt", "verify", "receipt.json", "--l1", "http://l1", "--contract", contract, "--json")
    said = cli(*verify).json
    assert (said["root_trusted"], said["contract_trusted"]) == (True, True)

    sealed(tmp_path / "other", chain.domain, sessions=[(ALICE, 0, 2)], l1_time=l1_time)
    refused(cli(*make_it, "--state", "other"), 1, "the root after batch 1 is another")
    assert cli("receipt", "1:0:0", "--state", "other", "--offline", "--out", "receipt.json").code == 0
    refused(cli(*verify), 1, "the root after batch 1 is another")

    deploy = ("receipt", "deploy", "--contract", contract, "--l1", "http://l1", "--json")
    first, again = cli(*deploy).json, cli(*deploy).json
    assert (first["transactions_sent"], again["transactions_sent"]) == (5, 0)  # the rollup has one of the hashers
    assert cli("receipt", "1:2:36", "--l1", "http://l1", "--out", "receipt.json").code == 0
    data = bytes.fromhex(cli("receipt", "encode", "receipt.json").out.strip()[2:])
    answer = client.run(first["receipts"], data, place="receipts")
    assert int.from_bytes(answer[:32], "big") == ALICE


def test_help_names_both_ways_to_make_one(cli: Cli) -> None:
    said = cli("receipt", "--help")
    assert said.code == 0
    assert "`receipt RECORD` is short for `receipt make RECORD`" in said.out
    assert all(name in said.out for name in ("make", "verify", "encode"))
