"""What brings every kernel of setup, proof and verification into use: an engine's operations, and a whole proof.

The operations come first, so that several processes have something to do; the proof, through files of every kind,
then meets what no operation of the protocol leads to.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.algebra.pairing import pairing_check
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.algebra.warmup import Exercise
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import assert_satisfied
from aitbc_rollup.circuits.formats.r1cs import read_r1cs, write_r1cs
from aitbc_rollup.circuits.formats.wtns import read_wtns, write_wtns
from aitbc_rollup.verifier import groth16 as verifier

from .consistency import check_matrices, check_pairs
from .engine import load_engine
from .formats import zkey
from .groth16 import public_inputs
from .keys import ProvingKey
from .setup import setup

#: Lengths that lead to different ways of adding up points, and to transforms of one pass and of several.
_LENGTHS = (1, 3, 40, 700)
_POWERS = (1, 4, 7, 12)


def exercises(engine: str) -> list[Exercise]:
    """Work for every kernel of an engine."""
    return [
        Exercise("pairings", _pairings),
        Exercise("sums in G2", partial(_sums, engine, 2)),
        Exercise("sums in G1", partial(_sums, engine, 1)),
        Exercise("multiples of generators", partial(_multiples, engine)),
        Exercise("transforms", partial(_transforms, engine)),
        Exercise("a proof and its files", partial(_proof, engine)),
    ]


def _numbers(count: int) -> Limbs:
    """Scalars of every length, 0 and 1 among them."""
    return to_limbs([pow(5, i * i, R) >> i % 256 for i in range(count)])


def _pairings() -> None:
    assert pairing_check([(G1_GENERATOR, G2_GENERATOR), (curve.g1_neg(G1_GENERATOR), G2_GENERATOR)])


def _sums(engine: str, group: Literal[1, 2]) -> None:
    found = load_engine(engine)
    for length in _LENGTHS:
        if group == 1:
            found.msm_g1(np.repeat(g1.to_array([G1_GENERATOR]), length, axis=0), _numbers(length))
        else:
            found.msm_g2(np.repeat(g2.to_array([G2_GENERATOR]), length, axis=0), _numbers(length))


def _multiples(engine: str) -> None:
    found = load_engine(engine)
    found.fixed_base_g1(_numbers(40))
    found.fixed_base_g2(_numbers(40))


def _transforms(engine: str) -> None:
    found = load_engine(engine)
    for power in _POWERS:
        values = _numbers(1 << power)
        found.intt(found.ntt(values, 5), 5)
        found.quotient(values, values, 5)


def _proof(engine: str) -> None:
    circuit = Circuit()
    x = circuit.private_input("x")
    product = x
    for _ in range(70):  # points enough that they are checked many at once
        product = product * (x + 2)
    circuit.public_output("product", product)
    quotient, _ = circuit.hint_divmod(product, 1 << 128)
    circuit.assert_equal(circuit.hint_inverse(product) * product, 1)
    circuit.public_output("bit", circuit.hint_bits(quotient, 126)[0] * 1)
    compiled = circuit.compile()
    with tempfile.TemporaryDirectory() as folder:
        r1cs, wtns, key = (Path(folder) / name for name in ("c.r1cs", "c.wtns", "c.zkey"))
        write_r1cs(r1cs, compiled.r1cs)
        write_wtns(wtns, compiled.witness({"x": 3}))
        system, witness = read_r1cs(r1cs), read_wtns(wtns)
        assert_satisfied(system, witness)
        zkey.write(key, setup(system, engine=load_engine(engine)))
        loaded = ProvingKey.load(key)
        check_matrices(loaded, system)
        check_pairs(loaded, engine=load_engine(engine))
        proof = loaded.prove(witness, engine=load_engine(engine))
        assert verifier.verify(loaded.verifying_key, public_inputs(loaded, witness), proof)
