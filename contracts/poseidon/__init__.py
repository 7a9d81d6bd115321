"""Poseidon as EVM bytecode: calldata is the initial state and n inputs, 32 bytes each; one word comes back.

The function is circomlib's ``PoseidonEx(n, 1)``; algorithm and constants stand in ``schedule``. The code reverts, with
no data, unless the calldata have exactly 32·(n + 1) bytes and every word is below r: a word and the same plus r would
hash alike. It touches no storage, takes no notice of its caller, and calls nobody. ``gas.json`` says what it costs.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from aitbc_rollup.algebra.reference.poseidon import MAX_INPUTS, PARTIAL_ROUNDS

from .assembler import Assembler
from .looped import Looped, Rows, looped
from .unrolled import MAX_WIDTH, unrolled

__all__ = ["CODE_LIMIT", "MAX_INPUTS", "Bytecode", "bytecode"]

#: EIP-170: the longest code of a contract.
CODE_LIMIT = 24_576
#: More partial rounds in one pass are hardly faster.
MAX_UNROLL = 16


class Bytecode(NamedTuple):
    """Creation code, runtime code, and the places of words of 32 bytes that creation writes into the latter."""

    creation: bytes
    runtime: bytes
    immutables: tuple[int, ...]


@cache
def bytecode(inputs: int) -> Bytecode:
    """The bytecode for 1 to 16 inputs.

    Raises:
        ValueError: another number of inputs.
    """
    if not 1 <= inputs <= MAX_INPUTS:
        raise ValueError(f"Poseidon takes 1 to {MAX_INPUTS} inputs, not {inputs}")
    width = inputs + 1
    if width <= MAX_WIDTH:
        runtime = unrolled(width)
        return Bytecode(_creation(runtime), runtime, ())
    code, tables, blank = _looped(width)
    if blank is None:
        return Bytecode(_creation(code), code, ())
    return Bytecode(_creation_with_tables(code, _creation(tables), blank), code, (blank,))


def _looped(width: int) -> Looped:
    """The code with the fewest loops that fits."""
    rounds = PARTIAL_ROUNDS[width - 2]
    passes = [unroll for unroll in range(MAX_UNROLL, 0, -1) if rounds % unroll == 0]
    for rows in Rows:
        for unroll in passes:
            found = looped(width, unroll, rows)
            if len(found.code) <= CODE_LIMIT:
                return found
    raise AssertionError("no form of the code fits")


def _creation(runtime: bytes) -> bytes:
    """Creation code that returns what follows it."""
    code = Assembler()
    code.push(len(runtime))
    code.dup(1)
    code.push_place("runtime")
    code.push(0)
    code.op("CODECOPY")
    code.push(0)
    code.op("RETURN")
    code.data("runtime", runtime)
    return code.assemble()


def _creation_with_tables(runtime: bytes, tables: bytes, blank: int) -> bytes:
    """Creation code that creates a second contract and returns runtime code with its address in the blank."""
    code = Assembler()
    code.push(len(tables))
    code.push_place("tables")
    code.push(0)
    code.op("CODECOPY")
    code.push(len(tables))
    code.push(0)
    code.push(0)
    code.op("CREATE")
    code.dup(1)
    code.jump_if("created")
    code.push(0)
    code.push(0)
    code.op("REVERT")
    code.place("created", ["tables"])
    code.push(len(runtime))
    code.dup(1)
    code.push_place("runtime")
    code.push(0)
    code.op("CODECOPY")
    code.load("tables")
    code.store(blank)
    code.push(0)
    code.op("RETURN")
    code.data("tables", tables)
    code.data("runtime", runtime)
    return code.assemble()
