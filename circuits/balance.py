"""Which messages have no partner: the answer to "the sum over the buses is not zero".

The tuples are evaluated and counted as integers; what is not sent as often as it is received is named, with the line
that says it. This is for people: it proves nothing, and nothing of it stands in a circuit.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import fr, sparse
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs

from .buses import Bus, Table
from .ir import Kind, Located

if TYPE_CHECKING:
    from .compiler import CompiledCircuit

_Positions = NDArray[np.int64]


class Unpaired(NamedTuple):
    """A tuple on a bus and how often it is sent and received, mod r.

    ``located`` says where its first message is written, and what is wrong. Looking up is sending, a row receives.
    """

    bus: str
    values: tuple[int, ...]
    sent: int
    received: int
    located: Located


def _message(bus: str, values: tuple[int, ...], sent: int, received: int, *, is_lookup: bool) -> str:
    """What is wrong, in a line."""
    shown = ", ".join(map(signed, values))
    shown = shown if len(values) == 1 else f"({shown})"
    if is_lookup and received == 0:
        return f"looked up {shown} in {bus}: no such row"
    if is_lookup:
        return f"looked up {shown} in {bus} {_times(sent)}, but counted {_times(received)}"
    if received == 0:
        return f"sent {shown} on {bus} {_times(sent)}, and nobody receives it"
    if sent == 0:
        return f"received {shown} on {bus} {_times(received)}, and nobody sends it"
    return f"sent {shown} on {bus} {_times(sent)}, but received {_times(received)}"


def unpaired(compiled: CompiledCircuit, witness: Limbs, limit: int) -> list[Unpaired]:
    """The first tuples, in the order of their messages, that are not sent as often as they are received.

    Args:
        compiled: the circuit; without messages nothing is found.
        witness: canonical limbs, uint64 (n_wires, 4).
        limit: so many of a bus that are never received, and so many others; of all buses twice as many.
    """
    if compiled.ledger is None:
        return []
    values = _Values(compiled, witness)
    buses = compiled.ledger.messages.buses
    found = [item for index, bus in enumerate(buses) for item in _of_bus(compiled, values, index, bus, limit)]
    return [item for _, item in sorted(found, key=itemgetter(0))[: 2 * limit]]


class _Values:
    """Operands of messages under a witness."""

    def __init__(self, compiled: CompiledCircuit, witness: Limbs) -> None:
        self._operands = compiled.program.operands
        self._table = fr.batch_to_montgomery(compiled.r1cs.table)
        self._witness = fr.batch_to_montgomery(np.ascontiguousarray(witness))

    def of(self, rows: _Positions) -> Limbs:
        """Canonical limbs, one for each row."""
        chosen = self._operands.take(rows)
        product = sparse.multiply(chosen.indptr, chosen.wires, chosen.coefficients, self._table, self._witness)
        return fr.batch_from_montgomery(product)

    def wires(self, wires: NDArray[np.uint32]) -> Limbs:
        """Canonical limbs of wires."""
        return fr.batch_from_montgomery(self._witness[wires])


def _of_bus(
    compiled: CompiledCircuit, values: _Values, index: int, bus: Bus, limit: int
) -> Iterator[tuple[int, Unpaired]]:
    """What is unpaired on one bus: the first message of each tuple, and the tuple."""
    assert compiled.ledger is not None
    messages = compiled.ledger.messages
    own = np.flatnonzero(messages.bus == index)
    rows = messages.operands[own].astype(np.int64)
    tuples = np.stack([values.of(rows + k) for k in range(bus.columns)], axis=1)
    counts = values.of(rows + bus.columns)
    sent = np.isin(messages.kinds[own], (Kind.SEND, Kind.LOOKUP))
    if isinstance(bus, Table):
        (counted,) = (lookups.outs for lookups in compiled.program.lookups if lookups.bus is bus)
        tuples = np.concatenate([tuples, bus.content()])
        counts = np.concatenate([counts, values.wires(counted)])
        sent = np.concatenate([sent, np.zeros(bus.rows, np.bool_)])
    _, first, groups = np.unique(_names(tuples), return_index=True, return_inverse=True)
    totals = [_totals(counts, groups, len(first), chosen) for chosen in (sent, ~sent)]
    suspects = np.flatnonzero((totals[0] != totals[1]).any(axis=1))
    n_shown = [0, 0]
    for group in suspects[np.argsort(first[suspects])].tolist():
        at = int(first[group])
        in_table = at >= len(own)
        often_sent, often_received = (_integer(total[group]) % R for total in totals)
        if often_sent == often_received:
            continue
        n_shown[often_received != 0] += 1
        if n_shown[often_received != 0] > limit:
            continue
        # A constant row has no line; the last lookup in its table may help.
        message = int(own[-1 if in_table else at])
        is_lookup = in_table or messages.kinds[message] in (Kind.LOOKUP, Kind.ENTRY)
        row = tuple(from_limbs(tuples[at]))
        problem = _message(bus.name, row, often_sent, often_received, is_lookup=is_lookup)
        located = compiled.locate_message(message)._replace(message=problem)
        yield message, Unpaired(bus.name, row, often_sent, often_received, located)


def _names(tuples: Limbs) -> NDArray[np.uint64]:
    """A number for each tuple: another for another tuple, but for one in 2^64 pairs."""
    flat = tuples.reshape(len(tuples), -1)
    factors = np.random.default_rng(0).integers(1 << 64, size=flat.shape[1], dtype=np.uint64)
    names: NDArray[np.uint64] = (flat * factors).sum(axis=1, dtype=np.uint64)
    return names


def _totals(counts: Limbs, groups: _Positions, n: int, chosen: NDArray[np.bool_]) -> _Positions:
    """Sums of the chosen counts group by group, int64 (n, 8): digits of 32 bits that have not carried."""
    halves = np.ascontiguousarray(counts[chosen]).view(np.uint32).astype(np.int64)
    totals = np.zeros((n, 8), np.int64)
    np.add.at(totals, groups[chosen], halves)
    return totals


def _integer(digits: _Positions) -> int:
    return sum(digit << 32 * i for i, digit in enumerate(digits.tolist()))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{signed(count)} times"


def signed(value: int) -> str:
    """Small negative values as such: r − 1 reads as −1."""
    return str(value) if value <= R >> 1 or R - value > 1 << 64 else f"−{R - value}"
