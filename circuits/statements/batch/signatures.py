"""Signatures, checked in a pool of slots; who needs one asks for it on a bus.

A request is (key, message, whether a signature holds). A slot answers with what it found for a key, a message and a
signature of its prover's choice: 1 only if the signature holds. So nobody can claim a signature that does not exist;
that none exists cannot be shown, only that none was shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...api import Circuit, Variable
from ...buses import Bus
from ...gadgets.eddsa import signature_is_valid
from ...gadgets.ranges import boolean
from ...gadgets.windows import best_window
from ...template import template
from .memory import State
from .shape import Shape

#: (public_key_x, public_key_y, message, valid).
SIGNATURES = Bus("signatures", 4)


def request(circuit: Circuit, signer: State, message: Variable, valid: Variable, active: Variable) -> None:
    """Where ``active``, constrain ``valid`` to what some slot finds for the signer's key and this message."""
    circuit.send(SIGNATURES, [signer.public_key_x, signer.public_key_y, message, valid], active)


@template
def signature_slot(
    circuit: Circuit,
    used: Variable,
    number: Variable,
    key: Sequence[Variable],
    message: Variable,
    r8: Sequence[Variable],
    s: Variable,
    *,
    window: int,
) -> None:
    """One answer; ``number`` is the slot's own."""
    used = boolean(circuit, used)
    valid = signature_is_valid(circuit, key, r8, s, message, instance=number, window=window)
    circuit.receive(SIGNATURES, [*key, message, valid], used)


def check_signatures(circuit: Circuit, shape: Shape) -> None:
    """Every slot.

    Declares ``signature_used[n]``, ``signature_key[n][2]``, ``signature_message[n]``, ``signature_r8[n][2]`` and
    ``signature_s[n]``.
    """
    n = shape.signatures
    used, messages, s = (circuit.private_inputs(f"signature_{name}", n) for name in ("used", "message", "s"))
    keys, r8 = (circuit.private_inputs(f"signature_{name}", n, 2) for name in ("key", "r8"))
    numbers = [circuit.fixed(i) for i in range(n)]
    rows = zip(used, numbers, keys, messages, r8, s, strict=True)
    signature_slot.repeat(circuit, rows, window=best_window(n))
