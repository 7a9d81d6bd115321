"""Fixtures that every test folder shares: the pinned node tools and a real anvil."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from repository import REPOSITORY

from aitbc_rollup.circuits.circom.compiler import Compilation, compile_circuit, find_compiler

NODE_MODULES = REPOSITORY / "tests" / "node" / "node_modules"
CIRCOM = REPOSITORY / "tests" / "circuits" / "circom"
ANVIL_CHAIN_ID = 31337


def pytest_configure() -> None:
    """A run in the background (``nohup make test &``) is started with Ctrl-C ignored, which some tests are about."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked ``node`` fails where the npm packages are missing: a silent skip would look like a pass."""
    if item.get_closest_marker("node") is None:
        return
    if os.environ.get("AITBC_NO_NODE"):
        pytest.skip("AITBC_NO_NODE is set")
    if not (NODE_MODULES / ".bin").is_dir():
        pytest.fail("tests/node/node_modules is missing: run make test", pytrace=False)


@pytest.fixture(scope="session")
def node_bin() -> Callable[[str], str]:
    """Path of a program of tests/node by name: ``node_bin("snarkjs")``. For tests marked ``node``."""

    def find(name: str) -> str:
        # Foundry's npm launchers exit with 0 whatever the program did: take the program itself.
        native = sorted(NODE_MODULES.glob(f"@foundry-rs/{name}-*/bin/{name}"))
        path = native[0] if native else NODE_MODULES / ".bin" / name
        if not path.exists():
            pytest.fail(f"{name} is missing from tests/node/node_modules: run make test", pytrace=False)
        return str(path)

    return find


@pytest.fixture(scope="session")
def circom(node_bin: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Compilation]:
    """A circuit of tests/circuits/circom by name, compiled once by npm's circom2; for tests marked ``node``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AITBC_CIRCOM", node_bin("circom2"))
        compiler = find_compiler()
    out = tmp_path_factory.mktemp("circom")

    @cache
    def compiled(name: str) -> Compilation:
        return compile_circuit(CIRCOM / f"{name}.circom", out, libraries=[NODE_MODULES], compiler=compiler)

    return compiled


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def anvil(node_bin: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of one anvil a test session, chain id 31337, hard fork Prague. For tests marked ``node``."""
    port = _free_port()
    log_path = tmp_path_factory.mktemp("anvil") / "log"
    command = [node_bin("anvil"), "--port", str(port), "--chain-id", str(ANVIL_CHAIN_ID), "--hardfork", "prague"]
    with log_path.open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + 30
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"anvil did not start: {log_path.read_text()[-2000:]}", pytrace=False)
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=10)
