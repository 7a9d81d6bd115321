"""``zkey``: proving keys in .zkey files."""

from __future__ import annotations

from pathlib import Path

import click

from aitbc_rollup.circuits.formats.r1cs import read_r1cs
from aitbc_rollup.prover.consistency import check_matrices, check_pairs
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.rollup.files import write_whole
from aitbc_rollup.verifier.formats import verification_key_to_json
from aitbc_rollup.verifier.solidity import emit_verifier

from . import common

KEY = click.argument("key", metavar="CIRCUIT.ZKEY", type=common.PATH)


@click.group("zkey")
def zkey() -> None:
    """Proving keys in .zkey files."""


@zkey.group("export")
def export() -> None:
    """What a verifier needs of a key."""


@export.command("verificationkey")
@KEY
@click.argument("out", metavar="VERIFICATION_KEY.JSON", type=common.PATH, default=Path("verification_key.json"))
def verification_key(key: Path, out: Path) -> None:
    """Write the verifying key, as snarkjs does."""
    vk = ProvingKey.load(key).verifying_key
    common.write_json(out, verification_key_to_json(vk))


@export.command("solidityverifier")
@KEY
@click.argument("out", metavar="VERIFIER.SOL", type=common.PATH, default=Path("verifier.sol"))
def solidity_verifier(key: Path, out: Path) -> None:
    """Write a Solidity verifier with the key as constants.

    Its `verify` reverts unless a proof holds. Its `verifyProof` has the ABI of snarkjs's verifiers and answers true or
    false; a key with a commitment has none, for its proofs do not fit that ABI.
    """
    write_whole(out, emit_verifier(ProvingKey.load(key).verifying_key).encode())


@zkey.command("verify")
@click.argument("r1cs", metavar="CIRCUIT.R1CS", type=common.PATH)
@KEY
@common.as_json
def verify(r1cs: Path, key: Path, as_json: bool) -> None:
    """Check that a key belongs to a circuit. Exits with 1 if it does not.

    Checked: every point is in its group, the matrices are the circuit's, what the key holds in G1 and in G2 is the
    same. Not checked, for want of a powers-of-tau file: the setup itself.
    """
    system = read_r1cs(r1cs)
    found = ProvingKey.load(key)
    check_matrices(found, system, str(key))
    check_pairs(found, str(key))
    common.emit({"valid": True, "development": found.development, "setup_checked": False}, as_json=as_json)
