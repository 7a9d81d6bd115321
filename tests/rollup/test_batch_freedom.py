"""What a prover may choose in the batch circuit: nothing, but what stands in slots that are not used.

The batch here uses every kind of slot and leaves one of each. Every input, and a sample of all hints and wires, is
altered one at a time; then come the lies that need two places at once: lanes of a packed word that make up for one
another, counts on a bus that add up to one, a time turned round.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from batch_world import account, context, queue_item, registration, session, transfer

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.statements.batch import layout, memory
from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.circuits.statements.batch.layout import QueueKind
from aitbc_rollup.circuits.statements.batch.memory import Clock
from aitbc_rollup.circuits.statements.batch.pages import TOTALS_A, TOTALS_B
from aitbc_rollup.circuits.statements.batch.queue import ITEM
from aitbc_rollup.circuits.statements.batch.sessions import TERMS as SESSION_TERMS
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.circuits.statements.batch.transfers import TERMS as TRANSFER_TERMS
from aitbc_rollup.circuits.testing import hint_wires, survivors
from aitbc_rollup.rollup.batch import Batch, build
from aitbc_rollup.rollup.binding import Binding
from aitbc_rollup.rollup.posted import PostedSession
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.transactions import Transactions
from aitbc_rollup.rollup.witness_inputs import circuit_inputs

SHAPE = Shape(
    pages=2, sessions=2, accounts=6, queue=2, registrations=2, transfers=2, signatures=6, index_bits=3
)  # fmt: skip
OPERATOR, PROVIDER, ALICE, BOB, NEW = 0, 1, 2, 3, 5
#: Of each input with slots, how many are used; what is not here is used throughout.
USED = {
    "account": 5, "node": 1, "page": 1, "queue": 1, "registration": 1, "transfer": 1, "session": 1, "signature": 3,
}  # fmt: skip
#: What an unused slot is held to: its flag, what enters data words, and what makes an absent record, child or leaf.
HELD_UNUSED = ("_used", "_words", "_items", "_present", "_records", "page_last", "page_state", "_touched")

Inputs = dict[str, Any]


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return compile_batch(SHAPE)


def new_state() -> State:
    state = State()
    for index in (OPERATOR, PROVIDER, ALICE, BOB):
        state.put(index, account(index))
    return state


def everything() -> Batch:
    items = Transactions(
        queue=(queue_item(QueueKind.TRANSFER, ALICE, 5, b=BOB),),
        registrations=(registration(NEW),),
        transfers=(transfer(ALICE, to_index=BOB),),
        sessions=(session(ALICE, 1, provider_index=PROVIDER, countersigner=PROVIDER),),
    )
    made = build(new_state(), items, context(), SHAPE)
    assert not made.results.refusals
    return made


@pytest.fixture(scope="module")
def honest(circuit: CompiledCircuit) -> Inputs:
    inputs = circuit_inputs(everything(), 1)
    assert accepted(circuit, inputs)
    return inputs


def accepted(circuit: CompiledCircuit, inputs: Inputs) -> bool:
    return check(circuit, circuit.witness(inputs)) is None


def flat(inputs: Inputs, name: str) -> list[int]:
    value = inputs[name]
    return from_limbs(value.reshape(-1, 4)) if isinstance(value, np.ndarray) else [int(value)]


def altered(inputs: Inputs, changes: dict[tuple[str, int], int]) -> Inputs:
    """The inputs with some values changed by so much, each named by its array and place in it."""
    made = dict(inputs)
    for (name, place), change in changes.items():
        values = flat(made, name)
        values[place] = (values[place] + change) % R
        value = made[name]
        made[name] = to_limbs(values).reshape(value.shape) if isinstance(value, np.ndarray) else values[0]
    return made


def places(circuit: CompiledCircuit) -> Iterator[tuple[str, int, bool]]:
    """Every private input: its array, its place there, and whether its slot is used."""
    for item in circuit.private:
        used = USED.get(item.name.split("_")[0])
        width = item.size // item.shape[0] if item.shape else 1
        for place in range(item.size):
            # of the lowest nodes two are used: those of accounts 0 to 3 and of account 5
            in_use = used is None or not item.shape or place // width < used + (item.name.endswith("_1") and used == 1)
            yield item.name, place, in_use


def test_inputs_in_use_are_held(circuit: CompiledCircuit, honest: Inputs) -> None:
    hold_inputs(circuit, honest, random.Random(1).sample(list(places(circuit)), 30))


@pytest.mark.heavy
def test_every_input_in_use_is_held(circuit: CompiledCircuit, honest: Inputs) -> None:
    hold_inputs(circuit, honest, list(places(circuit)))


def hold_inputs(circuit: CompiledCircuit, honest: Inputs, chosen: list[tuple[str, int, bool]]) -> None:
    """Each altered by one is noticed, unless it stands in an unused slot."""
    free = [
        (name, place, used) for name, place, used in chosen if accepted(circuit, altered(honest, {(name, place): 1}))
    ]
    assert not [(name, place) for name, place, used in free if used or name.endswith(HELD_UNUSED)]


@pytest.mark.heavy
def test_no_hint_and_no_wire_is_free_but_inverses_of_zero(circuit: CompiledCircuit, honest: Inputs) -> None:
    found = survivors(circuit, honest, max_lies=400)
    assert {made.honest for made in found} == {0}
    parts = {made.wire.split(".")[-2].split("[")[0] for made in found}
    assert parts == {"is_zero", "_signature_is_valid", "key"}, "all of them vanish() or is_zero()"


# -- lanes of packed words -----------------------------------------------------------------------------------------


def lanes() -> Iterator[Any]:
    """Neighbours in a packed word, and the bits of the lower one."""
    packed = [
        ("queue_items", ITEM, layout.QUEUE_ITEM),
        ("transfer_terms", TRANSFER_TERMS, layout.TRANSFER),
        ("transfer_terms", TRANSFER_TERMS, layout.TRANSFER_TERMS),
        ("transfer_terms", TRANSFER_TERMS, layout.TRANSFER_AMOUNTS),
        ("session_terms", SESSION_TERMS, layout.SESSION),
        ("session_terms", SESSION_TERMS, layout.SESSION_TERMS),
        ("session_terms", SESSION_TERMS, TOTALS_A),
        ("session_terms", SESSION_TERMS, TOTALS_B),
        ("account_before", memory.State._fields, layout.FUNDS),
        ("account_after", memory.State._fields, layout.FUNDS),
        ("page_records", layout.RECORD_FIELDS, layout.RECORD_WORD_0),
        ("page_records", layout.RECORD_FIELDS, layout.RECORD_WORD_1),
    ]
    for name, fields, parts in packed:
        for (low, bits), (high, _) in pairwise(parts):
            if low in fields and high in fields:
                yield pytest.param(name, fields.index(low), fields.index(high), bits, id=f"{name}-{low}-{high}")


@pytest.mark.parametrize(("name", "low", "high", "bits"), list(lanes()))
def test_lanes_of_a_word_do_not_make_up_for_one_another(
    circuit: CompiledCircuit, honest: Inputs, name: str, low: int, high: int, bits: int
) -> None:
    """The word stays what it is, and with it every hash, tuple and data word: ranges alone are in the way."""
    assert not accepted(circuit, altered(honest, {(name, low): 1 << bits, (name, high): -1}))


# -- counts --------------------------------------------------------------------------------------------------------

#: Arrays that count messages, a used slot and one that is not; the slots' other arrays begin with the same word.
COUNTS = [
    *(("node_used_1", 0, slot) for slot in (2, 3)),
    ("account_used", 0, 5),
    ("signature_used", 0, 3),
    ("registration_active", 0, 1),
    ("page_last", 0, 1),
]


@pytest.mark.parametrize(("name", "used", "spare"), COUNTS)
@pytest.mark.parametrize("count", [2, -1, pow(2, -1, R)])
def test_counts_that_add_up_to_one_are_refused(
    circuit: CompiledCircuit, honest: Inputs, name: str, used: int, spare: int, count: int
) -> None:
    """A slot twice in the circuit, once with a count of c and once with 1 − c: the buses would balance."""
    inputs = dict(honest)
    level = "_1" if name.endswith("_1") else ""
    for item in circuit.private:
        if item.name.startswith(name.split("_")[0]) and item.name.endswith(level) and item.shape:
            value = inputs[item.name].copy()
            value[spare] = value[used]
            inputs[item.name] = value
    assert not accepted(circuit, altered(inputs, {(name, used): count - 1, (name, spare): -count}))


# -- time ----------------------------------------------------------------------------------------------------------


def turned_round() -> Inputs:
    """Two transfers of one sender in the wrong order: the first reads what the second writes.

    All else is in order: states, hashes, signatures, data words. Valid it is not, for its nonce is not yet there.
    """
    items = Transactions(transfers=(transfer(ALICE, to_index=BOB), transfer(ALICE, 1, to_index=PROVIDER)))
    batch = build(new_state(), items, context(), SHAPE)
    inputs = circuit_inputs(batch, 1)
    for name in ("transfer_terms", "transfer_from", "transfer_to"):
        inputs[name] = inputs[name][::-1].copy()
    (first, to_first), (second, to_second) = Clock(SHAPE).transfer(0), Clock(SHAPE).transfer(1)
    last = {OPERATOR: Clock(SHAPE).operator, ALICE: first, BOB: to_second, PROVIDER: to_first}
    inputs["transfer_from_previous"] = to_limbs([second, 0]).reshape(2, 4)
    inputs["account_last"] = to_limbs([last.get(entry.index, 0) for entry in batch.accounts] + [0, 0]).reshape(6, 4)
    section, words = SHAPE.sections["transfers"], batch.data.polynomial(SHAPE)
    middle = section.start + section.words // 2
    words[section.start : middle], words[middle : middle + 2] = (
        words[middle : middle + 2],
        words[section.start : middle],
    )
    names = ("commitment", "zeta", "evaluation", "payout")
    return inputs | dict(zip(names, Binding.of(words, b"posted", b"").public_inputs(1), strict=True))


def test_nobody_reads_the_future(circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A circuit that does not compare times takes it."""
    assert not accepted(circuit, turned_round())
    monkeypatch.setattr(memory, "uint", lambda *_: None)
    assert accepted(compile_batch(SHAPE), turned_round())


# -- hints that make up for one another ----------------------------------------------------------------------------


@pytest.mark.parametrize("more", [1, -1])
def test_the_operators_share_is_rounded_down(
    circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    """A wei more or less in a fold that is otherwise in order, with a remainder of 10,000 less or more."""
    share = PostedSession.operator_share.fget
    assert share is not None
    monkeypatch.setattr(PostedSession, "operator_share", property(lambda posted: share(posted) + more))
    batch = everything()
    inputs = circuit_inputs(batch, 1)
    part = "main.apply_session[0].share"
    quotient, remainder, *_ = (wire for wire in hint_wires(circuit) if circuit.wire_name(wire).startswith(part))
    true_share, posted = share(batch.data.sessions[0]), batch.data.sessions[0]
    rest = posted.fee * posted.operator_share_bps - true_share * layout.BASIS_POINTS
    lies = {quotient: true_share + more, remainder: (rest - more * layout.BASIS_POINTS) % R}
    violation = check(circuit, circuit.witness(inputs, overrides=lies))
    assert violation is not None and violation.unpaired
    assert all(lost.located.component.startswith(part) for lost in violation.unpaired)
