"""A contract to create, which has its address before it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from aitbc_rollup.verifier.types import VerifyingKey

from .artifacts import artifact, code, constructor_types, create2_address, verifier_init_code


@dataclass(frozen=True, slots=True)
class Piece:
    """A contract to create: its part, its artifact, creation code with arguments, salt, and the wei that go with it."""

    name: str
    contract: str
    init_code: bytes
    salt: bytes = bytes(32)
    value: int = 0

    @classmethod
    def of(
        cls, name: str, contract: str, arguments: Sequence[Any] = (), salt: bytes = bytes(32), value: int = 0
    ) -> Piece:
        """The contract of an artifact with its constructor's arguments."""
        return cls(name, contract, code(contract) + encode(constructor_types(contract), arguments), salt, value)

    @classmethod
    def verifier(cls, vk: VerifyingKey) -> Piece:
        """The verifier of a key."""
        return cls("verifier", "Groth16Verifier", verifier_init_code(vk))

    @property
    def address(self) -> str:
        """Where it belongs."""
        return create2_address(self.salt, self.init_code)

    @property
    def code(self) -> bytes:
        """What is deployed, with zeros at the ``immutables``; of a verifier without the key behind it."""
        return code(self.contract, "deployedBytecode")

    @property
    def immutables(self) -> list[list[int]]:
        """Places in that code, each with its length in bytes, where arguments stand."""
        found: list[list[int]] = artifact(self.contract)["immutables"]
        return found
