"""Does a proving key belong to a constraint system, as far as key and system alone can tell.

A .zkey is checked on reading to hold well-formed points; whether they are *this* circuit's, reading cannot know. Here
the key's matrices are compared with the system's, and pairings compare what the key holds twice, in G1 and in G2: β, δ,
and the points of B, and of a commitment that κ holds the same σ as the points σ·K, under random factors. Not checked,
because it needs the powers of τ: that A, C, H and K lie where a setup puts them. A key that is wrong there makes no
proof that verifies.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import numpy as np

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.algebra.pairing import pairing_check
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.circuits.r1cs import R1CS, Commitment
from aitbc_rollup.errors import InvalidError

from . import qap
from .engine import Engine, load_engine
from .keys import Matrix, ProvingKey

#: The generators, flat affine points.
GENERATOR_G1, GENERATOR_G2 = g1.to_array([G1_GENERATOR])[0], g2.to_array([G2_GENERATOR])[0]
#: Bits of a random factor: a wrong pair of points passes with probability 2^-120.
_FACTOR_BITS = 120


def check_matrices(key: ProvingKey, r1cs: R1CS, place: str = "proving key") -> None:
    """Refuse a key whose size or matrices are not the system's.

    Raises:
        InvalidError: naming what differs.
        BadInputError: the system is too large or inconsistent.
    """
    sizes = (("wires", r1cs.n_wires, key.n_wires), ("public wires", r1cs.n_public, key.n_public))
    for name, expected, got in sizes:
        if expected != got:
            raise _another_circuit(place, f"{expected} {name}", str(got))
    if not same_commitment(r1cs.commitment, key.commitment):
        raise _another_circuit(place, "the system's committed wires", "others")
    qap.check_shape(r1cs)
    n_rows = 1 << qap.domain_power(r1cs.n_constraints, r1cs.n_public)
    found = zip((("A", r1cs.a, r1cs.n_public + 1), ("B", r1cs.b, 0)), key.body.matrices(), strict=True)
    for (name, source, public_rows), theirs in found:
        # One after the other: of a large circuit each takes a gigabyte.
        if not _same(qap.matrix(source, r1cs.table, n_rows, public_rows), theirs):
            raise _another_circuit(place, f"the system's matrix {name}", "another one")


def check_pairs(key: ProvingKey, place: str = "proving key", engine: Engine | None = None) -> None:
    """Refuse a key whose points in G1 and G2 do not fit each other.

    Raises:
        InvalidError: naming the points.
    """
    engine = engine or load_engine("cpu")
    header, arrays = key.header, key.arrays
    factors = to_limbs(secrets.randbits(_FACTOR_BITS) for _ in range(key.n_wires))
    b_g1, b_g2 = engine.msm_g1(arrays.b_g1_query, factors), engine.msm_g2(arrays.b_g2_query, factors)
    pairs = [
        ("β", (GENERATOR_G1, header.beta_g1), (GENERATOR_G2, header.beta_g2)),
        ("δ", (GENERATOR_G1, header.delta_g1), (GENERATOR_G2, header.delta_g2)),
        ("B", (GENERATOR_G1, b_g1), (GENERATOR_G2, b_g2)),
    ]
    if key.commitment is not None:
        chosen = factors[: len(key.commitment.wires)]
        sums = engine.msm_g1(arrays.committed_query, chosen), engine.msm_g1(arrays.knowledge_query, chosen)
        pairs.append(("σ", sums, (header.gamma_g2, key.commitment.kappa_g2)))
    for name, left, right in pairs:
        if not same_ratio(left, right):
            raise InvalidError(
                f"{name} in G1 and in G2 are not the same", place=place, hint="do not use this key: get it again"
            )


def same_ratio(in_g1: Iterable[Limbs], in_g2: Iterable[Limbs]) -> bool:
    """Whether the second of two points is the same multiple of the first in G1 as in G2; flat affine points."""
    x, y = g1.from_array(np.stack([*in_g1]))
    u, v = g2.from_array(np.stack([*in_g2]))
    return pairing_check([(curve.g1_neg(y), u), (x, v)])


def same_commitment(ours: Commitment | None, theirs: Commitment | None) -> bool:
    """Whether two commitments are to the same wires, or there is neither."""
    if ours is None or theirs is None:
        return ours is theirs
    return ours.mask == theirs.mask and np.array_equal(ours.wires, theirs.wires)


def _same(left: Matrix, right: Matrix) -> bool:
    """Equal matrices; entries of a row in any order."""
    if len(left.wires) != len(right.wires) or not np.array_equal(left.indptr, right.indptr):
        return False
    if np.array_equal(left.wires, right.wires):
        return np.array_equal(left.values, right.values)
    i, j = _by_wire(left), _by_wire(right)
    return np.array_equal(left.wires[i], right.wires[j]) and np.array_equal(left.values[i], right.values[j])


def _by_wire(matrix: Matrix) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    rows = np.repeat(np.arange(matrix.n_rows), np.diff(matrix.indptr))
    return np.lexsort((matrix.wires, rows))


def _another_circuit(place: str, expected: str, got: str) -> InvalidError:
    return InvalidError(
        "the key was made for another circuit",
        place=place,
        expected=expected,
        got=got,
        hint="make a key for this circuit",
    )
