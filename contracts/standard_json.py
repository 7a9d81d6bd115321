"""What a block explorer asks for to show a contract's source as verified: solc's standard-JSON input.

It holds the sources that a contract is compiled from, ours and OpenZeppelin's (``contracts/library.json``), and the
settings that the committed artifact names. Compiled by the artifact's compiler it gives the artifact's bytecode.
https://docs.soliditylang.org/en/latest/using-the-compiler.html
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from aitbc_rollup.errors import BadInputError

_IMPORT = re.compile(r'^import\b[^;"]*"([^"]+)"', re.MULTILINE)
_PACKAGE = files("aitbc_rollup.contracts")
_OUTPUT = ["abi", "metadata", "evm.bytecode.object", "evm.deployedBytecode.object"]


def names() -> list[str]:
    """Every contract that is compiled; the Poseidons are generated, and no source of theirs can be verified."""
    entries = (entry for entry in _PACKAGE.joinpath("artifacts").iterdir() if entry.name.endswith(".json"))
    return sorted(entry.name.removesuffix(".json") for entry in entries if "compiler" in json.loads(entry.read_text()))


def qualified_name(name: str) -> str:
    """A contract as explorers name it: ``src/AitbcRollup.sol:AitbcRollup``.

    Raises:
        BadInputError: there is no such contract.
    """
    return f"{_path(_artifact(name))}:{name}"


def compiler(name: str) -> str:
    """The compiler's version as explorers list it: ``v0.8.37+commit.…``.

    Raises:
        BadInputError: there is no such contract.
    """
    return f"v{_artifact(name)['compiler']['version']}"


def standard_json(name: str) -> dict[str, Any]:
    """The standard-JSON input of a contract, with ABI, metadata and bytecode as outputs.

    Raises:
        BadInputError: there is no such contract.
    """
    artifact = _artifact(name)
    sources = closure(_path(artifact), _packaged)
    settings = artifact["compiler"]["settings"]
    return {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sources.items()},
        "settings": settings | {"outputSelection": {"*": {"*": _OUTPUT}}},
    }


def closure(path: str, read: Callable[[str], str]) -> dict[str, str]:
    """A source and all that it imports, directly or not, by path and in its order.

    Paths are as solc resolves them: ``./`` and ``../`` against the importing source, others as they stand.

    Args:
        path: of the source.
        read: gives the text of a path.
    """
    found: dict[str, str] = {}
    waiting = [path]
    while waiting:
        source = waiting.pop()
        if source in found:
            continue
        found[source] = read(source)
        for name in _IMPORT.findall(found[source]):
            beside = posixpath.join(posixpath.dirname(source), name)
            waiting.append(posixpath.normpath(beside) if name.startswith(".") else name)
    return dict(sorted(found.items()))


def _artifact(name: str) -> dict[str, Any]:
    if name not in names():
        raise BadInputError("no such contract", expected=", ".join(names()), got=repr(name))
    found: dict[str, Any] = json.loads(_PACKAGE.joinpath("artifacts", f"{name}.json").read_text())
    return found


def _path(artifact: dict[str, Any]) -> str:
    source: str = artifact["source"]
    return source.removeprefix("contracts/")


def _packaged(path: str) -> str:
    if path.startswith("src/"):
        return _PACKAGE.joinpath(path).read_text()
    library: dict[str, str] = json.loads(_PACKAGE.joinpath("library.json").read_text())["sources"]
    return library[path]
