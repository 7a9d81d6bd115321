"""A client of one chain: the embedded one, anvil, or any JSON-RPC URL.

Everything that can go wrong on the way to a chain comes out as an :class:`L1Error`. A transaction is first simulated,
so that a refusal is read in the contract's own words and costs nothing, then sent with a gas limit of the estimate
and a quarter: a call that is short of gas reverts, since a verifier here never answers false. How it is sent, replaced
and waited for is :mod:`~.outbox`'s.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import requests
from eth_typing import ChecksumAddress, HexStr
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.exceptions import BlockNotFound, ContractLogicError, TransactionNotFound, Web3Exception, Web3RPCError
from web3.logs import DISCARD

from aitbc_rollup.errors import BadInputError, L1Error, UsageError

from .outbox import Outbox, Pending, SendPolicy, Sidecar
from .reverts import revert_error
from .signer import Signer

EMBEDDED = "embedded"
#: A chain whose last block is older than this, in seconds, is idle: its time is that of the pending block.
IDLE_AFTER = 600

#: Blocks asked for logs in one request: what providers allow.
LOG_BLOCKS = 5_000

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


@dataclass(frozen=True, slots=True)
class Block:
    """A block by its height and hash: the same height with another hash is another history."""

    number: int
    hash: bytes


class L1Client:
    """One chain, by a web3 connection; see :func:`connect`."""

    def __init__(self, web3: Web3, name: str, chain_id: int, policy: SendPolicy | None = None, since: int = 0) -> None:
        self.web3 = web3
        self.name = name
        self.chain_id = chain_id
        #: Height before which none of the contracts asked about was there.
        self.since = since
        self._outbox = Outbox(self, policy or SendPolicy())

    def contract(self, address: str, abi: Sequence[Any]) -> Any:
        """A web3 contract, whose functions go through :meth:`call` and :meth:`send`."""
        return self.web3.eth.contract(address=checksummed(address), abi=abi)

    def code(self, address: str, at: int | None = None) -> bytes:
        """Code at an address, empty if none; now or after the block of a height."""
        block: Any = "latest" if at is None else at
        return self.ask(lambda: bytes(self.web3.eth.get_code(checksummed(address), block)))

    def balance(self, address: str) -> int:
        """Balance in wei."""
        return self.ask(lambda: int(self.web3.eth.get_balance(checksummed(address))))

    def gas_price(self) -> int:
        """What a unit of gas costs now, in wei: base fee and the tip that the chain suggests."""
        return self.ask(
            lambda: int(self.web3.eth.get_block("latest").get("baseFeePerGas", 0)) + int(self.web3.eth.max_priority_fee)
        )

    def time(self) -> int:
        """The chain's time in unix seconds: one that the next block cannot be before.

        That of the last block; on an idle chain, which may have slept past an age limit, that of the pending block.
        """
        last = self.ask(lambda: int(self.web3.eth.get_block("latest")["timestamp"]))
        if time.time() - last < IDLE_AFTER:
            return last
        return self.ask(lambda: int(self.web3.eth.get_block("pending")["timestamp"]))

    def block(self, number: int | None = None) -> Block | None:
        """The block of this height, or the last one; None if the chain is shorter."""
        try:
            found = self.ask(lambda: self.web3.eth.get_block("latest" if number is None else number))
        except L1Error as error:
            if isinstance(error.__cause__, BlockNotFound):
                return None
            raise
        return Block(int(found["number"]), bytes(found["hash"]))

    def call(self, function: Any, place: str = "call", at: int | None = None) -> Any:
        """The value of a contract's view, now or after the block of a height.

        Raises:
            L1Error: the chain does not answer, or the contract refuses.
        """
        return self.ask(lambda: function.call(block_identifier="latest" if at is None else at), place)

    def raw_logs(self, address: str, first: int, last: int) -> list[Any]:
        """Everything that a contract logged in a range of blocks, oldest first.

        Raises:
            L1Error: the chain does not answer, or keeps no logs that old.
        """
        found: list[Any] = []
        for start, end in self._ranges(first, last):
            wanted: Any = {"address": checksummed(address), "fromBlock": start, "toBlock": end}
            found += self.ask(partial(self.web3.eth.get_logs, wanted), f"logs of blocks {start} to {end}")
        return found

    def logs(self, event: Any, last: int | None = None, **indexed: Any) -> list[Any]:
        """Logs of an event with these indexed values, oldest first, up to the block of a height or the last one.

        Empty where the chain keeps no old logs.
        """
        end = "latest" if last is None else last

        def ask(first: int, last: Any) -> list[Any]:
            return list(self.ask(lambda: event.get_logs(from_block=first, to_block=last, argument_filters=indexed)))

        try:
            return ask(self.since, end)
        except L1Error:  # perhaps only too many blocks at once
            try:
                return [log for first, last in self._ranges(self.since, last) for log in ask(first, last)]
            except L1Error:
                return []

    def _ranges(self, first: int, last: int | None) -> Iterator[tuple[int, int]]:
        """A range of blocks in parts that providers answer."""
        head = self.block() if last is None else None
        end = last if head is None else head.number
        for start in range(first, (end or 0) + 1, LOG_BLOCKS):
            yield start, min(start + LOG_BLOCKS - 1, end or 0)

    def events(self, event: Any, tx_hash: str) -> list[Any]:
        """What a mined transaction logged of an event, in order.

        Raises:
            L1Error: unknown.
        """
        raw = self.ask(lambda: self.web3.eth.get_transaction_receipt(HexStr(tx_hash)))
        return list(event.process_receipt(raw, errors=DISCARD))

    def input(self, tx_hash: str) -> bytes:
        """Calldata of a transaction.

        Raises:
            L1Error: unknown.
        """
        return self.ask(lambda: bytes(self.web3.eth.get_transaction(HexStr(tx_hash))["input"]))

    def receipt(self, tx_hash: str) -> Receipt:
        """The receipt of a mined transaction.

        Raises:
            L1Error: unknown, or it failed.
        """
        return _receipt(self.ask(lambda: self.web3.eth.get_transaction_receipt(HexStr(tx_hash))), self.name)

    def storage_address(self, address: str, slot: int) -> str:
        """The address that a contract keeps in a slot of its storage."""
        word = self.ask(lambda: bytes(self.web3.eth.get_storage_at(checksummed(address), slot)))
        return to_checksum_address(word.rjust(32, b"\0")[12:])

    def run_creation(
        self, init_code: bytes, *, sender: str | None = None, value: int = 0, place: str = "deploy"
    ) -> bytes:
        """Run creation code without sending it; what it returns is the code that would be installed.

        Raises:
            L1Error: the constructor refuses, or the chain does not answer.
        """
        transaction: Any = {"data": HexBytes(init_code), "value": value}
        if sender is not None:
            transaction["from"] = checksummed(sender)
        return self.ask(lambda: bytes(self.web3.eth.call(transaction)), place)

    def run(self, address: str, calldata: bytes, *, place: str) -> bytes:
        """What a contract answers to raw calldata; nothing is sent.

        Raises:
            L1Error: the contract reverts, or the chain does not answer.
        """
        transaction: Any = {"to": checksummed(address), "data": HexBytes(calldata)}
        return self.ask(lambda: bytes(self.web3.eth.call(transaction)), place)

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
        sidecar: Sidecar | None = None,
    ) -> Receipt:
        """Simulate, sign, send, and wait until it is mined and as deep as the policy asks.

        Args:
            signer: who pays.
            to: the contract.
            data: calldata.
            value: wei that go with it.
            gas: gas limit; by default the estimate and a quarter.
            simulate: ask first whether it would succeed.
            place: named in errors.
            sidecar: blobs that it carries.

        Raises:
            NotSent: a dry run.
            UsageError: a development key off the development chains.
            L1Error: refused, failed, not mined in time, or no answer.
        """
        return self.wait(
            self.post(signer, to, data, value=value, gas=gas, simulate=simulate, place=place, sidecar=sidecar)
        )

    def post(
        self,
        signer: Signer,
        to: str,
        data: bytes,
        *,
        value: int = 0,
        gas: int | None = None,
        simulate: bool = True,
        place: str = "transaction",
        sidecar: Sidecar | None = None,
    ) -> Pending:
        """Only simulate, sign and send, as :meth:`send` does: several may be on their way before one is waited for.

        Raises:
            NotSent: a dry run.
            UsageError: a development key off the development chains.
            L1Error: refused, or no answer.
        """
        return self._outbox.post(
            signer, checksummed(to), data, value=value, gas=gas, simulate=simulate, place=place, sidecar=sidecar
        )

    def wait(self, pending: Pending, *, deep: bool = True) -> Receipt:
        """Wait for a posted transaction until it is as deep as the policy asks, or only until it is mined.

        Raises:
            L1Error: failed, not mined or not deep enough in time, or no answer.
        """
        raw = self._outbox.wait(pending, deep=deep)
        if raw["status"] != 1:
            # What simulation let pass failed in its block: ask again for the reason, in the state after it.
            names = ("to", "data", "value")
            call: Any = {"from": pending.signer.address} | {name: pending.transaction[name] for name in names}
            self.ask(lambda: self.web3.eth.call(call), pending.place)
        return _receipt(raw, pending.place)

    def confirm(self, tx_hash: str, place: str = "transaction") -> Receipt:
        """The receipt of anybody's mined transaction, once it is as deep as the policy asks.

        Raises:
            L1Error: unknown, failed, or not deep enough in time.
        """
        return _receipt(self._outbox.confirm(HexBytes(tx_hash), place), place)

    @property
    def policy(self) -> SendPolicy:
        """How transactions are sent."""
        return self._outbox.policy

    @policy.setter
    def policy(self, policy: SendPolicy) -> None:
        self._outbox.policy = policy

    @property
    def is_local(self) -> bool:
        """Whether the chain is on this machine."""
        return self.name == EMBEDDED or "127.0.0.1" in self.name or "localhost" in self.name

    def ask(self, question: Callable[[], T], place: str | None = None) -> T:
        """Ask the chain; every way of failing comes out as an L1Error."""
        return _translated(question, self.name, place)


def connect(
    url: str = EMBEDDED,
    *,
    expected_chain_id: int | None = None,
    timeout_s: float = 20.0,
    policy: SendPolicy | None = None,
    since: int | None = None,
) -> L1Client:
    """Connect to a chain.

    Args:
        url: an HTTP(S) JSON-RPC URL, or ``"embedded"`` for a new chain inside this process.
        expected_chain_id: refuse any other.
        timeout_s: limit of one request, in seconds.
        policy: how transactions are sent.
        since: height before which none of the contracts asked about was there, or else ``AITBC_L1_SINCE``, or else 0;
            no older logs are asked for.

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
    if since is None:
        since = _since(os.environ.get("AITBC_L1_SINCE", "0"))
    return L1Client(web3, url, chain_id, policy, since)


def _since(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise UsageError("not a block's height", place="AITBC_L1_SINCE", expected="a whole number", got=repr(text))
    return int(text)


def _translated(question: Callable[[], T], name: str, place: str | None) -> T:
    try:
        return question()
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
