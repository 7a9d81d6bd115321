"""What account proofs on L1 stand on: two hashers and the contract that calls them, and where CREATE2 puts them."""

from __future__ import annotations

from aitbc_rollup.circuits.statements.batch.layout import LEAF, TREE_ARITY

from .piece import Piece


def hasher(inputs: int, salt: bytes = bytes(32), name: str = "hasher") -> Piece:
    """Poseidon of 2, 3, 4, 5, 8 or 16 inputs."""
    return Piece.of(name, f"Poseidon{inputs}", salt=salt)


def account_proofs(salt: bytes = bytes(32)) -> tuple[Piece, Piece, Piece]:
    """The hasher of nodes, that of leaves, and ``AccountProofs``, to be created in this order."""
    node, leaf = hasher(TREE_ARITY, salt, "node hasher"), hasher(len(LEAF), salt, "leaf hasher")
    return node, leaf, Piece.of("account proofs", "AccountProofs", [node.address, leaf.address], salt)
