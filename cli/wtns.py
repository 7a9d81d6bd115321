"""``wtns``: witnesses in .wtns files."""

from __future__ import annotations

from pathlib import Path

import click

from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.check import assert_satisfied
from aitbc_rollup.circuits.formats.r1cs import read_r1cs
from aitbc_rollup.circuits.formats.wtns import read_wtns, write_wtns
from aitbc_rollup.rollup.files import read_json

from . import common
from .progress import reporter
from .proving import circom_witness


@click.group("wtns")
def wtns() -> None:
    """Witnesses in .wtns files."""


@wtns.command("calculate")
@click.argument("wasm", metavar="CIRCUIT.WASM", type=common.PATH)
@click.argument("inputs", metavar="INPUT.JSON", type=common.PATH)
@click.argument("out", metavar="WITNESS.WTNS", type=common.PATH, default=Path("witness.wtns"))
@common.options(common.calculator_timeout, common.as_json)
def calculate(wasm: Path, inputs: Path, out: Path, timeout: float, as_json: bool) -> None:
    """Calculate a witness with the .wasm that circom made, in a sandbox. The file holds the circuit's secrets."""
    given = read_json(inputs)
    with reporter(as_json) as report:
        values, seconds = circom_witness(wasm, given, inputs, timeout, report)
    write_wtns(out, values)
    common.emit({"witness": str(out), "wires": len(values), "seconds": seconds}, as_json=as_json)


@wtns.command("check")
@click.argument("r1cs", metavar="CIRCUIT.R1CS", type=common.PATH)
@click.argument("witness", metavar="WITNESS.WTNS", type=common.PATH)
@common.as_json
def check(r1cs: Path, witness: Path, as_json: bool) -> None:
    """Check a witness against a system; the first constraint that fails is shown. Exits with 1 if one does."""
    system = read_r1cs(r1cs)
    assert_satisfied(system, read_wtns(witness))
    common.emit({"valid": True, "constraints": system.n_constraints}, as_json=as_json)


@wtns.group("export")
def export() -> None:
    """Witnesses in other forms."""


@export.command("json")
@click.argument("witness", metavar="WITNESS.WTNS", type=common.PATH)
@click.argument("out", metavar="WITNESS.JSON", type=common.PATH, default=Path("witness.json"))
def export_json(witness: Path, out: Path) -> None:
    """Write the values as decimal strings, as snarkjs does."""
    values = [str(value) for value in from_limbs(read_wtns(witness))]
    common.write_json(out, values)
