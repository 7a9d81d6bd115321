"""Fixtures that every test folder shares: the pinned node tools and the chains."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from chains import CHAIN_ID, HARDHAT, create_deployment_proxy, free_port, hardhat_command, serving
from repository import REPOSITORY

from aitbc_rollup.circuits.circom.compiler import Compilation, compile_circuit, find_compiler
from aitbc_rollup.rollup.l1.client import L1Client, connect

NODE_MODULES = REPOSITORY / "tests" / "node" / "node_modules"
CIRCOM = REPOSITORY / "tests" / "circuits" / "circom"
NODE = pytest.mark.node


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


@pytest.fixture(scope="session")
def anvil(node_bin: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of one anvil a test session, chain id 31337, hard fork Prague. For tests marked ``node``."""
    port = free_port()
    command = [node_bin("anvil"), "--port", str(port), "--chain-id", str(CHAIN_ID), "--hardfork", "prague"]
    with serving(command, port, tmp_path_factory.mktemp("anvil") / "log") as url:
        yield url


@pytest.fixture(scope="session")
def hardhat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of one Hardhat a test session, the same chain. For tests marked ``node``."""
    port = free_port()
    command = hardhat_command("node", "--hostname", "127.0.0.1", "--port", str(port))
    with serving(command, port, tmp_path_factory.mktemp("hardhat") / "log", folder=HARDHAT) as url:
        create_deployment_proxy(connect(url))
        yield url


@pytest.fixture(scope="module", params=["embedded", *(pytest.param(name, marks=NODE) for name in ("anvil", "hardhat"))])
def chain_name(request: pytest.FixtureRequest) -> str:
    """Which chain the tests of a module run on: all of them, one after the other."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def client(chain_name: str, request: pytest.FixtureRequest) -> L1Client:
    """A client of each chain in turn: a new embedded one a module, and the session's anvil and Hardhat."""
    return connect() if chain_name == "embedded" else connect(request.getfixturevalue(chain_name))
