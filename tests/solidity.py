"""Solidity sources compiled by npm's solc and created on a chain. For tests marked ``node``."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from repository import REPOSITORY

from aitbc_rollup.rollup.l1.artifacts import DEPLOYMENT_PROXY, create2_address
from aitbc_rollup.rollup.l1.client import L1Client
from aitbc_rollup.rollup.l1.signer import development_signer

SOLC = REPOSITORY / "contracts" / "tools" / "solc.js"


def solc(request: dict[str, Any]) -> dict[str, Any]:
    """What the compiler answers to a standard-JSON input."""
    run = subprocess.run(
        ["node", SOLC, "--standard-json"], input=json.dumps(request), capture_output=True, text=True, check=True
    )
    output: dict[str, Any] = json.loads(run.stdout)
    return output


def compiled(source: str, name: str) -> dict[str, Any]:
    """``abi`` and ``evm.bytecode.object`` of a contract that compiles without a warning."""
    settings = {
        "evmVersion": "cancun",
        "optimizer": {"enabled": True, "runs": 1_000_000},
        "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
    }
    output = solc({"language": "Solidity", "sources": {"v.sol": {"content": source}}, "settings": settings})
    assert output.get("errors", []) == []
    contract: dict[str, Any] = output["contracts"]["v.sol"][name]
    return contract


def created(client: L1Client, init_code: bytes, value: int = 0) -> str:
    """Address of what creation code makes, by the deployment proxy, which passes on the wei."""
    client.send(development_signer(), DEPLOYMENT_PROXY, bytes(32) + init_code, value=value)
    return create2_address(bytes(32), init_code)


def create(client: L1Client, contract: dict[str, Any]) -> Any:
    """A compiled contract without arguments, on a chain."""
    return client.contract(created(client, bytes.fromhex(contract["evm"]["bytecode"]["object"])), contract["abi"])
