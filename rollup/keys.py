"""Proving keys of circuits, made once and kept: a folder with one .zkey a circuit structure.

A key made here comes from one party's set-up and carries the development mark: contract and command line refuse it
off local chains. A key from a ceremony is put into the same folder under the same name.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.prover.consistency import check_matrices
from aitbc_rollup.prover.engine import Engine
from aitbc_rollup.prover.formats import zkey
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup

from .files import make_folder
from .reporting import Reporter, Silent


@dataclass(frozen=True)
class CircuitKeys:
    """A compiled circuit and its proving key; ``made`` says whether the key was made just now."""

    circuit: CompiledCircuit
    proving_key: ProvingKey
    path: Path
    made: bool


def load_or_make(shape: Shape, folder: Path, engine: Engine, reporter: Reporter | None = None) -> CircuitKeys:
    """The circuit of a shape with its key from the folder, made and put there if absent.

    Raises:
        BadInputError: the file there is no key.
        InvalidError: it is another circuit's.
        ResourceError: the folder cannot be written.
    """
    reporter = reporter or Silent()
    reporter.progress("keys", "compiling the circuit", 0.0)
    circuit = compile_batch(shape)
    path = folder / f"batch-{shape}-{circuit.structure_hash[:16]}.zkey"
    key, made = key_at(path, circuit.r1cs, engine, reporter)
    return CircuitKeys(circuit, key, path, made)


def key_at(path: Path, r1cs: R1CS, engine: Engine, reporter: Reporter) -> tuple[ProvingKey, bool]:
    """The key of a constraint system in a file, and whether it was made just now, because there was none.

    Raises:
        BadInputError: the file is no key.
        InvalidError: it is another circuit's.
        ResourceError: the file cannot be written.
    """
    make_folder(path.parent)
    with _locked(path.parent):
        made = not path.exists()
        if made:
            key = setup(r1cs, engine=engine, progress=lambda detail, share: reporter.progress("keys", detail, share))
            zkey.write(path, key)
        else:
            reporter.progress("keys", "reading the proving key", 0.5)
            key = ProvingKey.load(path)
    if not made:
        check_matrices(key, r1cs, str(path))
    return key, made


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time makes keys: two would make two different ones."""
    with (folder / ".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
