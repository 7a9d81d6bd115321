"""``challenger``: recomputes what a rollup's chain accepts, and objects."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aitbc_rollup.errors import InvalidError, L1Error, UsageError
from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.checks import format_address

from . import common

if TYPE_CHECKING:
    from aitbc_rollup.circuits.statements.batch.shape import Shape
    from aitbc_rollup.rollup.challenger import Alert, Challenger
    from aitbc_rollup.rollup.store import Store

#: Longest that an alert's command may run, seconds.
_ALERT_TIMEOUT_S = 30.0


@click.command("challenger")
@click.option("--contract", type=common.Address(), required=True, envvar="AITBC_CONTRACT", help="The rollup's address.")
@click.option(
    "--genesis", "genesis_file", type=common.PATH, required=True, envvar="AITBC_GENESIS", help="Genesis file."
)
@click.option(
    "--state", type=common.PATH, default=Path("aitbc-challenger"), show_default=True,
    help="Folder of the challenger's own state; made if it is not there.",
)  # fmt: skip
@click.option(
    "--beacon", "beacons", multiple=True, metavar="URL", help="Beacon node to read blobs from; may be repeated."
)
@click.option("--archive", type=common.PATH, help="Folder of blobs and attested data: read, and blobs are kept there.")
@click.option("--watch", is_flag=True, help="Send nothing: recompute and alert.")
@click.option(
    "--settle", "shape", type=common.ShapeType(), help="Settle disputes by proofs of the full circuit of this shape."
)
@click.option("--confirmations", type=common.SIZE, default=0, show_default=True, help="Blocks above one that counts.")
@click.option("--once", is_flag=True, help="Look once. Exits with 1 if there was an alarm.")
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=12.0, show_default=True, help="Seconds between looks."
)
@click.option("--alert", metavar="COMMAND", help="Run for each new alert, with it as JSON on its standard input.")
@click.option("--dev-key", is_flag=True, help="Sign with anvil's first account; local chains only.")
@common.options(common.keys, common.engine, common.l1, common.as_json)
def challenger(
    contract: int,
    genesis_file: Path,
    state: Path,
    beacons: tuple[str, ...],
    archive: Path | None,
    watch: bool,
    shape: Shape | None,
    confirmations: int,
    once: bool,
    interval: float,
    alert: str | None,
    dev_key: bool,
    keys: Path | None,
    engine: str,
    l1: str,
    as_json: bool,
) -> None:
    """Follow a rollup, recompute every batch, and challenge what is wrong.

    Each batch is redone from L1 data alone. A proposal of the fallback with a wrong outcome is challenged with a bond,
    paid by AITBC_CHALLENGER_PRIVATE_KEY or the keys that other commands take; with --settle the proof that decides is
    made too. Missing data, wrong roots, reorgs and clocks that ran out are told, one line each, as they come up: see
    docs/security.md. Can be stopped at any time, and looks again where it was.
    """
    from aitbc_rollup.rollup.challenger import Challenger, Level
    from aitbc_rollup.rollup.full.settling import ProofSettler
    from aitbc_rollup.rollup.l1.client import connect
    from aitbc_rollup.rollup.l1.elsewhere import Elsewhere
    from aitbc_rollup.rollup.l1.rollup_contract import RollupContract

    if watch and shape is not None:
        raise UsageError("--watch sends nothing", expected="one of --watch and --settle", got="both")
    found = genesis.load(genesis_file)
    client = connect(l1, expected_chain_id=found.chain_id)
    rollup = RollupContract(client, format_address(contract))
    rollup.check_deployed()
    signer = None if watch else common.signer(client.chain_id, "challenger", development=dev_key)
    settler = None if shape is None else ProofSettler(shape, common.keys_folder(keys), engine)
    with _folder(state, found, contract) as store:
        watching = Challenger(
            store, rollup, Elsewhere(rollup.bound, beacons, archive),
            signer=signer, settler=settler, confirmations=confirmations,
        )  # fmt: skip
        if once:
            alerts = []
            for told in watching.look():
                _tell(told, alert, as_json)
                alerts.append(told)
            common.emit({"recomputed": watching.recomputed, "alerts": len(alerts)}, as_json=as_json)
            if any(told.level is Level.ALARM for told in alerts):
                raise InvalidError("there was an alarm", place=rollup.address, hint="see the alerts above")
            return
        _follow(watching, interval, alert, as_json)


def _follow(watching: Challenger, interval: float, command: str | None, as_json: bool) -> None:
    """Look again and again; each alert is told once, until it has gone and come back."""
    standing: set[str] = set()
    while True:
        seen: set[str] = set()
        try:
            for told in watching.look():
                key = json.dumps(told.as_dict(), sort_keys=True)
                seen.add(key)
                if key not in standing:
                    _tell(told, command, as_json)
        except L1Error as error:  # the chain may be back at the next look
            click.echo(error.render(), err=True)
        standing = seen
        time.sleep(interval)


def _tell(told: Alert, command: str | None, as_json: bool) -> None:
    line = json.dumps(told.as_dict())
    if as_json:
        click.echo(line)
    else:
        common.stdout().print(
            f"{told.level.value}: {told.message}", style="bold" if told.level.value == "alarm" else ""
        )
        for name, value in told.details.items():
            common.stdout().print(f"  {name}: {value}")
    if command is not None:
        try:
            subprocess.run(command, shell=True, input=line.encode(), timeout=_ALERT_TIMEOUT_S, check=True)
        except (subprocess.SubprocessError, OSError) as error:
            click.echo(f"--alert: {type(error).__name__}: {error}", err=True)


@contextmanager
def _folder(state: Path, found: genesis.Genesis, contract: int) -> Iterator[Store]:
    """The challenger's folder, bound to genesis and contract."""
    from aitbc_rollup.circuits.statements.batch.shape import Shape
    from aitbc_rollup.rollup.store import Identity, Store
    from aitbc_rollup.rollup.transactions import Domain

    # Redoing batches takes no circuit: the least one stands for whichever the chain uses.
    identity = Identity(found.digest(), Domain(found.chain_id, contract, found.shard), Shape.full(1))
    with Store(state) as store:
        store.bind(identity, found, None)
        yield store
