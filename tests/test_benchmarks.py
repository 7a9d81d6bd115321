"""The benchmarks run, at sizes that take no time, and what they write says what was measured."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from repository import REPOSITORY

from aitbc_rollup.cache import cache_root
from aitbc_rollup.prover.engine import STAGES

BENCHMARKS = REPOSITORY / "benchmarks"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)


def benchmark(program: str, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / program, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "AITBC_CACHE": str(cache_root())},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def sized(power: int, cpu: dict[str, float], kind: str = "process") -> dict[str, Any]:
    """A measured size of the dense chain, with processor seconds by prover."""
    provers = {
        name: {kind: {quantity: {"median": value} for quantity in ("cpu_s", "wall_s", "peak_mib")}}
        for name, value in cpu.items()
    }
    return {"workload": "chain", "power": power, "constraints": (1 << power) - 4, "provers": provers}


def test_prover_harness_writes_what_it_measured(tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    options = ["--powers", "6", "--hashes", "--repeats", "1", "--no-peers", "--paths", "--no-plot"]
    printed = benchmark("prover_cpu.py", *options, "--cache", cache_root(), "--work", tmp_path / "work", "--out", out)
    result = json.loads(out.read_text())
    assert result["complete"] and result["start"] is None
    assert list(result["versions"]) == ["aitbc-rollup"]
    (size,) = result["sizes"]
    assert (size["workload"], size["power"], size["constraints"]) == ("chain", 6, 60)
    found = size["provers"]["aitbc-rollup"]
    assert set(found) == {"process", "hot"}
    for figures in found.values():
        assert figures["runs"] == 1
        assert all(figures[quantity]["median"] > 0 for quantity in ("wall_s", "cpu_s", "peak_mib"))
    assert set(found["hot"]["stages_s"]) >= {*STAGES, "verify"}
    assert {row["met"] for row in result["goals"]} == {None}
    assert "chain 2^6, 60 constraints" in printed


def test_kernels_run(tmp_path: Path) -> None:
    out = tmp_path / "kernels.json"
    benchmark("kernels.py", "--powers", "3", "--repeats", "1", "--scalars", "mixed", "--out", out)
    found = {row["kernel"]: row for row in json.loads(out.read_text())["kernels"]}
    assert list(found) == ["mul", "square", "ntt", "quotient", "msm-g1", "msm-g2"]
    assert all(row["ours_ns"]["median"] > 0 and "peer_ns" not in row for row in found.values())


def test_the_compilers_benchmark_runs(tmp_path: Path) -> None:
    out = tmp_path / "compile.json"
    printed = benchmark("compile.py", "--scale", "0.002", "--repeats", "1", "--out", out)
    result = json.loads(out.read_text())
    hashes, lookups = result["workloads"]
    assert (hashes["workload"], lookups["workload"]) == ("hashes", "lookups")
    assert hashes["messages"] == 4 * 16 * (2 * 4 + 4) and lookups["messages"] == 16 * (10 * 4 + 4)
    assert hashes["witness_s"]["median"] > 0 and hashes["compile_peak_mib"]["max"] > 0
    assert result["goal"]["met"] is None, "that is for ten million constraints"
    assert f"hashes: {hashes['constraints']:,} constraints" in printed


def test_goals_are_judged_by_medians() -> None:
    import goals

    sizes = [
        sized(18, {"aitbc-rollup": 4.5, "rapidsnark": 10, "aitbc-rollup avx2": 8.1, "snarkjs": 20}),
        sized(20, {"aitbc-rollup": 4, "gnark": 5}, kind="hot"),
    ]
    start = {"power": 14, "second": {"wall_s": {"median": 1.6}}}
    rows = goals.judged({"machine": {"path": "avx512ifma"}, "start": start, "sizes": sizes})
    judged = {row["goal"]: (row["measured"], row["met"]) for row in rows if row["met"] is not None}
    assert judged == {
        "2^18, aitbc-rollup / rapidsnark: processor time, whole process": (0.45, True),
        "2^18, aitbc-rollup / rapidsnark: time, whole process": (0.45, True),
        "2^18, aitbc-rollup avx2 / rapidsnark: processor time, whole process": (0.81, False),
        "2^18, aitbc-rollup / snarkjs: processor time, whole process": (0.225, False),
        "2^20, aitbc-rollup / gnark: processor time, key loaded": (0.8, True),
        "second start, 2^14, seconds by the clock": (1.6, False),
    }


def test_where_avx2_is_the_fastest_path_it_is_held_to_its_goal() -> None:
    import goals

    sizes = [sized(18, {"aitbc-rollup": 7, "rapidsnark": 10})]
    rows = goals.judged({"machine": {"path": "avx2"}, "start": None, "sizes": sizes})
    (row,) = [row for row in rows if "avx2" in row["goal"]]
    assert (row["measured"], row["met"]) == (0.7, True)


def test_a_prover_that_fails_is_named_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import prover_cpu
    from peers import Files, Prover

    fails = [sys.executable, "-c", "import sys; sys.exit('no memory left')"]
    proves = [sys.executable, "-c", """
print('{}', flush=True)
while True:
    input()
    print('{"wall_s": 2, "cpu_s": 3, "peak_mib": 4}', flush=True)
"""]  # fmt: skip
    provers = [Prover("bad", "1", process=fails, hot=fails), Prover("good", "1", hot=proves)]
    found = prover_cpu.compared(provers, Files(tmp_path, "chain", 6), tmp_path, repeats=2)
    assert "ended with 1: no memory left" in found["bad"]["process"]["failed"]
    assert "ended with 1: no memory left" in found["bad"]["hot"]["failed"]
    assert found["good"]["hot"]["runs"] == 2
    assert found["good"]["hot"]["cpu_s"] == {"median": 3, "min": 3, "max": 3}
    assert "bad is left out at this size" in capsys.readouterr().err


def test_a_proof_that_does_not_verify_does_not_count(tmp_path: Path) -> None:
    import prover_cpu
    from peers import Files, Prover

    silent = Prover("silent", "1", process=[sys.executable, "-c", ""])
    found = prover_cpu.compared([silent], Files(tmp_path, "chain", 6), cache_root(), repeats=1)
    assert "vk.json" in found["silent"]["process"]["failed"]


def test_the_harness_does_not_count_its_own_memory_as_a_childs() -> None:
    # A child's peak includes that of its parent until it executes its program: so the parent has to be small.
    code = "import sys, prover_cpu as p; print(p.run([sys.executable, '-c', 'b = b\"x\" * (90 << 20)']).peak_mib)"
    done = subprocess.run([sys.executable, "-c", code], cwd=BENCHMARKS, capture_output=True, text=True, check=True)
    assert 90 < float(done.stdout) < 120


def test_an_interrupted_run_is_resumed_and_a_complete_one_is_not(tmp_path: Path) -> None:
    import prover_cpu

    out = tmp_path / "result.json"
    run = {"generated_by": "x", "versions": {"a": "1"}, "repeats": 5, "machine": {"cpu": "one"}}
    measured = {"start": {"power": 6}, "sizes": [{"power": 6}]}
    assert prover_cpu.earlier(out, run) == {}
    prover_cpu.write(out, run | measured | {"complete": False})
    assert prover_cpu.earlier(out, run) == measured | {"machine": {"cpu": "one"}}
    assert prover_cpu.earlier(out, run | {"versions": {"a": "2"}}) == {}
    assert prover_cpu.earlier(out, run | {"machine": {"cpu": "two"}}) == {}
    prover_cpu.write(out, run | measured | {"complete": True})
    assert prover_cpu.earlier(out, run) == {}


def test_plot_has_a_line_for_each_prover(tmp_path: Path) -> None:
    import plot

    sizes = [sized(power, {"aitbc-rollup": power, "rapidsnark": 2 * power}) for power in (14, 16)]
    sizes += [sized(14, {"gnark": 3}, kind="hot"), sized(14, {"snarkjs": 9}) | {"workload": "hashes"}]
    sizes[0]["provers"]["broken"] = {"process": {"failed": "no memory left"}}
    result = {"sizes": sizes, "machine": {"cpu": "a processor", "threads": 2}}
    assert plot.lines(result, "cpu_s") == {
        "aitbc-rollup": [(16380, 14), (65532, 16)],
        "rapidsnark": [(16380, 28), (65532, 32)],
        "gnark (key loaded)": [(16380, 3)],
    }
    pytest.importorskip("matplotlib")
    plot.draw(result, tmp_path / "plot.svg")
    assert "rapidsnark" in (tmp_path / "plot.svg").read_text()


def test_gpu_harness_on_the_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AITBC_GPU", "shim")
    printed = benchmark("gpu.py", "transforms", "others", "--runs", "2", "--out", tmp_path)
    result = json.loads((tmp_path / "gpu-shim.json").read_text())
    rows = {row["what"]: row for stage in result["stages"].values() for row in stage["rows"]}
    assert {"NTT", "quotient", "Poseidon of 2", "multiples in G2"} <= set(rows)
    assert all(
        row["equal"] is True and row["device_ms"]["runs"] == 2 and row["what"] in printed for row in rows.values()
    )
    assert all(stage["wrong"] is None for stage in result["stages"].values())
    kept = benchmark("gpu.py", "others", "--runs", "1", "--powers", "2", "--out", tmp_path)
    assert "transforms" not in kept
    again = json.loads((tmp_path / "gpu-shim.json").read_text())["stages"]
    assert again["transforms"] == result["stages"]["transforms"] and again["others"]["rows"][0]["power"] == 2


def test_gpu_check_on_the_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AITBC_GPU", "shim")
    printed = benchmark("gpu_check.py", "machine", "transforms", "--powers", "1", "5")
    assert "quotient 2^5" in printed and "FAIL" not in printed and "all well: machine, transforms" in printed


@pytest.mark.parametrize("program", ["gpu.py", "gpu_check.py"])
def test_without_a_card_the_gpu_programs_say_so(program: str) -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / program],
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "AITBC_GPU": ""},
    )
    assert done.returncode == 5 and done.stdout == ""
    assert "engine 'gpu'" in done.stderr and "next: " in done.stderr and "Traceback" not in done.stderr


def test_a_stage_that_does_not_end_keeps_what_it_said(tmp_path: Path) -> None:
    gpu_stages = importlib.import_module("gpu_stages")
    script = tmp_path / "stage.py"
    script.write_text("import time\nprint('[1, 2]', flush=True)\ntime.sleep(60)\n")
    said: list[Any] = []
    assert gpu_stages.apart([str(script)], said.append, limit_s=2) == "ended after 2 s"
    script.write_text("raise SystemExit(3)\n")
    assert gpu_stages.apart([str(script)], said.append) == "ended with status 3"
    assert said == [[1, 2]]
