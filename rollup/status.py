"""Where a shard stands, by the state folder and by the chain, and whether the two agree.

They agree if every batch the chain has committed is, by number and new root, a batch of the folder. Sealed batches the
chain does not know yet are no disagreement: they wait to be submitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aitbc_rollup.errors import BadInputError

from .checks import format_address
from .genesis import Genesis
from .l1.client import L1Client
from .l1.elsewhere import Elsewhere
from .l1.rollup_contract import RollupContract
from .l1.rollup_contract import Status as ChainStatus
from .rebuild import rebuild
from .state import State
from .store import Store
from .transactions import Domain


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """The state folder: what it is for, the number of sealed batches, the roots from genesis on."""

    domain: Domain
    roots: tuple[int, ...]
    proven: int

    @property
    def sealed(self) -> int:
        """Number of sealed batches."""
        return len(self.roots) - 1


def local_status(store: Store) -> LocalStatus:
    """What a state folder says.

    Raises:
        BadInputError: the folder is empty.
    """
    if not store.meta:
        raise BadInputError(
            "the state folder is empty",
            expected="one that init or prove-batch has made",
            got="no genesis",
            hint="--state names it",
        )
    count = store.batch_count
    roots = tuple(store.root_after(number) for number in range(count + 1))
    proven = sum(str(number) in store.job_of_batch(number)["proofs"] for number in range(1, count + 1))
    return LocalStatus(store.domain(), roots, proven)


def chain_status(client: L1Client, domain: Domain) -> ChainStatus | None:
    """What the chain says of the shard's contract; nothing if it is not deployed yet.

    Raises:
        L1Error: the chain does not answer.
    """
    address = format_address(domain.contract)
    return RollupContract(client, address).status() if client.code(address) else None


def rebuilt(
    client: L1Client,
    domain: Domain,
    genesis: Genesis,
    batches: int,
    beacons: Sequence[str] = (),
    archive: Path | None = None,
) -> State:
    """The state made again from genesis, the data of a chain's first batches and its queue, and nothing else.

    Args:
        client: the chain.
        domain: chain, contract and shard.
        genesis: the accounts at the start.
        batches: how many.
        beacons: URLs of beacon nodes, for batches with their data in blobs.
        archive: folder with data that the chain does not have.

    Raises:
        DataMissingError: nobody who was asked has a batch's data.
        L1Error: the chain does not answer, or keeps no logs that old.
        BadInputError: data that do not decode.
        InvalidError: data whose roots do not come out.
    """
    contract = RollupContract(client, format_address(domain.contract))
    elsewhere = Elsewhere(contract.bound, beacons, archive)
    return rebuild(genesis.state(), genesis.chain_id, genesis.shard, contract.history(batches), elsewhere)


def disagreement(local: LocalStatus, chain: ChainStatus | None) -> str | None:
    """The first thing on which folder and chain disagree, or nothing."""
    if chain is None:
        return None
    steps = (
        ("committed", chain.committed, chain.committed_root),
        ("proven", chain.proven, chain.proven_root),
        ("finalized", chain.finalized, chain.state_root),
    )
    for name, number, root in steps:
        if number > local.sealed:
            return f"the chain has {name} batch {number}, the folder ends at batch {local.sealed}"
        if root != local.roots[number]:
            return (
                f"{name} batch {number} has root 0x{root:064x} on the chain, 0x{local.roots[number]:064x} in the folder"
            )
    return None
