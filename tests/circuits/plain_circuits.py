"""Circuits evaluated with plain integers, from the compiled arrays: the obvious twin of kernel and checker."""

from __future__ import annotations

from typing import Any

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.ir import Op
from aitbc_rollup.circuits.r1cs import R1CS, SparseMatrix


def dot(matrix: SparseMatrix, row: int, table: list[int], values: list[int]) -> int:
    wires, coefficients = matrix.row(row)
    return sum(table[k] * values[w] for w, k in zip(wires.tolist(), coefficients.tolist(), strict=True)) % R


def failing(r1cs: R1CS, values: list[int]) -> list[int]:
    """Indices of the constraints these wire values violate."""
    table = from_limbs(r1cs.table)
    rows = range(r1cs.n_constraints)
    products = [[dot(m, i, table, values) for m in (r1cs.a, r1cs.b, r1cs.c)] for i in rows]
    return [i for i, (a, b, c) in zip(rows, products, strict=True) if a * b % R != c]


def flat(value: Any) -> list[int]:
    return [value] if isinstance(value, int) else [x for item in value for x in flat(item)]


def run(compiled: CompiledCircuit, assignment: dict[str, Any]) -> list[int]:
    """The witness program, interpreted."""
    r1cs, program = compiled.r1cs, compiled.program
    table, divisors = from_limbs(r1cs.table), from_limbs(program.divisors)
    values = [0] * r1cs.n_wires
    values[0] = 1
    at = 1 + r1cs.n_public_outputs
    for item in compiled.inputs:
        for value in flat(assignment[item.name]):
            values[at] = value
            at += 1
    for op, out, argument, extra in zip(
        program.ops.tolist(), program.outs.tolist(), program.arguments.tolist(), program.extras.tolist(), strict=True
    ):
        if op == Op.MULTIPLY:
            values[out] = dot(r1cs.a, argument, table, values) * dot(r1cs.b, argument, table, values) % R
            continue
        if op == Op.LINEAR:
            values[out] = dot(r1cs.a, argument, table, values)
            continue
        n_operands = program.hints[extra].n_inputs if op == Op.PYTHON else 1
        operands = [dot(program.operands, argument + i, table, values) for i in range(n_operands)]
        if op == Op.INVERSE:
            values[out] = pow(operands[0], R - 2, R)
        elif op == Op.BITS:
            values[out : out + extra] = [operands[0] >> i & 1 for i in range(extra)]
        elif op == Op.DIVMOD:
            values[out : out + 2] = divmod(operands[0], divisors[extra])
        else:
            result = program.hints[extra].function(*operands)
            result = [result] if isinstance(result, int) else result
            values[out : out + len(result)] = [x % R for x in result]
    return values
