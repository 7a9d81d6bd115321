import json
import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

pytestmark = pytest.mark.node


@pytest.mark.parametrize(("name", "version"), [("forge", "1.7.1"), ("cast", "1.7.1"), ("anvil", "1.7.1")])
def test_the_pinned_version_is_what_runs(node_bin, name, version):
    out = subprocess.run([node_bin(name), "--version"], capture_output=True, text=True, check=True).stdout
    assert f"Version: {version}" in out


def ask(url, method):
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": []}
    answer = urlopen(Request(url, json.dumps(request).encode(), {"content-type": "application/json"}), timeout=5)
    return json.load(answer)["result"]


@pytest.mark.parametrize(("name", "version"), [("anvil", "anvil/v1.7.1"), ("hardhat", "HardhatNetwork/3.18.0/")])
def test_the_chains_answer_with_their_chain_id(request, name, version):
    url = request.getfixturevalue(name)
    assert int(ask(url, "eth_chainId"), 16) == 31337
    assert ask(url, "web3_clientVersion").startswith(version)


@pytest.mark.parametrize("name", ["forge", "cast", "anvil"])
def test_a_failing_program_says_so(node_bin, name):
    assert subprocess.run([node_bin(name), "--no-such-flag"], capture_output=True).returncode != 0
    launcher = Path(__file__).parent / "node" / "foundry.mjs"
    assert subprocess.run(["node", launcher, name, "--no-such-flag"], capture_output=True).returncode != 0
    assert subprocess.run(["node", launcher, name, "--version"], capture_output=True).returncode == 0


@pytest.mark.parametrize("folder", ["node", "node/hardhat"])
def test_the_locks_name_no_host_and_keep_their_hashes(folder):
    """Without a hash are only programs of other platforms, which npm could not look up when the lock was made."""
    packages = json.loads((Path(__file__).parent / folder / "package-lock.json").read_text())["packages"]
    del packages[""]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    without = {name for name, entry in packages.items() if "integrity" not in entry}
    assert all(packages[name]["optional"] and packages[name]["os"] for name in without)
    assert [name for name in without if "linux-x64" in name or "linux-amd64" in name] == []
