"""Completion: what a shell is answered, from what, and a real bash that asks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import Cli
from repository import REPOSITORY

from aitbc_rollup.cli.completion import VARIABLE, outline
from aitbc_rollup.cli.main import cli as root

HEAVY = ("numba", "numpy", "llvmlite", "web3", "eth_utils", "rich", "lmdb", "wasmtime")
ASK = f"""
import sys
from aitbc_rollup.cli.main import run
code = run([])
found = [name for name in {HEAVY} if name in sys.modules]
sys.exit(code or (f"completing imported {{found}}" if found else 0))
"""


def ask(*words: str, shell: str = "bash") -> list[str]:
    """Answers to a tab after the last word, in a process that must import nothing heavy."""
    position = str(len(words)) if shell != "fish" else words[-1]
    question = {VARIABLE: f"{shell}_complete", "COMP_WORDS": " ".join(["aitbc-rollup", *words]), "COMP_CWORD": position}
    done = subprocess.run([sys.executable, "-c", ASK], env={**os.environ, **question}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_outline_is_what_the_commands_are() -> None:
    kept = json.loads((REPOSITORY / "cli" / "outline.json").read_text())
    assert outline(root) == kept, "run docs/tools/cli_reference.py"


def test_commands_options_choices_and_files() -> None:
    assert "plain,groth16" in ask("")
    assert ask("groth16", "pr") == ["plain,prove"]
    assert "plain,--engine" in ask("groth16", "prove", "--")
    assert ask("groth16", "prove", "--engine", "c") == ["plain,cpu"]
    assert ask("groth16", "prove", "circuit") == ["file,circuit"]
    assert ask("submit", "--l1", "http") == [""]
    assert ask("no-such-command", "") == ask("")


def test_shells_that_show_it_get_the_help() -> None:
    assert any(line.startswith("plain,prove\tProve a witness") for line in ask("groth16", "pr", shell="fish"))
    assert ask("groth16", "pr", shell="zsh")[:2] == ["plain", "prove"]


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete "), ("zsh", "#compdef"), ("fish", "complete ")])
def test_scripts(cli: Cli, shell: str, word: str) -> None:
    said = cli("completion", shell)
    assert said.code == 0 and word in said.out and VARIABLE in said.out


def test_other_shells_and_questions_are_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("completion", "tcsh").code == 2
    monkeypatch.setenv(VARIABLE, "bash_sing")
    said = cli("--help")
    assert (said.code, said.out) == (2, "") and VARIABLE in said.err


def test_bash_completes(cli: Cli, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    (tmp_path / "script").write_text(cli("completion", "bash").out)
    program = tmp_path / "aitbc-rollup"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aitbc_rollup.cli.main "$@"\n')
    program.chmod(0o755)
    question = (
        "compopt() { :; }; source ./script; COMP_WORDS=(./aitbc-rollup groth16 ver); COMP_CWORD=2;"
        '_aitbc_rollup_completion ./aitbc-rollup; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run([bash, "--norc", "-c", question], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "verify\n", done.stderr
