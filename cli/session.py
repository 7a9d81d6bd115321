"""``session``: keys of agents and providers, and what they sign for runs."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import replace
from pathlib import Path

import click

from aitbc_rollup.algebra.eddsa import public_key
from aitbc_rollup.algebra.eddsa import sign as sign_message
from aitbc_rollup.errors import BadInputError, UsageError, next_step
from aitbc_rollup.rollup.checks import Fields
from aitbc_rollup.rollup.documents import session_from_fields, signed_session_to_json, to_line
from aitbc_rollup.rollup.files import read_json
from aitbc_rollup.rollup.ingest import transactions
from aitbc_rollup.rollup.transactions import SignedSession
from aitbc_rollup.rollup.transition import judge_terms

from . import common
from .signing import KEY_FORMAT, give, key_option, out_option, read_key


@click.group("session")
def session() -> None:
    """Keys, and signatures over sessions."""


@session.command("keygen")
@click.argument("out", type=common.PATH)
@common.as_json
def keygen(out: Path, as_json: bool) -> None:
    """Make a private key for an account and write it to OUT, readable by its owner alone."""
    private = secrets.token_bytes(32)
    public = [str(coordinate) for coordinate in public_key(private)]
    text = json.dumps({"format": KEY_FORMAT, "private_key": private.hex(), "public_key": public}, indent=1)
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(
            "the file exists",
            place=str(out),
            expected="a new file",
            hint="a key is never overwritten; choose another name",
        ) from None
    except OSError as error:
        raise BadInputError(
            "the key cannot be written",
            place=str(out),
            expected="a path to write to",
            got=error.strerror or str(error),
            hint="check the path",
        ) from None
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    common.emit({"key": str(out), "public_key": public}, as_json=as_json)


@session.command("sign")
@click.argument("source", metavar="INPUT", type=common.PATH)
@common.options(key_option, out_option)
def sign(source: Path, key: Path, out: Path | None) -> None:
    """Sign the session in INPUT, one JSON object, as its agent, and give one line of a session file.

    INPUT names format, chain_id, contract, shard, agent_index, provider_index, nonce, fee_cap, operator_share_bps,
    expiry and records, as docs/howto-operators.md shows.
    """
    private = read_key(key)
    with next_step("`aitbc-rollup session sign --help` names the fields"):
        fields = Fields(read_json(source), str(source))
        found, domain = session_from_fields(fields)
        fields.finish()
    refusal = judge_terms(found)
    if refusal is not None:
        raise refusal.error(str(source))
    signed = SignedSession(found, sign_message(private, found.message(domain)), place=str(source))
    give([to_line(signed_session_to_json(signed, domain))], out)


@session.command("countersign")
@click.argument("source", metavar="INPUT", type=common.PATH)
@common.options(key_option, out_option)
def countersign(source: Path, key: Path, out: Path | None) -> None:
    """Countersign each session of the file INPUT as its provider, and give the lines of a new session file."""
    private = read_key(key)
    lines = []
    for signed, domain in transactions.read(source):
        if not isinstance(signed, SignedSession) or signed.countersignature is not None:
            raise BadInputError(
                "nothing to countersign here",
                place=signed.place,
                expected="sessions that their agents alone have signed",
                got="a session with a countersignature" if isinstance(signed, SignedSession) else "a transfer",
                hint="take this line out of the file",
            )
        second = sign_message(private, signed.session.message(domain))
        lines.append(to_line(signed_session_to_json(replace(signed, countersignature=second), domain)))
    give(lines, out)
