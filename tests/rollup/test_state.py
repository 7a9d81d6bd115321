from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollup_world import DOMAIN, L1_TIME, make_session

from aitbc_rollup.algebra.eddsa import Signature
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.accounts import Account
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.records import Domain, SignedSession
from aitbc_rollup.rollup.state import State, empty_node, path_root


def account(**changes: Any) -> Account:
    return Account(**({"public_key": (5, 6), "l1_owner": 7} | changes))


def test_leaf_is_packed_as_the_protocol_says() -> None:
    full = account(
        permissions=8, balance=9, nonce=10, wall_ms=11, cpu_ms=12, gpu_ms=13, memory_mib=14, tokens_in=15,
        tokens_out=16, history_root=17, external_id=18,
    )  # fmt: skip
    assert full.leaf() == poseidon(
        [
            1, 5, 6, 7 + 8 * 2**160, 0, 9 + 10 * 2**96,
            11 + 12 * 2**80 + 13 * 2**160, 14 + 15 * 2**80 + 16 * 2**160, 17, 18,
        ]
    )  # fmt: skip


def test_account_words_round_trip() -> None:
    full = account(balance=2**96 - 1, nonce=3, tokens_out=5, external_id=6)
    assert Account.from_words(full.to_words()) == full


@pytest.mark.parametrize(("field", "bits"), [("balance", 96), ("nonce", 32), ("wall_ms", 80), ("l1_owner", 160)])
def test_an_account_field_out_of_its_lane_is_refused(field: str, bits: int) -> None:
    with pytest.raises(BadInputError, match=f"{field} does not fit"):
        account(**{field: 2**bits})


def test_only_the_native_asset() -> None:
    with pytest.raises(BadInputError, match="unknown asset"):
        account(asset=1)


def dense_root(leaves: dict[int, int], depth: int) -> int:
    """The root computed without any sparse trick, for a tree whose upper part is empty."""
    row = [leaves.get(index, 0) for index in range(4**depth)]
    for _ in range(depth):
        row = [poseidon(row[i : i + 4]) for i in range(0, len(row), 4)]
    root = row[0]
    for level in range(depth, 16):
        root = poseidon([root, empty_node(level), empty_node(level), empty_node(level)])
    return root


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 63), min_size=1, max_size=6))
def test_root_equals_the_dense_tree(indices: list[int]) -> None:
    state = State()
    for number, index in enumerate(indices):
        state.put(index, account(balance=number))
    leaves = {index: state.account(index).leaf() for index in indices}
    assert state.root == dense_root(leaves, 3)


def test_empty_state_has_the_empty_root() -> None:
    assert State().root == empty_node(16) == dense_root({}, 1)


@pytest.mark.parametrize("index", [0, 1, 6, 2**32 - 1, 0x9E3779B9])
def test_a_path_leads_to_the_root(index: int) -> None:
    state = State()
    state.put(index, account(balance=1))
    state.put(index ^ 1, account(balance=2))
    path = state.path(index)
    assert path_root(state.account(index).leaf(), index, path) == state.root
    assert path_root(state.account(index).leaf() + 1, index, path) != state.root
    assert path[0][index & 3] == state.account(index).leaf()


def test_an_overlay_leaves_its_source_alone(world: Genesis) -> None:
    below = world.state()

    class Below:
        def account(self, index: int) -> Account | None:
            return below.get(index)

        def node(self, level: int, index: int) -> int | None:
            return below.nodes.get((level, index))

    root = below.root
    above = State(Below())
    above.apply_session(make_session(), DOMAIN, L1_TIME)
    direct = world.state()
    direct.apply_session(make_session(), DOMAIN, L1_TIME)
    assert above.root == direct.root != root == below.root
    assert set(above.accounts) == {2}


def test_a_session_moves_its_agent_and_nobody_else(world: Genesis) -> None:
    state = world.state()
    before = dict(state.accounts)
    signed = make_session()
    step = state.apply_session(signed, DOMAIN, L1_TIME)
    assert (step.index, step.account) == (2, before[2])
    after = state.account(2)
    assert after == dataclasses.replace(
        before[2],
        balance=before[2].balance - 499,
        nonce=1,
        wall_ms=9,
        cpu_ms=8,
        gpu_ms=7,
        memory_mib=6,
        tokens_in=100,
        tokens_out=7,
        history_root=poseidon([2, 0, signed.session.message(DOMAIN)]),
    )
    assert {index: state.account(index) for index in (0, 1, 3)} == {index: before[index] for index in (0, 1, 3)}
    assert path_root(after.leaf(), 2, step.children) == state.root


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"agent": 9}, "unknown agent", "9"),
    ({"provider_index": 77}, "unknown provider", "77"),
    ({"nonce": 1}, "wrong nonce", "1"),
    ({"expiry": L1_TIME - 1}, "the session has expired", str(L1_TIME - 1)),
    ({"signer": 3}, "the signature is not the agent's", "a signature that does not verify"),
    ({"domain": Domain(1337, 0xC0FFEE, 0)}, "the signature is not the agent's", "a signature that does not verify"),
    ({"domain": Domain(31337, 0xC0FFED, 0)}, "the signature is not the agent's", "a signature that does not verify"),
    ({"domain": Domain(31337, 0xC0FFEE, 1)}, "the signature is not the agent's", "a signature that does not verify"),
]


@pytest.mark.parametrize(("changes", "message", "got"), REFUSED)
def test_a_session_that_does_not_hold_changes_nothing(
    world: Genesis, changes: dict[str, Any], message: str, got: str
) -> None:
    state = world.state()
    root = state.root
    with pytest.raises(BadInputError) as caught:
        state.apply_session(make_session(**changes), DOMAIN, L1_TIME)
    assert (caught.value.message, caught.value.got) == (message, got)
    assert caught.value.place == "sessions.jsonl:1"
    assert state.root == root


def test_the_expiry_itself_is_still_in_time(world: Genesis) -> None:
    world.state().apply_session(make_session(expiry=L1_TIME), DOMAIN, L1_TIME)


def test_a_changed_record_voids_the_signature(world: Genesis) -> None:
    signed = make_session()
    record = dataclasses.replace(signed.session.records[0], tokens_in=101)
    session = dataclasses.replace(signed.session, records=(record, *signed.session.records[1:]))
    with pytest.raises(BadInputError, match="the signature is not the agent's"):
        world.state().apply_session(SignedSession(session, signed.signature), DOMAIN, L1_TIME)


def test_a_signature_with_s_above_the_order_is_refused(world: Genesis) -> None:
    order = 2736030358979909402780800718157159386076813972158567259200215660948447373041  # EIP-2494
    signed = make_session()
    malleated = Signature(signed.signature.r8, signed.signature.s + order)
    with pytest.raises(BadInputError, match="the signature is not the agent's"):
        world.state().apply_session(SignedSession(signed.session, malleated), DOMAIN, L1_TIME)


def test_a_replayed_session_has_the_wrong_nonce(world: Genesis) -> None:
    state = world.state()
    state.apply_session(make_session(), DOMAIN, L1_TIME)
    with pytest.raises(BadInputError) as caught:
        state.apply_session(make_session(), DOMAIN, L1_TIME)
    assert (caught.value.message, caught.value.expected, caught.value.got) == ("wrong nonce", "1", "0")


def test_a_fee_above_the_balance_is_refused(world: Genesis) -> None:
    state = world.state()
    state.put(2, dataclasses.replace(state.account(2), balance=498))
    root = state.root
    with pytest.raises(BadInputError) as caught:
        state.apply_session(make_session(), DOMAIN, L1_TIME)
    assert caught.value.message == "the fee overdraws the agent's account"
    assert (caught.value.expected, caught.value.got) == ("at most 498, the balance of account 2", "499")
    assert state.root == root
    state.put(2, dataclasses.replace(state.account(2), balance=499))
    state.apply_session(make_session(), DOMAIN, L1_TIME)
    assert state.account(2).balance == 0


def test_the_last_nonce_is_never_used(world: Genesis) -> None:
    state = world.state()
    state.put(2, dataclasses.replace(state.account(2), nonce=2**32 - 1))
    with pytest.raises(BadInputError, match="nonces are used up"):
        state.apply_session(make_session(nonce=2**32 - 1), DOMAIN, L1_TIME)


def test_a_credit_that_leaves_the_balance_is_refused(world: Genesis) -> None:
    state = world.state()
    state.put(1, dataclasses.replace(state.account(1), balance=2**96 - 5))
    state.credit(1, 4)
    with pytest.raises(BadInputError, match="balance does not fit"):
        state.credit(1, 1)
