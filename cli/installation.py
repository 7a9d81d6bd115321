"""What this installation can do: facts for people and programs, and problems with a next step.

Nothing is imported before it is looked at that a wrong setting or a broken library could keep from being imported.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from aitbc_rollup import __version__
from aitbc_rollup.algebra import cpu, machine_code, threads
from aitbc_rollup.cache import cache_root
from aitbc_rollup.circuits.circom.compiler import find_compiler
from aitbc_rollup.errors import AitbcError
from aitbc_rollup.prover.cpu import key_cache

LIBRARIES = ("numba", "llvmlite", "numpy", "wasmtime", "web3")
#: Programs that some commands or tests run, and how each is asked for its version.
PROGRAMS = ("node", "snarkjs", "anvil", "forge")
WORKS = "works"
#: How long a program may take to say its version, and a self-test to compile and run.
_ASK_SECONDS, _TEST_SECONDS = 20, 300


class Problem(NamedTuple):
    """Something missing or broken, what to do about it, and whether no proof can be made before."""

    message: str
    next: str
    needed: bool


class Installation(NamedTuple):
    """Facts by section, and what is wrong."""

    facts: dict[str, dict[str, Any]]
    problems: list[Problem]

    @property
    def can_prove(self) -> bool:
        """Whether nothing that a proof needs is broken."""
        return not any(problem.needed for problem in self.problems)


def look() -> Installation:
    """Look at everything; takes a second, and a few more where kernels of the self-test are compiled."""
    problems: list[Problem] = []
    facts = {
        "package": _package(),
        "processor": _processor(problems),
        "engines": _engines(problems),
        "cache": _cache(problems),
        "programs": _programs(problems),
        "libraries": _libraries(problems),
    }
    return Installation(facts, problems)


def _package() -> dict[str, Any]:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "folder": str(Path(__file__).parent.parent),
    }


def _processor(problems: list[Problem]) -> dict[str, Any]:
    """Cores, memory, and the vector paths, each tried in a process of its own."""
    asked = os.environ.get("AITBC_THREADS", "")
    if asked and not (asked.isdecimal() and int(asked)):
        problems.append(Problem(f"AITBC_THREADS={asked} is no number of threads", "unset it, or write one", False))
    with ThreadPoolExecutor(threads.count()) as pool:
        tried = dict(zip(cpu.available(), pool.map(_try_path, cpu.available()), strict=True))
    chosen: str | None = None
    try:
        chosen = cpu.chosen()
    except AitbcError as error:
        problems.append(Problem(f"{error.place}: {error.message}", error.hint or f"choose {error.expected}", True))
    for path, wrong in tried.items():
        if wrong:
            others = [other for other, fault in tried.items() if fault is None]
            step = f"set AITBC_CPU={others[0]}, and please report it" if others else "please report it"
            problems.append(Problem(f"the vector path {path} computes wrongly: {wrong}", step, path == chosen))
    return {
        "model": _model(),
        "cores": os.cpu_count(),
        "threads": threads.count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "vector_path": chosen,
        "vector_paths": {path: wrong or WORKS for path, wrong in tried.items()},
    }


def _try_path(path: str) -> str | None:
    """What is wrong with a vector path, or ``None``."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "aitbc_rollup.algebra.selftest"],
            env=os.environ | {"AITBC_CPU": path},
            capture_output=True,
            timeout=_TEST_SECONDS,
            text=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the test did not run: {error}"
    if done.returncode < 0:
        return f"the test was ended by {signal.Signals(-done.returncode).name}"
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines() or ["it gave no reason"]
    return next((line for line in said if "Error: " in line), said[-1])


def _model() -> str:
    """The processor's name as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _engines(problems: list[Problem]) -> dict[str, str]:
    """The engines, and which of them ``auto`` is."""
    if any(problem.needed for problem in problems):
        return {"cpu": "not tried"}
    from aitbc_rollup.prover.engine import NoEngineError, load_engine

    found = {"cpu": _tried("cpu", problems, needed=True)}
    try:
        gpu = load_engine("gpu")
    except NoEngineError as error:
        return found | {"gpu": f"{error.message} ({error.got})", "auto": "cpu"}
    except AitbcError as error:
        problems.append(Problem(f"{error.message}: {error.got}", error.hint or "use --engine cpu", False))
        return found | {"gpu": error.message, "auto": "gpu"}
    return found | {"gpu": _tried("gpu", problems, needed=False), "gpu_device": gpu.describe(), "auto": "gpu"}


def _tried(engine: str, problems: list[Problem], *, needed: bool) -> str:
    """What comes of a small proof with an engine, where that takes no compiling; ``needed`` as in :class:`Problem`."""
    from aitbc_rollup.algebra.warmup import is_warm
    from aitbc_rollup.prover.exercises import exercises

    step = "run aitbc-rollup warmup, or wait once"
    try:
        if all(is_warm(exercise) for exercise in exercises(engine)):
            return WORKS
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what is wrong)
        state = f"{type(error).__name__}: {error}".splitlines()[0]
        problems.append(Problem(f"a small proof fails ({engine}): {state}", "please report it", needed))
        return state
    problems.append(Problem(f"kernels are not compiled yet ({engine})", step, False))
    return "kernels are not compiled yet"


def _cache(problems: list[Problem]) -> dict[str, Any]:
    """What is kept on disk, and whether more can be."""
    root = cache_root()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            writable = True
    except OSError as error:
        writable = False
        step = "make it writable, or name another folder in AITBC_CACHE"
        problems.append(Problem(f"{root} cannot be written ({error.strerror}): nothing is kept", step, False))
    limit: int | None = None
    try:
        limit = key_cache.limit()
    except AitbcError as error:
        problems.append(Problem(f"AITBC_KEY_CACHE is {error.message}", f"write {error.expected}", True))
    return {
        "folder": str(root),
        "writable": writable,
        "kernels": _size(machine_code.FOLDER.path.glob("*.o")),
        "keys": _size((root / "keys").glob("*.zkey")),
        "prepared_keys": _size((root / "prepared").glob("*.key")) | {"limit_bytes": limit},
        "free_bytes": shutil.disk_usage(root).free if writable else None,
    }


def _size(files: Iterable[Path]) -> dict[str, int | None]:
    """How many files, and their bytes together."""
    sizes = []
    for file in files:
        try:
            sizes.append(file.stat().st_size)
        except OSError:  # removed meanwhile
            continue
    return {"files": len(sizes), "bytes": sum(sizes)}


def _programs(problems: list[Problem]) -> dict[str, str | None]:
    """Programs of others: what each says it is, ``None`` where there is none."""
    found: dict[str, str | None] = {}
    try:
        compiler = find_compiler()
        found["circom"] = f"{compiler} ({compiler.program})"
    except AitbcError as error:
        found["circom"] = None
        step = error.hint or f"expected {error.expected}"
        problems.append(Problem(f"no circom compiler: {error.got}; circom compile and prove need one", step, False))
    return found | {name: _asked(name) for name in PROGRAMS}


def _asked(name: str) -> str | None:
    """The first line with a number in it that a program answers ``--version`` with."""
    program = shutil.which(name)
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_ASK_SECONDS,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{program} does not run: {error}"
    lines = [line.strip() for line in done.stdout.splitlines() if any(map(str.isdigit, line))]
    return f"{lines[0][:60] if lines else 'says no version'} ({program})"


def _libraries(problems: list[Problem]) -> dict[str, str | None]:
    """Versions of what the kernels and the chain are made with."""
    found: dict[str, str | None] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
            problems.append(Problem(f"{name} is not installed", f"pip install {name}", True))
    return found
