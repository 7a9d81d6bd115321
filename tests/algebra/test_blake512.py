"""BLAKE-512: the submission's own vectors, and those of the npm package circomlibjs uses."""

import json
from pathlib import Path

import pytest

from aitbc_rollup.algebra import blake512 as module
from aitbc_rollup.algebra.blake512 import blake512

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "circomlibjs.json").read_text())["blake512"]

#: "SHA-3 proposal BLAKE", version 1.3, section 2.3.3: one and 144 zero bytes.
SUBMISSION = {
    1: "97961587f6d970faba6d2478045de6d1fabd09b61ae50932054d52bc29d31be4"
    "ff9102b9f69e2bbdb83be13d4b9c06091e5fa0b48bd081b634058be0ec49beb3",
    144: "313717d608e9cf758dcb1eb0f0c3cf9fc150b2d500fb33f51c52afc99d358a2f"
    "1374b8a38bba7974e7f6ef79cab16f22ce1e649d6e01ad9589c213045d545dde",
}


@pytest.mark.parametrize("length", SUBMISSION)
def test_equals_the_submission(length):
    assert blake512(bytes(length)).hex() == SUBMISSION[length]


def test_equals_circomlibjs_around_every_block_boundary():
    for case in VECTORS:
        assert blake512(bytes.fromhex(case["data"])).hex() == case["digest"]


def test_derived_constants():
    assert module._PI[0] == 0x243F6A8885A308D3 and module._PI[15] == 0x636920D871574E69
    assert module._INITIAL[0] == 0x6A09E667F3BCC908
    assert all(sorted(row) == list(range(16)) for row in module._SIGMA)
