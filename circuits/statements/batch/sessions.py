"""Sessions: an agent's records of one page or many, billed to it, paid to its provider.

Total: a session that is not valid changes nothing, and its words say so. What makes one valid stands in the protocol,
"Session", in the order of :func:`_is_valid`.
"""

from __future__ import annotations

from typing import NamedTuple

from ...api import Circuit, Variable
from ...gadgets.boolean import select
from ...gadgets.compare import is_zero
from ...gadgets.poseidon import poseidon
from ...gadgets.ranges import boolean, equal, less_than, pack, uint
from ...template import template
from .accounts import exists
from .layout import (
    BASIS_POINTS,
    COUNT_BITS,
    FEE_BITS,
    INDEX_BITS,
    LAST_NONCE,
    LIFETIME_LANE_BITS,
    MAX_OPERATOR_SHARE_BPS,
    NONCE_BITS,
    SESSION,
    SESSION_FEES,
    SESSION_LANE_BITS,
    SESSION_TERMS,
    SESSION_USAGE,
    SHARE_BITS,
    TIME_BITS,
    USAGE,
    Tag,
    shifts,
)
from .memory import Clock, State
from .pages import FEE_TOTAL_BITS, RUNS, TOTALS_A, TOTALS_B, USAGE_TOTAL_BITS
from .shape import Shape
from .signatures import request
from .slots import Roles, in_use

#: What a session says of itself, in the circuit's input order; ``agent_signed`` and ``provider_signed`` are what the
#: signatures' slots find.
TERMS = (
    "active", "agent_index", "provider_index", "nonce", "count", "operator_share_bps", "expiry", "fee_cap",
    "countersigned", "agent_signed", "provider_signed", "records_root", "fee", *USAGE,
)  # fmt: skip
#: Money and balances in comparisons: wider than any of them.
MONEY_BITS = 100


class Applied(NamedTuple):
    """What a session comes to."""

    agent: list[Variable]
    provider: list[Variable]
    words: list[Variable]
    totals: list[Variable]
    message: Variable
    share: Variable
    records: Variable


@template
def apply_session(
    circuit: Circuit,
    domain: Variable,
    l1_time: Variable,
    terms: list[Variable],
    agent: list[Variable],
    provider: list[Variable],
) -> Applied:
    """States after the session, its three data words, its message, and the operator's share.

    ``agent`` and ``provider`` are the states that the slot's two accesses read. The share of a valid session's fee is
    exact: ⌊fee · bps / 10,000⌋. Indices are those of accounts, by the accesses.
    """
    session = dict(zip(TERMS, terms, strict=True))
    for name in ("active", "countersigned", "agent_signed", "provider_signed"):
        session[name] = boolean(circuit, session[name])
    for name, bits in (("nonce", NONCE_BITS), ("count", COUNT_BITS), ("operator_share_bps", SHARE_BITS),
                       ("expiry", TIME_BITS), ("fee_cap", FEE_BITS), ("fee", FEE_TOTAL_BITS)):  # fmt: skip
        session[name] = uint(circuit, session[name], bits)
    for name in ("agent_index", "provider_index"):
        session[name] = session[name].within(0, (1 << INDEX_BITS) - 1)
    with circuit.component("usage"):
        low, overflow = _split_usage(circuit, session)
    payer, payee = State(*agent).known(), State(*provider).known()
    valid = _is_valid(circuit, session, overflow, payer, payee, l1_time.within(0, (1 << TIME_BITS) - 1))

    # A valid session's fee is at most its cap.
    fee = (valid * session["fee"]).within(0, (1 << FEE_BITS) - 1)
    with circuit.component("message"):
        # A fee of more than its 64 bits runs into the cap; but then it exceeds the cap, and the session is not valid.
        fees = session["fee"] + session["fee_cap"] * (1 << shifts(SESSION_FEES)["fee_cap"])
        words = [domain, session["records_root"], pack(circuit, SESSION_TERMS, session), fees]
        message = poseidon(circuit, words, int(Tag.SESSION))
    with circuit.component("share"):
        share = operator_share(circuit, fee, session["operator_share_bps"])
    with circuit.component("history"):
        history = poseidon(circuit, [payer.history_root, message], int(Tag.HISTORY))
    spaced = [circuit.inner_product([1, 1 << LIFETIME_LANE_BITS, 1 << 2 * LIFETIME_LANE_BITS], part)
              for part in (low[:3], low[3:])]  # fmt: skip
    after = payer._replace(
        balance=payer.balance - fee,
        nonce=payer.nonce + valid,
        usage_a=payer.usage_a + valid * spaced[0],
        usage_b=payer.usage_b + valid * spaced[1],
        history_root=select(circuit, valid, history, payer.history_root),
    )
    posted = {**session, "fee": fee, "valid": valid}
    return Applied(
        agent=list(after),
        provider=list(payee._replace(balance=payee.balance + fee - share)),
        words=[
            valid * history,
            pack(circuit, SESSION, posted),
            valid * pack(circuit, SESSION_USAGE, dict(zip(USAGE, low, strict=True))),
        ],
        totals=[pack(circuit, TOTALS_A, session), pack(circuit, TOTALS_B, session)],
        message=message,
        share=share,
        records=valid * session["count"],
    )


def _split_usage(circuit: Circuit, session: dict[str, Variable]) -> tuple[list[Variable], Variable]:
    """Each total's low bits, and the sum of what lies above them, 0 only if no total is too large."""
    low, high = [], []
    for name in USAGE:
        (carried,) = circuit.hint_limbs(session[name], 1, USAGE_TOTAL_BITS - SESSION_LANE_BITS, SESSION_LANE_BITS)
        carried = uint(circuit, carried, USAGE_TOTAL_BITS - SESSION_LANE_BITS)
        low.append(uint(circuit, session[name] - carried * (1 << SESSION_LANE_BITS), SESSION_LANE_BITS))
        high.append(carried)
        session[name] = session[name].within(0, (1 << USAGE_TOTAL_BITS) - 1)
    return low, circuit.sum(high)


def _is_valid(
    circuit: Circuit,
    session: dict[str, Variable],
    overflow: Variable,
    payer: State,
    payee: State,
    l1_time: Variable,
) -> Variable:
    """The protocol's conditions 1 to 5, and that there is a session."""
    conditions = [
        exists(circuit, payer),
        exists(circuit, payee),
        equal(circuit, session["nonce"], payer.nonce),
        1 - equal(circuit, session["nonce"], LAST_NONCE),
        session["agent_signed"],
        1 - session["countersigned"] * (1 - session["provider_signed"]),
        1 - less_than(circuit, session["fee_cap"], session["fee"], MONEY_BITS),
        1 - less_than(circuit, MAX_OPERATOR_SHARE_BPS, session["operator_share_bps"], SHARE_BITS),
        1 - less_than(circuit, session["expiry"], l1_time, TIME_BITS),
        is_zero(circuit, overflow).within(0, 1),
        1 - less_than(circuit, payer.balance, session["fee"], MONEY_BITS),
    ]
    return (session["active"] * all_of(circuit, conditions)).within(0, 1)


def all_of(circuit: Circuit, conditions: list[Variable]) -> Variable:
    """1 if all of these bits are 1; 3 constraints at most, whatever their number."""
    return is_zero(circuit, circuit.sum(1 - condition for condition in conditions)).within(0, 1)


def operator_share(circuit: Circuit, fee: Variable, bps: Variable) -> Variable:
    """⌊fee · bps / 10,000⌋, at most the fee for bps up to 10,000."""
    product = fee * bps
    quotient, remainder = circuit.hint_divmod(product, BASIS_POINTS)
    circuit.assert_equal(quotient * BASIS_POINTS + remainder, product, "quotient and remainder do not recompose")
    quotient = uint(circuit, quotient, FEE_BITS + SHARE_BITS)
    remainder = uint(circuit, remainder, BASIS_POINTS.bit_length())
    uint(circuit, Variable(circuit, (BASIS_POINTS - 1 - remainder).terms), BASIS_POINTS.bit_length())
    return quotient


class Sessions(NamedTuple):
    """What a batch needs of its sessions: words, shares, how many, how many records, and which slots are in use."""

    words: list[Variable]
    shares: Variable
    active: Variable
    records: Variable
    slots: list[Variable]


def apply_sessions(circuit: Circuit, shape: Shape, clock: Clock, domain: Variable, l1_time: Variable) -> Sessions:
    """Every slot, in order.

    Declares ``session_terms[n][18]`` (``TERMS``), and ``session_<role>`` as ``slots.Roles`` says, for the roles
    ``agent`` and ``provider``.
    """
    n = shape.sessions
    terms = circuit.private_inputs("session_terms", n, len(TERMS))
    roles = Roles(circuit, clock, "session", ("agent", "provider"), n)
    rows = [(domain, l1_time, *row) for row in zip(terms, *roles.columns(), strict=True)]
    results = apply_session.repeat(circuit, rows)
    with circuit.component("session_accesses"):
        for slot, applied in enumerate(results):
            session = dict(zip(TERMS, terms[slot], strict=True))
            agent, provider = (roles.state(role, slot) for role in ("agent", "provider"))
            active = session["active"]
            circuit.receive(RUNS, [slot, session["agent_index"], session["records_root"], *applied.totals], active)
            request(circuit, agent, applied.message, session["agent_signed"], active)
            request(circuit, provider, applied.message, session["provider_signed"], active * session["countersigned"])
            first, second = clock.session(slot)
            roles.write("agent", slot, first, session["agent_index"], applied.agent, active)
            roles.write("provider", slot, second, session["provider_index"], applied.provider, active)
        slots = [row[0] for row in terms]
        count = in_use(circuit, slots)
    return Sessions(
        words=[word for applied in results for word in applied.words],
        shares=circuit.sum(applied.share for applied in results),
        active=count,
        records=circuit.sum(applied.records for applied in results),
        slots=slots,
    )
