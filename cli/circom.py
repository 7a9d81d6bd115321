"""``circom``: circuits in circom, compiled by its compiler, proven here."""

from __future__ import annotations

from pathlib import Path

import click

from aitbc_rollup.circuits.check import assert_satisfied
from aitbc_rollup.circuits.circom.compiler import TIME_LIMIT, Compilation, compile_circuit
from aitbc_rollup.circuits.formats.r1cs import read_r1cs
from aitbc_rollup.prover.consistency import check_matrices
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.rollup.files import read_json
from aitbc_rollup.rollup.keys import key_at
from aitbc_rollup.rollup.reporting import stage
from aitbc_rollup.verifier.formats import verification_key_to_json

from . import common
from .progress import Display, reporter
from .proving import circom_witness, prove_and_write
from .r1cs import sizes

SOURCE = click.argument("source", metavar="MAIN.CIRCOM", type=common.PATH)
COMPILING = common.options(
    click.option("--out", type=common.PATH, default=Path(), help="Folder of the files made.  [default: this one]"),
    click.option(
        "-l", "--library", "libraries", type=common.PATH, multiple=True, help="Folder that includes come from."
    ),
    click.option("--O0", "level", flag_value="O0", help="Do not simplify."),
    click.option("--O1", "level", flag_value="O1", help="Simplify what is only copied, or constant."),
    click.option("--O2", "level", flag_value="O2", help="Simplify all linear constraints."),
)


@click.group("circom")
def circom() -> None:
    """Circuits in circom.

    The compiler is the program that AITBC_CIRCOM names, or circom on the PATH, or npm's circom2 in node_modules or on
    the PATH, version 2 or later.
    """


@circom.command("compile")
@SOURCE
@common.options(COMPILING, common.timeout("the compiler", TIME_LIMIT), common.as_json)
def compile_(
    source: Path, out: Path, libraries: tuple[Path, ...], level: str | None, timeout: float, as_json: bool
) -> None:
    """Compile a circuit to MAIN.r1cs, MAIN.sym and MAIN_js/MAIN.wasm, where circom puts them."""
    with reporter(as_json) as report:
        files, seconds = _compile(source, out, libraries, level, timeout, report)
    result = {
        "r1cs": str(files.r1cs),
        "wasm": str(files.wasm),
        "sym": str(files.sym),
        **sizes(read_r1cs(files.r1cs)),
        "compiler": str(files.compiler),
        "seconds": seconds,
    }
    common.emit(result, as_json=as_json)


@circom.command("prove")
@SOURCE
@click.argument("inputs", metavar="INPUT.JSON", type=common.PATH)
@click.option("--key", type=common.PATH, metavar="CIRCUIT.ZKEY", help="Key of a ceremony.  [default: one made here]")
@common.options(
    COMPILING, common.timeout("the compiler, or the circuit's calculator,", TIME_LIMIT), common.engine, common.as_json
)
def prove(
    source: Path, inputs: Path, key: Path | None, out: Path, libraries: tuple[Path, ...], level: str | None,
    timeout: float, engine: str, as_json: bool,
) -> None:  # fmt: skip
    """Compile, calculate the witness, prove: one step to proof.json, public.json, verification_key.json.

    Without --key, a development key is made for the circuit, once, and kept in the output folder. Whoever made it can
    forge proofs, so it is marked and refused off local chains.
    """
    given = read_json(inputs)
    proving_key = ProvingKey.load(key) if key else None
    made = False
    with reporter(as_json) as report:
        files, _ = _compile(source, out, libraries, level, timeout, report)
        system = read_r1cs(files.r1cs)
        if proving_key:
            check_matrices(proving_key, system, str(key))
        witness, _ = circom_witness(files.wasm, given, inputs, timeout, report)
        assert_satisfied(system, witness)
        path = key or out / f"{source.stem}-{system.structure_hash[:16]}.zkey"
        if proving_key is None:
            with stage(report, "keys"):
                proving_key, made = key_at(path, system, load_engine(engine), report)
        if proving_key.development:
            report.say(
                f"DEVELOPMENT KEY: who made {path} can forge proofs. For local chains only; --key takes another."
            )
        proof, public, vk = (out / name for name in ("proof.json", "public.json", "verification_key.json"))
        seconds = prove_and_write(proving_key, witness, (proof, public), engine, report)
        common.write_json(vk, verification_key_to_json(proving_key.verifying_key))
    result = {
        "proof": str(proof),
        "public": str(public),
        "verification_key": str(vk),
        "key": str(path),
        "key_made": made,
        "development_key": proving_key.development,
        "constraints": system.n_constraints,
        "compiler": str(files.compiler),
        "seconds": seconds,
    }
    common.emit(result, as_json=as_json)


def _compile(
    source: Path, out: Path, libraries: tuple[Path, ...], level: str | None, timeout: float, report: Display
) -> tuple[Compilation, float]:
    with stage(report, "circom") as running:
        files = compile_circuit(source, out, libraries=libraries, level=level, seconds=timeout)
        running.note = str(files.compiler)
    if files.warnings:
        report.say(files.warnings)
    return files, round(running.seconds, 3)
