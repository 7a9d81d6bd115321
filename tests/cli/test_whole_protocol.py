"""Everything that protocol version 2 knows, once through: the queue, registrations, transfers, countersigned sessions,
claims; on a chain inside this process."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from cli_world import Cli, Proven
from test_session import agent_key, unsigned

from aitbc_rollup.algebra.eddsa import public_key
from aitbc_rollup.cli import submit as submit_command
from aitbc_rollup.cli.l1 import shared
from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.dev_agents import development_private_key
from aitbc_rollup.rollup.l1 import client as l1_module
from aitbc_rollup.rollup.l1.client import L1Client
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.store import Store

NEW, NOBODY = 9, 12
NEW_KEY = bytes(range(32))


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> L1Client:
    """A new embedded chain, which the commands find at every URL."""
    client = l1_module.connect()
    for module in (submit_command, shared, l1_module):
        monkeypatch.setattr(module, "connect", lambda url, **_: client)
    for name in ("AITBC_PRIVATE_KEY", "AITBC_KEYSTORE"):
        monkeypatch.delenv(name, raising=False)
    return client


def write_json(name: str, value: Any) -> Path:
    path = Path(name)
    path.write_text(json.dumps(value))
    return path


def signed_file(cli: Cli, contract: str) -> Path:
    """A countersigned session, a transfer to the new account, and an exit, as agents and providers sign them."""
    expiry = int(time.time()) + 10_000
    agent = agent_key(Path("agent.key"), development_private_key(2))
    provider = agent_key(Path("provider.key"), development_private_key(1))
    session = unsigned(contract, nonce=2, expiry=expiry)
    assert cli("session", "sign", write_json("session.json", session), "--key", agent, "--out", "one.jsonl").code == 0
    said = cli("session", "countersign", "one.jsonl", "--key", provider, "--out", "both.jsonl")
    assert said.code == 0, said.err
    common = {"format": "aitbc-rollup/transfer/v2", "chain_id": 31337, "contract": contract, "shard": 0}
    common |= {"from_index": 2, "expiry": expiry, "fee": "3"}
    moved = common | {"to_index": NEW, "nonce": 0, "amount": "500"}
    left = common | {"exit": True, "nonce": 1, "amount": "70"}
    for number, transfer in enumerate((moved, left)):
        source = write_json(f"transfer{number}.json", transfer)
        said = cli("transfer", "sign", source, "--key", agent, "--out", "transfers.jsonl")
        assert said.code == 0, said.err
    path = Path("signed.jsonl")
    path.write_text(Path("transfers.jsonl").read_text() + Path("both.jsonl").read_text())
    return path


def registrations() -> Path:
    key = [str(coordinate) for coordinate in public_key(NEW_KEY)]
    entry = {"format": "aitbc-rollup/registration/v2", "index": NEW, "public_key": key, "l1_owner": "0x" + "ab" * 20}
    path = Path("registrations.jsonl")
    path.write_text(json.dumps(entry) + "\n")
    return path


def test_once_through(proven: Proven, chain: L1Client, cli: Cli) -> None:
    Path("genesis.json").write_text(json.dumps(genesis.development(31337, 1).to_json()))
    state = ["--genesis", "genesis.json", "--state", "state", "--keys", proven.keys, "--engine", "cpu"]
    contract = cli("init", *state, "--shape", proven.result.json["shape"], "--json").json["contract"]
    # Registrations make a batch of their own; its submission deploys the rollup.
    said = cli("prove-batch", *state, "--registrations", registrations(), "--out", "first", "--json")
    assert (said.code, said.json["registrations"], said.json["provenance"]) == (0, 1, {"source": "registrations"}), (
        said.err
    )
    assert cli("submit", "first", "--json").code == 0

    def put(*item: object) -> None:
        assert cli("l1", *item, "--contract", contract, "--json").code == 0

    put("deposit", 2, 1000)
    put("deposit", NOBODY, 31)
    put("force-exit", 0, 4)
    path = signed_file(cli, contract)
    said = cli("prove-batch", path, *state, "--queue", "--out", "second", "--json")
    assert said.code == 0, said.err
    counts = {"records": 2, "sessions": 1, "transfers": 2, "registrations": 0, "queue_items": 3}
    assert counts.items() <= said.json.items()
    assert len(said.json["batches"]) == 1

    # More comes into the queue; the same command finds its job, and leaves the new item to the next one.
    put("deposit", NEW, 5)
    again = cli("prove-batch", path, *state, "--queue", "--out", "second", "--json")
    assert (again.code, again.json["changed"]) == (0, False)
    assert cli("submit", "second", "--json").code == 0
    for _ in range(4):
        put("deposit", NEW, 5)
    for folder, count in (("third", 4), ("fourth", 1)):  # a batch has room for four
        said = cli("prove-batch", *state, "--queue", "--out", folder, "--json")
        assert (said.code, said.json["queue_items"], len(said.json["batches"])) == (0, count, 1), said.err
        assert cli("submit", folder, "--json").code == 0
    nothing = cli("prove-batch", *state, "--queue", "--out", "fifth", "--json")
    assert (nothing.code, nothing.json["message"]) == (3, "nothing to take")

    with Store(Path("state")) as store:
        found, kept = store.state(), store.genesis_json()
        assert found.account(NEW).balance == 500 + 5 * 5
        assert (found.account(2).nonce, store.queue_items) == (3, 8)
        assert found.account(2).balance == genesis.DEVELOPMENT_BALANCE + 1000 - 78 - 503 - 73
        assert found.account(0).balance == genesis.DEVELOPMENT_BALANCE - 4 + 15 + 6
    after = cli("status", "--state", "state", "--rebuild", "--json")
    assert (after.code, after.json["finalized"], after.json["agree"]) == (0, 4, True), after.err
    assert after.json["queue"] == {"queued": 8, "committed": 8, "proven": 8, "finalized": 8, "waiting": 0}
    owed = cli("l1", "claims", 2, "--contract", contract, "--json").json["claims"]
    assert [claim["amount"] for claim in owed] == ["31", "4", "70"]
    backing, fees = genesis.from_json(kept, "state").balance, 8 * RollupContract(chain, contract).queue.fee
    assert chain.balance(contract) == backing + fees + 1000 + 31 + 25
    for address, amounts in ((owed[0]["address"], ["31", "4"]), (owed[2]["address"], ["70"])):
        paid = cli("l1", "claim", 2, "--address", address, "--contract", contract, "--json").json["claims"]
        assert [claim["amount"] for claim in paid] == amounts
        assert cli("l1", "withdraw", "--address", address, "--contract", contract).code == 0
    assert chain.balance(contract) == backing + fees + 1000 + 31 + 25 - 31 - 4 - 70
    assert cli("verify", "second", "--contract", contract, "--json").json["queue_items"] == 3


def test_what_is_not_countersigned(cli: Cli, tmp_path: Path) -> None:
    key = agent_key(tmp_path / "agent.key", development_private_key(2))
    source = write_json("session.json", unsigned("0x" + "11" * 20))
    assert cli("session", "sign", source, "--key", key, "--out", "one.jsonl").code == 0
    assert cli("session", "countersign", "one.jsonl", "--key", key, "--out", "both.jsonl").code == 0
    said = cli("session", "countersign", "both.jsonl", "--key", key)
    assert (said.code, said.out) == (3, "")
    assert "both.jsonl:1: nothing to countersign here" in said.err


BAD_TRANSFERS: list[tuple[dict[str, Any], str]] = [
    ({"exit": True}, "unknown fields"),
    ({"amount": 5}, "field 'amount' is wrong"),
    ({"colour": 1}, "unknown fields"),
    ({"nonce": 2**32}, "nonce does not fit"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_TRANSFERS)
def test_a_transfer_that_is_not_signed(cli: Cli, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    key = agent_key(tmp_path / "agent.key", development_private_key(2))
    value = {
        "format": "aitbc-rollup/transfer/v2", "chain_id": 31337, "contract": "0x" + "11" * 20, "shard": 0,
        "from_index": 2, "to_index": 1, "nonce": 0, "expiry": 9, "amount": "5", "fee": "0",
    }  # fmt: skip
    assert cli("transfer", "sign", write_json("good.json", value), "--key", key).code == 0
    said = cli("transfer", "sign", write_json("bad.json", value | changes), "--key", key)
    assert (said.code, said.out) == (3, "")
    assert message in said.err


def test_a_development_key_is_not_registered(proven: Proven, copied: Proven, cli: Cli) -> None:
    entry = json.loads(registrations().read_text())
    entry["public_key"] = [str(coordinate) for coordinate in public_key(development_private_key(NEW))]
    Path("registrations.jsonl").write_text(json.dumps(entry))
    said = cli(*copied.arguments, "--skip", 5, "--registrations", "registrations.jsonl", "--json")
    assert (said.code, said.json["message"]) == (3, "a development key is registered")


def test_stats_of_the_batch_circuit(cli: Cli) -> None:
    said = cli("r1cs", "stats", "agent_runs", "--records", 32, "--agents", 1, "--providers", 1, "--json")
    assert said.code == 0, said.err
    figures = said.json
    assert figures["records"] == 32
    assert figures["per_record"] == round(figures["constraints"] / 32, 2)
    assert sum(figures["by_component"].values()) == figures["constraints"]
    assert {"tree_row", "page", "signature_slot", "data"} <= set(figures["by_component"])
    blob = cli("r1cs", "stats", "agent_runs", "--records", 32, "--data", "blob", "--json").json["by_component"]
    assert "blob" in set(blob) - set(figures["by_component"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["agent_runs"], 2, "which size?"),
        (["agent_runs", "--records", "16", "--index-bits", "40"], 2, "no such circuit"),
        (["agent_runs", "--records", "0"], 2, "Invalid value"),
        (["agent_runs", "--records", "65536", "--data", "blob"], 3, "no blob batch has such room"),
        (["none.r1cs"], 3, "cannot be read"),
        (["none.r1cs", "--records", "16"], 2, "--records is for agent_runs"),
    ],
)
def test_stats_refused(cli: Cli, arguments: list[str], code: int, message: str) -> None:
    said = cli("r1cs", "stats", *arguments, "--json")
    assert said.code == code
    assert said.json["message"].startswith(message)
