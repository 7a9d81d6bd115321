"""``powersoftau``: powers of tau in .ptau files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.prover.formats import ptau
from aitbc_rollup.prover.powers import check_powers
from aitbc_rollup.rollup.reporting import stage

from . import common
from .progress import reporter

PATH = click.argument("path", metavar="POWERS.PTAU", type=common.PATH)


@click.group("powersoftau")
def powersoftau() -> None:
    """Powers of tau in .ptau files, as snarkjs makes them."""


@powersoftau.command("info")
@PATH
@common.as_json
def info(path: Path, as_json: bool) -> None:
    """How large a circuit a file is for, and who contributed, by their own word. Points are not looked at."""
    common.emit(_summary(ptau.load(path)), as_json=as_json)


@powersoftau.command("verify")
@PATH
@common.as_json
def verify(path: Path, as_json: bool) -> None:
    """Check that a file holds powers of one tau. Exits with 1 if it does not.

    Checked: every point is in its group, the lists are consecutive powers, the Lagrange forms are theirs, and the first
    points are those that the last contribution left. Not checked: the transcript, so who made the file may know tau.
    """
    powers = ptau.load(path)
    with reporter(as_json) as report, stage(report, "powers"):
        check_powers(powers, str(path), progress=lambda detail, share: report.progress("powers", detail, share))
    common.emit({"valid": True, **_summary(powers), "transcript_checked": False}, as_json=as_json)


def _summary(powers: ptau.PowersOfTau) -> dict[str, Any]:
    return {
        "curve": "bn-128",
        "power": powers.power,
        "ceremony_power": powers.ceremony_power,
        "rows": 1 << powers.power,
        "phase2": powers.prepared,
        "contributions": [{"name": _printable(found.name), "beacon": found.beacon} for found in powers.contributions],
    }


def _printable(name: str) -> str:
    """A contributor's name without what a terminal would take as a command."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
