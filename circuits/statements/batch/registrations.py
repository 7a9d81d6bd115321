"""New accounts, at indices whose leaf is empty; the operator chooses them, and one that does not hold is unprovable."""

from __future__ import annotations

from typing import NamedTuple

from aitbc_rollup.algebra.reference.babyjubjub import BASE8

from ...api import Circuit, Variable
from ...gadgets.boolean import select
from ...gadgets.eddsa import key_is_prime_order
from ...gadgets.ranges import boolean, uint
from ...template import template
from .layout import ADDRESS_BITS, REGISTRATION
from .memory import Access, Clock, State, write
from .shape import Shape
from .slots import in_use

_OWNER_BITS = ADDRESS_BITS + 32


class Registrations(NamedTuple):
    """What a batch needs of its registrations: data words, how many, and which slots are in use."""

    words: list[Variable]
    active: Variable
    slots: list[Variable]


@template
def check_registration(circuit: Circuit, active: Variable, words: list[Variable], *, index_bits: int) -> None:
    """Where ``active``, the key is of prime order with x ≠ 0; the index and the owner word are of their widths.

    The tree has room for an account beyond the circuit's indices, but no queue item reaches one there.
    """
    fields = dict(zip(REGISTRATION, words, strict=True))
    active = boolean(circuit, active)
    uint(circuit, fields["index"], index_bits)
    uint(circuit, fields["owner"], _OWNER_BITS)
    key = [select(circuit, active, fields[f"public_key_{axis}"], base) for axis, base in zip("xy", BASE8, strict=True)]
    key_is_prime_order(circuit, key)


def apply_registrations(circuit: Circuit, shape: Shape, clock: Clock) -> Registrations:
    """Every slot, in order.

    Declares ``registration_active[n]``, ``registration_words[n][5]`` (``REGISTRATION``) and
    ``registration_previous[n]`` (the time the empty state was written).
    """
    n = shape.registrations
    if n == 0:
        return Registrations([], circuit.constant(0), [])
    active = circuit.private_inputs("registration_active", n)
    words = circuit.private_inputs("registration_words", n, len(REGISTRATION))
    previous = circuit.private_inputs("registration_previous", n)
    check_registration.repeat(circuit, list(zip(active, words, strict=True)), index_bits=shape.index_bits)
    zero = circuit.constant(0)
    with circuit.component("registration_accesses"):
        for slot in range(n):
            index, x, y, owner, external_id = words[slot]
            nothing = State(*[zero] * len(State._fields))
            account = nothing._replace(public_key_x=x, public_key_y=y, owner=owner, external_id=external_id)
            access = Access(index, nothing, previous[slot], active[slot])
            write(circuit, clock, clock.registration(slot), access, account)
        count = in_use(circuit, active)
    return Registrations(
        words=[word for row in words for word in row],
        active=count,
        slots=active,
    )
