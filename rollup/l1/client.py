"""A client of one chain: the embedded one, anvil, or any JSON-RPC URL.

Everything that can go wrong on the way to a chain comes out as an :class:`L1Error`. A transaction is first simulated,
so that a refusal is read in the contract's own words and costs nothing, then sent with a gas limit of the estimate
and a quarter: a call that is short of gas reverts, since a verifier here never answers false.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from eth_typing import ChecksumAddress, HexStr
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractLogicError, TimeExhausted, TransactionNotFound, Web3Exception, Web3RPCError
from web3.logs import DISCARD

from aitbc_rollup.errors import BadInputError, L1Error, UsageError

from .reverts import revert_error
from .signer import Signer, check_chain

EMBEDDED = "embedded"
#: A chain whose last block is older than this, in seconds, is idle: its time is that of the pending block.
IDLE_AFTER = 600

T = TypeVar("T")

_NO_ANSWER = "the L1 answered what is no answer"
_ENDPOINT = "a JSON-RPC endpoint"
_CHECK_URL = "check the URL, and that the node runs"


@dataclass(frozen=True)
class Receipt:
    """What became of a transaction that succeeded."""

    tx_hash: str
    block_number: int
    gas_used: int
    fee_wei: int


class L1Client:
    """One chain, by a web3 connection; see :func:`connect`."""

    def __init__(self, web3: Web3, name: str, chain_id: int, *, receipt_timeout_s: float = 180.0) -> None:
        self.web3 = web3
        self.name = name
        self.chain_id = chain_id
        self._receipt_timeout_s = receipt_timeout_s
        self._sending = threading.Lock()

    def contract(self, address: str, abi: Sequence[Any]) -> Any:
        """A web3 contract, whose functions go through :meth:`call` and :meth:`send`."""
        return self.web3.eth.contract(address=checksummed(address), abi=abi)

    def code(self, address: str) -> bytes:
        """Code at an address, empty if none."""
        return self._ask(lambda: bytes(self.web3.eth.get_code(checksummed(address))))

    def balance(self, address: str) -> int:
        """Balance in wei."""
        return self._ask(lambda: int(self.web3.eth.get_balance(checksummed(address))))

    def time(self) -> int:
        """The chain's time in unix seconds: one that the next block cannot be before.

        That of the last block; on an idle chain, which may have slept past an age limit, that of the pending block.
        """
        last = self._ask(lambda: int(self.web3.eth.get_block("latest")["timestamp"]))
        if time.time() - last < IDLE_AFTER:
            return last
        return self._ask(lambda: int(self.web3.eth.get_block("pending")["timestamp"]))

    def call(self, function: Any, place: str = "call") -> Any:
        """The value of a contract's view.

        Raises:
            L1Error: the chain does not answer, or the contract refuses.
        """
        return self._ask(lambda: function.call(), place)

    def logs(self, event: Any, **indexed: Any) -> list[Any]:
        """Logs of an event with these indexed values, oldest first; empty where the chain keeps no old logs."""
        try:
            return list(self._ask(lambda: event.get_logs(from_block=0, argument_filters=indexed)))
        except L1Error:
            return []

    def events(self, event: Any, tx_hash: str) -> list[Any]:
        """What a mined transaction logged of an event, in order.

        Raises:
            L1Error: unknown.
        """
        raw = self._ask(lambda: self.web3.eth.get_transaction_receipt(HexStr(tx_hash)))
        return list(event.process_receipt(raw, errors=DISCARD))

    def input(self, tx_hash: str) -> bytes:
        """Calldata of a transaction.

        Raises:
            L1Error: unknown.
        """
        return self._ask(lambda: bytes(self.web3.eth.get_transaction(HexStr(tx_hash))["input"]))

    def receipt(self, tx_hash: str) -> Receipt:
        """The receipt of a mined transaction.

        Raises:
            L1Error: unknown, or it failed.
        """
        return _receipt(self._ask(lambda: self.web3.eth.get_transaction_receipt(HexStr(tx_hash))), self.name)

    def run_creation(self, init_code: bytes, *, sender: str | None = None, place: str = "deploy") -> bytes:
        """Run creation code without sending it; what it returns is the code that would be installed.

        Raises:
            L1Error: the constructor refuses, or the chain does not answer.
        """
        transaction: Any = {"data": HexBytes(init_code)}
        if sender is not None:
            transaction["from"] = checksummed(sender)
        return self._ask(lambda: bytes(self.web3.eth.call(transaction)), place)

    def run(self, address: str, calldata: bytes, *, place: str) -> bytes:
        """What a contract answers to raw calldata; nothing is sent.

        Raises:
            L1Error: the contract reverts, or the chain does not answer.
        """
        transaction: Any = {"to": checksummed(address), "data": HexBytes(calldata)}
        return self._ask(lambda: bytes(self.web3.eth.call(transaction)), place)

    def send(
        self,
        signer: Signer,
        to: str,
        data: bytes,
        *,
        value: int = 0,
        gas: int | None = None,
        simulate: bool = True,
        place: str = "transaction",
    ) -> Receipt:
        """Simulate, sign, send, and wait until it is mined.

        Args:
            signer: who pays.
            to: the contract.
            data: calldata.
            value: wei that go with it.
            gas: gas limit; by default the estimate and a quarter.
            simulate: ask first whether it would succeed.
            place: named in errors.

        Raises:
            UsageError: a development key off the development chains.
            L1Error: refused, failed, not mined in time, or no answer.
        """
        check_chain(signer, self.chain_id)
        call: Any = {"from": signer.address, "to": checksummed(to), "data": HexBytes(data), "value": value}
        if simulate and gas is not None:
            self._ask(lambda: self.web3.eth.call(call, "pending"), place)
        # An estimate is a simulation, and fails with the same words. On the pending block, because that has the time of
        # now: on a chain that was idle the last block is older than a batch made since.
        limit = gas or self._ask(lambda: self.web3.eth.estimate_gas(call, "pending"), place) * 5 // 4
        with self._sending:
            transaction = {
                "to": call["to"],
                "data": call["data"],
                "value": value,
                "gas": limit,
                "nonce": self._ask(lambda: self.web3.eth.get_transaction_count(checksummed(signer.address), "pending")),
                "chainId": self.chain_id,
                **self._ask(self._fees),
            }
            raw = signer.sign(transaction, self.chain_id)
            tx_hash = self._ask(lambda: self.web3.eth.send_raw_transaction(raw), place)
        return self._wait(tx_hash, call, place)

    def _fees(self) -> dict[str, int]:
        """EIP-1559: the tip the chain suggests, and room for the base fee to double."""
        base = self.web3.eth.get_block("latest").get("baseFeePerGas", 0)
        tip = self.web3.eth.max_priority_fee
        return {"maxFeePerGas": 2 * base + tip, "maxPriorityFeePerGas": tip}

    def _wait(self, tx_hash: HexBytes, call: Any, place: str) -> Receipt:
        shown = "0x" + bytes(tx_hash).hex()
        try:
            raw = self._ask(
                lambda: self.web3.eth.wait_for_transaction_receipt(
                    tx_hash, timeout=self._receipt_timeout_s, poll_latency=0.05 if self._is_local else 1.0
                ),
                place,
            )
        except TimeExhausted as error:
            raise L1Error(
                f"the transaction was not mined within {self._receipt_timeout_s:.0f} s",
                place=place,
                got=shown,
                hint="run the same command again: it looks at the chain first",
            ) from error
        if raw["status"] != 1:
            # What simulation let pass failed in its block: ask again for the reason, in the state after it.
            self._ask(lambda: self.web3.eth.call(call), place)
        return _receipt(raw, place)

    @property
    def _is_local(self) -> bool:
        return self.name == EMBEDDED or "127.0.0.1" in self.name or "localhost" in self.name

    def _ask(self, question: Callable[[], T], place: str | None = None) -> T:
        """Ask the chain, with every way of failing but a time-out for a receipt as an L1Error."""
        return _translated(question, self.name, place)


def connect(
    url: str = EMBEDDED,
    *,
    expected_chain_id: int | None = None,
    timeout_s: float = 20.0,
    receipt_timeout_s: float = 180.0,
) -> L1Client:
    """Connect to a chain.

    Args:
        url: an HTTP(S) JSON-RPC URL, or ``"embedded"`` for a new chain inside this process.
        expected_chain_id: refuse any other.
        timeout_s: limit of one request, in seconds.
        receipt_timeout_s: limit of waiting for a transaction, in seconds.

    Raises:
        UsageError: neither a URL nor ``"embedded"``.
        L1Error: no answer, or another chain.
    """
    if url == EMBEDDED:
        from .embedded import embedded_web3

        web3 = embedded_web3()
    elif url.startswith(("http://", "https://")):
        provider = HTTPProvider(url, request_kwargs={"timeout": timeout_s}, exception_retry_configuration=None)
        web3 = Web3(provider)
    else:
        raise UsageError(
            "not an L1 to connect to",
            place="--l1",
            expected='a URL with http:// or https://, or "embedded"',
            got=repr(url),
        )
    chain_id = _translated(lambda: web3.eth.chain_id, url, None)
    if not isinstance(chain_id, int):
        raise L1Error(_NO_ANSWER, place=url, expected="a chain id", got=repr(chain_id), hint=_CHECK_URL)
    if expected_chain_id is not None and chain_id != expected_chain_id:
        raise L1Error(
            "another chain",
            place=url,
            expected=f"chain id {expected_chain_id}",
            got=f"chain id {chain_id}",
            hint="check the URL, and which chain the batch was made for",
        )
    return L1Client(web3, url, chain_id, receipt_timeout_s=receipt_timeout_s)


def _translated(question: Callable[[], T], name: str, place: str | None) -> T:
    try:
        return question()
    except TimeExhausted:
        raise
    except ContractLogicError as error:
        raise revert_error(error, place or name) from error
    except TransactionNotFound as error:
        raise L1Error(
            "the chain knows no such transaction", place=name, got=str(error), hint="ask a node that keeps old blocks"
        ) from error
    except Web3RPCError as error:
        raise L1Error(f"the chain refused: {_rpc_message(error)}", place=place or name) from error
    except (requests.RequestException, OSError) as error:
        raise L1Error(
            "the L1 does not answer",
            place=name,
            expected=_ENDPOINT,
            got=_short(error),
            hint=_CHECK_URL,
        ) from error
    except Web3Exception as error:
        raise L1Error(_NO_ANSWER, place=name, expected=_ENDPOINT, got=_short(error), hint=_CHECK_URL) from error
    except ValueError as error:
        raise L1Error(
            "the L1 refused or answered what is no answer",
            place=place or name,
            expected=_ENDPOINT,
            got=_short(error),
            hint=_CHECK_URL,
        ) from error


def _rpc_message(error: Web3RPCError) -> str:
    response: Any = error.rpc_response
    if isinstance(response, dict) and isinstance(response.get("error"), dict):
        return str(response["error"].get("message", error))
    return str(error)


def _short(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= 200 else text[:200] + "…"


def _receipt(raw: Any, place: str) -> Receipt:
    tx_hash = "0x" + bytes(raw["transactionHash"]).hex()
    if raw["status"] != 1:
        raise L1Error("the transaction failed in its block", place=place, got=tx_hash)
    gas = int(raw["gasUsed"])
    return Receipt(tx_hash, int(raw["blockNumber"]), gas, gas * int(raw["effectiveGasPrice"]))


def checksummed(address: str) -> ChecksumAddress:
    """An address in hex, of any case, as web3 takes it.

    Raises:
        BadInputError: it is none.
    """
    try:
        return to_checksum_address(address)
    except (ValueError, TypeError):
        raise BadInputError("not an address", expected="0x and 40 hex digits", got=repr(address)) from None
