"""The protocol's constants, as ``docs/protocol.md`` gives them: circuits and node read the same ones.

Layouts are lists of ``(field, bits)``, lowest bits first; :func:`pack` turns them into one integer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from itertools import accumulate

VERSION = 1
TREE_DEPTH = 16
TREE_ARITY = 4
SESSION_RECORDS = 16
RECORD_WORDS = 5
HEADER_WORDS = 13
SESSION_WORDS = 3
WORD_BYTES = 32
BASIS_POINTS = 10_000
MAX_OPERATOR_SHARE_BPS = 2_000
ASSET_NATIVE = 0

INDEX_BITS = 2 * TREE_DEPTH
BALANCE_BITS = 96
NONCE_BITS = 32
FEE_BITS = 64
TIME_BITS = 40
LIFETIME_LANE_BITS = 80
SESSION_LANE_BITS = 40


class Tag(IntEnum):
    """First words of hashes, one per use."""

    ACCOUNT = 1
    HISTORY = 2
    SESSION = 3
    RECORDS = 4
    BATCH = 5
    PARENTS = 6
    RUN = 7


class Mode(IntEnum):
    """Bits of the header's mode word."""

    DEVELOPMENT_KEYS = 1


class Outcome(IntEnum):
    """How a run ended, as its agent says."""

    UNSTATED = 0
    SUCCESS = 1
    FAILURE = 2
    PARTIAL = 3


Layout = Sequence[tuple[str, int]]

USAGE = ("wall_ms", "cpu_ms", "gpu_ms", "memory_mib", "tokens_in", "tokens_out")
#: Record word 0 and word 1; words 2 to 4 are ``task``, ``parents``, ``cid``, whole field elements.
RECORD_WORD_0: Layout = [*((name, 32) for name in USAGE), ("outcome", 2)]
RECORD_WORD_1: Layout = [("fee", FEE_BITS), ("sequence", 48), ("agent_index", INDEX_BITS)]
RECORD_ELEMENTS = ("task", "parents", "cid")
#: Fields of a record in the circuit's input order.
RECORD_FIELDS = (*USAGE, "outcome", "fee", "sequence", *RECORD_ELEMENTS)

OWNER: Layout = [("l1_owner", 160), ("permissions", 32)]
FUNDS: Layout = [("balance", BALANCE_BITS), ("nonce", NONCE_BITS)]
USAGE_A: Layout = [(name, LIFETIME_LANE_BITS) for name in USAGE[:3]]
USAGE_B: Layout = [(name, LIFETIME_LANE_BITS) for name in USAGE[3:]]

COUNTS: Layout = [("sessions", 32), ("records", 32), ("operator_index", INDEX_BITS)]
SESSION_WORD_1: Layout = [
    ("agent_index", INDEX_BITS),
    ("provider_index", INDEX_BITS),
    ("nonce", NONCE_BITS),
    ("count", 16),
    ("operator_share_bps", 16),
    ("fee", FEE_BITS),
]
SESSION_WORD_2: Layout = [(name, SESSION_LANE_BITS) for name in USAGE]

#: Header words in order.
HEADER = (
    "version", "chain_id", "contract", "shard", "batch_number", "counts", "byte_length", "mode", "l1_time",
    "old_root", "new_root", "queue_digest", "withdrawals_digest",
)  # fmt: skip

#: Tag of the challenge ζ = keccak256(tag ‖ C ‖ keccak256(data)) mod r.
DATA_TAG = b"aitbc-rollup/data/v1"


def shifts(layout: Layout) -> dict[str, int]:
    """The power of two at which each field of a layout begins."""
    starts = accumulate((bits for _, bits in layout), initial=0)
    return {name: start for (name, _), start in zip(layout, starts, strict=False)}


def pack(layout: Layout, values: Mapping[str, int]) -> int:
    """One integer of a layout's fields.

    Raises:
        ValueError: a field is negative or wider than its bits.
    """
    total, start = 0, 0
    for name, bits in layout:
        value = values[name]
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{name} needs 0 <= value < 2^{bits}, got {value}")
        total |= value << start
        start += bits
    return total


def unpack(layout: Layout, word: int) -> dict[str, int]:
    """The fields of a packed integer.

    Raises:
        ValueError: bits are set above the last field.
    """
    fields = {}
    for name, bits in layout:
        fields[name] = word & (1 << bits) - 1
        word >>= bits
    if word:
        raise ValueError("bits are set above the last field")
    return fields


def data_words(sessions: int) -> int:
    """Number of data words of a batch with this many sessions, or of a circuit with this much room."""
    return HEADER_WORDS + SESSION_WORDS * sessions
