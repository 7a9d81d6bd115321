"""Keys with a commitment in .zkey files: read back, prepared, kept from snarkjs, and refused where they are wrong."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from committed_world import CHALLENGE, COMMITTED, MASK, SYSTEM, Circuit
from snarkjs import Snarkjs
from test_zkey import Parts, join, patched, refused, same, twist_point_outside_g2

from aitbc_rollup.algebra import g2
from aitbc_rollup.algebra.bn254 import P
from aitbc_rollup.algebra.limbs import to_montgomery
from aitbc_rollup.circuits.formats.r1cs import encode_r1cs
from aitbc_rollup.errors import BadInputError, InvalidError
from aitbc_rollup.prover.cpu import key_cache, prepared
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.formats import zkey
from aitbc_rollup.prover.groth16 import prove_circuit
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup
from aitbc_rollup.verifier import formats
from aitbc_rollup.verifier.groth16 import verify

CPU = load_engine("cpu")
INPUTS = {"x": 3, "y": 5, "swap": True}
#: Of the commitment's section: hash, mask, count, κ, wires.
HASH, MASK_AT, COUNT, KAPPA, WIRES = 0, 4, 8, 12, 140


@pytest.fixture(scope="module")
def key() -> ProvingKey:
    return setup(SYSTEM, entropy=b"files", engine=CPU)


@pytest.fixture(scope="module")
def parts(key: ProvingKey, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """The sections of a good file, read without the reader under test."""
    path = tmp_path_factory.mktemp("zkey") / "good.zkey"
    zkey.write(path, key)
    data, found, at = path.read_bytes(), [], 12
    while at < len(data):
        number, length = int.from_bytes(data[at : at + 4], "little"), int.from_bytes(data[at + 4 : at + 12], "little")
        found.append((number, data[at + 12 : at + 12 + length]))
        at += 12 + length
    return found


def test_a_key_comes_back_and_proves(key: ProvingKey, tmp_path: Path) -> None:
    path = tmp_path / "key.zkey"
    for hash_name in ("keccak", "poseidon"):
        written = setup(SYSTEM, challenge_hash=hash_name, entropy=b"files", engine=CPU)
        zkey.write(path, written)
        for found in (zkey.read(path), ProvingKey.load(path)):
            assert same(found, written) and found.verifying_key == written.verifying_key
            assert found.commitment is not None and found.commitment.mask == MASK
            assert found.commitment.wires.tolist() == list(COMMITTED)
            proof, public = prove_circuit(found, Circuit(), INPUTS, engine=CPU)
            assert verify(written.verifying_key, public, proof)
        zkey.write(tmp_path / "again.zkey", ProvingKey.load(path))
        assert (tmp_path / "again.zkey").read_bytes() == path.read_bytes()


def test_the_layout_is_the_specifications(parts: Parts, key: ProvingKey) -> None:
    found = dict(parts)
    assert list(found) == [*range(1, 11), 0xA17B, 0xA17C, 0xA17D, 0xA17E]
    assert found[1] == (0xA17C).to_bytes(4, "little") and key.commitment is not None
    head = found[0xA17C]
    assert head[:KAPPA] == b"".join(n.to_bytes(4, "little") for n in (1, MASK, len(COMMITTED)))
    assert head[KAPPA:WIRES] == key.commitment.kappa_g2.tobytes()
    assert head[WIRES:] == b"".join(wire.to_bytes(4, "little") for wire in COMMITTED)
    assert len(found[0xA17D]) == len(found[0xA17E]) == 64 * len(COMMITTED)


def test_files_without_a_commitment_are_what_they_were(tmp_path: Path) -> None:
    """Byte for byte what the release before the commitment wrote, for the same system and the same secrets."""
    plain, path = replace(SYSTEM, commitment=None), tmp_path / "plain.zkey"
    zkey.write(path, setup(plain, entropy=b"files", engine=CPU))
    digest = hashlib.sha256(encode_r1cs(plain) + path.read_bytes()).hexdigest()
    assert digest == "75c3ad0fdb5af3d0fd82cb7f2e4c4aaf826e34ccc12d0ae3b2ef49f71647edcb"
    assert ProvingKey.load(path).commitment is None


@pytest.mark.parametrize("limit", ["1GiB", "0"])
def test_a_prepared_key_commits_as_the_file_does(
    key: ProvingKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(key_cache, "cache_root", lambda: tmp_path / "cache")
    monkeypatch.setattr(prepared, "_SMALL", 0)
    monkeypatch.setenv("AITBC_KEY_CACHE", limit)
    zkey.write(tmp_path / "key.zkey", key)
    values = np.arange(12, dtype=np.uint64).reshape(3, 4) >> np.uint64(1)
    expected = load_engine("reference").load(key).commit(values)
    for _ in range(2):
        loaded = CPU.load(ProvingKey.load(tmp_path / "key.zkey"))
        for ours, theirs in zip(loaded.commit(values), expected, strict=True):
            assert (ours == theirs).all()
    assert (tmp_path / "cache").exists() == (limit != "0")


def test_a_key_without_commitment_does_not_commit(small_key: ProvingKey) -> None:
    with pytest.raises(ValueError, match="the key has no commitment"):
        CPU.load(small_key).commit(np.zeros((0, 4), np.uint64))


def u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


BROKEN: dict[str, tuple[Callable[[Parts], Parts], str]] = {
    "said to be plain": (lambda p: patched(p, 1, 0, u32(1)), "the key's protocol has no commitment"),
    "another protocol": (lambda p: patched(p, 1, 0, u32(2)), "not for Groth16"),
    "no hash": (lambda p: patched(p, 0xA17C, HASH, u32(0)), "unknown hash"),
    "unknown hash": (lambda p: patched(p, 0xA17C, HASH, u32(3)), "unknown hash"),
    "mask not committed": (lambda p: patched(p, 0xA17C, MASK_AT, u32(9)), "the mask, wire 9, is not committed"),
    "mask nowhere": (lambda p: patched(p, 0xA17C, MASK_AT, u32(0xFFFFFFFF)), "is not committed"),
    "none committed": (lambda p: patched(p, 0xA17C, COUNT, u32(0)), "wrong length"),
    "count too large": (lambda p: patched(p, 0xA17C, COUNT, u32(0xFFFFFFFF)), "wrong length"),
    "public wire": (lambda p: patched(p, 0xA17C, WIRES, u32(CHALLENGE)), "a committed wire is not private"),
    "no such wire": (lambda p: patched(p, 0xA17C, WIRES + 8, u32(10)), "a committed wire is not private"),
    "a wire twice": (lambda p: patched(p, 0xA17C, WIRES + 4, u32(COMMITTED[0])), "not in increasing order"),
    "mask hides nothing": (lambda p: patched(p, 0xA17D, 128, bytes(64)), "the mask's point is the point at infinity"),
    "kappa off the twist": (
        lambda p: patched(p, 0xA17C, KAPPA, to_montgomery([1] * 4, P).tobytes()), "kappa_g2 is not a point of G2",
    ),
    "kappa outside G2": (
        lambda p: patched(p, 0xA17C, KAPPA, g2.to_array([twist_point_outside_g2()]).tobytes()),
        "kappa_g2 is not a point of G2",
    ),
    "kappa infinity": (lambda p: patched(p, 0xA17C, KAPPA, bytes(128)), "unusable verifying key, kappa_g2"),
    "kappa is gamma": (
        lambda p: patched(p, 0xA17C, KAPPA, dict(p)[2][340:468]), "unusable verifying key, kappa_g2",
    ),
    "K off the curve": (
        lambda p: patched(p, 0xA17D, 64, to_montgomery([1] * 2, P).tobytes()), "point 1 is not on the curve of G1",
    ),
    "sigma K off the curve": (
        lambda p: patched(p, 0xA17E, 128, to_montgomery([1] * 2, P).tobytes()), "point 2 is not on the curve of G1",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused(parts: Parts, tmp_path: Path, spoil: Callable[[Parts], Parts], message: str) -> None:
    refused(tmp_path, join(spoil(parts)), message)


@pytest.mark.parametrize("number", [0xA17C, 0xA17D, 0xA17E])
def test_a_section_missing_or_of_another_length_is_refused(parts: Parts, tmp_path: Path, number: int) -> None:
    refused(tmp_path, join([part for part in parts if part[0] != number]), f"section {number} .* is missing")
    for change in (lambda d: d[:-1], lambda d: d + bytes(8), lambda d: b""):
        spoilt = [(n, change(d) if n == number else d) for n, d in parts]
        refused(tmp_path, join(spoilt), "wrong length|too short")
    plain = [(n, u32(1) if n == 1 else d) for n, d in parts if n < 0xA17C or n == number]
    refused(tmp_path, join(plain), "the key's protocol has no commitment")


def test_cve_2024_50354_counts_of_a_small_key_take_no_memory(parts: Parts, tmp_path: Path) -> None:
    """GHSA-cph5-3pgr-c82g: gnark up to 0.11 made the arrays that a key's counts asked for before reading them."""
    (tmp_path / "bad.zkey").write_bytes(join(patched(parts, 0xA17C, COUNT, u32(0x7FFFFFFF))))
    tracemalloc.start()
    with pytest.raises(BadInputError, match="wrong length"):
        ProvingKey.load(tmp_path / "bad.zkey")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_points_that_do_not_fit_make_no_proof(key: ProvingKey) -> None:
    for name in ("committed_query", "knowledge_query"):
        points = getattr(key.arrays, name)[::-1].copy()
        spoiled = replace(key, body=key.arrays._replace(**{name: points}))
        with pytest.raises(InvalidError, match="does not verify"):
            prove_circuit(spoiled, Circuit(), INPUTS, engine=CPU)


@pytest.mark.node
def test_snarkjs_does_not_take_such_a_key_for_one_without_commitment(
    key: ProvingKey, tmp_path: Path, node_bin: Callable[[str], str]
) -> None:
    """It would verify with the challenge as one more public input, or with 0 for it, and never look at D."""
    snarkjs = Snarkjs(node_bin("snarkjs"), tmp_path)
    zkey.write(tmp_path / "key.zkey", key)
    for command in (("zkey", "export", "verificationkey"), ("zkey", "export", "solidityverifier")):
        snarkjs(*command, "key.zkey", "out", fails=True)
    assert not (tmp_path / "out").exists()
    proof, public = prove_circuit(key, Circuit(), INPUTS, engine=CPU)
    documents = {
        "key.json": formats.verification_key_to_json(key.verifying_key),
        "public.json": formats.public_to_json(public),
        "proof.json": formats.proof_to_json(proof),
    }
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document))
    assert "OK" not in snarkjs("groth16", "verify", *documents, fails=True)
