"""Measures the GPU engine on this machine's card, beside the CPU engine: ``make gpu-bench``.

    python benchmarks/gpu.py [STAGE …] [--out FOLDER] [--runs 10] [--powers 16 20]

Needs numpy, numba and cupy, and matplotlib for the plot. Every stage is a process of its own, ended after nine minutes.
Results go to ``FOLDER/gpu-<device>.json`` as they come; what is there of other stages stays. ``AITBC_GPU=shim`` tries
the program on the CPU that stands in for a card, at small sizes.

``start`` is what a first use costs: compiling each module with nothing cached, and finding it when it is. Elsewhere
kernels are compiled, and a first run that does not count has loaded them and made their tables.

``device_ms`` is from arrays on the device to arrays on the device, by the card's clock, the mean of ``in_a_row``;
``host_ms`` from arrays in main memory to the result there, by this machine's; ``cpu_ms`` the CPU engine's, in the same
run. Each has median, least and most of its runs. ``share`` is the part of ``device_ms`` that the card would take for
nothing but the operation's multiply-adds, at the rate of ``IMAD.WIDE`` that the stage ``probe`` measured: a transform's
n/2·log₂ n products with known factors; a sum's mixed addition for each digit, and two full ones for each bucket.

Every result is compared with the CPU engine's, or, of sums, with the multiple of the generator that it is known to be;
a proof is verified. Exit status: 0, 1 if a result is wrong or a stage did not end, 5 if there is no card.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gpu_cases import open_device
from gpu_measures import STAGES, Row, Settings
from gpu_stages import LIMIT_S, apart, here, require_known
from machine import machine

from aitbc_rollup.errors import AitbcError

RESULTS = Path(__file__).parent / "results"
#: Goals of the design for an H200, milliseconds: what is held, what is hoped for.
GOALS: dict[tuple[str, int], tuple[float, float]] = {
    ("sum in G1, table", 20): (4.0, 2.5), ("sum in G1, table", 22): (14, 9), ("sum in G1, table", 24): (48, 33),
    ("sum in G2, table", 20): (10, 6), ("NTT", 20): (0.30, 0.20), ("NTT", 24): (5.0, 3.5),
    ("Groth16, chain", 20): (30, 18), ("Groth16, chain", 22): (110, 65),
}  # fmt: skip


def line(row: Row) -> str:
    """A row for a person."""
    if "probe" in row:
        runs = row["probe"]["runs"]
        return (
            f"IMAD.WIDE {runs['imad_wide']['per_second'] / 1e12:.2f} T/s, products {runs['fr_mul']['per_second']:.3g}/s"
        )
    if "power" not in row:
        return f"{row['what']}: {row['total_s']} s"
    said = f"{row['what']:22} 2^{row['power']:<3}"
    for name, label in (("device_ms", "device"), ("host_ms", "host"), ("cpu_ms", "CPU")):
        if name in row:
            figures = row[name]
            said += f" {label} {figures['median']:.4g} ms ({figures['min']:.4g} … {figures['max']:.4g})"
    if "share" in row:
        said += f", {100 * row['share']:.0f}% of the ceiling"
    if (row["what"], row["power"]) in GOALS:
        held, hoped = GOALS[row["what"], row["power"]]
        said += f"; to hold {held}, goal {hoped}"
    return said + ("" if row["equal"] else "  WRONG")


class Result:
    """The file, written anew whenever there is something new."""

    def __init__(self, folder: Path, device: str, name: str) -> None:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        self.path = folder / f"gpu-{slug}.json"
        folder.mkdir(parents=True, exist_ok=True)
        self.content: dict[str, Any] = json.loads(self.path.read_text()) if self.path.exists() else {"stages": {}}
        self.content |= {"device": device, "machine": machine(), "limit_s": LIMIT_S}

    @property
    def probe(self) -> Row | None:
        """What the probe found, now or before."""
        rows = self.content["stages"].get("probe", {}).get("rows") or [{}]
        found: Row | None = rows[0].get("probe")
        return found

    def begin(self, stage: str, runs: int) -> list[Row]:
        """The rows of a stage, to be added to."""
        rows: list[Row] = []
        when = datetime.now(UTC).isoformat(timespec="seconds")
        self.content["stages"][stage] = {"when": when, "runs": runs, "rows": rows, "wrong": "did not end"}
        return rows

    def end(self, stage: str, wrong: str | None) -> None:
        """Say how it ended."""
        self.content["stages"][stage]["wrong"] = wrong
        self.write()

    def write(self) -> None:
        """Whole or not at all."""
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.content, indent=1) + "\n")
        temporary.replace(self.path)


def run(stage: str, result: Result, options: argparse.Namespace) -> bool:
    """Run a stage apart, keeping what it says; whether all is well."""
    print(stage, flush=True)
    rows = result.begin(stage, options.runs)

    def row(said: Row) -> None:
        rows.append(said)
        result.write()
        print(f"  {line(said)}", flush=True)

    settings = Settings(options.runs, options.powers, result.probe)
    wrong = apart([__file__, "--in-process", stage, "--settings", json.dumps(settings)], row)
    result.end(stage, wrong)
    if wrong is not None:
        print(f"  {wrong}", flush=True)
    return wrong is None and all(said.get("equal", True) for said in rows)


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(STAGES)}; all if left out")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FOLDER", help="where the result goes")
    parser.add_argument("--runs", type=int, default=10, help="of each measurement")
    parser.add_argument("--powers", nargs="+", type=int, metavar="K", help="sizes 2^K in place of each stage's own")
    parser.add_argument("--in-process", metavar="STAGE", help=argparse.SUPPRESS)
    parser.add_argument("--settings", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    require_known(parser, options.stages, STAGES)
    try:
        if options.in_process:
            here(STAGES[options.in_process](Settings(*options.settings)))
            return 0
        device = open_device()
    except AitbcError as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    result = Result(options.out, device.describe(), device.name)
    outcomes = [run(stage, result, options) for stage in options.stages or STAGES]
    print(result.path)
    plot(result)
    return int(not all(outcomes))


def plot(result: Result) -> None:
    """Draw it, where there is something to draw with."""
    try:
        from gpu_plot import draw
    except ImportError as error:
        print(f"no plot: {error}")
        return
    draw(result.content, result.path.with_suffix(".png"))
    print(result.path.with_suffix(".png"))


if __name__ == "__main__":
    sys.exit(main())
