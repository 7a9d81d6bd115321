"""What each kernel takes of a chip: writes ``gpu/resources.csv`` and the table in ``docs/gpu.md``, or with ``--check``
fails where they are not as the kernels are.

Registers, spills, stack and shared memory are what the assembler says, for every architecture that is supported. For
sm_90 the machine code is read as well: how many instructions of each kind, each counted once, loops or not. A *slot*
is one 32-bit multiply-add of one thread: IMAD takes one, IMAD.WIDE and IMAD.HI take two, and the other integer
instructions run beside them on another pipe. The table gives the slots that straight-line operations add to a kernel
which copies its operand, those of functions that they call included, beside the fewest that their formulas allow; what
a function kept apart does for the rare case is not in it.

The compiler is deterministic and pinned (constraints.txt), so a difference is a change of the kernels. Cold, each
compilation takes seconds; reports are kept in the cache under a hash of what they were made from.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.metadata
import io
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from aitbc_rollup.cache import cache_root
from aitbc_rollup.errors import AitbcError, ResourceError
from aitbc_rollup.gpu import nvrtc, program

ROOT = Path(__file__).resolve().parent.parent.parent
RESULT = ROOT / "gpu" / "resources.csv"
PAGE = ROOT / "docs" / "gpu.md"
BEGIN, END = "<!-- written by gpu/tools/resources.py -->\n", "<!-- end -->"
ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
#: The architecture whose machine code is counted.
COUNTED = "sm_90"
#: In the names of functions for rare cases.
RARE = "double_in_place"
#: Instructions of the pipe beside the multiply-adds'.
OTHER_PIPE = {"IADD3", "LOP3", "SEL", "ISETP", "SHF", "PRMT", "LEA", "MOV", "VIMNMX", "IMNMX", "IABS", "PLOP3", "VIADD"}


class Usage(NamedTuple):
    """One kernel on one architecture: bytes, registers of a thread, and where they are counted instructions."""

    module: str
    kernel: str
    architecture: str
    registers: int
    stack: int
    spill_stores: int
    spill_loads: int
    shared: int
    instructions: int | None = None
    imad_wide: int | None = None
    imad_hi: int | None = None
    imad: int | None = None
    other_integer: int | None = None
    slots: int | None = None


class Primitive(NamedTuple):
    """An operation on x of ``type`` and y of ``other``, and the slots that its formula cannot do without."""

    name: str
    header: str
    type: str
    other: str
    expression: str
    least: int
    formula: str


#: Slots of eight limbs by eight: two a product; and in a reduction one more for each row's factor.
PRODUCT, SQUARE, REDUCTION = 2 * 64, 2 * 36, 2 * 64 + 8
MUL, SQR, DOT = PRODUCT + REDUCTION, SQUARE + REDUCTION, 2 * PRODUCT + REDUCTION
#: Upper half of one product, lower halves of two; the last column of a lower half is narrow, one row is a shift.
KNOWN = 2 * (43 + 28 + 21) + 8 + 7
MUL2, SQR2, CROSS2 = 3 * PRODUCT + 2 * REDUCTION, 2 * MUL, 6 * PRODUCT + 2 * REDUCTION


def _primitive(name: str, header: str, types: str, expression: str, least: int, formula: str) -> Primitive:
    kind, _, other = types.partition(" ")
    return Primitive(name, header, kind, other or kind, expression, least, formula)


PRIMITIVES = [
    _primitive("Fr mul", "field.cuh", "Fr", "Fr::mul(x, y)", MUL, "64 products, reduction"),
    _primitive("Fr sqr", "field.cuh", "Fr", "Fr::sqr(x)", SQR, "36 products, reduction"),
    _primitive(
        "Fr mul_known", "field.cuh", "Fr", "Fr::mul_known(x, y, x)", KNOWN, "half products: 43 + 28 + 21, and 15 narrow"
    ),
    _primitive("Fr add", "field.cuh", "Fr", "Fr::add(x, y)", 0, ""),
    _primitive("Fr sub", "field.cuh", "Fr", "Fr::sub(x, y)", 0, ""),
    _primitive("Fq mul", "field.cuh", "Fq", "Fq::mul(x, y)", MUL, "64 products, reduction"),
    _primitive("Fq sqr", "field.cuh", "Fq", "Fq::sqr(x)", SQR, "36 products, reduction"),
    _primitive("Fq dot: ab + cd", "field.cuh", "Fq", "Fq::dot(x, y, x, x)", DOT, "128 products, one reduction"),
    _primitive("Fq2 mul", "fq2.cuh", "Fq2", "Fq2::mul(x, y)", MUL2, "3 × 64 products, 2 reductions"),
    _primitive("Fq2 sqr", "fq2.cuh", "Fq2", "Fq2::sqr(x)", SQR2, "2 × 64 products, 2 reductions"),
    _primitive(
        "Fq2 cross: ab − cd", "fq2.cuh", "Fq2", "Fq2::cross(x, y, x, x)", CROSS2, "6 × 64 products, 2 reductions"
    ),
    _primitive(
        "G1 sum += affine",
        "curve.cuh",
        "Point<Fq> Affine<Fq>",
        "Point<Fq>::add(x, y)",
        6 * MUL + DOT + 2 * SQR,
        "8 mul, 2 sqr, two of them reduced as one",
    ),
    _primitive(
        "G1 sum += sum",
        "curve.cuh",
        "Point<Fq>",
        "(Point<Fq>::add(&x, &x, &y), x)",
        10 * MUL + DOT + 2 * SQR,
        "12 mul, 2 sqr, two of them reduced as one",
    ),
    _primitive(
        "G2 sum += affine",
        "curve.cuh",
        "Point<Fq2> Affine<Fq2>",
        "Point<Fq2>::add(x, y)",
        6 * MUL2 + CROSS2 + 2 * SQR2,
        "8 mul, 2 sqr, two of them reduced as one",
    ),
    _primitive(
        "G2 sum += sum",
        "curve.cuh",
        "Point<Fq2>",
        "(Point<Fq2>::add(&x, &x, &y), x)",
        10 * MUL2 + CROSS2 + 2 * SQR2,
        "12 mul, 2 sqr, two of them reduced as one",
    ),
]

#: Operands differ between threads: what they share would be worked out by the pipe of a warp's common values.
_PRIMITIVE = """\
#include "{header}"
#define AT(pointer) (pointer[blockIdx.x * blockDim.x + threadIdx.x])
KERNEL applied({type}* out, const {type}* in, const {other}* from) {{
    *(const volatile u32*)&AT(from);
    {type} x = AT(in);
    {other} y = AT(from);
    AT(out) = {expression};
}}
KERNEL copied({type}* out, const {type}* in, const {other}* from) {{
    *(const volatile u32*)&AT(from);
    AT(out) = AT(in);
}}
"""


# -- reading the compiler ---------------------------------------------------------------------------------------------


class Function(NamedTuple):
    """Instructions of a function in machine code, by name with modifiers, padding left out; and what it calls."""

    instructions: Counter[str]
    calls: Counter[str]


def disassemble(cubin: bytes) -> dict[str, dict[str, Function]]:
    """Each kernel, under the empty name, with the functions that were compiled for it, under their labels.

    Raises:
        ResourceError: nvdisasm is not installed, or fails.
    """
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        done = subprocess.run([nvdisasm(), "-c", file.name], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ResourceError("machine code cannot be read", place="nvdisasm", got=done.stderr)
    kernels: dict[str, dict[str, Function]] = {}
    functions: dict[str, Function] = {}
    current = Function(Counter(), Counter())
    for line in done.stdout.splitlines():
        if label := re.match(r"\.text\.(\S+):", line):
            functions = kernels.setdefault(label[1], {})
            current = functions[""] = Function(Counter(), Counter())
        elif label := re.match(r"(\$\S+):", line):
            current = functions[label[1]] = Function(Counter(), Counter())
        elif code := re.match(r"\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z0-9_.]+)", line):
            current.instructions[code[1]] += code[1] != "NOP"
            if call := re.search(r"CALL.*`\((\S+)\)", line):
                current.calls[call[1]] += 1
    return kernels


def executed(functions: dict[str, Function], name: str = "") -> Counter[str]:
    """Instructions of a function without loops and of what it calls, as often as it does, rare cases left out."""
    instructions, calls = functions[name]
    total = Counter(instructions)
    for called, many in calls.items():
        if RARE not in called:
            for code, count in executed(functions, called).items():
                total[code] += many * count
    return total


def nvdisasm() -> Path:
    """The program of the wheel nvidia-cuda-nvdisasm.

    Raises:
        ResourceError: it is not installed.
    """
    for file in _files("nvidia-cuda-nvdisasm"):
        if file.stem == "nvdisasm":
            return file
    raise ResourceError(
        "machine code cannot be read", place="nvdisasm", hint="pip install -c constraints.txt -e '.[dev]'"
    )


def _files(distribution: str) -> Iterator[Path]:
    try:
        for file in importlib.metadata.files(distribution) or []:
            yield Path(str(file.locate()))
    except importlib.metadata.PackageNotFoundError:
        return


def counts(instructions: Counter[str]) -> tuple[int, int, int, int, int, int]:
    """All, IMAD.WIDE, IMAD.HI, other IMAD, integer instructions of the other pipe, slots."""
    by_kind: Counter[str] = Counter()
    for name, many in instructions.items():
        head, *rest = name.split(".")
        if head == "IMAD":
            by_kind[rest[0] if rest and rest[0] in ("WIDE", "HI") else head] += many
        elif head in OTHER_PIPE:
            by_kind["other"] += many
    wide, high, low = by_kind["WIDE"], by_kind["HI"], by_kind["IMAD"]
    return instructions.total(), wide, high, low, by_kind["other"], 2 * (wide + high) + low


def written(functions: dict[str, Function]) -> Counter[str]:
    """Instructions of a kernel and of the functions compiled for it, each once."""
    return sum((function.instructions for function in functions.values()), Counter())


def usages(
    module: str,
    compiled: nvrtc.Compiled,
    architecture: str,
    count: Callable[[dict[str, Function]], Counter[str]] = written,
) -> list[Usage]:
    """What the compiler's log and the machine code say of a module's kernels, by name."""
    found, code = [], disassemble(compiled.cubin) if architecture == COUNTED else {}
    for entry in compiled.log.split("Compiling entry function '")[1:]:
        kernel = entry.split("'", 1)[0]

        def figure(pattern: str, text: str = entry) -> int:
            match = re.search(pattern, text)
            return int(match[1]) if match else 0

        found.append(
            Usage(
                module,
                kernel,
                architecture,
                figure(r"Used (\d+) registers"),
                figure(r"(\d+) bytes cumulative stack") or figure(r"(\d+) bytes stack frame"),
                figure(r"(\d+) bytes spill stores"),
                figure(r"(\d+) bytes spill loads"),
                figure(r"(\d+) bytes smem"),
                *(counts(count(code[kernel])) if kernel in code else ()),
            )
        )
    return sorted(found)


def report(
    module: str,
    text: str,
    architecture: str,
    count: Callable[[dict[str, Function]], Counter[str]] = written,
) -> list[Usage]:
    """What a module's kernels take, from the cache if the same was compiled before."""
    made_from = [text, *program.included(text).values(), *program.OPTIONS, architecture]
    made_from += [module, count.__name__, Path(__file__).read_text(), *versions()]
    kept = cache_root() / "gpu-reports" / f"{hashlib.sha256(chr(0).join(made_from).encode()).hexdigest()[:24]}.json"
    if kept.exists():
        return [Usage(*row) for row in json.loads(kept.read_text())]
    rows = usages(module, program.compile_module(module, architecture, text), architecture, count)
    kept.parent.mkdir(parents=True, exist_ok=True)
    whole = kept.with_suffix(f".{os.getpid()}.{architecture}")
    whole.write_text(json.dumps(rows))
    whole.replace(kept)
    return rows


# -- the files --------------------------------------------------------------------------------------------------------


def versions() -> list[str]:
    """The compiler and the disassembler that are installed."""
    return [importlib.metadata.version(name) for name in ("nvidia-cuda-nvrtc", "nvidia-cuda-nvdisasm")]


def table() -> str:
    """Text of ``resources.csv``."""
    each = [(module, architecture) for module in program.modules() for architecture in ARCHITECTURES]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = pool.map(lambda job: report(job[0], program.source(job[0]), job[1]), each)
        rows = sorted(itertools.chain.from_iterable(reports))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Usage._fields)
    writer.writerows(rows)
    return text.getvalue()


def primitives() -> str:
    """The table of operations for the page."""
    lines = ["| operation | IMAD.WIDE | IMAD.HI | IMAD | slots | least | over | other integer | least, made of |"]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = list(
            pool.map(lambda p: report(p.name, _PRIMITIVE.format(**p._asdict()), COUNTED, executed), PRIMITIVES)
        )
    for p, (applied, copied) in zip(PRIMITIVES, reports, strict=True):
        wide, high, low, other, slots = (
            (getattr(applied, name) or 0) - (getattr(copied, name) or 0)
            for name in ("imad_wide", "imad_hi", "imad", "other_integer", "slots")
        )
        over = f"{100 * (slots - p.least) / p.least:+.0f}%" if p.least else ""
        lines.append(f"| {p.name} | {wide} | {high} | {low} | {slots} | {p.least} | {over} | {other} | {p.formula} |")
    return f"{chr(10).join(lines)}\n\nNVRTC {versions()[0]}, {COUNTED}.\n"


def page(text: str) -> str:
    """The page with its table made anew."""
    before, rest = text.split(BEGIN, 1)
    return before + BEGIN + primitives() + END + rest.split(END, 1)[1]


def main() -> int:
    """Write, check, or time a cold compilation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="fail where the files differ; 0 and a word without NVRTC")
    parser.add_argument("--time", action="store_true", help="seconds that each module takes to compile, nothing kept")
    arguments = parser.parse_args()
    try:
        nvrtc.library()
    except ResourceError as error:
        print(f"GPU resources not {'checked' if arguments.check else 'written'}: {error}", file=sys.stderr)
        return 0 if arguments.check else error.exit_code
    if arguments.time:
        return _time()
    try:
        wanted = {RESULT: table(), PAGE: page(PAGE.read_text())}
    except AitbcError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if not arguments.check:
        for path, text in wanted.items():
            path.write_text(text)
        return 0
    lines = [line for path, text in wanted.items() for line in differences(path, text)]
    if lines:
        print(*lines, "Next: python gpu/tools/resources.py; say in the commit why", sep="\n", file=sys.stderr)
        _warn_of_version()
    return 1 if lines else 0


def differences(path: Path, text: str) -> list[str]:
    """What a file would lose and gain by being written anew."""
    old, new = (path.read_text().splitlines() if path.exists() else []), text.splitlines()
    if old == new:
        return []
    head = f"{path.relative_to(ROOT)} is not as the kernels are:"
    gone, come = sorted(set(old) - set(new)), sorted(set(new) - set(old))
    return [head, *(f"  - {line}" for line in gone), *(f"  + {line}" for line in come)]


def _warn_of_version() -> None:
    pinned = (ROOT / "constraints.txt").read_text()
    if (installed := f"nvidia-cuda-nvrtc=={versions()[0]}") not in pinned:
        print(f"  {installed} is not the compiler that constraints.txt names: figures differ with it", file=sys.stderr)


def _time() -> int:
    total = 0.0
    for module in program.modules():
        start = time.process_time()
        program.compile_module(module, COUNTED)
        total += time.process_time() - start
        print(f"{module:16} {time.process_time() - start:6.2f} s")
    print(f"{'all':16} {total:6.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
