"""Batches whose data do not all stand in the transaction: their circuits, and what holds the words elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from batch_world import (
    ALICE,
    BOB,
    PROVIDER,
    context,
    new_state,
    queue_item,
    registration,
    session,
    transfer,
)
from eth_hash.auto import keccak

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import sponge
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets.emulated import capped_digits
from aitbc_rollup.circuits.statements.batch.circuit import compile_batch
from aitbc_rollup.circuits.statements.batch.frame import limb_bits
from aitbc_rollup.circuits.statements.batch.layout import DATA_TAG, MODE, Kind, QueueKind, Tag, pack
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.circuits.testing import hint_wires, unused_wires
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.batch import Batch, build
from aitbc_rollup.rollup.binding import Binding, to_data, to_words
from aitbc_rollup.rollup.blob import evaluate
from aitbc_rollup.rollup.data import decode, words_in_blob
from aitbc_rollup.rollup.kzg import Blob
from aitbc_rollup.rollup.transactions import Transactions
from aitbc_rollup.rollup.witness_inputs import circuit_inputs

PAYOUT = 0xABCDEF
SHAPE = Shape(pages=2, sessions=2, accounts=7, queue=1, registrations=2, transfers=1, signatures=4, index_bits=18)
KINDS = (Kind.BLOB, Kind.ATTESTED)


def shape_of(kind: Kind) -> Shape:
    return replace(SHAPE, kind=kind)


@pytest.fixture(scope="module")
def circuits() -> dict[Kind, CompiledCircuit]:
    return {kind: compile_batch(shape_of(kind)) for kind in KINDS}


def batch(kind: Kind, **items: Any) -> Batch:
    """A batch with one of everything, or with these; there is room for another registration and another session."""
    items = items or {
        "queue": (queue_item(QueueKind.DEPOSIT, ALICE),),
        "registrations": (registration(),),
        "transfers": (transfer(BOB, exit=True),),
        "sessions": (session(countersigner=PROVIDER),),
    }
    mode = pack(MODE, {"development_keys": True, "kind": kind})
    return build(new_state(), Transactions(**items), context(mode=mode), shape_of(kind))


def holds(circuit: CompiledCircuit, inputs: dict[str, Any]) -> bool:
    return check(circuit, circuit.witness(inputs)) is None


def public(inputs: dict[str, Any], binding: Binding) -> dict[str, Any]:
    """The same inputs under another binding."""
    named = {"commitment": binding.commitment, "zeta": binding.zeta, "evaluation": binding.evaluation}
    return inputs | named | ({} if binding.blob_value is None else {"blob_value": binding.blob_halves})


@pytest.mark.parametrize("kind", KINDS)
def test_an_honest_batch_has_a_witness(circuits: dict[Kind, CompiledCircuit], kind: Kind) -> None:
    circuit, made = circuits[kind], batch(kind)
    assert not made.results.refusals
    witness = circuit.witness(circuit_inputs(made, PAYOUT))
    violation = check(circuit, witness)
    assert violation is None, violation.render()
    assert circuit.public_inputs(witness) == made.binding.public_inputs(PAYOUT)
    assert holds(circuit, circuit_inputs(batch(kind, sessions=(session(), session(BOB))), PAYOUT))


@pytest.mark.parametrize("kind", KINDS)
def test_every_wire_is_held_and_every_input_the_circuits(circuits: dict[Kind, CompiledCircuit], kind: Kind) -> None:
    circuit = circuits[kind]
    assert unused_wires(circuit.r1cs) == []
    assert set(circuit_inputs(batch(kind), PAYOUT)) == {item.name for item in circuit.inputs}


@pytest.mark.parametrize("kind", KINDS)
def test_the_binding_is_what_the_protocol_says(kind: Kind) -> None:
    data, shape = batch(kind).data, shape_of(kind)
    words, binding, blob = data.polynomial(shape), data.binding(shape), data.blob(shape)
    sections = data.sections
    posted = [*sections["header"], *sections["queue_results"], *sections["transfers"]]
    assert to_words(data.posted, "posted") == posted
    assert to_words(data.elsewhere, "elsewhere") == [*sections["registrations"], *sections["sessions"]]
    assert binding.commitment == sponge(Tag.BATCH, words)
    assert (blob is None) == (kind == Kind.ATTESTED)
    drawn = keccak(
        DATA_TAG
        + binding.commitment.to_bytes(32, "big")
        + keccak(data.posted)
        + keccak(data.queue_bytes)
        + (blob.versioned_hash if blob else b"")
    )
    assert binding.zeta == int.from_bytes(drawn, "big") % R
    rooms = shape.sections
    hidden = {i for name in ("registrations", "sessions") for i in range(rooms[name].start, sum(rooms[name]))}
    value = sum(word * pow(binding.zeta, i, R) for i, word in enumerate(words) if i not in hidden)
    assert binding.evaluation == value % R
    expected = [binding.commitment, binding.zeta, binding.evaluation]
    if blob:
        b = sum(words[i] * binding.zeta**j for j, i in enumerate(sorted(hidden))) % SCALAR_MODULUS
        assert binding.blob_value == b
        expected += [b % 2**128, b >> 128]
    assert binding.statement == expected
    assert binding.public_inputs(9) == [*expected, 9]
    assert binding.digest == keccak(to_data(expected))


# -- the forger ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_y_leaves_out_what_lies_elsewhere(circuits: dict[Kind, CompiledCircuit], kind: Kind) -> None:
    """Under the same ζ, y over every word is another one, and so is y without the registrations alone."""
    made = batch(kind)
    words, zeta = made.data.polynomial(made.shape), made.binding.zeta
    inputs = circuit_inputs(made, PAYOUT)
    for hidden in ((), ("registrations",), ("sessions",)):
        shown = list(words)
        for start, count in (made.shape.sections[name] for name in hidden):
            shown[start : start + count] = [0] * count
        forged = sum(word * pow(zeta, i, R) for i, word in enumerate(shown)) % R
        assert forged != inputs["evaluation"]
        assert not holds(circuits[kind], inputs | {"evaluation": forged})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("section", ["registrations", "sessions"])
def test_c_holds_the_words_elsewhere(circuits: dict[Kind, CompiledCircuit], kind: Kind, section: str) -> None:
    """C, ζ, y and b made of data that differ from what is proven, in a word that is not posted."""
    made = batch(kind)
    words, shape = made.data.polynomial(made.shape), made.shape
    words[shape.sections[section].start] += 1
    blob = made.data.blob(shape)
    other = Binding.of(words, made.data.posted, made.data.queue_bytes, elsewhere=shape.elsewhere, blob=blob)
    assert not holds(circuits[kind], public(circuit_inputs(made, PAYOUT), other))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("section", "name"), [("registrations", "registration_words"), ("sessions", "session_terms")])
def test_room_elsewhere_is_empty(circuits: dict[Kind, CompiledCircuit], kind: Kind, section: str, name: str) -> None:
    """A word that nothing else holds, in a slot that is not in use: C, y and b are of the words with it."""
    made = batch(kind)
    inputs, words, shape = circuit_inputs(made, PAYOUT), made.data.polynomial(made.shape), made.shape
    # a registration's external id, and a session's index of its agent, which stands in its second word
    slot, last = inputs[name].copy(), {"registrations": 4, "sessions": 1}[section]
    slot[1, last, 0] = 7
    words[shape.sections[section].start + shape.sections[section].words // 2 + last] = 7
    blob = None
    if kind == Kind.BLOB:
        blob = Blob.of_words([word for start, count in shape.elsewhere for word in words[start : start + count]])
    other = Binding.of(words, made.data.posted, made.data.queue_bytes, elsewhere=shape.elsewhere, blob=blob)
    forged = public(inputs | {name: slot}, other)
    violation = check(circuits[kind], circuits[kind].witness(forged))
    assert violation is not None
    assert "a slot that is not in use" in violation.render()


LIES: dict[str, Callable[[int, int, list[int]], int]] = {
    "one more": lambda b, zeta, words: b + 1,
    "not canonical": lambda b, zeta, words: b + SCALAR_MODULUS,
    "halves swapped": lambda b, zeta, words: (b >> 128) + (b % 2**128 << 128),
    "at another point": lambda b, zeta, words: evaluate(words, zeta * zeta),
    "without the registrations": lambda b, zeta, words: evaluate([0] * 10 + words[10:], zeta),
    "without the sessions": lambda b, zeta, words: evaluate(words[:10], zeta),
    "a word plus r": lambda b, zeta, words: evaluate([words[0] + R, *words[1:]], zeta),
    "over r": lambda b, zeta, words: sum(word * pow(zeta, i, R) for i, word in enumerate(words)) % R,
}


@pytest.mark.parametrize("lie", LIES)
def test_b_is_the_blobs_value(circuits: dict[Kind, CompiledCircuit], lie: str) -> None:
    made = batch(Kind.BLOB)
    blob, binding = made.data.blob(made.shape), made.binding
    assert blob is not None and binding.blob_value is not None
    forged = LIES[lie](binding.blob_value, binding.zeta, list(blob.words))
    assert forged != binding.blob_value and forged < 2**256
    inputs = circuit_inputs(made, PAYOUT)
    assert not holds(circuits[Kind.BLOB], inputs | {"blob_value": [forged % 2**128, forged >> 128]})


def test_the_point_is_canonical(circuits: dict[Kind, CompiledCircuit]) -> None:
    """The forger takes ζ + r for the point, with b of it: every constraint holds but that the top digit is in range."""
    circuit, made = circuits[Kind.BLOB], batch(Kind.BLOB)
    blob, point = made.data.blob(made.shape), made.binding.zeta + R
    assert blob is not None
    forged = evaluate(blob.words, point)
    part = "main.blob.from_native"
    top, bit, *_ = (wire for wire in hint_wires(circuit) if circuit.wire_name(wire).startswith(part))
    _, weight, _ = capped_digits(limb_bits(made.shape))
    inputs = circuit_inputs(made, PAYOUT) | {"blob_value": [forged % 2**128, forged >> 128]}
    violation = check(circuit, circuit.witness(inputs, overrides={top: point // weight, bit: 0}))
    assert violation is not None and violation.unpaired
    assert all(lost.located.component.startswith(part) for lost in violation.unpaired)


# -- one kind is not another -----------------------------------------------------------------------------------------


def test_a_circuit_of_another_kind_is_refused() -> None:
    data = batch(Kind.BLOB).data
    for kind in (Kind.CALLDATA, Kind.ATTESTED):
        with pytest.raises(BadInputError, match="the circuit is for another kind of batch"):
            data.binding(shape_of(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_one_kinds_witness_is_not_anothers(circuits: dict[Kind, CompiledCircuit], kind: Kind) -> None:
    """The same batch, y over all its words: what calldata's circuit takes, these do not."""
    made = batch(Kind.CALLDATA)
    inputs = circuit_inputs(made, PAYOUT)
    if kind == Kind.BLOB:
        inputs |= {"blob_value": [0, 0]}
    assert not holds(circuits[kind], inputs)
    assert made.data.elsewhere == b""


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_words_and_back(kind: Kind) -> None:
    data = batch(kind).data
    words, others = to_words(data.posted, "posted"), to_words(data.elsewhere, "elsewhere")
    assert decode(words, data.queue_items, "data", others) == data
    for wrong, place in ((others[:-1], "data, elsewhere"), ([], "data, elsewhere"), ([*others, 0], "data, elsewhere")):
        with pytest.raises(BadInputError, match="the length does not fit the counts") as caught:
            decode(words, data.queue_items, "data", wrong)
        assert caught.value.place == place
    with pytest.raises(BadInputError, match="the length does not fit the counts"):
        decode([*words, *others], data.queue_items, "data")  # all of it posted, as a batch of calldata has it
    with pytest.raises(BadInputError, match="the length does not fit the counts"):
        decode(to_words(batch(Kind.CALLDATA).data.posted, "posted"), data.queue_items, "data", others)
    with pytest.raises(BadInputError, match="bits are set above the last field"):
        decode(words, data.queue_items, "data", [*others[:-1], others[-1] + 2**252])


def test_a_blob_and_back() -> None:
    made = batch(Kind.BLOB)
    blob = made.data.blob(made.shape)
    assert blob is not None
    counts = {"registrations": 1, "sessions": 1}
    found = words_in_blob(Blob.of_data(blob.data), counts, made.shape.registrations, "blob")
    assert to_data(found) == made.data.elsewhere
    wrong: list[tuple[dict[str, int], int]] = [
        ({"registrations": 0}, 2),  # one that nobody counts
        ({"sessions": 0}, 2),
        ({}, 1),  # room for fewer: the session begins later than one looks
        ({"registrations": 3}, 2),
        ({"sessions": 2**32 - 1}, 2),
        ({"sessions": 1363}, 2),  # 10 + 3 · 1363 words are more than a blob has
        ({}, 2**16 - 1),
    ]
    for changes, room in wrong:
        with pytest.raises(BadInputError, match="the blob's words do not fit the counts"):
            words_in_blob(blob, counts | changes, room, "blob")
