from __future__ import annotations

import json
from pathlib import Path

from cli_world import Cli

from aitbc_rollup.contracts.standard_json import standard_json


def test_on_the_command_line(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "input.json"
    said = cli("l1", "standard-json", "AitbcRollup", out, "--json")
    assert (said.code, said.json["contract"]) == (0, "src/AitbcRollup.sol:AitbcRollup")
    assert said.json["compiler"].startswith("v0.8.37+commit.")
    assert json.loads(out.read_text()) == standard_json("AitbcRollup")
    assert cli("l1", "standard-json", "Rollup", out).code == 3
