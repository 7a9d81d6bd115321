"""Circuits, upgrades and roles: what takes a key with a power."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from eth_utils.address import to_checksum_address

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.checks import format_address
from aitbc_rollup.rollup.files import read_json
from aitbc_rollup.rollup.l1.client import Receipt
from aitbc_rollup.rollup.l1.contracts import deploy_verifier
from aitbc_rollup.rollup.l1.manifest import Manifest
from aitbc_rollup.rollup.l1.plan import NOBODY, Route
from aitbc_rollup.rollup.l1.roles import ROLES, Manager, Role
from aitbc_rollup.rollup.l1.signer import Signer
from aitbc_rollup.rollup.l1.upgrades import Upgrades
from aitbc_rollup.verifier.formats import verification_key_from_json

from .. import common
from ..sending import Sending, sending
from .shared import Hex, chain, rollup_at, signer_of, transaction, viewing


@click.group("router")
def router() -> None:
    """The circuits that a rollup takes proofs of: announce, cancel, freeze."""


@router.command("announce")
@click.argument("key", metavar="VERIFICATION_KEY", type=common.PATH)
@click.option("--shape", type=common.ShapeType(), required=True, help="The circuit's shape, as results show it.")
@click.option("--attesters", type=common.Address(), help="Committee of a circuit whose data lie with attesters.")
@viewing
@sending
def announce(
    key: Path, shape: Shape, attesters: int | None, contract: int, l1: str, as_json: bool, sending: Sending
) -> None:
    """Announce the circuit of a verification key, usable after the router's delay; the curator's.

    Its verifier is deployed if it is not there.
    """
    rollup = rollup_at(l1, contract, sending)
    signer = signer_of(rollup.client, sending, "curator")
    vk = verification_key_from_json(read_json(key), str(key))
    committee = NOBODY if attesters is None else to_checksum_address(format_address(attesters))
    route = Route.of(vk, shape, committee)
    deploy_verifier(rollup.client, signer, vk)
    receipt = rollup.router.announce(signer, route)
    since = rollup.router.status(route.selector).since
    result = {"selector": f"0x{route.selector.hex()}", "usable_from": since} | route.to_json()
    common.emit(result | transaction(receipt), as_json=as_json, title="the circuit is announced")


@router.command("cancel")
@click.argument("selector", type=Hex(4))
@viewing
@sending
def cancel(selector: bytes, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Withdraw the announcement of a circuit before it is usable; the curator's."""
    rollup = rollup_at(l1, contract, sending)
    receipt = rollup.router.cancel(signer_of(rollup.client, sending, "curator"), selector)
    _done({"selector": f"0x{selector.hex()}"}, receipt, "the announcement is withdrawn", as_json)


@router.command("freeze")
@click.argument("selector", type=Hex(4))
@viewing
@sending
def freeze(selector: bytes, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Freeze a circuit for good, at once: what it has not brought to a final batch never becomes final by it.

    The guardian's.
    """
    rollup = rollup_at(l1, contract, sending)
    receipt = rollup.router.freeze(signer_of(rollup.client, sending, "guardian"), selector)
    _done({"selector": f"0x{selector.hex()}"}, receipt, "the circuit is frozen", as_json)


@click.group("upgrade")
def upgrade() -> None:
    """Another implementation for a rollup, with notice longer than leaving takes: announce, cancel, execute."""


_implementation = click.argument("implementation", type=common.Address())
_call = click.option("--call", type=Hex(), default=b"", help="Calldata to call it with when it takes effect.")


@upgrade.command("announce")
@common.options(_implementation, _call, viewing)
@sending
def announce_upgrade(implementation: int, call: bytes, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Announce the implementation at an address; the upgrader's."""
    rollup = rollup_at(l1, contract, sending)
    upgrades = Upgrades(rollup.bound)
    receipt = upgrades.announce(signer_of(rollup.client, sending, "upgrader"), format_address(implementation), call)
    result = {"implementation": format_address(implementation), "from": upgrades.effective_from}
    _done(result, receipt, "the upgrade is announced", as_json)


@upgrade.command("cancel")
@viewing
@sending
def cancel_upgrade(contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Withdraw the announced upgrade; the upgrader's."""
    rollup = rollup_at(l1, contract, sending)
    receipt = Upgrades(rollup.bound).cancel(signer_of(rollup.client, sending, "upgrader"))
    _done({}, receipt, "the upgrade is withdrawn", as_json)


@upgrade.command("execute")
@common.options(_implementation, _call, viewing)
@sending
def execute_upgrade(implementation: int, call: bytes, contract: int, l1: str, as_json: bool, sending: Sending) -> None:
    """Make the announced implementation the rollup's, when its time has come; anybody's."""
    rollup = rollup_at(l1, contract, sending)
    receipt = Upgrades(rollup.bound).execute(signer_of(rollup.client, sending), format_address(implementation), call)
    _done({"implementation": format_address(implementation)}, receipt, "the rollup is upgraded", as_json)


@click.group("role")
def role() -> None:
    """Who has a role: grant, revoke. To rotate a key, grant its role to the new address, then revoke the old one's."""


_which = common.options(
    click.argument("name", metavar="ROLE", type=click.Choice([one.name for one in ROLES])),
    click.argument("address", type=common.Address()),
    click.option("--manifest", type=common.PATH, required=True, help="The rollup's deployment."),
    common.l1,
    common.as_json,
)


@role.command("grant")
@_which
@sending
def grant(name: str, address: int, manifest: Path, l1: str, as_json: bool, sending: Sending) -> None:
    """Give ROLE to one more address; the admin's."""
    manager, sender = _manager(manifest, l1, sending)
    receipt = manager.grant(sender, _role(name), to_checksum_address(format_address(address)))
    _done({"role": name, "address": format_address(address)}, receipt, "the role is granted", as_json)


@role.command("revoke")
@_which
@sending
def revoke(name: str, address: int, manifest: Path, l1: str, as_json: bool, sending: Sending) -> None:
    """Take ROLE from an address; the admin's."""
    manager, sender = _manager(manifest, l1, sending)
    receipt = manager.revoke(sender, _role(name), to_checksum_address(format_address(address)))
    _done({"role": name, "address": format_address(address)}, receipt, "the role is revoked", as_json)


def _role(name: str) -> Role:
    return next(one for one in ROLES if one.name == name)


def _manager(manifest: Path, url: str, sending: Sending) -> tuple[Manager, Signer]:
    known = Manifest.load(manifest)
    client = chain(url, sending, expected_chain_id=known.chain_id)
    if not client.code(known.deployment.manager.address):
        raise BadInputError("the rollup is not deployed", place=str(manifest), expected="a deployed rollup", got="none")
    return Manager(client, known.deployment), signer_of(client, sending, "admin")


def _done(result: dict[str, Any], receipt: Receipt, title: str, as_json: bool) -> None:
    common.emit(result | transaction(receipt), as_json=as_json, title=title)
