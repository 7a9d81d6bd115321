"""The batch of agent runs: a shard's state root moves by queue items, registrations, transfers and sessions.

The statement, for public C, ζ, y and payout: *I know data words such that C and y are their commitment and evaluation,
and accounts, records and signatures, such that the sequential fold of the protocol ("Batch"), from the header's old
root, gives the results in the words and the header's new root.*

Where a batch's data do not all stand in the transaction (``Shape.kind``), y leaves out the words that lie elsewhere;
C holds them all. If they lie in a blob, its value at ζ modulo BLS12-381's group order is public too, and theirs.

What it does not say, because the contract checks it: that chain id, contract, shard, batch number, old root, mode and
L1 time in the header are the right ones, that the queue items are the contract's, and that counts and lengths agree.
What nobody checks: that ``task``, ``parents`` and ``cid`` mean what the agent claims.

The parts: ``pages`` feed ``sessions``; these, ``transfers``, ``registrations`` and the ``queue`` touch accounts through
``memory``; ``accounts`` opens and closes the leaves, ``tree`` holds them under the roots, ``signatures`` answers who
signed.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...api import Circuit, Variable
from ...compiler import CompiledCircuit
from ...gadgets.emulated import from_native
from ..blob import FIELD, evaluate_blob
from ..full.circuit import compile_full
from .accounts import exists, open_accounts
from .frame import commit, header_words, limb_bits, read_header, value_of_posted
from .layout import Kind
from .memory import Access, Clock, State, write
from .pages import absorb_pages
from .queue import apply_queue
from .registrations import apply_registrations
from .sessions import apply_sessions
from .shape import Shape
from .signatures import check_signatures
from .transfers import apply_transfers
from .tree import update_tree


def compile_batch(shape: Shape) -> CompiledCircuit:
    """The circuit of a shape, deterministic; that of a full batch is another (``full.circuit``).

    Its inputs: public ``commitment zeta evaluation payout``, and with a blob ``blob_value[2]`` before ``payout``, two
    halves of 128 bits, least first; private the ``frame.HEADER_INPUTS``, ``operator[9]`` and
    ``operator_previous`` (the operator's state before its credit, and when it was written), and what the parts declare,
    each in its docstring. Unused slots are zeros throughout, but ``page_state`` of an unused page is ``Tag.RECORDS``.
    """
    if shape.kind == Kind.FULL:
        return compile_full(shape)
    circuit = Circuit(f"agent_runs_{shape}", limb_bits=limb_bits(shape))
    commitment, zeta, evaluation = (circuit.public_input(name) for name in ("commitment", "zeta", "evaluation"))
    blob_value = circuit.public_inputs("blob_value", 2) if shape.kind == Kind.BLOB else []
    payout = circuit.public_input("payout")
    header, domain = read_header(circuit)
    clock = Clock(shape)

    update_tree(circuit, shape, header["old_root"], header["new_root"])
    open_accounts(circuit, shape)
    queue = apply_queue(circuit, shape, clock)
    registrations = apply_registrations(circuit, shape, clock)
    transfers = apply_transfers(circuit, shape, clock, domain, header["l1_time"])
    absorb_pages(circuit, shape)
    sessions = apply_sessions(circuit, shape, clock, domain, header["l1_time"])
    _credit_operator(circuit, clock, header["operator_index"], sessions.shares + transfers.fees)
    check_signatures(circuit, shape)

    counts: dict[str, Variable | int] = {
        "queue_items": queue.active,
        "registrations": registrations.active,
        "transfers": transfers.active,
        "sessions": sessions.active,
        "records": sessions.records,
    }
    words = header_words(circuit, header, counts)
    words += [*queue.words, *queue.results, *registrations.words, *transfers.words, *sessions.words]
    with circuit.component("data"):
        words = commit(circuit, words, commitment)
        if shape.elsewhere:  # what is posted has no unused room; what a blob or attesters hold has, and it is zero
            _leave_room_empty(circuit, registrations.slots, registrations.words)
            _leave_room_empty(circuit, sessions.slots, sessions.words)
        value = value_of_posted(circuit, shape, words, zeta)
        circuit.assert_equal(value, evaluation, "y is not the data polynomial at ζ")
        _ = payout * payout  # an input in no constraint of its own is one that a verifier could fail to bind
    if shape.kind == Kind.BLOB:
        with circuit.component("blob"):
            _bind_blob(circuit, shape, words, zeta, blob_value)
    return circuit.compile()


def _credit_operator(circuit: Circuit, clock: Clock, index: Variable, amount: Variable) -> None:
    """The operator, whose account must exist, gets its shares and fees."""
    with circuit.component("operator"):
        before = State(*circuit.private_inputs("operator", len(State._fields)))
        previous = circuit.private_input("operator_previous")
        circuit.assert_equal(exists(circuit, before), 1, "the operator's account does not exist")
        access = Access(index, before, previous, circuit.constant(1))
        write(circuit, clock, clock.operator, access, before._replace(balance=before.balance + amount))


def _leave_room_empty(circuit: Circuit, slots: Sequence[Variable], words: Sequence[Variable]) -> None:
    """Hold the words of slots that are not in use to 0; one constraint a word."""
    for slot, used in enumerate(slots):
        width = len(words) // len(slots)
        for word in words[slot * width : (slot + 1) * width]:
            circuit.assert_product(1 - used, word, 0, "a word of a slot that is not in use")


def _bind_blob(
    circuit: Circuit, shape: Shape, words: Sequence[Variable], zeta: Variable, claimed: Sequence[Variable]
) -> None:
    """The blob's polynomial, whose coefficients are the words elsewhere, has the claimed value at ζ.

    The point is the one integer below r that ζ is, which is what the contract hands to the precompile.
    """
    in_blob = [word for start, count in shape.elsewhere for word in words[start : start + count]]
    point = from_native(circuit, zeta, field=FIELD)
    for found, half in zip(evaluate_blob(circuit, in_blob, point), claimed, strict=True):
        circuit.assert_equal(found, half, "b is not the blob's value at ζ")
