"""Transfers whose signatures are posted: total, and with no bit that its prover chooses."""

from __future__ import annotations

from typing import NamedTuple

from ...api import Circuit, Variable
from ...gadgets.compare import is_zero
from ...gadgets.poseidon import poseidon
from ...gadgets.ranges import boolean, equal, less_than, pack, uint
from ...gadgets.short_eddsa import short_signature_is_valid
from ...gadgets.windows import best_window
from ...template import template
from ..batch.accounts import exists
from ..batch.layout import (
    ADDRESS_BITS,
    AMOUNT_BITS,
    FEE_BITS,
    LAST_NONCE,
    TIME_BITS,
    TRANSFER_AMOUNTS,
    TRANSFER_RESULT,
    TRANSFER_TERMS,
    Tag,
)
from ..batch.memory import Clock, State
from ..batch.queue import is_inside
from ..batch.sessions import MONEY_BITS, all_of
from ..batch.shape import Shape
from ..batch.slots import Roles, in_use
from ..batch.transfers import l1_owner

#: What a transfer says of itself, in the circuit's input order.
TERMS = ("active", *(name for name, _ in (*TRANSFER_TERMS, *TRANSFER_AMOUNTS)), "challenge", "s")


class Applied(NamedTuple):
    """What a transfer comes to; ``first`` and ``second`` are 1 if sender's and receiver's account are accessed."""

    sender: list[Variable]
    receiver: list[Variable]
    words: list[Variable]
    result: Variable
    fee: Variable
    first: Variable
    second: Variable


@template
def apply_full_transfer(
    circuit: Circuit,
    domain: Variable,
    l1_time: Variable,
    terms: list[Variable],
    sender: list[Variable],
    receiver: list[Variable],
    number: Variable,
    *,
    index_bits: int,
    window: int,
) -> Applied:
    """States after the transfer, its four data words and its result; ``number`` is the signature's own.

    Beyond the circuit's indices there is no account, and nothing is accessed; states that are not accessed say nothing.
    """
    transfer = dict(zip(TERMS, terms, strict=True))
    active = boolean(circuit, transfer["active"])
    for name, bits in (*TRANSFER_TERMS, *TRANSFER_AMOUNTS):
        transfer[name] = uint(circuit, transfer[name], bits)
    payer, payee = State(*sender).known(), State(*receiver).known()
    leaves, amount = transfer["exit"], transfer["amount"]
    inside_from, inside_to = (is_inside(circuit, transfer[name], index_bits) for name in ("from_index", "to_index"))
    packed = [pack(circuit, part, transfer) for part in (TRANSFER_TERMS, TRANSFER_AMOUNTS)]
    with circuit.component("message"):
        message = poseidon(circuit, [domain, *packed], int(Tag.TRANSFER))
    signed = short_signature_is_valid(
        circuit, payer[:2], transfer["challenge"], transfer["s"], message, instance=number, window=window
    )
    conditions = [
        inside_from * exists(circuit, payer),
        1 - leaves * (1 - is_zero(circuit, transfer["to_index"])),
        1 - (1 - leaves) * (1 - inside_to * exists(circuit, payee)),
        equal(circuit, transfer["nonce"], payer.nonce),
        1 - equal(circuit, transfer["nonce"], LAST_NONCE),
        signed,
        1 - less_than(circuit, transfer["expiry"], l1_time.within(0, (1 << TIME_BITS) - 1), TIME_BITS),
        1 - less_than(circuit, payer.balance, amount + transfer["fee"], MONEY_BITS),
    ]
    valid = (active * all_of(circuit, conditions)).within(0, 1)
    moved = valid * amount
    fee = (valid * transfer["fee"]).within(0, (1 << FEE_BITS) - 1)
    address = (valid * leaves * l1_owner(circuit, payer.owner)).within(0, (1 << ADDRESS_BITS) - 1)
    # A claim of nobody is none: the amount is lost.
    claimed = ((1 - is_zero(circuit, address)) * amount).within(0, (1 << AMOUNT_BITS) - 1)
    return Applied(
        sender=list(payer._replace(balance=payer.balance - moved - fee, nonce=payer.nonce + valid)),
        receiver=list(payee._replace(balance=payee.balance + moved)),
        words=[*packed, transfer["challenge"], transfer["s"]],
        result=pack(circuit, TRANSFER_RESULT, {"amount": claimed, "address": address, "valid": valid}),
        fee=fee,
        first=active * inside_from,
        second=active * (1 - leaves) * inside_to,
    )


class Transfers(NamedTuple):
    """What a full batch needs of its transfers: data words, results, fees, and how many."""

    words: list[Variable]
    results: list[Variable]
    fees: Variable
    active: Variable


def apply_full_transfers(
    circuit: Circuit, shape: Shape, clock: Clock, domain: Variable, l1_time: Variable
) -> Transfers:
    """Every slot, in order; the signatures' numbers begin at 0.

    Declares ``transfer_terms[n][10]`` (``TERMS``), and ``transfer_<role>`` as ``slots.Roles`` says, for the roles
    ``from`` and ``to``.
    """
    n = shape.transfers
    if n == 0:
        return Transfers([], [], circuit.constant(0), circuit.constant(0))
    terms = circuit.private_inputs("transfer_terms", n, len(TERMS))
    roles = Roles(circuit, clock, "transfer", ("from", "to"), n)
    numbers = [circuit.fixed(i) for i in range(n)]
    rows = [(domain, l1_time, *row) for row in zip(terms, *roles.columns(), numbers, strict=True)]
    window = best_window(shape.signatures)
    results = apply_full_transfer.repeat(circuit, rows, index_bits=shape.index_bits, window=window)
    with circuit.component("transfer_accesses"):
        for slot, applied in enumerate(results):
            transfer = dict(zip(TERMS, terms[slot], strict=True))
            first, second = clock.transfer(slot)
            roles.write("from", slot, first, transfer["from_index"], applied.sender, applied.first)
            roles.write("to", slot, second, transfer["to_index"], applied.receiver, applied.second)
        count = in_use(circuit, [row[0] for row in terms])
    return Transfers(
        words=[word for applied in results for word in applied.words],
        results=[applied.result for applied in results],
        fees=circuit.sum(applied.fee for applied in results),
        active=count,
    )
