"""circom's circuits on the command line: compile, witness, proof."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_world import Cli
from repository import REPOSITORY
from snarkjs import Snarkjs

from aitbc_rollup.circuits.circom.compiler import Compilation
from aitbc_rollup.circuits.formats.wtns import read_wtns

pytestmark = pytest.mark.node
LIBRARIES = REPOSITORY / "tests" / "node" / "node_modules"
SOURCE = REPOSITORY / "tests" / "circuits" / "circom" / "product.circom"
PRODUCT = ["127750", "250"]


@pytest.fixture(autouse=True)
def room(cli: Cli, node_bin: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder has inputs that fit, and circom is found."""
    monkeypatch.setenv("AITBC_CIRCOM", node_bin("circom2"))
    Path("input.json").write_text('{"a": 250, "b": "0x1ff"}')


@pytest.fixture
def wasm(circom: Callable[[str], Compilation]) -> Path:
    return circom("product").wasm


@pytest.fixture
def key(circom: Callable[[str], Compilation], cli: Cli) -> Path:
    assert cli("groth16", "setup", circom("product").r1cs, "c.zkey", "--engine", "cpu").code == 0
    return Path("c.zkey")


def test_one_step(cli: Cli, node_bin: Callable[[str], str]) -> None:
    arguments = ["circom", "prove", SOURCE, "input.json", "-l", LIBRARIES, "--out", "build", "--engine", "cpu"]
    said = cli(*arguments, "--json")
    assert said.code == 0, said.err
    assert (said.json["key_made"], said.json["development_key"]) == (True, True)
    assert "DEVELOPMENT KEY" in said.err
    assert json.loads(Path("build/public.json").read_text()) == PRODUCT
    files = [Path("build") / name for name in ("verification_key.json", "public.json", "proof.json")]
    assert cli("groth16", "verify", *files).code == 0
    snarkjs = Snarkjs(node_bin("snarkjs"), Path())
    assert "OK!" in snarkjs("groth16", "verify", *map(str, files))

    key = Path(said.json["key"])
    made = key.read_bytes()
    Path("input.json").write_text('{"a": 2, "b": 3}')
    said = cli(*arguments)
    assert said.code == 0
    assert json.loads(Path("build/public.json").read_text()) == ["6", "2"]
    assert key.read_bytes() == made, "the key is made once"
    assert cli("groth16", "verify", *files).code == 0


def test_one_step_with_a_key(cli: Cli, key: Path) -> None:
    said = cli("circom", "prove", SOURCE, "input.json", "-l", LIBRARIES, "--key", key, "--engine", "cpu", "--json")
    assert said.code == 0, said.err
    assert (said.json["key"], said.json["key_made"]) == ("c.zkey", False)
    said = cli("circom", "prove", SOURCE, "input.json", "-l", LIBRARIES, "--key", key, "--O0", "--json")
    assert (said.code, said.json["message"]) == (1, "the key was made for another circuit")


def test_what_is_given_is_read_before_anything_is_made(cli: Cli) -> None:
    for arguments, place in ((["input.json", "--key", "no.zkey"], "no.zkey"), (["no.json"], "no.json")):
        said = cli("circom", "prove", SOURCE, *arguments, "--out", "build", "--json")
        assert (said.code, said.json["place"]) == (3, place)
    assert not Path("build").exists()


def test_inputs_that_the_circuit_refuses_make_no_key(cli: Cli) -> None:
    Path("input.json").write_text('{"a": 250, "b": 250}')
    said = cli("circom", "prove", SOURCE, "input.json", "-l", LIBRARIES, "--out", "build", "--json")
    assert (said.code, said.json["message"]) == (1, "an assertion of the circuit fails")
    assert "Product" in said.json["got"]
    assert list(Path("build").glob("*.zkey")) == []


def test_compile(cli: Cli) -> None:
    said = cli("circom", "compile", SOURCE, "-l", LIBRARIES, "--O2", "--out", "build", "--json")
    assert said.code == 0, said.err
    assert {
        "private_inputs": 1,
        "public_inputs": 1,
        "outputs": 1,
        "compiler": "circom 2.2.3",
    }.items() <= said.json.items()
    info = cli("r1cs", "info", said.json["r1cs"], "--json").json
    assert info.items() <= said.json.items()
    assert all(Path(said.json[name]).is_file() for name in ("r1cs", "wasm", "sym"))


def test_what_does_not_compile(cli: Cli) -> None:
    Path("main.circom").write_text(
        "pragma circom 2.0.0;\ntemplate T() {\n  signal output o <== nothing;\n}\ncomponent main = T();"
    )
    said = cli("circom", "compile", "main.circom", "--json")
    assert (said.code, said.json["place"]) == (3, "main.circom:3:23")
    assert "Undeclared symbol" in said.err


def test_no_compiler(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AITBC_CIRCOM", "/nothing/circom")
    said = cli("circom", "compile", SOURCE, "--json")
    assert (said.code, said.json["error"]) == (5, "ResourceError")
    assert "npm install circom2" in said.err


def test_wtns_calculate(cli: Cli, wasm: Path, circom: Callable[[str], Compilation]) -> None:
    said = cli("wtns", "calculate", wasm, "input.json", "w.wtns", "--json")
    assert said.code == 0, said.err
    assert said.json["wires"] == len(read_wtns("w.wtns"))
    assert cli("wtns", "check", circom("product").r1cs, "w.wtns").code == 0
    assert cli("wtns", "calculate", wasm, "input.json").code == 0
    assert np.array_equal(read_wtns("witness.wtns"), read_wtns("w.wtns"))


@pytest.mark.parametrize(
    ("inputs", "code", "message"),
    [
        ('{"a": 1}', 3, "inputs are missing"),
        ('{"a": 1, "b": 2, "c": 3}', 3, "the circuit has no such input"),
        ('{"a": 1, "b": [2, 3]}', 3, "the signal has another size"),
        ('{"a": 1, "b": "two"}', 3, "not a number"),
        ('{"a": 1, "b": 2.5}', 3, "not an integer"),
        ('{"a": 1, "a": 1}', 3, "a key stands twice"),
        ("[1]", 3, "not an object"),
        ("{", 3, "not JSON"),
        ('{"a": 3, "b": 3}', 1, "an assertion of the circuit fails"),
    ],
)
def test_bad_inputs(cli: Cli, wasm: Path, inputs: str, code: int, message: str) -> None:
    Path("input.json").write_text(inputs)
    said = cli("wtns", "calculate", wasm, "input.json", "w.wtns", "--json")
    assert (said.code, said.json["message"]) == (code, message)
    assert said.json["place"].startswith("input.json")
    assert not Path("w.wtns").exists()


def test_broken_calculators(cli: Cli, wasm: Path) -> None:
    for number, content in enumerate((None, b"", b"\0asm\1\0\0\0", wasm.read_bytes()[:1000])):
        path = Path(f"{number}.wasm")
        if content is not None:
            path.write_bytes(content)
        said = cli("wtns", "calculate", path, "input.json", "--json")
        assert (said.code, said.json["place"]) == (3, str(path)), said.err


def test_fullprove_as_snarkjs_has_it(cli: Cli, wasm: Path, key: Path, node_bin: Callable[[str], str]) -> None:
    """The same words, the same files: snarkjs's command with our name in front."""
    shutil.copy(wasm, "c.wasm")
    arguments = ["groth16", "fullprove", "input.json", "c.wasm", "c.zkey", "proof.json", "public.json"]
    said = cli(*arguments)
    assert said.code == 0, said.err
    assert json.loads(Path("public.json").read_text()) == PRODUCT
    snarkjs = Snarkjs(node_bin("snarkjs"), Path())
    snarkjs("zkey", "export", "verificationkey", str(key), "vk.json")
    assert "OK!" in snarkjs("groth16", "verify", "vk.json", "public.json", "proof.json")
    snarkjs(*arguments)
    assert json.loads(Path("public.json").read_text()) == PRODUCT
    assert cli("groth16", "verify", "vk.json", "public.json", "proof.json").code == 0
