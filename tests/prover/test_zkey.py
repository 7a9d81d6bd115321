"""The .zkey format: what is written is read back, and nothing else is."""

from __future__ import annotations

import random
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import G2_COFACTOR, P, R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs, to_montgomery
from aitbc_rollup.algebra.reference import curve, tower
from aitbc_rollup.circuits.formats import sections
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.errors import BadInputError, ResourceError
from aitbc_rollup.prover.cpu import coefficients
from aitbc_rollup.prover.cpu.coefficients import Counts, Words
from aitbc_rollup.prover.cpu.membership import all_in_g2, first_invalid
from aitbc_rollup.prover.cpu.msm import msm
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.formats import pieces, zkey
from aitbc_rollup.prover.groth16 import prove
from aitbc_rollup.prover.keys import Matrix, ProvingKey

System = tuple[R1CS, Limbs]
Parts = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def parts(small_key: ProvingKey, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """The sections of a good file, read without the reader under test."""
    path = tmp_path_factory.mktemp("zkey") / "good.zkey"
    zkey.write(path, small_key)
    data, found, at = path.read_bytes(), [], 12
    while at < len(data):
        number, length = struct.unpack_from("<IQ", data, at)
        found.append((number, data[at + 12 : at + 12 + length]))
        at += 12 + length
    return found


def join(parts: Parts, magic: bytes = b"zkey", version: int = 1) -> bytes:
    head = magic + struct.pack("<II", version, len(parts))
    return head + b"".join(struct.pack("<IQ", number, len(data)) + data for number, data in parts)


def patched(parts: Parts, number: int, offset: int, data: bytes) -> Parts:
    def patch(old: bytes) -> bytes:
        assert offset + len(data) <= len(old)
        return old[:offset] + data + old[offset + len(data) :]

    return [(n, patch(old) if n == number else old) for n, old in parts]


def refused(tmp_path: Path, data: bytes, message: str) -> BadInputError:
    path = tmp_path / "bad.zkey"
    path.write_bytes(data)
    with pytest.raises(BadInputError, match=message):
        load_engine("cpu").load(ProvingKey.load(path))
    with pytest.raises(BadInputError, match=message) as caught:
        zkey.read(path)
    assert str(path) in str(caught.value.place)
    return caught.value


def same(left: ProvingKey, right: ProvingKey) -> bool:
    arrays = [(*k.header, k.ic, *k.arrays.a, *k.arrays.b, *k.arrays[2:]) for k in (left, right)]
    rest = [(k.n_wires, k.n_public, k.power, k.development, k.circuit_hash, k.contributions) for k in (left, right)]
    return rest[0] == rest[1] and all(np.array_equal(x, y) for x, y in zip(*arrays, strict=True))


def test_a_key_comes_back_and_proves(small: System, small_key: ProvingKey, tmp_path: Path) -> None:
    path = tmp_path / "key.zkey"
    zkey.write(path, small_key)
    key = zkey.read(path)
    assert same(key, small_key)
    assert key.verifying_key == small_key.verifying_key
    prove(key, small[1], engine=load_engine("cpu"))
    first = path.read_bytes()
    zkey.write(path, key)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path], "no temporary file is left"


def test_a_loaded_key_is_read_piece_by_piece(
    small: System, small_key: ProvingKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "_POINTS_AT_ONCE", 6)
    monkeypatch.setattr(zkey, "_RECORDS_AT_ONCE", 5)
    path = tmp_path / "key.zkey"
    zkey.write(path, small_key)
    key = ProvingKey.load(path)
    assert same(key, small_key)
    for query in ("a", "b_g2"):
        assert max(map(len, key.body.points(query))) < key.n_points(query)
    zkey.write(tmp_path / "again.zkey", key)
    assert (tmp_path / "again.zkey").read_bytes() == path.read_bytes()
    for engine in ("cpu", "reference"):
        for ours, theirs in zip(
            load_engine(engine).load(ProvingKey.load(path)).sums(small[1]),
            load_engine("reference").load(small_key).sums(small[1]),
            strict=True,
        ):
            assert (ours == theirs).all()


def test_a_file_that_changes_while_it_is_read_is_refused(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between counting coefficients and placing them: a kernel must not write where the first look did not say."""
    path = tmp_path / "key.zkey"
    path.write_bytes(join(parts))
    real = coefficients.matrices
    for field, value in ((0, 1), (0, 1 << 31), (1, 1), (1, 1 << 31)):

        def change(counts: Counts, pieces: Iterator[Words], at: int = field, by: int = value) -> tuple[Matrix, Matrix]:
            spoilt = [records.copy() for records in pieces]
            spoilt[0][0, at] += by
            return real(counts, spoilt)

        monkeypatch.setattr(coefficients, "matrices", change)
        with pytest.raises(BadInputError, match="the file changed while it was read"):
            ProvingKey.load(path).body.matrices()


def test_a_key_whose_file_is_changed_before_its_body_is_read_is_refused(
    small: System, small_key: ProvingKey, tmp_path: Path
) -> None:
    """snarkjs writes files in place: what was mapped may be gone. A file that takes another's name changes nothing."""
    path = tmp_path / "key.zkey"
    zkey.write(path, small_key)
    key = ProvingKey.load(path)
    zkey.write(path, small_key)
    assert key.prove(small[1])
    key = ProvingKey.load(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(BadInputError, match="the file has changed since it was opened"):
        key.prove(small[1])


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "key.zkey"
    path.write_bytes(b"old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise OSError("disk full")

    with pytest.raises(ResourceError, match="disk full"):
        sections.write(path, b"zkey", 1, [(1, pieces())])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_mark_is_a_section_and_without_it_the_key_is_not_marked(parts: Parts, tmp_path: Path) -> None:
    assert dict(parts)[zkey.DEVELOPMENT] == b"\1\0\0\0"
    path = tmp_path / "unmarked.zkey"
    path.write_bytes(join([part for part in parts if part[0] != zkey.DEVELOPMENT]))
    assert not zkey.read(path).verifying_key.development


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: join(p, magic=b"zkez"), "not a .zkey file"),
        (lambda p: join(p, version=2), "unknown version"),
        (lambda p: join(p) + b"\0", "bytes after the last section"),
        (lambda p: join([*p, p[4]]), "is there twice"),
        (lambda p: join([*p[:-1], p[4]]), r"section 5 \(A\) is there twice"),
        (lambda p: join([*p[:-1], (11, b"")]), "unknown section 11"),
        (lambda p: join(p)[:-1], "longer than the file"),
        (lambda p: join(patched(p, 1, 0, b"\2")), "not for Groth16"),
        (lambda p: join(patched(p, 2, 4, b"\0")), "another curve"),
        (lambda p: join(patched(p, 2, 40, b"\0")), "another curve"),
        (lambda p: join(patched(p, 2, 72, b"\xff\xff\xff\xff")), "wrong length"),
        (lambda p: join(patched(p, 2, 72, b"\1\0\0\0")), "more public wires than wires"),
        (lambda p: join(patched(p, 2, 76, b"\1")), "wrong length"),
        (lambda p: join(patched(p, 2, 80, b"\7")), "not the size of a domain"),
        (lambda p: join(patched(p, 2, 80, b"\0\0\0\0")), "not the size of a domain"),
        (lambda p: join(patched(p, 2, 80, b"\0\0\0\x20")), "not the size of a domain"),
        (lambda p: join(patched(p, 2, 80, b"\2")), "no room for the public wires"),
        (lambda p: join(patched(p, 4, 0, b"\0")), "count and length disagree"),
        (lambda p: join(patched(p, 4, 4, b"\2")), "coefficient 0 has a wrong matrix"),
        (lambda p: join(patched(p, 4, 8, b"\xff")), "coefficient 0 has a wrong row"),
        (lambda p: join(patched(p, 4, 12, b"\xff")), "coefficient 0 has a wrong wire"),
        (lambda p: join(patched(p, 4, 16, R.to_bytes(32, "little"))), "coefficient 0 is not below r"),
        (lambda p: join(patched(p, 10, 64, b"\1")), "contribution 0 leaves the section"),
        (lambda p: join([(n, d + b"\0" if n == 10 else d) for n, d in p]), "bytes after the last contribution"),
        (lambda p: join([(n, d[:67] if n == 10 else d) for n, d in p]), "too short"),
        (lambda p: join(patched(p, zkey.DEVELOPMENT, 0, b"\3")), "unknown flags"),
    ],
)
def test_a_broken_file_is_refused(parts: Parts, tmp_path: Path, spoil: Callable[[Parts], bytes], message: str) -> None:
    refused(tmp_path, spoil(parts), message)


@pytest.mark.parametrize("number", range(1, 11))
def test_a_missing_section_is_refused(parts: Parts, tmp_path: Path, number: int) -> None:
    refused(tmp_path, join([part for part in parts if part[0] != number]), f"section {number} .* is missing")


@pytest.mark.parametrize("number", [1, 2, 3, 5, 6, 7, 8, 9, zkey.DEVELOPMENT])
def test_a_section_of_another_length_is_refused(parts: Parts, tmp_path: Path, number: int) -> None:
    for change in (lambda d: d[:-1], lambda d: d + bytes(8), lambda d: b""):
        error = refused(tmp_path, join([(n, change(d) if n == number else d) for n, d in parts]), "wrong length")
        assert f"section {number} " in str(error.place)


HEADER_POINTS = {84: 1, 148: 1, 212: 2, 340: 2, 468: 1, 532: 2}


@pytest.mark.parametrize(("number", "group"), [(3, 1), (5, 1), (6, 1), (7, 2), (8, 1), (9, 1)])
def test_a_point_off_its_curve_is_refused_and_named(parts: Parts, tmp_path: Path, number: int, group: int) -> None:
    size = 64 * group
    last = len(dict(parts)[number]) // size - 1
    off = to_montgomery([1] * 2 * group, P).tobytes()
    error = refused(tmp_path, join(patched(parts, number, size * last, off)), f"point {last} is not on the curve")
    position = join(parts).index(dict(parts)[number]) + size * last
    assert f"byte {position}" in str(error.place)


@pytest.mark.parametrize(("offset", "group"), HEADER_POINTS.items())
def test_a_header_point_off_its_curve_is_refused(parts: Parts, tmp_path: Path, offset: int, group: int) -> None:
    off = to_montgomery([1] * 2 * group, P).tobytes()
    refused(tmp_path, join(patched(parts, 2, offset, off)), f"is not a point of G{group}")


@pytest.mark.parametrize(("offset", "group"), HEADER_POINTS.items())
def test_infinity_in_the_header_is_refused(parts: Parts, tmp_path: Path, offset: int, group: int) -> None:
    refused(tmp_path, join(patched(parts, 2, offset, bytes(64 * group))), "is the point at infinity")


def test_a_key_that_does_not_blind_would_show_the_witness_and_is_refused(
    small: System, small_key: ProvingKey, tmp_path: Path
) -> None:
    """With β, δ and B of G1 at infinity proofs verify, but A = α + Σ wᵢ·Aᵢ is the same each time."""
    nothing = np.zeros(8, np.uint64)
    header = small_key.header._replace(beta_g1=nothing, delta_g1=nothing)
    nowhere = small_key.arrays._replace(b_g1_query=np.zeros_like(small_key.arrays.b_g1_query))
    key = replace(small_key, header=header, body=nowhere)
    proofs = [prove(key, small[1], engine=load_engine("cpu")) for _ in range(2)]
    assert proofs[0].a == proofs[1].a
    zkey.write(tmp_path / "key.zkey", key)
    with pytest.raises(BadInputError, match="beta_g1 is the point at infinity"):
        zkey.read(tmp_path / "key.zkey")


def test_a_small_file_that_claims_a_large_domain_takes_no_memory(parts: Parts, tmp_path: Path) -> None:
    tracemalloc.start()
    refused(tmp_path, join(patched(parts, 2, 80, (1 << 28).to_bytes(4, "little"))), "wrong length")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_coordinate_that_is_not_reduced_is_refused(parts: Parts, tmp_path: Path) -> None:
    """x + p is the same residue, in 256 bits, and would be another encoding of the same point."""
    x = int.from_bytes(dict(parts)[9][:32], "little")
    refused(tmp_path, join(patched(parts, 9, 0, (x + P).to_bytes(32, "little"))), "point 0 is not on the curve")


def twist_point_outside_g2() -> curve.G2Point:
    """The first point of the twist with x = k that is not of order r."""
    k = 1
    while True:
        x = (k, 0)
        right = tower.fq2_add(tower.fq2_mul(tower.fq2_sqr(x), x), tower.B_TWIST)
        root = square_root(right)
        if root is not None and not curve.g2_is_in_subgroup((x, root)):
            return x, root
        k += 1


def square_root(value: tuple[int, int]) -> tuple[int, int] | None:
    """In Fq2, by the norm (p = 3 mod 4)."""
    a, b = value
    norm = pow(a * a + b * b, (P + 1) // 4, P)
    for sign in (norm, -norm):
        half = (a + sign) * pow(2, -1, P) % P
        c = pow(half, (P + 1) // 4, P)
        if c:
            root = (c, b * pow(2 * c, -1, P) % P)
            if tower.fq2_sqr(root) == value:
                return root
    return None


def test_sums_of_points_outside_g2_are_right() -> None:
    """Membership is told from such sums: the formulas hold on all of the twist, whose order is odd."""
    outside = g2.to_array([twist_point_outside_g2()])
    got = msm(2, np.repeat(outside, 50, axis=0), to_limbs([7] * 50))
    assert (got == g2.multiply(outside, to_limbs([350]))[0]).all()


def test_a_point_of_the_twist_outside_g2_is_refused(parts: Parts, tmp_path: Path) -> None:
    outside = g2.to_array([twist_point_outside_g2()])
    assert first_invalid(2, outside) is None
    refused(tmp_path, join(patched(parts, 7, 128, outside.tobytes())), "on the curve but not in G2")
    refused(tmp_path, join(patched(parts, 2, 532, outside.tobytes())), "delta_g2 is not a point of G2")


def test_one_bad_point_among_many_is_found_by_random_sums(small_key: ProvingKey) -> None:
    many = np.tile(small_key.arrays.b_g2_query, (200, 1))
    assert all_in_g2(many)
    many[777] = g2.to_array([twist_point_outside_g2()])[0]
    assert not all_in_g2(many)


def test_even_a_point_of_the_smallest_order_is_found() -> None:
    """The argument of ``all_in_g2`` rests on the cofactor having no prime factor below 10069 > 2^13."""
    assert all(G2_COFACTOR % q for q in range(2, 10069)) and G2_COFACTOR % 10069 == 0
    point = twist_point_outside_g2()
    small_order = curve.g2_mul(point, R * (G2_COFACTOR // 10069))
    assert small_order is not None and curve.g2_mul(small_order, 10069) is None
    many = np.zeros((100, 16), np.uint64)
    many[42] = g2.to_array([small_order])[0]
    assert not all_in_g2(many)


def test_a_key_whose_delta_is_gamma_is_refused(parts: Parts, tmp_path: Path) -> None:
    """As in a key fresh from `snarkjs groth16 setup`: anybody can forge proofs for it."""
    gamma = dict(parts)[2][340:468]
    error = refused(tmp_path, join(patched(parts, 2, 532, gamma)), "unusable verifying key, delta_g2")
    assert "needs a contribution" in str(error.hint)


def test_a_truncated_file_is_refused_wherever_it_ends(parts: Parts, tmp_path: Path) -> None:
    data = join(parts)
    rng = random.Random(2)
    for length in [*range(0, 60), *(rng.randrange(len(data)) for _ in range(60)), len(data) - 1]:
        refused(tmp_path, data[:length], "ends in its|longer than the file")


def test_random_damage_never_passes_unseen(parts: Parts, tmp_path: Path) -> None:
    """One byte changed: only a coefficient or the circuit's hash can still be well-formed, and then they differ."""
    data, rng = join(parts), random.Random(3)
    hash_at = join(parts).index(dict(parts)[10])
    coefficients_at = join(parts).index(dict(parts)[4])
    free = {*range(hash_at, hash_at + 64), *range(coefficients_at + 4, coefficients_at + len(dict(parts)[4]))}
    path = tmp_path / "damaged.zkey"
    for _ in range(400):
        at = rng.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        if at in free:
            try:
                zkey.read(path)
            except BadInputError:
                continue
        else:
            with pytest.raises(BadInputError):
                zkey.read(path)


def test_infinity_is_a_point(small_key: ProvingKey) -> None:
    """Wires that a query does not use have the point at infinity there."""
    assert first_invalid(1, np.zeros((3, 8), np.uint64)) is None
    assert None in g1.from_array(small_key.arrays.b_g1_query)
