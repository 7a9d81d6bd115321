"""The cache of compiled kernels: a second process loads what the first compiled, templates included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import numpy as np
from aitbc_rollup.algebra import fq, fr
out = np.empty(4, np.uint64)
for field in (fq, fr):
    field.set_one(out.ctypes.data)
    assert out.tolist() == field.ONE.tolist()
    print(sum(field.set_one.stats.cache_misses.values()), sum(field.set_one.stats.cache_hits.values()))
"""


def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    def run() -> list[str]:
        environment = {**os.environ, "AITBC_CACHE": str(tmp_path)}
        result = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout.split("\n")[:-1]

    assert run() == ["1 0", "1 0"]
    assert run() == ["0 1", "0 1"]
