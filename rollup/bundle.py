"""The four files of a proven batch: ``proof.json public.json verification_key.json batch.json``.

The first three are snarkjs's. ``batch.json`` holds the data as posted and as they lie elsewhere, the queue items the
batch took, the signed transactions behind them, and where they came from. :func:`verify` trusts none of it: everything
that can be recomputed is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError, InvalidError, next_step
from aitbc_rollup.verifier import groth16
from aitbc_rollup.verifier.formats import (
    proof_from_json,
    proof_to_json,
    public_from_json,
    public_to_json,
    verification_key_from_json,
    verification_key_to_json,
)
from aitbc_rollup.verifier.types import Proof, VerifyingKey

from .batch import Batch
from .binding import Binding, to_words
from .checks import Fields, format_address
from .data import BatchData, decode
from .documents import (
    signed_session_from_json,
    signed_session_to_json,
    signed_transfer_from_json,
    signed_transfer_to_json,
)
from .files import MAX_FILE_BYTES, make_folder, read_json, write_whole
from .l1.plan import Deployment
from .posted import PostedSession, PostedTransfer
from .transactions import QueueItem, SignedSession, SignedTransfer

FORMAT = "aitbc-rollup/batch/v2"
PROOF, PUBLIC, KEY, BATCH = "proof.json", "public.json", "verification_key.json", "batch.json"
#: In the order of writing: whoever sees the last sees all.
FILES = (PROOF, PUBLIC, KEY, BATCH)


@dataclass(frozen=True, slots=True)
class Origin:
    """The genesis behind a batch, by its file's digest, and the deployment that the contract's address follows from."""

    digest: str
    deployment: Deployment


@dataclass(frozen=True, slots=True)
class Bundle:
    """A proven batch as read from its files."""

    proof: Proof
    public: tuple[int, ...]
    key: VerifyingKey
    data: BatchData
    shape: Shape
    payout: int
    transfers: tuple[SignedTransfer, ...]
    sessions: tuple[SignedSession, ...]
    provenance: dict[str, Any]
    origin: Origin

    @property
    def binding(self) -> Binding:
        """C, ζ and y recomputed from the data, and the value of their blob."""
        return self.data.binding(self.shape)


def contents(
    batch: Batch, *, proof: Proof, key: VerifyingKey, payout: int, origin: Origin, provenance: dict[str, Any]
) -> dict[str, bytes]:
    """The bytes of each file."""
    public = batch.binding.public_inputs(payout)
    return {
        PROOF: _text(proof_to_json(proof)),
        PUBLIC: _text(public_to_json(public)),
        KEY: _text(verification_key_to_json(key)),
        BATCH: _text(_batch_json(batch, payout, origin, provenance)),
    }


def write(folder: Path, files: dict[str, bytes]) -> bool:
    """Write the files, each whole, ``batch.json`` last; returns whether any changed.

    Raises:
        ResourceError: the folder or a file cannot be written.
    """
    make_folder(folder)
    written = [write_whole(folder / name, files[name]) for name in FILES]
    return any(written)


# -- reading -------------------------------------------------------------------------------------------------


@next_step("get the batch's files again, or make them with `aitbc-rollup prove-batch`")
def load(folder: Path) -> Bundle:
    """Read the files of a proven batch.

    Raises:
        BadInputError: a file is missing or malformed.
    """
    value = Fields(read_json(folder / BATCH), str(folder / BATCH))
    value.literal("format", FORMAT)
    data = _data(value)
    context = data.context
    for name in ("batch_number", "mode", "l1_time"):
        value.literal(name, getattr(context, name))
    value.literal("chain_id", context.domain.chain_id)
    value.literal("contract", format_address(context.domain.contract))
    value.literal("shard", context.domain.shard)
    value.literal("old_root", str(data.old_root))
    value.literal("new_root", str(data.new_root))
    value.literal("records", data.records)
    shape = _shape(value.text("shape"), value.place)
    payout = value.address("payout")
    digest = value.text("genesis")
    plan = Deployment.from_json(value.take("deployment"), f"{value.place}, deployment")
    provenance = value.take("provenance")
    transfers = tuple(
        signed_transfer_from_json(entry, f"{value.place}, transfer {number}")[0]
        for number, entry in enumerate(value.array("transfers"))
    )
    sessions = tuple(
        signed_session_from_json(entry, f"{value.place}, session {number}")[0]
        for number, entry in enumerate(value.array("sessions"))
    )
    value.finish()
    return Bundle(
        proof=proof_from_json(read_json(folder / PROOF), str(folder / PROOF)),
        public=tuple(public_from_json(read_json(folder / PUBLIC), str(folder / PUBLIC))),
        key=verification_key_from_json(read_json(folder / KEY), str(folder / KEY)),
        data=data,
        shape=shape,
        payout=payout,
        transfers=transfers,
        sessions=sessions,
        provenance=provenance,
        origin=Origin(digest, plan),
    )


def _data(value: Fields) -> BatchData:
    queue = to_words(_hex(value, "queue_items"), f"{value.place}, queue items")
    if len(queue) % 2:
        raise BadInputError("field 'queue_items' is wrong", place=value.place, expected="two words an item")
    items = [QueueItem.from_words(*queue[start : start + 2]) for start in range(0, len(queue), 2)]
    elsewhere = _hex(value, "elsewhere") if value.has("elsewhere") else b""
    words, others = to_words(_hex(value, "data"), value.place), to_words(elsewhere, f"{value.place}, elsewhere")
    return decode(words, items, value.place, others)


def _hex(value: Fields, name: str) -> bytes:
    text = value.text(name, limit=MAX_FILE_BYTES)
    try:
        if not text.startswith("0x"):
            raise ValueError
        return bytes.fromhex(text[2:])
    except ValueError:
        raise BadInputError(
            f"field {name!r} is wrong", place=value.place, expected="0x and hexadecimal digits"
        ) from None


def _shape(text: str, place: str) -> Shape:
    try:
        return Shape.parse(text)
    except ValueError as error:
        raise BadInputError("field 'shape' is wrong", place=place, expected=str(error), got=text) from None


# -- checking ------------------------------------------------------------------------------------------------


@next_step("do not use this batch: get its files again from whoever proved it")
def verify(bundle: Bundle, *, key: VerifyingKey | None = None, reference: bool = False) -> None:
    """Check a proven batch: transactions against data, data against public inputs, proof against key.

    That the old root is a chain's current one, and the queue items its own, is for the chain to say.

    Args:
        bundle: the batch.
        key: the verifying key to trust; the bundle's own if left out.
        reference: verify with py_ecc's pairing.

    Raises:
        InvalidError: naming what does not fit.
        BadInputError: the verifying key is not sound.
    """
    check_transactions(bundle)
    expected = bundle.binding.named_inputs(bundle.payout)
    for (name, right), got in zip(expected.items(), bundle.public, strict=False):
        if right != got:
            raise InvalidError(
                f"public input {name} does not follow from the data", place=PUBLIC, expected=str(right), got=str(got)
            )
    if len(bundle.public) != len(expected):
        raise InvalidError(
            "wrong number of public inputs", place=PUBLIC, expected=str(len(expected)), got=str(len(bundle.public))
        )
    if key is not None and key != bundle.key:
        raise InvalidError(
            "the batch's verifying key is not the one to trust",
            place=KEY,
            hint="the proof was made for another circuit or set-up",
        )
    groth16.check_key(bundle.key)
    if not groth16.verify(bundle.key, bundle.public, bundle.proof, reference=reference):
        raise InvalidError(
            "the proof does not verify", place=PROOF, expected="a proof of these public inputs under this key"
        )


def check_transactions(bundle: Bundle) -> None:
    """Check that signed transactions are the ones that the data speak of, as far as data tell.

    Raises:
        InvalidError: naming the first that is not.
    """
    counts = (
        ("sessions", bundle.sessions, bundle.data.sessions),
        ("transfers", bundle.transfers, bundle.data.transfers),
    )
    for what, signed, posted in counts:
        if len(signed) != len(posted):
            raise InvalidError(f"wrong number of {what}", place=BATCH, expected=str(len(posted)), got=str(len(signed)))
    for number, (session, said) in enumerate(zip(bundle.sessions, bundle.data.sessions, strict=True)):
        _compare(_session_facts(session, said), said, f"{BATCH}, session {number}")
    for number, (transfer, told) in enumerate(zip(bundle.transfers, bundle.data.transfers, strict=True)):
        _compare(_transfer_facts(transfer), told, f"{BATCH}, transfer {number}")


def _session_facts(signed: SignedSession, posted: PostedSession) -> dict[str, Any]:
    """What a signed session says of the fields of its data; of usage only if it is valid."""
    session = signed.session
    names = ("agent_index", "provider_index", "nonce", "count", "operator_share_bps", "fee")
    facts = {name: getattr(session, name) for name in names}
    facts["countersigned"] = signed.countersignature is not None
    return facts | ({"usage": session.usage} if posted.valid else {})


def _transfer_facts(signed: SignedTransfer) -> dict[str, Any]:
    names = ("from_index", "to_index", "nonce", "exit", "amount", "fee")
    return {name: getattr(signed.transfer, name) for name in names}


def _compare(facts: dict[str, Any], posted: PostedSession | PostedTransfer, place: str) -> None:
    for name, got in facts.items():
        right = getattr(posted, name)
        if right != got:
            raise InvalidError(f"{name} is not what the data say", place=place, expected=str(right), got=str(got))


# -- writing -------------------------------------------------------------------------------------------------


def _batch_json(batch: Batch, payout: int, origin: Origin, provenance: dict[str, Any]) -> dict[str, Any]:
    data = batch.data
    context, domain = data.context, data.context.domain
    return {
        "format": FORMAT,
        "chain_id": domain.chain_id,
        "contract": format_address(domain.contract),
        "shard": domain.shard,
        "batch_number": context.batch_number,
        "mode": context.mode,
        "l1_time": context.l1_time,
        "old_root": str(data.old_root),
        "new_root": str(data.new_root),
        "records": data.records,
        "shape": str(batch.shape),
        "payout": format_address(payout),
        "genesis": origin.digest,
        "deployment": origin.deployment.to_json(),
        "provenance": provenance,
        "data": "0x" + data.posted.hex(),
        **({"elsewhere": "0x" + data.elsewhere.hex()} if batch.shape.elsewhere else {}),
        "queue_items": "0x" + data.queue_bytes.hex(),
        "transfers": [signed_transfer_to_json(signed, domain) for signed in batch.items.transfers],
        "sessions": [signed_session_to_json(signed, domain) for signed in batch.items.sessions],
    }


def _text(value: Any) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()
