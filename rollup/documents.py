"""Transactions as JSON: what agents and users sign, what an input file holds, one object a line.

Field elements, fees and amounts are decimal strings, everything else numbers. What is signed names its chain, contract
and shard as well, so that a line for elsewhere is told apart from a bad signature. ``format`` tells the kinds apart.
"""

from __future__ import annotations

import json
from typing import Any

from aitbc_rollup.algebra.eddsa import Signature
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.strict_json import parse_json

from .checks import Fields, format_address, placed
from .records import RunRecord
from .transactions import Domain, Registration, Session, SignedSession, SignedTransfer, Transfer

SESSION_FORMAT = "aitbc-rollup/session/v2"
TRANSFER_FORMAT = "aitbc-rollup/transfer/v2"
REGISTRATION_FORMAT = "aitbc-rollup/registration/v2"

_RECORD_NUMBERS = {
    name: bits for name, bits in (*layout.RECORD_WORD_0, *layout.RECORD_WORD_1) if name not in {"fee", "agent_index"}
}


# -- records -------------------------------------------------------------------------------------------------


def record_to_json(record: RunRecord) -> dict[str, Any]:
    """A record as an object; fields that are zero are left out."""
    found: dict[str, Any] = {}
    for name, value in zip(layout.RECORD_FIELDS, record.fields, strict=True):
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
    fee = fields.decimal("fee", layout.FEE_BITS, "0")
    elements = {name: fields.element(name, "0") for name in layout.RECORD_ELEMENTS}
    fields.finish()
    return RunRecord(fee=fee, **numbers, **elements)


# -- sessions ------------------------------------------------------------------------------------------------


def session_to_json(session: Session, domain: Domain) -> dict[str, Any]:
    """A session and where it counts, without a signature."""
    return {
        "format": SESSION_FORMAT,
        **domain_to_json(domain),
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
    fields.literal("format", SESSION_FORMAT)
    domain = domain_from_fields(fields)
    records = tuple(
        record_from_json(value, f"{fields.place}, record {number}")
        for number, value in enumerate(fields.array("records"))
    )
    numbers = {
        "agent_index": fields.integer("agent_index", layout.INDEX_BITS),
        "provider_index": fields.integer("provider_index", layout.INDEX_BITS),
        "nonce": fields.integer("nonce", layout.NONCE_BITS),
        "fee_cap": fields.decimal("fee_cap", layout.FEE_BITS),
        "operator_share_bps": fields.integer("operator_share_bps", layout.SHARE_BITS),
        "expiry": fields.integer("expiry", layout.TIME_BITS),
    }
    with placed(fields.place):
        return Session(records=records, **numbers), domain


def signed_session_to_json(signed: SignedSession, domain: Domain) -> dict[str, Any]:
    """A signed session as one object of an input file."""
    value = session_to_json(signed.session, domain) | {"signature": _signature_to_json(signed.signature)}
    if signed.countersignature is not None:
        value["countersignature"] = _signature_to_json(signed.countersignature)
    return value


def signed_session_from_json(value: object, place: str) -> tuple[SignedSession, Domain]:
    """A signed session from its object; whether signatures verify is the fold's to say.

    Raises:
        BadInputError: it is no such session.
    """
    fields = Fields(value, place)
    session, domain = session_from_fields(fields)
    signature = _signature_from(fields, "signature")
    countersigned = fields.has("countersignature")
    countersignature = _signature_from(fields, "countersignature") if countersigned else None
    fields.finish()
    return SignedSession(session, signature, countersignature, place), domain


# -- transfers -----------------------------------------------------------------------------------------------


def transfer_to_json(transfer: Transfer, domain: Domain) -> dict[str, Any]:
    """A transfer and where it counts, without a signature."""
    return {
        "format": TRANSFER_FORMAT,
        **domain_to_json(domain),
        "from_index": transfer.from_index,
        **({"exit": True} if transfer.exit else {"to_index": transfer.to_index}),
        "nonce": transfer.nonce,
        "expiry": transfer.expiry,
        "amount": str(transfer.amount),
        "fee": str(transfer.fee),
    }


def transfer_from_fields(fields: Fields) -> tuple[Transfer, Domain]:
    """The transfer and its domain, taken out of an object that may hold more; an exit names no ``to_index``.

    Raises:
        BadInputError: a field is missing, of the wrong type or too wide.
    """
    fields.literal("format", TRANSFER_FORMAT)
    domain = domain_from_fields(fields)
    leaves = fields.boolean("exit", False)
    transfer = Transfer(
        from_index=fields.integer("from_index", layout.INDEX_BITS),
        to_index=0 if leaves else fields.integer("to_index", layout.INDEX_BITS),
        nonce=fields.integer("nonce", layout.NONCE_BITS),
        exit=leaves,
        expiry=fields.integer("expiry", layout.TIME_BITS),
        amount=fields.decimal("amount", layout.AMOUNT_BITS),
        fee=fields.decimal("fee", layout.FEE_BITS, "0"),
    )
    return transfer, domain


def signed_transfer_to_json(signed: SignedTransfer, domain: Domain) -> dict[str, Any]:
    """A signed transfer as one object of an input file."""
    return transfer_to_json(signed.transfer, domain) | {"signature": _signature_to_json(signed.signature)}


def signed_transfer_from_json(value: object, place: str) -> tuple[SignedTransfer, Domain]:
    """A signed transfer from its object; whether the signature verifies is the fold's to say.

    Raises:
        BadInputError: it is no such transfer.
    """
    fields = Fields(value, place)
    transfer, domain = transfer_from_fields(fields)
    signature = _signature_from(fields, "signature")
    fields.finish()
    return SignedTransfer(transfer, signature, place), domain


# -- registrations -------------------------------------------------------------------------------------------


def registration_to_json(registration: Registration) -> dict[str, Any]:
    """A registration as one object of the operator's file."""
    return {
        "format": REGISTRATION_FORMAT,
        "index": registration.index,
        "public_key": [str(coordinate) for coordinate in registration.public_key],
        "l1_owner": format_address(registration.l1_owner),
        "permissions": registration.permissions,
        "external_id": str(registration.external_id),
    }


def registration_from_json(value: object, place: str) -> Registration:
    """A registration from its object.

    Raises:
        BadInputError: a field is missing, of the wrong type or too wide, or the key is no point of prime order.
    """
    fields = Fields(value, place)
    fields.literal("format", REGISTRATION_FORMAT)
    with placed(place):
        registration = Registration(
            index=fields.integer("index", layout.INDEX_BITS),
            public_key=fields.point("public_key"),
            l1_owner=fields.address("l1_owner"),
            permissions=fields.integer("permissions", 32, 0),
            external_id=fields.element("external_id", "0"),
        )
    fields.finish()
    return registration


# -- what they share -----------------------------------------------------------------------------------------


def domain_to_json(domain: Domain) -> dict[str, Any]:
    """The three fields of an object that say where something counts."""
    return {"chain_id": domain.chain_id, "contract": format_address(domain.contract), "shard": domain.shard}


def domain_from_fields(fields: Fields) -> Domain:
    """The domain, taken out of an object that holds more.

    Raises:
        BadInputError: a field is missing, of the wrong type or too wide.
    """
    return Domain(fields.integer("chain_id", 64), fields.address("contract"), fields.integer("shard", 32))


def to_line(value: dict[str, Any]) -> str:
    """One line of a file, without its line end."""
    return json.dumps(value, separators=(",", ":"))


def signed_from_line(line: str, place: str) -> tuple[SignedSession | SignedTransfer, Domain]:
    """A signed session or transfer from its line.

    Raises:
        BadInputError: the line is neither.
    """
    value = parse_json(line, place)
    if isinstance(value, dict) and value.get("format") == TRANSFER_FORMAT:
        return signed_transfer_from_json(value, place)
    return signed_session_from_json(value, place)


def check_domain(found: Domain, expected: Domain, place: str) -> None:
    """Refuse what was signed for another chain, contract or shard.

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
                f"this was signed for another {name}",
                place=place,
                expected=right,
                got=got,
                hint="`aitbc-rollup status` shows the contract; sign it again for that",
            )


def _signature_to_json(signature: Signature) -> dict[str, Any]:
    return {"r8": [str(coordinate) for coordinate in signature.r8], "s": str(signature.s)}


def _signature_from(fields: Fields, name: str) -> Signature:
    inner = Fields(fields.take(name), f"{fields.place}, {name}")
    signature = Signature(inner.point("r8"), inner.element("s"))
    inner.finish()
    return signature
