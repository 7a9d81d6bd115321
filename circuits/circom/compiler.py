"""circom's own compiler, found and run: a .circom in, .r1cs, .wasm and .sym out.

Either form will do: the program ``circom`` (https://docs.circom.io), or the same compiler as the npm package
``circom2``. The files get the names and places that circom gives them, so that scripts find them.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aitbc_rollup.errors import BadInputError, ResourceError, unreadable

#: How long the compiler may take, in seconds.
TIME_LIMIT: float = 3600
_VERSION = re.compile(r"circom compiler (\d+)\.(\d+)\.(\d+)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
#: A place in circom's messages: file, line, column.
_PLACE = re.compile(r'"(?P<file>[^"\n]+)":(?P<line>\d+):(?P<column>\d+)')
_INSTALL = "install circom (https://docs.circom.io), or `npm install circom2`, or name the program in AITBC_CIRCOM"


@dataclass(frozen=True)
class Compiler:
    """A program that compiles circom, and the version it says it is."""

    program: Path
    version: tuple[int, int, int]

    def __str__(self) -> str:
        return "circom " + ".".join(map(str, self.version))


@dataclass(frozen=True)
class Compilation:
    """Files of a compiled circuit, and what the compiler warned of."""

    r1cs: Path
    wasm: Path
    sym: Path
    compiler: Compiler
    warnings: str


def find_compiler() -> Compiler:
    """The compiler of this machine.

    It is the program that ``AITBC_CIRCOM`` names; else the first of version 2 or later among ``circom`` on the PATH,
    ``circom2`` in the ``node_modules`` of the current folder or of one above, and ``circom2`` on the PATH.

    Raises:
        ResourceError: there is none, or only older ones.
    """
    found = []
    for program in _candidates():
        version = _version(program)
        if version is not None and version >= (2, 0, 0):
            return Compiler(program, version)
        found.append(f"{program} ({'.'.join(map(str, version)) if version else 'says no version'})")
    raise ResourceError(
        "no circom compiler",
        place=os.environ.get("AITBC_CIRCOM") and "AITBC_CIRCOM",
        expected="circom, version 2 or later",
        got=", ".join(found) or "neither circom nor circom2 on the PATH, nor circom2 in node_modules",
        hint=_INSTALL,
    )


def compile_circuit(
    source: Path,
    out: Path,
    *,
    libraries: Sequence[Path] = (),
    level: str | None = None,
    seconds: float = TIME_LIMIT,
    compiler: Compiler | None = None,
) -> Compilation:
    """Compile ``NAME.circom`` into a folder: ``NAME.r1cs``, ``NAME.sym`` and ``NAME_js/NAME.wasm`` with its scripts.

    The field is BN254's. Nothing in the folder changes before the compiler is done, and each file appears whole.

    Args:
        source: the file with the main component.
        out: the folder, made if need be.
        libraries: folders that includes are looked for in.
        level: ``O0``, ``O1`` or ``O2``, how hard circom simplifies; its own default if left out.
        seconds: the compiler is killed after this time, as it is by Ctrl-C.
        compiler: what compiles; :func:`find_compiler` if left out.

    Raises:
        BadInputError: the file cannot be read, or does not compile: place and message are the compiler's.
        ResourceError: no compiler, no room, or no time.
    """
    try:
        source.open("rb").close()
    except OSError as error:
        raise unreadable(source, "a .circom file", error) from None
    compiler = compiler or find_compiler()
    arguments = [_absolute(source), "--r1cs", "--wasm", "--sym"]
    arguments += [word for library in libraries for word in ("-l", _absolute(library))]
    if level is not None:
        arguments.append(f"--{level}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=f".{source.stem}.") as made:
            warnings = _run(compiler, [*arguments, "--output", _absolute(Path(made))], source, seconds)
            _check_complete(Path(made), source, compiler)
            _move(Path(made), out)
    except OSError as error:
        raise ResourceError(
            "the circuit's files cannot be written",
            place=str(out),
            got=error.strerror or str(error),
            hint="check space and rights",
        ) from None
    r1cs, wasm, sym = (out / name for name in _products(source))
    return Compilation(r1cs, wasm, sym, compiler, warnings)


# -- finding ----------------------------------------------------------------------------------------------------


def _candidates() -> Iterator[Path]:
    named = os.environ.get("AITBC_CIRCOM")
    if named:
        yield Path(shutil.which(named) or named)
        return
    if on_path := shutil.which("circom"):
        yield Path(on_path)
    for folder in (Path.cwd(), *Path.cwd().parents):
        local = folder / "node_modules" / ".bin" / "circom2"
        if local.exists():
            yield local
    if on_path := shutil.which("circom2"):
        yield Path(on_path)


def _version(program: Path) -> tuple[int, int, int] | None:
    """The version that a program says it is; None if it says none, or does not run."""
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout.decode(errors="replace"))
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


# -- running ----------------------------------------------------------------------------------------------------


def _run(compiler: Compiler, arguments: list[str], source: Path, seconds: float) -> str:
    """Run the compiler; returns what it warned of."""
    # From the root, where every path is below: circom2 sees the disk through a sandbox that loses its way upwards.
    # In a session of its own, so that whatever it starts ends with it.
    try:
        process = subprocess.Popen(
            [compiler.program.absolute(), *arguments],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        got = error.strerror or str(error)
        raise ResourceError("circom does not start", place=str(compiler.program), got=got, hint=_INSTALL) from None
    try:
        _, said = process.communicate(timeout=seconds)
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise ResourceError(
                "circom takes too long",
                place=str(source),
                expected=f"at most {seconds:g} seconds",
                hint="allow more time, or use the native circom: it is faster than npm's",
            ) from None
        raise
    text = _readable(said)
    if process.returncode < 0:
        raise ResourceError(
            "circom was killed",
            place=str(source),
            got=f"signal {-process.returncode}",
            hint="it may have run out of memory: try a machine with more",
        )
    if process.returncode:
        where = _PLACE.search(text)
        place = f"{where['file']}:{where['line']}:{where['column']}" if where else str(source)
        raise BadInputError(
            "circom does not compile this", place=place, got=text or f"exit code {process.returncode}",
            hint="mend the circuit; folders of included libraries go in with -l",
        )  # fmt: skip
    return text


def _products(source: Path) -> tuple[str, str, str]:
    """Where circom puts .r1cs, .wasm and .sym."""
    name = source.stem
    return f"{name}.r1cs", f"{name}_js/{name}.wasm", f"{name}.sym"


def _check_complete(made: Path, source: Path, compiler: Compiler) -> None:
    missing = [name for name in _products(source) if not (made / name).is_file()]
    if missing:
        raise ResourceError(
            "the compiler did not write all files",
            place=str(compiler.program),
            expected=", ".join(_products(source)),
            got=f"no {', no '.join(missing)}",
            hint=_INSTALL,
        )


def _move(made: Path, out: Path) -> None:
    """Bring the files into their folder, each at once."""
    for path in sorted(made.rglob("*")):
        target = out / path.relative_to(made)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            path.replace(target)


def _readable(said: bytes) -> str:
    """circom's messages without colours, and with paths from the root, where it ran."""
    text = _COLOUR.sub("", said.decode(errors="replace")).replace("previous errors were found", "").strip()
    here = str(Path.cwd()) + os.sep

    def path(found: re.Match[str]) -> str:
        return f'"{("/" + found["file"].removeprefix("/")).removeprefix(here)}":{found["line"]}:{found["column"]}'

    return _PLACE.sub(path, text)


def _absolute(path: Path) -> str:
    # Not resolved: circom looks for includes beside the name it was given.
    return os.path.abspath(path)  # noqa: PTH100 (Path.absolute keeps "..")
