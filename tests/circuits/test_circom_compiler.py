"""Finding circom and running it: with small scripts in its place, and with npm's circom2 itself."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aitbc_rollup.circuits.circom.compiler import Compiler, compile_circuit, find_compiler
from aitbc_rollup.circuits.formats.r1cs import read_r1cs
from aitbc_rollup.errors import AitbcError, BadInputError, ResourceError

PATH = os.environ["PATH"]
PRODUCT = """
pragma circom 2.0.0;
template Product() {
    signal input a;
    signal input b;
    signal output c;
    signal twice <== a + a;
    c <== twice * b;
}
component main {public [a]} = Product();
"""
#: Writes what circom would, as far as one looks; its arguments are left in ``arguments``.
WRITES = """
echo "$@" > {room}/arguments
while [ "$1" != --output ]; do shift; done
mkdir "$2/product_js"
touch "$2/product.r1cs" "$2/product.sym" "$2/product_js/product.wasm"
"""


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a circuit, and no compiler in sight."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.delenv("AITBC_CIRCOM", raising=False)
    Path("product.circom").write_text(PRODUCT)
    return tmp_path


def script(path: Path, body: str, version: str = "circom compiler 2.1.9") -> Path:
    """A program that says a version, and else does what ``body`` says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; exit; fi\n{body}')
    path.chmod(0o755)
    return path


def refusal(**options: object) -> AitbcError:
    with pytest.raises(AitbcError) as caught:
        compile_circuit(Path("product.circom"), Path("out"), **options)  # type: ignore[arg-type]
    return caught.value


# -- finding ----------------------------------------------------------------------------------------------------


def test_no_compiler() -> None:
    found = refusal()
    assert (type(found), found.message, found.exit_code) == (ResourceError, "no circom compiler", 5)
    assert "npm install circom2" in str(found.hint)


def test_the_first_that_fits_is_taken(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = room / "deep" / "inside"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    on_path = script(room / "bin" / "circom2", "")
    assert find_compiler().program == on_path
    above = script(room / "node_modules" / ".bin" / "circom2", "", "circom2 npm package 0.2\ncircom compiler 2.2.3")
    assert find_compiler() == Compiler(above, (2, 2, 3))
    nearer = script(room / "deep" / "node_modules" / ".bin" / "circom2", "")
    assert find_compiler().program == nearer
    old = script(room / "bin" / "circom", "", "0.5.46")
    assert find_compiler().program == nearer
    script(old, "")
    assert find_compiler().program == old
    named = script(room / "mine", "", "circom compiler 3.0.0")
    monkeypatch.setenv("AITBC_CIRCOM", str(named))
    assert str(find_compiler()) == "circom 3.0.0"


@pytest.mark.parametrize(("version", "said"), [("circom compiler 1.9.0", "1.9.0"), ("0.5.46", "says no version")])
def test_an_old_compiler_is_named(room: Path, version: str, said: str) -> None:
    old = script(room / "bin" / "circom", "", version)
    assert refusal().got == f"{old} ({said})"


def test_the_one_that_is_named_or_none(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(room / "bin" / "circom", "")
    monkeypatch.setenv("AITBC_CIRCOM", str(room / "nothing"))
    assert refusal().place == "AITBC_CIRCOM"


# -- running ----------------------------------------------------------------------------------------------------


def test_arguments(room: Path) -> None:
    script(room / "bin" / "circom", WRITES.format(room=room))
    made = compile_circuit(Path("product.circom"), Path("out"), libraries=[Path("lib"), Path("/other")], level="O2")
    assert (made.r1cs, made.wasm) == (Path("out/product.r1cs"), Path("out/product_js/product.wasm"))
    said = (room / "arguments").read_text()
    assert said.startswith(
        f"{room}/product.circom --r1cs --wasm --sym -l {room}/lib -l /other --O2 --output {room}/out/."
    )


def test_files_are_replaced_and_others_stay(room: Path) -> None:
    script(room / "bin" / "circom", WRITES.format(room=room))
    for name in ("out/product.r1cs", "out/product_js/product.wasm", "out/other", "out/product_js/mine"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("old")
    compile_circuit(Path("product.circom"), Path("out"))
    found = {path.relative_to("out").as_posix(): path.read_text() for path in Path("out").rglob("*") if path.is_file()}
    assert found == {
        "product.r1cs": "", "product.sym": "", "product_js/product.wasm": "", "other": "old", "product_js/mine": "old"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ("echo broken >&2; exit 1", BadInputError, "circom does not compile this"),
        ("exit 101", BadInputError, "circom does not compile this"),
        ("kill -9 $$", ResourceError, "circom was killed"),
        ("true", ResourceError, "the compiler did not write all files"),
    ],
)
def test_what_goes_wrong_leaves_nothing(room: Path, body: str, error: type[AitbcError], message: str) -> None:
    script(room / "bin" / "circom", body)
    found = refusal()
    assert (type(found), found.message) == (error, message)
    assert list(Path("out").iterdir()) == []


def test_a_compiler_that_does_not_start() -> None:
    found = refusal(compiler=Compiler(Path("/nothing/circom"), (2, 0, 0)))
    assert (type(found), found.message) == (ResourceError, "circom does not start")


def test_no_source(room: Path) -> None:
    script(room / "bin" / "circom", "")
    Path("product.circom").unlink()
    found = refusal()
    assert (type(found), found.place) == (BadInputError, "product.circom")


def test_no_room(room: Path) -> None:
    script(room / "bin" / "circom", "")
    Path("out").write_text("a file")
    assert isinstance(refusal(), ResourceError)


# -- stopping ---------------------------------------------------------------------------------------------------

#: Starts a child, notes its number, and waits.
SLEEPS = "sleep 300 & echo $! > {room}/child.new; mv {room}/child.new {room}/child; wait"


def is_running(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_time_is_up(room: Path) -> None:
    script(room / "bin" / "circom", SLEEPS.format(room=room))
    found = refusal(seconds=0.3)
    assert (type(found), found.message) == (ResourceError, "circom takes too long")
    assert list(Path("out").iterdir()) == []


def test_ctrl_c_ends_the_compiler_and_what_it_started(room: Path) -> None:
    script(room / "bin" / "circom", SLEEPS.format(room=room))
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        wait_until((room / "child").exists)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        compile_circuit(Path("product.circom"), Path("out"))
    thread.join()
    child = int((room / "child").read_text())
    wait_until(lambda: not is_running(child))
    assert list(Path("out").iterdir()) == []


# -- circom itself ----------------------------------------------------------------------------------------------


@pytest.fixture
def circom2(node_bin: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AITBC_CIRCOM", node_bin("circom2"))
    monkeypatch.setenv("PATH", PATH)


@pytest.mark.node
def test_levels(circom2: None) -> None:
    constraints = {}
    for level in ("O0", "O1", "O2"):
        system = read_r1cs(compile_circuit(Path("product.circom"), Path(level), level=level).r1cs)
        assert (system.n_public_outputs, system.n_public_inputs, system.n_private_inputs) == (1, 1, 1)
        constraints[level] = system.n_constraints
    assert constraints["O0"] > constraints["O2"] == 1


@pytest.mark.node
@pytest.mark.parametrize("place", ["here", "above"])
def test_the_place_of_an_error(circom2: None, room: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    Path("product.circom").write_text(PRODUCT.replace("<== a + a", "<== a + z"))
    expected = "product.circom:7:26"
    if place == "above":
        Path("inner").mkdir()
        monkeypatch.chdir("inner")
        expected = f"{room}/{expected}"
    with pytest.raises(BadInputError) as caught:
        compile_circuit(room / "product.circom", Path("out"))
    assert (caught.value.place, caught.value.message) == (expected, "circom does not compile this")
    assert "Undeclared symbol" in str(caught.value.got) and "\x1b" not in str(caught.value.got)


@pytest.mark.node
def test_a_missing_library(circom2: None) -> None:
    Path("product.circom").write_text('pragma circom 2.0.0; include "half.circom";' + PRODUCT.partition(";")[2])
    found = refusal()
    assert "half.circom" in str(found.got) and "-l" in str(found.hint)
    Path("lib").mkdir()
    Path("lib/half.circom").write_text("pragma circom 2.0.0;")
    assert compile_circuit(Path("product.circom"), Path("out"), libraries=[Path("lib")]).sym.exists()
