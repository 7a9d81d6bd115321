"""l1 deploy, status, sync, exit, router, upgrade and role against a chain inside this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from batch_chain import PAYOUT, SHAPE, TRAPDOOR
from cli_world import Cli
from trapdoor import Trapdoor

from aitbc_rollup.cli.l1 import shared
from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.l1 import client as l1
from aitbc_rollup.rollup.l1.client import L1Client
from aitbc_rollup.rollup.l1.manifest import Manifest
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.l1.signer import DEVELOPMENT_ADDRESS
from aitbc_rollup.rollup.shard import bind
from aitbc_rollup.rollup.store import Store
from aitbc_rollup.verifier.formats import verification_key_to_json

OTHER = "0x" + "0b" * 20


@pytest.fixture(scope="module")
def network() -> L1Client:
    return l1.connect()


@pytest.fixture(autouse=True)
def chain(network: L1Client, monkeypatch: pytest.MonkeyPatch) -> L1Client:
    """A chain that the commands find at every URL, and no key of the environment's."""
    monkeypatch.setattr(shared, "connect", lambda url, **_: network)
    for name in ("AITBC_PRIVATE_KEY", "AITBC_KEYSTORE", "AITBC_CONTRACT", "AITBC_GENESIS"):
        monkeypatch.delenv(name, raising=False)
    return network


def folder(path: Path, shard: int) -> Path:
    """A state folder with a circuit whose proofs anybody makes; the shard makes it another rollup."""
    with Store(path) as store:
        bind(store, genesis.development(31337, 1, shard), SHAPE, TRAPDOOR.key)
    return path


@pytest.fixture(scope="module")
def deployed(network: L1Client, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """State folder and manifest of a rollup that most tests only look at."""
    from cli_world import run_cli

    home = tmp_path_factory.mktemp("deployed")
    state = folder(home / "state", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "connect", lambda url, **_: network)
        said = run_cli("l1", "deploy", "--state", state, "--manifest", home / "deployment.json", "--json")
    assert said.code == 0, said.err
    assert (said.json["roles_set"], said.json["transactions_sent"]) == (True, 10)
    return state, home / "deployment.json"


def test_deployed_once_with_the_genesis_paid_in(deployed: tuple[Path, Path], chain: L1Client, cli: Cli) -> None:
    state, manifest = deployed
    again = cli("l1", "deploy", "--state", state, "--manifest", "again.json", "--json")
    assert (again.code, again.json["transactions_sent"], again.json["roles_set"]) == (0, 0, True)
    known = Manifest.load(manifest)
    assert Manifest.load(Path("again.json")).deployment == known.deployment
    backing = 3 * genesis.DEVELOPMENT_BALANCE
    assert chain.balance(known.deployment.rollup) == backing == known.deployment.proxy.value
    assert RollupContract(chain, known.deployment.rollup).treasury.holdings == backing


def test_a_rehearsed_deployment_sends_nothing_and_says_what_it_costs(chain: L1Client, cli: Cli, tmp_path: Path) -> None:
    state = folder(tmp_path / "state", 2)
    nonce = chain.web3.eth.get_transaction_count(DEVELOPMENT_ADDRESS)
    said = cli("l1", "deploy", "--state", state, "--dry-run", "--json")
    assert said.code == 0, said.err
    assert chain.web3.eth.get_transaction_count(DEVELOPMENT_ADDRESS) == nonce
    gas = said.json["gas"]
    assert {"manager", "router", "implementation", "rollup", "roles"} <= set(gas)
    assert said.json["gas_in_all"] == sum(gas.values()) and int(said.json["cost"]) > 0
    sent = cli("l1", "deploy", "--state", state, "--json").json
    assert sent["gas"] == pytest.approx(said.json["gas_in_all"], rel=0.02)  # zero bytes of addresses cost less


def test_a_manifest_contradicts_itself_when_it_is_altered(deployed: tuple[Path, Path], cli: Cli) -> None:
    value = json.loads(deployed[1].read_text())

    def refused(change: dict[str, Any], message: str) -> None:
        Path("altered.json").write_text(json.dumps(value | change))
        said = cli("l1", "status", "--manifest", "altered.json", "--json")
        assert (said.code, said.json["message"]) == (3, message)

    refused({"rollup": OTHER}, "field 'rollup' does not follow from the plan")
    refused({"contracts": []}, "field 'contracts' does not follow from the plan")
    plan = value["plan"] | {"genesis_root": "5"}
    refused({"plan": plan}, "field 'rollup' does not follow from the plan")
    refused({"verification_keys": []}, "field 'contracts' does not follow from the plan")
    refused({"format": "other"}, "field 'format' is wrong")


def test_status_compares_the_chain_with_a_manifest(deployed: tuple[Path, Path], cli: Cli) -> None:
    said = cli("l1", "status", "--manifest", deployed[1], "--json")
    assert said.code == 0, said.err
    shown = said.json
    assert (shown["as_in_manifest"], shown["frozen"], shown["fallback_open"], shown["upgrade"]) == (
        True, False, False, None,
    )  # fmt: skip
    assert shown["roles"]["operator"] == [DEVELOPMENT_ADDRESS]
    (circuit,) = shown["circuits"]
    assert (circuit["selector"], circuit["frozen"]) == (
        next(iter(json.loads(deployed[1].read_text())["selectors"])),
        False,
    )
    assert shown["clocks"]["oldest_unproven_since"] == shown["clocks"]["pending_since"] == 0
    by_address = cli("l1", "status", "--contract", shown["contract"], "--json").json
    more = {"roles", "as_in_manifest", "differences"}
    assert by_address.keys() == shown.keys() - more
    assert all(by_address[name] == shown[name] for name in by_address.keys() - {"block"})
    assert "state root" in cli("l1", "status", "--contract", shown["contract"]).out
    assert cli("l1", "status").code == cli("l1", "status", "--contract", OTHER, "--manifest", deployed[1]).code == 2


def test_a_role_is_rotated(deployed: tuple[Path, Path], cli: Cli) -> None:
    _, manifest = deployed

    def holders() -> Any:
        return cli("l1", "status", "--manifest", manifest, "--json")

    assert cli("l1", "role", "grant", "guardian", PAYOUT, "--manifest", manifest, "--json").code == 0
    assert cli("l1", "role", "revoke", "guardian", DEVELOPMENT_ADDRESS, "--manifest", manifest, "--json").code == 0
    said = holders()
    assert (said.code, said.json["differences"]) == (1, ["the roles are not those of the manifest"])
    text = cli("l1", "status", "--manifest", manifest)
    assert text.code == 1 and "the chain is not as the manifest says" in text.err
    contract = json.loads(manifest.read_text())["rollup"]
    selector = next(iter(json.loads(manifest.read_text())["selectors"]))
    said = cli("l1", "router", "freeze", selector, "--contract", contract, "--json")
    assert (said.code, "Unauthorized" in said.json["message"]) == (4, True)
    assert cli("l1", "role", "grant", "guardian", DEVELOPMENT_ADDRESS, "--manifest", manifest, "--json").code == 0
    assert holders().code == 0


def test_circuits_are_announced_cancelled_and_frozen(chain: L1Client, cli: Cli, tmp_path: Path) -> None:
    state = folder(tmp_path / "state", 3)
    contract = cli("l1", "deploy", "--state", state, "--json").json["contract"]
    Path("key.json").write_text(json.dumps(verification_key_to_json(Trapdoor("next").key)))
    said = cli("l1", "router", "announce", "key.json", "--shape", str(SHAPE), "--contract", contract, "--json")
    assert said.code == 0, said.err
    assert said.json["usable_from"] == pytest.approx(chain.time() + 3 * 3600, abs=60)
    selector = said.json["selector"]
    circuits = cli("l1", "status", "--contract", contract, "--json").json["circuits"]
    assert [entry["selector"] for entry in circuits][1] == selector
    assert cli("l1", "router", "cancel", selector, "--contract", contract, "--json").code == 0
    said = cli("l1", "router", "cancel", selector, "--contract", contract, "--json")
    assert (said.code, said.json["message"].split(":")[0]) == (4, "RouteUnknown")
    first = circuits[0]["selector"]
    assert cli("l1", "router", "freeze", first, "--contract", contract, "--json").code == 0
    assert cli("l1", "status", "--contract", contract, "--json").json["circuits"][0]["frozen"] is True
    assert cli("l1", "router", "freeze", "0x12", "--contract", contract).code == 2


def test_an_upgrade_waits(deployed: tuple[Path, Path], chain: L1Client, cli: Cli) -> None:
    contract = json.loads(deployed[1].read_text())["rollup"]
    implementation = Manifest.load(deployed[1]).deployment.implementation.address
    said = cli("l1", "upgrade", "announce", implementation, "--contract", contract, "--json")
    assert said.code == 0, said.err
    assert cli("l1", "status", "--contract", contract, "--json").json["upgrade"]["from"] == said.json["from"]
    early = cli("l1", "upgrade", "execute", implementation, "--contract", contract, "--json")
    assert (early.code, early.json["message"].split(":")[0]) == (4, "UpgradeTooEarly")
    assert cli("l1", "upgrade", "cancel", "--contract", contract, "--json").code == 0
    gone = cli("l1", "upgrade", "execute", implementation, "--contract", contract, "--json")
    assert (gone.code, gone.json["message"].split(":")[0]) == (4, "UpgradeUnknown")
    assert cli("l1", "status", "--contract", contract, "--json").json["upgrade"] is None


def test_what_is_rehearsed_is_not_sent(deployed: tuple[Path, Path], chain: L1Client, cli: Cli) -> None:
    contract = json.loads(deployed[1].read_text())["rollup"]
    said = cli("l1", "deposit", 1, 500, "--contract", contract, "--dry-run", "--json")
    assert said.code == 0, said.err
    assert (said.json["dry_run"], said.json["transaction"]) == (True, "deposit to account 1")
    assert int(said.json["value"]) == 500 + RollupContract(chain, contract).queue.fee
    assert said.json["floor_gas"] <= said.json["gas"]
    assert cli("l1", "queue", "--contract", contract, "--json").json["queued"] == 0
    text = cli("l1", "deposit", 1, 500, "--contract", contract, "--dry-run")
    assert (text.code, text.out.splitlines()[0]) == (0, "not sent: a dry run")
    for wrong in ("-1", "x"):
        assert cli("l1", "deposit", 1, 500, "--contract", contract, "--max-fee", wrong, "--json").code == 2
    low = cli("l1", "deposit", 1, 500, "--contract", contract, "--max-fee", "0.000000001", "--json")
    assert (low.code, low.json["message"]) == (4, "the chain asks for more than the fee cap")


def test_a_folder_without_news_stays(deployed: tuple[Path, Path], cli: Cli) -> None:
    said = cli("l1", "sync", "--state", deployed[0], "--json")
    assert said.code == 0, said.err
    assert (said.json["undone"], said.json["adopted"], said.json["batches"]) == ([], [], 0)


def test_nobody_leaves_what_is_not_frozen(deployed: tuple[Path, Path], cli: Cli) -> None:
    contract = json.loads(deployed[1].read_text())["rollup"]
    said = cli("l1", "freeze", "--contract", contract, "--json")
    assert (said.code, said.json["message"].split(":")[0]) == (4, "FreezeTooEarly")
    said = cli("l1", "exit", 2, "--state", deployed[0], "--contract", contract, "--json")
    assert (said.code, said.json["message"].split(":")[0]) == (4, "NotFrozen")
    said = cli("l1", "exit", 77, "--state", deployed[0], "--contract", contract, "--json")
    assert (said.code, said.json["message"]) == (3, "there is no account to prove")
    assert cli("l1", "exit", 2, "--contract", contract).code == 2
