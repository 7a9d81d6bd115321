"""The witness kernel: runs a circuit's program over Montgomery limbs, and stops only for hints in Python.

A program is a tape (see ``ir``); one numba kernel interprets it, on all threads where instances are repeated. At a
PYTHON instruction the kernel evaluates the operands and returns; Python calls the function, writes the outputs and lets
the kernel go on. Between the two parts of a circuit with a commitment the lookups of each table are counted.

Caveat. This computes what an honest prover knows. It neither checks constraints nor proves anything about hints.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import partial
from operator import index, itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import fr, sparse, threads
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.jit import address, kernel, load, stack, store
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, is_below, to_montgomery
from aitbc_rollup.algebra.sparse import combine
from aitbc_rollup.errors import BadInputError

from .assignment import place_inputs
from .ir import Hint, Op

if TYPE_CHECKING:
    from .arguments import Lookups
    from .compiler import CompiledCircuit, Program

_MULTIPLY, _LINEAR, _DIVIDE, _INVERSE, _BITS, _DIVMOD, _PYTHON, _LIMBS, _QUOTIENTS = map(int, Op)
#: Quotients that share an inversion.
_AT_ONCE = 64
_WORDS_AT_ONCE = 4 * _AT_ONCE
#: Instructions of repeated instances that are worth more than the threads to run them.
_WORTH_SHARING = 1 << 14


class WitnessRun:
    """A witness being computed: as far as the challenge, then (:meth:`finish`) to the end.

    ``overrides`` maps a wire to the value it takes instead of the one its instruction computes; what follows is
    computed from it. That is how ``testing`` plays the dishonest prover.

    Raises:
        BadInputError: the assignment does not fit the declared inputs.
    """

    def __init__(self, compiled: CompiledCircuit, assignment: Mapping[str, Any], overrides: Mapping[int, int]) -> None:
        self._compiled = compiled
        self._overrides = overrides
        witness = np.zeros((compiled.r1cs.n_wires, 4), np.uint64)
        witness[0] = fr.ONE
        place_inputs(witness, compiled, assignment)
        self._tape = _Tape(compiled, witness)
        counted = {int(wire) for lookups in compiled.program.lookups for wire in lookups.outs} if overrides else set()
        self._stops = _stops(compiled.program, [wire for wire in overrides if wire not in counted])
        self._run(0, compiled.program.late)
        for lookups in compiled.program.lookups:
            self._tape.count(lookups)
        for wire in counted.intersection(overrides):
            self._override(wire)

    def commitment_values(self, mask: int) -> Limbs:
        """Values of the wires committed to, in their order, canonical limbs; the mask takes the value given.

        Raises:
            ValueError: the circuit commits to nothing.
        """
        commitment = self._compiled.r1cs.commitment
        if commitment is None:
            raise ValueError(f"circuit {self._compiled.name} has no commitment")
        self._tape.witness[commitment.mask] = to_montgomery([mask], R)[0]
        return fr.batch_from_montgomery(self._tape.witness[commitment.wires])

    def public_inputs(self) -> list[int]:
        """Public outputs and inputs, in the verifier's order; the challenge is none of them, and none depends on it."""
        stop = 1 + self._compiled.n_public_inputs
        return from_limbs(fr.batch_from_montgomery(self._tape.witness[1:stop]))

    def stand_in_challenge(self) -> int:
        """A challenge for checking a circuit without a key: a hash of what is committed to; 0 without a commitment."""
        if self._compiled.r1cs.commitment is None:
            return 0
        digest = hashlib.sha512(self.commitment_values(0).tobytes()).digest()
        return int.from_bytes(digest, "big") % R

    def finish(self, challenge: int) -> Limbs:
        """The whole witness, canonical limbs, uint64 (n_wires, 4); ``challenge`` is ignored without a commitment."""
        r1cs, program = self._compiled.r1cs, self._compiled.program
        if r1cs.commitment is not None:
            self._tape.witness[r1cs.n_public] = to_montgomery([challenge], R)[0]
        self._run(program.late, len(program.ops))
        return fr.batch_from_montgomery(self._tape.witness)

    def _run(self, start: int, stop: int) -> None:
        at = start
        for position, wire in self._stops:
            if start < position <= stop:
                self._tape.advance(at, position)
                self._override(wire)
                at = position
        self._tape.advance(at, stop)

    def _override(self, wire: int) -> None:
        self._tape.witness[wire] = to_montgomery([self._overrides[wire]], R)[0]


def _stops(program: Program, wires: Sequence[int]) -> list[tuple[int, int]]:
    """For each overridden wire, in program order: the instruction after the one that writes it, and the wire."""
    stops = []
    for wire in wires:
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
        self._stretches = _worth_sharing(self.program)
        self._batch_starts, lengths = self.program.batches.T
        self._batch_ends = self._batch_starts + lengths

    def advance(self, at: int, stop: int) -> None:
        """Run instructions at ≤ i < stop; repeated instances on all threads."""
        while at < stop:
            i = bisect_left(self._stretches, at, key=itemgetter(0))
            start, length, count = self._stretches[i] if i < len(self._stretches) else (stop, 0, 0)
            if start > at or start + length * count > stop:
                # Up to the next stretch, or, if an override cuts it, through it.
                until = min(start, stop) if start > at else stop
                self._advance_alone(at, until)
                at = until
                continue
            threads.run(
                partial(self._kernel, start + length * first, start + length * last)
                for first, last in threads.ranges(count)
            )
            at = start + length * count

    def _kernel(self, at: int, stop: int) -> int:
        """Run the kernel to ``stop``, or to a PYTHON instruction; where it stands then."""
        program, operands = self.program, self.program.operands
        return int(
            _run(
                at, stop, program.ops, program.outs, program.arguments, program.extras,
                self.a.indptr, self.a.wires, self.a.coefficients,
                self.b.indptr, self.b.wires, self.b.coefficients,
                self.c.indptr, self.c.wires, self.c.coefficients,
                operands.indptr, operands.wires, operands.coefficients,
                self.kinds, self.table, program.divisors, self.hint_inputs, self.buffer, self.witness,
            )
        )  # fmt: skip

    def _advance_alone(self, at: int, stop: int) -> None:
        """Run instructions at ≤ i < stop in this thread, hints included."""
        program = self.program
        while at < stop:
            at = self._kernel(at, stop)
            if at >= stop:
                return
            hint = program.hints[program.extras[at]]
            if hint.batch:
                # An override may have cut the batch in two.
                end = min(int(self._batch_ends[np.searchsorted(self._batch_starts, at, "right") - 1]), stop)
                self._call_batch(hint, at, end - at)
                at = end
                continue
            out = int(program.outs[at])
            self.witness[out : out + hint.n_outputs] = _call(hint, from_limbs(self.buffer[: hint.n_inputs]))
            at += 1

    def _call_batch(self, hint: Hint, at: int, count: int) -> None:
        """A batched hint at so many instructions in a row."""
        outs = self.program.outs[at : at + count]
        rows = self.program.arguments[at : at + count, None] + np.arange(hint.n_inputs)
        inputs = fr.batch_from_montgomery(self.values(rows.reshape(-1)))
        results = _checked_batch(hint, inputs.reshape(count, hint.n_inputs, 4))
        wires = outs[:, None] + np.arange(hint.n_outputs)
        self.witness[wires.reshape(-1)] = fr.batch_to_montgomery(results.reshape(-1, 4))

    def values(self, rows: NDArray[np.integer[Any]]) -> Limbs:
        """Values of these operands, Montgomery limbs."""
        chosen = self.program.operands.take(rows)
        indptr, wires, coefficients = chosen.indptr, chosen.wires, chosen.coefficients
        return sparse.multiply(indptr, wires, coefficients, self.table, self.witness, self.kinds)

    def count(self, lookups: Lookups) -> None:
        """Write how often each row of a table is looked up; what no row answers is left for the check to find."""
        looked_up = fr.batch_from_montgomery(self.values(lookups.keys))
        weights = fr.batch_from_montgomery(self.values(lookups.counts))[:, 0].astype(np.int64)
        if lookups.entries is None:
            rows = _small(looked_up)
        else:
            entries, keys = _names(fr.batch_from_montgomery(self.values(lookups.entries)), looked_up)
            order = np.argsort(entries, kind="stable")
            at = np.minimum(np.searchsorted(entries[order], keys), len(entries) - 1)
            rows = np.where(entries[order[at]] == keys, order[at], -1)
        there = (rows >= 0) & (rows < len(lookups.outs))
        counts = np.zeros(len(lookups.outs), np.int64)
        np.add.at(counts, rows[there], weights[there])
        limbs = np.zeros((len(counts), 4), np.uint64)
        limbs[:, 0] = counts
        self.witness[lookups.outs] = fr.batch_to_montgomery(limbs)


def _worth_sharing(program: Program) -> list[tuple[int, int, int]]:
    """Stretches of runs long enough to be shared among threads, and without hints in Python."""
    stretches = program.stretches[program.stretches[:, 1] * program.stretches[:, 2] >= _WORTH_SHARING]
    return [
        (start, length, count)
        for start, length, count in stretches.tolist()
        if not (program.ops[start : start + length] == _PYTHON).any()
    ]


def _small(values: Limbs) -> NDArray[np.int64]:
    """Canonical values below 2^32 as they are, others as −1."""
    fits = ~values[:, 1:].any(axis=1) & (values[:, 0] < 1 << 32)
    return np.where(fits, values[:, 0].astype(np.int64), -1)


def _names(entries: Limbs, keys: Limbs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Integers that tell values apart: themselves where they are below 2^32, else their ranks."""
    if (small := _small(entries)).min() >= 0:
        return small, _small(keys)
    _, ranks = np.unique(np.concatenate([entries, keys]), axis=0, return_inverse=True)
    ranks = ranks.reshape(-1)
    return ranks[: len(entries)], ranks[len(entries) :]


def _checked_batch(hint: Hint, inputs: Limbs) -> Limbs:
    """A batched hint's outputs, of the right shape and below r."""
    name = getattr(hint.function, "__qualname__", repr(hint.function))
    expected = (len(inputs), hint.n_outputs, 4)
    try:
        results = np.ascontiguousarray(hint.function(inputs), np.uint64)
    except Exception as error:
        error.add_note(f"in the batched witness hint {name}, {len(inputs)} occurrences")
        raise
    if results.shape != expected or not is_below(results.reshape(-1, 4), R).all():
        raise BadInputError(
            "a batched witness hint returned something else than canonical limbs",
            place=f"hint {name}", expected=f"shape {expected}, values below r", got=f"shape {results.shape}",
        )  # fmt: skip
    return results


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
def _set_digit(out: int, x: int, start: int, width: int) -> None:
    """out = bits start … start + width − 1 (width ≤ 32) of a 256-bit integer, zeros above it; canonical."""
    word = start >> 6
    shift = start & 63
    value = np.uint64(0)
    if word < 4:
        value = load(x + 8 * word) >> np.uint64(shift)
        if shift + width > 64 and word < 3:
            value |= load(x + 8 * word + 8) << np.uint64(64 - shift)
    fr.set_zero(out)
    store(out, value & ((np.uint64(1) << np.uint64(width)) - np.uint64(1)))


@kernel
def _quotients(
    out: int,
    start: int,
    stop: int,
    b_indptr: NDArray[np.int64],
    b_wires: NDArray[np.uint32],
    b_coefficients: NDArray[np.uint32],
    c_indptr: NDArray[np.int64],
    c_wires: NDArray[np.uint32],
    c_coefficients: NDArray[np.uint32],
    kind: NDArray[np.uint8],
    table: int,
    witness: int,
) -> None:
    """out, out + 32 … = C·w / B·w of the rows start ≤ i < stop, at most _AT_ONCE of them, with one inversion.

    Montgomery's trick: out first holds the running products of the divisors; one that is 0 counts as 1 and gives 0.
    """
    divisors = stack(_WORDS_AT_ONCE)
    running = stack(4)
    x = stack(4)
    fr.set_one(running)
    for i in range(start, stop):
        divisor = divisors + 32 * (i - start)
        fr.copy(out + 32 * (i - start), running)
        combine(divisor, b_indptr[i], b_indptr[i + 1], b_wires, b_coefficients, kind, table, witness)
        if not fr.is_zero(divisor):
            fr.mul(running, running, divisor)
    fr.invert(running, running)
    for i in range(stop - 1, start - 1, -1):
        to = out + 32 * (i - start)
        divisor = divisors + 32 * (i - start)
        if fr.is_zero(divisor):
            fr.set_zero(to)
            continue
        fr.mul(to, to, running)
        fr.mul(running, running, divisor)
        combine(x, c_indptr[i], c_indptr[i + 1], c_wires, c_coefficients, kind, table, witness)
        fr.mul(to, to, x)


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
        elif op == _QUOTIENTS:
            for begin in range(row, row + extra, _AT_ONCE):
                _quotients(
                    out + 32 * (begin - row), begin, min(begin + _AT_ONCE, row + extra),
                    b_indptr, b_wires, b_coefficients, c_indptr, c_wires, c_coefficients, kind, table, witness,
                )  # fmt: skip
        else:
            n_operands = np.intp(hint_inputs[extra]) if op == _PYTHON else np.intp(1)
            for i in range(n_operands):
                start = operand_indptr[row + i]
                end = operand_indptr[row + i + 1]
                combine(x, start, end, operand_wires, operand_coefficients, kind, table, witness)
                if op == _PYTHON:
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
            elif op == _LIMBS:
                fr.from_montgomery(y, x)
                width = extra >> 8 & 0xFF
                first = extra >> 16
                for i in range(extra & 0xFF):
                    _set_digit(x, y, first + i * width, width)
                    fr.to_montgomery(out + 32 * i, x)
            else:
                return at
        at += 1
    return at
