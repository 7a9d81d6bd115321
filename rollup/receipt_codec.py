"""Receipts as JSON, and the record that a receipt is asked for."""

from __future__ import annotations

import re
from typing import Any

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.errors import BadInputError, next_step

from .account_proof import SIBLINGS, AccountProof
from .checks import Fields
from .documents import domain_from_fields, domain_to_json
from .receipts import Receipt
from .store import Store

FORMAT = "aitbc-rollup/receipt/v1"
_PLACE = re.compile(r"([0-9]{1,15}):([0-9]{1,15}):([0-9]{1,15})", re.ASCII)
_HASH = re.compile(r"0x[0-9a-fA-F]{1,64}|[0-9]{16,78}", re.ASCII)
_TERMS_BITS, _FEES_BITS = (sum(bits for _, bits in part) for part in (layout.SESSION_TERMS, layout.SESSION_FEES))


def receipt_to_json(receipt: Receipt) -> dict[str, Any]:
    """A receipt as one object; ``record`` repeats five of the words, for those who read."""
    account = receipt.account
    return {
        "format": FORMAT,
        **domain_to_json(receipt.domain),
        "batch_number": receipt.batch_number,
        "root": str(account.root),
        "record": _texts(receipt.record),
        "place": receipt.place,
        "state_before": str(receipt.state_before),
        "words": _texts(receipt.words),
        "terms": str(receipt.terms),
        "fees": str(receipt.fees),
        "history_before": str(receipt.history_before),
        "later_messages": _texts(receipt.later_messages),
        "account_index": account.index,
        "account": _texts(account.leaf),
        "siblings": _texts(account.siblings),
    }


@next_step("have the receipt made again: `aitbc-rollup receipt` writes it")
def receipt_from_json(value: object, place: str) -> Receipt:
    """A receipt from its object; whether it proves anything is ``receipts.verify``'s to say.

    Raises:
        BadInputError: a field is missing, unknown, of the wrong type or too wide, or ``record`` is not among the words.
    """
    fields = Fields(value, place)
    fields.literal("format", FORMAT)
    record = fields.elements("record", layout.RECORD_WORDS)
    receipt = Receipt(
        domain=domain_from_fields(fields),
        batch_number=fields.integer("batch_number", 48),
        place=fields.integer("place", layout.COUNT_BITS),
        state_before=fields.element("state_before"),
        words=fields.elements("words"),
        terms=fields.decimal("terms", _TERMS_BITS),
        fees=fields.decimal("fees", _FEES_BITS),
        history_before=fields.element("history_before"),
        later_messages=fields.elements("later_messages"),
        account=AccountProof(
            root=fields.element("root"),
            index=fields.integer("account_index", layout.INDEX_BITS),
            leaf=fields.elements("account", len(layout.LEAF)),
            siblings=fields.elements("siblings", SIBLINGS),
        ),
    )
    fields.finish()
    if record != receipt.record:
        raise BadInputError("field 'record' is wrong", place=place, expected="those of the words that are at its place")
    return receipt


def find(store: Store, text: str) -> tuple[int, int, int]:
    """Batch, session and place of a record: of ``BATCH:SESSION:PLACE``, or of a run hash.

    Raises:
        BadInputError: neither, or no record here has this run hash.
    """
    if match := _PLACE.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3])
    if not _HASH.fullmatch(text) or (run_hash := int(text, 0 if text.startswith("0x") else 10)) >= R:
        raise BadInputError(
            "neither a place nor a run hash",
            place="RECORD",
            expected="BATCH:SESSION:PLACE such as 1:0:15, or a field element",
            got=text[:80],
            hint="batch.json has a batch's sessions and their records, both counted from 0",
        )
    billed = store.billed_in(run_hash.to_bytes(32, "big"))  # under which sessions that agents send are billed
    for number in range(store.batch_count, 0, -1) if billed is None else [billed]:
        for session, signed in enumerate(store.sessions(number)):
            if run_hash in signed.session.run_hashes:
                return number, session, signed.session.run_hashes.index(run_hash)
    raise BadInputError(
        "no record has this run hash",
        place="RECORD",
        expected=f"the run hash of a record in the {store.batch_count} batches here",
        got=text,
        hint="--state names the folder whose batches are meant",
    )


def _texts(words: tuple[int, ...]) -> list[str]:
    return [str(int(word)) for word in words]
