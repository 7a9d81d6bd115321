"""From constraints to polynomials: the quadratic arithmetic program of Groth16, with snarkjs's conventions.

Row j of the system holds at ωʲ, the j-th point of a domain of 2^power points: Aᵢ(x) is the polynomial with the value
A[j, i] at ωʲ, and likewise Bᵢ and Cᵢ. After the constraints come 1 + n_public rows "wire s · 0 = 0", s = 0 … n_public:
they make the public wires' A-polynomials linearly independent, without which a proof could be moved to other public
inputs. So the domain needs n_constraints + n_public + 1 points.

Z(x) = x^n − 1 divides P = A·B − C. snarkjs does not divide. It takes P, of degree below 2n − 1 and zero on the domain,
by its values on the coset g·ωʲ, and its H-points are those Lagrange polynomials at τ, over δ:

    P(τ) = Σⱼ P(g·ωʲ) · Lⱼ(τ/g) · (τⁿ − 1)/(gⁿ − 1),      Lⱼ the Lagrange basis of the domain.

g is the root of order 2n, so the coset is the domain's odd twin (gⁿ = −1); at n = 2^28 there is none and g is 25.
"""

from __future__ import annotations

import numpy as np

from aitbc_rollup.algebra.bn254 import FR_GENERATOR, FR_TWO_ADICITY, R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs
from aitbc_rollup.circuits.r1cs import R1CS, SparseMatrix
from aitbc_rollup.errors import BadInputError

from .keys import Matrix


def domain_power(n_constraints: int, n_public: int) -> int:
    """The smallest power, at least 1, with 2^power ≥ n_constraints + n_public + 1.

    Raises:
        BadInputError: it is above 28, the two-adicity of r − 1.
    """
    rows = n_constraints + n_public + 1
    power = max(1, (rows - 1).bit_length())
    if power > FR_TWO_ADICITY:
        raise BadInputError(
            "the circuit is too large for BN254",
            place="constraint system",
            expected=f"at most {1 << FR_TWO_ADICITY} constraints and public wires, with one more row",
            got=f"{rows} rows",
            hint="split the batch into smaller ones",
        )
    return power


def coset_shift(power: int) -> int:
    """g, the shift of the coset on which the quotient is taken."""
    if power == FR_TWO_ADICITY:
        return FR_GENERATOR**2
    return pow(FR_GENERATOR, (R - 1) >> (power + 1), R)


def matrix(source: SparseMatrix, table: Limbs, n_rows: int, public_rows: int = 0) -> Matrix:
    """A matrix of a system as a key keeps it, padded to ``n_rows``; ``public_rows`` rows select wires 0, 1, 2 …"""
    doubled = to_limbs((value << 512) % R for value in from_limbs(table)).reshape(-1, 4)
    one = to_limbs([(1 << 512) % R])
    last = int(source.indptr[-1])
    ends = np.minimum(np.arange(1, n_rows - source.n_rows + 1), public_rows) + last
    return Matrix(
        indptr=np.concatenate([source.indptr, ends]).astype(np.int64),
        wires=np.concatenate([source.wires, np.arange(public_rows)]).astype(np.uint32),
        values=np.concatenate([doubled[source.coefficients], np.repeat(one, public_rows, axis=0)]),
    )


def matrices(r1cs: R1CS) -> tuple[Matrix, Matrix, Matrix]:
    """A with its public rows, B and C, each with as many rows as the domain has points.

    Raises:
        BadInputError: the system is too large, or its arrays do not fit together.
    """
    check_shape(r1cs)
    n_rows = 1 << domain_power(r1cs.n_constraints, r1cs.n_public)
    return (
        matrix(r1cs.a, r1cs.table, n_rows, r1cs.n_public + 1),
        matrix(r1cs.b, r1cs.table, n_rows),
        matrix(r1cs.c, r1cs.table, n_rows),
    )


def check_shape(r1cs: R1CS) -> None:
    """Refuse a system whose indices leave its arrays: a kernel would read foreign memory.

    Raises:
        BadInputError: as said.
    """

    def refuse(message: str) -> None:
        raise BadInputError(message, place="constraint system", hint="compile the circuit again")

    if r1cs.n_public + 1 > r1cs.n_wires:
        refuse("there are more public wires than wires")
    for name, part in (("A", r1cs.a), ("B", r1cs.b), ("C", r1cs.c)):
        if part.n_rows != r1cs.n_constraints:
            refuse(f"matrix {name} has {part.n_rows} rows and A has {r1cs.n_constraints}")
        lengths_fit = len(part.wires) == len(part.coefficients) == part.indptr[-1]
        if part.indptr[0] != 0 or not lengths_fit or (np.diff(part.indptr) < 0).any():
            refuse(f"matrix {name} has offsets that do not fit its entries")
        if len(part.wires) and int(part.wires.max()) >= r1cs.n_wires:
            refuse(f"matrix {name} names a wire that does not exist")
        if len(part.coefficients) and int(part.coefficients.max()) >= len(r1cs.table):
            refuse(f"matrix {name} names a coefficient that is not in the table")
    if r1cs.commitment is not None:
        fault = r1cs.commitment.fault(r1cs.n_wires, r1cs.n_public)
        if fault is not None:
            refuse(fault)
        if not _is_masked(r1cs, r1cs.commitment.mask):
            refuse(f"the mask, wire {r1cs.commitment.mask}, is not in the constraint mask · 0 = 0 alone")


def _is_masked(r1cs: R1CS, mask: int) -> bool:
    """Whether a wire hides what is committed with it: its polynomial is not 0, and it is free to take any value."""
    entries = np.flatnonzero(r1cs.a.wires == mask)
    if len(entries) != 1 or (r1cs.b.wires == mask).any() or (r1cs.c.wires == mask).any():
        return False
    if not r1cs.table[r1cs.a.coefficients[entries[0]]].any():
        return False
    row = int(np.searchsorted(r1cs.a.indptr, entries[0], side="right")) - 1
    return [len(part.row(row)[0]) for part in (r1cs.a, r1cs.b, r1cs.c)] == [1, 0, 0]
