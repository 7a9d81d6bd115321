"""Widths and the fields of JSON objects: what every reader of this room checks, said once.

Beyond what ``strict_json`` refuses: no unknown keys, no booleans where a number stands. Field elements and amounts of
money are decimal strings, because readers in other languages lose bits of large numbers; everything of at most 48 bits
is a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.strict_json import shorten

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)


def check_width(value: int, bits: int, *, field: str, place: str | None = None) -> int:
    """The value itself if it lies in ``[0, 2^bits)``.

    Raises:
        BadInputError: it does not.
    """
    if not 0 <= value < 1 << bits:
        raise BadInputError(
            f"{field} does not fit",
            place=place,
            expected=f"0 ≤ {field} < 2^{bits}",
            got=shorten(value),
        )
    return value


def check_field_element(value: int, *, field: str, place: str | None = None) -> int:
    """The value itself if it is a canonical element of Fr.

    Raises:
        BadInputError: it is not.
    """
    if not 0 <= value < R:
        raise BadInputError(
            f"{field} is no field element",
            place=place,
            expected=f"0 ≤ {field} < r (BN254's scalar field)",
            got=shorten(value),
        )
    return value


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Give bad input found within a place, if it has none yet."""
    try:
        yield
    except BadInputError as error:
        if error.place is None:
            error.place = place
            error.args = (error.render(),)
        raise


class Fields:
    """Reads one JSON object field by field; :meth:`finish` refuses what nobody asked for.

    Every method raises :class:`BadInputError` naming ``place`` and the field.
    """

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise BadInputError("not an object", place=place, expected="a JSON object", got=type(value).__name__)
        self._left: dict[str, Any] = dict(value)
        self.place = place

    def take(self, name: str, default: Any = ...) -> Any:
        """The raw value; a field without ``default`` must be there."""
        if name in self._left:
            return self._left.pop(name)
        if default is ...:
            raise BadInputError("a field is missing", place=self.place, expected=f"field {name!r}")
        return default

    def has(self, name: str) -> bool:
        """Whether the field is there and was not taken."""
        return name in self._left

    def integer(self, name: str, bits: int, default: Any = ...) -> int:
        """A JSON number in ``[0, 2^bits)``."""
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(name, "a whole number", value)
        return check_width(value, bits, field=name, place=self.place)

    def decimal(self, name: str, bits: int, default: Any = ...) -> int:
        """A decimal string whose number lies in ``[0, 2^bits)``."""
        value = self.take(name, default)
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise self._wrong(name, 'a decimal string such as "123"', value)
        return check_width(int(value), bits, field=name, place=self.place)

    def element(self, name: str, default: Any = ...) -> int:
        """A decimal string whose number is a canonical element of Fr."""
        return check_field_element(self.decimal(name, 256, default), field=name, place=self.place)

    def elements(self, name: str, length: int | None = None) -> tuple[int, ...]:
        """A list of field elements; of this length, if one is given."""
        value = self.array(name)
        if length is not None and len(value) != length:
            raise BadInputError(
                f"field {name!r} is wrong", place=self.place, expected=f"a list of {length}", got=f"one of {len(value)}"
            )
        inner = Fields({str(number): entry for number, entry in enumerate(value)}, f"{self.place}, {name}")
        return tuple(inner.element(str(number)) for number in range(len(value)))

    def point(self, name: str) -> tuple[int, int]:
        """A list of two field elements; that it lies on a curve is the caller's to check."""
        value = self.take(name)
        if not isinstance(value, list) or len(value) != 2:
            raise self._wrong(name, "a list of two decimal strings", value)
        inner = Fields({"x": value[0], "y": value[1]}, f"{self.place}, {name}")
        return inner.element("x"), inner.element("y")

    def address(self, name: str) -> int:
        """``0x`` and 40 hexadecimal digits, as a number of 160 bits."""
        value = self.take(name)
        if not isinstance(value, str):
            raise self._wrong(name, "an address: 0x and 40 hexadecimal digits", value)
        return parse_address(value, field=name, place=self.place)

    def text(self, name: str, default: Any = ..., limit: int = 200) -> str:
        """A string of at most ``limit`` characters."""
        value = self.take(name, default)
        if not isinstance(value, str) or len(value) > limit:
            raise self._wrong(name, f"a string of at most {limit} characters", value)
        return value

    def boolean(self, name: str, default: Any = ...) -> bool:
        """``true`` or ``false``."""
        value = self.take(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false", value)
        return value

    def array(self, name: str) -> list[Any]:
        """A list."""
        value = self.take(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list", value)
        return value

    def literal(self, name: str, expected: str | int) -> None:
        """Exactly this value."""
        value = self.take(name)
        if type(value) is not type(expected) or value != expected:
            raise self._wrong(name, repr(expected), value)

    def finish(self) -> None:
        """Refuse fields that nobody read."""
        if self._left:
            raise BadInputError("unknown fields", place=self.place, got=shorten(", ".join(sorted(self._left))))

    def _wrong(self, name: str, expected: str, value: object) -> BadInputError:
        return BadInputError(f"field {name!r} is wrong", place=self.place, expected=expected, got=shorten(repr(value)))


def parse_address(text: str, *, field: str, place: str | None = None) -> int:
    """``0x`` and 40 hexadecimal digits as a number; mixed case is not checked as EIP-55.

    Raises:
        BadInputError: another form.
    """
    if not _ADDRESS.fullmatch(text):
        raise BadInputError(
            f"{field} is no address", place=place, expected="0x and 40 hexadecimal digits", got=shorten(repr(text))
        )
    return int(text, 16)


def format_address(value: int) -> str:
    """A number of 160 bits as ``0x`` and 40 lower-case digits."""
    return f"0x{value:040x}"
