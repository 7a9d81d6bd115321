from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aitbc_rollup.algebra.babyjubjub import BASE8, GENERATOR, add
from aitbc_rollup.algebra.eddsa import public_key
from aitbc_rollup.errors import BadInputError, UsageError
from aitbc_rollup.rollup import dev_agents, genesis
from aitbc_rollup.rollup.genesis import Genesis

OWN_KEY = public_key(bytes(range(32)))


@pytest.fixture
def value(world: Genesis) -> dict[str, Any]:
    return copy.deepcopy(world.to_json())


def test_round_trip(world: Genesis, value: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    path.write_text(json.dumps(value))
    again = genesis.load(path)
    assert again == world
    assert again.digest() == world.digest()
    assert again.state().root == world.state().root


def test_development_genesis(world: Genesis) -> None:
    assert [entry.label for entry in world.accounts] == [
        "development operator", "development provider", "development agent 0", "development agent 1",
    ]  # fmt: skip
    assert world.development_indices == {0, 1, 2, 3}
    assert f"{world.operator_address:040x}" == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"


def test_development_keys_are_fixed() -> None:
    # Anyone must derive the same keys: SHA-256 of this text, whatever the release.
    assert dev_agents.development_private_key(2).hex() == (
        "bc77d18aabe375e46e7b9d27df412ae02f4d7dcc40c611a5f42080520340c5b2"
    )


@pytest.mark.parametrize("chain_id", [1, 10, 31338, 11155111])
def test_development_keys_are_refused_off_local_chains(value: dict[str, Any], chain_id: int) -> None:
    with pytest.raises(UsageError, match="development keys are refused on this chain"):
        genesis.development(chain_id, 2)
    value["chain_id"] = chain_id
    with pytest.raises(UsageError, match="development keys are refused on this chain"):
        genesis.from_json(value, "genesis.json")


def test_own_keys_are_welcome_on_any_chain(value: dict[str, Any]) -> None:
    value["chain_id"] = 1
    value["accounts"] = [value["accounts"][0] | {"public_key": [str(c) for c in OWN_KEY], "development": False}]
    value["balance"] = value["accounts"][0]["balance"]
    found = genesis.from_json(value, "genesis.json")
    assert found.development_indices == frozenset()


def test_a_development_key_cannot_go_unmarked(value: dict[str, Any]) -> None:
    value["accounts"][2]["development"] = False
    with pytest.raises(BadInputError) as caught:
        genesis.from_json(value, "genesis.json")
    assert caught.value.message == "the development mark does not fit the key"
    assert caught.value.place == "genesis.json, account index 2"


def test_another_key_cannot_be_marked(value: dict[str, Any]) -> None:
    value["accounts"][2]["public_key"] = [str(c) for c in OWN_KEY]
    with pytest.raises(BadInputError, match="the development mark does not fit the key"):
        genesis.from_json(value, "genesis.json")


def key(point: tuple[int, int]) -> Callable[[dict[str, Any]], None]:
    def change(value: dict[str, Any]) -> None:
        value["accounts"][1] |= {"public_key": [str(c) for c in point], "development": False}

    return change


def account(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["accounts"][1].update(changes)


def top(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda value: value.update(changes)


NOT_PRIME = "the public key is no point of prime order"
BAD: list[tuple[Callable[[dict[str, Any]], None], str, str]] = [
    (key((1, 1)), NOT_PRIME, "genesis.json, account 1"),
    (key((0, 1)), NOT_PRIME, "genesis.json, account 1"),
    (key(GENERATOR), NOT_PRIME, "genesis.json, account 1"),
    (key(add(BASE8, (0, 21888242871839275222246405745257275088548364400416034343698204186575808495616))), NOT_PRIME,
     "genesis.json, account 1"),
    (account(index=0), "accounts are out of order", "genesis.json"),
    (account(index=2**32), "index does not fit", "genesis.json, account 1"),
    (account(balance="-1"), "field 'balance' is wrong", "genesis.json, account 1"),
    (account(balance=5), "field 'balance' is wrong", "genesis.json, account 1"),
    (account(balance=str(2**96)), "balance does not fit", "genesis.json, account 1"),
    (account(balance=str(2**95)), "the balances are too large", "genesis.json"),
    (account(asset=0), "unknown fields", "genesis.json, account 1"),
    (account(l1_owner="0x1"), "l1_owner is no address", "genesis.json, account 1"),
    (account(permissions=2**32), "permissions does not fit", "genesis.json, account 1"),
    (account(label=7), "field 'label' is wrong", "genesis.json, account 1"),
    (account(development="yes"), "field 'development' is wrong", "genesis.json, account 1"),
    (account(nonce=1), "unknown fields", "genesis.json, account 1"),
    (top(operator_index=9), "the operator has no account", "genesis.json"),
    (top(accounts=[]), "the operator has no account", "genesis.json"),
    (top(format="x"), "field 'format' is wrong", "genesis.json"),
    (top(shard=2**32), "shard does not fit", "genesis.json"),
    (top(extra=1), "unknown fields", "genesis.json"),
    (top(balance="5"), "the stated balance is not the accounts' sum", "genesis.json"),
    (account(balance="5"), "the stated balance is not the accounts' sum", "genesis.json"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message", "place"), BAD)
def test_a_bad_genesis_is_refused(
    value: dict[str, Any], change: Callable[[dict[str, Any]], None], message: str, place: str
) -> None:
    change(value)
    with pytest.raises(BadInputError) as caught:
        genesis.from_json(value, "genesis.json")
    assert (caught.value.message, caught.value.place) == (message, place)


def test_a_missing_genesis_file(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        genesis.load(tmp_path / "none.json")


@pytest.mark.parametrize("agents", [0, -1, 2**16 + 1])
def test_the_number_of_development_agents_is_bounded(agents: int) -> None:
    with pytest.raises(BadInputError, match="wrong number of development agents"):
        genesis.development(31337, agents)
