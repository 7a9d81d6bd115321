"""Draws a result of ``prover_cpu.py``: processor time and peak memory by size, one line a prover.

    python benchmarks/plot.py [RESULT.json] [PLOT.svg]

Needs matplotlib (the extra ``bench``).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parent / "results" / "prover-cpu.json"
#: Of gnark only the proof is measured, of the others whole processes.
PANELS = (("cpu_s", "processor seconds"), ("peak_mib", "peak memory, MiB"))


def lines(result: dict[str, Any], quantity: str) -> dict[str, list[tuple[int, float]]]:
    """(constraints, median) of the dense chain by prover."""
    found: dict[str, list[tuple[int, float]]] = {}
    for size in result["sizes"]:
        if size["workload"] != "chain":
            continue
        for name, kinds in size["provers"].items():
            kind = "process" if "process" in kinds else "hot"
            label = name if kind == "process" else f"{name} (key loaded)"
            if quantity in kinds[kind]:
                found.setdefault(label, []).append((size["constraints"], kinds[kind][quantity]["median"]))
    return found


def draw(result: dict[str, Any], out: Path) -> None:
    """Write the picture as SVG, the same bytes for the same result."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    mpl.rcParams["svg.hashsalt"] = "prover-cpu"
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(11, 4.5), layout="constrained")
    for panel, (quantity, label) in zip(axes, PANELS, strict=True):
        for name, points in lines(result, quantity).items():
            panel.plot(*zip(*sorted(points), strict=True), marker="o", markersize=4, label=name)
        panel.set(yscale="log", xlabel="constraints (dense chain)", ylabel=label)
        panel.set_xscale("log", base=2)
        panel.grid(alpha=0.3)
    axes[0].legend(fontsize="small")
    figure.suptitle(
        f"Groth16 prove, {result['machine']['cpu']}, {result['machine']['threads']} threads", fontsize="medium"
    )
    figure.savefig(out, metadata={"Date": None})
    pyplot.close(figure)


def main() -> None:
    """Draw a result that was written before."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULT
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else source.with_suffix(".svg")
    draw(json.loads(source.read_text()), out)


if __name__ == "__main__":
    main()
