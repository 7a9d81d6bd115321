"""The contracts' artifacts, their addresses before there is anything at them, and their deployment.

Both contracts are created by the deterministic deployment proxy (Arachnid's, at the same address on every chain), so
an address follows from the salt and the creation code alone (EIP-1014)::

    address = keccak256(0xff ‖ proxy ‖ salt ‖ keccak256(creation code ‖ arguments))[12:]

Sessions sign that address before the contract exists. Anyone may deploy: the operator is an argument.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import accumulate
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import L1Error, UsageError
from aitbc_rollup.verifier.groth16 import check_key
from aitbc_rollup.verifier.solidity import verifying_key_blob
from aitbc_rollup.verifier.types import VerifyingKey

from .client import L1Client, Receipt
from .signer import DEVELOPMENT_CHAIN_IDS, Signer

#: https://github.com/Arachnid/deterministic-deployment-proxy: calldata = salt ‖ creation code.
DEPLOYMENT_PROXY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
DEPLOYMENT_PROXY_CODE = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe036016000816020823780358282"
    "34f58015156039578182fd5b8082525050506014600cf3"
)
PUBLIC_INPUTS = 4


@cache
def artifact(name: str) -> dict[str, Any]:
    """A compiled contract by name: ``abi``, ``bytecode``, ``deployedBytecode``, ``immutables``, ``errors``."""
    text = files("aitbc_rollup.contracts").joinpath("artifacts", f"{name}.json").read_text()
    content: dict[str, Any] = json.loads(text)
    return content


def create2_address(salt: bytes, init_code: bytes) -> str:
    """Address of what the deployment proxy creates from a salt of 32 bytes and creation code."""
    proxy = bytes.fromhex(DEPLOYMENT_PROXY[2:])
    return to_checksum_address(keccak(b"\xff" + proxy + salt + keccak(init_code))[12:])


def verifier_init_code(vk: VerifyingKey) -> bytes:
    """Creation code of a verifier with its key."""
    return _code("Groth16VerifierInit", "bytecode") + encode(["bytes"], [verifying_key_blob(vk)])


def verifier_code(vk: VerifyingKey) -> bytes:
    """Code of a deployed verifier: runtime ‖ key ‖ length of the key."""
    key = verifying_key_blob(vk)
    return _code("Groth16Verifier", "deployedBytecode") + key + len(key).to_bytes(32, "big")


@dataclass(frozen=True)
class Deployment:
    """A verifier and a rollup, as they are or will be deployed.

    Args:
        verifying_key: key of the circuit, with the public inputs C, ζ, y, payout.
        genesis_root: state root before the first batch.
        shard: shard id.
        operator: address that commits.
        shape: the circuit's room.
        max_age: age limit of a batch's L1 time, in seconds.
        development_chain_ids: chains on which development keys are allowed.
        salt: 32 bytes; another one gives other addresses.
    """

    verifying_key: VerifyingKey
    genesis_root: int
    shard: int
    operator: str
    shape: Shape
    max_age: int = 24 * 60 * 60
    development_chain_ids: tuple[int, ...] = DEVELOPMENT_CHAIN_IDS
    salt: bytes = bytes(32)

    @cached_property
    def verifier(self) -> str:
        """Address of the verifier."""
        return create2_address(self.salt, verifier_init_code(self.verifying_key))

    @cached_property
    def rollup(self) -> str:
        """Address of the rollup: what sessions sign and header word 2 holds."""
        return create2_address(self.salt, self.rollup_init_code())

    def rollup_init_code(self) -> bytes:
        """Creation code of the rollup with its arguments."""
        room = (self.shape.queue, self.shape.registrations, self.shape.transfers, self.shape.sessions)
        kinds = [
            "address",
            "uint256",
            "uint256",
            "address",
            "uint256",
            "(uint256,uint256,uint256,uint256)",
            "uint256[]",
        ]
        values = [self.verifier, self.genesis_root, self.shard, self.operator, self.max_age, room]
        return _code("AitbcRollup", "bytecode") + encode(kinds, [*values, list(self.development_chain_ids)])


def deploy(client: L1Client, signer: Signer, deployment: Deployment) -> list[Receipt]:
    """Create what is not there yet; compare what is. Returns the receipts of what was sent, possibly none.

    Raises:
        BadInputError: the key is refused.
        L1Error: the chain has no deployment proxy, refuses (a development key off the listed chains), or has other
            code at an address.
    """
    check_key(deployment.verifying_key, n_public=PUBLIC_INPUTS)
    receipts = deploy_verifier(client, signer, deployment.verifying_key, deployment.salt)
    receipts += _create(client, signer, deployment.rollup, deployment.salt, deployment.rollup_init_code())
    _check_rollup(client, deployment)
    return receipts


def deploy_verifier(client: L1Client, signer: Signer, vk: VerifyingKey, salt: bytes = bytes(32)) -> list[Receipt]:
    """Create the verifier of a key where it is not there yet; compare what is. Returns the receipt, if one was sent.

    Raises:
        UsageError: a development key, and the chain is none of ``DEVELOPMENT_CHAIN_IDS``.
        L1Error: the chain has no deployment proxy, refuses, or has other code at the address.
    """
    if vk.development and client.chain_id not in DEVELOPMENT_CHAIN_IDS:
        raise UsageError(
            "a development key is deployed on development chains only: whoever made it could forge proofs",
            place=f"chain {client.chain_id}",
            expected=f"chain id {' or '.join(map(str, DEVELOPMENT_CHAIN_IDS))}",
            got=str(client.chain_id),
            hint="make the key in a ceremony",
        )
    if client.code(DEPLOYMENT_PROXY) != DEPLOYMENT_PROXY_CODE:
        raise L1Error(
            "the chain has no deterministic deployment proxy",
            place=f"chain {client.chain_id}",
            expected=f"code at {DEPLOYMENT_PROXY}",
            got="none, or other code",
            hint="https://github.com/Arachnid/deterministic-deployment-proxy has the one transaction that creates it",
        )
    init_code = verifier_init_code(vk)
    address = create2_address(salt, init_code)
    receipts = _create(client, signer, address, salt, init_code)
    _check_code(client, "verifier", address, verifier_code(vk), [])
    return receipts


def _create(client: L1Client, signer: Signer, address: str, salt: bytes, init_code: bytes) -> list[Receipt]:
    """Create what belongs at an address, unless something is there."""
    if client.code(address):
        return []
    client.run_creation(init_code, sender=signer.address)
    return [client.send(signer, DEPLOYMENT_PROXY, salt + init_code)]


def check_deployed(client: L1Client, deployment: Deployment) -> None:
    """Compare the code at both addresses with the artifacts.

    The rollup's immutables are left out of the comparison: they follow from the creation code, which the address
    commits to.

    Raises:
        L1Error: there is none, or it differs.
    """
    _check_code(client, "verifier", deployment.verifier, verifier_code(deployment.verifying_key), [])
    _check_rollup(client, deployment)


def _check_rollup(client: L1Client, deployment: Deployment) -> None:
    name = "AitbcRollup"
    immutables = artifact(name)["immutables"]
    _check_code(client, "rollup", deployment.rollup, _code(name, "deployedBytecode"), immutables)


def create_and_call(init_code: bytes, calldata: bytes) -> bytes:
    """Creation code that creates a contract and calls it, for a node to run without sending it.

    So a contract answers on any chain before it is deployed there. What fails reverts with the contract's own bytes;
    otherwise what is returned is the word 1.
    """

    def push(value: int) -> bytes:
        return b"\x63" + value.to_bytes(4, "big")  # PUSH4: every push as long, so that places can be counted

    def assemble(fail: int, call: int, succeed: int, end: int) -> tuple[bytes, ...]:
        start = (
            push(len(init_code)) + push(end) + push(0) + b"\x39"  # CODECOPY: memory = creation code
            + push(len(init_code)) + push(0) + push(0) + b"\xf0"  # CREATE: address, or 0
            + b"\x80" + push(call) + b"\x57"  # DUP1, JUMPI
        )  # fmt: skip
        failed = b"\x5b\x3d" + push(0) + push(0) + b"\x3e\x3d" + push(0) + b"\xfd"  # revert with what was returned
        called = (
            b"\x5b" + push(len(calldata)) + push(end + len(init_code)) + push(0) + b"\x39"  # memory = calldata
            + push(0) + push(0) + push(len(calldata)) + push(0) + b"\x84\x5a\xfa"  # DUP5, GAS, STATICCALL
            + push(succeed) + b"\x57" + push(fail) + b"\x56"  # JUMPI, JUMP
        )  # fmt: skip
        succeeded = b"\x5b" + push(1) + push(0) + b"\x52" + push(32) + push(0) + b"\xf3"  # MSTORE, RETURN
        return start, failed, called, succeeded

    places = list(accumulate(map(len, assemble(0, 0, 0, 0))))
    return b"".join(assemble(*places)) + init_code + calldata


def _check_code(client: L1Client, name: str, address: str, expected: bytes, immutables: list[list[int]]) -> None:
    got = bytearray(client.code(address))
    if not got:
        raise L1Error(
            f"the {name} is not deployed", place=f"chain {client.chain_id}", expected=f"code at {address}", got="none"
        )
    for start, length in immutables:
        got[start : start + length] = bytes(length)
    if bytes(got) != expected:
        raise L1Error(
            f"the {name}'s code is not that of this release",
            place=f"{address} on chain {client.chain_id}",
            expected=f"{len(expected)} bytes, hash 0x{keccak(expected).hex()[:16]}…",
            got=f"{len(got)} bytes, hash 0x{keccak(bytes(got)).hex()[:16]}…",
            hint="use the release of this program that deployed it",
        )


def _code(name: str, part: str) -> bytes:
    return bytes.fromhex(artifact(name)[part][2:])
