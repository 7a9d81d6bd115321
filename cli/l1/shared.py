"""What the commands of ``l1`` share: the contract, who signs, and how things are shown."""

from __future__ import annotations

from typing import Any

import click

from aitbc_rollup.circuits.statements.batch.layout import AMOUNT_BITS, INDEX_BITS, QueueKind
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.l1.client import L1Client, Receipt, connect
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.l1.signer import Signer
from aitbc_rollup.rollup.transactions import QueueItem

from .. import common
from ..sending import Sending

ACCOUNT = click.IntRange(0, (1 << INDEX_BITS) - 1)
AMOUNT = click.IntRange(1, (1 << AMOUNT_BITS) - 1)


class Hex(click.ParamType[bytes]):
    """Bytes as ``0x`` and hexadecimal digits.

    Args:
        length: how many; any number if left out.
    """

    name = "hex"

    def __init__(self, length: int | None = None) -> None:
        self._length = length

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """``0x`` and two digits a byte."""
        if isinstance(value, bytes):
            return value
        try:
            found = bytes.fromhex(str(value).removeprefix("0x"))
        except ValueError:
            found = None
        if found is None or (self._length is not None and len(found) != self._length):
            size = "" if self._length is None else f" {2 * self._length}"
            self.fail(f"expected 0x and{size} hexadecimal digits, got {value!r}", param, ctx)
        return found


contract_option = click.option(
    "--contract", type=common.Address(), required=True, envvar="AITBC_CONTRACT", help="The rollup's address."
)
viewing = common.options(contract_option, common.l1, common.as_json)


def rollup_at(url: str, contract: int, sending: Sending | None = None) -> RollupContract:
    """The rollup at an address of a chain.

    Raises:
        L1Error: the chain does not answer, or there is none.
    """
    client = chain(url, sending)
    rollup = RollupContract(client, format_address(contract))
    rollup.check_deployed()
    return rollup


def chain(url: str, sending: Sending | None = None, *, expected_chain_id: int | None = None) -> L1Client:
    """A client of a chain; with ``sending`` one that sends like this.

    Raises:
        L1Error: the chain does not answer, or is another than expected.
    """
    client = connect(url) if expected_chain_id is None else connect(url, expected_chain_id=expected_chain_id)
    return client if sending is None else sending.through(client)


def signer_of(client: L1Client, sending: Sending, role: str | None = None) -> Signer:
    """The key that signs, by the environment.

    Raises:
        AitbcError: there is none, or it cannot be read.
    """
    return common.signer(client.chain_id, role, development=sending.development)


def transaction(receipt: Receipt | None) -> dict[str, Any]:
    """Hash and gas of a transaction, if there is one."""
    return {} if receipt is None else {"tx_hash": receipt.tx_hash, "gas": receipt.gas_used}


def item(found: QueueItem) -> dict[str, Any]:
    """An item by the names of the commands; amounts are decimal strings, because others' JSON loses their bits."""
    kind = QueueKind(found.kind)
    receiver = {"to": found.b} if kind is QueueKind.TRANSFER else {}
    named = {"kind": kind.name.lower(), "account": found.a, **receiver}
    return {**named, "amount": str(found.amount), "sender": format_address(found.sender)}


def lines(entries: list[dict[str, Any]]) -> None:
    """One line an entry."""
    for entry in entries:
        common.stdout().print(common.show(entry))
