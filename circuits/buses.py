"""Buses: what a circuit sends on one, it must receive. Lookups, multisets and memories are all this one argument.

A *message* is a tuple of values with a count. The compiler adds, for each bus, that every tuple is sent as often as it
is received (:mod:`~aitbc_rollup.circuits.arguments` says how, and what it costs). So

- a **lookup** sends what it looks for, and the table receives each of its rows as often as the prover says;
- a **multiset** is sent by one part of a circuit and received by another, each tuple once;
- a **memory** sends (address, time, value) at each write and receives the last write at each read.

A :class:`Bus` carries tuples of one length. A :class:`Table` is a bus whose rows are constants, numbered from 0 by
their first column. Buses are told apart by their names; a circuit refuses two of one name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from aitbc_rollup.algebra.limbs import Limbs

#: One challenge a column and one for the pole are drawn at once, and fifteen are what one hash gives.
MAX_COLUMNS = 14
#: Tables of more rows cost more than they save.
MAX_TABLE_ROWS = 1 << 20


@dataclass(frozen=True)
class Bus:
    """A bus for tuples of ``columns`` values."""

    name: str
    columns: int

    def __post_init__(self) -> None:
        if not self.name or not 1 <= self.columns <= MAX_COLUMNS:
            raise ValueError(f"a bus has a name and 1 to {MAX_COLUMNS} columns, got {self}")


@dataclass(frozen=True)
class Table(Bus):
    """A bus that receives constant rows: row i is (i, values[i, 0], values[i, 1] …), as often as it is looked up.

    ``make()`` gives the values, canonical limbs, uint64 (rows, columns − 1, 4), always the same. Tables
    that differ in it alone are different ones, and one circuit cannot have both: make a table once and keep it.
    """

    rows: int
    make: Callable[[], Limbs]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.rows <= MAX_TABLE_ROWS:
            raise ValueError(f"a table has 1 to {MAX_TABLE_ROWS} rows, not {self.rows}")

    def content(self) -> Limbs:
        """All rows with their numbers: canonical limbs, uint64 (rows, columns, 4).

        Raises:
            ValueError: ``make`` gives values of another shape.
        """
        values = self.make()
        expected = (self.rows, self.columns - 1, 4)
        if values.shape != expected:
            raise ValueError(f"table {self.name!r} made values of shape {values.shape}, not {expected}")
        content = np.zeros((self.rows, self.columns, 4), np.uint64)
        content[:, 0, 0] = np.arange(self.rows)
        content[:, 1:] = values
        return content


@cache
def range_table(bits: int) -> Table:
    """The integers below 2^bits: what is looked up here has so many bits."""
    return Table(f"bits{bits}", 1, 1 << bits, lambda: np.empty((1 << bits, 0, 4), np.uint64))
