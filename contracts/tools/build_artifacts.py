"""Compiles the contracts with forge and writes ``contracts/artifacts/*.json``; ``--check`` compares instead.

An artifact holds what a client needs and what a reader needs to compile it again: ABI, what each custom error means,
creation code, runtime code, where the runtime code has immutables, the compiler and its settings. The bytecode
carries no metadata hash, so it depends on the code and the settings alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).resolve().parents[1]
ARTIFACTS = CONTRACTS / "artifacts"
FOUNDRY = CONTRACTS.parent / "tests" / "node" / "foundry.mjs"
#: Contract and source below contracts/, or below node_modules for those of OpenZeppelin that are deployed as they are.
SOURCES = {
    "AccountProofs": "AccountProofs.sol",
    "AitbcRollup": "AitbcRollup.sol",
    "AttesterCommittee": "AttesterCommittee.sol",
    "BatchReader": "BatchReader.sol",
    "Groth16Verifier": "Groth16Verifier.sol",
    "Groth16VerifierInit": "Groth16Verifier.sol",
    "VerifierRouter": "VerifierRouter.sol",
}
#: Of OpenZeppelin's, deployed as they are.
LIBRARY = {
    "AccessManager": "access/manager/AccessManager.sol",
    "ERC1967Proxy": "proxy/ERC1967/ERC1967Proxy.sol",
}
SETTINGS = ("evmVersion", "metadata", "optimizer", "viaIR")


def compile_all(folder: Path) -> None:
    """Run forge with its output below a folder."""
    command = ["node", str(FOUNDRY), "forge", "build", "--force", "--skip", "test"]
    command += ["--out", str(folder / "out"), "--cache-path", str(folder / "cache")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=CONTRACTS)


def artifact(folder: Path, name: str) -> str:
    """The text of one artifact file."""
    output: dict[str, Any] = json.loads((folder / "out" / SOURCES[name] / f"{name}.json").read_text())
    compiler = output["metadata"]["compiler"]["version"]
    settings = output["metadata"]["settings"]
    errors = json.loads(output["rawMetadata"])["output"]["userdoc"].get("errors", {})
    immutables = output["deployedBytecode"].get("immutableReferences", {})
    content = {
        "generator": "contracts/tools/build_artifacts.py",
        "contract": name,
        "source": f"contracts/src/{SOURCES[name]}",
        "compiler": {"version": compiler, "settings": {key: settings[key] for key in SETTINGS if key in settings}},
        "abi": output["abi"],
        "errors": {signature: notices[0]["notice"] for signature, notices in errors.items()},
        "bytecode": output["bytecode"]["object"],
        "deployedBytecode": output["deployedBytecode"]["object"],
        "immutables": sorted([place["start"], place["length"]] for places in immutables.values() for place in places),
    }
    return json.dumps(content, indent=1) + "\n"


def main(arguments: list[str], artifacts: Path = ARTIFACTS) -> int:
    """Write the artifacts, or with ``--check`` name those that are not what the sources compile to."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {Path(__file__).name} [--check]", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        compile_all(Path(folder))
        texts = {artifacts / f"{name}.json": artifact(Path(folder), name) for name in SOURCES}
    if not arguments:
        artifacts.mkdir(exist_ok=True)
        for path, text in texts.items():
            path.write_text(text)
        return 0
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    stale += sorted(set(artifacts.glob("*.json")) - set(texts))
    for path in stale:
        print(f"contracts/artifacts/{path.name} is not what the sources compile to: run {Path(__file__).name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
