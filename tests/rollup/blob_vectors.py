"""Writes ``docs/spec/vectors/blob.json``: words, blobs, values and KZG proofs under the ceremony's setup.

``python tests/rollup/blob_vectors.py`` writes it; ``test_blob_words.py`` holds it against the code. Integers are
decimal strings, bytes hexadecimal. KZG is c-kzg-4844's (PyPI ``ckzg``), its trusted setup the one eth-account ships.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import ckzg

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS, root_of_unity
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.reference.poseidon import sponge
from aitbc_rollup.circuits.statements.batch.layout import BLOB_WORDS, Tag
from aitbc_rollup.rollup.blob import blob_of_words, evaluate

FILE = Path(__file__).parents[2] / "docs" / "spec" / "vectors" / "blob.json"


@cache
def trusted_setup() -> Any:
    """The ceremony's setup, as it is deployed."""
    source = files("eth_account") / "typed_transactions" / "blob_transactions" / "kzg_trusted_setup.txt"
    with as_file(source) as path:
        return ckzg.load_trusted_setup(str(path), 0)


def case(name: str, words: list[int], z: int) -> dict[str, Any]:
    """One polynomial: what the circuit says of it, and what the precompile is called with."""
    blob, y = blob_of_words(words), evaluate(words, z)
    commitment = ckzg.blob_to_kzg_commitment(blob, trusted_setup())
    proof, value = ckzg.compute_kzg_proof(blob, z.to_bytes(32, "big"), trusted_setup())
    assert int.from_bytes(value, "big") == y
    versioned = b"\x01" + hashlib.sha256(commitment).digest()[1:]
    return {
        "name": name,
        "words": [str(word) for word in words],
        "sponge": str(sponge(Tag.BATCH, words)),
        "z": str(z),
        "y": str(y),
        "blob_sha256": hashlib.sha256(blob).hexdigest(),
        "blob_begins": blob[:64].hex(),
        "kzg_commitment": commitment.hex(),
        "point_evaluation_input": (versioned + z.to_bytes(32, "big") + value + commitment + proof).hex(),
    }


def vectors() -> dict[str, Any]:
    """The vectors as they stand in the file."""
    random_words = [int.from_bytes(hashlib.sha256(f"word {i}".encode()).digest(), "big") % R for i in range(32)]
    point = int.from_bytes(hashlib.sha256(b"z").digest(), "big") % SCALAR_MODULUS
    return {
        "generator": "tests/rollup/blob_vectors.py",
        "specification": "docs/spec/blob.md",
        "modulus": str(SCALAR_MODULUS),
        "root_of_unity": str(root_of_unity(BLOB_WORDS)),
        "cases": [
            case("a constant", [5], 7),
            case("the greatest word at the greatest point", [R - 1, R - 1], SCALAR_MODULUS - 1),
            case("the point is one of the blob's own", [1, 2, 3], root_of_unity(BLOB_WORDS)),
            case("the point is 0", [9, 8, 7], 0),
            case("32 words", random_words, point),
        ],
    }


def render() -> str:
    """The file's text."""
    return json.dumps(vectors(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(render())
