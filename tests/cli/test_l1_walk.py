"""Two whole lives of a rollup on anvil, by the command line: the operator stops, and the prover stops."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chains import CHAIN_ID, free_port, serving
from cli_world import Cli, write_trace
from walk_world import AGENT, ETHER, OPERATOR, ORPHAN, PROVIDER, SAVER, Walk, address, person

from aitbc_rollup.errors import L1Error
from aitbc_rollup.rollup import bundle, genesis
from aitbc_rollup.rollup.full.data import FullData, Outcome
from aitbc_rollup.rollup.full.judgement import judge
from aitbc_rollup.rollup.full.proposing import next_full_batch
from aitbc_rollup.rollup.full.settling import ProofSettler
from aitbc_rollup.rollup.l1.client import L1Client, connect
from aitbc_rollup.rollup.l1.parameters import DEVELOPMENT
from aitbc_rollup.rollup.store import Store

pytestmark = pytest.mark.node

NOBODY = "0x" + "00" * 20
BOND, FEE = DEVELOPMENT.bond, DEVELOPMENT.queue_fee
#: Numbers of people without an account in the rollup.
NEWCOMER, PROPOSER, LIAR, WATCHER, THIEF = 4, 5, 6, 7, 8


@pytest.fixture
def moving(node_bin: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[L1Client]:
    """An anvil of a test's own, whose time it moves."""
    port = free_port()
    command = [node_bin("anvil"), "--port", str(port), "--chain-id", str(CHAIN_ID), "--hardfork", "prague"]
    with serving(command, port, tmp_path_factory.mktemp("moving") / "log") as url:
        yield connect(url)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("walk-keys")


@pytest.fixture
def walk(
    moving: L1Client, keys: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Walk:
    """A rollup of this test's own, not deployed."""
    for name in ("AITBC_PRIVATE_KEY", "AITBC_KEYSTORE", "AITBC_CONTRACT", "AITBC_GENESIS"):
        monkeypatch.delenv(name, raising=False)
    return Walk(cli, moving, keys, monkeypatch, shard=len(request.node.name))


def test_the_operator_stops(walk: Walk) -> None:
    """Deposits, three batches, a withdrawal; then nothing moves any more, and everybody is paid once."""
    made = walk.do("deploy", "--state", "operator", "--manifest", "manifest.json", to=False)
    assert made["roles_set"] and made["contract"] == walk.contract
    assert walk.do("status", "--manifest", "manifest.json", to=False)["as_in_manifest"]
    walk.do("deposit", AGENT, ETHER, by=2)
    walk.do("deposit", 30, 777, by=NEWCOMER)  # no such account: a claim
    got: Counter[int] = Counter()

    first = walk.prove("first", "--queue")
    walk.do("commit", first, to=False)
    _a_copied_proof_pays_its_maker(walk, first)
    assert walk.do("prove", first, to=False)["already"]  # the thief has paid for it
    assert walk.do("finalize", by=9)["batch"] == 1
    walk.do("force-exit", AGENT, by=NEWCOMER)  # not hers: nobody can serve it, and it holds up nothing
    walk.submit(walk.prove("second", write_trace(Path("trace.csv"), 5), "--queue"))
    assert (walk.do("queue")["finalized"], walk.do("claims", 2)["claims"]) == (3, [])
    walk.transfer("exit.jsonl", exit=True, amount="4000", nonce=1)
    walk.submit(walk.prove("third", "exit.jsonl"))
    for batch, who, amount in ((1, NEWCOMER, 777), (3, 2, 4000)):
        assert [claim["amount"] for claim in walk.do("claim", batch, by=who)["claims"]] == [str(amount)]
        got[who] += walk.paid("withdraw", who)
    assert got == {NEWCOMER: 777, 2: 4000}
    got[0] += walk.paid("collect", 0)
    assert got[0] == 3 * FEE

    # The operator is gone: an exit that nobody serves, a deposit that nobody takes.
    assert walk.do("force-exit", AGENT, by=2)["item"] == 4
    walk.do("deposit", SAVER, 5000, by=NEWCOMER)
    assert walk.refused("freeze", by=THIEF) == "FreezeTooEarly"
    walk.pass_time(DEVELOPMENT.queue_delay + DEVELOPMENT.escape_delay)
    assert walk.refused("exit", AGENT, "--genesis", walk.genesis, by=2) == "NotFrozen"
    walk.pass_time(2)
    assert walk.do("status")["freezable"]
    walk.do("freeze", by=THIEF)
    assert walk.do("freeze", by=2)["already"]
    assert walk.refused("deposit", AGENT, 1, by=2) == "Frozen"

    with Store(Path("operator")) as store:
        balances = {index: store.state().account(index).balance for index in (OPERATOR, PROVIDER, AGENT, SAVER, ORPHAN)}
    for index in (OPERATOR, PROVIDER, AGENT, SAVER):
        whence = ("--state", "operator") if index == SAVER else ("--genesis", walk.genesis)
        left = walk.do("exit", index, *whence, by=9)
        assert (left["owner"], left["balance"]) == (address(index), str(balances[index]))
    again = walk.do("exit", AGENT, "--genesis", walk.genesis, "--refund", 4, "--refund", 5, by=THIEF)
    assert (again["already"], [one["already"] for one in again["refunded"]]) == (True, [False, False])
    twice = walk.do("exit", AGENT, "--genesis", walk.genesis, "--refund", 4, by=THIEF)
    assert (twice["already"], twice["refunded"][0]["already"], twice["owed"]) == (True, True, again["owed"])
    assert walk.refused("exit", ORPHAN, "--genesis", walk.genesis) == "AccountWithoutOwner"
    for number in (OPERATOR, PROVIDER, AGENT, SAVER, NEWCOMER):
        got[number] += walk.paid("withdraw", number)
        assert walk.refused("withdraw", "--address", address(number)) == "NothingOwed"
    for number in (2, NEWCOMER):
        assert walk.paid("collect", number) == FEE

    assert got == {
        0: balances[OPERATOR] + 3 * FEE, 1: balances[PROVIDER], 2: balances[AGENT] + 4000, 3: balances[SAVER],
        NEWCOMER: 777 + 5000,
    }  # fmt: skip
    paid_in = genesis.load(walk.genesis).balance + ETHER + 777 + 5000 + 3 * FEE
    assert paid_in - got.total() == balances[ORPHAN] == walk.client.balance(walk.contract)


def _a_copied_proof_pays_its_maker(walk: Walk, folder: Path) -> None:
    """Who takes a proof from the mempool and sends it first can change nothing in it, and gets nothing for it."""
    found, thief = bundle.load(folder), person(THIEF)
    with pytest.raises(L1Error, match="ProofInvalid: "):
        walk.rollup.prove(thief, 1, found.binding, thief.address, found.proof)
    walk.rollup.prove(thief, 1, found.binding, address(0), found.proof)
    walk.rollup.finalize(thief, 1)
    assert walk.rollup.treasury.owed(thief.address).coin == 0
    assert walk.rollup.treasury.owed(address(0)).coin == 2 * FEE


def test_a_rollup_with_a_fallback_is_deployed_first(walk: Walk) -> None:
    """A batch's files have one circuit's key, the state folder has all of them."""
    assert walk.init("operator")["contract"] == walk.contract
    folder = walk.prove("first", write_trace(Path("trace.csv"), 2))
    with walk.acting(0):
        said = walk.cli("submit", folder, "--l1", walk.client.name, "--json")
    assert (said.code, said.json["message"]) == (4, "the rollup has more circuits than the batch's")
    assert walk.do("deploy", "--state", "operator", "--dry-run", to=False)["dry_run"]
    walk.do("deploy", "--state", "operator", to=False)
    walk.submit(folder)
    assert walk.refused("challenge", 1, "--genesis", walk.genesis) == "the batch is no proposal"
    assert walk.refused("fallback", "claim", 1) == "StakeUnknown"
    shown = walk.cli("l1", "fallback", "status", "--contract", walk.contract, "--l1", walk.client.name)
    assert shown.out.split() == ["open", "no", "bond", str(BOND), "proposals", "0"]


def test_the_prover_stops(walk: Walk) -> None:
    """A batch is never proven; a proposal outlasts the window, a wrong one loses its bond, and the operator returns."""
    walk.do("deploy", "--state", "operator", to=False)
    walk.do("deposit", AGENT, ETHER, by=2)
    walk.submit(walk.prove("first", "--queue"))
    walk.do("deposit", SAVER, 5000, by=NEWCOMER)
    walk.do("commit", walk.prove("never-proven", "--queue"), to=False)
    assert walk.refused("fallback", "open", by=PROPOSER) == "FallbackTooEarly"
    assert walk.refused("fallback", "propose", "--state", "operator", by=PROPOSER, to=False) == "FallbackNotOpen"
    walk.pass_time(DEVELOPMENT.prove_window + 1)
    assert walk.do("fallback", "open", "--dry-run", by=PROPOSER)["dry_run"]
    opened = walk.do("fallback", "open", by=PROPOSER)
    assert (opened["next_batch"], opened["already"]) == (2, False)
    assert walk.do("fallback", "open", by=PROPOSER)["already"]
    assert walk.refused("commit", "never-proven", to=False) == "FallbackIsOpen"

    _an_honest_proposal(walk)
    _a_dispute_with_oneself(walk)
    _a_wrong_proposal(walk)

    # Whoever reads the chain agrees with it, the operator too; with a proof he is back.
    synced = walk.do("sync", "--state", "operator", to=False)
    assert (synced["undone"], synced["adopted"]) == ([2], [2, 3, 4])
    assert synced["state_root"] == walk.do("status")["state_root"]
    walk.do("deposit", AGENT, 9, by=2)
    walk.submit(walk.prove("back", "--queue"))
    assert not walk.do("fallback", "status")["open"]
    _a_frozen_circuit(walk)


def _an_honest_proposal(walk: Walk) -> None:
    """Of the queue's item and what is signed, though it is not all valid; nobody's challenge would be right."""
    walk.init("proposer")
    walk.session("signed.jsonl", nonce=0)
    walk.transfer("signed.jsonl", to_index=SAVER, amount="1", nonce=7)
    for nonce in range(3):
        walk.transfer("many.jsonl", to_index=SAVER, amount="1", nonce=nonce)
    refused = walk.refused("fallback", "propose", "many.jsonl", "--state", "proposer", by=PROPOSER, to=False)
    assert refused == "more transfers than the circuit has room for"
    trace = write_trace(Path("trace.csv"), 2)
    refused = walk.refused("fallback", "propose", trace, "--state", "proposer", by=PROPOSER, to=False)
    assert refused == "a trace is signed by nobody"
    propose = ("fallback", "propose", "signed.jsonl", "--state", "proposer")
    rehearsed = walk.do(*propose, "--dry-run", by=PROPOSER, to=False)
    assert (rehearsed["dry_run"], rehearsed["value"]) == (True, str(BOND))
    said = walk.said(*propose, by=PROPOSER, to=False)
    made = said.json
    assert said.code == 0, said.err
    assert {"proposal": 1, "batch": 2, "queue_items": 1, "transfers": 1, "sessions": 1}.items() <= made.items()
    assert made["not_valid"] == ["signed.jsonl:2: wrong nonce"]
    assert "not valid: signed.jsonl:2" in said.err
    history = ("--genesis", walk.genesis)
    assert walk.refused("challenge", 2, *history, by=LIAR).startswith("the batch is right")
    assert walk.refused("challenge", 1, *history, by=LIAR) == "the batch is no proposal"
    assert walk.refused("finalize", 2) == "WindowOpen"
    looked = walk.challenger("--watch", by=WATCHER)
    assert (looked.code, json.loads(looked.out.splitlines()[-1])["recomputed"]) == (0, 2)
    walk.pass_time(DEVELOPMENT.challenge_window + 1)
    assert walk.refused("fallback", "claim", 1) == "StakeOpen"
    walk.do("finalize", 2, by=9)
    (shown,) = walk.do("fallback", "status")["proposals"]
    assert (shown["standing"], shown["proposer"], shown["challenges"]) == ("settled", address(PROPOSER), [])
    for already in (False, True):
        assert walk.do("fallback", "claim", 1, by=9)["bonds"][0]["already"] is already
    assert walk.paid("collect", PROPOSER) == BOND + FEE


def _a_dispute_with_oneself(walk: Walk) -> None:
    """It holds up the batch and costs half a bond; no difference can be forged, by whoever has the right proof."""
    walk.do("deposit", AGENT, 8, by=2)
    walk.do("fallback", "propose", "--state", "proposer", by=PROPOSER, to=False)
    made = walk.do("challenge", 3, "--outcome", "0x" + "ab" * 32, by=PROPOSER)
    assert (made["proposal"], made["challenge"], made["bond"]) == (2, 0, str(BOND))
    walk.pass_time(DEVELOPMENT.challenge_window + 1)
    assert walk.refused("finalize", 3) == "BatchIsChallenged"
    _no_difference_is_forged(walk)
    settle = ("fallback", "settle", 3, "--shape", walk.full, "--genesis", walk.genesis, *walk.keys)
    assert walk.do(*settle, by=WATCHER)["as_proposed"]
    walk.do("finalize", 3, by=9)
    claimed = walk.do("fallback", "claim", 2, by=9)
    assert (claimed["proposer_lost"], len(claimed["bonds"])) == (False, 2)
    assert walk.paid("collect", PROPOSER) == BOND  # of two
    assert walk.paid("collect", WATCHER) == BOND - BOND // 2 + FEE


def _no_difference_is_forged(walk: Walk) -> None:
    with Store(Path("proposer")) as store:
        before = store.state_after(2)
        right = judge(before, walk.rollup.posted(3), walk.rollup.queue_items(3)).data
        _, proof = ProofSettler(walk.full, walk.keys_folder, "cpu").prove(before, right, address(LIAR))
    forged = FullData(right.inputs, replace(right.outcome, new_root=5))
    commitment = forged.binding(walk.full).commitment
    with pytest.raises(L1Error, match="ProofInvalid: "):
        walk.rollup.fallback.settle(person(LIAR), 3, forged.posted, commitment, address(LIAR), proof)


def _a_frozen_circuit(walk: Walk) -> None:
    """What a frozen circuit has not brought to a final batch never becomes final by it, though it is proven."""
    walk.do("deposit", AGENT, 9, by=2)
    folder = walk.prove("frozen", "--queue")
    walk.do("commit", folder, to=False)
    walk.do("prove", folder, to=False)
    walk.do("router", "freeze", f"0x{walk.rollup.batch(6).selector.hex()}")
    assert walk.refused("finalize", 6) == "CircuitFrozen"
    walk.do("rollback", 6)
    assert walk.refused("commit", folder, to=False) == "RouteIsFrozen"


def _a_wrong_proposal(walk: Walk) -> None:
    """It is posted past the command line, which proposes nothing wrong, and one behind it; the challenger settles."""
    walk.do("force-exit", SAVER, 500, by=3)
    assert walk.do("sync", "--state", "proposer", to=False)["adopted"] == [3]
    with Store(Path("proposer")) as store:
        found = genesis.load(walk.genesis)
        batch = next_full_batch(store, walk.rollup, found, (), walk.full, OPERATOR)
    wrong = FullData(batch.data.inputs, replace(batch.data.outcome, new_root=batch.data.new_root + 1))
    context = replace(wrong.context, batch_number=wrong.context.batch_number + 1)
    behind = FullData(
        replace(wrong.inputs, context=context, old_root=wrong.new_root, queue_items=()), Outcome(7, (), ())
    )
    selector = walk.rollup.router.full_circuit(batch.shape)
    for data in (wrong, behind):
        commitment = data.binding(batch.shape).commitment
        walk.rollup.fallback.propose(person(LIAR), selector, data.posted, commitment)
    standings = [one["standing"] for one in walk.do("fallback", "status")["proposals"]]
    assert standings == ["settled", "settled", "open", "open"]

    said = walk.said("fallback", "propose", "--state", "proposer", by=PROPOSER, to=False).json
    assert (said["message"], said["place"]) == ("new root does not come out", "batch 4")
    assert "l1 challenge" in said["next"]

    burned = walk.client.balance(NOBODY)
    looked = walk.challenger("--settle", walk.full, by=WATCHER)
    alerts = [json.loads(line)["kind"] for line in looked.out.splitlines() if '"kind"' in line]
    assert looked.code == 1 and alerts[:3] == ["wrong_outcome", "challenged", "settled"], looked.err + looked.out
    walk.do("finalize", 4, by=9)
    claimed = walk.do("fallback", "claim", 3, by=9)
    assert claimed["proposer_lost"] and [bond["challenger"] for bond in claimed["bonds"]] == [address(WATCHER)]
    assert walk.paid("collect", WATCHER) == BOND + BOND // 2 + FEE
    assert walk.client.balance(NOBODY) - burned >= BOND - BOND // 2
    assert walk.refused("collect", "--address", address(LIAR)) == "NothingOwed"
    assert [one["standing"] for one in walk.do("fallback", "status")["proposals"]] == ["settled"] * 3 + ["void"]
    walk.do("fallback", "claim", 4, by=9)
    assert walk.paid("collect", LIAR) == BOND  # what stood behind is void, and nobody's fault
    assert walk.challenger("--watch", by=WATCHER).code == 0
    walk.do("claim", 4, by=3)
    assert walk.paid("withdraw", 3) == 500
