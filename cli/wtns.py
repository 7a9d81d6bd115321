"""``wtns``: witnesses in .wtns files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.check import assert_satisfied
from aitbc_rollup.circuits.formats.r1cs import read_r1cs
from aitbc_rollup.circuits.formats.wtns import read_wtns
from aitbc_rollup.rollup.files import write_whole

from . import common


@click.group("wtns")
def wtns() -> None:
    """Witnesses in .wtns files."""


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
    write_whole(out, (json.dumps(values, indent=1) + "\n").encode())
