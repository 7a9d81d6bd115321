"""The machine code of a kernel's innermost loop, by instruction, as NVIDIA's disassembler prints it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

_LINE = re.compile(
    r"\.text\.(?P<kernel>\S+):|(?P<label>\.L_\w+):|\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?(?P<name>[A-Z0-9_.]+)(?P<rest>.*)"
)


def loops(cubin: bytes) -> dict[str, list[Counter[str]]]:
    """For each kernel the instructions of its loops: from a branch's target to the branch back to it, in order."""
    code: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in _disassembly(cubin).splitlines():
        match = _LINE.match(line)
        if match and match["kernel"]:
            current = code.setdefault(match["kernel"], [])
        elif match:
            current.append((match["name"] or "", match["label"] or match["rest"]))
    return {kernel: _loops(lines) for kernel, lines in code.items()}


def _loops(lines: list[tuple[str, str]]) -> list[Counter[str]]:
    places = {text: i for i, (name, text) in enumerate(lines) if not name}
    found = []
    for end, (name, text) in enumerate(lines):
        target = re.search(r"\.L_\w+", text) if name == "BRA" else None
        start = places.get(target[0], end) if target else end
        body = Counter(name for name, _ in lines[start : end + 1] if name)
        if start < end and body.total() > 1:  # code ends in a branch to itself
            found.append(body)
    return found


def _disassembly(cubin: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        return subprocess.run([_nvdisasm(), "-c", file.name], capture_output=True, text=True, check=True).stdout


def _nvdisasm() -> Path:
    folders = [Path(entry) / "nvidia" for entry in sys.path]
    return next(path for folder in folders for path in folder.glob("*/bin/nvdisasm*"))
