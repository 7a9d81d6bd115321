"""Genesis: the accounts a shard begins with, as a JSON file that every party checks for itself.

The state root of these accounts is the contract's first root. The operator's L1 address is the ``l1_owner`` of its
account. Keys are checked here, once, to be points of Baby Jubjub's prime-order subgroup: circuits rely on it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from aitbc_rollup.algebra.eddsa import is_public_key
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.errors import BadInputError, UsageError, next_step, unreadable
from aitbc_rollup.verifier.strict_json import parse_json

from .accounts import Account
from .checks import Fields, format_address
from .dev_agents import development_public_key, is_local_chain
from .state import State

FORMAT = "aitbc-rollup/genesis/v2"
MAX_GENESIS_BYTES = 1 << 28
MAX_DEVELOPMENT_AGENTS = 1 << 15
#: What the accounts hold at the start, and what the contract may hold, are below 2^95 wei each.
HOLDINGS_BITS = layout.BALANCE_BITS - 1


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """An account at the start; ``label`` is for people, ``development`` marks a key that anyone can derive."""

    index: int
    account: Account
    label: str
    development: bool


@dataclass(frozen=True)
class Genesis:
    """Chain, shard, the operator's account index, and the accounts in order of index."""

    chain_id: int
    shard: int
    operator_index: int
    accounts: tuple[GenesisAccount, ...]

    @property
    def last_index(self) -> int:
        """The highest index of an account."""
        return self.accounts[-1].index

    def state(self) -> State:
        """The state made of these accounts alone."""
        state = State()
        for entry in self.accounts:
            state.put(entry.index, entry.account)
        return state

    @cached_property
    def root(self) -> int:
        """The root of that state: the contract's first."""
        return self.state().root

    @property
    def operator_address(self) -> int:
        """The L1 address of the operator, as a number."""
        return next(entry.account.l1_owner for entry in self.accounts if entry.index == self.operator_index)

    @property
    def balance(self) -> int:
        """What the accounts hold together at the start: the contract is given as much."""
        return sum(entry.account.balance for entry in self.accounts)

    @property
    def development_indices(self) -> frozenset[int]:
        """Indices of accounts whose key anyone can derive."""
        return frozenset(entry.index for entry in self.accounts if entry.development)

    def digest(self) -> str:
        """SHA-256 of the file's canonical text, hexadecimal: two genesis files are the same if this is."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The content of a genesis file."""
        return {
            "format": FORMAT,
            "chain_id": self.chain_id,
            "shard": self.shard,
            "operator_index": self.operator_index,
            "balance": str(self.balance),
            "accounts": [_account_to_json(entry) for entry in self.accounts],
        }


@next_step("mend the file after the form of examples/genesis.json")
def load(path: Path) -> Genesis:
    """A genesis file, strictly checked.

    Raises:
        BadInputError: unreadable, malformed, or an account that does not hold.
    """
    try:
        if path.stat().st_size > MAX_GENESIS_BYTES:
            raise BadInputError("the file is too large", place=str(path), expected=f"at most {MAX_GENESIS_BYTES} bytes")
        text = path.read_text("utf-8")
    except OSError as error:
        raise unreadable(path, "a genesis file", error) from None
    except UnicodeDecodeError as error:
        raise BadInputError("not UTF-8", place=str(path), expected="JSON in UTF-8", got=f"byte {error.start}") from None
    return from_json(parse_json(text, str(path)), str(path))


def from_json(value: object, place: str) -> Genesis:
    """The genesis of a parsed file.

    Raises:
        BadInputError: see :func:`load`.
        UsageError: development keys off a local chain.
    """
    fields = Fields(value, place)
    fields.literal("format", FORMAT)
    chain_id = fields.integer("chain_id", 64)
    shard = fields.integer("shard", 32)
    operator_index = fields.integer("operator_index", layout.INDEX_BITS)
    stated = fields.decimal("balance", layout.BALANCE_BITS)
    entries = [_account_from_json(item, f"{place}, account {n}") for n, item in enumerate(fields.array("accounts"))]
    fields.finish()
    found = checked(Genesis(chain_id, shard, operator_index, tuple(entries)), place)
    if stated != found.balance:
        raise BadInputError(
            "the stated balance is not the accounts' sum", place=place, expected=str(found.balance), got=str(stated)
        )
    return found


def checked(genesis: Genesis, place: str) -> Genesis:
    """The genesis itself if its parts fit together.

    Raises:
        BadInputError: an index twice or out of order, no operator's account, a key's development mark that lies, or
            balances of 2^95 or more together, so that with the queue's deposits one could outgrow its 96 bits.
        UsageError: development keys off a local chain.
    """
    if genesis.balance >> HOLDINGS_BITS:
        raise BadInputError("the balances are too large", place=place, expected=f"less than 2^{HOLDINGS_BITS} in all",
                            got=str(genesis.balance))  # fmt: skip
    indices = [entry.index for entry in genesis.accounts]
    for before, after in pairwise(indices):
        if after <= before:
            raise BadInputError(
                "accounts are out of order", place=place, expected=f"an index above {before}", got=str(after)
            )
    if genesis.operator_index not in indices:
        raise BadInputError("the operator has no account", place=place, expected=f"an account {genesis.operator_index}")
    for entry in genesis.accounts:
        derived = development_public_key(entry.index) == entry.account.public_key
        if derived != entry.development:
            raise BadInputError(
                "the development mark does not fit the key",
                place=f"{place}, account index {entry.index}",
                expected=f'"development": {str(derived).lower()}',
                got=str(entry.development).lower(),
                hint="a key that anyone can derive is always marked, and no other",
            )
    if genesis.development_indices and not is_local_chain(genesis.chain_id):
        raise development_refused(genesis.chain_id, place)
    return genesis


def development_refused(chain_id: int, place: str | None = None) -> UsageError:
    """The error for development keys on a chain that is not local."""
    return UsageError(
        "development keys are refused on this chain",
        place=place,
        expected="a local chain id: 31337 or 1337",
        got=str(chain_id),
        hint="anyone can derive these keys; use sessions signed by agents' own keys",
    )


def _account_to_json(entry: GenesisAccount) -> dict[str, Any]:
    account = entry.account
    return {
        "index": entry.index,
        "label": entry.label,
        "public_key": [str(account.public_key[0]), str(account.public_key[1])],
        "l1_owner": format_address(account.l1_owner),
        "balance": str(account.balance),
        "permissions": account.permissions,
        "external_id": str(account.external_id),
        "development": entry.development,
    }


def _account_from_json(value: object, place: str) -> GenesisAccount:
    fields = Fields(value, place)
    index = fields.integer("index", layout.INDEX_BITS)
    label = fields.text("label", "")
    public_key = fields.point("public_key")
    if not is_public_key(public_key):
        raise BadInputError(
            "the public key is no point of prime order",
            place=place,
            expected="a Baby Jubjub public key, as `aitbc-rollup session keygen` prints it",
            got=f"({public_key[0]}, {public_key[1]})",
        )
    l1_owner = fields.address("l1_owner")
    account = Account(
        public_key=public_key,
        l1_owner=l1_owner,
        balance=fields.decimal("balance", layout.BALANCE_BITS),
        permissions=fields.integer("permissions", 32, 0),
        external_id=fields.element("external_id", "0"),
    )
    development = fields.boolean("development", False)
    fields.finish()
    return GenesisAccount(index, account, label, development)


#: L1 owners of development accounts: the first accounts of the mnemonic that anvil and hardhat ship with.
_LOCAL_OWNERS = (
    0xF39FD6E51AAD88F6F4CE6AB8827279CFFFB92266,
    0x70997970C51812DC3A010C7D01B50E0D17DC79C8,
    0x3C44CDDDB6A900FA2B585DD299E03D12FA4293BC,
)
#: A tenth of an ether: the contract is given as much, from what a local chain's first account has.
DEVELOPMENT_BALANCE = 10**17


def development(chain_id: int, agents: int, shard: int = 0) -> Genesis:
    """A genesis of development accounts: 0 the operator, 1 a provider, then the agents.

    Raises:
        UsageError: the chain is not local.
        BadInputError: no agent, or more than the tree has room for.
    """
    if not is_local_chain(chain_id):
        raise development_refused(chain_id)
    if not 1 <= agents <= MAX_DEVELOPMENT_AGENTS:
        raise BadInputError(
            "wrong number of development agents",
            place="--dev-agents",
            expected=f"1 to {MAX_DEVELOPMENT_AGENTS}",
            got=str(agents),
        )
    entries = []
    for index in range(2 + agents):
        role = ("operator", "provider")[index] if index < 2 else f"agent {index - 2}"
        account = Account(
            public_key=development_public_key(index),
            l1_owner=_LOCAL_OWNERS[min(index, 2)],
            balance=DEVELOPMENT_BALANCE,
        )
        entries.append(GenesisAccount(index, account, f"development {role}", True))
    return Genesis(chain_id, shard, 0, tuple(entries))
