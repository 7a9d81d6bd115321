"""An account's proof: what L1 answers, and the plain twin of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from batch_world import ALICE, BOB, FREE, OPERATOR, new_state

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.account_proof import AccountProof, is_account, prove_account
from aitbc_rollup.rollup.state import State


@pytest.fixture(scope="module")
def proof() -> AccountProof:
    return prove_account(new_state(), ALICE)


@pytest.mark.parametrize("index", [OPERATOR, ALICE, BOB])
def test_every_account_has_a_proof(index: int) -> None:
    state = new_state()
    found = prove_account(state, index)
    assert found.root == state.root
    assert found.leaf == tuple(state.account(index).leaf_words)
    assert is_account(found)


def test_it_is_about_the_state_as_it_is_now() -> None:
    state = new_state()
    before = prove_account(state, ALICE)
    state.put(BOB, state.account(BOB).moved(1))
    after = prove_account(state, ALICE)
    assert is_account(before) and is_account(after)
    assert before.root != after.root
    assert not is_account(replace(before, root=after.root))


@pytest.mark.parametrize("state", [new_state(), State()])
def test_nobody_has_no_proof(state: State) -> None:
    with pytest.raises(BadInputError, match="there is no account to prove") as caught:
        prove_account(state, FREE)
    assert caught.value.place == f"account {FREE}"


@pytest.mark.parametrize("part", ["leaf", "siblings"])
@pytest.mark.parametrize("change", [lambda x: x ^ 1, lambda x: x + R, lambda x: -1])
def test_every_word_counts(proof: AccountProof, part: str, change) -> None:
    words = getattr(proof, part)
    for i, word in enumerate(words):
        assert not is_account(replace(proof, **{part: (*words[:i], change(word), *words[i + 1 :])}))
    assert not is_account(replace(proof, **{part: words[:-1]}))
    assert not is_account(replace(proof, **{part: (*words, 0)}))


def test_the_index_counts(proof: AccountProof) -> None:
    for bit in range(32):
        assert not is_account(replace(proof, index=proof.index ^ 1 << bit))
    for index in (proof.index + 2**32, proof.index - 2**32):
        assert not is_account(replace(proof, index=index))


def test_an_empty_leaf_is_nobody() -> None:
    state = new_state()
    siblings = prove_account(state, ALICE).siblings
    assert not is_account(AccountProof(state.root, ALICE, (0,) * 8, siblings))
