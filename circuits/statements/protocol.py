"""Version 1's constants (``docs/protocol.md``) where they differ from version 2's in ``batch/layout.py``."""

from __future__ import annotations

from .batch.layout import (
    BALANCE_BITS,
    BASIS_POINTS,
    FEE_BITS,
    FUNDS,
    INDEX_BITS,
    MAX_OPERATOR_SHARE_BPS,
    NONCE_BITS,
    OWNER,
    PAGE_RECORDS,
    RECORD_ELEMENTS,
    RECORD_FIELDS,
    RECORD_WORD_0,
    RECORD_WORD_1,
    RECORD_WORDS,
    TIME_BITS,
    TREE_ARITY,
    TREE_DEPTH,
    USAGE,
    USAGE_A,
    USAGE_B,
    WORD_BYTES,
    Layout,
    Mode,
    Outcome,
    Tag,
    pack,
    shifts,
    unpack,
)

__all__ = [
    "BALANCE_BITS", "BASIS_POINTS", "FEE_BITS", "FUNDS", "INDEX_BITS", "MAX_OPERATOR_SHARE_BPS", "NONCE_BITS",
    "OWNER", "RECORD_ELEMENTS", "RECORD_FIELDS", "RECORD_WORDS", "RECORD_WORD_0", "RECORD_WORD_1", "TIME_BITS",
    "TREE_ARITY", "TREE_DEPTH", "USAGE", "USAGE_A", "USAGE_B", "WORD_BYTES", "Layout", "Mode", "Outcome", "Tag",
    "pack", "shifts", "unpack",
]  # fmt: skip

VERSION = 1
SESSION_RECORDS = PAGE_RECORDS
HEADER_WORDS = 13
SESSION_WORDS = 3
ASSET_NATIVE = 0
SESSION_LANE_BITS = 40

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


def data_words(sessions: int) -> int:
    """Number of data words of a batch with this many sessions, or of a circuit with this much room."""
    return HEADER_WORDS + SESSION_WORDS * sessions
