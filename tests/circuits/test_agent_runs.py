"""The batch circuit against the node's own arithmetic: honest batches satisfy it, each lie fails, counts stand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.eddsa import public_key, sign
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.statements import protocol
from aitbc_rollup.circuits.statements.agent_runs import Shape, compile_agent_runs
from aitbc_rollup.rollup.accounts import Account
from aitbc_rollup.rollup.batch import Batch, BatchContext, bind, build, circuit_inputs
from aitbc_rollup.rollup.records import Domain, RunRecord, Session, SignedSession
from aitbc_rollup.rollup.state import State

SHAPE = Shape(2, 1)
DOMAIN = Domain(31337, 0xC0FFEE, 3)
AGENT, OTHER, PROVIDER, OPERATOR = 5, 0x89ABCDEF, 2, 9
PAYOUT = 0xBEEF
TIME = 1_700_000_000
KEYS = {index: bytes([index % 251] * 32) for index in (AGENT, OTHER, PROVIDER, OPERATOR)}

Inputs = dict[str, Any]


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return compile_agent_runs(SHAPE)


def genesis(balance: int = 10**9) -> State:
    state = State()
    for index, key in KEYS.items():
        state.put(index, Account(public_key=public_key(key), l1_owner=index, permissions=1, balance=balance))
    return state


def record(fee: int = 100, **fields: int) -> RunRecord:
    usage = dict.fromkeys(protocol.USAGE, 7)
    return RunRecord(**{**usage, "fee": fee, "sequence": 1, "task": R - 1, "parents": 5, "outcome": 1, **fields})


def signed(agent: int, nonce: int, records: list[RunRecord], **terms: int) -> SignedSession:
    fields: dict[str, Any] = {"fee_cap": 1 << 40, "operator_share_bps": 333, "expiry": TIME, **terms}
    session = Session(agent_index=agent, provider_index=PROVIDER, nonce=nonce, records=tuple(records), **fields)
    return SignedSession(session, sign(KEYS[agent], session.message(DOMAIN)))


def context(state: State, number: int = 1) -> BatchContext:
    return BatchContext(domain=DOMAIN, batch_number=number, mode=1, l1_time=TIME, operator_index=OPERATOR)


def batch(sessions: list[SignedSession], state: State | None = None) -> Batch:
    state = state or genesis()
    return build(state, sessions, context(state), SHAPE)


@pytest.fixture(scope="module")
def full() -> Inputs:
    """Both slots in use, one session full and one of a single record."""
    first = signed(AGENT, 0, [record(fee=i, wall_ms=(1 << 32) - 1) for i in range(16)])
    return circuit_inputs(batch([first, signed(OTHER, 0, [record(fee=99)])]), PAYOUT)


def violation(circuit: CompiledCircuit, inputs: Inputs) -> str | None:
    found = check(circuit, circuit.witness(inputs))
    return None if found is None else f"{found.component}: {found.message}"


def changed(inputs: Inputs, change: Callable[[Inputs], None], *, rebind: bool = False) -> Inputs:
    """A copy with something altered."""
    copied = copy.deepcopy(inputs)
    change(copied)
    return copied


# -- honest batches ---------------------------------------------------------------------------------------------


def test_a_full_batch_holds(circuit: CompiledCircuit, full: Inputs) -> None:
    assert violation(circuit, full) is None
    public = circuit.public_inputs(circuit.witness(full))
    assert public == [full["commitment"], full["zeta"], full["evaluation"], PAYOUT]


def test_an_unused_slot_changes_nothing(circuit: CompiledCircuit) -> None:
    one = batch([signed(AGENT, 0, [record()])])
    assert len(one.words) == protocol.data_words(1)
    assert violation(circuit, circuit_inputs(one, PAYOUT)) is None


def test_one_agent_twice_and_who_is_provider_operator_and_agent_at_once(circuit: CompiledCircuit) -> None:
    twice = batch([signed(AGENT, 0, [record()]), signed(AGENT, 1, [record()] * 3)])
    assert violation(circuit, circuit_inputs(twice, PAYOUT)) is None
    state = genesis()
    own = [signed(PROVIDER, 0, [record()]), signed(OPERATOR, 0, [record()])]
    assert violation(circuit, circuit_inputs(batch(own, state), PAYOUT)) is None


def test_edges_of_balances_and_fees(circuit: CompiledCircuit) -> None:
    """A fee that empties the account, a fee of zero, a share of zero and of the cap, the top of every width."""
    state = genesis(balance=(1 << 64) - 1)
    drained = signed(AGENT, 0, [record(fee=(1 << 64) - 1)], fee_cap=(1 << 64) - 1, operator_share_bps=2000)
    free = signed(OTHER, 0, [record(fee=0, sequence=(1 << 48) - 1)], fee_cap=0, operator_share_bps=0)
    done = batch([drained, free], state)
    assert state.account(AGENT).balance == 0
    assert violation(circuit, circuit_inputs(done, PAYOUT)) is None


# -- lies -------------------------------------------------------------------------------------------------------

LIES: dict[str, tuple[Callable[[Inputs], None], str]] = {
    "another fee than signed": (lambda i: _record(i, 0, 3, "fee", 1), "signature"),
    "another usage than signed": (lambda i: _record(i, 0, 3, "tokens_in", 8), "signature"),
    "another task than signed": (lambda i: _record(i, 1, 0, "task", 8), "signature"),
    "a usage above 32 bits": (lambda i: _record(i, 0, 0, "cpu_ms", 1 << 32), "fit 32 bits"),
    "a negative usage": (lambda i: _record(i, 0, 0, "gpu_ms", R - 1), "fit 32 bits"),
    "a negative fee": (lambda i: _record(i, 0, 0, "fee", R - 1), "fit 64 bits"),
    "an outcome of 4": (lambda i: _record(i, 0, 0, "outcome", 4), "fit 2 bits"),
    "a sequence above 48 bits": (lambda i: _record(i, 0, 0, "sequence", 1 << 48), "fit 48 bits"),
    "a record beyond the count": (lambda i: _record(i, 1, 1, "fee", 1), "beyond the session's count"),
    "a hidden task beyond the count": (lambda i: _record(i, 1, 15, "task", 1), "beyond the session's count"),
    "a count one too small": (lambda i: _set(i, "session_count", 0, 15), "beyond the session's count"),
    "a count above the room": (lambda i: _set(i, "session_count", 0, 17), "count is not the number"),
    "a count of zero": (lambda i: _set(i, "session_count", 1, 0), "active exactly when"),
    "an inactive first slot": (lambda i: _set(i, "session_active", 0, 0), "active exactly when"),
    "an activity of 2": (lambda i: _set(i, "session_active", 0, 2), ""),
    "a nonce not the account's": (lambda i: _set(i, "session_nonce", 0, 1), "nonce is not the account's"),
    "a replayed nonce, made up in both": (lambda i: _nonce(i, 0, 1), ""),
    "a balance made up": (lambda i: _set(i, "session_account_balance", 0, 10**12), "own child"),
    "a key made up": (lambda i: _set(i, "session_account_public_key_x", 0, 0), ""),
    "another agent's index": (lambda i: _set(i, "session_agent_index", 0, AGENT + 4), ""),
    "an index above 32 bits": (lambda i: _set(i, "session_agent_index", 0, AGENT + (1 << 32)), ""),
    "another provider": (lambda i: _set(i, "session_provider_index", 0, OTHER), ""),
    "a provider slot of another account": (lambda i: _set(i, "provider_index", 0, OPERATOR), ""),
    "a share above the cap": (lambda i: _set(i, "session_operator_share_bps", 0, 2001), ""),
    "a cap below the fee": (lambda i: _set(i, "session_fee_cap", 1, 98), ""),
    "an expiry before the L1 time": (lambda i: i.update(l1_time=TIME + 1), ""),
    "another chain": (lambda i: i.update(chain_id=1), "signature"),
    "another contract": (lambda i: i.update(contract=1), "signature"),
    "another shard": (lambda i: i.update(shard=4), "signature"),
    "another batch number": (lambda i: i.update(batch_number=2), "C is not the commitment"),
    "another mode": (lambda i: i.update(mode=0), "C is not the commitment"),
    "another old root": (lambda i: i.update(old_root=1), "under the root"),
    "another operator": (lambda i: i.update(operator_index=PROVIDER), ""),
    "another C": (lambda i: i.update(commitment=1), "C is not the commitment"),
    "another ζ": (lambda i: i.update(zeta=1), "y is not the data polynomial"),
    "another y": (lambda i: i.update(evaluation=1), "y is not the data polynomial"),
    "S changed": (lambda i: _set(i, "session_signature_s", 0, 1), "signature"),
    "R8 changed": (lambda i: _set(i, "session_signature_r8_x", 0, 1), ""),
    "a wrong sibling": (lambda i: _child(i, "session_children", 0, 7, 3), "own child"),
    "a wrong provider sibling": (lambda i: _child(i, "provider_children", 0, 15, 1), "under the root"),
}


def _set(inputs: Inputs, name: str, slot: int, value: int) -> None:
    inputs[name][slot] = value


def _record(inputs: Inputs, slot: int, row: int, field: str, value: int) -> None:
    inputs["session_records"][slot][row][protocol.RECORD_FIELDS.index(field)] = value


def _nonce(inputs: Inputs, slot: int, value: int) -> None:
    inputs["session_nonce"][slot] = inputs["session_account_nonce"][slot] = value


def _child(inputs: Inputs, name: str, slot: int, level: int, place: int) -> None:
    inputs[name][slot][level][place] += 1


@pytest.mark.parametrize("name", LIES)
def test_a_lie_fails(circuit: CompiledCircuit, full: Inputs, name: str) -> None:
    change, message = LIES[name]
    found = violation(circuit, changed(full, change))
    assert found is not None
    assert message in found


def test_payout_is_bound_and_nothing_but_public(circuit: CompiledCircuit, full: Inputs) -> None:
    """Another payout is another statement, not a false one; the wire stands in a constraint all the same."""
    other = changed(full, lambda i: i.update(payout=1))
    assert violation(circuit, other) is None
    wire = 4
    assert any(bool((matrix.wires == wire).any()) for matrix in (circuit.r1cs.a, circuit.r1cs.b))


def test_funds_cannot_be_split_another_way(circuit: CompiledCircuit) -> None:
    """(balance + 2^96, nonce − 1) packs to the same leaf: it would undo the overdraft check and replay a nonce.

    Built consistently: the session is signed for the replayed nonce, and every hash and root that follows fits.
    """
    state = genesis(balance=50)
    state.put(AGENT, Account(public_key=public_key(KEYS[AGENT]), l1_owner=AGENT, permissions=1, balance=50, nonce=1))
    honest = circuit_inputs(batch([signed(AGENT, 1, [record(fee=50)])], state), PAYOUT)
    assert violation(circuit, honest) is None
    cheat = changed(honest, lambda i: _nonce(i, 0, 0))
    cheat["session_account_balance"][0] = 50 + (1 << protocol.BALANCE_BITS)
    found = violation(circuit, cheat)
    assert found is not None
    assert "fit 96 bits" in found


def test_an_overdraft_fails(circuit: CompiledCircuit, full: Inputs) -> None:
    """A session over the balance, with everything but the balance made to fit."""
    poor = genesis(balance=10)
    rich = genesis(balance=1000)
    honest = circuit_inputs(batch([signed(AGENT, 0, [record(fee=11)])], rich), PAYOUT)
    step = poor.step(AGENT)
    cheat = changed(honest, lambda i: i.update(old_root=poor.root))
    cheat["session_account_balance"][0] = 10
    cheat["session_children"][0] = [list(family) for family in step.children]
    found = violation(circuit, cheat)
    assert found is not None
    assert "fit 96 bits" in found


def test_an_idle_slot_cannot_move_money(circuit: CompiledCircuit) -> None:
    inputs = circuit_inputs(batch([signed(AGENT, 0, [record()])]), PAYOUT)
    for change in (
        lambda i: _record(i, 1, 0, "fee", 5),
        lambda i: _set(i, "session_count", 1, 1),
        lambda i: _set(i, "session_account_balance", 1, 0),
    ):
        assert violation(circuit, changed(inputs, change)) is not None


def test_slots_fill_from_the_front(circuit: CompiledCircuit) -> None:
    """An idle slot before a used one would shift words past the posted length."""
    state = genesis()
    used = signed(AGENT, 0, [record()])
    inputs = circuit_inputs(build(state, [used], context(state), SHAPE), PAYOUT)

    def swap(i: Inputs) -> None:
        for name, value in i.items():
            if name.startswith("session_"):
                value.reverse()

    assert violation(circuit, changed(inputs, swap)) is not None


def test_data_of_another_batch_does_not_bind(circuit: CompiledCircuit, full: Inputs) -> None:
    """C and y over altered words, consistent with each other, do not fit the records."""
    for word in range(protocol.HEADER_WORDS + 3):
        done = batch([signed(AGENT, 0, [record()])])
        words = list(done.words)
        words[word] ^= 1
        binding = bind(words, SHAPE)
        inputs = circuit_inputs(done, PAYOUT)
        inputs |= {
            "commitment": binding.commitment,
            "zeta": binding.zeta,
            "evaluation": binding.evaluation,
        }
        assert violation(circuit, inputs) is not None, word


def test_compilation_is_deterministic(circuit: CompiledCircuit) -> None:
    again = compile_agent_runs(SHAPE)
    assert again.structure_hash == circuit.structure_hash
    assert compile_agent_runs(Shape(2, 2)).structure_hash != circuit.structure_hash


@pytest.mark.parametrize(("sessions", "providers"), [(0, 1), (1, 0), (1, 2), (4097, 1)])
def test_impossible_shapes_are_refused(sessions: int, providers: int) -> None:
    with pytest.raises(ValueError, match="providers <= sessions"):
        Shape(sessions, providers)


def test_every_wire_stands_in_a_constraint(circuit: CompiledCircuit) -> None:
    r1cs = circuit.r1cs
    used = np.zeros(r1cs.n_wires, bool)
    for matrix in (r1cs.a, r1cs.b, r1cs.c):
        used[matrix.wires] = True
    assert [circuit.wire_name(int(wire)) for wire in np.flatnonzero(~used) if wire] == []
