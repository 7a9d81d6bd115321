"""Tests of kernels again, on the other vector paths of this processor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aitbc_rollup.algebra import cpu

MODULES = ["test_ntt.py", "test_vectors.py"]


@pytest.mark.parametrize("path", [path for path in cpu.available() if path != cpu.chosen()])
def test_on_another_path(path: str) -> None:
    """In a process of its own: the path is fixed when the package is imported."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    files = [str(Path(__file__).with_name(name)) for name in MODULES]
    environment = {**os.environ, "AITBC_CPU": path}
    done = subprocess.run([*command, *files], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
