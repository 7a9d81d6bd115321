"""powersoftau: what a .ptau file is for, and whether it holds powers of one tau."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cli_world import Cli
from powers_world import make_powers

from aitbc_rollup.prover.formats import ptau
from aitbc_rollup.prover.formats.ptau import Part, PowersArrays


@pytest.fixture
def path(tmp_path: Path) -> Path:
    ptau.write(tmp_path / "powers.ptau", make_powers())
    return tmp_path / "powers.ptau"


def test_info(path: Path, cli: Cli) -> None:
    said = cli("powersoftau", "info", path, "--json")
    assert said.json == {
        "curve": "bn-128",
        "power": 2,
        "ceremony_power": 2,
        "rows": 4,
        "phase2": True,
        "contributions": [{"name": "party", "beacon": False}],
    }
    assert "party" in cli("powersoftau", "info", path).out


def test_verify(path: Path, cli: Cli) -> None:
    said = cli("powersoftau", "verify", path, "--json")
    assert (said.code, said.json["valid"], said.json["transcript_checked"]) == (0, True, False)


def test_verify_notices_another_list(path: Path, cli: Cli) -> None:
    powers, other = make_powers(), make_powers(tau=7)
    mixed = PowersArrays(powers.body | {Part.ALPHA_G1: other.body[Part.ALPHA_G1]})
    ptau.write(path, replace(powers, body=mixed))
    said = cli("powersoftau", "verify", path, "--json")
    assert (said.code, said.json["message"]) == (1, "its points are not consecutive powers of τ")
    assert "alpha g1" in said.json["place"]


def test_a_name_gives_the_terminal_no_orders(path: Path, cli: Cli) -> None:
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\1\5party", b"\1\5\x1b[2Jx"))
    assert "\x1b" not in cli("powersoftau", "info", path).out
    assert cli("powersoftau", "info", path, "--json").json["contributions"][0]["name"] == "?[2Jx"


@pytest.mark.parametrize("command", ["info", "verify"])
def test_what_is_no_file_of_powers(path: Path, cli: Cli, command: str) -> None:
    path.write_bytes(path.read_bytes()[:-1])
    assert cli("powersoftau", command, path, "--json").code == 3
    assert cli("powersoftau", command, path.with_name("missing"), "--json").code == 3
