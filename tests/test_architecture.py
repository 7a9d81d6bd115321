"""The one direction of imports, and where each third party may appear (docs/architecture.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "aitbc_rollup"

#: A room and the rooms it may import.
ROOMS: dict[str, set[str]] = {
    "algebra": set(),
    "verifier": {"algebra"},
    "circuits": {"algebra", "verifier"},
    "prover": {"algebra", "verifier", "circuits"},
    "gpu": {"algebra", "prover"},
    "rollup": {"algebra", "verifier", "circuits", "prover", "contracts"},
    "cli": {"algebra", "verifier", "circuits", "prover", "rollup", "contracts"},
    "contracts": {"algebra"},
}

#: A third party and the places that may import it.
CONFINED: dict[str, tuple[str, ...]] = {
    "numba": ("algebra/jit.py", "algebra/kernel_compiler.py"),
    "llvmlite": ("algebra/",),
    "cupy": ("gpu/cupy_device.py",),
    "py_ecc": ("verifier/",),
    "web3": ("rollup/l1/",),
    "eth_account": ("rollup/l1/",),
    "eth_tester": ("rollup/l1/",),
    "eth": ("rollup/l1/",),
    "lmdb": ("rollup/store.py",),
    "wasmtime": ("circuits/circom/",),
    "click": ("cli/",),
    "rich": ("cli/",),
}


def imported(source: str, place: str) -> set[str]:
    """Full names of the modules that a file at ``place`` imports; relative ones resolved against its package."""
    package = [PACKAGE, *place.split("/")[:-1]]
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def violations(place: str, names: Iterable[str]) -> list[str]:
    """The imports of one file that break a rule."""
    room = place.split("/", 1)[0]
    found = []
    for name in sorted(names):
        head, *rest = name.split(".")
        if head == PACKAGE and rest:
            target = rest[0]
            if target in ROOMS and target != room and target not in ROOMS[room]:
                found.append(f"{place} imports {name}: {room} may not import {target}")
            if room == "gpu" and target == "prover" and rest[1:2] not in ([], ["engine"], ["keys"], ["qap"]):
                found.append(f"{place} imports {name}: gpu may import only prover.engine, keys and qap")
        elif head in CONFINED and not place.startswith(CONFINED[head]):
            found.append(f"{place} imports {head}, which belongs in {' or '.join(CONFINED[head])}")
    return found


def places() -> list[str]:
    files = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return [path.relative_to(ROOT).as_posix() for path in files]


@pytest.mark.parametrize("place", places())
def test_imports_go_one_way(place: str) -> None:
    assert violations(place, imported((ROOT / place).read_text(), place)) == []


@pytest.mark.parametrize(
    ("place", "source", "expected"),
    [
        ("algebra/x.py", "from aitbc_rollup.prover.setup import setup", "algebra may not import prover"),
        ("circuits/gadgets/x.py", "from ...prover import setup", "circuits may not import prover"),
        ("gpu/x.py", "from aitbc_rollup.prover.cpu import msm", "gpu may import only prover.engine"),
        ("rollup/batch.py", "import web3", "web3, which belongs in rollup/l1/"),
        ("verifier/groth16.py", "from numba import njit", "numba, which belongs in algebra/jit.py or"),
        ("rollup/x.py", "import aitbc_rollup.cli.main", "rollup may not import cli"),
    ],
)
def test_a_banned_edge_is_seen(place: str, source: str, expected: str) -> None:
    found = violations(place, imported(source, place))
    assert found
    assert expected in found[0]


def test_every_room_is_linked_into_the_package() -> None:
    links = {path.name: path for path in (ROOT / "src" / PACKAGE).iterdir() if path.is_symlink()}
    assert set(links) == {room for room in ROOMS if (ROOT / room).is_dir()} | {"examples"}
    assert all(link.readlink() == Path("../..") / room for room, link in links.items())
