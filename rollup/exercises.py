"""What brings the rollup's own kernels into use: hashes and signatures, as agents make them."""

from __future__ import annotations

from aitbc_rollup.algebra.eddsa import sign, verify
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.algebra.warmup import Exercise

from .dev_agents import development_private_key, development_public_key


def exercises() -> list[Exercise]:
    """Work for every kernel that agents and a node need."""
    return [Exercise("signatures", _signatures)]


def _signatures() -> None:
    message = poseidon([1, 2])
    assert verify(development_public_key(0), message, sign(development_private_key(0), message))
