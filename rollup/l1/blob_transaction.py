"""Transactions that carry blobs (EIP-4844, type 3): their fields, and the two forms in which a node takes them.

The chain keeps the transaction alone; a node wants blobs, commitments and proofs beside it, the *wrapper*:

- version 0, EIP-4844's, with one proof a blob: ``0x03 ‖ rlp([transaction, blobs, commitments, proofs])``. Hardhat's EVM
  takes only this one.
- version 1, EIP-7594's, with 128 proofs a blob: ``0x03 ‖ rlp([transaction, 1, blobs, commitments, cell proofs])``. What
  Ethereum's nodes take since Fusaka, and eth-account writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import rlp
from eth_abi.abi import encode

from aitbc_rollup.errors import BadInputError

from ..binding import Binding
from ..kzg import Blob

#: First byte of a transaction with blobs.
BLOB_TRANSACTION = b"\x03"
#: Place of the versioned hashes among a transaction's fields (EIP-4844, ``TransactionPayloadBody``).
HASHES_AT = 10
FIELDS = 14


class Wrapper(IntEnum):
    """Version of what goes with a transaction."""

    BLOB_PROOFS = 0
    CELL_PROOFS = 1


def blob_fields(blobs: Sequence[Blob], max_fee_per_blob_gas: int) -> dict[str, Any]:
    """The fields that blobs add to a transaction, by eth-account's names; the fee in wei."""
    hashes = [blob.versioned_hash for blob in blobs]
    return {"type": 3, "maxFeePerBlobGas": max_fee_per_blob_gas, "blobVersionedHashes": hashes}


def wrapped(signed: bytes, blobs: Sequence[Blob], wrapper: Wrapper) -> bytes:
    """A signed transaction with its blobs, as ``eth_sendRawTransaction`` takes it.

    Args:
        signed: the transaction alone, as eth-account signs it when it is given :func:`blob_fields` and no blobs.
        blobs: in the order of the transaction's hashes.
        wrapper: what the node takes.

    Raises:
        BadInputError: it is no such transaction, or one of other blobs.
    """
    body = _body(signed)
    hashes = [blob.versioned_hash for blob in blobs]
    if body[HASHES_AT] != hashes:
        raise BadInputError(
            "the transaction is of other blobs",
            place="transaction",
            expected=", ".join(found.hex() for found in body[HASHES_AT]),
            got=", ".join(found.hex() for found in hashes),
        )
    data, commitments = [blob.data for blob in blobs], [blob.commitment for blob in blobs]
    if wrapper == Wrapper.BLOB_PROOFS:
        parts: list[Any] = [body, data, commitments, [blob.blob_proof for blob in blobs]]
    else:
        parts = [body, b"\x01", data, commitments, [proof for blob in blobs for proof in blob.cell_proofs]]
    return BLOB_TRANSACTION + bytes(rlp.encode(parts))


@dataclass(frozen=True)
class BlobSidecar:
    """Blobs and the wrapper in which a transaction takes them along: an :class:`~.outbox.Sidecar`."""

    blobs: tuple[Blob, ...]
    wrapper: Wrapper = Wrapper.CELL_PROOFS

    @property
    def versioned_hashes(self) -> list[bytes]:
        """One a blob."""
        return [blob.versioned_hash for blob in self.blobs]

    def wrap(self, transaction: bytes) -> bytes:
        """See :func:`wrapped`."""
        return wrapped(transaction, self.blobs, self.wrapper)


def evidence(binding: Binding, blob: Blob) -> bytes:
    """What ``commit`` is given of a batch with a blob: abi.encode(b, KZG commitment, proof that the blob is b at ζ)."""
    return encode(["uint256", "bytes", "bytes"], [binding.blob_value, blob.commitment, blob.opening(binding.zeta)])


def _body(signed: bytes) -> list[Any]:
    try:
        body = rlp.decode(signed[1:]) if signed[:1] == BLOB_TRANSACTION else None
    except rlp.exceptions.DecodingError:
        body = None
    if not isinstance(body, list) or len(body) != FIELDS or not isinstance(body[HASHES_AT], list):
        raise BadInputError(
            "not a signed transaction with blobs", place="transaction", expected="type 3, without its wrapper"
        )
    return body
