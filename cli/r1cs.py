"""``r1cs``: constraint systems in .r1cs files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.formats.r1cs import read_r1cs
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import UsageError
from aitbc_rollup.prover.qap import domain_power
from aitbc_rollup.rollup.room import of_kind

from . import common

#: The batch's circuit, by the name that a file would have.
AGENT_RUNS = "agent_runs"


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
@click.argument("circuit", metavar="CIRCUIT", type=common.PATH)
@click.option("--records", type=common.COUNT, help="agent_runs: most records of a batch.")
@click.option("--session", type=common.COUNT, default=16, show_default=True, help="agent_runs: most in a session.")
@click.option("--agents", type=common.COUNT, help="agent_runs: distinct agents.  [default: as sessions, at most 256]")
@click.option("--providers", type=common.COUNT, default=16, show_default=True, help="agent_runs: distinct providers.")
@click.option("--countersigned", type=common.SIZE, default=0, show_default=True, help="agent_runs: such sessions.")
@click.option("--index-bits", type=common.COUNT, default=24, show_default=True, help="agent_runs: bits of an index.")
@common.options(common.data, common.as_json)
def stats(circuit: Path, records: int | None, data: Kind | None, as_json: bool, **room: Any) -> None:
    """Figures of CIRCUIT, a .r1cs file, or agent_runs: the batch's circuit, for --records.

    Of a file: how full the matrices are, and how large a domain a proof needs. Of agent_runs: the constraints of a
    circuit that has room for the worst case, for each record, and by component.
    """
    if str(circuit) == AGENT_RUNS:
        found = batch_stats(records, room, data)
    elif records is None:
        found = matrix_stats(read_r1cs(circuit))
    else:
        raise UsageError("--records is for agent_runs", expected=AGENT_RUNS, got=str(circuit), hint="leave it out")
    common.emit(found, as_json=as_json)


def batch_stats(records: int | None, room: dict[str, Any], data: Kind | None = None) -> dict[str, Any]:
    """Constraints of the batch's circuit.

    Raises:
        UsageError: no number of records, or a shape that does not hold.
        BadInputError: the data do not fit where they are to go.
    """
    if records is None:
        raise UsageError("which size?", expected="--records", got="none", hint="for instance --records 4096")
    try:
        shape = of_kind(Shape.for_records(records, **room), data)
    except ValueError as error:
        raise UsageError("no such circuit", expected="room that fits together", got=str(error)) from None
    found = compile_batch(shape).stats()
    parts = {
        path.removeprefix("main."): count
        for path, count in found.components.items()
        if path.startswith("main.") and path.count(".") == 1
    }
    return {
        "constraints": found.n_constraints,
        "records": shape.records,
        "per_record": round(found.n_constraints / shape.records, 2),
        "shape": str(shape),
        "by_component": parts | {"other": found.n_constraints - sum(parts.values())},
    }


def matrix_stats(system: R1CS) -> dict[str, Any]:
    """Figures of a constraint system."""
    matrices = {"A": system.a, "B": system.b, "C": system.c}
    longest = {name: int(np.diff(matrix.indptr).max(initial=0)) for name, matrix in matrices.items()}
    linear = int(np.count_nonzero((np.diff(system.a.indptr) == 0) | (np.diff(system.b.indptr) == 0)))
    return {
        "constraints": system.n_constraints,
        "wires": system.n_wires,
        "public": system.n_public,
        "linear_constraints": linear,
        "entries": {name: matrix.n_entries for name, matrix in matrices.items()},
        "longest_combination": longest,
        "distinct_coefficients": len(set(from_limbs(system.table))),
        "domain": 1 << domain_power(system.n_constraints, system.n_public),
        "structure_hash": system.structure_hash,
    }
