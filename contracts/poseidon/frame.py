"""What stands around the permutation: which calldata are refused, and how the result is returned."""

from __future__ import annotations

from aitbc_rollup.algebra.bn254 import R

from .field import FieldAssembler, Item


def begin(code: FieldAssembler, width: int) -> None:
    """Go on with r alone on the stack if the calldata are ``width`` words below r, and nothing else."""
    code.keep(R)
    code.push(32 * width)
    code.op("CALLDATASIZE", "EQ")
    for i in range(width):
        code.modulus()
        code.push(32 * i)
        code.op("CALLDATALOAD", "LT", "AND")
    code.op("ISZERO")
    code.jump_if("refuse")


def first_power(code: FieldAssembler, i: int, constant: int) -> None:
    """Put word i of the calldata and a constant, to the fifth power, on top."""
    code.modulus()
    code.push(32 * i)
    code.op("CALLDATALOAD")
    code.add([Item(constant)], [False])
    code.fifth_power()


def finish(code: FieldAssembler) -> None:
    """Return the top. The code ends here, but for the place where calldata are refused."""
    code.store(0)
    code.push(32)
    code.push(0)
    code.op("RETURN")
    code.place("refuse", [""])
    code.push(0)
    code.push(0)
    code.op("REVERT")
