"""``doctor``: facts, problems with a next step, and that what is broken is called broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_world import Cli

from aitbc_rollup import __version__
from aitbc_rollup.algebra import cpu, selftest
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.algebra.warmup import Exercise
from aitbc_rollup.cli import installation
from aitbc_rollup.errors import AitbcError, ResourceError
from aitbc_rollup.prover import engine, exercises
from aitbc_rollup.prover.engine import NoEngineError


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def problems(found: dict[str, Any], *, needed: bool) -> list[str]:
    assert all(problem["next"] for problem in found["problems"])
    return [problem["message"] for problem in found["problems"] if problem["needed"] == needed]


def test_an_installation_that_works(cli: Cli) -> None:
    cli("warmup")
    said = cli("doctor", "--json")
    assert (said.code, said.err) == (0, "")
    found = said.json
    assert found["can_prove"] and problems(found, needed=True) == []
    assert found["package"]["version"] == __version__
    assert found["processor"]["vector_paths"] == dict.fromkeys(cpu.available(), "works")
    assert found["processor"]["vector_path"] == cpu.chosen()
    assert found["engines"]["cpu"] == "works" and found["engines"]["gpu"] and found["engines"]["auto"] in ("cpu", "gpu")
    assert found["cache"]["writable"] and found["cache"]["kernels"]["files"] > 15
    assert found["libraries"]["numba"]


def test_a_person_sees_the_same(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program(tmp_path / "bin" / "node", "echo v99.1.2").parent))
    said = cli("doctor")
    assert said.code == 0
    for text in ("processor", cpu.chosen(), "GiB", "v99.1.2", "no circom compiler", "npm install circom2"):
        assert text in said.out


def test_wrong_settings_are_named_and_what_they_keep_from_working(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("CPU", "sse"), ("THREADS", "many"), ("KEY_CACHE", "huge")):
        monkeypatch.setenv(f"AITBC_{name}", value)
    cpu.chosen.cache_clear()
    try:
        said = cli("doctor", "--json")
    finally:
        cpu.chosen.cache_clear()
    assert said.code == 5 and "cannot prove" in said.err
    needed = problems(said.json, needed=True)
    assert [message.split(" ")[0] for message in needed] == ["AITBC_CPU=sse:", "AITBC_KEY_CACHE"]
    assert problems(said.json, needed=False)[0].startswith("AITBC_THREADS=many")
    assert said.json["engines"] == {"cpu": "not tried"}


def test_a_cache_that_cannot_be_written_keeps_nothing_from_working(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AITBC_CACHE", str(tmp_path / "file"))
    found: list[installation.Problem] = []
    assert installation._cache(found)["writable"] is False
    (problem,) = found
    assert problem.message.startswith(f"{tmp_path / 'file'} cannot be written (File exists)") and not problem.needed


def test_a_path_that_computes_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    selftest.check()
    right = selftest._numbers

    def wrong_once(blocks: Limbs) -> list[int]:
        first, *rest = right(blocks)
        return [first ^ 1, *rest]

    monkeypatch.setattr(selftest, "_numbers", wrong_once)
    with pytest.raises(ArithmeticError, match="1 of 4096 products in Fq are wrong \\(lanes\\): 0x0 \\* 0x0"):
        selftest.check()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("kill -ILL $$", "the test was ended by SIGILL"),
        ("echo 'ArithmeticError: 2 are wrong' >&2; exit 1", "ArithmeticError: 2 are wrong"),
        ("exit 1", "it gave no reason"),
    ],
)
def test_a_path_whose_test_fails_is_a_problem_if_it_is_the_chosen_one(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: str
) -> None:
    chosen = cpu.chosen()
    test = program(tmp_path / "python", f'[ "$AITBC_CPU" = {chosen} ] || exit 0\n{script}')
    monkeypatch.setattr(installation.sys, "executable", str(test))
    found = cli("doctor", "--json")
    monkeypatch.undo()
    assert found.code == 5
    assert found.json["processor"]["vector_paths"] == dict.fromkeys(cpu.available(), "works") | {chosen: expected}
    (message,) = problems(found.json, needed=True)
    assert message == f"the vector path {chosen} computes wrongly: {expected}"
    assert installation._try_path("sse").startswith("aitbc_rollup.errors.UsageError: AITBC_CPU=sse")  # type: ignore[union-attr]


def test_a_proof_that_fails(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ArithmeticError("1 + 1 = 3")

    monkeypatch.setattr(exercises, "exercises", lambda engine: [Exercise("sums", broken)])
    said = cli("doctor", "--json")
    assert said.code == 5
    assert problems(said.json, needed=True) == ["a small proof fails (cpu): ArithmeticError: 1 + 1 = 3"]


class Card:
    name = "gpu"

    def describe(self) -> str:
        return "NVIDIA H200, 132 multiprocessors"


@pytest.mark.parametrize(
    ("found", "engines", "problem"),
    [
        (
            NoEngineError("there is no NVIDIA driver", got="libcuda.so.1: not found"),
            {"gpu": "there is no NVIDIA driver (libcuda.so.1: not found)", "auto": "cpu"},
            [],
        ),
        (
            ResourceError("the GPU is too old", got="sm_70", hint="use the engine 'cpu'"),
            {"gpu": "the GPU is too old", "auto": "gpu"},
            ["the GPU is too old: sm_70"],
        ),
        (Card(), {"gpu": "works", "gpu_device": "NVIDIA H200, 132 multiprocessors", "auto": "gpu"}, []),
    ],
    ids=["none", "too old", "one"],
)
def test_a_gpu_is_described_and_what_keeps_it_from_working_is_said(
    found: Card | AitbcError, engines: dict[str, str], problem: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str) -> Card:
        if isinstance(found, AitbcError):
            raise found
        return found

    monkeypatch.setattr(engine, "load_engine", load)
    monkeypatch.setattr(exercises, "exercises", lambda engine: [])
    said: list[installation.Problem] = []
    assert installation._engines(said) == {"cpu": "works", **engines}
    assert [entry.message for entry in said] == problem and all(entry.next and not entry.needed for entry in said)
