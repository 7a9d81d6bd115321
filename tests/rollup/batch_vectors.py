"""Writes ``docs/spec/vectors/batch.json``: what the protocol's hashes, words and binding are for one small batch.

``python tests/rollup/batch_vectors.py`` writes it; ``test_spec_vectors.py`` holds it against the code, and against
plain integers. Everything is a decimal string, bytes are hexadecimal.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from batch_world import (
    ALICE,
    BOB,
    DOMAIN,
    PROVIDER,
    context,
    new_state,
    queue_item,
    record,
    registration,
    run,
    session,
    transfer,
)

from aitbc_rollup.circuits.statements.batch.layout import MODE, PAGE_RECORDS, Kind, QueueKind, pack
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup.batch import build
from aitbc_rollup.rollup.full.batch import build_full, inputs_of
from aitbc_rollup.rollup.l1.attestation import Attestation
from aitbc_rollup.rollup.transactions import Transactions
from aitbc_rollup.rollup.tree import empty_node

FILE = Path(__file__).parents[2] / "docs" / "spec" / "vectors" / "batch.json"
SHAPE = Shape(pages=3, sessions=2, accounts=8, queue=2, registrations=1, transfers=1, signatures=4, index_bits=24)


def vectors() -> dict[str, Any]:
    """The vectors as they stand in the file."""
    state = new_state()
    before = {index: state.account(index) for index in (ALICE, BOB)}
    long = session(nonce=1, records=tuple(record(sequence=i, fee=i) for i in range(PAGE_RECORDS + 1)))
    short = session(BOB, countersigner=PROVIDER)
    sent = transfer()
    items = {
        "queue": [queue_item(QueueKind.DEPOSIT, ALICE), queue_item(QueueKind.EXIT, BOB, 7)],
        "registrations": [registration()],
        "transfers": [sent],
        "sessions": [long, short],
    }
    batch = run(state, SHAPE, **items)
    return {
        "generator": "tests/rollup/batch_vectors.py",
        "domain": {"chain_id": DOMAIN.chain_id, "contract": str(DOMAIN.contract), "shard": DOMAIN.shard,
                   "hash": str(DOMAIN.element)},
        "empty_nodes": [str(empty_node(level)) for level in range(17)],
        "leaves": [
            {"index": index, "words": _text(found.leaf_words), "leaf": str(found.leaf())}
            for index, found in before.items()
        ],
        "sessions": [
            {
                "records": [_text(entry.words(signed.session.agent_index)) for entry in signed.session.records],
                "page_states": _text(signed.session.page_states),
                "records_root": str(signed.session.records_root),
                "message": str(signed.session.message(DOMAIN)),
                "public_key": _text(state.account(signed.session.agent_index).public_key),
                "signature": {"r8": _text(signed.signature.r8), "s": str(signed.signature.s)},
                "history_root": str(posted.history_root),
            }
            for signed, posted in zip((long, short), batch.data.sessions, strict=True)
        ],
        "transfer": {"message": str(sent.transfer.message(DOMAIN)), "s": str(sent.signature.s)},
        "shape": str(SHAPE),
        "sections": {name: _text(words) for name, words in batch.data.sections.items()},
        "polynomial": _text(batch.data.polynomial(SHAPE)),
        "posted": batch.data.posted.hex(),
        "queue_bytes": batch.data.queue_bytes.hex(),
        "old_root": str(batch.data.old_root),
        "new_root": str(batch.data.new_root),
        "commitment": str(batch.binding.commitment),
        "zeta": str(batch.binding.zeta),
        "evaluation": str(batch.binding.evaluation),
        "digest": batch.binding.digest.hex(),
        "kinds": [_elsewhere(kind, batch.items) for kind in (Kind.BLOB, Kind.ATTESTED)],
        "full": _full(replace(batch.items, registrations=())),
    }  # fmt: skip


def _elsewhere(kind: Kind, items: Transactions) -> dict[str, Any]:
    """The same batch with its registrations and sessions in a blob, or with attesters."""
    shape, mode = replace(SHAPE, kind=kind), pack(MODE, {"development_keys": True, "kind": kind})
    data = build(new_state(), items, context(mode=mode), shape).data
    binding, blob = data.binding(shape), data.blob(shape)
    found = {
        "kind": int(kind),
        "posted": data.posted.hex(),
        "elsewhere": data.elsewhere.hex(),
        "statement": _text(binding.statement),
        "digest": binding.digest.hex(),
    }
    if blob is None:
        return found | {"attestation_digest": Attestation.of(data, shape).digest.hex()}
    return found | {
        "kzg_commitment": blob.commitment.hex(),
        "versioned_hash": blob.versioned_hash.hex(),
        "opening": blob.opening(binding.zeta).hex(),
    }


def _full(items: Transactions) -> dict[str, Any]:
    """The same transactions in a full batch, but for the registration and the countersignature."""
    state, mode = new_state(), pack(MODE, {"development_keys": True, "kind": Kind.FULL})
    batch = build_full(state, inputs_of(state, items, context(mode=mode)), SHAPE.fallback)
    return {
        "shape": str(batch.shape),
        "posted": batch.data.posted.hex(),
        "outcome": batch.data.outcome.digest.hex(),
        "inputs": batch.data.inputs_hash.hex(),
        "statement": _text(batch.binding.statement),
        "digest": batch.binding.digest.hex(),
    }


def _text(values: Any) -> list[str]:
    return [str(int(value)) for value in values]


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
