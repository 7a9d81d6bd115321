"""What people put on L1: deposits, exits and transfers that no operator can refuse. Every item has exactly one result.

Items are the contract's words, so nobody here chooses them; a circuit for fewer items than the queue holds takes the
first ones. The permission is the account's L1 owner, whom L1 has seen sending.
"""

from __future__ import annotations

from typing import NamedTuple

from ...api import Circuit, Variable
from ...gadgets.compare import is_zero
from ...gadgets.ranges import boolean, equal, less_than, pack, uint
from ...template import template
from .accounts import exists
from .layout import ADDRESS_BITS, AMOUNT_BITS, INDEX_BITS, QUEUE_ITEM, QUEUE_RESULT, QueueKind
from .memory import Clock, State
from .sessions import MONEY_BITS
from .shape import Shape
from .slots import Roles, in_use
from .transfers import l1_owner

#: Fields of an item in the circuit's input order.
ITEM = ("active", "kind", "a", "b", "amount", "sender")


class Applied(NamedTuple):
    """What an item comes to; ``first`` and ``second`` are 1 if account a or b is accessed."""

    a: list[Variable]
    b: list[Variable]
    words: list[Variable]
    result: Variable
    first: Variable
    second: Variable


@template
def apply_item(
    circuit: Circuit, item: list[Variable], a: list[Variable], b: list[Variable], *, index_bits: int
) -> Applied:
    """States after an item, its two words as the contract has them, and its result.

    Beyond the circuit's indices there is no account, and nothing is accessed.
    """
    fields = dict(zip(ITEM, item, strict=True))
    active = boolean(circuit, fields["active"])
    for name, bits in (*QUEUE_ITEM, ("sender", ADDRESS_BITS)):
        fields[name] = uint(circuit, fields[name], bits)
    amount, sender = fields["amount"], fields["sender"]
    first, second = State(*a).known(), State(*b).known()
    deposit, leave, transfer = (active * equal(circuit, fields["kind"], int(kind)) for kind in QueueKind)
    inside_a, inside_b = (is_inside(circuit, fields[name], index_bits) for name in "ab")
    there = inside_a * exists(circuit, first)
    owned = there * equal(circuit, sender, l1_owner(circuit, first.owner))
    short = less_than(circuit, first.balance, amount, MONEY_BITS)

    deposited = deposit * there
    left = leave * owned
    second_there = inside_b * exists(circuit, second)
    moved = transfer * owned * (second_there * (1 - short))
    taken = (amount + short * (first.balance - amount)).within(0, (1 << AMOUNT_BITS) - 1)  # the smaller of the two
    out, paid_in, passed = left * taken, deposited * amount, moved * amount
    bounced = deposit - deposited
    # At most one of these three is not 0, and at most one of left and bounced is 1.
    claimed = (out + bounced * amount).within(0, (1 << AMOUNT_BITS) - 1)
    address = ((left + bounced) * sender).within(0, (1 << ADDRESS_BITS) - 1)
    valid = (deposited + left + moved).within(0, 1)
    return Applied(
        a=list(first._replace(balance=first.balance + paid_in - out - passed)),
        b=list(second._replace(balance=second.balance + passed)),
        words=[pack(circuit, QUEUE_ITEM, fields), sender],
        result=pack(circuit, QUEUE_RESULT, {"amount": claimed, "address": address, "valid": valid}),
        first=active * inside_a,
        second=transfer * inside_b,
    )


def is_inside(circuit: Circuit, index: Variable, index_bits: int) -> Variable:
    """1 if an index of 32 bits is below 2^index_bits, else 0."""
    if index_bits >= INDEX_BITS:
        return circuit.constant(1)
    (above,) = circuit.hint_limbs(index, 1, INDEX_BITS - index_bits, index_bits)
    above = uint(circuit, above, INDEX_BITS - index_bits)
    uint(circuit, Variable(circuit, (index - above * (1 << index_bits)).terms), index_bits)
    return is_zero(circuit, above).within(0, 1)


class Queue(NamedTuple):
    """What a batch needs of its queue items: their words, their results, and how many."""

    words: list[Variable]
    results: list[Variable]
    active: Variable


def apply_queue(circuit: Circuit, shape: Shape, clock: Clock) -> Queue:
    """Every slot, in order.

    Declares ``queue_items[n][6]`` (``ITEM``), and ``queue_<role>`` as ``slots.Roles`` says, for the roles ``a`` and
    ``b``; b is accessed by transfers alone, and no index beyond the shape's is.
    """
    n = shape.queue
    if n == 0:
        return Queue([], [], circuit.constant(0))
    items = circuit.private_inputs("queue_items", n, len(ITEM))
    roles = Roles(circuit, clock, "queue", ("a", "b"), n)
    rows = list(zip(items, *roles.columns(), strict=True))
    results = apply_item.repeat(circuit, rows, index_bits=shape.index_bits)
    with circuit.component("queue_accesses"):
        for slot, applied in enumerate(results):
            _, _, a, b, _, _ = items[slot]
            first, second = clock.queue_item(slot)
            roles.write("a", slot, first, a, applied.a, applied.first)
            roles.write("b", slot, second, b, applied.b, applied.second)
        count = in_use(circuit, [item[0] for item in items])
    return Queue(
        words=[word for applied in results for word in applied.words],
        results=[applied.result for applied in results],
        active=count,
    )
