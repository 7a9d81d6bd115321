"""Poseidon in loops, its state in memory: for states too wide for DUP.

One loop serves the six full rounds with Poseidon's own matrix, another the partial rounds, ``unroll`` of them a pass.
Of a vector as much as DUP reaches lies on the stack as well; ``load`` takes the rest from memory. A matrix's rows stand
either in the code, one after the other, or in tables, from which a loop copies them to the same place.

The tables of the widest states are longer than a contract's code may be. Then those of ``entry`` and ``leave`` are the
code of a second contract, whose address the creation code writes into the first's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from aitbc_rollup.algebra.bn254 import R

from .assembler import REACH
from .field import FieldAssembler, Item, Slot, products, reductions
from .frame import begin, finish, first_power
from .schedule import Layer, schedule

#: What lies on the stack whenever a full round begins: r, and the place of the round's constants.
_BASE = (f"={R:x}", "constants")

#: Who calls the tables' contract finds that it does nothing.
_STOP = b"\0"


class Rows(Enum):
    """Where the rows of matrices stand."""

    CODE = "as constants in the code"
    TABLES = "in tables behind the code"
    ELSEWHERE = "those of the two layers that are used once in another contract, the others in a table"


class Looped(NamedTuple):
    """Runtime code; the tables that are another contract's code, and where in the runtime code its address belongs."""

    code: bytes
    tables: bytes
    blank: int | None


class Table(NamedTuple):
    """A table in a contract's code: in this one's at a label, or in the other's at a place."""

    label: str
    rows: int
    columns: int
    place: int | None = None


class Memory(NamedTuple):
    """Addresses of: a row, constants, a vector, the next vector, y, the tables' contract, the u."""

    row: int
    constants: int
    vector: int
    following: int
    y: int
    contract: int
    window: int


def looped(width: int, unroll: int, rows: Rows) -> Looped:
    """Code for a width in 2 … 17.

    Args:
        width: elements of the state.
        unroll: partial rounds in one pass of their loop; a divisor of their number.
        rows: where those of matrices stand.
    """
    return _Builder(width, unroll, rows).build()


class _Builder:
    def __init__(self, width: int, unroll: int, rows: Rows) -> None:
        self.width, self.m, self.unroll = width, width - 1, unroll
        self.plan = schedule(width, same_matrix=True)
        self.code = FieldAssembler()
        sizes = (width, unroll, width, width, 1, 1)
        self.memory = Memory(*(32 * sum(sizes[:i]) for i in range(len(sizes) + 1)))
        # A latest u leads the vector of `leave`, while the window in memory has the oldest first.
        entry = Layer(self.plan.entry.matrix[:0:-1], (0,) * self.m)
        self.layers = {"matrix": self.plan.before[0], "entry": entry, "leave": self.plan.leave}
        self.tables: dict[str, Table] = {}
        place = len(_STOP)
        for name, layer in self.layers.items() if rows is not Rows.CODE else ():
            is_elsewhere = rows is Rows.ELSEWHERE and name != "matrix"
            table = Table(name, len(layer.matrix), len(layer.matrix[0]), place if is_elsewhere else None)
            self.tables[name] = table
            place += 32 * table.rows * table.columns * is_elsewhere

    def build(self) -> Looped:
        """All of it."""
        code, plan, memory = self.code, self.plan, self.memory
        begin(code, self.width)
        for i, constant in enumerate(plan.first):
            first_power(code, i, constant)
            code.store(memory.following + 32 * i)
        code.push_place("full constants")
        code.name("constants")
        self.full_rounds()
        code.sum(products(plan.last, self.vector(memory.following)), reduced=True)
        finish(code)
        code.place("partial rounds", _BASE)
        self.partial_rounds()
        code.jump("full round")
        code.data("full constants", _bytes(c for layer in (*plan.before, *plan.after) for c in layer.constants))
        code.data("partial constants", _bytes(plan.constants))
        code.data("leave constants", _bytes(plan.leave.constants))
        tables = b""
        for name, table in self.tables.items():
            data = _bytes(word for row in self.layers[name].matrix for word in row)
            if table.place is None:
                code.data(name, data)
            else:
                tables += data
        if not tables:
            return Looped(code.assemble(), b"", None)
        return Looped(code.assemble(), _STOP + tables, code.find("tables"))

    def full_rounds(self) -> None:
        """Six full rounds with one matrix, and after three of them the partial ones."""
        code, size, memory = self.code, 32 * self.width, self.memory
        code.place("full round", _BASE)
        self.next_vector()
        self.copy_code(memory.following, "constants", size)
        self.rows("matrix", self.vector(memory.vector), memory.following, powers=True)
        code.load("constants")
        code.push_place("full constants", len(self.plan.before) * size)
        code.op("EQ")
        code.jump_if("partial rounds")
        code.load("constants")
        code.push_place("full constants", (len(self.plan.before) + len(self.plan.after)) * size)
        code.op("XOR")
        code.jump_if("full round")

    def partial_rounds(self) -> None:
        """Into the u, through the loop, and out of them."""
        code, plan, memory, m = self.code, self.plan, self.memory, self.m
        self.next_vector()
        values = self.vector(memory.vector)
        code.modulus()
        code.sum([Item(plan.entry.constants[0]), *products(plan.entry.matrix[0], values)])
        code.fifth_power()
        code.store(memory.y)
        if "entry" in self.tables and self.tables["entry"].place is not None:
            code.push_blank("tables")
            code.store(memory.contract)
        self.rows("entry", values, memory.window, powers=False)

        code.push_place("partial constants")
        code.name("pass")
        code.place("pass")
        self.a_pass()
        code.load("pass")
        code.push_place("partial constants", 32 * len(plan.constants))
        code.op("XOR")
        code.jump_if("pass")
        code.drop(1)

        code.modulus()
        code.push(plan.head)
        self.read(memory.y)
        code.op("MULMOD")
        code.store(memory.following)
        code.push(32 * m)
        code.push_place("leave constants")
        code.push(memory.following + 32)
        code.op("CODECOPY")
        latest_first = self.vector(memory.window)[m - 1 :: -1]
        self.rows("leave", latest_first, memory.following + 32, powers=True)

    def a_pass(self) -> None:
        """As many partial rounds as are unrolled."""
        code, memory, m = self.code, self.memory, self.m
        self.copy_code(memory.constants, "pass", 32 * self.unroll)
        base = len(code.stack)
        names = self.vector(memory.window)
        window = names[m - 1 :: -1]
        in_u, in_s = _reductions(1 + m), _reductions(2 + m)
        # Beside them there lie on the stack: r, y, a sum, and a factor with its r.
        for name in window[: REACH - 5 - sum(in_u) - sum(in_s)][::-1]:
            code.load(name)
            code.name(name)
        code.keep(R)
        code.modulus(sum(in_s))
        self.read(memory.y)
        for i, new in enumerate(names[m:]):
            code.name("y")
            code.bounds[new] = code.sum([Item(None, "y"), *products(self.plan.feedback, window)])
            code.name(new)
            code.dup(1)
            code.store(code.homes[new])
            if any(in_s):
                code.swap(1 + sum(in_s))  # below the r that wait for the reductions, all of them alike
            code.swap(1)
            if self.plan.direct != 1:
                code.modulus()
                code.swap(1)
                code.constant(self.plan.direct)
                code.op("MULMOD")
            code.add([*products(self.plan.output, window), Item(Slot(memory.constants + 32 * i))], in_s)
            code.modulus(ready := 1 + sum(in_s))
            code.swap(ready)
            code.fifth_power()
            window = [new, *window[:-1]]
        code.store(memory.y)
        code.drop(len(code.stack) - base)
        self.copy_memory(memory.window, memory.window + 32 * self.unroll, 32 * m)

    def rows(self, name: str, values: Sequence[str], target: int, *, powers: bool) -> None:
        """A layer's rows times a vector; with ``powers`` the target holds constants to add before the fifth powers."""
        code = self.code
        base = len(code.stack)
        # Beside them there lie on the stack: target, row, the r of a fifth power, a sum, and a factor with its r.
        for value in values[: REACH - 5 - powers - sum(_reductions(len(values) + powers))]:
            code.load(value)
            code.name(value)
        if name in self.tables:
            self.rows_of_table(self.tables[name], values, target, powers=powers)
        else:
            code.keep(R)
            for i, row in enumerate(self.layers[name].matrix):
                constant = [Item(Slot(target + 32 * i))] if powers else []
                code.modulus(powers)
                code.sum([*constant, *products(row, values)])
                if powers:
                    code.fifth_power()
                code.store(target + 32 * i)
        code.drop(len(code.stack) - base)

    def rows_of_table(self, table: Table, values: Sequence[str], target: int, *, powers: bool) -> None:
        """The loop over a table's rows."""
        code = self.code
        code.push(target)
        code.name("target")
        self.push_row(table, 0)
        code.place(f"{table.label} row")
        size = 32 * table.columns
        code.name("row")
        self.copy_code(self.memory.row, "row", size, elsewhere=table.place is not None)
        items = products([Slot(self.memory.row + 32 * i) for i in range(table.columns)], values)
        reduce = _reductions(len(items) + powers)
        code.modulus(powers + sum(reduce))
        if powers:
            code.load("target")
            code.op("MLOAD")
            code.add(items, reduce)
            code.fifth_power()
        else:
            code.item(items[0])
            code.add(items[1:], reduce)
        code.load("target")
        code.op("MSTORE")
        code.swap(1)
        code.push(32)
        code.op("ADD")
        code.name("target")
        code.swap(1)
        code.dup(1)
        self.push_row(table, size * table.rows)
        code.op("XOR")
        code.jump_if(f"{table.label} row")

    def push_row(self, table: Table, offset: int) -> None:
        """Put on top where a table lies, and an offset from there."""
        if table.place is None:
            self.code.push_place(table.label, offset)
        else:
            self.code.push(table.place + offset)

    def vector(self, address: int) -> list[str]:
        """Names of the elements from an address on: of the window, the old u and the new ones of a pass."""
        count = self.m + self.unroll if address == self.memory.window else self.width
        names = [f"{address}+{i}" for i in range(count)]
        self.code.homes.update({name: address + 32 * i for i, name in enumerate(names)})
        return names

    def read(self, address: int) -> None:
        """Put a word of memory on top."""
        self.code.push(address)
        self.code.op("MLOAD")

    def next_vector(self) -> None:
        """The next vector becomes the vector."""
        self.copy_memory(self.memory.vector, self.memory.following, 32 * self.width)

    def copy_memory(self, target: int, source: int, size: int) -> None:
        """MCOPY."""
        self.code.push(size)
        self.code.push(source)
        self.code.push(target)
        self.code.op("MCOPY")

    def copy_code(self, target: int, source: str, size: int, *, elsewhere: bool = False) -> None:
        """Copy code to memory, from a place that is the top, and advance the place."""
        code = self.code
        code.push(size)
        code.load(source)
        code.push(target)
        if elsewhere:
            self.read(self.memory.contract)
        code.op("EXTCODECOPY" if elsewhere else "CODECOPY")
        code.push(size)
        code.op("ADD")
        code.name(source)


def _reductions(count: int) -> list[bool]:
    """Which additions of so many elements must reduce."""
    return reductions([R - 1] * count)[0]


def _bytes(words: Iterable[int]) -> bytes:
    return b"".join(word.to_bytes(32, "big") for word in words)
