"""The provers compared: how each is started on a circuit's files, as a whole process and with its key loaded."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from processes import Command

HERE = Path(__file__).resolve().parent
SNARKJS = HERE.parent / "tests" / "node" / "node_modules" / ".bin" / "snarkjs"
GNARK = HERE / "peers" / "gnark"
OURS = "aitbc-rollup"


@dataclass(frozen=True)
class Files:
    """One circuit's files in the work folder, and where a proof of it goes."""

    folder: Path
    workload: str
    power: int

    def path(self, suffix: str) -> Path:
        """The file with this suffix."""
        return self.folder / f"{self.workload}-{self.power}.{suffix}"

    @property
    def arguments(self) -> list[Path]:
        """What snarkjs's ``groth16 prove`` takes, and the others after it."""
        return [self.path(suffix) for suffix in ("zkey", "wtns", "proof.json", "public.json")]


@dataclass(frozen=True)
class Prover:
    """One prover; a command that is empty is a way it cannot be measured.

    ``process`` takes the arguments of :attr:`Files.arguments`; ``hot`` key and witness, then ``hot_after``, or with
    ``own_key`` gnark's options. ``once``: one run is enough. ``powers``: only these sizes are measured.
    """

    name: str
    version: str
    process: Command = ()
    hot: Command = ()
    hot_after: Command = ()
    env: Mapping[str, str] = field(default_factory=dict)
    powers: frozenset[int] | None = None
    once: bool = False
    own_key: bool = False

    def measured_at(self, files: Files) -> bool:
        """Whether this circuit is for it."""
        return self.powers is None or files.power in self.powers

    def process_command(self, files: Files) -> Command:
        """A whole process: reads key and witness, proves, writes proof and public inputs."""
        return [*self.process, *files.arguments]

    def hot_command(self, files: Files) -> Command:
        """A process for ``processes.Worker``."""
        if self.own_key:
            return [
                *self.hot,
                *(f"-{flag}={files.path(flag)}" for flag in ("r1cs", "wtns")),
                f"-key={files.path(self.name)}",
            ]
        return [*self.hot, files.path("zkey"), files.path("wtns"), *self.hot_after]


def ours(version: str, paths: list[str], cache: Path, powers: frozenset[int]) -> list[Prover]:
    """This package by its fastest path, measured everywhere, then by others up to some size; all with one cache."""
    found = []
    for path in paths:
        default = path == paths[0]
        found.append(
            Prover(
                name=OURS if default else f"{OURS} {path}",
                version=f"{version}, {path}",
                process=[sys.executable, "-m", "aitbc_rollup.cli.main", "groth16", "prove"],
                hot=[sys.executable, HERE / "hot.py", "ours"],
                env={"AITBC_CACHE": str(cache), "AITBC_CPU": path},
                powers=None if default else powers,
            )
        )
    return found


def rapidsnark(prover: Path, library: Path | None, version: str | None) -> Prover:
    """rapidsnark's ``prover``; hot through its shared library if there is one, by default beside the program."""
    library = library or prover.with_name("librapidsnark.so")
    return Prover(
        name="rapidsnark",
        version=version or f"sha256 {hashlib.sha256(prover.read_bytes()).hexdigest()[:16]}",
        process=[prover.resolve()],
        hot=[sys.executable, HERE / "hot.py", "rapidsnark"] if library.exists() else [],
        hot_after=[library],
    )


def snarkjs(program: Path, powers: frozenset[int]) -> Prover | None:
    """npm's snarkjs, one run at a few sizes; ``None`` with a word to the user if it or node is missing."""
    if not program.exists() or not shutil.which("node"):
        return missing("snarkjs", "npm ci --prefix tests/node")
    package = json.loads((program.resolve().parent.parent / "package.json").read_text())
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    version = f"{package['version']}, node {node}"
    return Prover("snarkjs", version, ["node", program.resolve(), "groth16", "prove"], powers=powers, once=True)


def gnark(folder: Path) -> Prover | None:
    """gnark, built here from its published module; ``None`` with a word to the user if that is not possible."""
    go = shutil.which("go")
    if go is None:
        return missing("gnark", "install go")
    program = folder / "gnark-peer"
    built = subprocess.run([go, "build", "-o", program.resolve(), "."], cwd=GNARK, capture_output=True, text=True)
    if built.returncode:
        return missing("gnark", f"see to it that `go build` works in benchmarks/peers/gnark: {built.stderr[-500:]}")
    listed = [go, "list", "-m", "-f", "{{.Version}}", "github.com/consensys/gnark"]
    version = subprocess.run(listed, cwd=GNARK, capture_output=True, text=True, check=True).stdout.strip()
    return Prover("gnark", version, hot=[program.resolve()], own_key=True)


def missing(name: str, remedy: str) -> None:
    """Say that a peer is left out, and what would bring it in."""
    print(f"{name} is left out. Next: {remedy}", file=sys.stderr)
