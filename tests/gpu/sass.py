"""The machine code of a kernel's innermost loop, by instruction, as NVIDIA's disassembler prints it."""

from __future__ import annotations

import re
import runpy
import subprocess
import tempfile
from collections import Counter

from repository import REPOSITORY

#: Where the disassembler is.
NVDISASM = runpy.run_path(str(REPOSITORY / "gpu" / "tools" / "resources.py"))["nvdisasm"]
#: An instruction's name and operands, or no name and a label.
Line = tuple[str, str]

_LINE = re.compile(
    r"\.text\.(?P<kernel>\S+):|(?P<label>\.L_\w+|\$\S+):|\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?(?P<name>[A-Z0-9_.]+)(?P<rest>.*)"
)


def loops(cubin: bytes, follow: str) -> dict[str, list[Counter[str]]]:
    """For each kernel the instructions of its loops: from a branch's target to the branch back to it, in order.

    Functions whose names contain ``follow`` count where they are called; other calls are ways out of the ordinary.
    """
    code: dict[str, list[Line]] = {}
    current: list[Line] = []
    for line in _disassembly(cubin).splitlines():
        match = _LINE.match(line)
        if match and match["kernel"]:
            current = code.setdefault(match["kernel"], [])
        elif match:
            current.append((match["name"] or "", match["label"] or match["rest"]))
    return {kernel: _loops(lines, follow) for kernel, lines in code.items()}


def _loops(lines: list[Line], follow: str) -> list[Counter[str]]:
    places = {text: i for i, (name, text) in enumerate(lines) if not name}
    found = []
    for end, (name, text) in enumerate(lines):
        target = re.search(r"\.L_\w+", text) if name == "BRA" else None
        start = places.get(target[0], end) if target else end
        if start < end:
            found.append(_counted(lines[start : end + 1], lines, places, follow))
    return [body for body in found if body.total() > 1]  # code ends in a branch to itself


def _counted(part: list[Line], lines: list[Line], places: dict[str, int], follow: str) -> Counter[str]:
    counts = Counter(name for name, _ in part if name)
    for name, text in part:
        called = re.search(r"`\((\$.*)\)", text) if name.startswith("CALL") else None
        if called and follow in called[1]:
            start = places[called[1]]
            end = next(i for i in range(start, len(lines)) if lines[i][0].startswith("RET"))
            counts += _counted(lines[start : end + 1], lines, places, follow)
    return counts


def _disassembly(cubin: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        return subprocess.run([NVDISASM(), "-c", file.name], capture_output=True, text=True, check=True).stdout
