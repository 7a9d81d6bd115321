"""The tree updated for many leaves at once, against one built node by node."""

from __future__ import annotations

import random

from batch_world import ALICE, BOB, account, new_state

from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.rollup.accounts import NO_ACCOUNT, Account, leaves
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.tree import empty_node


def naive_root(found: dict[int, int], level: int = 16, index: int = 0) -> int:
    """The root by the definition, from leaves by index."""
    if not any(leaf >> 2 * level == index for leaf in found):
        return empty_node(level)
    if level == 0:
        return found[index]
    inside = {leaf: hashed for leaf, hashed in found.items() if leaf >> 2 * level == index}
    return poseidon([naive_root(inside, level - 1, 4 * index + place) for place in range(4)])


def test_a_leaf_is_what_the_protocol_says() -> None:
    made = account(ALICE, permissions=5, nonce=3, cpu_ms=7, tokens_out=9, history_root=11, external_id=13)
    words = [
        *made.public_key, made.l1_owner + 5 * 2**160, 10_000 + 3 * 2**96, 7 * 2**80, 9 * 2**160, 11, 13,
    ]  # fmt: skip
    assert made.leaf() == poseidon(words, initial_state=1)
    assert leaves([made, NO_ACCOUNT, made]) == [made.leaf(), 0, made.leaf()]
    assert leaves([]) == []
    assert NO_ACCOUNT.leaf() == 0


def test_an_account_goes_to_words_and_back() -> None:
    made = account(ALICE, nonce=3, tokens_out=9)
    assert Account.from_words(made.to_words()) == made


def test_roots_are_those_of_the_definition() -> None:
    choose = random.Random(4)
    state, found = State(), {}
    assert state.root == empty_node(16)
    for _ in range(3):
        for index in (choose.randrange(2**32), choose.randrange(40), choose.randrange(40), 2**32 - 1):
            made = account(ALICE, balance=choose.randrange(2**96))
            state.put(index, made)
            found[index] = made.leaf()
        assert state.root == naive_root(found)


def test_an_overlay_leaves_its_source_alone() -> None:
    below = new_state()
    root = below.root

    class Below:
        account = staticmethod(below.accounts.get)

        @staticmethod
        def node(level: int, index: int) -> int | None:
            return below.nodes.get((level, index))

    above = State(Below())
    assert above.root == root
    above.put(ALICE, above.account(ALICE).moved(1))
    both = {index: below.account(index).leaf() for index in below.accounts} | {ALICE: above.account(ALICE).leaf()}
    assert above.root == naive_root(both)
    assert (below.root, set(above.accounts)) == (root, {ALICE})
    assert above.account(BOB) == below.account(BOB)
    assert above.account(99) == NO_ACCOUNT


def test_touched_leaves_that_do_not_change_keep_the_root() -> None:
    state = new_state()
    root = state.root
    levels = state.update([ALICE, 99])
    assert [len(families) for families in levels][-1] == 1
    assert all(family.before == family.after for families in levels for family in families)
    assert state.root == root
