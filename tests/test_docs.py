"""What the documentation says to do, done; and where it points, there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def run(line: str, folder: Path) -> None:
    """A command of ours, as a page shows it."""
    command = line.split("#")[0].split()
    assert command[0] == "aitbc-rollup"
    call = [sys.executable, "-m", "aitbc_rollup.cli.main", *command[1:]]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def run_python(script: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    missing = [t for t in targets if not t.startswith(("http://", "https://")) and not (page.parent / t).exists()]
    assert missing == []


def test_the_circuit_manual_runs(tmp_path: Path) -> None:
    """The circuit in Python, then its shell commands up to the proof, then the proof in Python, in one folder."""
    circuit, lookups, prove, soundness = blocks("docs/howto-cryptographers.md", "python")
    assert "does not fit 64 bits" in run_python(circuit + soundness, tmp_path)
    run_python(lookups, tmp_path)
    for line in blocks("docs/howto-cryptographers.md", "sh")[0].splitlines():
        run(line, tmp_path)
    assert "VerifyingKey" in run_python(prove, tmp_path)


@pytest.mark.node
def test_the_manual_of_circom_runs(
    tmp_path: Path, node_bin: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AITBC_CIRCOM", node_bin("circom2"))
    page = "docs/howto-cryptographers.md"
    (tmp_path / "product.circom").write_text(blocks(page, "circom")[0])
    inputs = re.search(r"`(\{.*\})` as `input.json`", (ROOT / page).read_text())
    assert inputs is not None
    (tmp_path / "input.json").write_text(inputs[1])
    for block in blocks(page, "sh")[1:3]:
        for line in block.splitlines():
            run(line, tmp_path)
    assert (tmp_path / "public.json").read_text() == (tmp_path / "build" / "public.json").read_text()


def test_what_the_operators_guide_shows_can_be_signed(tmp_path: Path) -> None:
    page = "docs/howto-operators.md"
    session, transfer, _ = blocks(page, "json")
    (tmp_path / "session.json").write_text(session)
    (tmp_path / "transfer.json").write_text(transfer)
    (signing,) = (block for block in blocks(page, "sh") if "session sign" in block)
    for line in signing.splitlines():
        if line.split()[1] == "session":
            run(line, tmp_path)
    run(re.findall(r"`(aitbc-rollup transfer sign .*?)`", (ROOT / page).read_text())[0], tmp_path)
    assert (tmp_path / "sessions.jsonl").read_text().count('"signature"') == 2
    assert '"countersignature"' in (tmp_path / "countersigned.jsonl").read_text()
