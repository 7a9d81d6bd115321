"""Draws a result of ``gpu.py``: times by size, the CPU engine's beside, and the ceiling where it is known.

    python benchmarks/gpu_plot.py RESULT.json [PLOT.png]

Needs matplotlib (the extra ``bench``).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot

#: Panels, and what of the result each shows.
PANELS = {
    "NTT": ("NTT", "quotient"),
    "sums in G1": ("sum in G1", "sum in G1, table"),
    "sums in G2": ("sum in G2", "sum in G2, table"),
    "Groth16, witness to verified proof": ("Groth16, chain", "Groth16, hashes"),
}


def draw(result: dict[str, Any], out: Path) -> None:
    """Write the picture."""
    rows = [row for stage in result["stages"].values() for row in stage["rows"] if "power" in row]
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(16, 4.5), layout="constrained")
    for panel, (title, names) in zip(axes, PANELS.items(), strict=True):
        for name in names:
            own = [row for row in rows if row["what"] == name]
            kind = "device_ms" if any("device_ms" in row for row in own) else "host_ms"
            line(panel, own, lambda row, kind=kind: row[kind]["median"], name, "-o")
            line(panel, own, lambda row: row["cpu_ms"]["median"], f"{name}, CPU", ":s")
            line(panel, own, lambda row, kind=kind: row["share"] * row[kind]["median"], f"{name}, ceiling", "--")
        panel.set(title=title, yscale="log", xlabel="log2 of the size", ylabel="ms")
        panel.grid(alpha=0.3)
        if panel.get_lines():
            panel.legend(fontsize="x-small")
    figure.suptitle(result["device"], fontsize="medium")
    figure.savefig(out, dpi=120)
    pyplot.close(figure)


def line(panel: Any, rows: list[dict[str, Any]], value: Any, label: str, style: str) -> None:
    """The rows that have this value."""
    points = []
    for row in rows:
        try:
            points.append((row["power"], value(row)))
        except KeyError:
            continue
    if points:
        panel.plot(*zip(*sorted(points), strict=True), style, markersize=4, label=label)


if __name__ == "__main__":
    source = Path(sys.argv[1])
    draw(json.loads(source.read_text()), Path(sys.argv[2]) if len(sys.argv) > 2 else source.with_suffix(".png"))
