"""The proving key as arrays, laid out as in a .zkey file of snarkjs.

Points are affine and in Montgomery form; all zero is infinity. The two matrices are what a proof needs of the
constraint system: A with one more row per public wire (see ``qap``), and B. C is not stored: on a satisfied system
C·w is the product A·w ∘ B·w.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.verifier.types import VerifyingKey


class Matrix(NamedTuple):
    """A sparse matrix over Fr in compressed rows.

    ``values`` holds c·2^512 mod r for each entry c, so that a Montgomery product with a *canonical* number is in
    Montgomery form. Shapes: ``indptr`` int64 (rows + 1,), ``wires`` uint32 (nnz,), ``values`` uint64 (nnz, 4).
    """

    indptr: NDArray[np.int64]
    wires: NDArray[np.uint32]
    values: Limbs

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1


class VerifyingPoints(NamedTuple):
    """The six points of a .zkey header, flat: 8 words in G1, 16 in G2."""

    alpha_g1: Limbs
    beta_g1: Limbs
    beta_g2: Limbs
    gamma_g2: Limbs
    delta_g1: Limbs
    delta_g2: Limbs


@dataclass(frozen=True, eq=False)
class ProvingKey:
    """A Groth16 proving key for one constraint system, with its verifying key inside.

    ``development`` marks a key made by one party, who could have kept the secret and can then forge proofs: such keys
    are refused outside local chains. ``circuit_hash`` and ``contributions`` are the body of a .zkey's section 10.
    """

    n_public: int
    power: int
    header: VerifyingPoints
    ic: Limbs
    a: Matrix
    b: Matrix
    a_query: Limbs
    b_g1_query: Limbs
    b_g2_query: Limbs
    c_query: Limbs
    h_query: Limbs
    development: bool
    circuit_hash: bytes
    contributions: bytes = field(default=bytes(4))

    @property
    def n_wires(self) -> int:
        """Length of a witness."""
        return len(self.a_query)

    @property
    def domain_size(self) -> int:
        """Number of rows of the matrices and points of the domain, a power of two."""
        return 1 << self.power

    @cached_property
    def verifying_key(self) -> VerifyingKey:
        """The verifying key, which carries the development mark on."""
        (alpha,) = g1.from_array(self.header.alpha_g1.reshape(1, 8))
        points = (self.header.beta_g2, self.header.gamma_g2, self.header.delta_g2)
        beta, gamma, delta = g2.from_array(np.stack(points))
        return VerifyingKey(
            alpha_g1=alpha,
            beta_g2=beta,
            gamma_g2=gamma,
            delta_g2=delta,
            ic=tuple(g1.from_array(self.ic)),
            development=self.development,
        )
