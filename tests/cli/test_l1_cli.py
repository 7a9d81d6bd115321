"""The l1 commands against a chain inside this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from batch_chain import ALICE, BOB, ETHER, NOBODY, PAYOUT, Chain, make_chain
from cli_world import Cli

from aitbc_rollup.cli.l1 import shared
from aitbc_rollup.rollup.l1 import client as client_module
from aitbc_rollup.rollup.l1.queue import EVERYTHING


@pytest.fixture(scope="module")
def network() -> client_module.L1Client:
    return client_module.connect()


@pytest.fixture
def chain(network: client_module.L1Client, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Chain:
    """A rollup of this test's own, which the commands find at every URL."""
    monkeypatch.setattr(shared, "connect", lambda url: network)
    made = make_chain(network, f"l1 cli {request.node.name}")
    monkeypatch.setenv("AITBC_CONTRACT", made.rollup.address)
    for name in ("AITBC_PRIVATE_KEY", "AITBC_KEYSTORE"):
        monkeypatch.delenv(name, raising=False)
    return made


def test_from_deposit_to_claim(chain: Chain, cli: Cli) -> None:
    me = chain.signer.address.lower()
    said = cli("l1", "deposit", ALICE, 5 * ETHER, "--json")
    assert said.code == 0, said.err
    item = {"item": 1, "kind": "deposit", "account": ALICE, "amount": str(5 * ETHER), "sender": me}
    assert item.items() <= said.json.items()
    assert (said.json["gas"] > 0, len(said.json["tx_hash"])) == (True, 66)
    assert cli("l1", "deposit", NOBODY, 300).out.startswith("item 2 is queued\n")
    moved = cli("l1", "force-transfer", ALICE, BOB, 7, "--dev-key", "--json").json
    assert (moved["item"], moved["kind"], moved["account"], moved["to"]) == (3, "transfer", ALICE, BOB)
    assert cli("l1", "force-exit", BOB, "--json").json["amount"] == str(EVERYTHING)
    assert cli("l1", "force-exit", ALICE, 8, "--json").json["amount"] == "8"

    seen = cli("l1", "queue", "--json").json
    assert {"queued": 5, "committed": 0, "proven": 0, "finalized": 0, "waiting": 5}.items() <= seen.items()
    assert [entry["item"] for entry in seen["items"]] == [1, 2, 3, 4, 5]
    assert item.items() <= seen["items"][0].items()
    assert len(cli("l1", "queue", "--limit", 2, "--json").json["items"]) == 2
    text = cli("l1", "queue").out
    assert f"item 3, kind transfer, account 70,000, to 70,001, amount 7, sender {me}" in text

    chain.finalize(chain.batch())
    assert {"committed": 5, "finalized": 5, "waiting": 0, "items": []}.items() <= cli(
        "l1", "queue", "--json"
    ).json.items()
    owed = [(1, "300"), (3, "7"), (4, "8")]
    shown = cli("l1", "claims", 1, "--json").json["claims"]
    assert shown == [{"word": w, "address": me, "amount": a, "made": False} for w, a in owed]

    made = cli("l1", "claim", 1, "--json")
    assert made.code == 0, made.err
    assert [(c["word"], c["amount"], c["made_before"]) for c in made.json["claims"]] == [(w, a, False) for w, a in owed]
    assert made.json["owed"] == "315"
    again = cli("l1", "claim", 1, "--address", me, "--json").json["claims"]
    assert again == [claim | {"made_before": True} for claim in made.json["claims"]]
    assert cli("l1", "claim", 1).out.startswith("3 claims in batch 1; 315 wei are owed in all\n")
    assert all(claim["made"] for claim in cli("l1", "claims", 1, "--json").json["claims"])
    assert cli("l1", "claims", 1).out.startswith("3 claims in batch 1\n")

    paid = cli("l1", "withdraw", "--json")
    assert (paid.code, paid.json["paid"], paid.json["still_owed"]) == (0, "315", "0")
    again = cli("l1", "withdraw", "--address", me, "--json")
    assert (again.code, again.json["message"].split(":")[0]) == (4, "NothingOwed")
    fees = cli("l1", "collect", "--address", PAYOUT, "--json")
    assert (fees.code, fees.json["paid"]) == (0, str(5 * chain.rollup.queue.fee))


def test_claims_of_nobody(chain: Chain, cli: Cli) -> None:
    chain.finalize(chain.batch())
    said = cli("l1", "claim", 1, "--address", "0x" + "0b" * 20, "--json")
    assert (said.code, said.json["claims"]) == (0, [])


def test_what_the_chain_refuses(chain: Chain, cli: Cli) -> None:
    assert cli("l1", "deposit", NOBODY, 300).code == 0
    batch = chain.batch()
    chain.rollup.commit(chain.signer, chain.posting(batch))
    said = cli("l1", "claim", 1, "--json")
    assert (said.code, said.json["message"].split(":")[0]) == (4, "BatchNotFinal")
    said = cli("l1", "claims", 2, "--json")
    assert (said.code, said.json["message"].split(":")[0]) == (4, "BatchUnknown")
    said = cli("l1", "deposit", ALICE, 10**25, "--json")
    assert said.code == 4


def test_no_contract_there(chain: Chain, cli: Cli) -> None:
    for command in (["queue"], ["claims", 1], ["deposit", 1, 1], ["claim", 1]):
        said = cli("l1", *command, "--contract", "0x" + "0b" * 20, "--json")
        assert (said.code, said.json["message"]) == (4, "there is no contract")


def test_a_chain_that_does_not_answer(cli: Cli) -> None:
    said = cli("l1", "queue", "--contract", "0x" + "0b" * 20, "--l1", "http://127.0.0.1:1", "--json")
    assert (said.code, said.json["message"]) == (4, "the L1 does not answer")


@pytest.mark.parametrize(
    "words",
    [
        ["deposit", 2**32, 1],
        ["deposit", -1, 1],
        ["deposit", 1, 0],
        ["deposit", 1, 2**88],
        ["deposit", 1],
        ["force-exit", 1, 0],
        ["force-transfer", 1, 2**32, 1],
        ["claim", 0],
        ["claim", 1, "--address", "alice"],
        ["queue", "--limit", 0],
    ],
    ids=str,
)
def test_what_is_no_command(chain: Chain, cli: Cli, words: list[object]) -> None:
    assert cli("l1", *words, "--json").code == 2


def test_the_contract_must_be_named(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AITBC_CONTRACT", raising=False)
    said = cli("l1", "queue")
    assert said.code == 2 and "--contract" in said.err


def test_no_key_off_local_chains(chain: Chain, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain.client, "chain_id", 1)
    said = cli("l1", "deposit", 1, 1, "--json")
    assert (said.code, said.json["message"]) == (2, "one key is needed to sign L1 transactions")
    said = cli("l1", "deposit", 1, 1, "--dev-key", "--json")
    assert said.code == 2 and said.json["message"].startswith("the development key signs on development chains only")
