"""Writes contracts/poseidon/gas.json, what hashes and account proofs cost on L1; run it as a program."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "contracts" / "poseidon" / "gas.json"
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import make_account_vector  # noqa: E402
from eth_abi.abi import encode  # noqa: E402
from eth_utils.crypto import keccak  # noqa: E402
from machine import Machine, words  # noqa: E402

from aitbc_rollup.rollup.account_proof import AccountProof  # noqa: E402
from aitbc_rollup.rollup.l1.account_proofs import account_proofs, hasher  # noqa: E402
from aitbc_rollup.rollup.l1.artifacts import artifact  # noqa: E402

HASHERS = (2, 3, 4, 5, 8, 16)
IS_ACCOUNT = keccak(b"isAccount(uint256,uint32,uint256[8],uint256[48])")[:4]


def calldata(proof: AccountProof) -> bytes:
    kinds = ["uint256", "uint256", "uint256[8]", "uint256[48]"]
    return IS_ACCOUNT + encode(kinds, [proof.root, proof.index, proof.leaf, proof.siblings])


def deployed_proofs(machine: Machine) -> bytes:
    """``AccountProofs`` with its hashers, not at the addresses of the deployment proxy."""
    node, leaf, _ = account_proofs()
    hashers = [machine.create(creation.init_code) for creation in (node, leaf)]
    return machine.create(bytes.fromhex(artifact("AccountProofs")["bytecode"][2:]) + encode(["address"] * 2, hashers))


def render() -> str:
    """The file's text."""
    machine = Machine()
    hashers = {}
    for inputs in HASHERS:
        creation = hasher(inputs)
        address = machine.create(creation.init_code)
        _, gas = machine.call(address, words(*range(inputs + 1)))
        sizes = {"bytes": len(creation.code), "creation_bytes": len(creation.init_code)}
        hashers[creation.contract] = {"gas": gas, **sizes}
    _, gas = machine.call(deployed_proofs(machine), calldata(make_account_vector.proof()))
    content = {
        "generator": "tests/contracts/make_hash_gas.py",
        "gas": "of the code alone, by py-evm with Prague's rules: without that of the call, of calldata, and 21,000",
        "hashers": hashers,
        "account_proof": gas,
    }
    return json.dumps(content, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render())
