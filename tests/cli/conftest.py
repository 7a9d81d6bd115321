"""The command line in an empty folder, and one proven batch that many tests look at."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from cli_world import L1_TIME, Cli, Proven, run_cli, write_trace


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return run_cli


@pytest.fixture(scope="session")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Proven:
    home = tmp_path_factory.mktemp("proven")
    trace = write_trace(home / "trace.csv", 40)
    state, out, keys = home / "state", home / "out", home / "keys"
    arguments: list[object] = [
        "prove-batch", trace, "--limit", 5, "--dev-agents", 1, "--l1-time", L1_TIME,
        "--state", state, "--keys", keys, "--engine", "cpu",
    ]  # fmt: skip
    with contextlib.chdir(home):
        result = run_cli(*arguments, "--out", out, "--json")
    assert result.code == 0, result.err
    return Proven(arguments, trace, state, out, keys, result)


@pytest.fixture
def copied(proven: Proven, tmp_path: Path) -> Proven:
    """The same, in folders that a test may change."""
    state, out = tmp_path / "state", tmp_path / "out"
    shutil.copytree(proven.state, state)
    shutil.copytree(proven.out, out)
    arguments = [state if argument == proven.state else argument for argument in proven.arguments]
    return proven._replace(arguments=arguments, state=state, out=out)
