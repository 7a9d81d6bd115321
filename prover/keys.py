"""The proving key, laid out as in a .zkey file of snarkjs.

Points are affine and in Montgomery form; all zero is infinity. The two matrices are what a proof needs of the
constraint system: A with one more row per public wire (see ``qap``), and B. C is not stored: on a satisfied system
C·w is the product A·w ∘ B·w. Of a circuit with a commitment there are two lists more, over the committed wires, which
have infinity in the list C (docs/spec/commitment.md).

A key has a head, small and always there, and a body, which is large: in memory, or in a file and read when needed.

::

    pk = ProvingKey.load("circuit.zkey")
    proof = pk.prove("witness.wtns")
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.r1cs import Commitment
from aitbc_rollup.verifier.types import ChallengeHash, CommitmentKey, Proof, VerifyingKey

if TYPE_CHECKING:
    from aitbc_rollup.circuits.formats.files import MappedFile

    from .engine import Engine, Progress

#: The five lists of points, by name, with the group they lie in.
QUERIES: dict[Query, Literal[1, 2]] = {"a": 1, "b_g1": 1, "b_g2": 2, "c": 1, "h": 1}
#: The two more of a key with a commitment: K and σ·K.
COMMITMENT_QUERIES: dict[Query, Literal[1, 2]] = {"committed": 1, "knowledge": 1}
Query = Literal["a", "b_g1", "b_g2", "c", "h", "committed", "knowledge"]


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
class KeyCommitment(Commitment):
    """The commitment of a key's system, with what the verifying key has of it: κ, flat, and the challenge's hash."""

    kappa_g2: Limbs
    hash: ChallengeHash


class KeyBody(Protocol):
    """Matrices and points of a key, wherever they are."""

    @property
    def source(self) -> MappedFile | None:
        """The file they are in, if they are in one."""
        ...

    def matrices(self) -> tuple[Matrix, Matrix]:
        """A and B."""
        ...

    def points(self, query: Query) -> Iterator[Limbs]:
        """A list of points in pieces, affine arrays ``(n, 8·group)``; each may be overwritten by the next."""
        ...


class KeyArrays(NamedTuple):
    """A body in memory; the queries are affine arrays, ``(n, 8)`` in G1 and ``(n, 16)`` in G2."""

    a: Matrix
    b: Matrix
    a_query: Limbs
    b_g1_query: Limbs
    b_g2_query: Limbs
    c_query: Limbs
    h_query: Limbs
    committed_query: Limbs = np.empty((0, 8), np.uint64)
    knowledge_query: Limbs = np.empty((0, 8), np.uint64)

    @property
    def source(self) -> None:
        """No file."""

    def matrices(self) -> tuple[Matrix, Matrix]:
        """A and B."""
        return self.a, self.b

    def points(self, query: Query) -> Iterator[Limbs]:
        """The list in one piece."""
        points: Limbs = getattr(self, f"{query}_query")
        yield points


@dataclass(frozen=True, eq=False)
class ProvingKey:
    """A Groth16 proving key for one constraint system, with its verifying key inside.

    ``development`` marks a key made by one party, who could have kept the secret and can then forge proofs: such keys
    are refused outside local chains. ``circuit_hash`` and ``contributions`` are the body of a .zkey's section 10.
    ``n_public`` counts public wires; with a commitment the last of them is the challenge, which is no public input.
    """

    n_wires: int
    n_public: int
    power: int
    header: VerifyingPoints
    ic: Limbs
    body: KeyBody
    development: bool
    circuit_hash: bytes
    contributions: bytes = field(default=bytes(4))
    commitment: KeyCommitment | None = None

    @classmethod
    def load(cls, path: str | Path) -> ProvingKey:
        """The key in a .zkey file, without its body: that is read, and checked, when an engine needs it.

        The CPU engine keeps what it makes of the body on disk (see ``cpu.prepared``), so that the next process that
        loads this file maps that and starts at once.

        Raises:
            BadInputError: the file cannot be read, its table of sections or the verifying key in it is wrong. A body
                that is wrong is refused the same way, when it is read.
        """
        from .formats import zkey

        return zkey.load(path)

    def prove(
        self, witness: Limbs | str | Path, *, engine: Engine | None = None, progress: Progress | None = None
    ) -> Proof:
        """A proof for a witness: canonical limbs, uint64 ``(n_wires, 4)``, or a .wtns file; see ``groth16.prove``."""
        from aitbc_rollup.circuits.formats.wtns import read_wtns

        from .engine import silent
        from .groth16 import prove

        values = read_wtns(witness) if isinstance(witness, str | Path) else witness
        return prove(self, values, engine=engine, progress=progress or silent)

    @property
    def domain_size(self) -> int:
        """Number of rows of the matrices and points of the domain, a power of two."""
        return 1 << self.power

    @property
    def queries(self) -> dict[Query, Literal[1, 2]]:
        """The lists of points it has, with the group they lie in."""
        return QUERIES if self.commitment is None else QUERIES | COMMITMENT_QUERIES

    @property
    def n_inputs(self) -> int:
        """Number of public inputs: of the public wires all but a challenge."""
        return self.n_public - (self.commitment is not None)

    def n_points(self, query: Query) -> int:
        """Length of a list of points: one a wire, but in C one a private wire, and in H one a point of the domain.

        A commitment's have one a committed wire.
        """
        if query in COMMITMENT_QUERIES:
            return 0 if self.commitment is None else len(self.commitment.wires)
        return {"c": self.n_wires - self.n_public - 1, "h": self.domain_size}.get(query, self.n_wires)

    @cached_property
    def verifying_key(self) -> VerifyingKey:
        """The verifying key, which carries the development mark on."""
        (alpha,) = g1.from_array(self.header.alpha_g1.reshape(1, 8))
        points = (self.header.beta_g2, self.header.gamma_g2, self.header.delta_g2)
        beta, gamma, delta = g2.from_array(np.stack(points))
        commitment = None
        if self.commitment is not None:
            (kappa,) = g2.from_array(self.commitment.kappa_g2.reshape(1, 16))
            commitment = CommitmentKey(kappa, self.commitment.hash)
        return VerifyingKey(
            alpha_g1=alpha,
            beta_g2=beta,
            gamma_g2=gamma,
            delta_g2=delta,
            ic=tuple(g1.from_array(self.ic)),
            development=self.development,
            commitment=commitment,
        )

    @cached_property
    def arrays(self) -> KeyArrays:
        """The body in memory, read whole if it is in a file.

        Raises:
            BadInputError: the body in the file is wrong.
        """
        if isinstance(self.body, KeyArrays):
            return self.body
        return KeyArrays(*self.body.matrices(), *(self._gathered(query) for query in self.queries))

    def _gathered(self, query: Query) -> Limbs:
        out = np.empty((self.n_points(query), 8 * self.queries[query]), np.uint64)
        at = 0
        for piece in self.body.points(query):
            out[at : at + len(piece)] = piece
            at += len(piece)
        return out
