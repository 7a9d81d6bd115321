"""An agent makes a key, signs sessions, and the node takes them."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cli_world import L1_TIME, Cli, Proven

from aitbc_rollup.algebra.eddsa import public_key
from aitbc_rollup.rollup import bundle, genesis
from aitbc_rollup.rollup.dev_agents import development_private_key
from aitbc_rollup.rollup.store import Store


def unsigned(contract: str, **changes: Any) -> dict[str, Any]:
    return {
        "format": "aitbc-rollup/session/v2",
        "chain_id": 31337,
        "contract": contract,
        "shard": 0,
        "agent_index": 2,
        "provider_index": 1,
        "nonce": 1,
        "fee_cap": "1000",
        "operator_share_bps": 2000,
        "expiry": L1_TIME + 1000,
        "records": [
            {"wall_ms": 1500, "gpu_ms": 900, "tokens_in": 11, "tokens_out": 5, "outcome": 1, "fee": "77", "task": "9"},
            {"cpu_ms": 3, "memory_mib": 64, "sequence": 1, "fee": "1", "task": "10", "parents": "8", "cid": "7"},
        ],
    } | changes


def agent_key(path: Path, private: bytes) -> Path:
    public = [str(coordinate) for coordinate in public_key(private)]
    path.write_text(
        json.dumps({"format": "aitbc-rollup/agent-key/v1", "private_key": private.hex(), "public_key": public})
    )
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The key of the development agent 2, as if it were its own."""
    return agent_key(tmp_path / "agent.key", development_private_key(2))


def write(value: Any) -> Path:
    path = Path("session.json")
    path.write_text(json.dumps(value))
    return path


def test_keygen(cli: Cli, tmp_path: Path) -> None:
    said = cli("session", "keygen", "mine.key", "--json")
    assert said.code == 0
    path = tmp_path / "mine.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = json.loads(path.read_text())
    private = bytes.fromhex(kept["private_key"])
    assert kept["public_key"] == said.json["public_key"] == [str(c) for c in public_key(private)]
    assert kept["private_key"] not in said.out + said.err
    again = cli("session", "keygen", "mine.key", "--json")
    assert (again.code, again.json["message"]) == (2, "the file exists")
    assert json.loads(path.read_text()) == kept
    assert cli("session", "keygen", "no/folder.key", "--json").code == 3


def test_signed_sessions_become_a_batch(copied: Proven, cli: Cli, key: Path) -> None:
    contract = copied.result.json["contract"]
    said = cli("session", "sign", write(unsigned(contract)), "--key", key, "--out", "sessions.jsonl")
    assert (said.code, said.out) == (0, "")
    arguments = ["sessions.jsonl" if argument == copied.trace else argument for argument in copied.arguments]
    said = cli(*arguments, "--out", "second", "--json")
    assert said.code == 0, said.err
    assert said.json["provenance"] == {"source": "sessions", "signed_by": "agents"}
    assert (said.json["batches"][0]["batch"], said.json["records"]) == (2, 2)
    # The account's key is a development one: the header says so, whoever signed.
    assert said.json["development_keys"] is True
    assert cli("verify", "second").code == 0
    posted = bundle.load(Path("second")).data.sessions[0]
    assert (posted.fee, posted.operator_share, posted.usage[2]) == (78, 15, 900)
    again = cli(*arguments, "--out", "second", "--json")
    assert (again.code, again.json["changed"]) == (0, False)
    # The same session in another file is the same session: its records are billed.
    Path("copy.jsonl").write_text(Path("sessions.jsonl").read_text() * 1)
    other = ["copy.jsonl" if argument == "sessions.jsonl" else argument for argument in arguments]
    said = cli(*other, "--limit", "2", "--out", "third", "--json")
    assert (said.code, said.json["changed"]) == (0, True)  # the same job, other files
    with Store(copied.state) as store:
        assert store.batch_count == 2


def test_init_says_what_to_sign_for(proven: Proven, cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    path.write_text(json.dumps(genesis.development(31337, 1).to_json()))
    shape = proven.result.json["shape"]
    arguments = ["init", "--genesis", path, "--shape", shape, "--state", "new", "--keys", proven.keys]
    said = cli(*arguments, "--json")
    assert said.code == 0, said.err
    # Genesis, key and shape are those of the proven batch: so is the contract.
    assert said.json["contract"] == proven.result.json["contract"]
    assert said.json["genesis_root"] == proven.result.json["old_root"]
    again = cli(*arguments, "--json")
    assert (again.code, again.json, again.err) == (0, said.json, "")
    other = cli(*arguments, "--shape", "32", "--json")
    assert (other.code, other.json["message"]) == (3, "the state folder belongs to another shape")
    assert cli("status", "--state", "new", "--offline", "--json").json["sealed"] == 0


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"nonce": 0}, "wrong nonce"),
    ({"nonce": 2}, "wrong nonce"),
    ({"expiry": 5}, "the signature has expired"),
    ({"agent_index": 9}, "unknown agent"),
    ({"agent_index": 1, "nonce": 0}, "the signature is not the agent's"),
    ({"provider_index": 9}, "unknown provider"),
    ({"chain_id": 1337}, "this was signed for another chain"),
    ({"contract": "0x" + "11" * 20}, "this was signed for another contract"),
    ({"shard": 1}, "this was signed for another shard"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_a_session_that_the_node_refuses(
    copied: Proven, cli: Cli, key: Path, changes: dict[str, Any], message: str
) -> None:
    value = unsigned(copied.result.json["contract"]) | changes
    assert cli("session", "sign", write(value), "--key", key, "--out", "sessions.jsonl").code == 0
    arguments = ["sessions.jsonl" if argument == copied.trace else argument for argument in copied.arguments]
    said = cli(*arguments, "--json")
    assert (said.code, said.json["message"], said.json["place"]) == (3, message, "sessions.jsonl:1")
    with Store(copied.state) as store:
        assert store.batch_count == 1


def test_a_line_altered_after_signing(copied: Proven, cli: Cli, key: Path) -> None:
    said = cli("session", "sign", write(unsigned(copied.result.json["contract"])), "--key", key)
    line = said.out.replace('"fee":"77"', '"fee":"78"')
    assert line != said.out
    Path("sessions.jsonl").write_text(line)
    arguments = ["sessions.jsonl" if argument == copied.trace else argument for argument in copied.arguments]
    said = cli(*arguments, "--json")
    assert (said.code, said.json["message"]) == (3, "the signature is not the agent's")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"operator_share_bps": 2001}, "operator's share is above the protocol's cap"),
    ({"fee_cap": "77"}, "total fee is above the fee cap"),
    ({"records": []}, "wrong number of records in a session"),
    ({"records": [{"tokens_in": 2**32}]}, "tokens_in does not fit"),
    ({"records": [{"outcome": 4}]}, "outcome does not fit"),
    ({"colour": 1}, "unknown fields"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_what_is_not_signed(cli: Cli, key: Path, changes: dict[str, Any], message: str) -> None:
    said = cli("session", "sign", write(unsigned("0x" + "11" * 20) | changes), "--key", key)
    assert (said.code, said.out) == (3, "")
    assert message in said.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"private_key": "00" * 32}, "the public key is not the private one's"),
        ({"private_key": "00" * 31}, "no private key"),
        ({"private_key": "zz" * 32}, "no private key"),
        ({"private_key": 5}, "no private key"),
        ({"format": "other"}, "field 'format' is wrong"),
    ],
)
def test_a_damaged_key(cli: Cli, key: Path, change: dict[str, Any], message: str) -> None:
    secret = json.loads(key.read_text())["private_key"]
    key.write_text(json.dumps(json.loads(key.read_text()) | change))
    said = cli("session", "sign", write(unsigned("0x" + "11" * 20)), "--key", key)
    assert said.code == 3
    assert message in said.err and secret not in said.err
