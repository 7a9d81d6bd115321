"""The chains that tests of contracts run on: one inside the process, anvil's, and Hardhat's.

Each has chain id 31337, Prague's rules, money on the development account and the deterministic deployment proxy.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from eth_account import Account as EthAccount
from repository import REPOSITORY

from aitbc_rollup.rollup.l1.artifacts import DEPLOYMENT_PROXY
from aitbc_rollup.rollup.l1.blob_transaction import Wrapper
from aitbc_rollup.rollup.l1.client import L1Client
from aitbc_rollup.rollup.l1.signer import development_signer

HARDHAT = REPOSITORY / "tests" / "node" / "hardhat"
CHAIN_ID = 31337
#: In which wrappers each takes a transaction's blobs.
BLOB_WRAPPERS = {"embedded": tuple(Wrapper), "anvil": tuple(Wrapper), "hardhat": (Wrapper.BLOB_PROOFS,)}

#: https://github.com/Arachnid/deterministic-deployment-proxy: signed by nobody's key (r and s are made up), for every
#: chain, with 100 gwei for each of 100,000 gas.
PROXY_TRANSACTION = bytes.fromhex(
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba0222222222222"
    "2222222222222222222222222222222222222222222222222222a0222222222222222222222222222222222222222222222222222222"
    "2222222222"
)
PROXY_COST = 100_000 * 100 * 10**9


def hardhat_command(*arguments: str) -> list[str]:
    """Hardhat under the node of its own packages: it needs a later one than the rest of the tests.

    Raises:
        RuntimeError: it is not installed.
    """
    node = next(HARDHAT.glob("node_modules/node-*/bin/node*"), None)
    if node is None:
        raise RuntimeError("tests/node/hardhat/node_modules is missing: run make test")
    return [str(node), str(HARDHAT / "node_modules" / "hardhat" / "dist" / "src" / "cli.js"), *arguments]


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(command: Sequence[str], port: int, log_path: Path, folder: Path | None = None) -> Iterator[str]:
    """URL of a node while it runs, from when it answers.

    Raises:
        RuntimeError: it ends, or does not answer within half a minute.
    """
    with log_path.open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        try:
            deadline = time.monotonic() + 30
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start: {log_path.read_text()[-2000:]}")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=10)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def create_deployment_proxy(client: L1Client) -> None:
    """The proxy by its one transaction, as on any chain that has none: its sender is paid for, nothing else."""
    if not client.code(DEPLOYMENT_PROXY):
        client.send(development_signer(), EthAccount.recover_transaction(PROXY_TRANSACTION), b"", value=PROXY_COST)
        client.web3.eth.wait_for_transaction_receipt(client.web3.eth.send_raw_transaction(PROXY_TRANSACTION))
