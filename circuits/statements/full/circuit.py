"""The full batch: a shard's state root moves by queue items, transfers and sessions that are posted whole.

The statement, for public C, ζ, y and payout: *I know data words such that C and y are their commitment and evaluation,
and accounts, such that the sequential fold of the protocol ("Full batches"), from the header's old root and over the
words that are inputs, gives the words that are the outcome: results, and the header's new root.*

It is proven where there is a dispute, by whoever likes, against whoever posted the words. So it is total: the contract
lets words pass by their widths alone, and all that pass have a witness; and it has one outcome: there is nothing in
an item's effect, nor in whether it is valid, that a prover could choose. ``docs/spec/full.md`` has the argument.

What it does not say, because the contract checks it, is what ``batch.circuit`` does not say either. That the records
behind a session are what its agent signed nobody checks.
"""

from __future__ import annotations

from ...api import Circuit, Variable
from ...compiler import CompiledCircuit
from ..batch.accounts import exists, open_accounts
from ..batch.frame import commit, header_words, limb_bits, read_header, value_of_posted
from ..batch.memory import Access, Clock, State, write
from ..batch.queue import apply_queue, is_inside
from ..batch.shape import Shape
from ..batch.tree import update_tree
from .sessions import apply_full_sessions
from .transfers import apply_full_transfers


def compile_full(shape: Shape) -> CompiledCircuit:
    """The circuit of a full batch's shape, deterministic.

    Its inputs: public ``commitment zeta evaluation payout``; private the ``frame.HEADER_INPUTS``, ``operator[9]`` and
    ``operator_previous`` (the operator's state before its credit, and when it was written), and what the parts declare,
    each in its docstring. Unused slots are zeros throughout.
    """
    circuit = Circuit(f"full_batch_{shape}", limb_bits=limb_bits(shape))
    commitment, zeta, evaluation, payout = (
        circuit.public_input(name) for name in ("commitment", "zeta", "evaluation", "payout")
    )
    header, domain = read_header(circuit)
    clock = Clock(shape)

    update_tree(circuit, shape, header["old_root"], header["new_root"])
    open_accounts(circuit, shape)
    queue = apply_queue(circuit, shape, clock)
    transfers = apply_full_transfers(circuit, shape, clock, domain, header["l1_time"])
    sessions = apply_full_sessions(circuit, shape, clock, domain, header["l1_time"])
    _credit_operator(circuit, shape, clock, header["operator_index"], sessions.shares + transfers.fees)

    counts: dict[str, Variable | int] = {
        "queue_items": queue.active,
        "registrations": 0,
        "transfers": transfers.active,
        "sessions": sessions.active,
        "records": 0,
    }
    words = header_words(circuit, header, counts)
    words += [*queue.words, *queue.results, *transfers.results, *transfers.words, *sessions.words]
    with circuit.component("data"):
        words = commit(circuit, words, commitment)
        value = value_of_posted(circuit, shape, words, zeta)
        circuit.assert_equal(value, evaluation, "y is not the data polynomial at ζ")
        _ = payout * payout  # an input in no constraint of its own is one that a verifier could fail to bind
    return circuit.compile()


def _credit_operator(circuit: Circuit, shape: Shape, clock: Clock, index: Variable, amount: Variable) -> None:
    """The operator gets its shares and fees, if it has an account: else nobody does."""
    with circuit.component("operator"):
        before = State(*circuit.private_inputs("operator", len(State._fields)))
        previous = circuit.private_input("operator_previous")
        inside = is_inside(circuit, index, shape.index_bits)
        credit = exists(circuit, before) * amount
        access = Access(index, before, previous, inside)
        write(circuit, clock, clock.operator, access, before._replace(balance=before.balance + credit))
