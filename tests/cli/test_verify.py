from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_world import Cli, Proven

Change = Callable[[Any], None]


def edit(path: Path, change: Change) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def test_a_batch_verifies(proven: Proven, cli: Cli) -> None:
    said = cli("verify", proven.out, "--json")
    assert said.code == 0
    assert said.json["valid"] is True and said.json["key_trusted"] is False
    assert said.json["new_root"] == proven.result.json["new_root"]
    assert cli("verify", proven.out).out.startswith("the batch verifies\n")


def test_with_the_reference_and_a_trusted_key(proven: Proven, cli: Cli) -> None:
    said = cli("verify", proven.out, "--reference", "--key", proven.out / "verification_key.json", "--json")
    assert (said.code, said.json["key_trusted"]) == (0, True)


def test_the_contract_commits_to_the_key(copied: Proven, cli: Cli) -> None:
    contract = copied.result.json["contract"]
    said = cli("verify", copied.out, "--contract", contract, "--json")
    assert (said.code, said.json["key_trusted"]) == (0, True)
    said = cli("verify", copied.out, "--contract", "0x" + "11" * 20, "--json")
    assert (said.code, said.json["message"]) == (1, "the batch is for another contract")
    edit(copied.out / "batch.json", lambda value: value["deployment"].update(genesis_root="5"))
    said = cli("verify", copied.out, "--contract", contract, "--json")
    assert said.code == 1
    assert said.json["message"] == "the contract's address does not follow from the batch's key and deployment"


def word(number: int, add: int) -> Change:
    """Adds to one of the data words."""

    def change(value: dict[str, Any]) -> None:
        data = bytearray.fromhex(value["data"][2:])
        at = slice(32 * number, 32 * number + 32)
        data[at] = (int.from_bytes(data[at], "big") + add).to_bytes(32, "big")
        value["data"] = "0x" + data.hex()

    return change


def put(name: str, new: Any) -> Change:
    return lambda value: value.__setitem__(name, new)


def bump(*path: Any) -> Change:
    """Adds one to a number that stands as decimal string."""

    def change(value: Any) -> None:
        *parents, last = path
        for part in parents:
            value = value[part]
        value[last] = str(int(value[last]) + 1)

    return change


def swap_sides(value: dict[str, Any]) -> None:
    value["pi_a"], value["pi_c"] = value["pi_c"], value["pi_a"]


#: Data words: 0 to 9 the header, 10 to 12 the session.
CHANGES: list[tuple[str, Change, int, str]] = [
    ("batch.json", word(10, 1), 1, "public input C does not follow from the data"),
    ("batch.json", word(11, 1 << 128), 1, "fee is not what the data say"),
    ("batch.json", word(11, 1 << 192), 1, "countersigned is not what the data say"),
    ("batch.json", word(12, 1), 1, "usage is not what the data say"),
    ("batch.json", word(9, 1), 3, "field 'new_root' is wrong"),
    ("batch.json", word(5, 1), 3, "wrong number of queue items"),
    ("batch.json", word(5, 1 << 32), 3, "the length does not fit the counts"),
    ("batch.json", put("queue_items", "0x" + "00" * 31 + "01" + "00" * 32), 3, "a queue item without a sender"),
    ("batch.json", put("queue_items", "0x" + "00" * 32), 3, "field 'queue_items' is wrong"),
    ("batch.json", put("payout", "0x" + "11" * 20), 1, "public input payout does not follow from the data"),
    ("batch.json", put("shape", "1p1s3a0q0g0t1v4i"), 1, "public input C does not follow from the data"),
    ("batch.json", put("shape", "0p0s0a0q0g0t0v0i"), 3, "field 'shape' is wrong"),
    ("batch.json", put("shape", 7), 3, "field 'shape' is wrong"),
    ("batch.json", put("data", "0x0g"), 3, "field 'data' is wrong"),
    ("batch.json", put("data", "0x00"), 3, "the data are not whole words"),
    ("batch.json", put("data", "0x" + "ff" * 32 * 13), 3, "a data word is no field element"),
    ("batch.json", put("sessions", []), 1, "wrong number of sessions"),
    ("batch.json", put("transfers", [{}]), 3, "a field is missing"),
    ("batch.json", put("format", "x"), 3, "field 'format' is wrong"),
    ("batch.json", put("mode", 0), 3, "field 'mode' is wrong"),
    ("batch.json", put("more", 0), 3, "unknown fields"),
    ("batch.json", lambda value: bump("fee")(value["sessions"][0]["records"][0]), 1, "fee is not what the data say"),
    ("public.json", bump(0), 1, "public input C does not follow from the data"),
    ("public.json", bump(1), 1, "public input ζ does not follow from the data"),
    ("public.json", bump(2), 1, "public input y does not follow from the data"),
    ("public.json", bump(3), 1, "public input payout does not follow from the data"),
    ("public.json", lambda value: value.append("0"), 1, "wrong number of public inputs"),
    ("public.json", lambda value: value.pop(), 1, "wrong number of public inputs"),
    ("proof.json", swap_sides, 1, "the proof does not verify"),
    ("proof.json", lambda value: value.update(commitment=value["pi_a"]), 1, "the proof does not verify"),
    ("proof.json", bump("pi_a", 0), 3, ""),
    ("verification_key.json", lambda value: value["IC_commitment"].reverse(), 1, "the proof does not verify"),
    ("verification_key.json", lambda value: value.update(vk_delta_2=value["vk_gamma_2"]), 3, "unusable verifying key"),
]


@pytest.mark.parametrize(("file", "change", "code", "message"), CHANGES)
def test_one_thing_changed(copied: Proven, cli: Cli, file: str, change: Change, code: int, message: str) -> None:
    edit(copied.out / file, change)
    said = cli("verify", copied.out, "--json")
    assert said.code == code, said.err
    assert message == "" or said.json["message"] == message


def test_another_key_is_not_trusted(copied: Proven, cli: Cli, tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text((copied.out / "verification_key.json").read_text())
    edit(key, lambda value: value["IC_commitment"].reverse())
    said = cli("verify", copied.out, "--key", key, "--json")
    assert (said.code, said.json["message"]) == (1, "the batch's verifying key is not the one to trust")


@pytest.mark.parametrize("file", ["batch.json", "public.json", "proof.json", "verification_key.json"])
def test_a_missing_or_cut_file(copied: Proven, cli: Cli, file: str) -> None:
    path = copied.out / file
    text = path.read_text()
    path.unlink()
    said = cli("verify", copied.out, "--json")
    assert (said.code, said.json["message"], said.json["place"]) == (3, "cannot be read", str(path))
    path.write_text(text[: len(text) // 2])
    said = cli("verify", copied.out, "--json")
    assert (said.code, said.json["message"]) == (3, "not JSON")
    path.write_bytes(b"\xff")
    assert cli("verify", copied.out, "--json").json["message"] == "not UTF-8"
