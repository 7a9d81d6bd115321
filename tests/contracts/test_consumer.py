"""examples/consumer, as an integrator would have it: its own tests, by forge and by Hardhat."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from chains import HARDHAT, hardhat_command
from repository import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "consumer"
#: The compiler that is there already; an integrator's forge downloads its own.
OFFLINE = {"FOUNDRY_SOLC": str(REPOSITORY / "contracts" / "tools" / "solc.js"), "FOUNDRY_OFFLINE": "true"}

pytestmark = pytest.mark.node


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy with Hardhat's packages installed."""
    copy = tmp_path / "consumer"
    shutil.copytree(EXAMPLE, copy)
    (copy / "node_modules").symlink_to(HARDHAT / "node_modules")
    return copy


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | OFFLINE
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_forge(example: Path, node_bin: Callable[[str], str]) -> None:
    done = run([node_bin("forge"), "test"], example)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 tests passed, 0 failed" in done.stdout
    assert run([node_bin("forge"), "fmt", "--check"], example).returncode == 0


def test_hardhat(example: Path) -> None:
    done = run(hardhat_command("test"), example)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 passing (7 solidity, 3 nodejs)" in done.stdout


def test_they_notice_a_contract_that_pays_the_wrong_side(example: Path, node_bin: Callable[[str], str]) -> None:
    source = example / "contracts" / "Escrow.sol"
    source.write_text(source.read_text().replace("found != root", "found == root"))
    for command in ([node_bin("forge"), "test"], hardhat_command("test", "nodejs")):
        assert run(command, example).returncode != 0


def test_its_packages_are_those_of_the_tests() -> None:
    wanted = json.loads((EXAMPLE / "package.json").read_text())["devDependencies"]
    assert wanted.items() <= json.loads((HARDHAT / "package.json").read_text())["dependencies"].items()
