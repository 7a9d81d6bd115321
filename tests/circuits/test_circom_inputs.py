"""Inputs as circom's generate_witness.js reads them."""

from __future__ import annotations

from typing import Any

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.circom.inputs import signals
from aitbc_rollup.errors import BadInputError


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, {}),
        ({"a": 7, "b": "7"}, {"a": [7], "b": [7]}),
        ({"a": [1, "2", "0x1f"]}, {"a": [1, 2, 31]}),
        ({"a": [[1, 2], [[3], 4]]}, {"a": [1, 2, 3, 4]}),
        ({"a": []}, {"a": []}),
        ({"a": [True, False]}, {"a": [1, 0]}),
        ({"a": [-1, "-1", R, str(R + 5), f"{R:#x}"]}, {"a": [R - 1, R - 1, 0, 5, 0]}),
        ({"a": 2**53 + 1}, {"a": [2**53 + 1]}),
        ({"p": {"x": 1, "y": [2, 3]}}, {"p.x": [1], "p.y": [2, 3]}),
        ({"p": [{"x": 1}, {"x": 2}]}, {"p[0].x": [1], "p[1].x": [2]}),
        ({"p": [[{"x": 1}], [{"x": 2}]]}, {"p[0][0].x": [1], "p[1][0].x": [2]}),
    ],
)
def test_signals(document: Any, expected: dict[str, list[int]]) -> None:
    assert signals(document, "input") == expected


@pytest.mark.parametrize(
    "value", ["", " 1", "1 ", "+1", "1_000", "1.0", "1e3", "-0x1", "0X1", "0x", "٣", "9" * 1001, 1.5, None, b"1"]
)
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(BadInputError) as caught:
        signals({"ok": 1, "a": [0, value]}, "input.json")
    assert (caught.value.message, caught.value.place) == ("not a number", "input.json, signal a")
    assert len(caught.value.render()) < 300


@pytest.mark.parametrize("document", [None, [1], "a", 3])
def test_what_is_no_object(document: object) -> None:
    with pytest.raises(BadInputError, match="not an object"):
        signals(document, "input")


def test_a_signal_is_given_once() -> None:
    with pytest.raises(BadInputError, match=r"signal p\.x: the signal is given twice"):
        signals({"p": {"x": 1}, "p.x": 1}, "input")
