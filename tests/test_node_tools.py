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


def test_anvil_answers_with_its_chain_id(anvil):
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    answer = urlopen(Request(anvil, json.dumps(request).encode(), {"content-type": "application/json"}), timeout=5)
    assert int(json.load(answer)["result"], 16) == 31337


@pytest.mark.parametrize("name", ["forge", "cast", "anvil"])
def test_a_failing_program_says_so(node_bin, name):
    assert subprocess.run([node_bin(name), "--no-such-flag"], capture_output=True).returncode != 0
    launcher = Path(__file__).parent / "node" / "foundry.mjs"
    assert subprocess.run(["node", launcher, name, "--no-such-flag"], capture_output=True).returncode != 0
    assert subprocess.run(["node", launcher, name, "--version"], capture_output=True).returncode == 0
