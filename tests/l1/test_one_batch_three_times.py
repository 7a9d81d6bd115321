"""One batch in Python, in the contract and in the circuit: the same queue items, the same C, ζ and y, a witness.

Strangers fill the queue, with every kind of item, for accounts that are theirs, others' and nobody's; the operator
takes them in batches of all sizes. Between the texts there is nothing but what each makes of the words itself.
"""

from __future__ import annotations

import random

import pytest
from batch_chain import ALICE, BOB, ETHER, NOBODY, OPERATOR, PAYOUT, SHAPE, Chain, make_chain

from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.rollup.binding import Binding
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.witness_inputs import circuit_inputs

INDICES = (ALICE, BOB, OPERATOR, NOBODY, 2**24 - 1, 2**24, 2**32 - 1)


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return compile_batch(SHAPE)


def fill_queue(chain: Chain, generator: random.Random, count: int) -> None:
    """So many items, of the owner of Alice and Bob and of somebody else."""
    senders = (chain.signer, chain.signer, chain.someone("stranger"))
    for _ in range(count):
        sender, (a, b) = generator.choice(senders), generator.choices(INDICES, k=2)
        amount = generator.choice((1, 999, ETHER // 100, 2**88 - 1))
        match generator.randrange(3):
            case 0:
                chain.rollup.queue.deposit(sender, a, min(amount, ETHER // 100))
            case 1:
                chain.rollup.queue.force_exit(sender, a, amount)
            case _:
                chain.rollup.queue.force_transfer(sender, a, b, amount)


@pytest.mark.parametrize("seed", range(2))
def test_queues_of_strangers_are_proven_as_the_contract_has_them(circuit: CompiledCircuit, seed: int) -> None:
    generator = random.Random(seed)
    chain = make_chain(connect(), f"three times {seed}")
    chain.rollup.queue.deposit(chain.signer, ALICE, 5000)
    fill_queue(chain, generator, 9)
    for number, take in enumerate((SHAPE.queue, 0, 1, 4), start=1):
        batch = chain.batch(number, take=take, transfers=(chain.exit(7 * number, number - 1),))
        chain.rollup.commit(chain.signer, chain.posting(batch))
        (log,) = chain.rollup.bound.logs("BatchCommitted", batchNumber=number)
        drawn = Binding(*log["args"]["statement"])
        assert drawn == batch.binding
        names = ("commitment", "zeta", "evaluation", "payout")
        public = dict(zip(names, drawn.public_inputs(int(PAYOUT, 16)), strict=True))
        violation = check(circuit, circuit.witness(circuit_inputs(batch, 0) | public))
        assert violation is None, violation.render()
    assert list(chain.rollup.queue.waiting()) == []
