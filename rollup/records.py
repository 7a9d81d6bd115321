"""Run records: packing, widths, hashes (``docs/protocol.md``, "Run record").

Everything here is canonical: integers in ``[0, r)``. Width checks happen when an object is made, so a
:class:`RunRecord` that exists can be packed without two fields touching.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from aitbc_rollup.algebra.poseidon import poseidon, sponge
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import Outcome, Tag

from .checks import check_field_element, check_width


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of one agent: what it used, what it costs, what it continues.

    Times are milliseconds, memory MiB, the fee is in wei. ``task``, ``parents`` and ``cid`` are field elements, see
    :func:`digest_element` and :func:`parents_element`.

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
        for name, bits in (*layout.RECORD_WORD_0, *layout.RECORD_WORD_1):
            if name != "agent_index":
                check_width(getattr(self, name), bits, field=name)
        for name in layout.RECORD_ELEMENTS:
            check_field_element(getattr(self, name), field=name)

    @property
    def fields(self) -> tuple[int, ...]:
        """Every field, in the order of ``layout.RECORD_FIELDS``."""
        return tuple(int(getattr(self, name)) for name in layout.RECORD_FIELDS)

    @property
    def usage(self) -> tuple[int, ...]:
        """The six usage figures, in the order of ``layout.USAGE``."""
        return tuple(getattr(self, name) for name in layout.USAGE)

    def words(self, agent_index: int) -> list[int]:
        """r₀ … r₄, the five field elements of the record."""
        values = dict(zip(layout.RECORD_FIELDS, self.fields, strict=True)) | {"agent_index": agent_index}
        return [
            layout.pack(layout.RECORD_WORD_0, values),
            layout.pack(layout.RECORD_WORD_1, values),
            self.task,
            self.parents,
            self.cid,
        ]

    def run_hash(self, agent_index: int) -> int:
        """The name by which later runs give this one as a parent."""
        return poseidon(self.words(agent_index), initial_state=Tag.RUN)


def digest_element(data: bytes) -> int:
    """The first 31 bytes of the SHA-256 digest, big-endian: a field element for a task id or a CID."""
    return int.from_bytes(hashlib.sha256(data).digest()[:31], "big")


def parents_element(run_hashes: Sequence[int]) -> int:
    """The ``parents`` field of a record: 0 without parents, else their sponge."""
    return sponge(Tag.PARENTS, run_hashes) if run_hashes else 0
