"""What a transaction costs: EIP-1559's fees under a cap, their rise for a replacement, EIP-7623's floor of calldata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from aitbc_rollup.errors import L1Error, UsageError

GWEI = 10**9
#: A replacement must offer so much more, as a fraction: geth's rule, of which others ask for less (10 %).
_RAISE = (9, 8)
#: The same for a transaction with blobs.
_BLOB_RAISE = (2, 1)
#: EIP-7623: gas of a transaction is at least 21,000 and ten a token, four tokens a byte that is not zero.
_BASE_GAS = 21_000
_FLOOR_GAS_A_TOKEN = 10
_TOKENS_A_BYTE = 4
#: EIP-4844: gas of one blob.
BLOB_GAS = 1 << 17


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction offers, in wei: most a gas, the tip within it, and most a blob gas (0 without blobs)."""

    most: int
    tip: int
    blob: int = 0

    @property
    def fields(self) -> dict[str, int]:
        """As a transaction names them."""
        blob = {"maxFeePerBlobGas": self.blob} if self.blob else {}
        return {"maxFeePerGas": self.most, "maxPriorityFeePerGas": self.tip, **blob}

    def raised(self) -> Fees:
        """The least that replaces a transaction with these fees: an eighth more, with blobs twice as much."""
        up, down = _BLOB_RAISE if self.blob else _RAISE
        most, tip, blob = (-(-fee * up // down) for fee in (self.most, self.tip, self.blob))
        return Fees(most, tip, blob)

    def at_least(self, other: Fees) -> Fees:
        """The larger of each."""
        return Fees(max(self.most, other.most), max(self.tip, other.tip), max(self.blob, other.blob))


def suggested(web3: Any, cap: int | None, *, blobs: bool = False) -> Fees:
    """The tip that a chain suggests, and room for its base fees to double, as far as a cap allows.

    Args:
        web3: the chain.
        cap: most a gas, in wei.
        blobs: whether a fee for blob gas is wanted too.

    Raises:
        L1Error: the cap lies below the base fee, so that nobody would mine the transaction now.
    """
    base = int(web3.eth.get_block("latest").get("baseFeePerGas", 0))
    tip = int(web3.eth.max_priority_fee)
    if cap is not None and cap < base:
        raise L1Error(
            "the chain asks for more than the fee cap",
            expected=f"a cap of {in_gwei(base)} gwei or more",
            got=f"{in_gwei(cap)} gwei",
            hint="wait, or raise --max-fee (AITBC_MAX_FEE_GWEI)",
        )
    most = 2 * base + tip if cap is None else min(2 * base + tip, cap)
    blob = 2 * max(int(web3.eth.blob_base_fee), 1) if blobs else 0
    return Fees(most, min(tip, most), blob)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A transaction that was simulated and not sent; gas in units, the rest in wei.

    ``gas`` is the chain's estimate, ``floor_gas`` what EIP-7623 asks for its calldata alone, ``cost`` what both would
    cost at the chain's prices of now without ``value``, ``most_cost`` the limit that the signer would agree to.
    """

    place: str
    to: str
    signer: str
    calldata_bytes: int
    gas: int
    floor_gas: int
    blob_gas: int
    value: int
    cost: int
    most_cost: int

    @classmethod
    def of(
        cls, *, place: str, call: Mapping[str, Any], gas: int, limit: int, fees: Fees, price: int, blobs: int
    ) -> Estimate:
        """What a call costs.

        Args:
            place: the transaction's name.
            call: with ``from``, ``to``, ``data`` and ``value``.
            gas: the chain's estimate.
            limit: the gas limit it would be sent with.
            fees: what it would offer.
            price: wei a gas, now.
            blobs: how many it carries.
        """
        data = bytes(call["data"])
        floor, blob_gas = calldata_floor(data), blobs * BLOB_GAS
        return cls(
            place=place,
            to=str(call["to"]),
            signer=str(call["from"]),
            calldata_bytes=len(data),
            gas=gas,
            floor_gas=floor,
            blob_gas=blob_gas,
            value=int(call["value"]),
            cost=max(gas, floor) * price + blob_gas * fees.blob // 2,
            most_cost=limit * fees.most + blob_gas * fees.blob,
        )


def calldata_floor(data: bytes) -> int:
    """Gas that a transaction with these calldata costs at least (EIP-7623)."""
    zeros = data.count(0)
    return _BASE_GAS + _FLOOR_GAS_A_TOKEN * (zeros + _TOKENS_A_BYTE * (len(data) - zeros))


def from_gwei(text: str) -> int:
    """A fee in wei from decimal digits in gwei.

    Raises:
        UsageError: no positive number, or finer than a wei.
    """
    try:
        wei = Decimal(text) * GWEI
        if wei > 0 and wei == int(wei):
            return int(wei)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise UsageError("not a fee", expected="a positive number of gwei, as 30 or 0.5", got=repr(text))


def in_gwei(wei: int) -> str:
    """A fee in gwei, all its digits."""
    return f"{Decimal(wei) / GWEI:f}"


def in_ether(wei: int) -> str:
    """An amount in ether, all its digits."""
    return f"{Decimal(wei) / 10**18:f}"
