"""Inputs of a circom circuit, as ``input.json`` spells them: a name, and a number or nested lists of numbers.

Read as circom's ``generate_witness.js`` reads them: lists are flattened, an object is a bus (``{"p": {"x": 1}}`` is the
signal ``p.x``, a list of buses has indices, ``p[0].x``), a number is an integer, ``true`` or ``false``, or a string in
decimal or ``0x`` hexadecimal, and is reduced modulo r: −1 is r − 1, r is 0. One difference: JavaScript rounds a JSON
number above 2^53 without a word, here it is exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.strict_json import shorten

#: Any number that makes sense is far shorter; Python refuses to read decimals much longer.
_NUMBER = re.compile(r"-?[0-9]{1,1000}|0x[0-9a-fA-F]{1,1000}", re.ASCII)


def signals(document: Any, place: str) -> dict[str, list[int]]:
    """Each signal's values in ``[0, r)``, flattened, in the document's order.

    Args:
        document: a parsed ``input.json``, or what it would hold.
        place: names it in errors.

    Raises:
        BadInputError: it is no object, a value is no number, or a signal is given twice.
    """
    if not isinstance(document, dict):
        raise BadInputError("not an object", place=place, expected="signals by name", got=shorten(repr(document)))
    found: dict[str, list[int]] = {}
    for name, values in _qualified("", document):
        where = f"{place}, signal {shorten(name)}"
        if name in found:
            raise BadInputError("the signal is given twice", place=where, hint="give it once")
        found[name] = [_number(value, where) for value in values]
    return found


def _qualified(name: str, value: Any) -> Iterator[tuple[str, list[Any]]]:
    """Signals under a name; a bus has several."""
    match value:
        case dict():
            for field, inner in value.items():
                yield from _qualified(f"{name}.{field}" if name else str(field), inner)
        case list() if any(isinstance(item, dict) for item in _flat(value)):
            for index, item in enumerate(value):
                yield from _qualified(f"{name}[{index}]", item)
        case list():
            yield name, list(_flat(value))
        case _:
            yield name, [value]


def _flat(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value


def _number(value: Any, place: str) -> int:
    if isinstance(value, int):
        return value % R
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value, 16 if value.startswith("0x") else 10) % R
    raise BadInputError(
        "not a number",
        place=place,
        expected="a whole number, or a string of one in decimal or 0x hexadecimal",
        got=shorten(repr(value)),
    )
