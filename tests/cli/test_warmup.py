"""``warmup``: that it goes through every kernel that commands need, in processes that end when it does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from cli_world import Cli, write_trace

from aitbc_rollup.algebra import fq, fr, machine_code
from aitbc_rollup.algebra.warmup import Exercise, warm

#: Prints the entries that were loaded while ``WORK`` ran.
RECORDED = """
import json
from aitbc_rollup.algebra import machine_code
loaded, load = set(), machine_code.load
def recording(code):
    loaded.add(code.symbol)
    return load(code)
machine_code.load = recording
{work}
print(json.dumps(sorted(loaded)))
"""
WARMUP = """
from aitbc_rollup.prover import exercises as prover
from aitbc_rollup.rollup import exercises as rollup
for exercise in [*prover.exercises("cpu"), *rollup.exercises()]:
    exercise.work()
"""
COMMANDS = """
import contextlib, io
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.formats.r1cs import write_r1cs
from aitbc_rollup.circuits.formats.wtns import write_wtns
from aitbc_rollup.circuits.gadgets.poseidon import poseidon
from aitbc_rollup.cli.main import run

circuit = Circuit("chain")
digest = secret = circuit.private_input("secret")
for _ in range(30):
    digest = poseidon(circuit, [digest, secret])
circuit.public_output("digest", digest)
compiled = circuit.compile()
write_r1cs("c.r1cs", compiled.r1cs)
write_wtns("c.wtns", compiled.witness({"secret": 5}))

for line in '''
r1cs info c.r1cs
r1cs stats c.r1cs
r1cs stats agent_runs --records 16
wtns check c.r1cs c.wtns
groth16 setup c.r1cs c.zkey --engine cpu
groth16 prove c.zkey c.wtns proof.json public.json --engine cpu
groth16 prove c.zkey c.wtns proof.json public.json --engine cpu
zkey verify c.r1cs c.zkey
zkey export verificationkey c.zkey vk.json
groth16 verify vk.json public.json proof.json
session keygen agent.key
prove-batch trace.csv --limit 5 --dev-agents 1 --engine cpu --keys keys
verify batch
'''.strip().splitlines():
    with contextlib.redirect_stdout(io.StringIO()):
        assert run(line.split()) == 0, line
"""


def entries(work: str, folder: Path) -> set[str]:
    script = RECORDED.format(work=work)
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_no_command_needs_a_kernel_that_warmup_does_not(tmp_path: Path) -> None:
    write_trace(tmp_path / "trace.csv", 40)
    needed = entries(COMMANDS, tmp_path)
    assert len(needed) > 15
    assert needed - entries(WARMUP, tmp_path) == set()


def test_the_second_time_nothing_is_compiled(cli: Cli) -> None:
    first, second = cli("warmup", "--json"), cli("warmup", "--json")
    assert first.code == second.code == 0, first.err
    assert first.json["engine"] == "cpu" and first.json["bytes"] > 0
    assert second.json["compiled"] == 0
    assert "compiled before" in cli("warmup").out


def invert(modulus: int) -> None:
    field = fq if modulus == fq.MODULUS else fr
    x = np.array([2, 0, 0, 0], np.uint64)
    field.copy(x.ctypes.data, x.ctypes.data)
    field.set_one(x.ctypes.data)
    assert x.tolist() == field.ONE.tolist()


def fail() -> None:
    raise LookupError("no such thing")


def test_processes_share_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for field in (fq, fr):
        for kernel in (field.copy, field.set_one):
            monkeypatch.setattr(kernel, "_entries", {})
    monkeypatch.setenv("AITBC_CACHE", str(tmp_path))
    exercises = [Exercise(name, partial(invert, field.MODULUS)) for name, field in (("fq", fq), ("fr", fr))]
    done = list(warm(exercises, 2))
    assert {name for name, _ in done} == {"fq", "fr"}
    assert sorted(kernel for _, compiled in done for kernel in compiled) == ["copy", "fq_set_one", "fr_set_one"]
    assert len(list(machine_code.FOLDER.path.glob("*.o"))) == 3
    assert [compiled for _, compiled in warm(exercises, 2)] == [[], []]
    with pytest.raises(LookupError, match="no such thing"):
        list(warm([*exercises, Exercise("broken", fail)], 2))


def anybody_of(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aitbc_rollup.cli.main", "warmup"]
    environment = {**os.environ, "AITBC_CACHE": str(tmp_path), "AITBC_THREADS": "2"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list(tmp_path.glob("kernels/*.o")):  # what a Ctrl-C in the midst of it leaves behind, too
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "interrupted" in said and "Traceback" not in said
    deadline = time.monotonic() + 30  # multiprocessing's own helper goes once it sees that it is alone
    while anybody_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not anybody_of(process.pid)
    assert all(machine_code.find(file.stem) for file in tmp_path.glob("kernels/*.o"))
