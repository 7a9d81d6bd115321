"""The next full batch of a rollup whose fallback is open: what waits in its queue, and what was signed."""

from __future__ import annotations

from collections.abc import Sequence

from aitbc_rollup.circuits.statements.batch.layout import MODE, Kind, pack
from aitbc_rollup.circuits.statements.batch.shape import Shape

from ..data import BatchContext
from ..genesis import Genesis
from ..l1.rollup_contract import RollupContract
from ..room import Signed
from ..state import State
from ..store import Store
from ..transactions import SignedSession, SignedTransfer, Transactions
from .batch import FullBatch, build_full, inputs_of


def next_full_batch(
    store: Store, rollup: RollupContract, found: Genesis, signed: Sequence[Signed], shape: Shape, operator_index: int
) -> FullBatch:
    """The batch behind the last one committed: waiting queue items as far as there is room, and these transactions.

    Args:
        store: a folder that was just brought to the chain; batches that only it has are left out of account.
        rollup: the contract.
        found: the folder's genesis, for its development accounts.
        signed: sessions and transfers; those that are not valid go in without effect (``FullBatch.refusals``).
        shape: of the full circuit.
        operator_index: the account that is credited with operator's shares and transfers' fees.

    Raises:
        L1Error: the chain does not answer.
        BadInputError: more transactions than the circuit has room for.
    """
    status = rollup.status()
    before = store.state_after(status.committed)
    items = Transactions(
        queue=tuple(item for _, item in rollup.queue.waiting(shape.queue)),
        transfers=tuple(one for one in signed if isinstance(one, SignedTransfer)),
        sessions=tuple(one for one in signed if isinstance(one, SignedSession)),
    )
    signers = {one.transfer.from_index for one in items.transfers} | {one.session.agent_index for one in items.sessions}
    context = BatchContext(
        domain=store.domain(),
        batch_number=status.committed + 1,
        mode=pack(MODE, {"development_keys": bool(signers & found.development_indices), "kind": Kind.FULL}),
        l1_time=max(rollup.client.time(), rollup.batch(status.committed).l1_time),
        operator_index=operator_index,
    )
    return build_full(State(before), inputs_of(before, items, context), shape)
