"""What a contract said when it refused: custom errors decoded by the artifacts, as L1Errors.

A revert carries four bytes of a hash and the values; name, types and meaning come from the ABI and the notices of
the contracts' artifacts.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import function_signature_to_4byte_selector

from aitbc_rollup.errors import L1Error

_ERROR_STRING = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")


class Revert(NamedTuple):
    """A decoded custom error."""

    name: str
    notice: str
    values: dict[str, Any]


class _Known(NamedTuple):
    name: str
    notice: str
    fields: list[tuple[str, str]]


@cache
def _known_errors() -> dict[bytes, _Known]:
    known = {}
    for path in files("aitbc_rollup.contracts").joinpath("artifacts").iterdir():
        if not path.name.endswith(".json"):
            continue
        compiled = json.loads(path.read_text())
        for entry in compiled["abi"]:
            if entry["type"] == "error":
                fields = [(item["name"], item["type"]) for item in entry["inputs"]]
                signature = f"{entry['name']}({','.join(kind for _, kind in fields)})"
                notice = compiled["errors"].get(signature, "")
                known[function_signature_to_4byte_selector(signature)] = _Known(entry["name"], notice, fields)
    return known


def decode_revert(data: bytes) -> Revert | None:
    """The custom error of this package's contracts that these bytes are, if any."""
    known = _known_errors().get(data[:4])
    if known is None:
        return None
    try:
        values = decode([kind for _, kind in known.fields], data[4:])
    except DecodingError:
        return None
    names = [name for name, _ in known.fields]
    return Revert(known.name, known.notice, dict(zip(names, values, strict=True)))


def revert_data(error: Exception) -> bytes:
    """The bytes that a chain's exception carries, empty if none."""
    data = getattr(error, "data", None)
    if isinstance(data, dict):
        data = data.get("data")
    if isinstance(data, str) and re.fullmatch(r"0x([0-9a-fA-F]{2})*", data):
        return bytes.fromhex(data[2:])
    return b""


def revert_error(error: Exception, place: str) -> L1Error:
    """A chain's refusal as an L1Error: the contract's own words where it had any."""
    data = revert_data(error)
    revert = decode_revert(data)
    if revert is None:
        return L1Error(f"the chain refused: {_plain_reason(data) or error}", place=place)
    values = {name: _text(value) for name, value in revert.values.items()}
    got = values.pop("got", None)
    expected = values.pop("expected", None)
    others = ", ".join(f"{name} {value}" for name, value in values.items()) or None
    if got is None:
        got, others = others, None
    return L1Error(f"{revert.name}: {revert.notice}", place=place, expected=expected or others, got=got)


def _plain_reason(data: bytes) -> str | None:
    """The text of ``require(…, "text")`` or the code of a panic."""
    try:
        if data[:4] == _ERROR_STRING:
            return str(decode(["string"], data[4:])[0])
        if data[:4] == _PANIC:
            return f"panic 0x{decode(['uint256'], data[4:])[0]:02x}"
    except DecodingError:
        pass
    return None


def _text(value: Any) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
