"""The protocol's constants, as ``docs/protocol.md`` gives them: circuits and node read the same ones.

Layouts are lists of ``(field, bits)``, lowest bits first; :func:`pack` makes one integer of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from itertools import accumulate

VERSION = 2
TREE_DEPTH = 16
TREE_ARITY = 4
PAGE_RECORDS = 16
RECORD_WORDS = 5
WORD_BYTES = 32
BASIS_POINTS = 10_000
MAX_OPERATOR_SHARE_BPS = 2_000

INDEX_BITS = 2 * TREE_DEPTH
ADDRESS_BITS = 160
BALANCE_BITS = 96
NONCE_BITS = 32
AMOUNT_BITS = 88
FEE_BITS = 64
SHARE_BITS = 16
COUNT_BITS = 16
TIME_BITS = 40
LIFETIME_LANE_BITS = 80
SESSION_LANE_BITS = 42
#: The most records in a session.
MAX_SESSION_RECORDS = (1 << COUNT_BITS) - 1
#: Words of a blob: EIP-4844's FIELD_ELEMENTS_PER_BLOB.
BLOB_WORDS = 4096
#: The nonce of an account that can sign nothing more.
LAST_NONCE = (1 << NONCE_BITS) - 1


class Tag(IntEnum):
    """What a hash is for: the initial state of its Poseidon."""

    ACCOUNT = 1
    HISTORY = 2
    SESSION = 3
    RECORDS = 4
    BATCH = 5
    PARENTS = 6
    RUN = 7
    DOMAIN = 8
    TRANSFER = 9


class Kind(IntEnum):
    """Where a batch's data lie, and so by which statement it is proven."""

    CALLDATA = 0
    BLOB = 1
    ATTESTED = 2
    FULL = 3


class Outcome(IntEnum):
    """How a run ended, as its agent says."""

    UNSTATED = 0
    SUCCESS = 1
    FAILURE = 2
    PARTIAL = 3


class QueueKind(IntEnum):
    """What a queue item asks for."""

    DEPOSIT = 1
    EXIT = 2
    TRANSFER = 3


Layout = Sequence[tuple[str, int]]

USAGE = ("wall_ms", "cpu_ms", "gpu_ms", "memory_mib", "tokens_in", "tokens_out")

# -- run records -------------------------------------------------------------------------------------------------

#: Record word 0 and word 1; words 2 to 4 are ``RECORD_ELEMENTS``, whole field elements.
RECORD_WORD_0: Layout = [*((name, 32) for name in USAGE), ("outcome", 2)]
RECORD_WORD_1: Layout = [("fee", FEE_BITS), ("sequence", 48), ("agent_index", INDEX_BITS)]
RECORD_ELEMENTS = ("task", "parents", "cid")
#: Fields of a record in the circuit's input order.
RECORD_FIELDS = (*USAGE, "outcome", "fee", "sequence", *RECORD_ELEMENTS)

# -- accounts ----------------------------------------------------------------------------------------------------

OWNER: Layout = [("l1_owner", ADDRESS_BITS), ("permissions", 32)]
FUNDS: Layout = [("balance", BALANCE_BITS), ("nonce", NONCE_BITS)]
USAGE_A: Layout = [(name, LIFETIME_LANE_BITS) for name in USAGE[:3]]
USAGE_B: Layout = [(name, LIFETIME_LANE_BITS) for name in USAGE[3:]]
#: Inputs of a leaf's hash, in order.
LEAF = (
    "public_key_x", "public_key_y", "owner", "funds", "usage_a", "usage_b", "history_root", "external_id",
)  # fmt: skip

# -- signed messages ---------------------------------------------------------------------------------------------

#: H[SESSION](domain, records root, terms, fees).
SESSION_TERMS: Layout = [
    ("agent_index", INDEX_BITS),
    ("provider_index", INDEX_BITS),
    ("nonce", NONCE_BITS),
    ("count", COUNT_BITS),
    ("operator_share_bps", SHARE_BITS),
    ("expiry", TIME_BITS),
]
SESSION_FEES: Layout = [("fee", FEE_BITS), ("fee_cap", FEE_BITS)]
#: H[TRANSFER](domain, terms, amounts).
TRANSFER_TERMS: Layout = [
    ("from_index", INDEX_BITS),
    ("to_index", INDEX_BITS),
    ("nonce", NONCE_BITS),
    ("exit", 1),
    ("expiry", TIME_BITS),
]
TRANSFER_AMOUNTS: Layout = [("amount", AMOUNT_BITS), ("fee", FEE_BITS)]

# -- data words --------------------------------------------------------------------------------------------------

HEADER = (
    "version", "chain_id", "contract", "shard", "batch_number", "counts", "mode", "l1_time", "old_root", "new_root",
)  # fmt: skip
HEADER_WORDS = len(HEADER)
#: The header's mode word; ``kind`` is a :class:`Kind`.
MODE: Layout = [("development_keys", 1), ("kind", 2)]
COUNTS: Layout = [
    ("queue_items", 16),
    ("registrations", 16),
    ("transfers", 16),
    ("sessions", 32),
    ("records", 32),
    ("operator_index", INDEX_BITS),
]

QUEUE_ITEM_WORDS = 2
#: Queue item word 0; word 1 is the sender.
QUEUE_ITEM: Layout = [("kind", 8), ("a", INDEX_BITS), ("b", INDEX_BITS), ("amount", AMOUNT_BITS)]
#: An amount, and the address that has a claim on it, or 0.
CLAIM: Layout = [("amount", AMOUNT_BITS), ("address", ADDRESS_BITS)]
QUEUE_RESULT_WORDS = 1
QUEUE_RESULT: Layout = [*CLAIM, ("valid", 1)]
#: Words of a registration, in order; each is one field.
REGISTRATION = ("index", "public_key_x", "public_key_y", "owner", "external_id")
REGISTRATION_WORDS = len(REGISTRATION)
TRANSFER_WORDS = 2
#: Transfer word 0; word 1 is a ``CLAIM``.
TRANSFER: Layout = [
    ("from_index", INDEX_BITS),
    ("to_index", INDEX_BITS),
    ("nonce", NONCE_BITS),
    ("exit", 1),
    ("valid", 1),
    ("fee", FEE_BITS),
]
SESSION_WORDS = 3
#: Session words 1 and 2; word 0 is the agent's new history root.
SESSION: Layout = [
    ("agent_index", INDEX_BITS),
    ("provider_index", INDEX_BITS),
    ("nonce", NONCE_BITS),
    ("count", COUNT_BITS),
    ("operator_share_bps", SHARE_BITS),
    ("fee", FEE_BITS),
    ("countersigned", 1),
    ("valid", 1),
]
SESSION_USAGE: Layout = [(name, SESSION_LANE_BITS) for name in USAGE]

# -- data words of a full batch --------------------------------------------------------------------------------------

#: A transfer's result: as a queue item's.
TRANSFER_RESULT = QUEUE_RESULT
TRANSFER_RESULT_WORDS = 1
#: Words of a transfer: those of its message, ``TRANSFER_TERMS`` and ``TRANSFER_AMOUNTS``, and the signature's (e, S).
FULL_TRANSFER = ("terms", "amounts", "challenge", "s")
FULL_TRANSFER_WORDS = len(FULL_TRANSFER)
#: Words of a session, likewise; the second and third are ``SESSION_TERMS`` and ``SESSION_FEES``.
FULL_SESSION = ("records_root", "terms", "fees", "challenge", "s")
FULL_SESSION_WORDS = len(FULL_SESSION)

#: Sections that are not posted in the transaction but lie elsewhere: in a blob, or with attesters.
ELSEWHERE: Mapping[Kind, tuple[str, ...]] = {
    Kind.CALLDATA: (),
    Kind.BLOB: ("registrations", "sessions"),
    Kind.ATTESTED: ("registrations", "sessions"),
    Kind.FULL: (),
}

#: Tag of the challenge ζ = keccak256(tag ‖ C ‖ keccak256(posted data) ‖ keccak256(queue items' words)) mod r; a blob's
#: versioned hash comes last.
DATA_TAG = b"aitbc-rollup/data/v2"


def shifts(layout: Layout) -> dict[str, int]:
    """The power of two at which each field of a layout begins."""
    starts = accumulate((bits for _, bits in layout), initial=0)
    return {name: start for (name, _), start in zip(layout, starts, strict=False)}


def pack(layout: Layout, values: Mapping[str, int]) -> int:
    """One integer of a layout's fields; ``values`` may hold more.

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
