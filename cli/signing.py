"""What commands share that sign something: the private key's file, and where the signed line goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aitbc_rollup.algebra.eddsa import public_key
from aitbc_rollup.errors import BadInputError, next_step
from aitbc_rollup.rollup.checks import Fields
from aitbc_rollup.rollup.files import read_json

from . import common

KEY_FORMAT = "aitbc-rollup/agent-key/v1"

key_option = click.option(
    "--key", type=common.PATH, required=True, envvar="AITBC_AGENT_KEY", help="The signer's key file."
)
out_option = click.option(
    "--out", type=click.Path(path_type=Path), help="Append the line to this file.  [default: print it]"
)


@next_step("get the key file back, or make a key with `aitbc-rollup session keygen`")
def read_key(path: Path) -> bytes:
    """A private key from its file.

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


def give(lines: list[str], out: Path | None) -> None:
    """Print signed lines, or append them to a file.

    Raises:
        BadInputError: the file cannot be written.
    """
    text = "".join(line + "\n" for line in lines)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        with out.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise BadInputError(
            "cannot be written",
            place=str(out),
            expected="a path to write to",
            got=error.strerror or str(error),
            hint="check the path",
        ) from None
