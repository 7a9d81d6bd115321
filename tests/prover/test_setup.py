"""Domain, quotient basis and setup, against the definitions in plain integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.circuits.r1cs import R1CS, SparseMatrix
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.prover import qap
from aitbc_rollup.prover.cpu.ntt import root_of_unity
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.keys import QUERIES, ProvingKey
from aitbc_rollup.prover.setup import _source, setup

System = tuple[R1CS, Limbs]


@pytest.mark.parametrize(
    ("n_constraints", "n_public", "power"),
    [(0, 0, 1), (1, 0, 1), (2, 0, 2), (3, 0, 2), (2, 1, 2), (3, 1, 3), (7, 0, 3), ((1 << 28) - 1, 0, 28)],
)
def test_the_domain_is_as_large_as_snarkjs_makes_it(n_constraints: int, n_public: int, power: int) -> None:
    """snarkjs 0.7.6, zkey_new.js: floor(log2(constraints + public)) + 1, with log2(0) = 0."""
    rows = n_constraints + n_public
    assert qap.domain_power(n_constraints, n_public) == power == max(rows, 1).bit_length()


def test_a_circuit_beyond_two_to_the_28_is_refused() -> None:
    with pytest.raises(BadInputError, match="too large for BN254") as caught:
        qap.domain_power((1 << 28) - 1, 1)
    assert caught.value.got == f"{(1 << 28) + 1} rows"


@pytest.mark.parametrize("power", [1, 5, 27, 28])
def test_the_coset_avoids_the_domain(power: int) -> None:
    assert pow(qap.coset_shift(power), 1 << power, R) != 1


def rows(matrix: SparseMatrix, table: list[int]) -> list[dict[int, int]]:
    parts = (matrix.row(i) for i in range(matrix.n_rows))
    return [{int(w): table[k] for w, k in zip(*part, strict=True)} for part in parts]


def lagrange(n: int, point: int) -> list[int]:
    """By products over the domain, not by any transform."""
    domain = [pow(root_of_unity(n.bit_length() - 1), i, R) for i in range(n)]
    values = []
    for i, x in enumerate(domain):
        up = down = 1
        for j, y in enumerate(domain):
            if j != i:
                up, down = up * (point - y) % R, down * (x - y) % R
        values.append(up * pow(down, -1, R) % R)
    return values


def test_every_point_of_a_key_is_what_groth16_says(small: System, small_key: ProvingKey) -> None:
    r1cs, _ = small
    draw = _source(b"tests")
    tau, alpha, beta, delta = (draw() for _ in range(4))
    over_delta = pow(delta, -1, R)
    n, public = small_key.domain_size, r1cs.n_public + 1
    table, basis = from_limbs(r1cs.table), lagrange(n, tau)
    u, v, w = ([0] * r1cs.n_wires for _ in range(3))
    for column, matrix in ((u, r1cs.a), (v, r1cs.b), (w, r1cs.c)):
        for j, row in enumerate(rows(matrix, table)):
            for wire, coefficient in row.items():
                column[wire] = (column[wire] + coefficient * basis[j]) % R
    for wire in range(public):
        u[wire] = (u[wire] + basis[r1cs.n_constraints + wire]) % R
    joint = [(beta * x + alpha * y + z) % R for x, y, z in zip(u, v, w, strict=True)]
    double_basis = lagrange(2 * n, tau)

    def in_g1(scalars: list[int]) -> list[curve.G1Point]:
        return [curve.g1_mul(G1_GENERATOR, s) if s else None for s in scalars]

    def in_g2(scalars: list[int]) -> list[curve.G2Point]:
        return [curve.g2_mul(G2_GENERATOR, s) if s else None for s in scalars]

    assert g1.from_array(small_key.arrays.a_query) == in_g1(u)
    assert g1.from_array(small_key.arrays.b_g1_query) == in_g1(v)
    assert g2.from_array(small_key.arrays.b_g2_query) == in_g2(v)
    assert g1.from_array(small_key.ic) == in_g1(joint[:public])
    assert g1.from_array(small_key.arrays.c_query) == in_g1([x * over_delta % R for x in joint[public:]])
    # snarkjs takes the odd Lagrange points of the domain of twice the size, over δ.
    assert g1.from_array(small_key.arrays.h_query) == in_g1([x * over_delta % R for x in double_basis[1::2]])
    header = small_key.header
    assert g1.from_array(np.stack([header.alpha_g1, header.beta_g1, header.delta_g1])) == in_g1([alpha, beta, delta])
    assert g2.from_array(np.stack([header.beta_g2, header.gamma_g2, header.delta_g2])) == in_g2([beta, 1, delta])


def test_engines_make_the_same_key(make_chain: Callable[[int], System]) -> None:
    r1cs, _ = make_chain(2)
    ours, plain = (setup(r1cs, entropy=b"x", engine=load_engine(name)) for name in ("cpu", "reference"))
    assert (ours.ic == plain.ic).all()
    for query in QUERIES:
        (mine,), (theirs,) = ours.body.points(query), plain.body.points(query)
        assert (mine == theirs).all(), query
    assert ours.circuit_hash == plain.circuit_hash


def test_setup_is_random_and_marked(small: System) -> None:
    engine = load_engine("cpu")
    keys = [setup(small[0], engine=engine) for _ in range(2)]
    assert (keys[0].header.delta_g1 != keys[1].header.delta_g1).any()
    assert (keys[0].header.alpha_g1 != keys[1].header.alpha_g1).any()
    assert all(key.development and key.verifying_key.development for key in keys)


def spoiled(matrix: SparseMatrix, **changes: np.ndarray) -> SparseMatrix:
    return replace(matrix, **changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: replace(r, a=spoiled(r.a, wires=r.a.wires + np.uint32(r.n_wires))), "A names a wire"),
        (lambda r: replace(r, b=spoiled(r.b, coefficients=r.b.coefficients + np.uint32(99))), "B names a coefficient"),
        (lambda r: replace(r, c=spoiled(r.c, indptr=r.c.indptr[::-1].copy())), "C has offsets"),
        (lambda r: replace(r, c=spoiled(r.c, indptr=r.c.indptr[:-1])), "C has 5 rows and A has 6"),
        (lambda r: replace(r, n_public_inputs=r.n_wires), "more public wires than wires"),
    ],
)
def test_a_system_that_would_read_foreign_memory_is_refused(
    small: System, change: Callable[[R1CS], R1CS], message: str
) -> None:
    with pytest.raises(BadInputError, match=message):
        setup(change(small[0]), engine=load_engine("cpu"))
