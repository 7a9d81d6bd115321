"""snarkjs's words on snarkjs's files: groth16, r1cs, wtns, zkey."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from cli_world import Cli, run_cli

from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.formats.r1cs import write_r1cs
from aitbc_rollup.circuits.formats.wtns import write_wtns

SOURCE = '''
from aitbc_rollup.circuits.api import Circuit

def cube():
    """Knows x with x³ + x + 5 = y, for public y."""
    circuit = Circuit("cube")
    x = circuit.private_input("x")
    circuit.public_output("y", x * x * x + x + 5)
    return circuit.compile()

number = 7
'''


def cube() -> CompiledCircuit:
    space: dict[str, object] = {"Circuit": Circuit}
    exec(SOURCE, space)
    return space["cube"]()  # type: ignore[operator,no-any-return]


class Files(NamedTuple):
    folder: Path
    r1cs: Path
    wtns: Path
    zkey: Path
    vk: Path
    source: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("cube")
    found = Files(folder, *(folder / name for name in ("c.r1cs", "w.wtns", "c.zkey", "vk.json", "circuit.py")))
    compiled = cube()
    write_r1cs(found.r1cs, compiled.r1cs)
    write_wtns(found.wtns, compiled.witness({"x": 3}))
    found.source.write_text(SOURCE)
    said = run_cli("groth16", "setup", found.r1cs, found.zkey, "--engine", "cpu", "--json")
    assert (said.code, said.json["development"]) == (0, True)
    assert run_cli("zkey", "export", "verificationkey", found.zkey, found.vk).code == 0
    return found


def test_prove_and_verify(files: Files, cli: Cli) -> None:
    assert cli("groth16", "prove", files.zkey, files.wtns, "proof.json", "public.json").code == 0
    assert json.loads(Path("public.json").read_text()) == ["35"]
    for extra in ([], ["--reference"]):
        said = cli("groth16", "verify", files.vk, "public.json", "proof.json", *extra, "--json")
        assert (said.code, said.json) == (0, {"valid": True, "development_key": True})
    Path("public.json").write_text('["36"]')
    said = cli("groth16", "verify", files.vk, "public.json", "proof.json", "--json")
    assert (said.code, said.json["message"]) == (1, "the proof does not verify")


def test_fullprove(files: Files, cli: Cli) -> None:
    Path("input.json").write_text('{"x": "3"}')
    circuit = f"{files.source}:cube"
    said = cli("groth16", "fullprove", "input.json", circuit, files.zkey, "proof.json", "public.json")
    assert said.code == 0, said.err
    assert cli("groth16", "verify", files.vk, "public.json", "proof.json").code == 0


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        ("circuit", "names no circuit"),
        ("none.py:cube", "cannot be read"),
        ("no_such_module:cube", "no such module"),
        ("{source}:missing", "no such name in the module"),
        ("{source}:number", "is no compiled circuit"),
    ],
)
def test_fullprove_without_a_circuit(files: Files, cli: Cli, circuit: str, message: str) -> None:
    Path("input.json").write_text('{"x": "3"}')
    named = circuit.format(source=files.source)
    said = cli("groth16", "fullprove", "input.json", named, files.zkey, "p.json", "q.json", "--json")
    assert (said.code, said.json["message"]) == (3, message)


@pytest.mark.parametrize("inputs", ['{"x": "three"}', '{"x": -1}', "{}", '{"x": "3", "z": "1"}', '{"x": ["3"]}'])
def test_fullprove_with_bad_inputs(files: Files, cli: Cli, inputs: str) -> None:
    Path("input.json").write_text(inputs)
    said = cli("groth16", "fullprove", "input.json", f"{files.source}:cube", files.zkey, "p.json", "q.json", "--json")
    assert said.code == 3, said.err
    assert not Path("p.json").exists()


def test_a_witness_that_does_not_hold_makes_no_proof(files: Files, cli: Cli) -> None:
    witness = cube().witness({"x": 3})
    witness[1, 0] += 1
    write_wtns(Path("bad.wtns"), witness)
    said = cli("groth16", "prove", files.zkey, "bad.wtns", "proof.json", "public.json", "--json")
    assert said.code == 1
    assert not Path("proof.json").exists()
    said = cli("wtns", "check", files.r1cs, "bad.wtns", "--json")
    assert said.code == 1
    assert "A·B = C fails" in said.json["message"]


def test_wtns(files: Files, cli: Cli) -> None:
    said = cli("wtns", "check", files.r1cs, files.wtns, "--json")
    assert (said.code, said.json["valid"]) == (0, True)
    assert cli("wtns", "export", "json", files.wtns, "w.json").code == 0
    assert json.loads(Path("w.json").read_text())[:3] == ["1", "35", "3"]


def test_r1cs(files: Files, cli: Cli) -> None:
    info = cli("r1cs", "info", files.r1cs, "--json").json
    assert {"private_inputs": 1, "public_inputs": 0, "outputs": 1, "curve": "bn-128"}.items() <= info.items()
    stats = cli("r1cs", "stats", files.r1cs, "--json").json
    assert stats["constraints"] == info["constraints"] == cube().r1cs.n_constraints
    assert stats["structure_hash"] == cube().structure_hash
    assert stats["domain"] >= stats["constraints"]


def test_solidity_verifier(files: Files, cli: Cli) -> None:
    assert cli("zkey", "export", "solidityverifier", files.zkey, "v.sol").code == 0
    text = Path("v.sol").read_text()
    vk = json.loads(files.vk.read_text())
    assert "pragma solidity" in text
    for coordinate in (*vk["vk_alpha_1"][:2], *vk["IC"][1][:2]):
        assert coordinate in text or f"{int(coordinate):x}" in text.lower()


def test_zkey_verify(files: Files, cli: Cli) -> None:
    said = cli("zkey", "verify", files.r1cs, files.zkey, "--json")
    assert (said.code, said.json) == (0, {"valid": True, "development": True, "setup_checked": False})


def test_zkey_verify_notices_another_circuit(files: Files, cli: Cli) -> None:
    circuit = Circuit("other")
    x = circuit.private_input("x")
    circuit.public_output("y", x * x * x + x + 6)
    write_r1cs("other.r1cs", circuit.compile().r1cs)
    said = cli("zkey", "verify", "other.r1cs", files.zkey, "--json")
    assert (said.code, said.json["message"]) == (1, "the key was made for another circuit")


@pytest.mark.parametrize("name", ["beta_g1", "delta_g1"])
def test_zkey_verify_notices_points_that_do_not_fit(files: Files, cli: Cli, name: str) -> None:
    import dataclasses

    from aitbc_rollup.prover.formats import zkey

    key = zkey.read(files.zkey)
    zkey.write(Path("bad.zkey"), dataclasses.replace(key, header=key.header._replace(**{name: key.header.alpha_g1})))
    said = cli("zkey", "verify", files.r1cs, "bad.zkey", "--json")
    assert (said.code, said.json["message"][1:]) == (1, " in G1 and in G2 are not the same")


def test_zkey_verify_notices_a_moved_point_of_b(files: Files, cli: Cli) -> None:
    import dataclasses

    from aitbc_rollup.prover.formats import zkey

    key = zkey.read(files.zkey)
    points = key.arrays.b_g1_query.copy()
    used = int(points.any(axis=1).argmax())
    points[used] = key.header.alpha_g1
    zkey.write(Path("bad.zkey"), dataclasses.replace(key, body=key.arrays._replace(b_g1_query=points)))
    said = cli("zkey", "verify", files.r1cs, "bad.zkey", "--json")
    assert (said.code, said.json["message"]) == (1, "B in G1 and in G2 are not the same")


BROKEN: list[list[str]] = [
    ["r1cs", "info", "{file}"],
    ["r1cs", "stats", "{file}"],
    ["wtns", "check", "{r1cs}", "{file}"],
    ["wtns", "check", "{file}", "{wtns}"],
    ["groth16", "setup", "{file}", "out.zkey"],
    ["groth16", "prove", "{file}", "{wtns}"],
    ["groth16", "prove", "{zkey}", "{file}"],
    ["groth16", "verify", "{file}", "{file}", "{file}"],
    ["zkey", "verify", "{r1cs}", "{file}"],
]


@pytest.mark.parametrize("command", BROKEN, ids=" ".join)
@pytest.mark.parametrize("content", [None, b"", b"r1cs\x01\x00\x00\x00\x07", b"zkey", b"\x00" * 4096])
def test_broken_files_are_bad_input(files: Files, cli: Cli, command: list[str], content: bytes | None) -> None:
    path = Path("broken").absolute()
    if content is not None:
        path.write_bytes(content)
    names = files._asdict() | {"file": path}
    said = cli(*(part.format(**names) for part in command), "--json")
    assert said.code == said.json["exit_code"] == 3, said.err
    assert str(path) in said.err


def test_a_cut_key(files: Files, cli: Cli) -> None:
    data = files.zkey.read_bytes()
    Path("cut.zkey").write_bytes(data[:-40])
    said = cli("groth16", "prove", "cut.zkey", files.wtns, "--json")
    assert said.code == 3
