"""Proving keys as files: snarkjs's .zkey for Groth16 on BN254, both ways.

Sections: 1 protocol, 2 header, 3 IC, 4 coefficients, 5 A, 6 B in G1, 7 B in G2, 8 C, 9 H, 10 contributions. Points are
affine in Montgomery form, as the kernels want them; coefficients hold c·2^512 mod r. There is no published
specification: the layout is that of ``zkey_utils.js`` and ``zkey_new.js`` in snarkjs 0.7.6.

One section more, which snarkjs skips, marks a development key: number 0xA17B, a u32 of flags, bit 0 set. snarkjs drops
it when it rewrites a key.

A key with a commitment (docs/spec/commitment.md) says another protocol in section 1, the number 0xA17C, so that
snarkjs, which would drop the commitment and take the challenge for a public input, refuses it. Three sections more::

    0xA17C  hash of the challenge u32 (1 keccak, 2 poseidon); mask, wires u32 each; κ in G2; each committed wire u32
    0xA17D  Kᵢ, and 0xA17E  σ·Kᵢ: points of G1, one for each committed wire

A key from outside is not trusted: every point is checked to be on its curve, G2 points to be in the subgroup, every
number to be canonical, every count to agree. What is *not* checked is that the key belongs to a certain circuit; a
wrong one makes no proof that verifies. The file is mapped and gone through piece by piece: what is checked is a copy of
the piece, and that copy is used.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.bn254 import FR_TWO_ADICITY, P, R
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.formats import sections
from aitbc_rollup.circuits.formats.files import MappedFile
from aitbc_rollup.circuits.formats.sections import SectionFile, field_header
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.groth16 import check_key
from aitbc_rollup.verifier.types import CHALLENGE_HASHES

from ..cpu import coefficients
from ..cpu.groups import Group
from ..cpu.membership import all_in_g2, first_invalid
from ..keys import COMMITMENT_QUERIES, QUERIES, KeyCommitment, Matrix, ProvingKey, Query, VerifyingPoints
from . import pieces

PROTOCOL, HEADER, IC, COEFFICIENTS, A, B_G1, B_G2, C, H, CONTRIBUTIONS = range(1, 11)
DEVELOPMENT, COMMITMENT, COMMITTED, KNOWLEDGE = range(0xA17B, 0xA17F)
_NAMES = {
    PROTOCOL: "protocol", HEADER: "header", IC: "IC", COEFFICIENTS: "coefficients", A: "A", B_G1: "B in G1",
    B_G2: "B in G2", C: "C", H: "H", CONTRIBUTIONS: "contributions", DEVELOPMENT: "development mark",
    COMMITMENT: "commitment", COMMITTED: "committed wires' points", KNOWLEDGE: "points of knowledge",
}  # fmt: skip

_GROTH16, _GROTH16_COMMITTED = 1, COMMITMENT
_MARKED = 1
_COUNTS = struct.Struct("<I32sI32sIII")
#: α and β in G1, β and γ in G2, δ in G1, δ in G2: the header's own order, (group, name).
_HEADER_POINTS: tuple[tuple[Group, str], ...] = (
    (1, "alpha_g1"), (1, "beta_g1"), (2, "beta_g2"), (2, "gamma_g2"), (1, "delta_g1"), (2, "delta_g2"),
)  # fmt: skip
_HEADER_BYTES = _COUNTS.size + sum(64 * group for group, _ in _HEADER_POINTS)
_COEFFICIENT = np.dtype([("matrix", "<u4"), ("row", "<u4"), ("wire", "<u4"), ("value", "<u8", (4,))])
_SECTIONS: dict[Query, int] = {
    "a": A, "b_g1": B_G1, "b_g2": B_G2, "c": C, "h": H, "committed": COMMITTED, "knowledge": KNOWLEDGE,
}  # fmt: skip
#: Hash, mask and number of wires; then κ.
_COMMITMENT_HEAD = struct.Struct("<III")
#: Coefficients that are taken at once: 6 MiB.
_RECORDS_AT_ONCE = 1 << 17
#: Of a contribution: three points in G1, one in G2, a transcript, the type; then its parameters' length.
_CONTRIBUTION_BYTES = 3 * 64 + 128 + 64 + 4


def write(path: Path, key: ProvingKey) -> None:
    """Write a key; the file appears whole or not at all.

    Raises:
        ResourceError: it cannot be written.
    """
    counts = field_header(P) + field_header(R) + struct.pack("<III", key.n_wires, key.n_public, key.domain_size)
    records = _records(*key.body.matrices())
    protocol = _GROTH16 if key.commitment is None else _GROTH16_COMMITTED
    parts: list[tuple[int, sections.Pieces]] = [
        (PROTOCOL, [protocol.to_bytes(4, "little")]),
        (HEADER, [counts, *key.header]),
        (IC, [key.ic]),
        (COEFFICIENTS, [len(records).to_bytes(4, "little"), records]),
        *((_SECTIONS[query], key.body.points(query)) for query in QUERIES),
        (CONTRIBUTIONS, [key.circuit_hash, key.contributions]),
    ]
    if key.development:
        parts.append((DEVELOPMENT, [_MARKED.to_bytes(4, "little")]))
    if key.commitment is not None:
        kind = 1 + CHALLENGE_HASHES.index(key.commitment.hash)
        head = _COMMITMENT_HEAD.pack(kind, key.commitment.mask, len(key.commitment.wires))
        wires = np.ascontiguousarray(key.commitment.wires, "<u4")
        parts.append((COMMITMENT, [head, key.commitment.kappa_g2, wires]))
        parts += [(_SECTIONS[query], key.body.points(query)) for query in COMMITMENT_QUERIES]
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


def load(path: str | Path) -> ProvingKey:
    """The key in a file: head and verifying key are read and checked, the body when it is asked for.

    Raises:
        BadInputError: naming file, section and byte.
    """
    source = MappedFile(path)
    file = SectionFile(source.data, str(path), b"zkey", 1, _NAMES)
    protocol = int.from_bytes(file.view(PROTOCOL, 4), "little")
    if protocol not in (_GROTH16, _GROTH16_COMMITTED):
        expected = f"{_GROTH16}, or {_GROTH16_COMMITTED} with a commitment"
        file.refuse(PROTOCOL, "the key is not for Groth16", expected=expected, got=str(protocol))
    n_wires, n_public, power = _read_counts(file)
    circuit_hash, contributions = _read_contributions(file)
    key = ProvingKey(
        n_wires=n_wires,
        n_public=n_public,
        power=power,
        header=_read_header_points(file),
        ic=_read_ic(file, n_public + 1),
        body=ZkeyBody(source, file, n_wires, 1 << power),
        development=_read_mark(file),
        circuit_hash=circuit_hash,
        contributions=contributions,
        commitment=_read_commitment(file, n_wires, n_public, protocol == _GROTH16_COMMITTED),
    )
    for query, group in key.queries.items():
        file.view(_SECTIONS[query], 64 * group * key.n_points(query))
    _check_mask(file, key)
    _check_count(file)
    _check_verifying_key(file, key)
    return key


def read(path: str | Path) -> ProvingKey:
    """The key in a file, all of it checked and in memory.

    Raises:
        BadInputError: naming file, section and byte.
    """
    key = load(path)
    return replace(key, body=key.arrays)


class ZkeyBody:
    """A key's body in its file; everything is checked as it is read. Implements ``keys.KeyBody``."""

    def __init__(self, source: MappedFile, file: SectionFile, n_wires: int, n_rows: int) -> None:
        self._source = source
        self._file = file
        self._n_wires = n_wires
        self._n_rows = n_rows

    @property
    def source(self) -> MappedFile:
        """The file."""
        return self._source

    def matrices(self) -> tuple[Matrix, Matrix]:
        """A and B.

        Raises:
            BadInputError: a coefficient is out of range, or the file has changed.
        """
        file, counts, at = self._file, np.zeros((2, self._n_rows), np.int64), 0
        for records in self._records():
            wrong = coefficients.first_wrong(counts, records, self._n_wires)
            if wrong is not None:
                _refuse_coefficient(file, at + wrong, records[wrong], self._n_wires, self._n_rows)
            at += len(records)
        try:
            return coefficients.matrices(counts, self._records())
        except ValueError as error:
            file.refuse(COEFFICIENTS, "the file changed while it was read", got=str(error))

    def points(self, query: Query) -> Iterator[Limbs]:
        """A list of points in pieces, each in the same aligned memory.

        Raises:
            BadInputError: a point is not in its group.
        """
        return pieces.points(self._source, self._file, _SECTIONS[query], (QUERIES | COMMITMENT_QUERIES)[query])

    def _records(self) -> Iterator[NDArray[np.uint32]]:
        content = self._file.view(COEFFICIENTS)[4:]
        for words in pieces.pieces(self._source, content, _COEFFICIENT.itemsize, _RECORDS_AT_ONCE):
            yield words.reshape(-1, coefficients.RECORD)


def _read_counts(file: SectionFile) -> tuple[int, int, int]:
    """Wires, public wires, and the domain's power."""
    data = file.view(HEADER, _HEADER_BYTES)
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
    offset = _COUNTS.size
    points = {}
    for group, name in _HEADER_POINTS:
        point = _read_point(file, HEADER, offset, group, name)
        if not point.any():
            hint = "do not use this key: proofs that delta_g1 does not blind show the witness"
            file.refuse(HEADER, f"{name} is the point at infinity", offset, hint=hint)
        points[name] = point
        offset += 64 * group
    return VerifyingPoints(**points)


def _read_point(file: SectionFile, number: int, offset: int, group: Group, name: str) -> Limbs:
    """One point of a section that is known to be long enough."""
    point = np.frombuffer(file.view(number), "<u8", 8 * group, offset).astype(np.uint64)
    wrong = first_invalid(group, point.reshape(1, -1)) is not None
    if wrong or (group == 2 and not all_in_g2(point.reshape(1, -1))):
        file.refuse(number, f"{name} is not a point of G{group}", offset)
    return point


def _read_commitment(file: SectionFile, n_wires: int, n_public: int, expected: bool) -> KeyCommitment | None:
    """The commitment of a key that says it has one; of another, that there is none of its sections."""
    if not expected:
        for number in (COMMITMENT, COMMITTED, KNOWLEDGE):
            if number in file.sections:
                file.refuse(number, "the key's protocol has no commitment", expected="another protocol in section 1")
        return None
    length, start = len(file.view(COMMITMENT)), _COMMITMENT_HEAD.size + 128
    if length < start:
        file.refuse(COMMITMENT, "too short", expected=f"at least {start} bytes", got=f"{length} bytes")
    kind, mask, count = _COMMITMENT_HEAD.unpack(file.view(COMMITMENT)[: _COMMITMENT_HEAD.size])
    if not 1 <= kind <= len(CHALLENGE_HASHES):
        known = ", ".join(f"{number} ({name})" for number, name in enumerate(CHALLENGE_HASHES, 1))
        file.refuse(COMMITMENT, "unknown hash", expected=known, got=str(kind))
    content = file.view(COMMITMENT, start + 4 * count)
    found = KeyCommitment(
        wires=np.frombuffer(content, "<u4", count, start).astype(np.uint32),
        mask=mask,
        kappa_g2=_read_point(file, COMMITMENT, _COMMITMENT_HEAD.size, 2, "kappa_g2"),
        hash=CHALLENGE_HASHES[kind - 1],
    )
    fault = found.fault(n_wires, n_public)
    if fault is not None:
        file.refuse(COMMITMENT, fault, start)
    return found


def _check_mask(file: SectionFile, key: ProvingKey) -> None:
    """Refuse a key whose mask hides nothing."""
    if key.commitment is not None:
        at = 64 * int(np.searchsorted(key.commitment.wires, key.commitment.mask))
        if not any(file.view(COMMITTED)[at : at + 64]):
            hint = "do not use this key: its commitments show the witness"
            file.refuse(COMMITTED, "the mask's point is the point at infinity", at, hint=hint)


def _read_ic(file: SectionFile, count: int) -> Limbs:
    points = np.frombuffer(file.view(IC, 64 * count), "<u8").astype(np.uint64).reshape(count, 8)
    pieces.check_points(file, IC, 1, points)
    return points


def _check_count(file: SectionFile) -> None:
    content = file.view(COEFFICIENTS)
    count = int.from_bytes(content[:4], "little")
    if len(content) != 4 + count * _COEFFICIENT.itemsize:
        expected = f"4 + {count} * {_COEFFICIENT.itemsize} bytes"
        file.refuse(COEFFICIENTS, "count and length disagree", expected=expected, got=f"{len(content)} bytes")


def _refuse_coefficient(file: SectionFile, index: int, record: NDArray[np.uint32], n_wires: int, n_rows: int) -> None:
    """Say what is wrong with a record."""
    offset = 4 + index * _COEFFICIENT.itemsize
    limits = (("matrix", 2, "0 or 1"), ("row", n_rows, f"below {n_rows}"), ("wire", n_wires, f"below {n_wires}"))
    for (name, limit, expected), value in zip(limits, record.tolist(), strict=False):
        if value >= limit:
            message = f"coefficient {index} has a wrong {name}"
            file.refuse(COEFFICIENTS, message, offset, expected=expected, got=str(value))
    file.refuse(COEFFICIENTS, f"coefficient {index} is not below r", offset + 12)


def _read_contributions(file: SectionFile) -> tuple[bytes, bytes]:
    """The circuit's hash, and the rest of the section, whose structure is checked but not its proofs."""
    data = bytes(file.view(CONTRIBUTIONS))
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
    flags = int.from_bytes(file.view(DEVELOPMENT, 4), "little")
    if flags != _MARKED:
        file.refuse(DEVELOPMENT, "unknown flags", expected=str(_MARKED), got=str(flags))
    return True


def _check_verifying_key(file: SectionFile, key: ProvingKey) -> None:
    fresh = (key.header.delta_g2 == key.header.gamma_g2).all()
    hint = "a key fresh from snarkjs needs a contribution first: snarkjs zkey contribute" if fresh else "do not use it"
    try:
        check_key(key.verifying_key, n_public=key.n_inputs)
    except BadInputError as error:
        message = f"{error.message}, {error.place}"
        file.refuse(HEADER, message, expected=error.expected, got=error.got, hint=hint)
