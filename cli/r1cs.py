"""``r1cs``: constraint systems in .r1cs files."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.formats.r1cs import read_r1cs
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.prover.qap import domain_power

from . import common


@click.group("r1cs")
def r1cs() -> None:
    """Constraint systems in .r1cs files."""


@r1cs.command("info")
@click.argument("path", metavar="CIRCUIT.R1CS", type=common.PATH)
@common.as_json
def info(path: Path, as_json: bool) -> None:
    """Sizes of a system, as snarkjs names them."""
    common.emit(sizes(read_r1cs(path)), as_json=as_json)


def sizes(system: R1CS) -> dict[str, int | str]:
    """Sizes of a system by snarkjs's names."""
    return {
        "curve": "bn-128",
        "wires": system.n_wires,
        "constraints": system.n_constraints,
        "private_inputs": system.n_private_inputs,
        "public_inputs": system.n_public_inputs,
        "outputs": system.n_public_outputs,
        "committed": 0 if system.commitment is None else len(system.commitment.wires),
    }


@r1cs.command("stats")
@click.argument("path", metavar="CIRCUIT.R1CS", type=common.PATH)
@common.as_json
def stats(path: Path, as_json: bool) -> None:
    """How full the matrices are, and how large a domain a proof needs."""
    system = read_r1cs(path)
    matrices = {"A": system.a, "B": system.b, "C": system.c}
    longest = {name: int(np.diff(matrix.indptr).max(initial=0)) for name, matrix in matrices.items()}
    linear = int(np.count_nonzero((np.diff(system.a.indptr) == 0) | (np.diff(system.b.indptr) == 0)))
    result = {
        "constraints": system.n_constraints,
        "linear_constraints": linear,
        "entries": {name: matrix.n_entries for name, matrix in matrices.items()},
        "longest_combination": longest,
        "distinct_coefficients": len(set(from_limbs(system.table))),
        "domain": 1 << domain_power(system.n_constraints, system.n_public),
        "structure_hash": system.structure_hash,
    }
    common.emit(result, as_json=as_json)
