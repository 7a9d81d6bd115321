"""What account proofs on L1 stand on: two hashers and the contract that calls them, and where CREATE2 puts them.

Each address follows from the salt alone, so that a rollup can name the contract before it exists.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import encode

from aitbc_rollup.circuits.statements.batch.layout import LEAF, TREE_ARITY

from .contracts import artifact, create2_address


@dataclass(frozen=True, slots=True)
class Creation:
    """A contract that the deployment proxy creates.

    ``init_code`` is its creation code with arguments; ``code`` what is deployed, with zeros at the ``immutables``, each
    a place and a length in bytes.
    """

    name: str
    address: str
    init_code: bytes
    code: bytes
    immutables: tuple[tuple[int, int], ...]


def hasher(inputs: int, salt: bytes = bytes(32)) -> Creation:
    """Poseidon of 2, 3, 4, 5, 8 or 16 inputs."""
    return _creation(f"Poseidon{inputs}", salt)


def account_proofs(salt: bytes = bytes(32)) -> tuple[Creation, ...]:
    """The hasher of nodes, that of leaves, and ``AccountProofs``, to be created in this order."""
    node, leaf = hasher(TREE_ARITY, salt), hasher(len(LEAF), salt)
    arguments = encode(["address", "address"], [node.address, leaf.address])
    return node, leaf, _creation("AccountProofs", salt, arguments)


def _creation(name: str, salt: bytes, arguments: bytes = b"") -> Creation:
    found = artifact(name)
    init_code = bytes.fromhex(found["bytecode"][2:]) + arguments
    return Creation(
        name=name,
        address=create2_address(salt, init_code),
        init_code=init_code,
        code=bytes.fromhex(found["deployedBytecode"][2:]),
        immutables=tuple((place, length) for place, length in found["immutables"]),
    )
