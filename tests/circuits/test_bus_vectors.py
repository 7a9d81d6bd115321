"""The published vectors of the buses are what the code makes, and what the specification says, in plain integers."""

from __future__ import annotations

import json
import runpy
from collections import Counter
from typing import Any

import pytest
from repository import REPOSITORY

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.reference.poseidon import poseidon_ex

FILE = REPOSITORY / "docs" / "spec" / "vectors" / "buses.json"


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def test_the_file_is_current() -> None:
    tool = runpy.run_path(str(REPOSITORY / "docs" / "tools" / "buses_vectors.py"))
    assert tool["render"]() == FILE.read_text(encoding="utf-8"), "run python docs/tools/buses_vectors.py and say why"


def test_fingerprints_fractions_and_sum_follow_the_specification(published: dict[str, Any]) -> None:
    most = max(bus["columns"] for bus in published["buses"])
    start = (int.from_bytes(b"challenge", "big") << 32) + (1 << 8) + most + 1
    pole, tau, *betas = poseidon_ex([int(published["challenge"]), *[0] * most], most + 1, start)
    assert str(pole) == published["pole"]
    tags = {bus["name"]: bus["tag"] for bus in published["buses"]}
    total, balance = 0, Counter[tuple[Any, ...]]()
    for message in published["messages"]:
        values, count = [int(value) for value in message["values"]], int(message["count"])
        fingerprint = (
            values[0] + sum(b * v for b, v in zip(betas, values[1:], strict=False)) + tau * tags[message["bus"]]
        ) % R
        fraction = count * pow(fingerprint - pole, -1, R) % R
        assert (message["fingerprint"], message["fraction"]) == (str(fingerprint), str(fraction))
        sign = 1 if message["side"] == "sent" else -1
        total += sign * fraction
        balance[message["bus"], *values] += sign * count
    assert total % R == 0
    assert not any(balance.values())
    assert {message["side"] for message in published["messages"]} == {"sent", "received"}
    assert len(published["messages"]) == 3 + 6 + 2 + 4
