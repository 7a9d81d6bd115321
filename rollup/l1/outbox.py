"""Transactions on their way: simulated, signed, sent, replaced when they get stuck, and waited for until deep enough.

Several may be on their way at once: a nonce is the chain's own count, or one more than the last that this process still
waits for. A transaction that no block takes is sent again with the same nonce and fees an eighth higher, up to the cap;
whichever of them is mined counts. With ``confirmations`` it counts once so many blocks lie above its own; a receipt
that a reorg took back is waited for again.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3.exceptions import TransactionNotFound

from aitbc_rollup.errors import L1Error

from .fees import Estimate, Fees, in_gwei, suggested
from .signer import Signer, check_chain

if TYPE_CHECKING:
    from .client import L1Client

#: Seconds between two looks at a chain: a local one mines at once.
_LOCAL_POLL, _POLL = 0.05, 1.0
_NONCE_TRIES = 5
_NONCE_TAKEN = re.compile(r"nonce too low|already known|already imported|underpriced", re.IGNORECASE)
_UNDERPRICED = re.compile(r"underpriced|already known|already imported", re.IGNORECASE)


class Sidecar(Protocol):
    """Blobs that travel beside a transaction (EIP-4844)."""

    @property
    def versioned_hashes(self) -> Sequence[bytes]:
        """One a blob, 32 bytes each: what the transaction names them by."""

    def wrap(self, transaction: bytes) -> bytes:
        """A signed type-3 transaction with its blobs, as a node takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """How transactions are sent.

    Args:
        max_fee: most wei a gas.
        confirmations: blocks that must lie above a transaction's own before it counts.
        dry_run: simulate and raise :class:`NotSent`; nothing is sent.
        replace: a nonce that an earlier process's pending transaction holds is taken over from it.
        replace_after_s: seconds after which a transaction that no block took is sent again for more.
        receipt_timeout_s: seconds to wait for a block, and again for each confirmation.
    """

    max_fee: int | None = None
    confirmations: int = 0
    dry_run: bool = False
    replace: bool = False
    replace_after_s: float = 60.0
    receipt_timeout_s: float = 180.0


class NotSent(Exception):  # noqa: N818 - no error: a dry run ends with it
    """A dry run came to its first transaction; ``estimate`` says what it would cost."""

    def __init__(self, estimate: Estimate) -> None:
        self.estimate = estimate
        super().__init__(f"{estimate.place}: not sent")


@dataclass(slots=True)
class Pending:
    """A transaction on its way; ``hashes`` are its own and those of its replacements."""

    signer: Signer
    transaction: dict[str, Any]
    fees: Fees
    sidecar: Sidecar | None
    place: str
    hashes: list[HexBytes] = field(default_factory=list)

    @property
    def nonce(self) -> int:
        """The number that at most one of its hashes takes."""
        return int(self.transaction["nonce"])


class Outbox:
    """What one client sends.

    Args:
        client: the chain.
        policy: how.
    """

    def __init__(self, client: L1Client, policy: SendPolicy) -> None:
        self._client = client
        self.policy = policy
        self._sending = threading.Lock()
        self._next: dict[str, int] = {}
        self._waiting: Counter[str] = Counter()

    def post(
        self,
        signer: Signer,
        to: str,
        data: bytes,
        *,
        value: int,
        gas: int | None,
        simulate: bool,
        place: str,
        sidecar: Sidecar | None,
    ) -> Pending:
        """Simulate, sign and send; :meth:`wait` then waits. See :meth:`~.client.L1Client.send` for the arguments.

        Raises:
            NotSent: a dry run.
            UsageError: a development key off the development chains.
            L1Error: refused, or no answer.
        """
        client, web3 = self._client, self._client.web3
        check_chain(signer, client.chain_id)
        hashes = list(sidecar.versioned_hashes) if sidecar else []
        blob = {"blobVersionedHashes": ["0x" + bytes(one).hex() for one in hashes]} if hashes else {}
        call: Any = {"from": signer.address, "to": to, "data": HexBytes(data), "value": value, **blob}
        if simulate and gas is not None:
            client.ask(lambda: web3.eth.call(call, "pending"), place)
        # An estimate is a simulation, and fails with the same words. On the pending block, because that has the time of
        # now: on a chain that was idle the last block is older than a batch made since.
        estimate = gas or client.ask(lambda: web3.eth.estimate_gas(call, "pending"), place)
        limit = gas or estimate * 5 // 4
        fees = client.ask(lambda: suggested(web3, self.policy.max_fee, blobs=bool(hashes)), place)
        if self.policy.dry_run:
            price = client.gas_price()
            raise NotSent(
                Estimate.of(
                    place=place, call=call, gas=estimate, limit=limit, fees=fees, price=price, blobs=len(hashes)
                )
            )
        fixed = {"to": to, "data": call["data"], "value": value, "gas": limit, "chainId": client.chain_id, **blob}
        return self._post_numbered(Pending(signer, fixed, fees, sidecar, place))

    def _post_numbered(self, pending: Pending) -> Pending:
        """Give a transaction its nonce and send it; another one's nonce is not fought over."""
        address = pending.signer.address
        with self._sending:
            for left in reversed(range(_NONCE_TRIES)):
                pending.transaction["nonce"] = self._nonce(address)
                try:
                    self._transmit(pending)
                    break
                except L1Error as error:
                    if left == 0 or not _NONCE_TAKEN.search(error.message):
                        raise
                    if self.policy.replace and _UNDERPRICED.search(error.message):
                        pending.fees = self._raised(pending)
            self._next[address] = pending.nonce + 1
            self._waiting[address] += 1
        return pending

    def _nonce(self, address: str) -> int:
        """The chain's count, with what it has not mined unless that is to be replaced; or what we know to be next."""
        web3: Any = self._client.web3
        block = "latest" if self.policy.replace else "pending"
        counted = int(self._client.ask(lambda: web3.eth.get_transaction_count(address, block)))
        return max(counted, self._next.get(address, 0)) if self._waiting[address] else counted

    def _transmit(self, pending: Pending) -> None:
        signed = pending.signer.sign({**pending.transaction, **pending.fees.fields}, self._client.chain_id)
        raw = pending.sidecar.wrap(signed) if pending.sidecar else signed
        self._client.ask(lambda: self._client.web3.eth.send_raw_transaction(HexBytes(raw)), pending.place)
        pending.hashes.append(HexBytes(keccak(signed)))

    # -- waiting --------------------------------------------------------------------------------------------------

    def wait(self, pending: Pending, *, deep: bool = True) -> Any:
        """The raw receipt of whichever of a transaction's hashes was mined, deep enough, or only mined.

        Raises:
            L1Error: failed in its block, not mined or not confirmed in time, or no answer.
        """
        try:
            return self._wait(pending, deep)
        finally:
            with self._sending:
                self._waiting[pending.signer.address] -= 1

    def _wait(self, pending: Pending, deep: bool) -> Any:
        policy, raised_at = self.policy, time.monotonic()
        deadline = raised_at + policy.receipt_timeout_s
        mined = False
        while True:
            found = self._mined(pending)
            if found is not None and (not deep or self.is_deep(int(found["blockNumber"]))):
                return found
            now = time.monotonic()
            if found is not None and not mined:
                deadline = now + policy.receipt_timeout_s * max(policy.confirmations, 1)
            mined = found is not None
            if now > deadline:
                raise self._late(pending, mined)
            if not mined and now - raised_at > policy.replace_after_s:
                raised_at = now
                self._replace(pending)
            time.sleep(self._poll)

    def confirm(self, tx_hash: HexBytes, place: str) -> Any:
        """The raw receipt of somebody's mined transaction, once it is deep enough.

        Raises:
            L1Error: unknown, not confirmed in time, or no answer.
        """
        deadline = time.monotonic() + self.policy.receipt_timeout_s * max(self.policy.confirmations, 1)
        while True:
            found = self._client.ask(lambda: self._client.web3.eth.get_transaction_receipt(tx_hash), place)
            if self.is_deep(int(found["blockNumber"])):
                return found
            if time.monotonic() > deadline:
                raise self._unconfirmed(place, tx_hash)
            time.sleep(self._poll)

    def is_deep(self, block: int) -> bool:
        """Whether as many blocks as the policy asks for lie above one."""
        if self.policy.confirmations == 0:
            return True
        head = int(self._client.ask(lambda: self._client.web3.eth.block_number))
        return head - block >= self.policy.confirmations

    def _mined(self, pending: Pending) -> Any:
        for tx_hash in reversed(pending.hashes):
            try:
                return self._client.ask(partial(self._client.web3.eth.get_transaction_receipt, tx_hash))
            except L1Error as error:
                if not isinstance(error.__cause__, TransactionNotFound):
                    raise
        return None

    def _replace(self, pending: Pending) -> None:
        """Send it again for more; where the cap does not allow that, or its nonce has just been mined, wait on."""
        try:
            pending.fees = self._raised(pending)
            self._transmit(pending)
        except L1Error:
            return

    def _raised(self, pending: Pending) -> Fees:
        """What replaces a transaction: an eighth more, or what the chain asks by now if that is higher.

        Raises:
            L1Error: the cap lies below that.
        """
        blobs = pending.sidecar is not None
        asked = self._client.ask(lambda: suggested(self._client.web3, self.policy.max_fee, blobs=blobs), pending.place)
        raised = pending.fees.raised().at_least(asked)
        cap = self.policy.max_fee
        if cap is not None and raised.most > cap:
            raise L1Error(
                "the transaction is stuck, and the fee cap forbids to replace it",
                place=pending.place,
                expected=f"{in_gwei(raised.most)} gwei a gas",
                got=f"a cap of {in_gwei(cap)} gwei",
                hint="raise --max-fee (AITBC_MAX_FEE_GWEI)",
            )
        return raised

    def _late(self, pending: Pending, mined: bool) -> L1Error:
        if mined:
            return self._unconfirmed(pending.place, pending.hashes[-1])
        return L1Error(
            f"the transaction was not mined within {self.policy.receipt_timeout_s:.0f} s",
            place=pending.place,
            got=f"0x{pending.hashes[-1].hex().removeprefix('0x')}, nonce {pending.nonce}, "
            f"{in_gwei(pending.fees.most)} gwei a gas",
            hint="run the same command again: it looks at the chain first; --replace takes its place for more",
        )

    def _unconfirmed(self, place: str, tx_hash: HexBytes) -> L1Error:
        return L1Error(
            f"the transaction is mined, but not {self.policy.confirmations} blocks deep",
            place=place,
            got=f"0x{bytes(tx_hash).hex()}",
            hint="run the same command again; on a chain that mines on demand, --confirmations 0",
        )

    @property
    def _poll(self) -> float:
        return _LOCAL_POLL if self._client.is_local else _POLL
