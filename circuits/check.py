"""Does a witness satisfy its constraints, and if not, which one fails, where is it written, and with what values.

The report follows halo2's ``VerifyFailure``: a failing constraint is named by gadget, line and values. Where the sum
over the buses fails, it names the messages that have no partner instead (:mod:`~aitbc_rollup.circuits.balance`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aitbc_rollup.algebra import fr, sparse
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, is_below
from aitbc_rollup.errors import BadInputError, InvalidError

from .balance import Unpaired, signed, unpaired
from .compiler import CompiledCircuit
from .ir import Located
from .r1cs import R1CS, SparseMatrix

#: Of the wires a row reads, so many are named: a long sum has hundreds of thousands.
_SHOWN_WIRES = 12
#: Messages without a partner that are named: those sent, and as many of those received.
_SHOWN_MESSAGES = 3


@dataclass(frozen=True)
class Violation:
    """The first failing constraint: its values A·w, B·w, C·w, and, if the circuit is ours, where it was written.

    ``wires`` lists the first of the ``n_wires`` it reads as (name, value); ``n_violations`` counts all failing
    constraints. Where it is the sum over all buses, ``unpaired`` are the first messages without a partner instead, and
    the place is that of the very first.
    """

    constraint: int
    a: int
    b: int
    c: int
    located: Located | None
    wires: tuple[tuple[str, int], ...]
    n_wires: int
    n_violations: int
    unpaired: tuple[Unpaired, ...] = ()

    @property
    def place(self) -> str | None:
        """``file:line`` of the assertion, if known."""
        return None if self.located is None else str(self.located.place)

    @property
    def component(self) -> str | None:
        """Path of the component, if known."""
        return None if self.located is None else self.located.component

    @property
    def message(self) -> str:
        """The assertion's message, or nothing."""
        return "" if self.located is None else self.located.message

    def render(self) -> str:
        """The report for a person: one line, then the calls that led there, and the wires or messages involved."""
        where = f" ({self.place}, {self.component})" if self.located else ""
        message = f"; {self.message}" if self.message else ""
        a, b, c = (signed(value) for value in (self.a, self.b, self.c))
        problem = "the buses do not balance" if self.unpaired else f"A·B = C fails: A = {a}, B = {b}, C = {c}"
        lines = [f"constraint {self.constraint}{where} {problem}{message}"]
        lines += [f"  called at {place}" for place in reversed(self.located.calls if self.located else ())]
        for other in self.unpaired[1:]:
            found = other.located
            called = "".join(f", called at {place}" for place in found.calls[-1:])
            lines.append(f"  {found.message} ({found.place}, {found.component}{called})")
        lines += [f"  {name} = {signed(value)}" for name, value in self.wires]
        if self.wires and len(self.wires) < self.n_wires:
            lines.append(f"  … and {self.n_wires - len(self.wires)} more wires")
        if self.n_violations > 1:
            lines.append(f"  {self.n_violations} constraints fail in all")
        return "\n".join(lines)


def check(circuit: CompiledCircuit | R1CS, witness: Limbs) -> Violation | None:
    """The first constraint a witness (canonical limbs, (n_wires, 4)) violates, or ``None`` if it satisfies all.

    Raises:
        BadInputError: the witness has another length, a value ≥ r, or its first wire is not 1.
    """
    compiled = circuit if isinstance(circuit, CompiledCircuit) else None
    r1cs = circuit.r1cs if isinstance(circuit, CompiledCircuit) else circuit
    check_shape(r1cs, witness)
    table = fr.batch_to_montgomery(r1cs.table)
    vector = fr.batch_to_montgomery(np.ascontiguousarray(witness))
    a, b, c = (_product(matrix, table, vector) for matrix in (r1cs.a, r1cs.b, r1cs.c))
    failing = np.flatnonzero((sparse.multiply_pointwise(a, b) != c).any(axis=1))
    if len(failing) == 0:
        return None
    first = int(failing[0])
    value_a, value_b, value_c = (_canonical(product[first : first + 1]) for product in (a, b, c))
    read = np.unique(np.concatenate([[0], *(matrix.row(first)[0] for matrix in (r1cs.a, r1cs.b, r1cs.c))]))[1:]
    found = unpaired(compiled, witness, _SHOWN_MESSAGES) if compiled and compiled.is_total(first) else []
    # What a sum over all messages adds up says nothing to anybody.
    shown = [] if found else read[:_SHOWN_WIRES].tolist()
    return Violation(
        constraint=first,
        a=value_a,
        b=value_b,
        c=value_c,
        located=found[0].located if found else compiled.locate(first) if compiled else None,
        wires=tuple((compiled.wire_name(w) if compiled else f"wire {w}", from_limbs(witness[w])[0]) for w in shown),
        n_wires=len(read),
        n_violations=len(failing),
        unpaired=tuple(found),
    )


def assert_satisfied(circuit: CompiledCircuit | R1CS, witness: Limbs) -> None:
    """As :func:`check`, for those who cannot go on.

    Raises:
        InvalidError: a constraint fails; the message is the violation's report.
        BadInputError: as :func:`check`.
    """
    violation = check(circuit, witness)
    if violation is not None:
        raise InvalidError(violation.render(), hint="the inputs contradict the circuit, or a hint is wrong")


def check_shape(r1cs: R1CS, witness: Limbs) -> None:
    """Refuse what cannot be a witness of this system at all.

    Raises:
        BadInputError: wrong length, a value ≥ r, or a first wire that is not 1.
    """
    if witness.shape != (r1cs.n_wires, 4) or witness.dtype != np.uint64:
        raise BadInputError(
            "the witness does not fit the circuit",
            place="witness",
            expected=f"uint64 limbs of shape ({r1cs.n_wires}, 4)",
            got=f"{witness.dtype} of shape {witness.shape}",
        )
    reduced = is_below(witness, R)
    if not reduced.all():
        raise BadInputError("a witness value is not below r", place=f"wire {int(np.argmin(reduced))}")
    if from_limbs(witness[0])[0] != 1:
        raise BadInputError("the first wire must be 1", place="wire 0", got=str(from_limbs(witness[0])[0]))


def _product(matrix: SparseMatrix, table: Limbs, vector: Limbs) -> Limbs:
    return sparse.multiply(matrix.indptr, matrix.wires, matrix.coefficients, table, vector)


def _canonical(element: Limbs) -> int:
    return from_limbs(fr.batch_from_montgomery(element))[0]
