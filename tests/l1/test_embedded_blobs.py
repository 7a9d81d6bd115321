"""A contract that is sent a blob, on each chain and in each wrapper; and what the embedded chain refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import rlp
from chains import BLOB_WRAPPERS
from solidity import created

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS
from aitbc_rollup.errors import BadInputError, L1Error
from aitbc_rollup.rollup.kzg import Blob
from aitbc_rollup.rollup.l1.blob_transaction import BlobSidecar, Wrapper
from aitbc_rollup.rollup.l1.client import L1Client, connect
from aitbc_rollup.rollup.l1.embedded_blobs import unwrap
from aitbc_rollup.rollup.l1.signer import development_signer

#: Asks 0x0a about its calldata, reverts if that fails; keeps BLOBHASH(0) in slot 0, the answer in slots 1 and 2.
RUNTIME = bytes.fromhex(
    "365f5f37"  # CALLDATACOPY(0, 0, CALLDATASIZE)
    "60405f365f600a5afa"  # STATICCALL(GAS, 0x0a, 0, CALLDATASIZE, 0, 64)
    "6013575f5ffd5b"  # JUMPI over REVERT
    "5f495f55"  # SSTORE(0, BLOBHASH(0))
    "5f51600155602051600255"  # SSTORE(1, MLOAD(0)), SSTORE(2, MLOAD(32))
)
#: PUSH1 length, DUP1, PUSH1 9, PUSH0, CODECOPY, PUSH0, RETURN.
CREATION = bytes([0x60, len(RUNTIME), 0x80, 0x60, 9, 0x5F, 0x39, 0x5F, 0xF3]) + RUNTIME
WORDS = [3, 1, 4, 1, 5, 9, 2, 6]
Z = 271828


def question(blob: Blob, value: int) -> bytes:
    """What the precompile is asked: has this blob this value at Z?"""
    words = Z.to_bytes(32, "big") + value.to_bytes(32, "big")
    return blob.versioned_hash + words + blob.commitment + blob.opening(Z)


@pytest.fixture(scope="module")
def contract(client: L1Client) -> str:
    return created(client, CREATION)


def send(client: L1Client, to: str, blob: Blob, wrapper: Wrapper, **changes: Any) -> Any:
    data = question(blob, changes.pop("value_at_z", blob.value(Z)))
    return client.send(development_signer(), to, data, sidecar=BlobSidecar((blob,), wrapper), **changes)


@pytest.mark.parametrize("wrapper", list(Wrapper))
def test_a_contract_sees_a_blob(client: L1Client, chain_name: str, contract: str, wrapper: Wrapper) -> None:
    blob = Blob.of_words([*WORDS, wrapper])
    if wrapper not in BLOB_WRAPPERS[chain_name]:
        with pytest.raises(L1Error, match="the chain refused"):
            send(client, contract, blob, wrapper)
        return
    receipt = send(client, contract, blob, wrapper)
    slots = [bytes(client.web3.eth.get_storage_at(contract, slot)) for slot in range(3)]
    assert slots == [blob.versioned_hash, (4096).to_bytes(32, "big"), SCALAR_MODULUS.to_bytes(32, "big")]
    mined = client.web3.eth.get_transaction(receipt.tx_hash)
    assert [bytes(one) for one in mined["blobVersionedHashes"]] == [blob.versioned_hash]


def test_another_value_is_refused_before_anything_is_sent(client: L1Client, contract: str) -> None:
    blob = Blob.of_words(WORDS)
    before = client.web3.eth.get_transaction_count(development_signer().address)
    with pytest.raises(L1Error):
        send(client, contract, blob, Wrapper.BLOB_PROOFS, value_at_z=blob.value(Z) + 1)
    assert client.web3.eth.get_transaction_count(development_signer().address) == before


def test_the_embedded_chain_keeps_the_blobs() -> None:
    client, blob = connect(), Blob.of_words([7])
    send(client, created(client, CREATION), blob, Wrapper.CELL_PROOFS)
    assert client.web3.provider.blobs == {blob.versioned_hash: blob.data}


# -- the wrappers ---------------------------------------------------------------------------------------------------

#: With more than 64 words the proofs of cells differ.
BLOBS = (Blob.of_words(range(1, 100)), Blob.of_words(range(2, 100)))
HASHES = [blob.versioned_hash for blob in BLOBS]
#: A transaction's fields, of which only the hashes' place counts here.
TRANSACTION = b"\x03" + rlp.encode([b"\1"] * 10 + [HASHES] + [b"\1"] * 3)


@pytest.mark.parametrize("wrapper", list(Wrapper))
def test_what_is_wrapped_is_unwrapped(wrapper: Wrapper) -> None:
    wrapped = BlobSidecar(BLOBS, wrapper).wrap(TRANSACTION)
    assert unwrap(wrapped) == (TRANSACTION, dict(zip(HASHES, (blob.data for blob in BLOBS), strict=True)))


def _swapped(parts: list[Any], index: int) -> None:
    parts[index] = parts[index][::-1]


def _cut(parts: list[Any], index: int) -> None:
    parts[index] = parts[index][:-1]


def _spoilt(parts: list[Any], index: int) -> None:
    parts[index] = [b"\1" * len(parts[index][0]), *parts[index][1:]]


def _nested(parts: list[Any], index: int) -> None:
    parts[index] = [[b"\1"], *parts[index][1:]]


@pytest.mark.parametrize("wrapper", list(Wrapper))
@pytest.mark.parametrize("index", [-3, -2, -1], ids=["blobs", "commitments", "proofs"])
@pytest.mark.parametrize("change", [_swapped, _cut, _spoilt, _nested])
def test_blobs_that_are_not_the_transactions_are_refused(
    wrapper: Wrapper, index: int, change: Callable[[list[Any], int], None]
) -> None:
    parts = rlp.decode(BlobSidecar(BLOBS, wrapper).wrap(TRANSACTION)[1:])
    change(parts, index)
    with pytest.raises(BadInputError) as caught:
        unwrap(b"\x03" + rlp.encode(parts))
    assert caught.value.place == "blob transaction"


@pytest.mark.parametrize("raw", [b"\x03", b"\x03\xc0", b"\x03\xff", TRANSACTION, b"\x03\xc4\x80\xc0\xc0\xc0"])
def test_what_is_no_blob_transaction_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInputError):
        unwrap(raw)


def test_a_transaction_without_its_blobs_is_refused_by_the_chain() -> None:
    client = connect()
    with pytest.raises(L1Error, match="not a blob transaction with its blobs"):
        client.ask(lambda: client.web3.eth.send_raw_transaction(TRANSACTION))
