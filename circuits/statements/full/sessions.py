"""Sessions whose signatures are posted and whose records are not shown: total, and with no bit that its prover chooses.

What an agent has signed of its records, their root, count and fee, is taken at its word; usage totals stay as they are.
"""

from __future__ import annotations

from typing import NamedTuple

from ...api import Circuit, Variable
from ...gadgets.boolean import select
from ...gadgets.poseidon import poseidon
from ...gadgets.ranges import boolean, equal, less_than, pack, uint
from ...gadgets.short_eddsa import short_signature_is_valid
from ...gadgets.windows import best_window
from ...template import template
from ..batch.accounts import exists
from ..batch.layout import (
    FEE_BITS,
    LAST_NONCE,
    MAX_OPERATOR_SHARE_BPS,
    SESSION_FEES,
    SESSION_TERMS,
    SHARE_BITS,
    TIME_BITS,
    Tag,
)
from ..batch.memory import Clock, State
from ..batch.queue import is_inside
from ..batch.sessions import MONEY_BITS, all_of, operator_share
from ..batch.shape import Shape
from ..batch.slots import Roles, in_use

#: What a session says of itself, in the circuit's input order.
TERMS = ("active", "records_root", *(name for name, _ in (*SESSION_TERMS, *SESSION_FEES)), "challenge", "s")


class Applied(NamedTuple):
    """What a session comes to; ``first`` and ``second`` are 1 if agent's and provider's account are accessed."""

    agent: list[Variable]
    provider: list[Variable]
    words: list[Variable]
    share: Variable
    first: Variable
    second: Variable


@template
def apply_full_session(
    circuit: Circuit,
    domain: Variable,
    l1_time: Variable,
    terms: list[Variable],
    agent: list[Variable],
    provider: list[Variable],
    number: Variable,
    *,
    index_bits: int,
    window: int,
) -> Applied:
    """States after the session, its five data words and the operator's share; ``number`` is the signature's own.

    Beyond the circuit's indices there is no account, and nothing is accessed; states that are not accessed say nothing.
    """
    session = dict(zip(TERMS, terms, strict=True))
    active = boolean(circuit, session["active"])
    for name, bits in (*SESSION_TERMS, *SESSION_FEES):
        session[name] = uint(circuit, session[name], bits)
    payer, payee = State(*agent).known(), State(*provider).known()
    inside = [is_inside(circuit, session[name], index_bits) for name in ("agent_index", "provider_index")]
    packed = [session["records_root"], *(pack(circuit, part, session) for part in (SESSION_TERMS, SESSION_FEES))]
    with circuit.component("message"):
        message = poseidon(circuit, [domain, *packed], int(Tag.SESSION))
    signed = short_signature_is_valid(
        circuit, payer[:2], session["challenge"], session["s"], message, instance=number, window=window
    )
    conditions = [
        inside[0] * exists(circuit, payer),
        inside[1] * exists(circuit, payee),
        equal(circuit, session["nonce"], payer.nonce),
        1 - equal(circuit, session["nonce"], LAST_NONCE),
        signed,
        1 - less_than(circuit, session["fee_cap"], session["fee"], FEE_BITS),
        1 - less_than(circuit, MAX_OPERATOR_SHARE_BPS, session["operator_share_bps"], SHARE_BITS),
        1 - less_than(circuit, session["expiry"], l1_time.within(0, (1 << TIME_BITS) - 1), TIME_BITS),
        1 - less_than(circuit, payer.balance, session["fee"], MONEY_BITS),
    ]
    valid = (active * all_of(circuit, conditions)).within(0, 1)
    fee = (valid * session["fee"]).within(0, (1 << FEE_BITS) - 1)
    with circuit.component("share"):
        share = operator_share(circuit, fee, session["operator_share_bps"])
    with circuit.component("history"):
        history = poseidon(circuit, [payer.history_root, message], int(Tag.HISTORY))
    after = payer._replace(
        balance=payer.balance - fee,
        nonce=payer.nonce + valid,
        history_root=select(circuit, valid, history, payer.history_root),
    )
    return Applied(
        agent=list(after),
        provider=list(payee._replace(balance=payee.balance + fee - share)),
        words=[*packed, session["challenge"], session["s"]],
        share=share,
        first=active * inside[0],
        second=active * inside[1],
    )


class Sessions(NamedTuple):
    """What a full batch needs of its sessions: data words, the operator's shares, and how many."""

    words: list[Variable]
    shares: Variable
    active: Variable


def apply_full_sessions(circuit: Circuit, shape: Shape, clock: Clock, domain: Variable, l1_time: Variable) -> Sessions:
    """Every slot, in order; the signatures' numbers go on after those of transfers.

    Declares ``session_terms[n][12]`` (``TERMS``), and ``session_<role>`` as ``slots.Roles`` says, for the roles
    ``agent`` and ``provider``.
    """
    n = shape.sessions
    terms = circuit.private_inputs("session_terms", n, len(TERMS))
    roles = Roles(circuit, clock, "session", ("agent", "provider"), n)
    numbers = [circuit.fixed(shape.transfers + i) for i in range(n)]
    rows = [(domain, l1_time, *row) for row in zip(terms, *roles.columns(), numbers, strict=True)]
    window = best_window(shape.signatures)
    results = apply_full_session.repeat(circuit, rows, index_bits=shape.index_bits, window=window)
    with circuit.component("session_accesses"):
        for slot, applied in enumerate(results):
            session = dict(zip(TERMS, terms[slot], strict=True))
            first, second = clock.session(slot)
            roles.write("agent", slot, first, session["agent_index"], applied.agent, applied.first)
            roles.write("provider", slot, second, session["provider_index"], applied.provider, applied.second)
        count = in_use(circuit, [row[0] for row in terms])
    return Sessions(
        words=[word for applied in results for word in applied.words],
        shares=circuit.sum(applied.share for applied in results),
        active=count,
    )
