"""The four files of a proven batch: ``proof.json public.json verification_key.json batch.json``.

The first three are snarkjs's. ``batch.json`` holds the data words as posted, the signed sessions behind them, and
where they came from. :func:`verify` trusts none of it: everything that can be recomputed is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aitbc_rollup.circuits.statements.agent_runs import Shape
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

from .batch import Batch, bind
from .binding import Binding, to_data
from .checks import Fields, format_address
from .files import MAX_FILE_BYTES, make_folder, read_json, write_whole
from .rebuild import BatchData, decode, words_of
from .records import SignedSession
from .sessions import signed_from_line, signed_to_line

FORMAT = "aitbc-rollup/batch/v1"
PROOF, PUBLIC, KEY, BATCH = "proof.json", "public.json", "verification_key.json", "batch.json"
#: In the order of writing: whoever sees the last sees all.
FILES = (PROOF, PUBLIC, KEY, BATCH)


@dataclass(frozen=True, slots=True)
class Origin:
    """The genesis behind a batch: its file's digest, its root, and the operator's L1 address.

    With shard and verifying key, this is what the contract's address follows from.
    """

    digest: str
    root: int
    operator: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """A proven batch as read from its files."""

    proof: Proof
    public: tuple[int, ...]
    key: VerifyingKey
    words: tuple[int, ...]
    data: BatchData
    shape: Shape
    payout: int
    sessions: tuple[SignedSession, ...]
    provenance: dict[str, Any]
    origin: Origin

    @property
    def bytes(self) -> bytes:
        """The bytes posted on L1."""
        return to_data(self.words)

    @property
    def binding(self) -> Binding:
        """C, ζ and y recomputed from the words."""
        return bind(self.words, self.shape)


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


@next_step("get the batch's files again, or make them with `aitbc-rollup prove-batch`")
def load(folder: Path) -> Bundle:
    """Read the files of a proven batch.

    Raises:
        BadInputError: a file is missing or malformed.
    """
    value = Fields(read_json(folder / BATCH), str(folder / BATCH))
    value.literal("format", FORMAT)
    words = words_of(_hex(value.text("data", limit=MAX_FILE_BYTES), value.place), value.place)
    data = decode(words, value.place)
    for name in ("chain_id", "shard", "batch_number", "mode", "l1_time"):
        value.literal(name, data.header[name])
    for name in ("old_root", "new_root"):
        value.literal(name, str(data.header[name]))
    value.literal("contract", format_address(data.header["contract"]))
    value.literal("records", data.records)
    shape = _shape(value.take("shape"), value.place)
    payout = value.address("payout")
    origin = _origin(Fields(value.take("genesis"), f"{value.place}, genesis"))
    provenance = value.take("provenance")
    lines = value.array("sessions")
    value.finish()
    sessions = tuple(
        signed_from_line(json.dumps(line), f"{value.place}, session {number}")[0] for number, line in enumerate(lines)
    )
    return Bundle(
        proof=proof_from_json(read_json(folder / PROOF), str(folder / PROOF)),
        public=tuple(public_from_json(read_json(folder / PUBLIC), str(folder / PUBLIC))),
        key=verification_key_from_json(read_json(folder / KEY), str(folder / KEY)),
        words=tuple(words),
        data=data,
        shape=shape,
        payout=payout,
        sessions=sessions,
        provenance=provenance,
        origin=origin,
    )


@next_step("do not use this batch: get its files again from whoever proved it")
def verify(bundle: Bundle, *, key: VerifyingKey | None = None, reference: bool = False) -> None:
    """Check a proven batch: sessions against data, data against public inputs, proof against key.

    That the old root is a chain's current one is for the chain to say.

    Args:
        bundle: the batch.
        key: the verifying key to trust; the bundle's own if left out.
        reference: verify with py_ecc's pairing.

    Raises:
        InvalidError: naming what does not fit.
        BadInputError: the verifying key is not sound.
    """
    check_sessions(bundle.sessions, bundle.data)
    expected = bundle.binding.public_inputs(bundle.payout)
    for name, right, got in zip(("C", "ζ", "y", "payout"), expected, bundle.public, strict=False):
        if right != got:
            raise InvalidError(
                f"public input {name} does not follow from the data", place=PUBLIC, expected=str(right), got=str(got)
            )
    if len(bundle.public) != len(expected):
        raise InvalidError("wrong number of public inputs", place=PUBLIC, expected="4", got=str(len(bundle.public)))
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


def check_sessions(sessions: Sequence[SignedSession], data: BatchData) -> None:
    """Check that signed sessions are the ones that data words speak of, as far as data tell.

    Raises:
        InvalidError: naming the first session that is not.
    """
    if len(sessions) != len(data.sessions):
        raise InvalidError(
            "wrong number of sessions", place=BATCH, expected=str(len(data.sessions)), got=str(len(sessions))
        )
    for number, (signed, posted) in enumerate(zip(sessions, data.sessions, strict=True)):
        session = signed.session
        pairs = {
            "agent_index": (posted.agent_index, session.agent_index),
            "provider_index": (posted.provider_index, session.provider_index),
            "nonce": (posted.nonce, session.nonce),
            "count": (posted.count, len(session.records)),
            "operator_share_bps": (posted.operator_share_bps, session.operator_share_bps),
            "fee": (posted.fee, session.fee),
            "usage": (tuple(posted.usage.values()), session.usage),
        }
        for name, (right, got) in pairs.items():
            if right != got:
                raise InvalidError(
                    f"{name} is not what the data say",
                    place=f"{BATCH}, session {number}",
                    expected=str(right),
                    got=str(got),
                )


def _batch_json(batch: Batch, payout: int, origin: Origin, provenance: dict[str, Any]) -> dict[str, Any]:
    context = batch.context
    return {
        "format": FORMAT,
        "chain_id": context.domain.chain_id,
        "contract": format_address(context.domain.contract),
        "shard": context.domain.shard,
        "batch_number": context.batch_number,
        "mode": context.mode,
        "l1_time": context.l1_time,
        "old_root": str(batch.old_root),
        "new_root": str(batch.new_root),
        "records": batch.records,
        "shape": [batch.shape.sessions, batch.shape.providers],
        "payout": format_address(payout),
        "genesis": {
            "digest": origin.digest,
            "root": str(origin.root),
            "operator": format_address(origin.operator),
        },
        "provenance": provenance,
        "data": "0x" + batch.data.hex(),
        "sessions": [json.loads(signed_to_line(signed, context.domain)) for signed in batch.sessions],
    }


def _origin(fields: Fields) -> Origin:
    origin = Origin(fields.text("digest"), fields.element("root"), fields.address("operator"))
    fields.finish()
    return origin


def _text(value: Any) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


def _hex(text: str, place: str) -> bytes:
    try:
        if not text.startswith("0x"):
            raise ValueError
        return bytes.fromhex(text[2:])
    except ValueError:
        raise BadInputError("field 'data' is wrong", place=place, expected="0x and hexadecimal digits") from None


def _shape(value: object, place: str) -> Shape:
    try:
        match value:
            case [int(sessions), int(providers)] if not isinstance(sessions, bool):
                return Shape(sessions, providers)
            case _:
                raise ValueError("not two numbers")
    except ValueError as error:
        raise BadInputError(
            "field 'shape' is wrong", place=place, expected="[sessions, providers]", got=str(error)
        ) from None
