"""``Receipts`` on a chain, of a stand-in for a rollup: final roots, shard and account proofs are what a test says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chains import DEPLOYMENT_PROXY
from eth_abi.abi import encode
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from repository import REPOSITORY

from aitbc_rollup.rollup.l1.client import L1Client
from aitbc_rollup.rollup.l1.signer import development_signer
from aitbc_rollup.rollup.transactions import Domain

SHARD = 3
#: Two words are a key and the value put there. Anything else is a call: its selector and its argument, if it has one,
#: added up are the key of the word that is returned.
STAND_IN = bytes.fromhex("366040146017575f3560e01c60043501545f5260205ff35b6020355f355500")


def artifact(name: str) -> Any:
    return json.loads((REPOSITORY / "contracts" / "artifacts" / f"{name}.json").read_text())


def deploy(client: L1Client, code: bytes, salt: bytes = bytes(32)) -> str:
    """The address of what creation code makes, made if it is not there."""
    digest = keccak(b"\xff" + bytes.fromhex(DEPLOYMENT_PROXY[2:]) + salt + keccak(code))
    address = to_checksum_address(digest[12:])
    if not client.code(address):
        client.send(development_signer(), DEPLOYMENT_PROXY, salt + code)
    return address


def create(client: L1Client, name: str, *arguments: tuple[str, Any]) -> str:
    """A contract by its artifact, its arguments with their types."""
    kinds, values = [kind for kind, _ in arguments], [value for _, value in arguments]
    return deploy(client, bytes.fromhex(artifact(name)["bytecode"][2:]) + encode(kinds, values))


@dataclass(frozen=True)
class ReceiptChain:
    client: L1Client
    rollup: str
    hashers: dict[int, str]
    receipts: str

    @property
    def domain(self) -> Domain:
        return Domain(self.client.chain_id, int(self.rollup, 16), SHARD)

    def ask(self, calldata: bytes) -> bytes:
        """What ``Receipts`` answers."""
        return self.client.run(self.receipts, calldata, place="receipts")

    def gas(self, calldata: bytes) -> int:
        """Gas of a whole transaction that asks it."""
        return self.client.send(development_signer(), self.receipts, calldata, gas=10**7, simulate=False).gas_used


def stand_in(client: L1Client, salt: bytes = bytes(32)) -> str:
    """Something in a rollup's place; the salt gives it an address of its own."""
    return deploy(client, bytes.fromhex(f"60{len(STAND_IN):02x}80600a5f395ff3fe") + STAND_IN, salt)


def finalize(client: L1Client, rollup: str, number: int, root: int) -> None:
    """Its batch is final, with this root."""
    put(client, rollup, "finalRoot(uint256)", root, number)
    put(client, rollup, "finalizedBatches()", number)


def put(client: L1Client, rollup: str, signature: str, value: int, argument: int = 0) -> None:
    key = int.from_bytes(function_signature_to_4byte_selector(signature), "big") + argument
    client.send(development_signer(), rollup, encode(["uint256"] * 2, [key, value]))


def make_receipt_chain(client: L1Client) -> ReceiptChain:
    rollup = stand_in(client)
    hashers = {inputs: create(client, f"Poseidon{inputs}") for inputs in (2, 3, 4, 5, 8, 16)}
    proofs = create(client, "AccountProofs", ("address", hashers[4]), ("address", hashers[8]))
    put(client, rollup, "shard()", SHARD)
    put(client, rollup, "accountProofs()", int(proofs, 16))
    used = [hashers[inputs] for inputs in (2, 3, 4, 5, 16)]
    struct = "(address,address,address,address,address)"
    receipts = create(client, "Receipts", ("address", rollup), (struct, used))
    return ReceiptChain(client, rollup, hashers, receipts)
