"""Name files (.sym), as circom writes them: a line ``label,wire,component,name`` for each signal.

``wire`` is −1 for a signal that simplification removed; ``component`` numbers components in order of appearance.
Ours has one line a wire, and label and wire agree, as in the .r1cs that goes with it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from aitbc_rollup.errors import BadInputError, unreadable

from ..compiler import CompiledCircuit
from .files import replacing

#: Bytes of the longest line taken; circom's are a name and three numbers.
_LONGEST = 1 << 16


class Symbol(NamedTuple):
    """One signal; ``wire`` is −1 if it has none."""

    label: int
    wire: int
    component: int
    name: str


def _symbols(stream: BinaryIO, place: str) -> Iterator[Symbol]:
    for number, line in enumerate(iter(partial(stream.readline, _LONGEST), b""), 1):
        fields = line.removesuffix(b"\n").removesuffix(b"\r").split(b",")
        if len(fields) != 4 or len(line) == _LONGEST:
            got = line[:80].decode(errors="replace")
            expected = "label,wire,component,name"
            raise BadInputError("not a signal", place=f"{place}:{number}", expected=expected, got=got)
        label, wire, component, name = fields
        try:
            yield Symbol(_number(label), -1 if wire == b"-1" else _number(wire), _number(component), name.decode())
        except UnicodeDecodeError:
            raise BadInputError("not text", place=f"{place}:{number}", expected="UTF-8", got=repr(name[:80])) from None
        except ValueError as error:
            raise BadInputError("not a number", place=f"{place}:{number}", got=str(error)) from None


def _number(field: bytes) -> int:
    # isdigit() of bytes knows ASCII's digits alone.
    if not field.isdigit() or len(field) > 20:
        raise ValueError(field[:80].decode(errors="replace"))
    return int(field)


def decode_sym(text: str, place: str = "sym") -> list[Symbol]:
    """The signals of a .sym file's content, in its order.

    Raises:
        BadInputError: a line does not have the four fields, or a number is none.
    """
    return list(_symbols(io.BytesIO(text.encode(errors="surrogatepass")), place))


def iterate_sym(path: str | Path) -> Iterator[Symbol]:
    """As :func:`decode_sym`, from a file and line by line."""
    try:
        with Path(path).open("rb") as stream:
            yield from _symbols(stream, str(path))
    except OSError as error:
        raise unreadable(path, "a readable file", error) from error


def read_sym(path: str | Path) -> list[Symbol]:
    """As :func:`decode_sym`, from a file."""
    return list(iterate_sym(path))


def _lines(compiled: CompiledCircuit) -> Iterator[str]:
    """Every wire but the constant one, in order."""
    components: dict[str, int] = {}
    for wire, name in enumerate(compiled.wire_names()[1:], 1):
        component = components.setdefault(name.rpartition(".")[0], len(components))
        yield f"{wire},{wire},{component},{name}\n"


def encode_sym(compiled: CompiledCircuit) -> str:
    """A .sym file's content: every wire but the constant one, in order."""
    return "".join(_lines(compiled))


def write_sym(path: str | Path, compiled: CompiledCircuit) -> None:
    """As :func:`encode_sym`, to a file, which appears whole or not at all.

    Raises:
        ResourceError: it cannot be written.
    """
    with replacing(Path(path)) as stream:
        stream.writelines(line.encode() for line in _lines(compiled))
