"""Accounts in a circuit: opening a leaf, changing it, crediting it (``docs/protocol.md``, "Account")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..api import Circuit, Variable
from ..gadgets.compare import num2bits
from ..gadgets.merkle import update
from ..gadgets.poseidon import poseidon
from ..gadgets.ranges import uint
from ..template import template
from .protocol import ASSET_NATIVE, BALANCE_BITS, FUNDS, INDEX_BITS, NONCE_BITS, TREE_ARITY, TREE_DEPTH, Tag, shifts

#: Fields of an account in the circuit's input order.
ACCOUNT_FIELDS = (
    "public_key_x", "public_key_y", "owner", "balance", "nonce", "usage_a", "usage_b", "history_root", "external_id",
)  # fmt: skip


def account_leaf(circuit: Circuit, account: Mapping[str, Variable]) -> Variable:
    """The leaf's hash. The asset is the constant 0, so no account of another asset can be opened.

    Nothing is range-checked here: ``balance`` and ``nonce`` share a word, and whoever opens a leaf must bound both,
    or (balance + 2^96, nonce − 1) opens it too.
    """
    funds = account["balance"] + account["nonce"] * (1 << shifts(FUNDS)["nonce"])
    words: list[Variable] = [
        circuit.constant(Tag.ACCOUNT), account["public_key_x"], account["public_key_y"], account["owner"],
        circuit.constant(ASSET_NATIVE), funds, account["usage_a"], account["usage_b"], account["history_root"],
        account["external_id"],
    ]  # fmt: skip
    return poseidon(circuit, words)


def assert_funds(circuit: Circuit, account: Mapping[str, Variable]) -> None:
    """Bounds that make the split of the leaf's ``funds`` word unique: 96 bits of balance, 32 of nonce."""
    uint(circuit, account["balance"], BALANCE_BITS)
    uint(circuit, account["nonce"], NONCE_BITS)


def move_leaf(
    circuit: Circuit,
    root: Variable,
    index: Variable,
    before: Mapping[str, Variable],
    after: Mapping[str, Variable],
    children: Sequence[Variable],
) -> Variable:
    """The root after the leaf at ``index`` goes from one account to another; the old one must lie under ``root``.

    ``children`` are the four hashes beside the path at each level, leaves first, flat. ``index`` gets its 32 bits.
    """
    bits = num2bits(circuit, index, INDEX_BITS)
    levels = [list(children[TREE_ARITY * k : TREE_ARITY * (k + 1)]) for k in range(TREE_DEPTH)]
    old_root, new_root = update(circuit, account_leaf(circuit, before), account_leaf(circuit, after), bits, levels)
    circuit.assert_equal(old_root, root, "the account does not lie under the root before it")
    return new_root


@template
def credit_account(
    circuit: Circuit,
    root: Variable,
    index: Variable,
    amount: Variable,
    account: list[Variable],
    children: list[Variable],
) -> Variable:
    """The root after ``amount`` (below 2^96, by the caller) is added to the balance of the account at ``index``."""
    before = dict(zip(ACCOUNT_FIELDS, account, strict=True))
    assert_funds(circuit, before)
    after = {**before, "balance": before["balance"] + amount}
    uint(circuit, after["balance"], BALANCE_BITS)
    return move_leaf(circuit, root, index, before, after, children)
