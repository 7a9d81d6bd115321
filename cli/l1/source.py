"""What a block explorer asks for to show a contract's source."""

from __future__ import annotations

from pathlib import Path

import click

from aitbc_rollup.contracts.standard_json import compiler, qualified_name
from aitbc_rollup.contracts.standard_json import standard_json as document_of

from .. import common


@click.command("standard-json")
@click.argument("name", metavar="CONTRACT")
@click.argument("out", metavar="OUT.JSON", type=common.PATH)
@common.as_json
def standard_json(name: str, out: Path, as_json: bool) -> None:
    """Write what a block explorer asks for to verify a CONTRACT's source: solc's standard-JSON input.

    With it go the contract's name there and the compiler's version, which are printed.
    """
    common.write_json(out, document := document_of(name))
    said = {"contract": qualified_name(name), "compiler": compiler(name), "sources": len(document["sources"])}
    common.emit(said | {"written": str(out)}, as_json=as_json)
