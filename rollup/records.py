"""Run records and the sessions that agents sign: packing, hashes, widths.

``docs/protocol.md``, "Run record" and "Session". Everything here is canonical: integers in ``[0, r)``.
Width checks happen when an object is made, so a :class:`RunRecord` that exists can be packed without
two fields touching.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from aitbc_rollup.algebra.eddsa import Signature
from aitbc_rollup.algebra.poseidon import poseidon, sponge
from aitbc_rollup.circuits.statements import protocol
from aitbc_rollup.circuits.statements.protocol import Outcome, Tag
from aitbc_rollup.errors import BadInputError

from .checks import check_field_element, check_width


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of one agent: what it used, what it costs, what it continues.

    Times are milliseconds, memory MiB, the fee is in the asset's smallest unit. ``task``, ``parents`` and
    ``cid`` are field elements, see :func:`digest_element` and :func:`parents_element`.

    Raises:
        BadInputError: a field is wider than its packing.
    """

    wall_ms: int = 0
    cpu_ms: int = 0
    gpu_ms: int = 0
    memory_mib: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    outcome: int = Outcome.UNSTATED
    fee: int = 0
    sequence: int = 0
    task: int = 0
    parents: int = 0
    cid: int = 0

    def __post_init__(self) -> None:
        for name, bits in (*protocol.RECORD_WORD_0, *protocol.RECORD_WORD_1):
            if name != "agent_index":
                check_width(getattr(self, name), bits, field=name)
        for name in protocol.RECORD_ELEMENTS:
            check_field_element(getattr(self, name), field=name)

    @property
    def fields(self) -> tuple[int, ...]:
        """Every field, in the order of ``protocol.RECORD_FIELDS``."""
        return tuple(int(getattr(self, name)) for name in protocol.RECORD_FIELDS)

    @property
    def usage(self) -> tuple[int, ...]:
        """The six usage figures, in the order of ``protocol.USAGE``."""
        return tuple(getattr(self, name) for name in protocol.USAGE)

    def words(self, agent_index: int) -> list[int]:
        """r₀ … r₄, the five field elements of the record."""
        values = dict(zip(protocol.RECORD_FIELDS, self.fields, strict=True)) | {"agent_index": agent_index}
        return [
            protocol.pack(protocol.RECORD_WORD_0, values),
            protocol.pack(protocol.RECORD_WORD_1, values),
            self.task,
            self.parents,
            self.cid,
        ]

    def run_hash(self, agent_index: int) -> int:
        """The name by which later runs give this one as a parent."""
        return poseidon([Tag.RUN, *self.words(agent_index)])


def digest_element(data: bytes) -> int:
    """The first 31 bytes of the SHA-256 digest, big-endian: a field element for a task id or a CID."""
    return int.from_bytes(hashlib.sha256(data).digest()[:31], "big")


def parents_element(run_hashes: Sequence[int]) -> int:
    """The ``parents`` field of a record: 0 without parents, else their sponge."""
    return sponge(Tag.PARENTS, run_hashes) if run_hashes else 0


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a signature counts: one chain, one contract (a number of 160 bits), one shard."""

    chain_id: int
    contract: int
    shard: int

    def __post_init__(self) -> None:
        check_width(self.chain_id, 64, field="chain id")
        check_width(self.contract, 160, field="contract")
        check_width(self.shard, 32, field="shard")


_SESSION_WIDTHS = {
    "agent_index": protocol.INDEX_BITS,
    "provider_index": protocol.INDEX_BITS,
    "nonce": protocol.NONCE_BITS,
    "fee_cap": protocol.FEE_BITS,
    "expiry": protocol.TIME_BITS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One to sixteen records of one agent done by one provider, before the signature.

    ``fee_cap`` is in the asset's smallest unit, ``operator_share_bps`` in basis points, ``expiry`` in unix seconds.

    Raises:
        BadInputError: a width, the number of records, the fee cap or the operator's share does not hold.
    """

    agent_index: int
    provider_index: int
    nonce: int
    fee_cap: int
    operator_share_bps: int
    expiry: int
    records: tuple[RunRecord, ...]

    def __post_init__(self) -> None:
        for name, bits in _SESSION_WIDTHS.items():
            check_width(getattr(self, name), bits, field=name)
        if not 1 <= len(self.records) <= protocol.SESSION_RECORDS:
            raise BadInputError(
                "wrong number of records in a session",
                expected=f"1 to {protocol.SESSION_RECORDS}",
                got=str(len(self.records)),
            )
        if not 0 <= self.operator_share_bps <= protocol.MAX_OPERATOR_SHARE_BPS:
            raise BadInputError(
                "operator's share is above the protocol's cap",
                expected=f"0 to {protocol.MAX_OPERATOR_SHARE_BPS} basis points",
                got=str(self.operator_share_bps),
            )
        if self.fee > self.fee_cap:
            raise BadInputError("total fee is above the fee cap", expected=f"at most {self.fee_cap}", got=str(self.fee))

    @property
    def fee(self) -> int:
        """The sum of the records' fees."""
        return sum(record.fee for record in self.records)

    @property
    def operator_fee(self) -> int:
        """What the operator gets of the fee, rounded down; the provider gets the rest."""
        return self.fee * self.operator_share_bps // protocol.BASIS_POINTS

    @property
    def usage(self) -> tuple[int, ...]:
        """The six usage totals over the records; each below 2^36, so within the 40-bit lanes."""
        return tuple(sum(column) for column in zip(*(record.usage for record in self.records), strict=True))

    @property
    def run_hashes(self) -> tuple[int, ...]:
        """The run hash of each record."""
        return tuple(record.run_hash(self.agent_index) for record in self.records)

    def records_root(self) -> int:
        """The sponge over all records, padded with zero records to the session's room."""
        words = [word for record in self.records for word in record.words(self.agent_index)]
        return sponge(Tag.RECORDS, words + [0] * (protocol.RECORD_WORDS * protocol.SESSION_RECORDS - len(words)))

    def message(self, domain: Domain) -> int:
        """The field element that the agent signs."""
        return poseidon(
            [
                Tag.SESSION,
                domain.chain_id,
                domain.contract,
                domain.shard,
                self.agent_index,
                self.provider_index,
                self.nonce,
                self.records_root(),
                len(self.records),
                self.fee,
                self.fee_cap,
                self.operator_share_bps,
                self.expiry,
            ]
        )


@dataclass(frozen=True, slots=True)
class SignedSession:
    """A session with the agent's EdDSA-Poseidon signature over its message.

    ``place`` says where it was read (file:line) and serves error messages alone.
    """

    session: Session
    signature: Signature
    place: str = "session"
