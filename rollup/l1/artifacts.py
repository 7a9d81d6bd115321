"""The contracts' artifacts, and the address that a contract has before it is there.

Every contract is created by the deterministic deployment proxy (Arachnid's, at the same address on every chain), so an
address follows from the salt and the creation code alone (EIP-1014)::

    address = keccak256(0xff ‖ proxy ‖ salt ‖ keccak256(creation code ‖ arguments))[12:]
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from aitbc_rollup.verifier.solidity import verifying_key_blob
from aitbc_rollup.verifier.types import VerifyingKey

#: https://github.com/Arachnid/deterministic-deployment-proxy: calldata = salt ‖ creation code.
DEPLOYMENT_PROXY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
DEPLOYMENT_PROXY_CODE = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe036016000816020823780358282"
    "34f58015156039578182fd5b8082525050506014600cf3"
)


@cache
def artifact(name: str) -> dict[str, Any]:
    """A compiled contract by name: ``abi``, ``bytecode``, ``deployedBytecode``, ``immutables``, ``errors``."""
    text = files("aitbc_rollup.contracts").joinpath("artifacts", f"{name}.json").read_text()
    content: dict[str, Any] = json.loads(text)
    return content


def code(name: str, part: str = "bytecode") -> bytes:
    """A contract's creation code, or its ``deployedBytecode``."""
    return bytes.fromhex(artifact(name)[part][2:])


def create2_address(salt: bytes, init_code: bytes) -> str:
    """Address of what the deployment proxy creates from a salt of 32 bytes and creation code."""
    proxy = bytes.fromhex(DEPLOYMENT_PROXY[2:])
    return to_checksum_address(keccak(b"\xff" + proxy + salt + keccak(init_code))[12:])


def selector(contract: str, function: str) -> bytes:
    """The four bytes by which a contract's function is called, by its name."""
    (entry,) = (one for one in artifact(contract)["abi"] if one["type"] == "function" and one["name"] == function)
    return keccak(f"{function}({','.join(map(abi_type, entry['inputs']))})".encode())[:4]


def abi_type(entry: dict[str, Any]) -> str:
    """A parameter's canonical type: a struct as its fields in parentheses."""
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(abi_type, entry['components']))}){kind.removeprefix('tuple')}"


def constructor_types(contract: str) -> list[str]:
    """Types of a constructor's parameters."""
    found = [one for one in artifact(contract)["abi"] if one["type"] == "constructor"]
    return [abi_type(entry) for one in found for entry in one["inputs"]]


def verifier_init_code(vk: VerifyingKey) -> bytes:
    """Creation code of a verifier with its key."""
    return code("Groth16VerifierInit") + encode(["bytes"], [verifying_key_blob(vk)])


def verifier_code(vk: VerifyingKey) -> bytes:
    """Code of a deployed verifier: runtime ‖ key ‖ length of the key."""
    key = verifying_key_blob(vk)
    return code("Groth16Verifier", "deployedBytecode") + key + len(key).to_bytes(32, "big")


def key_hash(vk: VerifyingKey) -> bytes:
    """What a verifier with this key says of it: keccak256 of the key as it stands behind the code."""
    return keccak(verifying_key_blob(vk))
