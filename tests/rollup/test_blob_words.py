"""Words into blobs and back, held against c-kzg-4844 under the ceremony's setup; the vectors of docs/spec/blob.md."""

from __future__ import annotations

import json
import random
import urllib.request
from functools import cache

import blob_vectors
import ckzg
import pytest
from blob_vectors import trusted_setup

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS, root_of_unity
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.statements.batch.layout import BLOB_WORDS
from aitbc_rollup.circuits.statements.blob import compile_blob
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.blob import BLOB_BYTES, blob_of_words, evaluate, words_of_blob


@cache
def full() -> tuple[list[int], bytes]:
    generator = random.Random(4844)
    words = [generator.randrange(R) for _ in range(BLOB_WORDS)]
    return words, blob_of_words(words)


def barycentric(blob: bytes, z: int) -> int:
    """EIP-4844's own way from evaluations to a value: (z^n − 1)/n · Σ yᵢ·ωᵢ/(z − ωᵢ), z being none of the ωᵢ."""
    omega, total = root_of_unity(BLOB_WORDS), 0
    for i in range(BLOB_WORDS):
        point = pow(omega, int(f"{i:012b}"[::-1], 2), SCALAR_MODULUS)
        value = int.from_bytes(blob[32 * i : 32 * i + 32], "big")
        total += value * point * pow(z - point, -1, SCALAR_MODULUS)
    return (pow(z, BLOB_WORDS, SCALAR_MODULUS) - 1) * pow(BLOB_WORDS, -1, SCALAR_MODULUS) * total % SCALAR_MODULUS


def test_a_blob_evaluates_to_the_sum_of_its_words() -> None:
    words, blob = full()
    z = 0x1234567 << 200
    assert (
        barycentric(blob, z)
        == evaluate(words, z)
        == sum(w * pow(z, i, SCALAR_MODULUS) for i, w in enumerate(words)) % SCALAR_MODULUS
    )


def test_the_kzg_proof_of_what_the_words_evaluate_to_verifies() -> None:
    """The precompile's own equation, with the commitment of the blob that is posted."""
    words, blob = full()
    commitment = ckzg.blob_to_kzg_commitment(blob, trusted_setup())
    for z in (0, 1, SCALAR_MODULUS - 1, root_of_unity(BLOB_WORDS), 3 << 250):
        point = z.to_bytes(32, "big")
        proof, _ = ckzg.compute_kzg_proof(blob, point, trusted_setup())
        y = evaluate(words, z)
        assert ckzg.verify_kzg_proof(commitment, point, y.to_bytes(32, "big"), proof, trusted_setup())
        other = evaluate([*words[:-1], words[-1] ^ 1], z) if z else y ^ 1
        assert not ckzg.verify_kzg_proof(commitment, point, other.to_bytes(32, "big"), proof, trusted_setup())


def test_words_come_back() -> None:
    words, blob = full()
    assert len(blob) == BLOB_BYTES
    assert words_of_blob(blob) == words
    assert words_of_blob(blob_of_words([7, R - 1])) == [7, R - 1] + [0] * (BLOB_WORDS - 2)
    assert blob_of_words([]) == bytes(BLOB_BYTES)


def test_what_is_no_word_or_no_blob_is_refused() -> None:
    with pytest.raises(BadInputError, match="do not fit one blob"):
        blob_of_words([0] * (BLOB_WORDS + 1))
    for word in (R, -1):
        with pytest.raises(BadInputError, match="no field element") as error:
            blob_of_words([1, word])
        assert error.value.place == "word 1"
    for length in (0, BLOB_BYTES - 1, BLOB_BYTES + 32):
        with pytest.raises(BadInputError, match="another length"):
            words_of_blob(bytes(length))
    with pytest.raises(BadInputError, match="not canonical") as error:
        words_of_blob(bytes(32) + SCALAR_MODULUS.to_bytes(32, "big") + bytes(BLOB_BYTES - 64))
    assert error.value.place == "blob, element 1"
    # All elements r: canonical in the blob, a constant that is no word.
    with pytest.raises(BadInputError, match="no field element"):
        words_of_blob(R.to_bytes(32, "big") * BLOB_WORDS)


def test_the_vectors_are_what_their_generator_writes() -> None:
    assert blob_vectors.FILE.read_text() == blob_vectors.render()


@pytest.mark.node
def test_the_precompile_takes_the_vectors(anvil: str) -> None:
    """EIP-4844's point evaluation at address 0x0a answers with the sizes it has, and refuses another value."""

    def call(data: str) -> dict[str, object]:
        to = {"to": "0x" + "0a".rjust(40, "0"), "data": "0x" + data}
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [to, "latest"]}
        request = urllib.request.Request(anvil, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, object] = json.load(answer)
            return found

    success = "0x" + (BLOB_WORDS.to_bytes(32, "big") + SCALAR_MODULUS.to_bytes(32, "big")).hex()
    for case in json.loads(blob_vectors.FILE.read_text())["cases"]:
        data = case["point_evaluation_input"]
        assert call(data)["result"] == success, case["name"]
        y = int(data[128:192], 16)
        assert "error" in call(data[:128] + (y ^ 1).to_bytes(32, "big").hex() + data[192:])


def test_the_circuit_says_what_the_vectors_say() -> None:
    for case in json.loads(blob_vectors.FILE.read_text())["cases"]:
        words, z, y = [int(word) for word in case["words"]], int(case["z"]), int(case["y"])
        circuit = compile_blob(len(words), limb_bits=8)
        halves = {name: [value % (1 << 128), value >> 128] for name, value in (("z", z), ("y", y))}
        assignment = {"commitment": int(case["sponge"]), "words": words, **halves}
        assert check(circuit, circuit.witness(assignment)) is None, case["name"]
        data = bytes.fromhex(case["point_evaluation_input"])
        commitment, proof = data[96:144], data[144:192]
        assert ckzg.verify_kzg_proof(commitment, data[32:64], data[64:96], proof, trusted_setup()), case["name"]
        assert int.from_bytes(data[64:96], "big") == y
