"""Kernels as entries: their cache on disk, what they take and return, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra import machine_code
from aitbc_rollup.algebra.compilation import once, watching
from aitbc_rollup.algebra.jit import Kernel, Templates, kernel, operation

PROGRAM = """
import sys
import numpy as np
from aitbc_rollup.algebra import compilation, fq, fr
compiled = []
out = np.empty(4, np.uint64)
with compilation.watching(compiled.append):
    for field in (fq, fr):
        field.set_one(out.ctypes.data)
        assert out.tolist() == field.ONE.tolist()
print(*compiled, "numba" in sys.modules)
"""


def test_a_second_process_compiles_nothing_and_leaves_numba_alone(tmp_path: Path) -> None:
    def run() -> list[str]:
        environment = {**os.environ, "AITBC_CACHE": str(tmp_path)}
        result = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout.split()

    assert run() == ["fq_set_one", "fr_set_one", "True"]
    assert run() == ["False"]


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of what is compiled during the test, with an empty cache."""
    monkeypatch.setenv("AITBC_CACHE", str(tmp_path))
    names: list[str] = []
    with watching(names.append):
        yield names


@operation("intp(intp, intp)")
def _difference(builder: Any, x: Any, y: Any) -> Any:
    return builder.sub(x, y)


@kernel
def _minus(x: int, y: int) -> int:
    return _difference(x, y)


@kernel
def _weigh(out: Any, rows: Any, weights: Any) -> bool:
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            out[i] += np.int64(rows[i, j]) * weights[j]
    return _minus(rows.shape[0], rows.shape[1]) > 0


def again(made: Kernel) -> Kernel:
    """The same kernel as a process finds it that has called nothing yet."""
    machine_code.load.cache_clear()
    return Kernel(made.__wrapped__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("pair", [(5, 3), (-5, 3), (2**63 - 1, 0), (-(2**63), 0), (np.uint32(7), True)])
def test_integers_go_in_and_out(pair: tuple[int, int]) -> None:
    assert _minus(*pair) == int(pair[0]) - int(pair[1])


def test_arrays_go_in_with_their_shapes() -> None:
    out = np.zeros(3, np.int64)
    rows = np.array([[1, 2], [3, 4], [255, 0]], np.uint8)
    assert _weigh(out, rows, np.array([10, 1])) is True
    assert out.tolist() == [12, 34, 2550]
    assert _weigh(out[:2], np.ascontiguousarray(rows.T), np.array([1, 1, 1])) is False


def test_what_is_no_integer_of_64_bits_and_no_plain_array_is_refused() -> None:
    with pytest.raises(TypeError, match="not float"):
        _minus(1.5, 2)
    with pytest.raises(TypeError, match="C-contiguous"):
        _weigh(np.zeros(2, np.int64), np.zeros((3, 2), np.uint8).T, np.zeros(3, np.int64))
    with pytest.raises(OverflowError):
        _minus(2**63, 0)


@kernel
def _broken(x: int) -> None:
    if x > 0:
        raise ValueError


@kernel
def _half(x: int) -> float:
    return x / 2


def test_an_exception_inside_is_one_outside_and_other_results_are_refused() -> None:
    assert _broken(0) is None
    with pytest.raises(RuntimeError, match="_broken"):
        _broken(1)
    with pytest.raises(TypeError, match="float64"):
        _half(1)


def test_a_file_in_the_cache_that_is_not_whole_is_made_again(compiled: list[str]) -> None:
    assert again(_minus)(3, 1) == 2
    (file,) = machine_code.FOLDER.path.glob("*.o")
    whole = file.read_bytes()
    for damaged in (whole[:-1], b"", whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]):
        file.write_bytes(damaged)
        assert again(_minus)(3, 1) == 2
        assert machine_code.find(file.stem) is not None
    assert again(_minus)(3, 1) == 2
    assert compiled == ["_minus"] * 4


def test_code_that_others_could_have_written_is_not_run(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert again(_minus)(3, 1) == 2
    (file,) = machine_code.FOLDER.path.glob("*.o")
    file.chmod(0o620)
    assert again(_minus)(3, 1) == 2
    assert compiled == ["_minus"] * 2 and machine_code.find(file.stem) is not None
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    assert (machine_code.find(file.stem) is None) == (file.stat().st_uid != 0)


def test_a_cache_that_cannot_be_written_costs_only_time(compiled: list[str], tmp_path: Path) -> None:
    (tmp_path / "kernels").write_text("in the way")
    assert again(_minus)(3, 1) == again(_minus)(4, 2) == 2
    assert compiled == ["_minus"] * 2


def test_threads_that_meet_at_a_first_call_compile_once(compiled: list[str]) -> None:
    shared = again(_minus)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(shared, range(8), range(8))) == [0] * 8
    assert compiled == ["_minus"]


def test_kernels_that_cannot_be_told_apart_are_refused() -> None:
    step = 1

    def add(x: int) -> int:
        return x + step

    with pytest.raises(TypeError, match="closure"):
        kernel(add)
    templates = Templates()
    templates.build("twice", {})
    with pytest.raises(ValueError, match="built as twice before"):
        templates.build("twice", {})


def test_processes_that_meet_at_a_first_call_compile_once(tmp_path: Path) -> None:
    environment = {**os.environ, "AITBC_CACHE": str(tmp_path)}
    both = [
        subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = " ".join(process.communicate()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert said.count("fq_set_one") == said.count("fr_set_one") == 1


def test_the_innermost_listener_is_told_and_a_listener_may_refuse(compiled: list[str]) -> None:
    said: list[str] = []

    def refuse(name: str) -> None:
        raise InterruptedError(name)

    with watching(refuse), pytest.raises(InterruptedError, match="_minus"):
        again(_minus)(3, 1)
    assert compiled == [] and machine_code.find("_minus") is None
    with watching(once(said.append)):
        assert again(_minus)(3, 1) == 2
        assert again(_weigh)(np.zeros(1, np.int64), np.zeros((1, 1), np.uint8), np.zeros(1, np.int64)) is False
    assert len(said) == 1 and "warmup" in said[0]
    assert compiled == []
