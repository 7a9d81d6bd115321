"""Compiles the contracts with forge, writes ``contracts/artifacts/*.json`` and ``contracts/library.json``; ``--check``
compares instead.

``Poseidon*.json`` come from no compiler but from ``contracts/poseidon``.

An artifact holds what a client needs and what a reader needs to compile it again: ABI, what each custom error means,
creation code, runtime code, where the runtime code has immutables, the compiler and its settings. The bytecode
carries no metadata hash, so it depends on the code and the settings alone. The library is what our sources import of
OpenZeppelin's, so that whoever has the package can give an explorer all sources.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from aitbc_rollup.contracts.poseidon import bytecode
from aitbc_rollup.contracts.standard_json import closure

CONTRACTS = Path(__file__).resolve().parents[1]
ARTIFACTS = CONTRACTS / "artifacts"
FOUNDRY = CONTRACTS.parent / "tests" / "node" / "foundry.mjs"
PACKAGES = CONTRACTS.parent / "tests" / "node" / "node_modules"
#: Contract and its source below contracts/src.
SOURCES = {
    "AccountProofs": "AccountProofs.sol",
    "AitbcRollup": "AitbcRollup.sol",
    "AttesterCommittee": "AttesterCommittee.sol",
    "BatchReader": "BatchReader.sol",
    "ERC7992RunVerifier": "integrations/ERC7992RunVerifier.sol",
    "ERC8004RunValidator": "integrations/ERC8004RunValidator.sol",
    "Groth16Verifier": "Groth16Verifier.sol",
    "Groth16VerifierInit": "Groth16Verifier.sol",
    "Receipts": "integrations/Receipts.sol",
    "VerifierRouter": "VerifierRouter.sol",
}
#: Of OpenZeppelin's contracts those that are deployed as they are (``src/Deployed.sol``).
LIBRARY = {
    "AccessManager": "access/manager/AccessManager.sol",
    "ERC1967Proxy": "proxy/ERC1967/ERC1967Proxy.sol",
}
#: Inputs of the Poseidons that somebody deploys: docs/protocol.md hashes that many.
HASHERS = (2, 3, 4, 5, 8, 16)
SETTINGS = ("evmVersion", "metadata", "optimizer", "viaIR")


def compile_all(folder: Path) -> None:
    """Run forge with its output below a folder."""
    command = ["node", str(FOUNDRY), "forge", "build", "--force", "--skip", "test"]
    command += ["--out", str(folder / "out"), "--cache-path", str(folder / "cache")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=CONTRACTS)


def artifact(folder: Path, name: str) -> str:
    """The text of one artifact file."""
    own = name in SOURCES
    file = Path((SOURCES if own else LIBRARY)[name]).name
    output: dict[str, Any] = json.loads((folder / "out" / file / f"{name}.json").read_text())
    compiler = output["metadata"]["compiler"]["version"]
    settings = output["metadata"]["settings"]
    errors = json.loads(output["rawMetadata"])["output"]["userdoc"].get("errors", {})
    immutables = output["deployedBytecode"].get("immutableReferences", {})
    content = {
        "generator": "contracts/tools/build_artifacts.py",
        "contract": name,
        "source": f"contracts/src/{SOURCES[name]}" if own else f"@openzeppelin/contracts/{LIBRARY[name]}",
        "compiler": {"version": compiler, "settings": {key: settings[key] for key in SETTINGS if key in settings}},
        "abi": output["abi"],
        "errors": {signature: notices[0]["notice"] for signature, notices in errors.items()},
        "bytecode": output["bytecode"]["object"],
        "deployedBytecode": output["deployedBytecode"]["object"],
        "immutables": sorted([place["start"], place["length"]] for places in immutables.values() for place in places),
    }
    return json.dumps(content, indent=1) + "\n"


def hasher(inputs: int) -> str:
    """The text of the artifact file of a Poseidon."""
    found = bytecode(inputs)
    content = {
        "generator": "contracts/tools/build_artifacts.py",
        "contract": f"Poseidon{inputs}",
        "source": "contracts/poseidon",
        "abi": [],
        "errors": {},
        "bytecode": "0x" + found.creation.hex(),
        "deployedBytecode": "0x" + found.runtime.hex(),
        "immutables": [[place, 32] for place in found.immutables],
    }
    return json.dumps(content, indent=1) + "\n"


def library() -> str:
    """The text of the library file."""

    def read(path: str) -> str:
        return (CONTRACTS / path if path.startswith("src/") else PACKAGES / path).read_text()

    sources: dict[str, str] = {}
    for path in (CONTRACTS / "src").rglob("*.sol"):
        sources |= closure(path.relative_to(CONTRACTS).as_posix(), read)
    imported = {path: text for path, text in sorted(sources.items()) if not path.startswith("src/")}
    version = json.loads((PACKAGES / "@openzeppelin" / "contracts" / "package.json").read_text())["version"]
    content = {"generator": "contracts/tools/build_artifacts.py", "openzeppelin": version, "sources": imported}
    return json.dumps(content, indent=1) + "\n"


def main(arguments: list[str], artifacts: Path = ARTIFACTS) -> int:
    """Write the artifacts, or with ``--check`` name those that are not what the sources compile to."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {Path(__file__).name} [--check]", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        compile_all(Path(folder))
        texts = {artifacts / f"{name}.json": artifact(Path(folder), name) for name in SOURCES | LIBRARY}
    texts |= {artifacts / f"Poseidon{inputs}.json": hasher(inputs) for inputs in HASHERS}
    texts[artifacts.parent / "library.json"] = library()
    if not arguments:
        artifacts.mkdir(exist_ok=True)
        for path, text in texts.items():
            path.write_text(text)
        return 0
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    stale += sorted(set(artifacts.glob("*.json")) - set(texts))
    for path in stale:
        name = path.relative_to(artifacts.parent)
        print(f"contracts/{name} is not what the sources compile to: run {Path(__file__).name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
