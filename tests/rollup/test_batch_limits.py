"""The edges of what a circuit can hold: what lies beyond is refused by it, and nobody else's money is stuck for it."""

from __future__ import annotations

import pytest
from batch_world import (
    FREE,
    OPERATOR,
    account,
    context,
    new_state,
    queue_item,
    record,
    registration,
    session,
    transfer,
)

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.circuits.statements.batch.layout import QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup import batch, genesis, rebuild, transition
from aitbc_rollup.rollup.batch import Batch, build
from aitbc_rollup.rollup.binding import to_words
from aitbc_rollup.rollup.data import decode
from aitbc_rollup.rollup.journal import Journal
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.transactions import Transactions
from aitbc_rollup.rollup.witness_inputs import circuit_inputs

#: An odd number of bits: below the tree's node that holds all indices there is room for as many again.
SHAPE = Shape(pages=1, sessions=1, accounts=3, queue=1, registrations=1, transfers=1, signatures=1, index_bits=17)
BEYOND = 1 << 17


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return compile_batch(SHAPE)


def proven(circuit: CompiledCircuit, state: State, items: Transactions, operator: int = OPERATOR) -> bool:
    made = build(state, items, context(operator_index=operator), SHAPE)
    return check(circuit, circuit.witness(circuit_inputs(made, 0))) is None


@pytest.mark.parametrize(
    ("index", "operator"),
    [(BEYOND, OPERATOR), (BEYOND, BEYOND), (2 * BEYOND + 5, 2 * BEYOND + 5), (2**32 - 1, 2**32 - 1)],
    ids=["beside the others", "paid itself", "alone in its part of the tree", "at the end of the tree"],
)
def test_no_account_is_registered_where_no_queue_item_finds_it(
    circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, index: int, operator: int
) -> None:
    """The tree has room there. But forced exits from such an account would do nothing, and deposits bounce."""
    registered = Transactions(registrations=(registration(index),))
    with pytest.raises(BadInputError, match="no account can be registered"):
        proven(circuit, new_state(), registered, operator)
    monkeypatch.setattr(batch, "Journal", lambda state, index_bits: Journal(state))
    assert not proven(circuit, new_state(), registered, operator)


def test_an_operator_who_names_nobody_beyond_hides_nothing(
    circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tree's room beyond may be looked at, and is empty: such a transfer is proven to do nothing, and rebuilt."""
    monkeypatch.setattr(batch, "Journal", lambda state, index_bits: Journal(state))
    state = new_state()
    assert state.root
    made = build(State(state), Transactions(transfers=(transfer(BEYOND, to_index=OPERATOR),)), context(), SHAPE)
    assert not made.data.transfers[0].valid
    assert check(circuit, circuit.witness(circuit_inputs(made, 0))) is None
    rebuild.apply(state, decode(to_words(made.data.posted, "data"), (), "data"), "data")


def test_the_last_index_is_an_account_like_any(circuit: CompiledCircuit) -> None:
    state, last = new_state(), BEYOND - 1
    assert proven(circuit, state, Transactions(registrations=(registration(last),)))
    paid = Transactions(
        queue=(queue_item(QueueKind.DEPOSIT, last, 5),),
        transfers=(transfer(last, to_index=OPERATOR, amount=4, fee=1),),
    )
    assert proven(circuit, state, paid)
    assert (state.account(last).balance, state.account(last).nonce) == (0, 1)


def test_a_queue_item_at_a_time_fits_the_smallest_shape_that_has_a_queue(circuit: CompiledCircuit) -> None:
    """Two accounts and the operator's; with room for fewer, a stranger's item would hold up the queue for good."""
    item = queue_item(QueueKind.TRANSFER, FREE, b=FREE + 1)
    assert proven(circuit, new_state(), Transactions(queue=(item,)))
    room = {"pages": 1, "sessions": 1, "registrations": 0, "transfers": 0, "signatures": 1}
    with pytest.raises(ValueError, match="a shape needs 3 <= accounts"):
        Shape(accounts=2, queue=1, **room)
    Shape(accounts=2, queue=1, index_bits=1, **room)  # there are no more
    Shape(accounts=1, queue=0, **room)


def test_no_deposit_outgrows_an_account_of_genesis(circuit: CompiledCircuit) -> None:
    """All that genesis gives and the contract holds, on one account."""
    half = (1 << genesis.HOLDINGS_BITS) - 1
    state = new_state()
    state.put(FREE, account(FREE, balance=2 * half - layout.BASIS_POINTS))
    assert proven(circuit, state, Transactions(queue=(queue_item(QueueKind.DEPOSIT, FREE, layout.BASIS_POINTS),)))
    assert state.account(FREE).balance == 2 * half < 1 << layout.BALANCE_BITS


def test_the_largest_development_genesis_is_one() -> None:
    most = (2 + genesis.MAX_DEVELOPMENT_AGENTS) * genesis.DEVELOPMENT_BALANCE
    assert most < 1 << genesis.HOLDINGS_BITS


# -- a session's usage ---------------------------------------------------------------------------------------------

#: Room for a session whose usage can come to 2^42: 1,025 records of 2^32 − 1.
LONG = Shape(pages=65, sessions=1, accounts=3, queue=0, registrations=0, transfers=0, signatures=1)


@pytest.fixture(scope="module")
def long_circuit() -> CompiledCircuit:
    return compile_batch(LONG)


def most_usage(records: int) -> Batch:
    most = record(fee=1, **dict.fromkeys(layout.USAGE, 2**32 - 1))
    items = Transactions(sessions=(session(records=(most,) * records),))
    return build(new_state(), items, context(), LONG)


@pytest.mark.parametrize(("records", "valid"), [(1024, True), (1025, False)])
def test_usage_beyond_its_lane_is_proven_to_do_nothing(
    long_circuit: CompiledCircuit, records: int, valid: bool
) -> None:
    made = most_usage(records)
    assert made.data.sessions[0].valid == valid
    assert check(long_circuit, long_circuit.witness(circuit_inputs(made, 0))) is None


def test_usage_beyond_its_lane_runs_into_no_other(
    long_circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fold takes the session for valid, and posts totals that carry into one another."""
    true_pack = layout.pack

    def pack(parts: layout.Layout, values: dict[str, int]) -> int:
        if parts is not layout.SESSION_USAGE:
            return true_pack(parts, values)
        return sum(values[name] << start for name, start in layout.shifts(parts).items()) % R

    monkeypatch.setattr(layout, "pack", pack)
    monkeypatch.setattr(transition, "judge_session", lambda *_: None)
    made = most_usage(1025)
    assert made.data.sessions[0].valid
    assert check(long_circuit, long_circuit.witness(circuit_inputs(made, 0))) is not None
