"""Small systems, witnesses and keys that the prover's tests share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup

System = tuple[R1CS, Limbs]


def chain(steps: int) -> System:
    """``steps`` times y ← y² + z·y + i, from a private x and a public z to a public y; with a satisfying witness."""
    circuit = Circuit("chain")
    x, z = circuit.private_input("x"), circuit.public_input("z")
    circuit.private_input("unused")
    y = x
    for i in range(steps):
        y = y * (y + z) + i
    circuit.public_output("y", y)
    compiled = circuit.compile()
    return compiled.r1cs, compiled.witness({"x": 3, "z": 11, "unused": 5})


@pytest.fixture(scope="session")
def make_chain() -> Callable[[int], System]:
    return chain


@pytest.fixture(scope="session")
def small() -> System:
    return chain(5)


@pytest.fixture(scope="session")
def small_key(small: System) -> ProvingKey:
    return setup(small[0], entropy=b"tests", engine=load_engine("cpu"))
