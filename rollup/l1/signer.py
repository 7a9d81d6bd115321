"""Keys that sign L1 transactions: given, from the environment, from a keystore file, or anvil's public first one.

A private key never appears in an error or a repr.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from aitbc_rollup.errors import BadInputError, UsageError, next_step, unreadable
from aitbc_rollup.verifier.strict_json import parse_json, shorten

#: First account of anvil and Hardhat, from the mnemonic "test test … junk". Everyone has this key.
DEVELOPMENT_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
_DEVELOPMENT_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
#: Chains on which the development key may sign: anvil's and Hardhat's, and geth's --dev.
DEVELOPMENT_CHAIN_IDS = (31337, 1337)


@dataclass(frozen=True)
class Signer:
    """An account that signs; ``development`` marks a key that everyone has."""

    account: LocalAccount = field(repr=False)
    development: bool = False

    @property
    def address(self) -> str:
        """Checksummed address."""
        return str(self.account.address)

    def sign(self, transaction: Mapping[str, Any], chain_id: int) -> bytes:
        """The signed transaction as it is sent.

        Raises:
            UsageError: the key is a development key and the chain is none of ``DEVELOPMENT_CHAIN_IDS``.
        """
        check_chain(self, chain_id)
        return bytes(self.account.sign_transaction(dict(transaction)).raw_transaction)


def check_chain(signer: Signer, chain_id: int) -> None:
    """Refuse a development key off the development chains.

    Raises:
        UsageError: as said.
    """
    if signer.development and chain_id not in DEVELOPMENT_CHAIN_IDS:
        raise UsageError(
            "the development key signs on development chains only: everyone has it",
            expected=f"chain id {' or '.join(map(str, DEVELOPMENT_CHAIN_IDS))}",
            got=str(chain_id),
            hint="give a key with AITBC_PRIVATE_KEY or AITBC_KEYSTORE",
        )


def development_signer() -> Signer:
    """Anvil's first account."""
    return Signer(Account.from_key(_DEVELOPMENT_KEY), development=True)


def load_signer(
    role: str | None = None,
    *,
    private_key: str | None = None,
    keystore: Path | None = None,
    password: str | None = None,
    development: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Signer:
    """The signer asked for; without arguments, the one the environment names.

    Keys of different powers stay apart, and are changed one by one: a ``role`` ("operator", say) has variables of its
    own, ``AITBC_OPERATOR_PRIVATE_KEY``, ``AITBC_OPERATOR_KEYSTORE`` and ``AITBC_OPERATOR_KEYSTORE_PASSWORD``, which go
    before those without it.

    Args:
        role: what the key is for.
        private_key: 32 bytes in hex, or else ``AITBC_PRIVATE_KEY``.
        keystore: a Web3 Secret Storage (version 3) file, or else ``AITBC_KEYSTORE``.
        password: the keystore's, or else ``AITBC_KEYSTORE_PASSWORD``.
        development: anvil's first account.
        environment: where to look the variables up.

    Raises:
        UsageError: no key, or more than one.
        BadInputError: the key or the keystore is malformed, or the password wrong.
    """
    prefix = "AITBC"
    if not (private_key or keystore or development):
        prefix = key_prefix(role, environment) or prefix
        private_key = environment.get(f"{prefix}_PRIVATE_KEY")
        keystore = Path(environment[f"{prefix}_KEYSTORE"]) if environment.get(f"{prefix}_KEYSTORE") else None
    if sum(map(bool, (private_key, keystore, development))) != 1:
        raise UsageError(
            "one key is needed to sign L1 transactions",
            expected=f"{prefix}_PRIVATE_KEY, {prefix}_KEYSTORE, or the development key",
            got="more than one" if private_key or keystore else "none",
            hint="set one of the two variables; on a local chain, --dev-key will do",
        )
    if private_key:
        return _from_private_key(private_key)
    if keystore:
        return _from_keystore(keystore, password or environment.get(f"{prefix}_KEYSTORE_PASSWORD", ""))
    return development_signer()


def key_prefix(role: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """What the variables begin with that name a role's key, its own or those without a role; nothing if none is set."""
    prefixes = [f"AITBC_{role.upper()}", "AITBC"] if role else ["AITBC"]
    for prefix in prefixes:
        if environment.get(f"{prefix}_PRIVATE_KEY") or environment.get(f"{prefix}_KEYSTORE"):
            return prefix
    return None


def _from_private_key(text: str) -> Signer:
    try:
        account: LocalAccount = Account.from_key(text)
    except Exception:  # noqa: BLE001 - many kinds of error, and each may quote the key
        raise BadInputError(
            "not a private key", place="private key", expected="32 bytes in hex", hint="check AITBC_PRIVATE_KEY"
        ) from None
    return Signer(account, development=account.address == DEVELOPMENT_ADDRESS)


@next_step("check AITBC_KEYSTORE and AITBC_KEYSTORE_PASSWORD")
def _from_keystore(path: Path, password: str) -> Signer:
    try:
        key = Account.decrypt(parse_json(path.read_bytes(), str(path)), password)
    except OSError as error:
        raise unreadable(path, "a keystore file", error) from error
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        expected = "a Web3 Secret Storage file, version 3, and its password"
        raise BadInputError(
            "cannot open the keystore",
            place=str(path),
            expected=expected,
            got=shorten(error),
        ) from error
    return _from_private_key(key.hex())
