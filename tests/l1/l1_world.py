"""A deployed rollup with a trapdoor key: batches and proofs of anything, for the tests of the L1."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from trapdoor import Trapdoor

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.rollup.binding import Binding, to_data
from aitbc_rollup.rollup.l1.client import L1Client
from aitbc_rollup.rollup.l1.contracts import Deployment, deploy
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.l1.signer import Signer, development_signer

PAYOUT = "0x00000000000000000000000000000000000A11cE"
GENESIS_ROOT = 7
SHARD = 3
TRAPDOOR = Trapdoor()


@dataclass(frozen=True)
class World:
    client: L1Client
    signer: Signer
    deployment: Deployment
    rollup: RollupContract

    def words(self, number: int = 1, **header: int) -> list[int]:
        """A batch of one session; ``header`` replaces words by name."""
        named = {
            "version": 1,
            "chain_id": self.client.chain_id,
            "contract": int(self.deployment.rollup, 16),
            "shard": SHARD,
            "number": number,
            "counts": 1 + (2 << 32) + (9 << 64),
            "byte_length": 32 * 16,
            "mode": 1,
            "l1_time": self.client.time(),
            "old_root": GENESIS_ROOT + number - 1,
            "new_root": GENESIS_ROOT + number,
            "queue": 0,
            "withdrawals": 0,
        }
        assert header.keys() <= named.keys()
        return [*(named | header).values(), 11 * number, 22 * number, 33 * number]

    def data(self, number: int = 1, **header: int) -> bytes:
        return to_data(self.words(number, **header))


def proof_for(data: bytes, commitment: int, payout: str = PAYOUT):
    return TRAPDOOR.prove(Binding.of(commitment, data).public_inputs(int(payout, 16)))


def commitment(label: object) -> int:
    return int.from_bytes(hashlib.sha256(f"C {label}".encode()).digest(), "big") % R


def make_world(client: L1Client, salt: str, *, deploy_now: bool = True, **changes) -> World:
    """A world of its own: the salt gives it addresses that no other test uses."""
    signer = development_signer()
    deployment = replace(
        Deployment(TRAPDOOR.key, GENESIS_ROOT, SHARD, signer.address, salt=hashlib.sha256(salt.encode()).digest()),
        **changes,
    )
    if deploy_now:
        deploy(client, signer, deployment)
    return World(client, signer, deployment, RollupContract(client, deployment.rollup))
