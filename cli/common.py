"""What commands share: types of options, the options themselves, and how results are printed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from aitbc_rollup.cache import cache_root
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.files import write_whole

if TYPE_CHECKING:
    from aitbc_rollup.circuits.statements.batch.layout import Kind
    from aitbc_rollup.circuits.statements.batch.shape import Shape
    from aitbc_rollup.rollup.l1.signer import Signer

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
COUNT = click.IntRange(min=1)
SIZE = click.IntRange(min=0)


#: Numbers that name something and count nothing.
_IDENTIFIERS = {"chain_id", "shard", "batch"}


class Address(click.ParamType[int]):
    """An L1 address, as a number."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """``0x`` and 40 hexadecimal digits."""
        from aitbc_rollup.rollup.checks import parse_address

        try:
            return parse_address(value, field="the value") if isinstance(value, str) else int(value)
        except BadInputError as error:
            self.fail(f"expected {error.expected}, got {error.got}", param, ctx)


class ShapeType(click.ParamType["Shape"]):
    """A circuit's room: ``256``, ``256x16``, or all of it as results show it."""

    name = "shape"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shape:
        """Records, and after an ``x`` the most in a session; or what ``Shape.parse`` takes."""
        from aitbc_rollup.circuits.statements.batch.shape import Shape

        if isinstance(value, Shape):
            return value
        try:
            match = re.fullmatch(r"(\d{1,7})(?:x(\d{1,5}))?", str(value), re.ASCII)
            return Shape.for_records(int(match[1]), int(match[2] or 16)) if match else Shape.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, shown in this order."""

    def apply(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


def _kind(context: click.Context, parameter: click.Parameter, value: str | None) -> Kind | None:
    from aitbc_rollup.circuits.statements.batch.layout import Kind

    return None if value is None else Kind[value.upper()]


data = click.option(
    "--data", type=click.Choice(["calldata", "blob", "attested"]), callback=_kind,
    help="Where the batch's data go.  [default: where the shape says; calldata]",
)  # fmt: skip
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
state = click.option(
    "--state", type=PATH, default=Path("aitbc-state"), show_default=True, envvar="AITBC_STATE",
    help="Folder of the node's state.",
)  # fmt: skip
keys = click.option(
    "--keys", type=PATH, default=None, envvar="AITBC_KEYS",
    help="Folder of proving keys.  [default: keys in the cache folder]",
)  # fmt: skip
engine = click.option(
    "--engine", type=click.Choice(["auto", "cpu", "gpu"]), default="auto", show_default=True, envvar="AITBC_ENGINE",
    help="What computes proofs.",
)  # fmt: skip
chain_id = click.option(
    "--chain-id", type=COUNT, default=31337, show_default=True, envvar="AITBC_CHAIN_ID", help="The L1's chain id."
)
beacon = click.option("--beacon", metavar="URL", multiple=True, help="A beacon node that serves blobs; in this order.")
archive = click.option(
    "--archive", type=PATH, envvar="AITBC_ARCHIVE", help="A folder with data of batches that are not on the L1."
)
l1 = click.option(
    "--l1", metavar="URL", default="http://127.0.0.1:8545", show_default=True, envvar="AITBC_L1", help="The L1's RPC."
)


def timeout(what: str, seconds: float) -> Callable[[Command], Command]:
    """How long a program may run that is not ours."""
    return click.option(
        "--timeout", type=click.FloatRange(min=0, min_open=True), default=seconds, show_default=True, metavar="SECONDS",
        help=f"Stop {what} when it runs longer.",
    )  # fmt: skip


calculator_timeout = timeout("the circuit's calculator", 600)


def signer(chain_id: int, role: str | None = None, *, development: bool = False) -> Signer:
    """The key that signs on a chain: the environment's, or on a local chain without one anvil's first account.

    Args:
        chain_id: of the chain.
        role: what the key is for, as "operator": its own variables go before the others.
        development: anvil's first account.

    Raises:
        AitbcError: there is none, or it cannot be read.
    """
    from aitbc_rollup.rollup.dev_agents import is_local_chain
    from aitbc_rollup.rollup.l1.signer import key_prefix, load_signer

    return load_signer(role, development=development or (key_prefix(role) is None and is_local_chain(chain_id)))


def keys_folder(chosen: Path | None) -> Path:
    """The folder of proving keys: the one chosen, or the cache's."""
    return chosen or cache_root() / "keys"


def stdout() -> Console:
    """Where results go."""
    return Console(highlight=False, soft_wrap=True)


def emit(value: dict[str, Any], *, as_json: bool, title: str = "") -> None:
    """Print a result: one JSON object, or a title and a table of names and values."""
    if as_json:
        click.echo(json.dumps(value))
        return
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, entry in value.items():
        table.add_row(name.replace("_", " "), str(entry) if name in _IDENTIFIERS else show(entry))
    console = stdout()
    if title:
        console.print(title, style="bold")
    console.print(table)


def write_json(path: Path, document: Any) -> None:
    """Write a document as snarkjs does, whole or not at all."""
    write_whole(path, (json.dumps(document, indent=1) + "\n").encode())


def show(value: Any) -> str:
    """A value for a person: thousands apart, seconds with a unit left to the caller."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 1 << 64 else str(value)
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {show(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(show, value))
    return str(value)


def root_text(root: int) -> str:
    """A state root as 32 bytes, hexadecimal, as explorers of the L1 show it."""
    return f"0x{root:064x}"
