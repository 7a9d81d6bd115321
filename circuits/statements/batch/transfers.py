"""Transfers from one account to another, or out to L1; total, as sessions are."""

from __future__ import annotations

from typing import NamedTuple

from ...api import Circuit, Variable
from ...gadgets.poseidon import poseidon
from ...gadgets.ranges import boolean, equal, less_than, pack, uint
from ...template import template
from .accounts import exists
from .layout import (
    ADDRESS_BITS,
    AMOUNT_BITS,
    FEE_BITS,
    INDEX_BITS,
    LAST_NONCE,
    NONCE_BITS,
    TIME_BITS,
    TRANSFER,
    TRANSFER_AMOUNTS,
    TRANSFER_TERMS,
    Tag,
)
from .memory import Clock, State
from .sessions import MONEY_BITS, all_of
from .shape import Shape
from .signatures import request
from .slots import Roles, in_use

#: What a transfer says of itself, in the circuit's input order; ``signed`` is what the signatures' slot finds.
TERMS = ("active", "from_index", "to_index", "nonce", "exit", "expiry", "amount", "fee", "signed")


class Applied(NamedTuple):
    """What a transfer comes to; ``credited`` is 1 if the second account is accessed."""

    sender: list[Variable]
    receiver: list[Variable]
    words: list[Variable]
    message: Variable
    fee: Variable
    credited: Variable


def l1_owner(circuit: Circuit, owner: Variable) -> Variable:
    """The address in an owner word (l1_owner + permissions · 2^160, below 2^192 since its registration)."""
    (permissions,) = circuit.hint_limbs(owner, 1, 32, ADDRESS_BITS)
    permissions = uint(circuit, permissions, 32)
    return uint(circuit, owner - permissions * (1 << ADDRESS_BITS), ADDRESS_BITS)


@template
def apply_transfer(
    circuit: Circuit,
    domain: Variable,
    l1_time: Variable,
    terms: list[Variable],
    sender: list[Variable],
    receiver: list[Variable],
) -> Applied:
    """States after the transfer and its two data words. Indices are those of accounts, by the accesses."""
    transfer = dict(zip(TERMS, terms, strict=True))
    for name in ("active", "exit", "signed"):
        transfer[name] = boolean(circuit, transfer[name])
    for name, bits in (("nonce", NONCE_BITS), ("expiry", TIME_BITS), ("amount", AMOUNT_BITS), ("fee", FEE_BITS)):
        transfer[name] = uint(circuit, transfer[name], bits)
    for name in ("from_index", "to_index"):
        transfer[name] = transfer[name].within(0, (1 << INDEX_BITS) - 1)
    circuit.assert_product(transfer["exit"], transfer["to_index"], 0, "an exit names no second account")
    payer, payee = State(*sender).known(), State(*receiver).known()
    spent = transfer["amount"] + transfer["fee"]
    inside = 1 - transfer["exit"]
    conditions = [
        exists(circuit, payer),
        equal(circuit, transfer["nonce"], payer.nonce),
        1 - equal(circuit, transfer["nonce"], LAST_NONCE),
        transfer["signed"],
        1 - less_than(circuit, transfer["expiry"], l1_time.within(0, (1 << TIME_BITS) - 1), TIME_BITS),
        1 - inside * (1 - exists(circuit, payee)),
        1 - less_than(circuit, payer.balance, spent, MONEY_BITS),
    ]
    valid = (transfer["active"] * all_of(circuit, conditions)).within(0, 1)
    amount = valid * transfer["amount"]
    fee = (valid * transfer["fee"]).within(0, (1 << FEE_BITS) - 1)
    with circuit.component("message"):
        words: list[Variable | int] = [
            domain, pack(circuit, TRANSFER_TERMS, transfer), pack(circuit, TRANSFER_AMOUNTS, transfer),
        ]  # fmt: skip
        message = poseidon(circuit, words, int(Tag.TRANSFER))
    claim = valid * transfer["exit"] * l1_owner(circuit, payer.owner)
    return Applied(
        sender=list(payer._replace(balance=payer.balance - amount - fee, nonce=payer.nonce + valid)),
        receiver=list(payee._replace(balance=payee.balance + amount)),
        words=[
            pack(circuit, TRANSFER, {**transfer, "fee": fee, "valid": valid}),
            transfer["amount"] + claim * (1 << AMOUNT_BITS),
        ],
        message=message,
        fee=fee,
        credited=transfer["active"] * inside,
    )


class Transfers(NamedTuple):
    """What a batch needs of its transfers: data words, fees, and how many."""

    words: list[Variable]
    fees: Variable
    active: Variable


def apply_transfers(circuit: Circuit, shape: Shape, clock: Clock, domain: Variable, l1_time: Variable) -> Transfers:
    """Every slot, in order.

    Declares ``transfer_terms[n][9]`` (``TERMS``), and ``transfer_<role>`` as ``slots.Roles`` says, for the roles
    ``from`` and ``to``.
    """
    n = shape.transfers
    if n == 0:
        return Transfers([], circuit.constant(0), circuit.constant(0))
    terms = circuit.private_inputs("transfer_terms", n, len(TERMS))
    roles = Roles(circuit, clock, "transfer", ("from", "to"), n)
    rows = [(domain, l1_time, *row) for row in zip(terms, *roles.columns(), strict=True)]
    results = apply_transfer.repeat(circuit, rows)
    with circuit.component("transfer_accesses"):
        for slot, applied in enumerate(results):
            transfer = dict(zip(TERMS, terms[slot], strict=True))
            request(circuit, roles.state("from", slot), applied.message, transfer["signed"], transfer["active"])
            first, second = clock.transfer(slot)
            roles.write("from", slot, first, transfer["from_index"], applied.sender, transfer["active"])
            roles.write("to", slot, second, transfer["to_index"], applied.receiver, applied.credited)
        count = in_use(circuit, [row[0] for row in terms])
    return Transfers(
        words=[word for applied in results for word in applied.words],
        fees=circuit.sum(applied.fee for applied in results),
        active=count,
    )
