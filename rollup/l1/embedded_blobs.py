"""What the embedded chain does with blobs (EIP-4844): takes them off their transactions, and evaluates them at points.

A node takes a transaction with its blobs in one of two wrappers (:mod:`.blob_transaction`), checks that they are those
it names, and runs the transaction alone. Point evaluation is c-kzg-4844's, whose setup is loaded once a process;
py-evm's precompile loads it in every call.
"""

from __future__ import annotations

from typing import Any

import ckzg
import rlp
from eth.exceptions import VMError

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS
from aitbc_rollup.circuits.statements.batch.layout import BLOB_WORDS
from aitbc_rollup.errors import BadInputError

from ..kzg import trusted_setup, versioned_hash
from .blob_transaction import BLOB_TRANSACTION, FIELDS, HASHES_AT

POINT_EVALUATION = (10).to_bytes(20, "big")
POINT_EVALUATION_GAS = 50_000
CELLS = 128
_PLACE = "blob transaction"


def point_evaluation_precompile(computation: Any) -> Any:
    """EIP-4844's 0x0a: versioned hash ‖ z ‖ y ‖ commitment ‖ proof, whether the blob's polynomial is y at z.

    Raises:
        VMError: it is not, or the input is malformed; the call fails and its gas is spent.
    """
    computation.consume_gas(POINT_EVALUATION_GAS, reason="Point Evaluation Precompile")
    data = bytes(computation.msg.data)
    commitment, proof = data[96:144], data[144:]
    if len(data) != 192 or versioned_hash(commitment) != data[:32]:
        raise VMError("point evaluation: not the commitment of the versioned hash")
    try:
        holds = ckzg.verify_kzg_proof(commitment, data[32:64], data[64:96], proof, trusted_setup())
    except RuntimeError as error:
        raise VMError(f"point evaluation: malformed: {error}") from error
    if not holds:
        raise VMError("point evaluation: the proof does not hold")
    computation.output = BLOB_WORDS.to_bytes(32, "big") + SCALAR_MODULUS.to_bytes(32, "big")
    return computation


def unwrap(raw: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """A type-3 transaction without its wrapper, and the blobs that it names by their versioned hashes.

    Raises:
        BadInputError: no such transaction, without blobs, or with others than it names.
    """
    transaction, version, blobs, commitments, proofs = _parts(raw)
    if not blobs or [versioned_hash(commitment) for commitment in commitments] != transaction[HASHES_AT]:
        raise BadInputError("not the blobs that the transaction names", place=_PLACE)
    try:
        proven = _proven(version, blobs, commitments, proofs)
    except (RuntimeError, ValueError, TypeError):  # how ckzg says that something is not even of its kind
        proven = False
    if not proven:
        raise BadInputError("a blob is not proven to be that of its commitment", place=_PLACE)
    return BLOB_TRANSACTION + rlp.encode(transaction), dict(zip(transaction[HASHES_AT], blobs, strict=True))


def _parts(raw: bytes) -> tuple[list[Any], int, list[bytes], list[bytes], list[bytes]]:
    """Transaction's fields, version, blobs, commitments and proofs."""
    try:
        decoded = rlp.decode(raw[1:])
    except rlp.DecodingError as error:
        raise BadInputError("not RLP", place=_PLACE, got=str(error)) from error
    match decoded:
        case [list(transaction), *version, list(blobs), list(commitments), list(proofs)] if (
            version in ([], [b"\x01"])
            and len(transaction) == FIELDS
            and all(isinstance(part, bytes) for part in blobs + commitments + proofs)
        ):
            return transaction, len(version), blobs, commitments, proofs
    raise BadInputError(
        "not a blob transaction with its blobs",
        place=_PLACE,
        expected="[transaction, blobs, commitments, proofs], or with version 1 behind the transaction",
    )


def _proven(version: int, blobs: list[bytes], commitments: list[bytes], proofs: list[bytes]) -> bool:
    setup = trusted_setup()
    if version == 0:
        parts = zip(blobs, commitments, proofs, strict=True)
        return all(ckzg.verify_blob_kzg_proof(*part, setup) for part in parts)
    cells = [cell for blob in blobs for cell in ckzg.compute_cells(blob, setup)]
    of_cells = [commitment for commitment in commitments for _ in range(CELLS)]
    places = list(range(CELLS)) * len(blobs)
    return bool(ckzg.verify_cell_kzg_proof_batch(of_cells, places, cells, proofs, setup))
