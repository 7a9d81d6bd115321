"""What is fixed for a rollup at its deployment (``contracts/src/Parameters.sol``), and sets of it to begin with.

The contract's constructor refuses delays with which people could be overtaken; D, T, W, E as in the protocol::

    T + W + dispute cap < E
    exit delay = D + E + dispute cap + withdrawal delay < upgrade delay, router delay
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from aitbc_rollup.errors import BadInputError

from ..checks import Fields, check_width, format_address, parse_address
from ..dev_agents import is_local_chain

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_ETHER = 10**18
_ZERO = "0x" + "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Delays and amounts of a rollup; times in seconds, amounts in the smallest unit. Names as in the contract.

    ``asset`` is the ERC-20 in which balances are, or the zero address for the chain's coin; ``router_delay`` is the
    router's, all others the rollup's.
    """

    shard: int = 0
    asset: str = _ZERO
    max_age: int
    queue_room: int = 1
    queue_delay: int
    item_interval: int
    queue_fee: int
    prove_window: int
    challenge_window: int
    dispute_cap: int
    escape_delay: int
    withdrawal_delay: int
    upgrade_delay: int
    bond: int
    rate_floor: int
    rate_bps: int
    router_delay: int

    def __post_init__(self) -> None:
        for name, bits in _WIDTHS.items():
            check_width(getattr(self, name), bits, field=name)
        parse_address(self.asset, field="asset")

    @property
    def words(self) -> tuple[Any, ...]:
        """The contract's struct."""
        return tuple(getattr(self, name) for name in _NAMES if name != "router_delay")

    def to_json(self) -> dict[str, str | int]:
        """By name; amounts as decimal strings."""
        return {name: str(value) if name in _AMOUNTS else value for name, value in self._items()}

    @classmethod
    def from_json(cls, value: object, place: str) -> Parameters:
        """The way back.

        Raises:
            BadInputError: malformed.
        """
        read = Fields(value, place)
        found: dict[str, Any] = {"asset": format_address(read.address("asset"))}
        for name, bits in _WIDTHS.items():
            found[name] = read.decimal(name, bits) if name in _AMOUNTS else read.integer(name, bits)
        read.finish()
        return cls(**found)

    def changed(self, changes: Mapping[str, str]) -> Parameters:
        """The same with some given anew, as text.

        Raises:
            BadInputError: an unknown name, or a value that does not fit it.
        """
        values: dict[str, Any] = {}
        for name, text in changes.items():
            if name == "asset":
                values[name] = format_address(parse_address(text, field=name))
            elif name not in _WIDTHS:
                raise BadInputError("unknown parameter", expected=", ".join(_NAMES), got=name)
            elif not (text.isascii() and text.isdecimal()):
                raise BadInputError(f"{name} is no number", expected="a whole number", got=text)
            else:
                values[name] = int(text)
        return replace(self, **values)

    def _items(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in _NAMES]


_NAMES = tuple(field.name for field in fields(Parameters))
_AMOUNTS = {"queue_fee", "bond", "rate_floor"}
#: Bits of each number in the contract's struct.
_WIDTHS = {name: 96 if name in _AMOUNTS else 16 if name == "rate_bps" else 64 for name in _NAMES if name != "asset"}
_WIDTHS["shard"] = 32

#: For chains that are gone tomorrow: everything can be seen to happen within hours.
DEVELOPMENT = Parameters(
    max_age=_DAY,
    queue_delay=_HOUR,
    item_interval=1,
    queue_fee=10**12,
    prove_window=10 * _MINUTE,
    challenge_window=10 * _MINUTE,
    dispute_cap=20 * _MINUTE,
    escape_delay=_HOUR,
    withdrawal_delay=0,
    upgrade_delay=3 * _HOUR,
    bond=_ETHER // 100,
    rate_floor=10 * _ETHER,
    rate_bps=1_000,
    router_delay=3 * _HOUR,
)
#: For chains with money. Leaving takes 19 days at most, whatever operator and prover do: notice of 30 days leaves time
#: to see an announcement. A week to challenge is what L1 censorship is commonly granted. A tenth of what is held may
#: leave a day, so that a theft that nobody foresaw is noticed before it is complete.
PRODUCTION = Parameters(
    max_age=_DAY,
    queue_delay=_DAY,
    item_interval=_MINUTE,
    queue_fee=_ETHER // 2_000,
    prove_window=_DAY,
    challenge_window=7 * _DAY,
    dispute_cap=3 * _DAY,
    escape_delay=14 * _DAY,
    withdrawal_delay=_DAY,
    upgrade_delay=30 * _DAY,
    bond=_ETHER,
    rate_floor=10 * _ETHER,
    rate_bps=1_000,
    router_delay=30 * _DAY,
)


def defaults(chain_id: int) -> Parameters:
    """The parameters that suit a chain."""
    return DEVELOPMENT if is_local_chain(chain_id) else PRODUCTION
