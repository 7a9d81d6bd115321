from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_world import L1_TIME, Cli, Proven, write_trace

from aitbc_rollup.rollup import bundle, genesis
from aitbc_rollup.rollup.rebuild import rebuild
from aitbc_rollup.rollup.store import Store


def test_what_a_batch_leaves(proven: Proven) -> None:
    said = proven.result.json
    assert (said["records"], said["sessions"], said["transfers"], said["changed"]) == (5, 1, 0, True)
    assert said["data_bytes"] == 32 * 13
    (only,) = said["batches"]
    assert (only["batch"], only["records"], only["folder"]) == (1, 5, str(proven.out))
    assert (only["old_root"], only["new_root"]) == (said["old_root"], said["new_root"])
    assert said["development_keys"] is True
    assert said["provenance"] == {
        "source": "azure-llm-2023",
        "signed_by": "development keys",
        "unstated": ["wall_ms", "cpu_ms", "gpu_ms", "memory_mib", "outcome", "parents", "cid"],
        "prices": {"input": 3, "output": 15},
        "operator_share_bps": 500,
    }
    assert sorted(path.name for path in proven.out.iterdir()) == sorted(bundle.FILES)
    found = bundle.load(proven.out)
    assert found.data.context.l1_time == L1_TIME
    assert found.data.sessions[0].usage[4] == sum(100 + n for n in range(5))
    assert found.data.sessions[0].fee == sum(3 * (100 + n) + 15 * (n + 1) for n in range(5))


def test_progress_is_json_lines_on_stderr(proven: Proven) -> None:
    lines = [json.loads(line) for line in proven.result.err.splitlines()]
    stages = [line["stage"] for line in lines if "say" not in line]  # where nothing was compiled yet, it says so
    assert stages == ["ingest", "keys", "sealed", "witness", "proof", "files"]


def test_the_folder_rebuilt_from_posted_data(proven: Proven) -> None:
    found = bundle.load(proven.out)
    with Store(proven.state) as store:
        root = store.state().root
    again = rebuild(genesis.development(31337, 1).state(), 31337, 0, [(found.data.posted, found.data.queue_items)])
    assert again.root == root == found.data.new_root


def test_the_same_command_again_changes_nothing(copied: Proven, cli: Cli) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in copied.out.iterdir()}
    said = cli(*copied.arguments, "--out", copied.out, "--json")
    assert said.code == 0
    assert said.json["changed"] is False
    assert [json.loads(line)["stage"] for line in said.err.splitlines()] == ["ingest", "files"]
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in copied.out.iterdir()} == before
    told = cli(*copied.arguments, "--out", copied.out)
    assert told.out.startswith("batch 1 was finished before: nothing changed\n")


def test_lost_files_are_written_again(copied: Proven, cli: Cli) -> None:
    before = {path.name: path.read_bytes() for path in copied.out.iterdir()}
    (copied.out / "proof.json").unlink()
    (copied.out / "batch.json").write_text("{}")
    said = cli(*copied.arguments, "--out", copied.out, "--json")
    assert (said.code, said.json["changed"]) == (0, True)
    assert {path.name: path.read_bytes() for path in copied.out.iterdir()} == before


def test_a_record_is_billed_once(copied: Proven, cli: Cli) -> None:
    arguments = [6 if argument == 5 else argument for argument in copied.arguments]
    said = cli(*arguments, "--skip", 4, "--json")
    assert said.code == 3
    assert said.json["message"] == "the record is already billed"
    assert said.json["got"] == "a record of batch 1"
    assert said.json["place"] == f"{copied.trace}:6"
    with Store(copied.state) as store:
        assert store.batch_count == 1


def test_records_of_another_file_are_the_same_records(copied: Proven, cli: Cli, tmp_path: Path) -> None:
    other = write_trace(tmp_path / "other.csv", 3, first=4)
    arguments = [other if argument == copied.trace else argument for argument in copied.arguments]
    said = cli(*arguments, "--json")
    assert (said.code, said.json["message"]) == (3, "the record is already billed")


REFUSED: list[tuple[list[object], int, str]] = [
    (["--chain-id", 1], 2, "development keys are refused on this chain"),
    (["--dev-agents", 2], 3, "the state folder belongs to another genesis"),
    (["--shape", "2"], 3, "the state folder belongs to another shape"),
    (["--l1-time", L1_TIME - 1, "--skip", 5], 3, "the L1 time lies before the last batch's"),
    (["--l1-time", 2**40, "--skip", 5], 3, "--l1-time does not fit"),
    (["--session", 17, "--skip", 5, "--limit", 17], 3, "a transaction is larger than the circuit"),
    (["--skip", 40], 3, "nothing to take"),
    (["--prices", "input=3"], 3, "prices do not read"),
    (["--prices", "input=4294967296,output=1"], 3, "input price does not fit"),
    (["--format", "sessions"], 3, "not JSON"),
    (["--format", "other"], 2, "Invalid value for '--format'"),
    (["--genesis", "none.json"], 3, "cannot be read"),
    (["--payout", "0x12"], 2, "Invalid value for '--payout'"),
    (["--shape", "0"], 2, "Invalid value for '--shape'"),
    (["--shape", "2x"], 2, "Invalid value for '--shape'"),
    (["--shape", "1p2s3a0q0g0t2v4i"], 2, "Invalid value for '--shape'"),
    (["--session", "65536"], 2, "Invalid value for '--session'"),
    (["--registrations", "none.jsonl"], 3, "cannot be read"),
    (["--operator-share", "2001"], 2, "Invalid value for '--operator-share'"),
    (["--limit", "0"], 2, "Invalid value for '--limit'"),
    (["--skip", "-1"], 2, "Invalid value for '--skip'"),
    (["--engine", "abacus"], 2, "Invalid value for '--engine'"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), REFUSED)
def test_refused(copied: Proven, cli: Cli, arguments: list[object], code: int, message: str) -> None:
    said = cli(*copied.arguments, *arguments, "--json")
    assert said.code == said.json["exit_code"] == code
    assert said.json["message"].startswith(message)
    assert "Traceback" not in said.err
    with Store(copied.state) as store:
        assert store.batch_count == 1


BAD_FILES: list[tuple[bytes, str, str]] = [
    (b"", "the file is empty", ""),
    (b"a,b\n", "wrong header", ":1"),
    (b"nothing\n", "unknown format", ":1"),
    (b"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:00:00,1,-2\n", "GeneratedTokens does not fit", ":2"),
    (b"TIMESTAMP,ContextTokens,GeneratedTokens\n\xfe\n", "the line is not UTF-8", ":2"),
    (b"{}\n", "a field is missing", ":1"),
]


@pytest.mark.parametrize(("data", "message", "line"), BAD_FILES)
def test_a_bad_file(cli: Cli, tmp_path: Path, data: bytes, message: str, line: str) -> None:
    path = tmp_path / "input"
    path.write_bytes(data)
    said = cli("prove-batch", path, "--json")
    assert (said.code, said.json["message"], said.json["place"]) == (3, message, f"{path}{line}")
    assert said.err.startswith(f"{path}{line}: {message}\n")


def test_a_state_folder_in_use(copied: Proven, cli: Cli) -> None:
    with Store(copied.state):
        said = cli(*copied.arguments, "--json")
    assert (said.code, said.json["message"]) == (5, "the state folder is in use")


def test_output_that_cannot_be_written(copied: Proven, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = cli(*copied.arguments, "--out", tmp_path / "file" / "out", "--json")
    assert (said.code, said.json["message"]) == (5, "the folder cannot be made")


def test_a_genesis_for_another_chain(cli: Cli, proven: Proven, tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    path.write_text(json.dumps(genesis.development(1337, 1).to_json()))
    said = cli("prove-batch", proven.trace, "--genesis", path, "--json")
    assert (said.code, said.json["message"]) == (2, "genesis is for another chain")


def test_a_trace_without_development_accounts(cli: Cli, proven: Proven, tmp_path: Path) -> None:
    value: dict[str, Any] = genesis.development(31337, 1).to_json()
    value["accounts"] = value["accounts"][:2]
    value["balance"] = str(sum(int(account["balance"]) for account in value["accounts"]))
    path = tmp_path / "genesis.json"
    path.write_text(json.dumps(value))
    said = cli("prove-batch", proven.trace, "--genesis", path, "--json")
    assert (said.code, said.json["message"]) == (3, "not enough development accounts to sign for a trace")


def test_a_lost_proving_key_is_noticed_before_the_proof(
    copied: Proven, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another key means another contract, and the sealed sessions were signed for the first one.
    from aitbc_rollup.rollup import node

    def lost(*arguments: Any, **options: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(node, "prove", lost)
    assert cli(*copied.arguments, "--skip", 5).code == 130
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    arguments = [tmp_path / "keys" if argument == copied.keys else argument for argument in copied.arguments]
    said = cli(*arguments, "--skip", 5, "--json")
    assert said.code == 3
    assert said.json["message"] == "the proving key is not the one this state folder was made with"


def test_a_key_of_another_circuit(copied: Proven, cli: Cli, tmp_path: Path) -> None:
    from aitbc_rollup.circuits.api import Circuit
    from aitbc_rollup.prover.formats import zkey
    from aitbc_rollup.prover.setup import setup

    circuit = Circuit("other")
    circuit.public_output("y", circuit.private_input("x") * circuit.private_input("z"))
    (original,) = copied.keys.glob("*.zkey")
    folder = tmp_path / "keys"
    folder.mkdir()
    zkey.write(folder / original.name, setup(circuit.compile().r1cs))
    arguments = [folder if argument == copied.keys else argument for argument in copied.arguments]
    said = cli(*arguments, "--skip", 5, "--json")
    assert (said.code, said.json["message"]) == (1, "the key was made for another circuit")


def test_records_of_several_batches(copied: Proven, cli: Cli) -> None:
    arguments = [40 if argument == 5 else argument for argument in copied.arguments]
    said = cli(*arguments, "--skip", 5, "--out", "more", "--json")
    assert said.code == 0, said.err
    assert [(entry["batch"], entry["records"]) for entry in said.json["batches"]] == [(2, 16), (3, 16), (4, 3)]
    assert said.json["records"] == 35
    assert [json.loads(line)["stage"] for line in said.err.splitlines()] == [
        "ingest", "sealed", "keys", *("witness", "proof", "files") * 3,
    ]  # fmt: skip
    for number in (2, 3, 4):
        assert cli("verify", f"more/batch-{number}").code == 0
    told = cli(*arguments, "--skip", 5, "--out", "more")
    assert told.out.startswith("batches 2 to 4 were finished before: nothing changed\n")
    with Store(copied.state) as store:
        assert (store.batch_count, store.state().account(2).nonce) == (4, 4)


def test_nothing_to_prove(cli: Cli, tmp_path: Path) -> None:
    said = cli("prove-batch", "--json")
    assert (said.code, said.json["message"]) == (2, "there is nothing to prove")
