"""The accounts a batch touches: each is opened under the old root and closed under the new one, once.

A leaf is 0 where there is no account, which is where ``public_key_x`` is 0; then every field is 0. What changes between
opening and closing is the business of whoever accesses the account (``memory``).
"""

from __future__ import annotations

from ...api import Circuit, Variable
from ...gadgets.compare import is_zero
from ...gadgets.poseidon import permute
from ...gadgets.ranges import boolean, uint
from ...template import template
from .layout import BALANCE_BITS, FUNDS, NONCE_BITS, Tag, shifts
from .memory import ACCOUNTS, State
from .shape import Shape
from .tree import NODES


def exists(circuit: Circuit, state: State) -> Variable:
    """1 where there is an account, else 0; 2 constraints."""
    return 1 - is_zero(circuit, state.public_key_x).within(0, 1)


def _leaf(circuit: Circuit, state: State, there: Variable) -> Variable:
    """The leaf's hash, or 0; 403 constraints, and 12 for the ranges that make the split of ``funds`` unique."""
    balance = uint(circuit, state.balance, BALANCE_BITS)
    nonce = uint(circuit, state.nonce, NONCE_BITS)
    funds = balance + nonce * (1 << shifts(FUNDS)["nonce"])
    words = [
        state.public_key_x, state.public_key_y, state.owner, funds, state.usage_a, state.usage_b, state.history_root,
        state.external_id,
    ]  # fmt: skip
    return there * permute(circuit, [int(Tag.ACCOUNT), *words], n_outputs=1)[0]


@template
def account_slot(
    circuit: Circuit, used: Variable, index: Variable, last: Variable, before: list[Variable], after: list[Variable]
) -> None:
    """Open an account's leaf and write its state at time 0; read the state of time ``last`` and close the leaf.

    An account that is not there has fields of 0 when it is opened, and no access changes it but a registration; so the
    leaf it is closed with needs no such check.
    """
    used = boolean(circuit, used)
    first, final = State(*before), State(*after)
    there, there_after = exists(circuit, first), exists(circuit, final)
    for name, value in first._asdict().items():
        if name != "public_key_x":
            circuit.assert_product(1 - there, value, 0, f"{name} of an account that does not exist")
    leaves = [_leaf(circuit, first, there), _leaf(circuit, final, there_after)]
    circuit.receive(NODES, [index, 0, *leaves], used)
    circuit.send(ACCOUNTS, [index, 0, *first], used)
    circuit.receive(ACCOUNTS, [index, last, *final], used)


def open_accounts(circuit: Circuit, shape: Shape) -> None:
    """Every account's slot.

    Declares ``account_used[n]``, ``account_index[n]``, ``account_last[n]`` (the time of the last access, 0 for none),
    ``account_before[n][9]`` and ``account_after[n][9]`` (fields as in ``memory.State``).
    """
    n = shape.accounts
    columns = (
        *(circuit.private_inputs(f"account_{name}", n) for name in ("used", "index", "last")),
        *(circuit.private_inputs(f"account_{name}", n, len(State._fields)) for name in ("before", "after")),
    )
    account_slot.repeat(circuit, list(zip(*columns, strict=True)))
