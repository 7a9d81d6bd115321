"""A rollup on an anvil of its own, walked through by the command line: who signs, what time it is, who has what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cli_world import Cli, Result
from eth_account import Account as EthAccount

from aitbc_rollup.algebra.eddsa import public_key
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.dev_agents import development_private_key
from aitbc_rollup.rollup.l1.client import L1Client
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.l1.signer import Signer

#: Room for a session of 16 records, a transfer and two queue items; sixty-four accounts.
SHAPE = "1p1s9a2q0g1t2v6i"
_MNEMONIC = "test test test test test test test test test test test junk"
ETHER = 10**18
#: Accounts of the genesis; the last one has no owner on L1.
OPERATOR, PROVIDER, AGENT, SAVER, ORPHAN = 0, 1, 2, 3, 20


def person(number: int) -> Signer:
    """An account of anvil's; 0 is the operator, 1 to 3 own the accounts of the same number."""
    EthAccount.enable_unaudited_hdwallet_features()
    return Signer(EthAccount.from_mnemonic(_MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}"))


def address(number: int) -> str:
    return person(number).address.lower()


def genesis_file(path: Path, shard: int) -> Path:
    """The development accounts, somebody who saves, and money that is nobody's."""
    value = genesis.development(31337, 1, shard).to_json()
    provider, agent = value["accounts"][1:3]
    for index, owner in ((SAVER, address(3)), (ORPHAN, "0x" + "00" * 20)):
        key = {"public_key": _public(bytes([index]) * 32), "l1_owner": owner, "balance": str(5 * 10**16)}
        value["accounts"].append(agent | key | {"index": index, "label": f"account {index}", "development": False})
    provider["l1_owner"], agent["l1_owner"] = address(1), address(2)
    value["balance"] = str(sum(int(account["balance"]) for account in value["accounts"]))
    path.write_text(json.dumps(value))
    return path


def _public(private: bytes) -> list[str]:
    return [str(coordinate) for coordinate in public_key(private)]


class Walk:
    """Commands about one rollup, by whoever; ``state`` is the operator's folder."""

    def __init__(self, cli: Cli, client: L1Client, keys: Path, monkeypatch: pytest.MonkeyPatch, shard: int) -> None:
        self.cli, self.client = cli, client
        self._environment = monkeypatch
        self.keys_folder = keys
        self.keys: list[object] = ["--keys", keys, "--engine", "cpu"]
        self._url = ["--l1", client.name]
        self.genesis = genesis_file(Path(f"genesis-{shard}.json"), shard)
        self.shard = shard
        made = self.init("operator")
        self.contract, self.full = made["contract"], Shape.parse(made["fallback_shape"])
        self.rollup = RollupContract(client, self.contract)

    def init(self, state: str) -> dict[str, Any]:
        """A state folder of this rollup."""
        arguments = ["--genesis", self.genesis, "--shape", SHAPE, "--fallback", "--state", state, *self.keys]
        return self._good(self.cli("init", *arguments, "--json"))

    @contextmanager
    def acting(self, number: int, role: str = "") -> Iterator[None]:
        """A person's key in the environment."""
        with self._environment.context() as patch:
            patch.setenv(f"AITBC_{role}PRIVATE_KEY", "0x" + bytes(person(number).account.key).hex())
            yield

    def said(self, *words: object, by: int = 0, to: bool = True) -> Result:
        """What a command of ``l1`` says; of those that are told the contract unless ``to`` is false."""
        contract = ["--contract", self.contract] if to else []
        with self.acting(by):
            return self.cli("l1", *words, *contract, *self._url, "--json")

    def do(self, *words: object, by: int = 0, to: bool = True) -> dict[str, Any]:
        """The same, which must succeed."""
        return self._good(self.said(*words, by=by, to=to))

    def refused(self, *words: object, by: int = 0, to: bool = True) -> str:
        """The error's name, or its message's first words, of a command that must fail."""
        said = self.said(*words, by=by, to=to)
        assert said.code != 0, said.out
        return str(said.json["message"].split(":")[0])

    def prove(self, out: str, *words: object) -> Path:
        """A batch of the operator's, sealed and proven."""
        shape = ["--genesis", self.genesis, "--state", "operator", *self.keys, *self._url]
        self._good(self.cli("prove-batch", *words, *shape, "--out", out, "--json"))
        return Path(out)

    def submit(self, folder: Path) -> dict[str, Any]:
        with self.acting(0):
            return self._good(self.cli("submit", folder, *self._url, "--json"))

    def challenger(self, *words: object, by: int) -> Result:
        """One look of the challenger's; its output is one JSON object a line."""
        base = ["--contract", self.contract, "--genesis", self.genesis, "--state", "challenger", *self.keys]
        with self.acting(by, "CHALLENGER_"):
            return self.cli("challenger", "--once", *base, *words, *self._url, "--json")

    def signed(self, kind: str, value: dict[str, Any], private: bytes, out: str) -> None:
        """A session or transfer signed with a key, as one more line of a file."""
        key = Path("signer.key")
        key.write_text(
            json.dumps(
                {"format": "aitbc-rollup/agent-key/v1", "private_key": private.hex(), "public_key": _public(private)}
            )
        )
        common = {"format": f"aitbc-rollup/{kind}/v2", "chain_id": 31337, "contract": self.contract}
        source = Path("unsigned.json")
        source.write_text(json.dumps(common | {"shard": self.shard, "expiry": 2**40 - 1} | value))
        said = self.cli(kind, "sign", source, "--key", key, "--out", out)
        assert said.code == 0, said.err

    def transfer(self, out: str, **value: Any) -> None:
        self.signed("transfer", {"from_index": AGENT, "fee": "0"} | value, development_private_key(AGENT), out)

    def session(self, out: str, nonce: int) -> None:
        record = {"wall_ms": 5, "tokens_in": 3, "tokens_out": 4, "outcome": 1, "fee": "700", "task": str(nonce)}
        value = {
            "agent_index": AGENT, "provider_index": PROVIDER, "nonce": nonce, "fee_cap": "1000",
            "operator_share_bps": 1000, "records": [record],
        }  # fmt: skip
        self.signed("session", value, development_private_key(AGENT), out)

    def pass_time(self, seconds: int) -> None:
        """Let the chain's time pass."""
        for method, params in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
            answer = self.client.web3.provider.make_request(method, params)  # type: ignore[arg-type]
            assert "error" not in answer, answer

    def paid(self, command: str, number: int, relayer: int = 9) -> int:
        """What ``withdraw`` or ``collect`` brings a person, sent by somebody else: the balance says the same."""
        before = self.client.balance(address(number))
        told = int(self.do(command, "--address", address(number), by=relayer)["paid"])
        assert self.client.balance(address(number)) - before == told
        return told

    @staticmethod
    def _good(said: Result) -> dict[str, Any]:
        assert said.code == 0, said.err + said.out
        return dict(said.json)
