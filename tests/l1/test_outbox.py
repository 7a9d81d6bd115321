"""Transactions in flight, stuck, replaced, taken back and only rehearsed; on anvil, with blocks mined when told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aitbc_rollup.errors import L1Error, UsageError
from aitbc_rollup.rollup.l1.client import L1Client, Receipt, connect
from aitbc_rollup.rollup.l1.fees import GWEI, Fees, calldata_floor, from_gwei, in_ether, in_gwei
from aitbc_rollup.rollup.l1.outbox import NotSent, Pending, SendPolicy
from aitbc_rollup.rollup.l1.signer import DEVELOPMENT_ADDRESS, development_signer

SIGNER = development_signer()


@pytest.fixture
def manual(anvil: str) -> Iterator[Callable[..., L1Client]]:
    """Clients of an anvil that mines when told, and forgets afterwards what this test did."""
    rpc = connect(anvil).web3.provider.make_request
    snapshot = rpc("evm_snapshot", [])["result"]
    rpc("evm_setAutomine", [False])
    try:
        yield lambda **policy: connect(anvil, policy=SendPolicy(**policy))
    finally:
        rpc("anvil_dropAllTransactions", [])
        rpc("evm_setAutomine", [True])
        rpc("evm_revert", [snapshot])


def rpc(client: L1Client, method: str, *params: Any) -> Any:
    return client.web3.provider.make_request(method, list(params))["result"]


def post(client: L1Client, data: bytes = b"") -> Pending:
    return client.post(SIGNER, DEVELOPMENT_ADDRESS, data)


def waiting(client: L1Client, pending: Pending) -> tuple[threading.Thread, list[Receipt]]:
    found: list[Receipt] = []
    thread = threading.Thread(target=lambda: found.append(client.wait(pending)))
    thread.start()
    return thread, found


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.node
def test_several_are_on_their_way_at_once(manual: Callable[..., L1Client]) -> None:
    client = manual()
    posted = [post(client, bytes([n])) for n in range(3)]
    assert [pending.nonce - posted[0].nonce for pending in posted] == [0, 1, 2]
    rpc(client, "evm_mine")
    receipts = [client.wait(pending) for pending in posted]
    assert len({receipt.block_number for receipt in receipts}) == 1
    assert post(client).nonce == posted[-1].nonce + 1


@pytest.mark.node
def test_a_stuck_one_is_sent_again_for_an_eighth_more(manual: Callable[..., L1Client]) -> None:
    client = manual(replace_after_s=0.2)
    pending = post(client)
    first = pending.fees
    thread, found = waiting(client, pending)
    until(lambda: len(pending.hashes) > 1)
    rpc(client, "evm_mine")
    thread.join()
    assert pending.fees.most * 8 >= first.most * 9 and pending.fees.tip * 8 >= first.tip * 9
    assert found[0].tx_hash in ["0x" + tx_hash.hex() for tx_hash in pending.hashes[1:]]
    assert client.web3.eth.get_transaction_count(DEVELOPMENT_ADDRESS) == pending.nonce + 1


@pytest.mark.node
def test_the_cap_bounds_what_is_offered(manual: Callable[..., L1Client]) -> None:
    base = int(manual().web3.eth.get_block("latest")["baseFeePerGas"])
    client = manual(max_fee=base + 1, replace_after_s=0.1, receipt_timeout_s=0.8)
    pending = post(client)
    assert pending.fees.most == base + 1
    with pytest.raises(L1Error, match="not mined within"):
        client.wait(pending)
    assert len(pending.hashes) == 1
    with pytest.raises(L1Error, match="the chain asks for more than the fee cap") as caught:
        post(manual(max_fee=base - 1))
    assert caught.value.got == f"{in_gwei(base - 1)} gwei"


@pytest.mark.node
def test_an_earlier_process_is_overtaken_when_asked_for(manual: Callable[..., L1Client]) -> None:
    left = post(manual())
    assert post(manual()).nonce == left.nonce + 1
    client = manual(replace=True)
    taken = post(client, b"other")
    assert taken.nonce == left.nonce
    rpc(client, "evm_mine")
    assert client.wait(taken).tx_hash == "0x" + taken.hashes[-1].hex()


@pytest.mark.node
def test_it_counts_when_it_is_deep_enough_and_not_before(manual: Callable[..., L1Client]) -> None:
    client = manual(confirmations=2)
    pending = post(client)
    thread, found = waiting(client, pending)
    for _ in range(2):
        rpc(client, "evm_mine")
    assert not found
    mined = client.receipt("0x" + pending.hashes[0].hex())
    rpc(client, "evm_mine")
    thread.join()
    assert found == [mined]
    assert client.confirm(mined.tx_hash) == mined


@pytest.mark.node
def test_a_receipt_that_a_reorg_took_back_is_waited_for_again(manual: Callable[..., L1Client]) -> None:
    client = manual(confirmations=2, replace_after_s=0.3)
    before = rpc(client, "evm_snapshot")
    pending = post(client)
    thread, found = waiting(client, pending)
    rpc(client, "evm_mine")
    rpc(client, "evm_revert", before)
    rpc(client, "anvil_dropAllTransactions")
    until(lambda: len(pending.hashes) > 1)
    for _ in range(3):
        rpc(client, "evm_mine")
    thread.join()
    assert found[0].tx_hash != "0x" + pending.hashes[0].hex()


@pytest.mark.node
def test_not_deep_enough_in_time(manual: Callable[..., L1Client]) -> None:
    client = manual(confirmations=1, receipt_timeout_s=0.4)
    pending = post(client)
    rpc(client, "evm_mine")
    with pytest.raises(L1Error, match="mined, but not 1 blocks deep"):
        client.wait(pending)
    with pytest.raises(L1Error, match="mined, but not 1 blocks deep"):
        client.confirm("0x" + pending.hashes[0].hex())


@pytest.mark.parametrize("url", ["embedded", pytest.param("anvil", marks=pytest.mark.node)])
def test_a_rehearsal_sends_nothing(url: str, request: pytest.FixtureRequest) -> None:
    rehearsing = connect(url if url == "embedded" else request.getfixturevalue(url), policy=SendPolicy(dry_run=True))
    nonce = rehearsing.web3.eth.get_transaction_count(DEVELOPMENT_ADDRESS)
    with pytest.raises(NotSent) as caught:
        rehearsing.send(SIGNER, DEVELOPMENT_ADDRESS, b"\0\1\2", value=7, place="gift")
    assert rehearsing.web3.eth.get_transaction_count(DEVELOPMENT_ADDRESS) == nonce
    estimate = caught.value.estimate
    assert (estimate.place, estimate.value, estimate.calldata_bytes) == ("gift", 7, 3)
    assert estimate.floor_gas == 21_000 + 10 * (1 + 4 + 4) <= estimate.gas
    assert 0 < estimate.cost < estimate.most_cost


def test_the_floor_of_calldata() -> None:
    assert calldata_floor(b"") == 21_000
    assert calldata_floor(bytes(100)) == 22_000
    assert calldata_floor(b"\xff" * 100) == 25_000


def test_what_replaces_a_transaction() -> None:
    assert Fees(800, 80).raised() == Fees(900, 90)
    assert Fees(1, 1).raised() == Fees(2, 2)
    assert Fees(800, 80, 5).raised() == Fees(1600, 160, 10)


def test_fees_in_gwei() -> None:
    assert (from_gwei("30"), from_gwei("0.5"), from_gwei("1e-9")) == (30 * GWEI, GWEI // 2, 1)
    assert (in_gwei(1), in_ether(10**17)) == ("0.000000001", "0.1")
    for text in ("", "-1", "0", "many", "0.0000000001", "nan", "inf"):
        with pytest.raises(UsageError, match="not a fee"):
            from_gwei(text)
