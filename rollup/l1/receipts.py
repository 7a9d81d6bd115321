"""What receipts have to do with an L1: the final root they are checked against, and their form as calldata."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import function_signature_to_4byte_selector

from aitbc_rollup.errors import InvalidError, L1Error

from ..checks import format_address
from ..receipts import Receipt
from .client import L1Client

#: ``Receipt`` of contracts/src/integrations/Receipts.sol.
RECEIPT = "(uint256,uint256,uint256,uint256[],uint256,uint256,uint256,uint256[],uint256[8],uint256[48])"


def _view(name: str, *kinds: str) -> dict[str, Any]:
    inputs = [{"name": "", "type": kind} for kind in kinds]
    outputs = [{"name": "", "type": "uint256"}]
    return {"type": "function", "name": name, "stateMutability": "view", "inputs": inputs, "outputs": outputs}


#: All that is asked of a rollup, whatever else it can do.
_ABI = [_view("finalizedBatches"), _view("finalRoot", "uint256")]


def final_root(client: L1Client, contract: int, batch_number: int) -> int:
    """The root after a final batch, as the rollup at this address says.

    Raises:
        InvalidError: the batch is not final.
        L1Error: the chain does not answer, or there is no rollup.
    """
    address = format_address(contract)
    if not client.code(address):
        raise L1Error(
            "there is no contract",
            place=f"{address} on chain {client.chain_id}",
            expected="a deployed rollup",
            got="no code",
            hint="check --l1",
        )
    rollup = client.contract(address, _ABI)
    final = int(client.call(rollup.functions.finalizedBatches(), "finalizedBatches"))
    if batch_number > final:
        raise InvalidError(
            "the batch is not final",
            place=f"{address} on chain {client.chain_id}",
            expected=f"one of the {final} final batches",
            got=f"batch {batch_number}",
            hint="`aitbc-rollup submit` finalizes a batch",
        )
    return int(client.call(rollup.functions.finalRoot(batch_number), "finalRoot"))


def encoded(receipt: Receipt) -> bytes:
    """``abi.encode`` of a receipt: the arguments of ``verifyRecord``, the proof that ``ERC7992RunVerifier`` takes."""
    words = (
        receipt.batch_number,
        receipt.place,
        receipt.state_before,
        receipt.words,
        receipt.terms,
        receipt.fees,
        receipt.history_before,
        receipt.later_messages,
        receipt.account.leaf,
        receipt.account.siblings,
    )
    return encode([RECEIPT], [words])


def calldata(receipt: Receipt) -> bytes:
    """A call of ``Receipts.verifyRecord``."""
    return function_signature_to_4byte_selector(f"verifyRecord({RECEIPT})") + encoded(receipt)
