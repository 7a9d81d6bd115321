"""A deployment as a file: every contract's address and code hash, circuits, parameters and roles, checked as one.

The addresses follow from the plan that stands in the same file, so a manifest that was altered contradicts itself; that
the chain has what it says is compared apart (:func:`compare`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from aitbc_rollup.errors import BadInputError, L1Error, next_step
from aitbc_rollup.verifier.formats import verification_key_from_json, verification_key_to_json

from ..checks import Fields, format_address
from ..files import read_json
from .client import L1Client
from .contracts import check_deployed, implementation
from .plan import Deployment
from .roles import Manager

FORMAT = "aitbc-rollup/deployment/v1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A deployment on a chain; ``block`` is one before which the rollup logged nothing."""

    chain_id: int
    block: int
    deployment: Deployment

    def to_json(self) -> dict[str, Any]:
        """The content of a manifest file."""
        return {"format": FORMAT, "chain_id": self.chain_id, "block": self.block, **_described(self.deployment)}

    @classmethod
    @next_step("get the manifest again from whoever deployed the rollup")
    def load(cls, path: Path) -> Manifest:
        """A manifest file, checked against itself.

        Raises:
            BadInputError: unreadable, malformed, or what it says does not follow from its plan.
        """
        place = str(path)
        read = Fields(read_json(path), place)
        read.literal("format", FORMAT)
        chain_id, block = read.integer("chain_id", 64), read.integer("block", 64)
        stated = {name: read.take(name) for name in ("rollup", "contracts", "selectors", "verification_keys", "plan")}
        read.finish()
        entries = stated["verification_keys"]
        if not isinstance(entries, list):
            raise BadInputError("field 'verification_keys' is wrong", place=place, expected="a list")
        keys = tuple(verification_key_from_json(entry, f"{place}, key {n}") for n, entry in enumerate(entries))
        found = Deployment.from_json(stated["plan"], f"{place}, plan", keys)
        for name, right in _described(found).items():
            if stated[name] != right:
                raise BadInputError(
                    f"field {name!r} does not follow from the plan", place=place, expected=str(right)[:300],
                    got=str(stated[name])[:300],
                )  # fmt: skip
        return cls(chain_id, block, found)


def _described(deployment: Deployment) -> dict[str, Any]:
    return {
        "rollup": format_address(int(deployment.rollup, 16)),
        "contracts": [
            {
                "name": piece.name,
                "contract": piece.contract,
                "address": format_address(int(piece.address, 16)),
                "salt": f"0x{piece.salt.hex()}",
                "init_code_hash": f"0x{keccak(piece.init_code).hex()}",
                "value": str(piece.value),
            }
            for piece in deployment.pieces
        ],
        "selectors": {f"0x{route.selector.hex()}": route.to_json() for route in deployment.routes},
        "verification_keys": [verification_key_to_json(key) for key in deployment.keys],
        "plan": deployment.to_json(),
    }


def compare(client: L1Client, manifest: Manifest) -> list[str]:
    """What a chain has otherwise than a manifest says; nothing if all is as it says.

    Raises:
        L1Error: the chain does not answer.
    """
    if client.chain_id != manifest.chain_id:
        return [f"the chain has id {client.chain_id}, the manifest is for {manifest.chain_id}"]
    found = []
    plan = manifest.deployment
    for piece in plan.pieces:
        if not client.code(piece.address):
            found.append(f"the {piece.name} is not deployed at {piece.address}")
    if found:
        return found
    try:
        check_deployed(client, plan)
    except L1Error as error:
        return [f"{error.place}: {error.message}"]
    if (now := implementation(client, plan)) != plan.implementation.address:
        found.append(f"the rollup was upgraded: it runs {now}")
    manager = Manager(client, plan)
    if manager.missing():
        found.append("the roles are not those of the manifest")
    return found
