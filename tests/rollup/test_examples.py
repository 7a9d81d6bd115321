from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest

from aitbc_rollup.rollup import demo, genesis, ingest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_the_genesis_file_is_the_development_genesis() -> None:
    assert genesis.load(EXAMPLES / "genesis.json") == genesis.development(31337, 16)


def test_the_excerpt_is_whole() -> None:
    selection = ingest.read(EXAMPLES / "azure_llm" / "requests_256.csv")
    assert (selection.format, len(selection.rows)) == ("azure-llm-2023", 256)
    assert (EXAMPLES / "azure_llm" / "LICENSE").read_text("utf-8-sig").startswith("Attribution 4.0 International")


def test_the_demo_finds_it_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert demo.example().samefile(EXAMPLES / "azure_llm" / "requests_256.csv")


def test_the_excerpt_is_the_trace_s_beginning() -> None:
    data = os.environ.get("AITBC_DATA")
    if not data:
        pytest.skip("AITBC_DATA is not set")
    trace = Path(data) / "azure_llm" / "AzureLLMInferenceTrace_code.csv"
    with trace.open(newline=None) as whole:
        lines = [line.rstrip("\n") for line in islice(whole, 257)]
    assert (EXAMPLES / "azure_llm" / "requests_256.csv").read_text().splitlines() == lines
    rows = ingest.read(trace, limit=256).rows
    excerpt = ingest.read(EXAMPLES / "azure_llm" / "requests_256.csv").rows
    assert [row.identity for row in rows] == [row.identity for row in excerpt]
