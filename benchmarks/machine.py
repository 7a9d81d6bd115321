"""What a benchmark ran on: part of every result. As a program it prints the block, for those who must stay small."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from aitbc_rollup import __version__
from aitbc_rollup.algebra import cpu, threads


def machine() -> dict[str, Any]:
    """What it ran on, and this package's choices there."""
    import numba

    model, memory = platform.processor(), 0
    cpuinfo, meminfo = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    if cpuinfo.exists():
        lines = dict(line.split(":", 1) for line in cpuinfo.read_text().splitlines() if ":" in line)
        stripped = {name.strip(): value.strip() for name, value in lines.items()}
        family = "/".join(stripped.get(name, "?") for name in ("cpu family", "model", "stepping"))
        model = f"{stripped.get('model name', model)} (family/model/stepping {family})"
    if meminfo.exists():
        memory = int(meminfo.read_text().split()[1]) // 1024
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "threads": threads.count(),
        "memory_mib": memory,
        "load_before": round(os.getloadavg()[0], 2),
        "path": cpu.chosen(),
        "paths": list(cpu.available()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numba": numba.__version__,
        "numpy": np.__version__,
        "aitbc_rollup": __version__,
    }


if __name__ == "__main__":
    print(json.dumps(machine()))
