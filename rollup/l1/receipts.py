"""What receipts have to do with an L1: the final root they are checked against, and the contract that checks them."""

from __future__ import annotations

from aitbc_rollup.errors import InvalidError

from ..checks import format_address
from ..receipts import Receipt
from .account_proofs import hasher
from .bound import BoundContract
from .client import L1Client
from .piece import Piece
from .plan import call_data

#: Inputs of the Poseidons that ``Receipts`` hashes with, in its order.
HASHERS = (2, 3, 4, 5, 16)


def final_root(client: L1Client, contract: int, batch_number: int) -> int:
    """The root after a final batch, as the rollup at this address says.

    Raises:
        InvalidError: the batch is not final.
        L1Error: the chain does not answer, or there is no rollup.
    """
    rollup = BoundContract(client, format_address(contract))
    rollup.check_deployed()
    final = int(rollup.view("finalizedBatches"))
    if batch_number > final:
        raise InvalidError(
            "the batch is not final",
            place=f"{rollup.address} on chain {client.chain_id}",
            expected=f"one of the {final} final batches",
            got=f"batch {batch_number}",
            hint="`aitbc-rollup submit` finalizes a batch",
        )
    return int(rollup.view("finalRoot", batch_number))


def receipts_contract(rollup: str) -> tuple[Piece, ...]:
    """The hashers, and ``Receipts`` for a rollup, to be created in this order."""
    hashers = [hasher(inputs) for inputs in HASHERS]
    return (*hashers, Piece.of("receipts", "Receipts", [rollup, [piece.address for piece in hashers]]))


def calldata(receipt: Receipt) -> bytes:
    """A call of ``Receipts.verifyRecord``; behind its four bytes is ``abi.encode`` of it, as adapters take it."""
    account = receipt.account
    words = (
        receipt.batch_number,
        receipt.place,
        receipt.state_before,
        receipt.words,
        receipt.terms,
        receipt.fees,
        receipt.history_before,
        receipt.later_messages,
        account.leaf,
        account.siblings,
    )
    return call_data("Receipts", "verifyRecord", [words])
