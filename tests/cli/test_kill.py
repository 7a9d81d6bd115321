"""kill -9 after each stage, in the middle of the files, and Ctrl-C: the same command again finishes the job."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import Cli, Proven

from aitbc_rollup.rollup import bundle
from aitbc_rollup.rollup.store import Store

#: Runs the command line and kills its own process: after a stage is reported, or after so many files are written.
KILLER = """
import os, signal, sys
from aitbc_rollup.cli import main, progress
from aitbc_rollup.rollup import bundle

def die():
    os.kill(os.getpid(), signal.SIGKILL)

when, *arguments = sys.argv[1:]
if when.startswith("file "):
    left = int(when.removeprefix("file "))
    write = bundle.write_whole

    def write_and_die(path, data):
        global left
        if left == 0:
            die()
        left -= 1
        return write(path, data)

    bundle.write_whole = write_and_die
else:
    done = progress.JsonProgress.done

    def done_and_die(self, stage, seconds, note):
        done(self, stage, seconds, note)
        if stage == when:
            die()

    progress.JsonProgress.done = done_and_die
sys.exit(main.run(arguments))
"""


def killed(when: str, arguments: list[object], cwd: Path) -> list[str]:
    """The stages reported by a process that then died by SIGKILL."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    program = [sys.executable, "-c", KILLER, when, *map(str, arguments), "--json"]
    said = subprocess.run(program, capture_output=True, text=True, cwd=cwd, env=environment, check=False)
    assert said.returncode == -signal.SIGKILL, said.stderr
    return [json.loads(line)["stage"] for line in said.stderr.splitlines()]


def sealed(state: Path) -> int:
    with Store(state) as store:
        return store.batch_count


def test_kill_nine_after_each_stage(proven: Proven, cli: Cli, tmp_path: Path) -> None:
    state, out = tmp_path / "state", tmp_path / "out"
    arguments = [state if argument == proven.state else argument for argument in proven.arguments] + ["--out", out]

    assert killed("keys", arguments, tmp_path) == ["ingest", "keys"]
    assert sealed(state) == 0
    assert killed("sealed", arguments, tmp_path) == ["ingest", "keys", "sealed"]
    assert sealed(state) == 1
    with Store(state) as store:
        first = store.batch(1)
    assert killed("witness", arguments, tmp_path) == ["ingest", "keys", "witness"]
    assert killed("proof", arguments, tmp_path) == ["ingest", "keys", "witness", "proof"]
    assert not out.exists() or not list(out.iterdir())
    assert killed("file 3", arguments, tmp_path) == ["ingest"]
    assert sorted(path.name for path in out.iterdir()) == ["proof.json", "public.json", "verification_key.json"]

    said = cli(*arguments, "--json")
    assert (said.code, said.json["changed"]) == (0, True)
    assert [json.loads(line)["stage"] for line in said.err.splitlines()] == ["ingest", "files"]
    assert cli("verify", out).code == 0
    assert cli(*arguments, "--json").json["changed"] is False
    with Store(state) as store:
        assert (store.batch_count, store.batch(1), store.state().root) == (1, first, first.data.new_root)
        assert store.state().account(2).nonce == 1
    # The same records at the same L1 time under the same key: the same batch as without any kill.
    assert bundle.load(out).data == bundle.load(proven.out).data


def test_kill_nine_between_batches(proven: Proven, copied: Proven, cli: Cli, tmp_path: Path) -> None:
    arguments = [40 if argument == 5 else argument for argument in copied.arguments]
    arguments += ["--skip", 5, "--limit", 20, "--out", "two"]
    assert killed("proof", arguments, tmp_path) == ["ingest", "sealed", "keys", "witness", "proof"]
    assert sealed(copied.state) == 3
    said = cli(*arguments, "--json")
    assert said.code == 0, said.err
    assert [json.loads(line)["stage"] for line in said.err.splitlines()] == [
        "ingest", "files", "keys", "witness", "proof", "files",
    ]  # fmt: skip
    assert [entry["batch"] for entry in said.json["batches"]] == [2, 3]
    assert all(cli("verify", f"two/batch-{number}").code == 0 for number in (2, 3))


def test_ctrl_c_in_the_proof(copied: Proven, cli: Cli, tmp_path: Path) -> None:
    arguments = [*copied.arguments, "--skip", "5", "--out", str(tmp_path / "second")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    program = [sys.executable, "-m", "aitbc_rollup.cli.main", *map(str, arguments), "--json"]
    process = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if json.loads(line)["stage"] == "witness":
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == "interrupted, run the same command again to continue"
    assert out == ""
    said = cli(*arguments, "--json")
    assert (said.code, said.json["batches"][0]["batch"]) == (0, 2)
    assert [json.loads(line)["stage"] for line in said.err.splitlines()] == [
        "ingest", "keys", "witness", "proof", "files",
    ]  # fmt: skip
    assert cli("verify", tmp_path / "second").code == 0


@pytest.mark.parametrize("name", bundle.FILES)
def test_no_temporary_file_is_left(proven: Proven, name: str) -> None:
    assert (proven.out / name).is_file()
    assert not list(proven.out.glob(".*"))
