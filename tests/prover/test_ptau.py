"""Powers of tau: files there and back, what is none refused, and what are no powers found out."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from powers_world import ALPHA, BETA, TAU, make_powers, multiples
from snarkjs import Snarkjs

from aitbc_rollup.algebra import g1
from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.algebra.limbs import to_montgomery
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.errors import BadInputError, InvalidError
from aitbc_rollup.prover.cpu.ntt import root_of_unity
from aitbc_rollup.prover.formats import pieces, ptau
from aitbc_rollup.prover.formats.ptau import LAGRANGE, LISTS, Part, PowersArrays, PowersOfTau
from aitbc_rollup.prover.powers import check_powers

Parts = dict[int, bytes]


@pytest.fixture(scope="module")
def powers() -> PowersOfTau:
    return make_powers()


def split(data: bytes) -> Parts:
    """The sections of a good file, read without the reader under test."""
    found, at = {}, 12
    while at < len(data):
        number, length = struct.unpack_from("<IQ", data, at)
        found[number] = data[at + 12 : at + 12 + length]
        at += 12 + length
    return found


def join(parts: Parts) -> bytes:
    head = b"ptau" + struct.pack("<II", 1, len(parts))
    return head + b"".join(struct.pack("<IQ", number, len(data)) + data for number, data in parts.items())


@pytest.fixture
def path(powers: PowersOfTau, tmp_path: Path) -> Path:
    ptau.write(tmp_path / "powers.ptau", powers)
    return tmp_path / "powers.ptau"


def everything(path: Path) -> dict[Part, np.ndarray]:
    found = ptau.load(path)
    return {part: np.concatenate([piece.copy() for piece in found.body.points(part)]) for part in found.parts}


@pytest.mark.parametrize("prepared", [True, False])
def test_powers_come_back(prepared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_POINTS_AT_ONCE", 6)
    powers = make_powers(prepared=prepared, parties=2)
    first, again = tmp_path / "first.ptau", tmp_path / "again.ptau"
    ptau.write(first, powers)
    found = ptau.load(first)
    assert (found.power, found.ceremony_power, found.prepared) == (2, 2, prepared)
    assert [(party.name, party.beacon) for party in found.contributions] == 2 * [("party", False)]
    arrays = everything(first)
    assert set(arrays) == set(powers.body)
    assert all((arrays[part] == powers.body[part]).all() for part in arrays)
    ptau.write(again, found)
    assert again.read_bytes() == first.read_bytes()
    check_powers(found)


def damaged(spoil: Callable[[Parts], Parts]) -> Callable[[Parts], bytes]:
    return lambda parts: join(spoil(dict(parts)))


def patched(number: int, offset: int, data: bytes) -> Callable[[Parts], bytes]:
    def patch(parts: Parts) -> Parts:
        old = parts[number]
        assert offset + len(data) <= len(old)
        return parts | {number: old[:offset] + data + old[offset + len(data) :]}

    return damaged(patch)


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


#: Where a contribution's type stands, after the number of contributions.
KIND = 4 + 448 + 768 + 216 + 64


def with_parameters(data: bytes) -> Callable[[Parts], bytes]:
    return damaged(lambda p: p | {7: p[7][: KIND + 4] + u32(len(data)) + data})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: b"", "ends in its header"),
        (lambda p: b"zkey" + join(p)[4:], "not a .ptau file"),
        (lambda p: join(p)[:-1], "longer than the file"),
        (lambda p: join(p) + b"\0", "bytes after the last section"),
        (damaged(lambda p: p | {8: b""}), "unknown section 8"),
        (damaged(lambda p: p | {1: p[1] + b"\0"}), "bytes after the last field"),
        (damaged(lambda p: p | {1: p[1][:-1]}), "the section is too short"),
        (patched(1, 0, u32(31)), "not the field of BN254"),
        (patched(1, 4, R.to_bytes(32, "little")), "not the field of BN254"),
        (patched(1, 36, u32(0)), "not a size of BN254's domains"),
        (patched(1, 36, u32(29, 29)), "not a size of BN254's domains"),
        (patched(1, 36, u32(28, 28)), "wrong length"),
        (patched(1, 36, u32(0xFFFFFFFF, 0xFFFFFFFF)), "not a size of BN254's domains"),
        (patched(1, 36, u32(2, 1)), "not a size of BN254's domains"),
        (patched(1, 36, u32(1, 2)), "wrong length"),
        (patched(7, 0, u32(2)), "the section is too short"),
        (patched(7, 0, u32(0xFFFFFFFF)), "the section is too short"),
        (patched(7, 0, u32(0)), "bytes after the last field"),
        (patched(7, KIND, u32(2)), "an unknown kind of contribution"),
        (patched(7, KIND + 4, u32(0xFFFFFFFF)), r"the section is too short|leave their place"),
        (with_parameters(b"\x04\0"), "an unknown parameter"),
        (with_parameters(b"\x01\0\x01\0"), "an unknown parameter, or not in order"),
        (with_parameters(b"\x03\x05ab"), "the section is too short"),
        (with_parameters(b"\x02"), "the section is too short"),
    ],
)
def test_a_broken_file_is_refused(path: Path, spoil: Callable[[Parts], bytes], message: str) -> None:
    path.write_bytes(spoil(split(path.read_bytes())))
    with pytest.raises(BadInputError, match=message) as caught:
        ptau.load(path)
    assert str(path) in str(caught.value.place)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15])
def test_a_missing_or_cut_section_is_refused(path: Path, number: int) -> None:
    parts = split(path.read_bytes())
    path.write_bytes(join({n: data for n, data in parts.items() if n != number}))
    with pytest.raises(BadInputError, match=rf"section {number} .* is missing"):
        ptau.load(path)
    path.write_bytes(join(parts | {number: parts[number][:-1]}))
    with pytest.raises(BadInputError, match=r"wrong length|too short"):
        ptau.load(path)


@pytest.mark.parametrize("part", Part)
def test_a_point_that_is_in_no_group_is_refused_and_named(path: Path, part: Part) -> None:
    parts, size = split(path.read_bytes()), 64 * part.group
    last = part.n_points(2) - 1
    coordinate = int.from_bytes(parts[part][size * last :][:32], "little")
    for wrong in (to_montgomery([1] * 2 * part.group, P).tobytes(), (coordinate + P).to_bytes(32, "little")):
        path.write_bytes(patched(part, size * last, wrong)(parts))
        with pytest.raises(BadInputError, match=f"point {last} is not on the curve of G{part.group}"):
            everything(path)
    path.write_bytes(patched(part, 0, bytes(size))(parts))
    if part in LAGRANGE:
        with pytest.raises(InvalidError, match="the form for 1 points is not that of the powers"):
            check_powers(ptau.load(path))
    else:
        with pytest.raises(BadInputError, match="point 0 is the point at infinity"):
            everything(path)


def with_points(powers: PowersOfTau, part: Part, index: int, scalar: int) -> PowersOfTau:
    arrays = PowersArrays(powers.body)
    arrays[part] = arrays[part].copy()
    arrays[part][index] = multiples(part.group, [scalar])[0]
    return replace(powers, body=arrays)


@pytest.mark.parametrize("part", [part for part in Part if part is not Part.BETA_G2])
def test_any_point_that_is_not_the_power_it_should_be_is_found(powers: PowersOfTau, part: Part) -> None:
    for index in range(part.n_points(2)):
        with pytest.raises(InvalidError) as caught:
            check_powers(with_points(powers, part, index, 77))
        assert f"section {part.value} " in str(caught.value.place)


def test_another_beta_in_g2_is_found(powers: PowersOfTau) -> None:
    with pytest.raises(InvalidError, match="not what the last contribution left"):
        check_powers(with_points(powers, Part.BETA_G2, 0, 77))
    other = multiples(2, [77])
    spoilt = replace(
        powers,
        body=PowersArrays(powers.body | {Part.BETA_G2: other}),
        contributions=(powers.contributions[0]._replace(beta_g2=other[0]),),
    )
    with pytest.raises(InvalidError, match="not the β that G1 has"):
        check_powers(spoilt)


def test_lists_of_two_different_taus_are_found(powers: PowersOfTau) -> None:
    other = make_powers(tau=5)
    for part in (*LISTS, *LAGRANGE):
        with pytest.raises(InvalidError):
            check_powers(replace(powers, body=PowersArrays(powers.body | {part: other.body[part]})))


@pytest.mark.parametrize("known", [{"parties": 0}, {"tau": 1}, {"alpha": 1}, {"beta": 1}])
def test_what_everybody_knows_is_refused(known: dict[str, int]) -> None:
    with pytest.raises(InvalidError, match="nobody has contributed"):
        check_powers(make_powers(prepared=False, **known))


def test_the_largest_form_may_reach_the_power_beyond_the_list_and_nothing_else(powers: PowersOfTau) -> None:
    """As in a truncated file; with another point there, α·β say, somebody could forge."""
    size, form = 8, Part.LAGRANGE_TAU_G1
    for point, fits in ((pow(TAU, 7, R), True), (pow(TAU, 8, R), False), (ALPHA * BETA, False)):
        back = pow(root_of_unity(3), -1, R)
        scalars = [point * pow(back, 7 * i, R) * pow(size, -1, R) for i in range(size)]
        arrays = PowersArrays(powers.body)
        added = g1.from_array(multiples(1, scalars))
        known = g1.from_array(arrays[form])
        arrays[form] = g1.to_array([*known[:7], *map(curve.g1_add, known[7:], added)])
        if fits:
            check_powers(replace(powers, body=arrays))
        else:
            with pytest.raises(InvalidError, match="the form for 8 points is not that of the powers"):
                check_powers(replace(powers, body=arrays))


def test_powers_that_span_pieces_are_checked_across_them(
    path: Path, powers: PowersOfTau, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at_once in (4, 5, 6):
        monkeypatch.setattr(pieces, "_POINTS_AT_ONCE", at_once)
        check_powers(ptau.load(path))
        for part, index in ((Part.TAU_G1, 2), (Part.TAU_G1, 6), (Part.ALPHA_G1, 3), (Part.LAGRANGE_TAU_G1, 14)):
            ptau.write(path.with_name("bad.ptau"), with_points(powers, part, index, 77))
            with pytest.raises(InvalidError):
                check_powers(ptau.load(path.with_name("bad.ptau")))


def test_random_damage_is_refused_or_seen(path: Path) -> None:
    """Any byte but those of the transcript, and any cut: an error of ours, never another."""
    ptau.write(path, make_powers(1))
    data, rng = path.read_bytes(), random.Random(9)
    transcript = data.index(split(data)[7])
    for _ in range(150):
        at = rng.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << rng.randrange(8)
        path.write_bytes(changed if rng.random() < 0.8 else data[:at])
        try:
            check_powers(ptau.load(path))
        except (BadInputError, InvalidError):
            continue
        assert transcript <= at < transcript + len(split(data)[7])


# -- the other side ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def room(node_bin: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of snarkjs: started, contributed to, closed by a beacon, prepared, truncated."""
    snarkjs = Snarkjs(node_bin("snarkjs"), tmp_path_factory.mktemp("ptau"))
    snarkjs("powersoftau", "new", "bn128", "6", "new.ptau")
    snarkjs("powersoftau", "contribute", "new.ptau", "one.ptau", "--name=first party", "-e=test")
    snarkjs("powersoftau", "beacon", "one.ptau", "two.ptau", "0102030405060708", "10", "-n=last")
    snarkjs("powersoftau", "prepare", "phase2", "two.ptau", "ready.ptau")
    snarkjs("powersoftau", "truncate", "ready.ptau")
    return snarkjs.room


@pytest.mark.node
@pytest.mark.parametrize(
    ("name", "power", "prepared", "parties"),
    [
        ("new", 6, False, []),
        ("one", 6, False, [("first party", False)]),
        ("two", 6, False, [("first party", False), ("last", True)]),
        ("ready", 6, True, [("first party", False), ("last", True)]),
        ("ready_03", 3, True, [("first party", False), ("last", True)]),
    ],
)
def test_a_file_of_snarkjs_is_read_checked_and_rewritten_byte_for_byte(
    room: Path, name: str, power: int, prepared: bool, parties: list[tuple[str, bool]]
) -> None:
    path, again = room / f"{name}.ptau", room / "again.ptau"
    found = ptau.load(path)
    assert (found.power, found.ceremony_power, found.prepared) == (power, 6, prepared)
    assert [(party.name, party.beacon) for party in found.contributions] == parties
    ptau.write(again, found)
    assert again.read_bytes() == path.read_bytes()
    if parties:
        check_powers(found, str(path))
    else:
        with pytest.raises(InvalidError, match="nobody has contributed"):
            check_powers(found)


@pytest.mark.node
def test_snarkjs_sets_up_from_powers_we_wrote(room: Path, node_bin: Callable[[str], str]) -> None:
    snarkjs = Snarkjs(node_bin("snarkjs"), room)
    ptau.write(room / "ours.ptau", ptau.load(room / "ready.ptau"))
    assert "Powers of Tau Ok!" in snarkjs("powersoftau", "verify", "ours.ptau")
