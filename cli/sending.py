"""What commands share that send transactions: the options, the key of a role, and the rehearsal instead."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from . import common

if TYPE_CHECKING:
    from aitbc_rollup.rollup.l1.client import L1Client
    from aitbc_rollup.rollup.l1.fees import Estimate
    from aitbc_rollup.rollup.l1.outbox import SendPolicy

#: Blocks above a transaction's own before it counts, off local chains.
CONFIRMATIONS = 5

dev_key = click.option("--dev-key", is_flag=True, help="Sign with anvil's first account; local chains only.")
_options = common.options(
    dev_key,
    click.option("--dry-run", is_flag=True, help="Simulate, show gas and cost, send nothing."),
    click.option(
        "--max-fee", metavar="GWEI", envvar="AITBC_MAX_FEE_GWEI", help="Most to pay a unit of gas.  [default: no cap]"
    ),
    click.option(
        "--confirmations", type=common.SIZE,
        help=f"Blocks to wait for above a transaction's own.  [default: 0 on local chains, else {CONFIRMATIONS}]",
    ),
    click.option("--replace", is_flag=True, help="Take the place of a transaction of yours that is stuck."),
)  # fmt: skip


wrapper = click.option(
    "--blob-wrapper", type=click.Choice(["0", "1"]), default="1", show_default=True,
    help="How a blob travels: as in EIP-4844 (0), or as in EIP-7594 (1).",
)  # fmt: skip


class Sending:
    """How this command sends: made of the options, given to the client before anything is sent."""

    def __init__(
        self, dev_key: bool, dry_run: bool, max_fee: str | None, confirmations: int | None, replace: bool
    ) -> None:
        self.development = dev_key
        self.dry_run = dry_run
        self._max_fee = max_fee
        self._confirmations = confirmations
        self._replace = replace

    def policy(self, chain_id: int) -> SendPolicy:
        """The same as the client takes it.

        Raises:
            UsageError: the fee is none.
        """
        from aitbc_rollup.rollup.dev_agents import is_local_chain
        from aitbc_rollup.rollup.l1.fees import from_gwei
        from aitbc_rollup.rollup.l1.outbox import SendPolicy

        default = 0 if is_local_chain(chain_id) else CONFIRMATIONS
        return SendPolicy(
            max_fee=None if self._max_fee is None else from_gwei(self._max_fee),
            confirmations=default if self._confirmations is None else self._confirmations,
            dry_run=self.dry_run,
            replace=self._replace,
        )

    def through(self, client: L1Client) -> L1Client:
        """A client that sends like this."""
        client.policy = self.policy(client.chain_id)
        return client


def sending(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that sends transactions: it is given ``sending``; a rehearsal ends with its first one's cost."""

    @functools.wraps(command)
    def run(
        dev_key: bool, dry_run: bool, max_fee: str | None, confirmations: int | None, replace: bool, **rest: Any
    ) -> Any:
        from aitbc_rollup.rollup.l1.outbox import NotSent

        try:
            return command(sending=Sending(dev_key, dry_run, max_fee, confirmations, replace), **rest)
        except NotSent as rehearsal:
            common.emit(estimate(rehearsal.estimate), as_json=bool(rest.get("as_json")), title="not sent: a dry run")

    return _options(run)


def estimate(found: Estimate) -> dict[str, Any]:
    """A rehearsal's figures by name; amounts in wei as decimal strings, costs in ether beside them."""
    from aitbc_rollup.rollup.l1.fees import in_ether

    values = asdict(found)
    place = values.pop("place")
    amounts = {name: str(values.pop(name)) for name in ("value", "cost", "most_cost")}
    ether = {f"{name}_ether": in_ether(int(amounts[name])) for name in ("cost", "most_cost")}
    return {"dry_run": True, "transaction": place, **values, **amounts, **ether}
