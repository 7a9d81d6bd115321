"""JSON from strangers: what Python's parser accepts, less what could be read in two ways or bring it down.

No key twice, no floats, no ``NaN``, and nothing nested deeper than the documents of this package are.
"""

from __future__ import annotations

import json
import re
from typing import Any

from aitbc_rollup.errors import BadInputError

#: Deeper than any document of this package.
MAX_DEPTH = 32
#: A string, closed or not, or a bracket outside of strings; possessive, so that no text makes it search long.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


def parse_json(text: str | bytes, place: str) -> Any:
    """Parse JSON text; ``place`` names it in errors.

    Raises:
        BadInputError: malformed, not UTF-8, nested too deeply, a key twice, a float or a non-finite number.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for key, value in pairs:
            if key in document:
                raise BadInputError("a key stands twice", place=place, got=shorten(repr(key)))
            document[key] = value
        return document

    def no_float(literal: str) -> Any:
        raise BadInputError("not an integer", place=place, expected="whole numbers only", got=shorten(literal))

    try:
        decoded = text if isinstance(text, str) else text.decode()
        # json recurses in C, and with a recursion limit raised, as py_ecc and py-evm raise it, overflows the stack.
        if _depth(decoded) > MAX_DEPTH:
            raise BadInputError("nested too deeply", place=place, expected=f"at most {MAX_DEPTH} levels")
        return json.loads(decoded, object_pairs_hook=unique, parse_float=no_float, parse_constant=no_float)
    except json.JSONDecodeError as error:
        at = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise BadInputError("not JSON", place=place, expected="one JSON value", got=at) from None
    except UnicodeDecodeError as error:
        raise BadInputError("not UTF-8", place=place, expected="JSON in UTF-8", got=f"byte {error.start}") from None
    except ValueError as error:  # an integer of thousands of digits: the interpreter's own limit
        raise BadInputError("not JSON this program reads", place=place, got=shorten(error)) from None


def _depth(text: str) -> int:
    deepest = depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        depth += (match[0] in "[{") - (match[0] in "]}")
        deepest = max(deepest, depth)
    return deepest


def shorten(value: object, limit: int = 60) -> str:
    """A value as text of bounded length, fit for an error message."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 4 * limit:
        return f"a number of {value.bit_length()} bits"
    text = str(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
