"""The batch of agent runs: a shard's state root moves by queue items, registrations, transfers and sessions.

The statement, for public C, ζ, y and payout: *I know data words such that C and y are their commitment and evaluation,
and accounts, records and signatures, such that the sequential fold of the protocol ("Batch"), from the header's old
root, gives the results in the words and the header's new root.*

What it does not say, because the contract checks it: that chain id, contract, shard, batch number, old root, mode and
L1 time in the header are the right ones, that the queue items are the contract's, and that counts and lengths agree.
What nobody checks: that ``task``, ``parents`` and ``cid`` mean what the agent claims.

The parts: ``pages`` feed ``sessions``; these, ``transfers``, ``registrations`` and the ``queue`` touch accounts through
``memory``; ``accounts`` opens and closes the leaves, ``tree`` holds them under the roots, ``signatures`` answers who
signed.
"""

from __future__ import annotations

from ...api import Circuit, Variable
from ...compiler import CompiledCircuit
from ...gadgets.poseidon import poseidon, sponge
from ...gadgets.ranges import pack, uint
from .accounts import exists, open_accounts
from .layout import COUNTS, HEADER, INDEX_BITS, TIME_BITS, VERSION, Tag
from .memory import Access, Clock, State, write
from .pages import absorb_pages
from .queue import apply_queue
from .registrations import apply_registrations
from .sessions import apply_sessions
from .shape import Shape
from .signatures import check_signatures
from .transfers import apply_transfers
from .tree import update_tree

#: Header words and parts of them that are private inputs.
HEADER_INPUTS = (
    "chain_id", "contract", "shard", "batch_number", "mode", "l1_time", "old_root", "new_root", "operator_index",
)  # fmt: skip


def limb_bits(shape: Shape) -> int:
    """Width of the range tables: larger ones pay from about 512 records on."""
    return 11 if shape.records >= 512 else 8


def compile_batch(shape: Shape) -> CompiledCircuit:
    """The circuit of a shape, deterministic.

    Its inputs: public ``commitment zeta evaluation payout``; private the ``HEADER_INPUTS``, ``operator[9]`` and
    ``operator_previous`` (the operator's state before its credit, and when it was written), and what the parts declare,
    each in its docstring. Unused slots are zeros throughout, but ``page_state`` of an unused page is ``Tag.RECORDS``.
    """
    circuit = Circuit(f"agent_runs_{shape}", limb_bits=limb_bits(shape))
    commitment, zeta, evaluation, payout = (
        circuit.public_input(name) for name in ("commitment", "zeta", "evaluation", "payout")
    )
    header = {name: circuit.private_input(name) for name in HEADER_INPUTS}
    header["l1_time"] = uint(circuit, header["l1_time"], TIME_BITS)
    header["operator_index"] = uint(circuit, header["operator_index"], INDEX_BITS)
    domain = poseidon(circuit, [header[name] for name in ("chain_id", "contract", "shard")], int(Tag.DOMAIN))
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

    counts = {
        "queue_items": queue.active,
        "registrations": registrations.active,
        "transfers": transfers.active,
        "sessions": sessions.active,
        "records": sessions.records,
        "operator_index": header["operator_index"],
    }
    header |= {"version": circuit.constant(VERSION), "counts": pack(circuit, COUNTS, counts)}
    words = [header[name] for name in HEADER]
    words += [*queue.words, *queue.results, *registrations.words, *transfers.words, *sessions.words]
    with circuit.component("data"):
        _bind_data(circuit, words, commitment, zeta, evaluation)
        _ = payout * payout  # an input in no constraint of its own is one that a verifier could fail to bind
    return circuit.compile()


def _credit_operator(circuit: Circuit, clock: Clock, index: Variable, amount: Variable) -> None:
    """The operator, whose account must exist, gets its shares and fees."""
    with circuit.component("operator"):
        before = State(*circuit.private_inputs("operator", len(State._fields)))
        previous = circuit.private_input("operator_previous")
        circuit.assert_equal(exists(circuit, before), 1, "the operator's account does not exist")
        access = Access(index, before, previous, circuit.constant(1))
        write(circuit, clock, clock.operator, access, before._replace(balance=before.balance + amount))


def _bind_data(
    circuit: Circuit, words: list[Variable], commitment: Variable, zeta: Variable, evaluation: Variable
) -> None:
    """C is the words' sponge, y their polynomial at ζ (Horner: one constraint a word)."""
    words = [circuit.materialise(word) for word in words]
    circuit.assert_equal(sponge(circuit, Tag.BATCH, words), commitment, "C is not the commitment to the data words")
    value = words[-1]
    for word in reversed(words[:-1]):
        value = circuit.multiply_add(value, zeta, word)
    circuit.assert_equal(value, evaluation, "y is not the data polynomial at ζ")
