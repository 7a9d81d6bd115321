"""Sessions as JSON: what an agent signs, what a session file holds, one object a line.

Field elements, fees and the fee cap are decimal strings, everything else numbers. A signed session names its
chain, contract and shard as well, so that a session for elsewhere is told apart from a bad signature.
"""

from __future__ import annotations

import json
from typing import Any

from aitbc_rollup.algebra.eddsa import Signature
from aitbc_rollup.circuits.statements import protocol
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.strict_json import parse_json

from .checks import Fields, format_address
from .records import Domain, RunRecord, Session, SignedSession

FORMAT = "aitbc-rollup/session/v1"
_RECORD_DECIMALS = {"fee": protocol.FEE_BITS}
_RECORD_NUMBERS = {
    name: bits
    for name, bits in (*protocol.RECORD_WORD_0, *protocol.RECORD_WORD_1)
    if name not in {"fee", "agent_index"}
}


def record_to_json(record: RunRecord) -> dict[str, Any]:
    """A record as an object; fields that are zero are left out."""
    found: dict[str, Any] = {}
    for name, value in zip(protocol.RECORD_FIELDS, record.fields, strict=True):
        if value:
            found[name] = value if name in _RECORD_NUMBERS else str(value)
    return found


def record_from_json(value: object, place: str) -> RunRecord:
    """A record from its object; a field left out is zero.

    Raises:
        BadInputError: a field is unknown, of the wrong type or too wide.
    """
    fields = Fields(value, place)
    numbers = {name: fields.integer(name, bits, 0) for name, bits in _RECORD_NUMBERS.items()}
    fee = fields.decimal("fee", protocol.FEE_BITS, "0")
    elements = {name: fields.element(name, "0") for name in protocol.RECORD_ELEMENTS}
    fields.finish()
    return RunRecord(fee=fee, **numbers, **elements)


def session_to_json(session: Session, domain: Domain) -> dict[str, Any]:
    """A session and where it counts, without a signature."""
    return {
        "format": FORMAT,
        "chain_id": domain.chain_id,
        "contract": format_address(domain.contract),
        "shard": domain.shard,
        "agent_index": session.agent_index,
        "provider_index": session.provider_index,
        "nonce": session.nonce,
        "fee_cap": str(session.fee_cap),
        "operator_share_bps": session.operator_share_bps,
        "expiry": session.expiry,
        "records": [record_to_json(record) for record in session.records],
    }


def session_from_fields(fields: Fields) -> tuple[Session, Domain]:
    """The session and its domain, taken out of an object that may hold more.

    Raises:
        BadInputError: a field is missing, of the wrong type or too wide, or a rule of the session does not hold.
    """
    place = fields.place
    fields.literal("format", FORMAT)
    domain = Domain(fields.integer("chain_id", 64), fields.address("contract"), fields.integer("shard", 32))
    records = tuple(
        record_from_json(value, f"{place}, record {number}") for number, value in enumerate(fields.array("records"))
    )
    numbers = {
        "agent_index": fields.integer("agent_index", protocol.INDEX_BITS),
        "provider_index": fields.integer("provider_index", protocol.INDEX_BITS),
        "nonce": fields.integer("nonce", protocol.NONCE_BITS),
        "fee_cap": fields.decimal("fee_cap", protocol.FEE_BITS),
        "operator_share_bps": fields.integer("operator_share_bps", 16),
        "expiry": fields.integer("expiry", protocol.TIME_BITS),
    }
    try:
        return Session(records=records, **numbers), domain
    except BadInputError as error:
        raise at(error, place) from None


def signed_to_line(signed: SignedSession, domain: Domain) -> str:
    """One line of a session file, without its line end."""
    signature = signed.signature
    value = session_to_json(signed.session, domain) | {
        "signature": {"r8": [str(signature.r8[0]), str(signature.r8[1])], "s": str(signature.s)}
    }
    return json.dumps(value, separators=(",", ":"))


def signed_from_line(line: str, place: str) -> tuple[SignedSession, Domain]:
    """A signed session from its line; whether the signature verifies is the state's to check.

    Raises:
        BadInputError: the line is not such a session.
    """
    fields = Fields(parse_json(line, place), place)
    session, domain = session_from_fields(fields)
    inner = Fields(fields.take("signature"), f"{place}, signature")
    signature = Signature(inner.point("r8"), inner.element("s"))
    inner.finish()
    fields.finish()
    return SignedSession(session, signature, place), domain


def check_domain(found: Domain, expected: Domain, place: str) -> None:
    """Refuse a session made for another chain, contract or shard.

    Raises:
        BadInputError: naming what differs.
    """
    pairs = (
        ("chain", str(expected.chain_id), str(found.chain_id)),
        ("contract", format_address(expected.contract), format_address(found.contract)),
        ("shard", str(expected.shard), str(found.shard)),
    )
    for name, right, got in pairs:
        if right != got:
            raise BadInputError(
                f"the session was signed for another {name}",
                place=place,
                expected=right,
                got=got,
                hint="`aitbc-rollup status` shows the contract; the agent signs the session again for it",
            )


def at(error: BadInputError, place: str) -> BadInputError:
    """The same error, placed if it has no place yet."""
    return BadInputError(
        error.message, place=error.place or place, expected=error.expected, got=error.got, hint=error.hint
    )
