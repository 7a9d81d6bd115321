"""Name files (.sym), as circom writes them: a line ``label,wire,component,name`` for each signal.

``wire`` is −1 for a signal that simplification removed; ``component`` numbers components in order of appearance.
Ours has one line a wire, and label and wire agree, as in the .r1cs that goes with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from aitbc_rollup.errors import BadInputError

from ..compiler import CompiledCircuit
from .sections import read_file


class Symbol(NamedTuple):
    """One signal; ``wire`` is −1 if it has none."""

    label: int
    wire: int
    component: int
    name: str


def decode_sym(text: str, place: str = "sym") -> list[Symbol]:
    """The signals of a .sym file's content, in its order.

    Raises:
        BadInputError: a line does not have the four fields, or a number is none.
    """
    symbols = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split(",")
        here = f"{place}:{number}"
        if len(fields) != 4:
            raise BadInputError("not a signal", place=here, expected="label,wire,component,name", got=line[:80])
        label, component = (_number(field, here) for field in (fields[0], fields[2]))
        wire = -1 if fields[1] == "-1" else _number(fields[1], here)
        symbols.append(Symbol(label, wire, component, fields[3]))
    return symbols


def _number(field: str, place: str) -> int:
    if not (field.isascii() and field.isdigit() and len(field) <= 20):
        raise BadInputError("not a number", place=place, got=field[:80])
    return int(field)


def encode_sym(compiled: CompiledCircuit) -> str:
    """A .sym file's content: every wire but the constant one, in order."""
    components: dict[str, int] = {}
    lines = []
    for wire in range(1, compiled.r1cs.n_wires):
        name = compiled.wire_name(wire)
        component = components.setdefault(name.rpartition(".")[0], len(components))
        lines.append(f"{wire},{wire},{component},{name}\n")
    return "".join(lines)


def read_sym(path: str | Path) -> list[Symbol]:
    """As :func:`decode_sym`, from a file."""
    try:
        text = read_file(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError("not text", place=str(path), got=f"byte {error.start}") from error
    return decode_sym(text, str(path))


def write_sym(path: str | Path, compiled: CompiledCircuit) -> None:
    """As :func:`encode_sym`, to a file."""
    Path(path).write_text(encode_sym(compiled), encoding="utf-8", newline="\n")
