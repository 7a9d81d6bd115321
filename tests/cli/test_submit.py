"""submit and status against a chain inside this process; demo, which has its own."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from cli_world import Cli, Proven, run_cli

from aitbc_rollup.cli import submit as submit_command
from aitbc_rollup.errors import InvalidError
from aitbc_rollup.rollup import bundle, demo, dev_agents
from aitbc_rollup.rollup.l1 import client as l1
from aitbc_rollup.rollup.l1.client import L1Client
from aitbc_rollup.rollup.l1.signer import development_signer


@pytest.fixture(scope="module")
def recent(proven: Proven, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """State and files of a batch whose L1 time is now, as a chain wants it."""
    home = tmp_path_factory.mktemp("recent")
    state, out = home / "state", home / "out"
    arguments = [state if argument == proven.state else argument for argument in proven.arguments]
    arguments[arguments.index("--l1-time") + 1] = int(time.time()) - 5
    said = run_cli(*arguments, "--out", out, "--json")
    assert said.code == 0, said.err
    return state, out


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> L1Client:
    """A new embedded chain, which the commands find at every URL."""
    client = l1.connect()

    def connect(url: str, *, expected_chain_id: int | None = None) -> L1Client:
        assert expected_chain_id in (None, client.chain_id)
        return client

    monkeypatch.setattr(submit_command, "connect", connect)
    monkeypatch.setattr(l1, "connect", connect)
    return client


def test_submit_and_status(recent: tuple[Path, Path], chain: L1Client, cli: Cli) -> None:
    state, out = recent
    before = cli("status", "--state", state, "--json")
    assert (before.code, before.json["deployed"], before.json["agree"]) == (0, False, True)

    said = cli("submit", out, "--dev-key", "--json")
    assert said.code == 0, said.err
    assert set(said.json["gas"]) == {"deploy", "commit_and_prove", "finalize"}
    assert said.json["transactions_sent"] == 12
    assert said.json["state_root"] == cli("verify", out, "--json").json["new_root"]
    stages = [json.loads(line)["stage"] for line in said.err.splitlines()]
    assert stages == ["deploy", "commit_and_prove", "finalize"]

    again = cli("submit", out, "--dev-key", "--json")
    assert (again.code, again.json["transactions_sent"]) == (0, 0)
    assert again.json["gas"] == {name: gas for name, gas in said.json["gas"].items() if name != "deploy"}
    assert cli("submit", out, "--dev-key").out.startswith("the batch was final before\n")

    after = cli("status", "--state", state, "--json")
    assert after.code == 0
    assert {"sealed": 1, "committed": 1, "proven": 1, "finalized": 1, "agree": True}.items() <= after.json.items()

    rebuilt = cli("status", "--state", state, "--rebuild", "--json")
    assert (rebuilt.code, rebuilt.json["rebuilt_root"]) == (0, said.json["state_root"])
    assert cli("status", "--state", state, "--rebuild", "--offline").code == 2

    proof = [out / name for name in ("verification_key.json", "public.json", "proof.json")]
    assert cli("groth16", "verify", *proof, "--l1", "http://any", "--json").json["valid"] is True
    changed = json.loads((out / "public.json").read_text())
    changed[3] = str(int(changed[3]) + 1)
    Path("public.json").write_text(json.dumps(changed))
    said = cli("groth16", "verify", proof[0], "public.json", proof[2], "--l1", "http://any", "--json")
    assert (said.code, said.json["message"]) == (1, "the proof does not verify")


@pytest.mark.node
def test_on_anvil(recent: tuple[Path, Path], anvil: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    state, out = recent
    monkeypatch.setenv("AITBC_L1", anvil)
    for _ in range(2):
        said = cli("submit", out, "--json")  # a local chain: anvil's first account signs
        assert said.code == 0, said.err
    assert said.json["transactions_sent"] == 0
    said = cli("status", "--state", state, "--rebuild", "--json")
    assert (said.code, said.json["agree"], said.json["finalized"]) == (0, True, 1)
    assert said.json["rebuilt_root"] == said.json["chain_root"] == said.json["state_root"]
    proof = [out / name for name in ("verification_key.json", "public.json", "proof.json")]
    assert cli("groth16", "verify", *proof, "--l1", anvil, "--json").json["valid"] is True


def test_status_sees_a_chain_that_is_ahead(
    recent: tuple[Path, Path], chain: L1Client, cli: Cli, tmp_path: Path
) -> None:
    from aitbc_rollup.rollup.genesis import from_json
    from aitbc_rollup.rollup.store import Identity, Store

    state, out = recent
    assert cli("submit", out, "--dev-key").code == 0
    with Store(state) as kept:
        genesis = from_json(kept.genesis_json(), "state")
        identity = Identity(genesis.digest(), kept.domain(), kept.shape())
    with Store(tmp_path / "empty") as store:
        store.bind(identity, genesis, None)
    said = cli("status", "--state", tmp_path / "empty")
    assert said.code == 1
    assert "the chain has committed batch 1, the folder ends at batch 0" in said.err


def test_a_batch_for_another_contract_is_not_deployed(
    recent: tuple[Path, Path], chain: L1Client, cli: Cli, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for name in bundle.FILES:
        (folder / name).write_bytes((recent[1] / name).read_bytes())
    value = json.loads((folder / "batch.json").read_text())
    value["deployment"]["roles"]["admin"] = "0x" + "22" * 20
    (folder / "batch.json").write_text(json.dumps(value))
    said = cli("submit", folder, "--dev-key", "--json")
    assert (said.code, said.json["message"]) == (4, "there is no contract for this batch")


def test_an_old_batch_is_refused_by_the_chain(proven: Proven, chain: L1Client, cli: Cli) -> None:
    said = cli("submit", proven.out, "--dev-key", "--json")  # its L1 time lies in the future
    assert said.code == 4
    assert said.json["message"].startswith("L1TimeInFuture")


def test_a_batch_that_does_not_verify_is_not_sent(copied: Proven, chain: L1Client, cli: Cli) -> None:
    path = copied.out / "public.json"
    path.write_text(json.dumps(["1", *json.loads(path.read_text())[1:]]))
    said = cli("submit", copied.out, "--dev-key", "--json")
    assert (said.code, said.json["message"]) == (1, "public input C does not follow from the data")


def test_submit_without_a_key(proven: Proven, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AITBC_PRIVATE_KEY", "AITBC_KEYSTORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(dev_agents, "is_local_chain", lambda chain_id: False)
    said = cli("submit", proven.out, "--json")
    assert (said.code, said.json["message"]) == (2, "one key is needed to sign L1 transactions")


def test_a_chain_that_does_not_answer(proven: Proven, cli: Cli) -> None:
    for command in (["submit", proven.out, "--dev-key"], ["status", "--state", proven.state]):
        said = cli(*command, "--l1", "http://127.0.0.1:1", "--json")
        assert (said.code, said.json["message"]) == (4, "the L1 does not answer")
    said = cli("status", "--state", proven.state, "--l1", "ftp://x", "--json")
    assert said.code == 2


def test_status_offline(proven: Proven, cli: Cli, tmp_path: Path) -> None:
    said = cli("status", "--state", proven.state, "--offline", "--json")
    assert said.code == 0
    assert (said.json["sealed"], said.json["proven_here"]) == (1, 1)
    assert said.json["state_root"] == proven.result.json["new_root"]
    said = cli("status", "--state", tmp_path / "none", "--offline", "--json")
    assert (said.code, said.json["message"]) == (3, "no state folder")


# -- demo ----------------------------------------------------------------------------------------------------


@pytest.fixture
def one_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demonstration with one agent: its circuit is then the small one whose key is there."""
    monkeypatch.setattr(demo, "AGENTS", 1)


def test_demo(proven: Proven, cli: Cli, one_agent: None) -> None:
    arguments = ["demo", "--input", proven.trace, "--limit", 5, "--keys", proven.keys, "--engine", "cpu"]
    said = cli(*arguments, "--json")
    assert said.code == 0, said.err
    figures = said.json
    assert (figures["records"], figures["proof_bytes"], figures["proof_was_there"]) == (5, 384, False)
    assert set(figures["gas"]) == {"deploy", "commit_and_prove", "finalize"}
    assert figures["altered_batch_refused"].startswith("ProofInvalid")
    stages = [json.loads(line)["stage"] for line in said.err.splitlines()]
    assert stages == [
        "ingest", "keys", "sealed", "witness", "proof", "files", "chain", "deploy", "commit_and_prove", "finalize",
        "tamper",
    ]  # fmt: skip

    again = cli(*arguments, "--json").json
    assert again["proof_was_there"] is True
    name = "commit_and_prove"
    assert (again["new_root"], again["gas"][name]) == (figures["new_root"], figures["gas"][name])
    told = cli(*arguments)
    assert told.code == 0
    assert figures["new_root"] in told.out and "the L1 refuses it: ProofInvalid" in told.out


def test_demo_says_so_if_the_chain_does_not_refuse(recent: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    found = bundle.load(recent[1])
    monkeypatch.setattr(demo.RollupContract, "prove", lambda *_, **__: None)
    with pytest.raises(InvalidError, match="the L1 accepted a proof for altered data"):
        demo.refused(found, development_signer())


def test_demo_begins_again_when_the_batch_is_too_old(
    proven: Proven, cli: Cli, one_agent: None, monkeypatch: pytest.MonkeyPatch, recent: tuple[Path, Path]
) -> None:
    import shutil

    home = Path(".demo") / "5-records"
    shutil.copytree(recent[0], home / "state")
    shutil.copytree(recent[1], home / "batch")
    kept: list[bool] = []
    monkeypatch.setattr(demo, "prove_batch", lambda *_: kept.append((home / "state").exists()) or stop())

    def stop() -> Any:
        raise KeyboardInterrupt

    arguments = ["demo", "--input", proven.trace, "--limit", 5, "--keys", proven.keys]
    assert cli(*arguments).code == 130
    monkeypatch.setattr(demo.time, "time", lambda: time.monotonic() + 1e10)
    assert cli(*arguments).code == 130
    assert kept == [True, False]


def test_demo_of_a_file_that_is_not_there(cli: Cli) -> None:
    said = cli("demo", "--input", "nope.csv", "--json")
    assert (said.code, said.json["place"]) == (3, "nope.csv")
