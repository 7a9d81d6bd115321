"""examples/consumer, as an integrator would have it: its own tests, by forge and by Hardhat, and a rollup for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from batch_chain import ETHER, Chain, make_chain
from chains import HARDHAT, hardhat_command
from eth_abi.abi import encode
from eth_hash.auto import keccak
from repository import REPOSITORY
from solidity import created, solc

from aitbc_rollup.errors import L1Error
from aitbc_rollup.rollup.l1.client import connect

EXAMPLE = REPOSITORY / "examples" / "consumer"
#: The compiler that is there already; an integrator's forge downloads its own.
OFFLINE = {"FOUNDRY_SOLC": str(REPOSITORY / "contracts" / "tools" / "solc.js"), "FOUNDRY_OFFLINE": "true"}
PAYEE = "0x00000000000000000000000000000000000B0B0B"

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


def escrow(chain: Chain, root: int) -> str:
    """An escrow of an ether for the first batch with this root."""
    sources = {path.name: {"content": path.read_text()} for path in (EXAMPLE / "contracts").glob("*.sol")}
    settings = {"outputSelection": {"*": {"*": ["evm.bytecode.object"]}}}
    output = solc({"language": "Solidity", "sources": sources, "settings": settings})
    code = bytes.fromhex(output["contracts"]["Escrow.sol"]["Escrow"]["evm"]["bytecode"]["object"])
    kinds = ["address", "address", "uint256", "uint256", "uint256"]
    terms = encode(kinds, [chain.rollup.address, PAYEE, 1, root, 2**40])
    return created(chain.client, code + terms, value=ETHER)


def test_it_pays_by_a_real_rollup() -> None:
    chain = make_chain(connect(), "consumer")
    batch = chain.batch()
    right, wrong = escrow(chain, chain.state.root), escrow(chain, chain.state.root + 1)
    release = keccak(b"release()")[:4]
    with pytest.raises(L1Error):
        chain.client.send(chain.signer, right, release)
    chain.finalize(batch)
    with pytest.raises(L1Error):
        chain.client.send(chain.signer, wrong, release)
    chain.client.send(chain.signer, right, release)
    assert [chain.client.balance(address) for address in (right, wrong, PAYEE)] == [0, ETHER, ETHER]
