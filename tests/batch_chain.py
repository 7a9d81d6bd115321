"""A deployed rollup of protocol version 2 with a trapdoor key: real batches over real queues, proofs of anything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from eth_account import Account as EthAccount
from trapdoor import Trapdoor

from aitbc_rollup.algebra.eddsa import public_key, sign
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup.accounts import Account
from aitbc_rollup.rollup.batch import Batch, build
from aitbc_rollup.rollup.binding import Binding, to_words
from aitbc_rollup.rollup.data import BatchContext
from aitbc_rollup.rollup.l1.client import L1Client
from aitbc_rollup.rollup.l1.contracts import deploy
from aitbc_rollup.rollup.l1.parameters import DEVELOPMENT
from aitbc_rollup.rollup.l1.plan import Deployment, Roles, Route
from aitbc_rollup.rollup.l1.rollup_contract import Posting, RollupContract
from aitbc_rollup.rollup.l1.signer import Signer, development_signer
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.transactions import Domain, SignedTransfer, Transactions, Transfer

SHAPE = Shape(pages=4, sessions=4, accounts=20, queue=5, registrations=2, transfers=3, signatures=8, index_bits=24)
PAYOUT = "0x00000000000000000000000000000000000A11cE"
SHARD = 3
TRAPDOOR = Trapdoor()
OPERATOR, ALICE, BOB, NOBODY = 0, 70_000, 70_001, 4242
ETHER = 10**18


def private_key(index: int) -> bytes:
    return index.to_bytes(32, "big")


def genesis(owner: Signer) -> State:
    """Three accounts without money; Alice's and Bob's L1 owner is given."""
    state = State()
    for index in (OPERATOR, ALICE, BOB):
        l1_owner = int(owner.address, 16) if index != OPERATOR else 0
        state.put(index, Account(public_key=public_key(private_key(index)), l1_owner=l1_owner))
    return state


def proof_for(bound: Binding, payout: str = PAYOUT):
    return TRAPDOOR.prove(bound.public_inputs(int(payout, 16)))


@dataclass(frozen=True)
class Chain:
    client: L1Client
    signer: Signer
    deployment: Deployment
    rollup: RollupContract
    state: State

    @property
    def domain(self) -> Domain:
        return Domain(self.client.chain_id, int(self.deployment.rollup, 16), SHARD)

    def batch(self, number: int = 1, *, take: int | None = None, **items: Any) -> Batch:
        """A batch of waiting queue items and these transactions; the state moves on."""
        queue = tuple(item for _, item in self.rollup.queue.waiting(take))
        context = BatchContext(
            domain=self.domain, batch_number=number, mode=1, l1_time=self.client.time(), operator_index=OPERATOR
        )
        return build(self.state, Transactions(queue=queue, **items), context, SHAPE)

    def exit(self, amount: int, nonce: int = 0) -> SignedTransfer:
        """A transfer of Alice's out to L1."""
        made = Transfer(from_index=ALICE, to_index=0, nonce=nonce, exit=True, expiry=2**40 - 1, amount=amount, fee=10)
        return SignedTransfer(made, sign(private_key(ALICE), made.message(self.domain)))

    @property
    def selector(self) -> bytes:
        """The circuit's."""
        return self.deployment.routes[0].selector

    def posting(self, data: bytes | Batch, bound: Binding | None = None) -> Posting:
        """A batch as it is posted; with another binding, or of other data."""
        if isinstance(data, Batch):
            return Posting(self.selector, data.data.posted, bound or data.binding)
        return Posting(self.selector, data, bound or Binding.of(to_words(data, "data"), data, b"", 5))

    def finalize(self, batch: Batch) -> None:
        """Every step of a batch."""
        number = batch.data.context.batch_number
        self.rollup.commit(self.signer, self.posting(batch))
        self.rollup.prove(self.signer, number, batch.binding, PAYOUT, proof_for(batch.binding))
        self.rollup.finalize(self.signer, number)

    def someone(self, label: str) -> Signer:
        """An account of its own with an ether."""
        other = Signer(EthAccount.from_key(hashlib.sha256(f"{self.deployment.rollup} {label}".encode()).digest()))
        self.client.send(self.signer, other.address, b"", value=ETHER)
        return other


def plan_of(salt: str, **changes: Any) -> Deployment:
    """A rollup of its own, not deployed: the salt gives it addresses that no other test uses."""
    signer = development_signer()
    digest = hashlib.sha256(salt.encode()).digest()
    key, shape = changes.pop("verifying_key", TRAPDOOR.key), changes.pop("shape", SHAPE)
    roles = Roles.all(signer.address, **changes.pop("roles", {}))
    parameters = replace(DEVELOPMENT, **{"shard": SHARD, "queue_room": shape.queue} | changes.pop("parameters", {}))
    plan = Deployment(
        genesis_root=genesis(signer).root, genesis_balance=0, parameters=parameters, roles=roles,
        routes=(Route.of(key, shape),), keys=(key,), salt=digest,
    )  # fmt: skip
    return replace(plan, **changes)


def make_chain(client: L1Client, salt: str, **changes: Any) -> Chain:
    """The same, deployed."""
    signer, plan = development_signer(), plan_of(salt, **changes)
    deploy(client, signer, plan)
    return Chain(client, signer, plan, RollupContract(client, plan.rollup), genesis(signer))
