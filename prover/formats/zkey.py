"""Proving keys as files: snarkjs's .zkey for Groth16 on BN254, both ways.

Sections: 1 protocol, 2 header, 3 IC, 4 coefficients, 5 A, 6 B in G1, 7 B in G2, 8 C, 9 H, 10 contributions. Points are
affine in Montgomery form, as the kernels want them; coefficients hold c·2^512 mod r. There is no published
specification: the layout is that of ``zkey_utils.js`` and ``zkey_new.js`` in snarkjs 0.7.6.

One section more, which snarkjs skips, marks a development key: number 0xA17B, a u32 of flags, bit 0 set. snarkjs drops
it when it rewrites a key.

A key from outside is not trusted: every point is checked to be on its curve, G2 points to be in the subgroup, every
number to be canonical, every count to agree. What is *not* checked is that the key belongs to a certain circuit; a
wrong one makes no proof that verifies. The file is read, not mapped: what was checked cannot change underneath.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.bn254 import FR_TWO_ADICITY, P, R
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.groth16 import check_key

from ..cpu.groups import Group
from ..cpu.membership import all_in_g2, first_invalid
from ..keys import Matrix, ProvingKey, VerifyingPoints
from ..limits import first_not_below
from . import sections
from .sections import SectionFile

PROTOCOL, HEADER, IC, COEFFICIENTS, A, B_G1, B_G2, C, H, CONTRIBUTIONS = range(1, 11)
DEVELOPMENT = 0xA17B
_NAMES = {
    PROTOCOL: "protocol", HEADER: "header", IC: "IC", COEFFICIENTS: "coefficients", A: "A", B_G1: "B in G1",
    B_G2: "B in G2", C: "C", H: "H", CONTRIBUTIONS: "contributions", DEVELOPMENT: "development mark",
}  # fmt: skip

_GROTH16 = 1
_MARKED = 1
_COUNTS = struct.Struct("<I32sI32sIII")
#: α and β in G1, β and γ in G2, δ in G1, δ in G2: the header's own order, (group, name).
_HEADER_POINTS: tuple[tuple[Group, str], ...] = (
    (1, "alpha_g1"), (1, "beta_g1"), (2, "beta_g2"), (2, "gamma_g2"), (1, "delta_g1"), (2, "delta_g2"),
)  # fmt: skip
_HEADER_BYTES = _COUNTS.size + sum(64 * group for group, _ in _HEADER_POINTS)
_COEFFICIENT = np.dtype([("matrix", "<u4"), ("row", "<u4"), ("wire", "<u4"), ("value", "<u8", (4,))])
#: Of a contribution: three points in G1, one in G2, a transcript, the type; then its parameters' length.
_CONTRIBUTION_BYTES = 3 * 64 + 128 + 64 + 4


def write(path: Path, key: ProvingKey) -> None:
    """Write a key; the file appears whole or not at all."""
    prime_q, prime_r = P.to_bytes(32, "little"), R.to_bytes(32, "little")
    counts = _COUNTS.pack(32, prime_q, 32, prime_r, key.n_wires, key.n_public, key.domain_size)
    records = _records(key.a, key.b)
    parts: list[tuple[int, list[bytes | NDArray[Any]]]] = [
        (PROTOCOL, [_GROTH16.to_bytes(4, "little")]),
        (HEADER, [counts, *key.header]),
        (IC, [key.ic]),
        (COEFFICIENTS, [len(records).to_bytes(4, "little"), records]),
        (A, [key.a_query]),
        (B_G1, [key.b_g1_query]),
        (B_G2, [key.b_g2_query]),
        (C, [key.c_query]),
        (H, [key.h_query]),
        (CONTRIBUTIONS, [key.circuit_hash, key.contributions]),
    ]
    if key.development:
        parts.append((DEVELOPMENT, [_MARKED.to_bytes(4, "little")]))
    sections.write(path, b"zkey", 1, parts)


def _records(a: Matrix, b: Matrix) -> NDArray[Any]:
    """Entries of both matrices by row, A's first, as snarkjs orders them."""
    out = np.empty(len(a.wires) + len(b.wires), _COEFFICIENT)
    rows = [np.repeat(np.arange(m.n_rows), np.diff(m.indptr)) for m in (a, b)]
    out["matrix"] = np.repeat([0, 1], [len(a.wires), len(b.wires)])
    out["row"] = np.concatenate(rows)
    out["wire"] = np.concatenate([a.wires, b.wires])
    out["value"] = np.concatenate([a.values, b.values])
    return out[np.argsort(out["row"], kind="stable")]


def read(path: Path) -> ProvingKey:
    """Read a key, checking everything named in this module's docstring.

    Raises:
        BadInputError: naming file, section and byte.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as stream:
        file = SectionFile(path, stream, b"zkey", 1, _NAMES)
        protocol = int.from_bytes(file.read(PROTOCOL, 4), "little")
        if protocol != _GROTH16:
            file.refuse(PROTOCOL, "the key is not for Groth16", expected=str(_GROTH16), got=str(protocol))
        n_wires, n_public, power = _read_counts(file)
        # First, so that the domain is no larger than the file: the matrices take memory by it.
        h_query = _read_points(file, H, 1, 1 << power)
        a, b = _read_coefficients(file, n_wires, 1 << power)
        circuit_hash, contributions = _read_contributions(file)
        key = ProvingKey(
            n_public=n_public,
            power=power,
            header=_read_header_points(file),
            ic=_read_points(file, IC, 1, n_public + 1),
            a=a,
            b=b,
            a_query=_read_points(file, A, 1, n_wires),
            b_g1_query=_read_points(file, B_G1, 1, n_wires),
            b_g2_query=_read_points(file, B_G2, 2, n_wires),
            c_query=_read_points(file, C, 1, n_wires - n_public - 1),
            h_query=h_query,
            development=_read_mark(file),
            circuit_hash=circuit_hash,
            contributions=contributions,
        )
    _check_verifying_key(file, key)
    return key


def _read_counts(file: SectionFile) -> tuple[int, int, int]:
    """Wires, public wires, and the domain's power."""
    data = file.read(HEADER, _HEADER_BYTES)
    q_bytes, q, r_bytes, r, n_wires, n_public, domain = _COUNTS.unpack_from(data)
    for offset, size, prime, expected in ((0, q_bytes, q, P), (36, r_bytes, r, R)):
        got = int.from_bytes(prime, "little")
        if size != 32 or got != expected:
            file.refuse(HEADER, "the key is for another curve", offset, expected=f"{expected} (BN254)", got=str(got))
    if n_public + 1 > n_wires:
        file.refuse(HEADER, "more public wires than wires", 72, got=f"{n_public} + 1 of {n_wires}")
    power = domain.bit_length() - 1
    if domain != 1 << max(power, 0) or not 1 <= power <= FR_TWO_ADICITY:
        file.refuse(HEADER, "not the size of a domain", 80, expected="a power of two from 2 to 2^28", got=str(domain))
    if n_public + 1 > domain:
        file.refuse(HEADER, "the domain has no room for the public wires", 80, got=f"{n_public} + 1 in {domain}")
    return n_wires, n_public, power


def _read_header_points(file: SectionFile) -> VerifyingPoints:
    data = file.read(HEADER, _HEADER_BYTES)
    offset = _COUNTS.size
    points = {}
    for group, name in _HEADER_POINTS:
        point = np.frombuffer(data, "<u8", 8 * group, offset).astype(np.uint64)
        wrong = first_invalid(group, point.reshape(1, -1)) is not None
        if wrong or (group == 2 and not all_in_g2(point.reshape(1, -1))):
            file.refuse(HEADER, f"{name} is not a point of G{group}", offset)
        if not point.any():
            hint = "do not use this key: proofs that delta_g1 does not blind show the witness"
            file.refuse(HEADER, f"{name} is the point at infinity", offset, hint=hint)
        points[name] = point
        offset += 64 * group
    return VerifyingPoints(**points)


def _read_points(file: SectionFile, number: int, group: Group, count: int) -> Limbs:
    points = file.read_words(number, count, 8 * group)
    wrong = first_invalid(group, points)
    if wrong is not None:
        file.refuse(number, f"point {wrong} is not on the curve of G{group}", 64 * group * wrong)
    if group == 2 and not all_in_g2(points):
        file.refuse(number, "a point is on the curve but not in G2", hint="do not use this key: it may be malicious")
    return points


def _read_coefficients(file: SectionFile, n_wires: int, n_rows: int) -> tuple[Matrix, Matrix]:
    length = file.length(COEFFICIENTS)
    data = file.read(COEFFICIENTS)
    count = int.from_bytes(data[:4], "little")
    if length != 4 + count * _COEFFICIENT.itemsize:
        expected = f"4 + {count} * {_COEFFICIENT.itemsize} bytes"
        file.refuse(COEFFICIENTS, "count and length disagree", expected=expected, got=f"{length} bytes")
    records = np.frombuffer(data, _COEFFICIENT, count, 4)
    values = np.ascontiguousarray(records["value"])
    for name, wrong, text in (
        ("matrix", records["matrix"] > 1, "0 or 1"),
        ("row", records["row"] >= n_rows, f"below {n_rows}"),
        ("wire", records["wire"] >= n_wires, f"below {n_wires}"),
    ):
        if wrong.any():
            index = int(wrong.argmax())
            offset = 4 + index * _COEFFICIENT.itemsize
            got = str(records[name][index])
            file.refuse(COEFFICIENTS, f"coefficient {index} has a wrong {name}", offset, expected=text, got=got)
    large = first_not_below(values, R)
    if large is not None:
        file.refuse(COEFFICIENTS, f"coefficient {large} is not below r", 4 + large * _COEFFICIENT.itemsize + 12)
    a, b = (
        _matrix(records[chosen], values[chosen], n_rows) for chosen in (records["matrix"] == 0, records["matrix"] == 1)
    )
    return a, b


def _matrix(records: NDArray[Any], values: Limbs, n_rows: int) -> Matrix:
    order = np.argsort(records["row"], kind="stable")
    indptr = np.zeros(n_rows + 1, np.int64)
    indptr[1:] = np.bincount(records["row"], minlength=n_rows).cumsum()
    return Matrix(indptr, np.ascontiguousarray(records["wire"][order], np.uint32), values[order].astype(np.uint64))


def _read_contributions(file: SectionFile) -> tuple[bytes, bytes]:
    """The circuit's hash, and the rest of the section, whose structure is checked but not its proofs."""
    data = file.read(CONTRIBUTIONS)
    if len(data) < 68:
        file.refuse(CONTRIBUTIONS, "too short", expected="at least 68 bytes", got=f"{len(data)} bytes")
    at = 68
    for index in range(int.from_bytes(data[64:68], "little")):
        head = data[at : at + _CONTRIBUTION_BYTES + 4]
        at += _CONTRIBUTION_BYTES + 4 + int.from_bytes(head[-4:], "little")
        if len(head) < _CONTRIBUTION_BYTES + 4 or at > len(data):
            file.refuse(CONTRIBUTIONS, f"contribution {index} leaves the section", min(at, len(data)))
    if at != len(data):
        file.refuse(CONTRIBUTIONS, "bytes after the last contribution", at)
    return data[:64], data[64:]


def _read_mark(file: SectionFile) -> bool:
    if DEVELOPMENT not in file.sections:
        return False
    flags = int.from_bytes(file.read(DEVELOPMENT, 4), "little")
    if flags != _MARKED:
        file.refuse(DEVELOPMENT, "unknown flags", expected=str(_MARKED), got=str(flags))
    return True


def _check_verifying_key(file: SectionFile, key: ProvingKey) -> None:
    fresh = (key.header.delta_g2 == key.header.gamma_g2).all()
    hint = "a key fresh from snarkjs needs a contribution first: snarkjs zkey contribute" if fresh else "do not use it"
    try:
        check_key(key.verifying_key, n_public=key.n_public)
    except BadInputError as error:
        message = f"{error.message}, {error.place}"
        file.refuse(HEADER, message, expected=error.expected, got=error.got, hint=hint)
