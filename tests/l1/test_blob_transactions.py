"""Transactions with blobs as each chain takes them, and a batch's blob opened by the chain's own precompile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import rlp
from eth_abi.abi import decode

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.binding import Binding, to_data
from aitbc_rollup.rollup.kzg import Blob
from aitbc_rollup.rollup.l1.blob_transaction import Wrapper, blob_fields, evidence, wrapped
from aitbc_rollup.rollup.l1.client import L1Client, checksummed
from aitbc_rollup.rollup.l1.signer import development_signer

BLOBS = (Blob.of_words([7, 8, 9]), Blob.of_words(range(40)))
POINT_EVALUATION = checksummed("0x" + "0a".rjust(40, "0"))


def signed(nonce: int, blobs: Sequence[Blob] = BLOBS[:1]) -> bytes:
    signer = development_signer()
    fields: dict[str, Any] = {
        "chainId": 31337, "nonce": nonce, "to": signer.address, "value": 0, "gas": 21_000,
        "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9,
    }  # fmt: skip
    return signer.sign(fields | blob_fields(blobs, 10**10), 31337)


def test_wrappers_are_what_the_eips_say() -> None:
    alone = signed(0)
    body = rlp.decode(alone[1:])
    old, new = (wrapped(alone, BLOBS[:1], wrapper) for wrapper in Wrapper)
    assert old[:1] == new[:1] == b"\x03"
    blob = BLOBS[0]
    assert rlp.decode(old[1:]) == [body, [blob.data], [blob.commitment], [blob.blob_proof]]
    assert rlp.decode(new[1:]) == [body, b"\x01", [blob.data], [blob.commitment], blob.cell_proofs]
    assert len(blob.cell_proofs) == 128 and body[10] == [blob.versioned_hash]


@pytest.mark.parametrize("wrong", [b"", b"\x02", b"\x03", b"\x03\xc0", b"\x03" + rlp.encode([b""] * 14)])
def test_what_is_no_transaction_with_blobs(wrong: bytes) -> None:
    with pytest.raises(BadInputError, match="not a signed transaction with blobs"):
        wrapped(wrong, BLOBS[:1], Wrapper.BLOB_PROOFS)


def test_a_transaction_of_other_blobs() -> None:
    for blobs in ((), BLOBS[1:], BLOBS):
        with pytest.raises(BadInputError, match="the transaction is of other blobs"):
            wrapped(signed(0), blobs, Wrapper.BLOB_PROOFS)


@pytest.mark.parametrize("wrapper", list(Wrapper))
def test_chains_take_them(client: L1Client, chain_name: str, wrapper: Wrapper) -> None:
    """Hardhat's EVM takes version 0 alone."""
    eth = client.web3.eth
    raw = wrapped(signed(eth.get_transaction_count(development_signer().address)), BLOBS[:1], wrapper)
    if (chain_name, wrapper) == ("hardhat", Wrapper.CELL_PROOFS):
        with pytest.raises(Exception, match="unexpected string"):
            eth.send_raw_transaction(raw)
        return
    receipt = eth.wait_for_transaction_receipt(eth.send_raw_transaction(raw))
    assert receipt["status"] == 1
    assert [bytes(found) for found in eth.get_transaction(receipt["transactionHash"])["blobVersionedHashes"]] == [
        BLOBS[0].versioned_hash
    ]


def test_the_evidence_is_an_opening_at_zeta(client: L1Client) -> None:
    """What ``commit`` hands to the precompile: versioned hash ‖ ζ ‖ b ‖ commitment ‖ proof; not with another b."""
    blob = BLOBS[1]
    binding = Binding.of([*range(10), *blob.words[:40]], b"posted", b"", blob=blob)
    value, commitment, proof = decode(["uint256", "bytes", "bytes"], evidence(binding, blob))
    assert value == binding.blob_value and commitment == blob.commitment
    for claimed, holds in ((value, True), (value ^ 1, False)):
        call = blob.versioned_hash + to_data([binding.zeta, claimed]) + commitment + proof
        asked: Any = {"to": POINT_EVALUATION, "data": "0x" + call.hex()}
        if holds:
            assert bytes(client.web3.eth.call(asked)) == to_data([4096, SCALAR_MODULUS])
        else:
            with pytest.raises(Exception):  # noqa: B017 - each chain words the precompile's refusal its own way
                client.web3.eth.call(asked)


def test_a_blob_read_back_is_the_transactions() -> None:
    blob = Blob.of_data(BLOBS[1].data)
    assert blob == BLOBS[1]
    blob.check(BLOBS[1].versioned_hash, "blob")
    with pytest.raises(BadInputError, match="another blob than the batch's"):
        blob.check(BLOBS[0].versioned_hash, "blob")
