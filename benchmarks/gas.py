"""Measures what a batch costs on L1: 4,096 records in sessions of 16, on anvil with Prague's rules.

    python benchmarks/gas.py [--records 4096]

Gas is what receipts say, so EIP-7623's floor on calldata counts where it binds. Bytes that could be zero by luck are
not: indices and nonces are random, all six usage figures and fees of every record too, histories are at work. A small
batch goes first, so that counters are warm. Roads, each measured whole, finalization included:

    calldata         commit and proof in one transaction
    calldata_split   commit, then the proof
    blob             as calldata, registrations and sessions in a blob; blob gas is told apart
    attested         as calldata, with the signatures of three attesters
    fallback         a full batch, bonded, final after its window
    fallback_proven  the same, proven

The proof is of a key whose secrets are known (tests/trapdoor.py), with as many public inputs and a commitment like the
circuits': a verifier cannot tell, and no key of a gigabyte is made.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from batch import chain
from machine import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from trapdoor import Trapdoor

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.eddsa import public_key, sign
from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup.account_proof import prove_account
from aitbc_rollup.rollup.accounts import Account
from aitbc_rollup.rollup.batch import build
from aitbc_rollup.rollup.binding import Binding
from aitbc_rollup.rollup.data import BatchContext
from aitbc_rollup.rollup.full.batch import build_full, inputs_of
from aitbc_rollup.rollup.l1 import attestation, blob_transaction
from aitbc_rollup.rollup.l1.client import L1Client, Receipt, connect
from aitbc_rollup.rollup.l1.contracts import deploy
from aitbc_rollup.rollup.l1.escape import Escape
from aitbc_rollup.rollup.l1.fallback import Fallback
from aitbc_rollup.rollup.l1.parameters import DEVELOPMENT
from aitbc_rollup.rollup.l1.plan import Committee, Deployment, Roles, Route
from aitbc_rollup.rollup.l1.rollup_contract import Posting, RollupContract
from aitbc_rollup.rollup.l1.signer import Signer, development_signer
from aitbc_rollup.rollup.records import RunRecord
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.transactions import Domain, Session, SignedSession, Transactions
from aitbc_rollup.verifier.types import Proof

RESULT = Path(__file__).parent / "results" / "gas.json"
SESSION = 16
AGENTS = 256
OPERATOR, PROVIDER = 1, 2
PAYOUT = "0x00000000000000000000000000000000DeaDBeef"
#: Gas a record that each road is held to; blob gas comes on top of the blob's.
GOALS = {"calldata": 300, "calldata_split": 380, "fallback": 450, "blob": 150}


@dataclass
class World:
    """A rollup with a circuit of every kind, and a state full of agents; its shape and random choices are fixed."""

    client: L1Client
    signer: Signer
    plan: Deployment
    rollup: RollupContract
    state: State
    shape: Shape
    agents: list[int]
    dice: random.Random
    committee: list[Signer]

    @property
    def domain(self) -> Domain:
        """What sessions sign for."""
        return Domain(self.client.chain_id, int(self.plan.rollup, 16), self.plan.parameters.shard)

    def context(self, kind: Kind) -> BatchContext:
        """The next batch's."""
        return BatchContext(
            domain=self.domain, batch_number=self.rollup.status().committed + 1, mode=1 + 2 * kind,
            l1_time=self.client.time(), operator_index=OPERATOR,
        )  # fmt: skip

    def sessions(self, count: int) -> Transactions:
        """So many sessions, each by another agent, all of whose words are full."""
        return Transactions(sessions=tuple(self._session(agent) for agent in self.agents[:count]))

    def _session(self, agent: int) -> SignedSession:
        bits = self.dice.getrandbits
        records = tuple(
            RunRecord(
                wall_ms=bits(32), cpu_ms=bits(32), gpu_ms=bits(32), memory_mib=bits(32), tokens_in=bits(32),
                tokens_out=bits(32), outcome=1, fee=bits(40), sequence=bits(48), task=bits(248),
            )
            for _ in range(SESSION)
        )  # fmt: skip
        session = Session(
            agent_index=agent, provider_index=PROVIDER, nonce=self.state.account(agent).nonce,
            fee_cap=sum(record.fee for record in records) + bits(56), operator_share_bps=517,
            expiry=2**40 - 1 - bits(30),
            records=records,
        )  # fmt: skip
        return SignedSession(session, sign(_key(agent), session.message(self.domain)), place="gas")

    def selector(self, kind: Kind) -> bytes:
        """Of the circuit of a kind."""
        return next(route.selector for route in self.plan.routes if route.kind == kind)

    def wait(self, seconds: int) -> None:
        """Let time pass on the chain."""
        for method, parameters in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
            self.client.web3.provider.make_request(method, parameters)  # type: ignore[arg-type]


def _key(index: int) -> bytes:
    return index.to_bytes(32, "big")


def _trapdoor(kind: Kind) -> Trapdoor:
    return Trapdoor(name=f"gas {kind.name}", inputs=6 if kind == Kind.BLOB else 4, hash="keccak")


def proof(kind: Kind, binding: Binding) -> Proof:
    """One that verifies, as a circuit's would."""
    return _trapdoor(kind).prove(binding.public_inputs(int(PAYOUT, 16)))


def world(url: str, records: int) -> World:
    """Everything deployed, and one small batch final."""
    dice = random.Random(7623)
    client, signer = connect(url), development_signer()
    shape = Shape.for_records(records, SESSION, agents=AGENTS)
    agents = sorted(dice.sample(range(1 << 16, 1 << 24), records // SESSION))
    state = State()
    for index in (OPERATOR, PROVIDER, *agents):
        state.put(
            index,
            Account(
                public_key=public_key(_key(index)), l1_owner=int(signer.address, 16), balance=10**15,
                nonce=dice.getrandbits(16), history_root=dice.randrange(R),
            ),
        )  # fmt: skip
    committee = [_attester(label) for label in range(3)]
    made = Committee(tuple(one.address for one in committee), 3)
    shapes = [replace(shape, kind=kind) for kind in (Kind.CALLDATA, Kind.BLOB, Kind.ATTESTED)] + [shape.fallback]
    routes = []
    for one in shapes:
        key = _trapdoor(one.kind).key
        attesters = (made.piece.address,) if one.kind == Kind.ATTESTED else ()
        routes.append(Route.of(key, one, *attesters))
    plan = Deployment(
        genesis_root=state.root, genesis_balance=10**15 * (len(agents) + 2),
        parameters=replace(DEVELOPMENT, queue_room=shape.queue), roles=Roles.all(signer.address),
        routes=tuple(routes), keys=tuple(_trapdoor(one.kind).key for one in shapes), committees=(made,),
    )  # fmt: skip
    deploy(client, signer, plan)
    rollup = RollupContract(client, plan.rollup)
    found = World(client, signer, plan, rollup, state, shape, agents, dice, committee)
    _post(found, Kind.CALLDATA, Transactions(), split=True)
    return found


def _attester(number: int) -> Signer:
    from eth_account import Account as EthAccount

    return Signer(EthAccount.from_key((1000 + number).to_bytes(32, "big")))


def _post(found: World, kind: Kind, items: Transactions, *, split: bool = False) -> dict[str, Any]:
    """A batch of any kind but full, all the way."""
    shape = replace(found.shape, kind=kind)
    batch = build(found.state, items, found.context(kind), shape)
    binding, number = batch.data.binding(shape), batch.data.context.batch_number
    evidence, sidecar = b"", None
    if kind == Kind.BLOB:
        blob = batch.data.blob(shape)
        assert blob is not None
        evidence = blob_transaction.evidence(binding, blob)
        sidecar = blob_transaction.BlobSidecar((blob,))
    if kind == Kind.ATTESTED:
        said = attestation.Attestation.of(batch.data, shape)
        signed = {
            one.address: attestation.attest(batch.data, shape, binding.commitment, one) for one in found.committee
        }
        evidence = attestation.evidence(said, signed)
    posting = Posting(found.selector(kind), batch.data.posted, binding, evidence, sidecar)
    steps = {}
    if split:
        steps["commit"] = found.rollup.commit(found.signer, posting)
        steps["prove"] = found.rollup.prove(found.signer, number, binding, PAYOUT, proof(kind, binding))
    else:
        steps["commit_and_prove"] = found.rollup.commit_and_prove(found.signer, posting, PAYOUT, proof(kind, binding))
    steps["finalize"] = found.rollup.finalize(found.signer, number)
    figures = _figures(found, {name: step.receipt for name, step in steps.items()}, batch.data.posted)
    return figures | ({"blob_gas": 1 << 17} if kind == Kind.BLOB else {})


def _post_full(found: World, items: Transactions, *, proven: bool) -> dict[str, Any]:
    """A full batch: proposed, and final after its window or by a proof."""
    shape, fallback = found.shape.fallback, Fallback(found.rollup.bound)
    inputs = inputs_of(found.state, items, found.context(Kind.FULL))
    batch = build_full(found.state, inputs, shape)
    binding, number = batch.binding, inputs.context.batch_number
    _, receipt = fallback.propose(found.signer, found.selector(Kind.FULL), batch.data.posted, binding.commitment)
    receipts: dict[str, Receipt | None] = {"propose": receipt}
    if proven:
        step = found.rollup.prove(found.signer, number, binding, PAYOUT, proof(Kind.FULL, binding))
        receipts["prove"] = step.receipt
    else:
        found.wait(found.plan.parameters.challenge_window + 1)
    receipts["finalize"] = found.rollup.finalize(found.signer, number).receipt
    return _figures(found, receipts, batch.data.posted)


def _figures(found: World, receipts: dict[str, Receipt | None], posted: bytes) -> dict[str, Any]:
    gas = {name: receipt.gas_used for name, receipt in receipts.items() if receipt is not None}
    first = next(receipt for receipt in receipts.values() if receipt is not None)
    calldata = found.client.input(first.tx_hash)
    zeros = calldata.count(0)
    floor = 21_000 + 10 * (zeros + 4 * (len(calldata) - zeros))
    return {
        "gas": gas,
        "gas_total": sum(gas.values()),
        "posted_bytes": len(posted),
        "calldata_bytes": len(calldata),
        "calldata_zero_bytes": zeros,
        "calldata_floor": floor,
        "floor_binds": first.gas_used == floor,
    }


def roads(found: World, records: int) -> dict[str, Any]:
    """Every way that a batch can go."""
    count = records // SESSION
    made: dict[str, Any] = {
        "calldata": _post(found, Kind.CALLDATA, found.sessions(count)),
        "calldata_split": _post(found, Kind.CALLDATA, found.sessions(count), split=True),
        "blob": _post(found, Kind.BLOB, found.sessions(count)),
        "attested": _post(found, Kind.ATTESTED, found.sessions(count)),
    }
    stuck = build(State(found.state), Transactions(), found.context(Kind.CALLDATA), found.shape)
    found.rollup.commit(found.signer, Posting(found.selector(Kind.CALLDATA), stuck.data.posted, stuck.binding))
    found.wait(found.plan.parameters.prove_window + 1)
    Fallback(found.rollup.bound).open(found.signer)
    _post_full(found, Transactions(), proven=True)
    made["fallback"] = _post_full(found, found.sessions(count), proven=False)
    made["fallback_proven"] = _post_full(found, found.sessions(count), proven=True)
    return made


def ways_out(found: World) -> dict[str, int]:
    """What leaving costs whoever leaves, in gas: by the queue, and by escape when nothing moves."""
    owner, agent = found.signer, found.agents[0]
    steps: dict[str, Callable[[], Any]] = {
        "force_exit": lambda: found.rollup.queue.force_exit(owner, agent, 5).receipt,
        "deposit": lambda: found.rollup.queue.deposit(owner, agent, 5).receipt,
    }
    gas = {name: send().gas_used for name, send in steps.items()}
    items = Transactions(queue=tuple(item for _, item in found.rollup.queue.waiting()))
    number = found.rollup.status().committed + 1
    _post(found, Kind.CALLDATA, items)
    section = found.rollup.claims.section(number)
    gas["claim"] = _gas(found.rollup.claims.make(owner, section, section.claims[0]))
    gas["withdraw"] = _bound(found, "withdraw", owner.address)
    found.rollup.queue.force_exit(owner, agent, 5)
    found.wait(found.plan.parameters.queue_delay + found.plan.parameters.escape_delay + 60)
    escape = Escape(found.rollup.bound)
    gas["freeze"] = _gas(escape.freeze(owner))
    gas["escape"] = _gas(escape.leave(owner, prove_account(found.state, agent)))
    gas["withdraw_frozen"] = _bound(found, "withdraw", owner.address)
    gas["refund"] = _bound(found, "refund", found.rollup.queue.pointers().queued)
    gas["collect"] = _bound(found, "collect", owner.address)
    return gas


def _bound(found: World, function: str, *arguments: Any) -> int:
    return found.rollup.bound.send(found.signer, function, list(arguments), function).gas_used


def _gas(step: Any) -> int:
    return int(step.gas_used)


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=4096)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    ran_on = machine()
    with chain() as url:
        found = world(url, options.records)
        made = roads(found, options.records)
        result = {
            "generated_by": "benchmarks/gas.py",
            "chain": found.client.web3.client_version,
            "rules": "Prague: EIP-7623's calldata floor counted",
            "machine": ran_on,
            "records": options.records,
            "session_records": SESSION,
            "per_record": {name: round(road["gas_total"] / options.records, 1) for name, road in made.items()},
            "goals": GOALS,
            "blob_gas_per_record": round((1 << 17) / options.records, 1),
            "roads": made,
            "ways_out": ways_out(found),
        }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["per_record"], indent=1))


if __name__ == "__main__":
    main()
