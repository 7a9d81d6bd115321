"""How buses are constrained: one sum of fractions over all messages of a circuit, taken at a random point ("logUp").

Haböck, "Multivariate lookups based on logarithmic derivatives", ePrint 2022/1530. A message v₀, v₁ … on the bus with
tag t has the fingerprint f = v₀ + β₁·v₁ + β₂·v₂ + … + β·t, of degree one in challenges that are independent hashes of
the commitment's. Everything sent is received, each tuple as often, if and only if

    Σ sent count / (f − X)  =  Σ received count / (f − X)

as rational functions; at challenges drawn after all values and counts were committed to, a false equation holds with
probability below 2·(number of messages)/r. Counts are field elements: nobody can send one tuple r times.

A message costs one constraint, inv·(f − X) = count, and one for each value after the first that is not constant and
not multiplied by the same challenge already. A constant table costs one constraint a row, the sum one in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.errors import BadInputError

from .buses import MAX_COLUMNS, Bus, Table
from .ir import Block, Kind, Located, Messages, Op, Recorder
from .places import Place
from .r1cs import Indices, SparseMatrix

if TYPE_CHECKING:
    from .api import Circuit

_Positions = NDArray[np.int64]
_Scalar = TypeVar("_Scalar", bound=np.generic)


class Keys(NamedTuple):
    """Wires: the pole X, the factors β₁ … of the columns, the factor of the tag; and the wire that masks."""

    pole: int
    columns: tuple[int, ...]
    tag: int
    mask: int


def close(circuit: Circuit) -> Keys | None:
    """End a circuit that commits to something, once: draw what its messages need, and make the mask."""
    recorder, interface = circuit._recorder, circuit._whole("close")
    if interface.keys is not None:
        return interface.keys
    buses = _buses(recorder)
    if not buses and interface.challenge is None:
        return None
    with circuit.component("buses"):
        drawn = circuit.challenge(1 + max(bus.columns for bus in buses)) if buses else []
        wires = [variable.wire or 0 for variable in drawn] or [0, 0]
        mask = recorder.new_wires(1, circuit._component)
        circuit._row({mask: 1}, {}, {}, "the mask is free")
    interface.keys = Keys(wires[0], tuple(wires[2:]), wires[1], mask)
    return interface.keys


def _buses(recorder: Recorder) -> set[Bus]:
    """Every bus that something was said on."""
    own = {message.bus for message in recorder.messages}
    return own.union(*(made.block.messages.buses for made in recorder.instances))


@dataclass(frozen=True, eq=False)
class Lookups:
    """How often each row of a table is looked up: what the witness counts between the two phases.

    Rows of ``operands``: ``keys`` and ``counts`` of the lookups and, for a table of the circuit's own, ``entries``, the
    keys of its rows (``None``: row i has the key i). ``outs`` are the wires that take the counts, row by row.
    """

    bus: Bus
    keys: Indices
    counts: Indices
    entries: Indices | None
    outs: Indices


@dataclass(frozen=True, eq=False)
class Ledger:
    """Which message each constraint of the argument belongs to; rows are counted from ``first``.

    Products first, one for each of ``products`` (a message's index), then one row a message, then those of the constant
    tables, then the sum.
    """

    first: int
    products: _Positions
    messages: Messages
    tables: tuple[Table, ...]

    def owner(self, constraint: int) -> int | None:
        """The message a constraint belongs to, or ``None``: it belongs to a constant table, or is the sum."""
        row = constraint - self.first
        if row < len(self.products):
            return int(self.products[row])
        row -= len(self.products)
        return row if row < len(self.messages.kinds) else None

    @property
    def total(self) -> int:
        """The constraint that says the sum is zero."""
        tables = sum(table.rows for table in self.tables)
        return self.first + len(self.products) + len(self.messages.kinds) + tables

    def locate(self, constraint: int) -> Located:
        """For constraints without an owner."""
        row = constraint - self.first - len(self.products) - len(self.messages.kinds)
        place = Place(__file__, 1)
        for table in self.tables:
            if row < table.rows:
                return Located(place, f"main.buses.{table.name}", f"row {row} of table {table.name}", ())
            row -= table.rows
        return Located(place, "main.buses", "what is sent on the buses is not what is received", ())

    def count(self) -> dict[str, int]:
        """Constraints by bus, as paths of components."""
        names = [bus.name for bus in self.messages.buses]
        counts = np.bincount(self.messages.bus[self.products], minlength=len(names))
        counts += np.bincount(self.messages.bus, minlength=len(names))
        found = dict(zip(names, counts.tolist(), strict=True))
        for table in self.tables:
            found[table.name] += table.rows
        total = sum(found.values()) + bool(found)
        return {"main.buses": total, **{f"main.buses.{name}": number for name, number in found.items()}}


@dataclass(frozen=True, eq=False)
class Argued:
    """A block with its argument: everything it now holds, what the witness must count, what is committed to."""

    block: Block
    lookups: tuple[Lookups, ...]
    committed: Indices
    ledger: Ledger


def room(recorder: Recorder) -> int:
    """A bound on the rows and on the entries that the argument adds to each matrix; a copy is saved by leaving it."""
    values = sum(len(terms) for _, terms in recorder.operands)
    values += sum(made.block.operands.n_entries * made.count for made in recorder.instances)
    rows = sum(bus.rows for bus in _buses(recorder) if isinstance(bus, Table))
    # Of a message or row: its product rows and its fraction, each with a term of the sum, tag, pole, constant columns.
    return 2 * values + (recorder.n_messages + rows) * (2 * MAX_COLUMNS + 4) + 2


def argue(block: Block, keys: Keys) -> Argued:
    """Append the argument of a block's messages to it; nothing where there are none.

    Raises:
        BadInputError: a bus is only sent on, or only received on, or is a table and a multiset at once.
    """
    if not len(block.messages.kinds):
        empty = np.empty(0, np.int64)
        return Argued(block, (), empty.astype(np.uint32), Ledger(block.a.n_rows, empty, block.messages, ()))
    return _Argument(block, keys).build()


class _Entries(NamedTuple):
    """Entries of a matrix in any order: row, wire and coefficient of each."""

    rows: _Positions
    wires: Indices
    coefficients: Indices


class _Argument:
    """The rows of the argument in the making. Wires are appended: table counts, products, fractions."""

    def __init__(self, block: Block, keys: Keys) -> None:
        self._block = block
        self._keys = keys
        self._messages = block.messages
        self._table = {value: i for i, value in enumerate(block.table)}
        self._columns = np.array([bus.columns for bus in block.messages.buses], np.int64)[block.messages.bus]
        self._tables = tuple(bus for bus in block.messages.buses if isinstance(bus, Table))
        self._check_sides()
        self._counts = block.n_wires
        self._products = self._counts + sum(table.rows for table in self._tables)

    def _check_sides(self) -> None:
        kinds = self._messages.kinds
        for index, bus in enumerate(self._messages.buses):
            used = set(kinds[self._messages.bus == index].tolist())
            if used & {Kind.SEND, Kind.RECEIVE} and used & {Kind.LOOKUP, Kind.ENTRY}:
                raise BadInputError(
                    f"bus {bus.name!r} is a table and a multiset at once",
                    place=f"bus {bus.name!r}",
                    expected="look_up() and enter(), or send() and receive()",
                    hint="give each a bus of its own: rows are counted as often as the prover likes",
                )
            sent = used & {Kind.SEND, Kind.LOOKUP}
            if not (sent and (isinstance(bus, Table) or used & {Kind.RECEIVE, Kind.ENTRY})):
                raise BadInputError(
                    f"bus {bus.name!r} is only {'sent' if sent else 'received'} on",
                    place=f"bus {bus.name!r}",
                    expected="a sender and a receiver of every tuple",
                    hint="a table of the circuit's own needs enter(), a multiset both send() and receive()",
                )

    def build(self) -> Argued:
        """All of it."""
        block, messages = self._block, self._messages
        products, owners, b_products, which = self._make_products()
        fractions = self._products + len(products)
        n_fractions = len(messages.kinds) + sum(table.rows for table in self._tables)
        b_fractions, c_fractions = self._make_fractions(which)
        first = block.a.n_rows
        first_fraction = first + len(products)
        n_rows = len(products) + n_fractions + 1
        one = self._index(1)

        product_wires = self._products + np.arange(len(products))
        inverses = fractions + np.arange(n_fractions)
        at_products, at_fractions = np.arange(len(products)), len(products) + np.arange(n_fractions)
        a = _matrix(
            n_rows,
            [
                _entries(at_products, products, one),
                _entries(at_fractions, inverses, one),
                _Entries(np.full(n_fractions, n_rows - 1), inverses.astype(np.uint32), self._signs()),
            ],
        )
        below = len(products)
        total = _entries(np.array([n_rows - 1]), np.array([0]), one)
        b = _matrix(n_rows, [b_products, *_moved(b_fractions, below), total])
        c = _matrix(n_rows, [_entries(at_products, product_wires, one), *_moved(c_fractions, below)])

        ops = np.array([Op.MULTIPLY] * len(products) + [Op.QUOTIENTS], np.uint8)
        extended = Block(
            n_wires=fractions + n_fractions,
            n_inputs=block.n_inputs,
            a=_append(block.a, a),
            b=_append(block.b, b),
            c=_append(block.c, c),
            operands=block.operands,
            table=tuple(self._table),
            ops=np.concatenate([block.ops, ops]),
            outs=np.concatenate([block.outs, product_wires, [fractions]]).astype(np.uint32),
            arguments=np.concatenate([block.arguments, first + at_products, [first_fraction]]).astype(np.uint32),
            extras=np.concatenate([block.extras, np.zeros(len(products), np.uint32), [n_fractions]]).astype(np.uint32),
            divisors=block.divisors,
            hints=block.hints,
            messages=messages,
            batches=block.batches,
            stretches=block.stretches,
            sources=block.sources,
        )
        return Argued(extended, self._lookups(), self._committed(), Ledger(first, owners, messages, self._tables))

    def _index(self, value: int) -> int:
        return self._table.setdefault(value % R, len(self._table))

    def _operands(self, column: int) -> tuple[_Positions, _Positions]:
        """Messages that have this column, and the row of ``operands`` where it stands."""
        chosen = np.flatnonzero(self._columns > column)
        return chosen, self._messages.operands[chosen].astype(np.int64) + column

    def _make_products(self) -> tuple[Indices, _Positions, _Entries, list[tuple[_Positions, _Positions]]]:
        """β_k·v for every value that is not constant, each wire only once.

        Returns the factor's wire and the (first) message of each product, the rows of B, and for each column after the
        first: messages with a product and its number.
        """
        operands = self._block.operands
        lengths = np.diff(operands.indptr)
        factors: list[Indices] = []
        owners: list[_Positions] = []
        sources: list[_Positions] = []
        which: list[tuple[_Positions, _Positions]] = []
        made = 0
        for k, factor in enumerate(self._keys.columns, 1):
            chosen, rows = self._operands(k)
            constant = self._is_constant(rows)
            chosen, rows = chosen[~constant], rows[~constant]
            starts = operands.indptr[rows]
            # One wire with coefficient 1 is known by its number, anything else stands alone.
            alone = (lengths[rows] == 1) & (operands.coefficients[starts] == self._index(1))
            names = np.where(alone, operands.wires[starts].astype(np.int64), -1 - rows)
            _, first, numbers = np.unique(names, return_index=True, return_inverse=True)
            which.append((chosen, made + numbers))
            factors.append(np.full(len(first), factor, np.uint32))
            owners.append(chosen[first])
            sources.append(rows[first])
            made += len(first)
        rows = np.concatenate([np.empty(0, np.int64), *sources])
        entries = _gather(operands, rows, np.arange(made))
        empty = np.empty(0, np.int64)
        return np.concatenate([empty.astype(np.uint32), *factors]), np.concatenate([empty, *owners]), entries, which

    def _is_constant(self, rows: _Positions) -> NDArray[np.bool_]:
        operands = self._block.operands
        lengths = operands.indptr[rows + 1] - operands.indptr[rows]
        first = np.append(operands.wires, 0)[operands.indptr[rows]]
        constant: NDArray[np.bool_] = (lengths == 0) | ((lengths == 1) & (first == 0))
        return constant

    def _make_fractions(self, which: list[tuple[_Positions, _Positions]]) -> tuple[list[_Entries], list[_Entries]]:
        """Rows f − X and count, for every message and every row of the constant tables."""
        operands, messages, keys = self._block.operands, self._messages, self._keys
        n = len(messages.kinds)
        everything = np.arange(n)
        b = [_gather(operands, messages.operands.astype(np.int64), everything)]
        for k, (chosen, numbers) in enumerate(which, 1):
            b.append(_entries(chosen, self._products + numbers, self._index(1)))
            holders, rows = self._operands(k)
            fixed = self._is_constant(rows) & (operands.indptr[rows + 1] > operands.indptr[rows])
            values = operands.coefficients[operands.indptr[rows[fixed]]]
            b.append(_Entries(holders[fixed], np.full(len(values), keys.columns[k - 1], np.uint32), values))
        tags = np.array([self._index(1 + i) for i in range(len(messages.buses))], np.uint32)
        b.append(_Entries(everything, np.full(n, keys.tag, np.uint32), tags[messages.bus]))
        c = [_gather(operands, messages.operands.astype(np.int64) + self._columns, everything)]
        at, wire = n, self._counts
        for table in self._tables:
            rows = at + np.arange(table.rows)
            b += self._table_entries(table, rows, int(tags[messages.buses.index(table)]))
            c.append(_entries(rows, wire + np.arange(table.rows), self._index(1)))
            at, wire = at + table.rows, wire + table.rows
        b.append(_entries(np.arange(at), np.full(at, keys.pole), self._index(-1)))
        return b, c

    def _table_entries(self, table: Table, rows: _Positions, tag: int) -> list[_Entries]:
        """Fingerprints of constant rows."""
        content = table.content()
        parts = [_entries(rows, np.full(len(rows), self._keys.tag), tag)]
        for k, wire in zip(range(table.columns), [0, *self._keys.columns], strict=False):
            values = from_limbs(content[:, k])
            indices = np.fromiter((self._index(value) if value else -1 for value in values), np.int64, len(rows))
            there = indices >= 0
            parts.append(
                _Entries(rows[there], np.full(int(there.sum()), wire, np.uint32), indices[there].astype(np.uint32))
            )
        return parts

    def _signs(self) -> Indices:
        sent = np.isin(self._messages.kinds, (Kind.SEND, Kind.LOOKUP))
        signs = np.where(sent, self._index(1), self._index(-1))
        tables = np.full(sum(table.rows for table in self._tables), self._index(-1))
        return np.concatenate([signs, tables]).astype(np.uint32)

    def _lookups(self) -> tuple[Lookups, ...]:
        messages, operands = self._messages, self._block.operands
        found, wire = [], self._counts
        for index, bus in enumerate(messages.buses):
            here = messages.bus == index
            keys = messages.operands[here & (messages.kinds == Kind.LOOKUP)]
            entries = messages.operands[here & (messages.kinds == Kind.ENTRY)]
            if isinstance(bus, Table):
                outs = np.arange(wire, wire + bus.rows, dtype=np.uint32)
                wire += bus.rows
                found.append(Lookups(bus, keys, keys + np.uint32(bus.columns), None, outs))
            elif len(entries):
                outs = operands.wires[operands.indptr[entries + bus.columns]]
                found.append(Lookups(bus, keys, keys + np.uint32(bus.columns), entries, outs))
        return tuple(found)

    def _committed(self) -> Indices:
        """Every wire that stands in a message or counts a table's row."""
        rows = _ranges(self._messages.operands.astype(np.int64), self._columns + 1)
        counts = np.arange(self._counts, self._products, dtype=np.uint32)
        return np.unique(np.concatenate([self._block.operands.take(rows).wires, counts]))


def _entries(rows: _Positions, wires: NDArray[np.integer], coefficient: int) -> _Entries:
    return _Entries(rows, wires.astype(np.uint32), np.full(len(rows), coefficient, np.uint32))


def _moved(parts: list[_Entries], by: int) -> list[_Entries]:
    """The same entries so many rows further down."""
    return [part._replace(rows=part.rows + by) for part in parts]


def _ranges(starts: _Positions, lengths: _Positions) -> _Positions:
    """All of start, start + 1 … for each start."""
    ends = np.cumsum(lengths)
    found: _Positions = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
    return found


def _gather(source: SparseMatrix, rows: _Positions, to: _Positions) -> _Entries:
    """Rows of a matrix as entries of other rows."""
    taken = source.take(rows)
    return _Entries(np.repeat(to, np.diff(taken.indptr)), taken.wires, taken.coefficients)


def _matrix(n_rows: int, parts: list[_Entries]) -> SparseMatrix:
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")
    indptr = np.zeros(n_rows + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=n_rows), out=indptr[1:])
    return SparseMatrix(
        indptr,
        np.concatenate([part.wires for part in parts])[order],
        np.concatenate([part.coefficients for part in parts])[order],
    )


def _append(first: SparseMatrix, second: SparseMatrix) -> SparseMatrix:
    """The second's rows after the first's."""
    return SparseMatrix(
        _extended(first.indptr, second.indptr[1:] + first.indptr[-1]),
        _extended(first.wires, second.wires),
        _extended(first.coefficients, second.coefficients),
    )


def _extended(array: NDArray[_Scalar], more: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """The two in a row; in the first one's own memory if :func:`room` was left behind it."""
    stop = len(array) + len(more)
    memory = array.base
    if not (isinstance(memory, np.ndarray) and memory.dtype == array.dtype and stop <= len(memory)):
        return np.concatenate([array, more])
    assert memory.ctypes.data == array.ctypes.data, "the room is behind the array, not before it"
    memory[len(array) : stop] = more
    extended: NDArray[_Scalar] = memory[:stop]
    return extended
