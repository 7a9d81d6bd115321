"""``session keygen`` and ``session sign``: what an agent needs to sign for its runs."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

import click

from aitbc_rollup.algebra.eddsa import public_key
from aitbc_rollup.algebra.eddsa import sign as sign_message
from aitbc_rollup.errors import BadInputError, UsageError, next_step
from aitbc_rollup.rollup.checks import Fields
from aitbc_rollup.rollup.files import read_json
from aitbc_rollup.rollup.records import SignedSession
from aitbc_rollup.rollup.sessions import session_from_fields, signed_to_line

from . import common

KEY_FORMAT = "aitbc-rollup/agent-key/v1"


@click.group("session")
def session() -> None:
    """Keys and signatures of agents."""


@session.command("keygen")
@click.argument("out", type=common.PATH)
@common.as_json
def keygen(out: Path, as_json: bool) -> None:
    """Make an agent's private key and write it to OUT, readable by its owner alone."""
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
@click.option("--key", type=common.PATH, required=True, envvar="AITBC_AGENT_KEY", help="The agent's key file.")
@click.option("--out", type=click.Path(path_type=Path), help="Append the line to this file.  [default: print it]")
def sign(source: Path, key: Path, out: Path | None) -> None:
    """Sign the session in INPUT, one JSON object, and give one line of a session file.

    INPUT names format, chain_id, contract, shard, agent_index, provider_index, nonce, fee_cap, operator_share_bps,
    expiry and records, as docs/protocol.md and README.md show.
    """
    private = read_key(key)
    with next_step("`aitbc-rollup session sign --help` names the fields"):
        fields = Fields(read_json(source), str(source))
        found, domain = session_from_fields(fields)
        fields.finish()
    signed = SignedSession(found, sign_message(private, found.message(domain)), str(source))
    line = signed_to_line(signed, domain)
    if out is None:
        click.echo(line)
        return
    try:
        with out.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise BadInputError(
            "cannot be written",
            place=str(out),
            expected="a path to write to",
            got=error.strerror or str(error),
            hint="check the path",
        ) from None


@next_step("get the key file back, or make a key with `aitbc-rollup session keygen`")
def read_key(path: Path) -> bytes:
    """An agent's private key from its file.

    Raises:
        BadInputError: no such file, another format, or a public key that is not the private one's.
    """
    fields = Fields(read_json(path), str(path))
    fields.literal("format", KEY_FORMAT)
    text: Any = fields.take("private_key")
    stated = fields.point("public_key")
    fields.finish()
    try:
        private = bytes.fromhex(text)
    except (TypeError, ValueError):
        private = b""
    if len(private) != 32:
        raise BadInputError("no private key", place=str(path), expected="64 hexadecimal digits", got="something else")
    if public_key(private) != stated:
        raise BadInputError(
            "the public key is not the private one's",
            place=str(path),
            expected="the file as keygen wrote it",
            got="a damaged or edited file",
        )
    return private
