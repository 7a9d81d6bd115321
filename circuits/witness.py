"""The witness kernel: runs a circuit's program over Montgomery limbs, and stops only for hints in Python.

A program is a tape (see ``ir``); one numba kernel interprets it. At a PYTHON instruction the kernel evaluates the
operands and returns; Python calls the function, writes the outputs and lets the kernel go on.

Caveat. This computes what an honest prover knows. It neither checks constraints nor proves anything about hints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import fr, sparse
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.jit import address, kernel, load, stack, store
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs, to_montgomery
from aitbc_rollup.algebra.sparse import combine
from aitbc_rollup.errors import BadInputError

from .ir import Hint, Op

if TYPE_CHECKING:
    from .compiler import CompiledCircuit, Program

_MULTIPLY, _LINEAR, _DIVIDE, _INVERSE, _BITS, _DIVMOD = (
    int(op) for op in (Op.MULTIPLY, Op.LINEAR, Op.DIVIDE, Op.INVERSE, Op.BITS, Op.DIVMOD)
)


def calculate(
    compiled: CompiledCircuit, assignment: Mapping[str, Any], overrides: Mapping[int, int] | None = None
) -> Limbs:
    """The witness of a compiled circuit for an assignment: canonical limbs, uint64 (n_wires, 4).

    ``overrides`` maps a wire to the value it takes instead of the one its instruction computes; what follows is
    computed from it. That is how ``testing`` plays the dishonest prover.

    Raises:
        BadInputError: the assignment does not fit the declared inputs.
    """
    program = compiled.program
    witness = np.zeros((compiled.r1cs.n_wires, 4), np.uint64)
    witness[0] = fr.ONE
    _place_inputs(witness, compiled, assignment)
    run = _Tape(compiled, witness)
    stops = _stops(program, overrides or {})
    at = 0
    for stop, wire in [*stops, (len(program.ops), -1)]:
        run.advance(at, stop)
        if wire >= 0:
            witness[wire] = to_montgomery([(overrides or {})[wire]], R)[0]
        at = stop
    return fr.batch_from_montgomery(witness)


def _stops(program: Program, overrides: Mapping[int, int]) -> list[tuple[int, int]]:
    """For each overridden wire, in program order: the instruction after the one that writes it, and the wire."""
    stops = []
    for wire in overrides:
        writers = np.flatnonzero((program.outs <= wire) & (wire < program.outs + program.widths))
        if len(writers) != 1:
            raise ValueError(f"wire {wire} is an input: change the assignment instead")
        stops.append((int(writers[0]) + 1, wire))
    return sorted(stops)


class _Tape:
    """The kernel with a circuit's arrays at hand, filling one witness."""

    def __init__(self, compiled: CompiledCircuit, witness: Limbs) -> None:
        r1cs, self.program, self.witness = compiled.r1cs, compiled.program, witness
        self.table = fr.batch_to_montgomery(r1cs.table)
        self.a, self.b, self.c = r1cs.a, r1cs.b, r1cs.c
        hints = self.program.hints
        self.hint_inputs = np.array([hint.n_inputs for hint in hints], np.int64)
        self.buffer = np.empty((max((hint.n_inputs for hint in hints), default=0), 4), np.uint64)
        self.kinds = sparse.kinds(self.table)

    def advance(self, at: int, stop: int) -> None:
        """Run instructions at ≤ i < stop."""
        program, operands = self.program, self.program.operands
        while True:
            at = _run(
                at, stop, program.ops, program.outs, program.arguments, program.extras,
                self.a.indptr, self.a.wires, self.a.coefficients,
                self.b.indptr, self.b.wires, self.b.coefficients,
                self.c.indptr, self.c.wires, self.c.coefficients,
                operands.indptr, operands.wires, operands.coefficients,
                self.kinds, self.table, program.divisors, self.hint_inputs, self.buffer, self.witness,
            )  # fmt: skip
            if at >= stop:
                return
            hint = program.hints[program.extras[at]]
            out = int(program.outs[at])
            self.witness[out : out + hint.n_outputs] = _call(hint, from_limbs(self.buffer[: hint.n_inputs]))
            at += 1


def _call(hint: Hint, arguments: list[int]) -> Limbs:
    """A hint's outputs in Montgomery form; errors of the function itself pass through, with its name."""
    name = getattr(hint.function, "__qualname__", repr(hint.function))
    try:
        result = hint.function(*arguments)
        values = [index(result)] if not isinstance(result, Sequence) else [index(value) for value in result]
    except Exception as error:
        error.add_note(f"in the witness hint {name}{tuple(arguments)!s:.400}")
        raise
    if len(values) != hint.n_outputs:
        raise BadInputError(
            "a witness hint returned the wrong number of values",
            place=f"hint {name}", expected=str(hint.n_outputs), got=str(len(values)),
        )  # fmt: skip
    return to_montgomery(values, R)


# -- inputs -----------------------------------------------------------------------------------------------------


def _place_inputs(witness: Limbs, compiled: CompiledCircuit, assignment: Mapping[str, Any]) -> None:
    known = {item.name for item in compiled.inputs}
    missing = [item.name for item in compiled.inputs if item.name not in assignment]
    surplus = [str(name) for name in assignment if name not in known]
    if missing or surplus:
        raise BadInputError(
            f"circuit {compiled.name}: " + ("an input is missing" if missing else "an input is unknown"),
            place=f"input {(missing or surplus)[0]}",
            expected=_listed(sorted(known)),
            got=_listed([str(name) for name in assignment]),
        )
    values: list[int] = []
    for item in compiled.inputs:
        _flatten(assignment[item.name], item.shape, item.name, values)
    first = 1 + compiled.r1cs.n_public_outputs
    witness[first : first + len(values)] = fr.batch_to_montgomery(to_limbs(values))


def _listed(names: list[str]) -> str:
    return (", ".join(names[:20]) + (", …" if len(names) > 20 else "")) or "none"


def _flatten(value: Any, shape: tuple[int, ...], place: str, values: list[int]) -> None:
    """Append a nested value in C order, refusing what does not fit."""
    if shape:
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise BadInputError(
                "not a sequence", place=f"input {place}", expected=f"{shape[0]} values", got=_kind(value)
            )
        if len(value) != shape[0]:
            raise BadInputError(
                "wrong length", place=f"input {place}", expected=f"{shape[0]} values", got=f"{len(value)} values"
            )
        for i, item in enumerate(value):
            _flatten(item, shape[1:], f"{place}[{i}]", values)
        return
    try:
        number = index(value)
    except TypeError:
        raise BadInputError("not an integer", place=f"input {place}", expected="an int", got=_kind(value)) from None
    if not 0 <= number < R:
        raise BadInputError("not a field element", place=f"input {place}", expected="0 ≤ value < r", got=_short(number))
    values.append(number)


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.60}"


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**80 else f"an integer of {number.bit_length()} bits"


# -- the kernel -------------------------------------------------------------------------------------------------


@kernel
def _divmod(quotient: int, x: int, divisor: int) -> None:
    """Canonical 256-bit x becomes x mod divisor, quotient becomes x div divisor, bit by bit; divisor < 2^254."""
    remainder = stack(4)
    fr.set_zero(remainder)
    fr.set_zero(quotient)
    for i in range(253, -1, -1):
        word = 8 * (i >> 6)
        shift = np.uint64(i & 63)
        carry = load(x + word) >> shift & np.uint64(1)
        for j in range(0, 32, 8):
            limb = load(remainder + j)
            store(remainder + j, limb << np.uint64(1) | carry)
            carry = limb >> np.uint64(63)
        if _at_least(remainder, divisor):
            _subtract(remainder, divisor)
            store(quotient + word, load(quotient + word) | np.uint64(1) << shift)
    fr.copy(x, remainder)


@kernel
def _at_least(x: int, y: int) -> bool:
    """Whether the 256-bit integer x ≥ y."""
    for j in range(24, -8, -8):
        if load(x + j) != load(y + j):
            return load(x + j) > load(y + j)
    return True


@kernel
def _subtract(x: int, y: int) -> None:
    """x −= y as 256-bit integers, x ≥ y."""
    borrow = np.uint64(0)
    for j in range(0, 32, 8):
        left = load(x + j)
        right = load(y + j)
        store(x + j, left - right - borrow)
        borrow = np.uint64(1) if left < right or (left == right and borrow != 0) else np.uint64(0)


@kernel
def _run(
    at: int,
    stop: int,
    ops: NDArray[np.uint8],
    outs: NDArray[np.uint32],
    arguments: NDArray[np.uint32],
    extras: NDArray[np.uint32],
    a_indptr: NDArray[np.int64],
    a_wires: NDArray[np.uint32],
    a_coefficients: NDArray[np.uint32],
    b_indptr: NDArray[np.int64],
    b_wires: NDArray[np.uint32],
    b_coefficients: NDArray[np.uint32],
    c_indptr: NDArray[np.int64],
    c_wires: NDArray[np.uint32],
    c_coefficients: NDArray[np.uint32],
    operand_indptr: NDArray[np.int64],
    operand_wires: NDArray[np.uint32],
    operand_coefficients: NDArray[np.uint32],
    kind: NDArray[np.uint8],
    table_array: Limbs,
    divisors: Limbs,
    hint_inputs: NDArray[np.int64],
    buffer: Limbs,
    witness_array: Limbs,
) -> int:
    """Run instructions from ``at`` up to ``stop``, or to a PYTHON one, whose canonical operands fill ``buffer``."""
    table = address(table_array)
    witness = address(witness_array)
    x = stack(4)
    y = stack(4)
    z = stack(4)
    while at < stop:
        op = ops[at]
        out = witness + 32 * np.intp(outs[at])
        row = np.intp(arguments[at])
        extra = np.intp(extras[at])
        if op == _LINEAR:
            combine(out, a_indptr[row], a_indptr[row + 1], a_wires, a_coefficients, kind, table, witness)
        elif op <= _DIVIDE:
            combine(x, b_indptr[row], b_indptr[row + 1], b_wires, b_coefficients, kind, table, witness)
            combine(y, c_indptr[row], c_indptr[row + 1], c_wires, c_coefficients, kind, table, witness)
            if op == _MULTIPLY:
                combine(z, a_indptr[row], a_indptr[row + 1], a_wires, a_coefficients, kind, table, witness)
                fr.mul(x, x, z)
                fr.sub(out, x, y)
            else:
                fr.invert(x, x)
                fr.mul(out, x, y)
        else:
            n_operands = np.intp(1) if op <= _DIVMOD else np.intp(hint_inputs[extra])
            for i in range(n_operands):
                start = operand_indptr[row + i]
                end = operand_indptr[row + i + 1]
                combine(x, start, end, operand_wires, operand_coefficients, kind, table, witness)
                if op > _DIVMOD:
                    fr.from_montgomery(address(buffer) + 32 * i, x)
            if op == _INVERSE:
                fr.invert(out, x)
            elif op == _BITS:
                fr.from_montgomery(y, x)
                for i in range(extra):
                    if load(y + 8 * (i >> 6)) >> np.uint64(i & 63) & np.uint64(1):
                        fr.set_one(out + 32 * i)
                    else:
                        fr.set_zero(out + 32 * i)
            elif op == _DIVMOD:
                fr.from_montgomery(y, x)
                _divmod(x, y, address(divisors) + 32 * extra)
                fr.to_montgomery(out, x)
                fr.to_montgomery(out + 32, y)
            else:
                return at
        at += 1
    return at
