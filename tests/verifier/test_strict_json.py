"""JSON from strangers: what is refused, and that no text brings the parser down."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.strict_json import MAX_DEPTH, parse_json


def test_brackets_in_strings_are_not_levels() -> None:
    text = json.dumps([["[" * 50, '\\"{' * 50, "]" * 50, "\\"]] * 20)
    assert parse_json(text, "x") == json.loads(text) == parse_json(text.encode(), "x")


def test_the_deepest_document() -> None:
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH, "x") == json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)


@pytest.mark.parametrize(
    ("text", "message", "got"),
    [
        ("", "not JSON", "Expecting value at line 1, column 1"),
        ("\n{", "not JSON", "Expecting property name enclosed in double quotes at line 2, column 2"),
        ('"\\', "not JSON", "Unterminated string starting at at line 1, column 1"),
        (b'"\xff"', "not UTF-8", "byte 1"),
        ("[" * 200_000, "nested too deeply", ""),
        ('{"a":' * 33 + "1" + "}" * 33, "nested too deeply", ""),
        ('["\\"[[[[[[[[[[[[", ' + "[" * 32 + "]" * 33, "nested too deeply", ""),
        ('["' + "]" * 100 + '", ' + "[" * 32 + "]" * 33, "nested too deeply", ""),
        ("1" * 5000, "not JSON this program reads", "Exceeds the limit (4300 digits)"),
        ('{"pi_a": 1, "pi_a": 2}', "a key stands twice", "'pi_a'"),
        ('{"pi_a": 1.0}', "not an integer", "1.0"),
        ("[NaN]", "not an integer", "NaN"),
    ],
    ids=lambda v: repr(v)[:12],
)
def test_text_that_is_no_plain_json_is_refused(text: Any, message: str, got: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_json(text, "proof.json")
    assert (caught.value.message, caught.value.place) == (message, "proof.json")
    assert (caught.value.got or "").startswith(got)


#: py_ecc raises the interpreter's recursion limit; the C parser then runs into the end of the stack.
DEEP = """
import sys
import py_ecc.bn128
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.strict_json import parse_json
assert sys.getrecursionlimit() >= 10_000
deep = "[" * 100_000
for text in (deep, '{"a":' * 100_000, deep + "]" * 100_000, '["' + "]" * 100_000 + '", ' + deep, '["\\\\"", ' + deep):
    try:
        parse_json(text, "x")
    except BadInputError as error:
        print(error.message)
"""


def test_deep_nesting_does_not_overflow_the_stack() -> None:
    result = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "nested too deeply\n" * 5), result.stderr


@pytest.mark.parametrize("text", ['"' + '\\"' * 500_000, '["' + "a" * 1_000_000, '"\\"' * 300_000])
def test_unclosed_strings_do_not_take_long(text: str) -> None:
    with pytest.raises(BadInputError, match="not JSON"):
        parse_json(text, "x")
