"""What the documentation says to do, done; and where it points, there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    missing = [t for t in targets if not t.startswith(("http://", "https://")) and not (page.parent / t).exists()]
    assert missing == []


def test_the_circuit_manual_runs(tmp_path: Path) -> None:
    """Python first, then its shell commands up to the proof, in one folder."""
    script = "\n".join(blocks("docs/howto-cryptographers.md", "python"))
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "does not fit 64 bits" in done.stdout
    for line in blocks("docs/howto-cryptographers.md", "sh")[0].splitlines():
        command = line.split("#")[0].split()
        assert command[0] == "aitbc-rollup"
        call = [sys.executable, "-m", "aitbc_rollup.cli.main", *command[1:]]
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def test_the_session_of_the_operators_guide_can_be_signed(tmp_path: Path) -> None:
    (tmp_path / "session.json").write_text(blocks("docs/howto-operators.md", "json")[0])
    for line in blocks("docs/howto-operators.md", "sh")[1].splitlines():
        command = line.split("#")[0].split()
        if command[1] == "session":
            call = [sys.executable, "-m", "aitbc_rollup.cli.main", *command[1:]]
            done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert "signature" in (tmp_path / "sessions.jsonl").read_text()
