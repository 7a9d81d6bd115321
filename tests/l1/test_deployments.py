"""Addresses, keys and the order of a batch's steps, on the embedded chain."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from typing import Any

import pytest
from batch_chain import PAYOUT, SHAPE, TRAPDOOR, Chain, make_chain, plan_of, proof_for
from trapdoor import Trapdoor

from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.rollup.l1.client import L1Client, connect
from aitbc_rollup.rollup.l1.contracts import deploy, implementation
from aitbc_rollup.rollup.l1.parameters import DEVELOPMENT, PRODUCTION, Parameters
from aitbc_rollup.rollup.l1.plan import Committee, Deployment, Route
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.l1.signer import development_signer

#: Another value of each parameter.
OTHERWISE = {
    name: PAYOUT if name == "asset" else getattr(DEVELOPMENT, name) + 1
    for name in (field.name for field in dataclasses.fields(Parameters))
}


@pytest.fixture(scope="module")
def client() -> L1Client:
    return connect()


@pytest.fixture
def chain(client: L1Client, request: pytest.FixtureRequest) -> Chain:
    return make_chain(client, request.node.nodeid)


def refusal(name: str) -> Any:
    return pytest.raises(L1Error, match=rf"\b{name}: ")


def test_every_argument_changes_the_rollup_s_address() -> None:
    plan = plan_of("addresses")
    others = [
        plan_of("addresses", verifying_key=Trapdoor("other").key),
        plan_of("addresses", roles={"admin": PAYOUT}),
        plan_of("addresses", genesis_root=8),
        plan_of("addresses", development_chain_ids=(1,)),
        dataclasses.replace(plan, salt=b"\1" * 32),
        *(plan_of("addresses", parameters={name: value}) for name, value in OTHERWISE.items()),
    ]
    assert len({plan.rollup, *(other.rollup for other in others)}) == len(others) + 1
    assert others[0].routes[0].verifier != plan.routes[0].verifier
    assert others[1].routes == plan.routes


def test_who_has_a_role_but_the_admin_is_not_in_the_address() -> None:
    """Keys are rotated; who gives them is what everyone relies on."""
    roles = dict.fromkeys(("operator", "guardian", "curator", "upgrader"), PAYOUT)
    assert plan_of("roles", roles=roles).rollup == plan_of("roles").rollup


def test_a_plan_as_json() -> None:
    plan = plan_of("json", committees=(Committee((PAYOUT,), 1),))
    again = Deployment.from_json(json.loads(json.dumps(plan.to_json())), "plan")
    assert again == plan and again.rollup == plan.rollup


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"salt": "0x12"},
        {"salt": "none"},
        {"genesis_root": 5},
        {"routes": [{}]},
        {"roles": {"admin": PAYOUT}},
        {"parameters": {"asset": "0x1"}},
        {"development_chain_ids": ["1"]},
        {"committees": [{"attesters": ["x"], "threshold": 1}]},
        {"more": 1},
    ],
    ids=str,
)
def test_what_is_no_plan(change: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        Deployment.from_json(plan_of("json").to_json() | change, "plan")


@pytest.mark.parametrize("name", ["prove_window", "challenge_window", "dispute_cap", "upgrade_delay", "router_delay"])
def test_delays_with_which_people_could_be_overtaken_are_refused(client: L1Client, name: str) -> None:
    value = 1 if name.endswith("delay") else 10**6
    with refusal("RouterTooFast" if name == "router_delay" else "ParameterInvalid"):
        make_chain(client, "overtaken", parameters={name: value})


@pytest.mark.parametrize("base", [DEVELOPMENT, PRODUCTION], ids=["development", "production"])
def test_the_sets_of_parameters_are_deployed(client: L1Client, base: Parameters) -> None:
    plan = replace(plan_of(f"parameters {base.max_age}"), parameters=replace(base, shard=3, queue_room=SHAPE.queue))
    deploy(client, development_signer(), plan)
    rollup = RollupContract(client, plan.rollup)
    assert rollup.bound.view("exitDelay") < base.upgrade_delay
    assert rollup.queue.fee == base.queue_fee
    assert implementation(client, plan) == plan.implementation.address


def test_parameters_changed_by_name() -> None:
    changed = DEVELOPMENT.changed({"bond": "5", "asset": PAYOUT})
    assert (changed.bond, changed.asset) == (5, PAYOUT.lower())
    assert Parameters.from_json(changed.to_json(), "x") == changed
    for changes in ({"bound": "5"}, {"bond": "-5"}, {"bond": "x"}, {"rate_bps": str(2**16)}, {"asset": "0x0"}):
        with pytest.raises(BadInputError):
            DEVELOPMENT.changed(changes)


def test_a_key_that_lets_anyone_forge_is_refused_before_anything_is_sent(client: L1Client) -> None:
    key = dataclasses.replace(TRAPDOOR.key, delta_g2=TRAPDOOR.key.gamma_g2)
    with pytest.raises(BadInputError, match="unusable verifying key"):
        deploy(client, development_signer(), plan_of("forge", verifying_key=key))


def test_a_circuit_whose_verifier_nobody_has_deployed(client: L1Client) -> None:
    other = Route.of(Trapdoor("elsewhere").key, SHAPE)
    plan = plan_of("without a verifier")
    with pytest.raises(L1Error, match="a circuit's verifier is not deployed") as caught:
        deploy(client, development_signer(), replace(plan, routes=(*plan.routes, other)))
    assert caught.value.expected == f"code at {other.verifier}"


def test_a_malformed_proof_is_refused(chain: Chain) -> None:
    batch = chain.batch()
    chain.rollup.commit(chain.signer, chain.posting(batch))
    proof = proof_for(batch.binding)
    malformed = dataclasses.replace(proof, c=(proof.c[0], proof.c[1] ^ 1))
    with refusal("ProofMalformed"):
        chain.rollup.prove(chain.signer, 1, batch.binding, PAYOUT, malformed)


def test_order_of_steps(chain: Chain) -> None:
    rollup, signer = chain.rollup, chain.signer
    first, second = chain.batch(1), chain.batch(2)
    proofs = [proof_for(batch.binding) for batch in (first, second)]
    with refusal("BatchUnknown"):
        rollup.prove(signer, 1, first.binding, PAYOUT, proofs[0])
    rollup.commit(signer, chain.posting(first))
    with refusal("BatchesUnproven"):
        rollup.commit_and_prove(signer, chain.posting(second), PAYOUT, proofs[1])
    rollup.commit(signer, chain.posting(second))
    with refusal("BatchNumberWrong"):
        rollup.prove(signer, 2, second.binding, PAYOUT, proofs[1])
    rollup.prove(signer, 1, first.binding, PAYOUT, proofs[0])
    with refusal("ProofMissing"):
        rollup.finalize(signer, 2)
    with refusal("NotRevocable"):
        rollup.rollback(signer, 1)
    with refusal("BatchUnknown"):
        rollup.batch(3)


def test_rollback_frees_the_number(chain: Chain) -> None:
    for number in (1, 2):
        batch = chain.batch(number)
        chain.rollup.commit(chain.signer, chain.posting(batch))
    chain.rollup.rollback(chain.signer, 1)
    assert chain.rollup.status().committed == 0
    again = make_chain(chain.client, "rolled back").batch()  # another L1 time, so other data
    context = dataclasses.replace(batch.data.context, batch_number=1, l1_time=again.data.context.l1_time)
    data = dataclasses.replace(batch.data, context=context)
    posting = chain.posting(data.posted, data.binding(batch.shape))
    step = chain.rollup.commit(chain.signer, posting)
    assert chain.rollup.batch(1).new_root == data.new_root
    assert chain.rollup.commit(chain.signer, posting) == dataclasses.replace(step, already=True)
