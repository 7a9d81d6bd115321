"""The report of what kernels take: it reads the compiler right, and notices a change."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aitbc_rollup.gpu import nvrtc, program

TOOL = Path(__file__).parent.parent.parent / "gpu" / "tools" / "resources.py"
pytestmark = pytest.mark.usefixtures("compiler")

KERNEL = """
extern "C" __global__ void wide(unsigned long long* out, const unsigned* in) {
    __shared__ unsigned x[256];
    x[threadIdx.x] = in[threadIdx.x];
    __syncthreads();
    unsigned long long sum = 0;
#pragma unroll
    for (int i = 0; i < 48; i++) sum += (unsigned long long)in[threadIdx.x * 48 + i] * x[(threadIdx.x + i) % 256];
    out[threadIdx.x] = sum;
}
"""


@pytest.fixture
def tool() -> dict[str, Any]:
    return runpy.run_path(str(TOOL))


def test_instructions_are_told_apart(tool: dict[str, Any]) -> None:
    code = {"IMAD.WIDE.U32.X": 5, "IMAD.HI.U32": 3, "IMAD": 2, "IMAD.MOV.U32": 1, "IADD3.X": 7, "LDG.E": 4, "EXIT": 1}
    assert tool["counts"](Counter(code)) == (23, 5, 3, 3, 7, 19)


def test_a_kernel_is_read(tool: dict[str, Any]) -> None:
    def usage(*options: str) -> Any:
        compiled = nvrtc.compile_source(KERNEL, "wide.cu", {}, ("-arch=sm_90", *program.OPTIONS, *options))
        (row,) = tool["usages"]("wide", compiled, "sm_90")
        return row

    row, tight = usage(), usage("--maxrregcount=24")
    assert (row.kernel, row.shared, row.stack, row.spill_loads) == ("wide", 1024, 0, 0)
    assert row.imad_wide >= 48 and row.slots >= 2 * row.imad_wide and row.instructions > row.imad_wide + 96
    assert row.registers > 24 >= tight.registers


def test_spills_are_read(tool: dict[str, Any]) -> None:
    options = ("-arch=sm_90", *program.OPTIONS, "--maxrregcount=32")
    compiled = nvrtc.compile_source(program.source("field"), "field.cu", program.headers(), options)
    rows = {row.kernel: row for row in tool["usages"]("field", compiled, "sm_90")}
    dot, plain = rows["fr_dot"], rows["fr_add"]
    assert min(dot.spill_stores, dot.spill_loads, dot.stack) > 0
    assert plain.spill_stores == plain.spill_loads == plain.stack == 0


def test_a_change_of_a_kernel_shows(tool: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    right = "F::mul(a[INDEX], b[INDEX])"
    source = program.source("field")
    assert right in source
    monkeypatch.setattr(program, "modules", lambda: ["field"])
    committed = tool["ROOT"] / "gpu" / "resources.csv"
    rows = [line for line in committed.read_text().splitlines(keepends=True) if line.startswith(("module", "field,"))]
    assert tool["table"]() == "".join(rows)
    monkeypatch.setattr(program, "source", lambda module: source.replace(right, f"F::mul({right}, b[INDEX])"))
    shown = "\n".join(tool["differences"](committed, tool["table"]()))
    assert "- field,fr_mul,sm_90" in shown and "+ field,fr_mul,sm_90" in shown and "field,fr_sqr" not in shown
