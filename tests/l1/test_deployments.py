"""Addresses, keys and the order of a batch's steps, on the embedded chain."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from batch_chain import PAYOUT, TRAPDOOR, Chain, make_chain, plan_of, proof_for
from trapdoor import Trapdoor

from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.rollup.l1.client import L1Client, connect
from aitbc_rollup.rollup.l1.contracts import deploy
from aitbc_rollup.rollup.l1.signer import development_signer


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
    changes: list[dict[str, Any]] = [
        {"verifying_key": Trapdoor("other").key},
        {"genesis_root": 8},
        {"shard": 4},
        {"operator": PAYOUT},
        {"max_age": 1},
        {"development_chain_ids": (1,)},
        {"salt": b"\1" * 32},
    ]
    others = [dataclasses.replace(plan, **change) for change in changes]
    assert len({plan.rollup, *(other.rollup for other in others)}) == len(others) + 1
    assert others[0].verifier != plan.verifier
    assert others[1].verifier == plan.verifier


def test_a_key_that_lets_anyone_forge_is_refused_before_anything_is_sent(client: L1Client) -> None:
    key = dataclasses.replace(TRAPDOOR.key, delta_g2=TRAPDOOR.key.gamma_g2)
    with pytest.raises(BadInputError, match="unusable verifying key"):
        deploy(client, development_signer(), plan_of("forge", verifying_key=key))


def test_a_malformed_proof_is_refused(chain: Chain) -> None:
    batch = chain.batch()
    chain.rollup.commit(chain.signer, batch.data.posted, batch.binding)
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
    rollup.commit(signer, first.data.posted, first.binding)
    with refusal("BatchesUnproven"):
        rollup.commit_and_prove(signer, second.data.posted, second.binding, PAYOUT, proofs[1])
    rollup.commit(signer, second.data.posted, second.binding)
    with refusal("BatchNumberWrong"):
        rollup.prove(signer, 2, second.binding, PAYOUT, proofs[1])
    rollup.prove(signer, 1, first.binding, PAYOUT, proofs[0])
    with refusal("NotFinalizable"):
        rollup.finalize(signer, 2)
    with refusal("NotRevocable"):
        rollup.rollback(signer, 1)
    with refusal("BatchUnknown"):
        rollup.batch(3)


def test_rollback_frees_the_number(chain: Chain) -> None:
    for number in (1, 2):
        batch = chain.batch(number)
        chain.rollup.commit(chain.signer, batch.data.posted, batch.binding)
    chain.rollup.rollback(chain.signer, 1)
    assert chain.rollup.status().committed == 0
    again = make_chain(chain.client, "rolled back").batch()  # another L1 time, so other data
    context = dataclasses.replace(batch.data.context, batch_number=1, l1_time=again.data.context.l1_time)
    data = dataclasses.replace(batch.data, context=context)
    step = chain.rollup.commit(chain.signer, data.posted, data.binding(batch.shape))
    assert chain.rollup.batch(1).new_root == data.new_root
    assert chain.rollup.commit(chain.signer, data.posted, data.binding(batch.shape)) == (
        dataclasses.replace(step, already=True)
    )
