"""One session in a circuit: records absorbed, signature checked, the agent's account moved (``docs/protocol.md``).

A slot that is not ``active`` carries no records; its account (any that exists: the node uses the operator's) is opened
and put back unchanged, its signature is not checked, its words are zero.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..api import Circuit, Variable
from ..gadgets.boolean import assert_prefix, boolean, select
from ..gadgets.eddsa import assert_signature
from ..gadgets.poseidon import poseidon, sponge
from ..gadgets.ranges import divmod_constant, uint
from ..template import template
from .agent_account import ACCOUNT_FIELDS, assert_funds, move_leaf
from .protocol import (
    BALANCE_BITS,
    BASIS_POINTS,
    FEE_BITS,
    MAX_OPERATOR_SHARE_BPS,
    RECORD_ELEMENTS,
    RECORD_FIELDS,
    RECORD_WORD_0,
    RECORD_WORD_1,
    SESSION_RECORDS,
    SESSION_WORD_1,
    SESSION_WORD_2,
    TIME_BITS,
    USAGE,
    USAGE_A,
    USAGE_B,
    Layout,
    Tag,
    shifts,
)

#: What surrounds a session, and what a session says of itself, in the circuit's input order.
CONTEXT = ("chain_id", "contract", "shard", "l1_time")
SESSION_SCALARS = (
    "active", "agent_index", "provider_index", "nonce", "fee_cap", "operator_share_bps", "expiry", "count",
    "signature_r8_x", "signature_r8_y", "signature_s",
)  # fmt: skip
#: What :func:`apply_session` returns, in order.
RESULTS = ("root", "word_0", "word_1", "word_2", "share", "net")

_BPS_BITS = (MAX_OPERATOR_SHARE_BPS).bit_length()


def packed(layout: Layout, fields: dict[str, Variable]) -> Variable:
    """The word of a layout; its fields' widths are for others to check."""
    start = shifts(layout)
    first, *rest = (fields[name] * (1 << start[name]) for name, _ in layout)
    return sum(rest, first)


def unary(count: int) -> list[int]:
    """Hint: ``count`` ones, then zeros, as many as a session holds records."""
    return [int(position < count) for position in range(SESSION_RECORDS)]


@template
def record_words(circuit: Circuit, present: Variable, agent_index: Variable, fields: list[Variable]) -> list[Variable]:
    """The five words of one record, all zero unless it is present; every field is bounded to its width.

    ``present`` is boolean and ``agent_index`` 32 bits wide, by the caller. The three whole elements are not bounded.
    """
    record = dict(zip(RECORD_FIELDS, fields, strict=True))
    record["agent_index"] = present * agent_index
    for name, bits in [*RECORD_WORD_0, *RECORD_WORD_1]:
        if name != "agent_index":
            uint(circuit, record[name], bits)
    words = [packed(RECORD_WORD_0, record), packed(RECORD_WORD_1, record), *(record[name] for name in RECORD_ELEMENTS)]
    for word in words:
        circuit.assert_product(
            word, 1 - present, circuit.constant(0), "a record beyond the session's count is not zero"
        )
    return words


@template
def apply_session(
    circuit: Circuit,
    context: list[Variable],
    root: Variable,
    scalars: list[Variable],
    records: list[Variable],
    account: list[Variable],
    children: list[Variable],
) -> list[Variable]:
    """Check one session and apply it to the root; returns :data:`RESULTS`.

    Args (all flat, in the orders the constants above give): ``context`` (CONTEXT), ``scalars`` (SESSION_SCALARS),
    ``records`` (16 × RECORD_FIELDS), ``account`` (ACCOUNT_FIELDS, before the session), ``children`` (16 × 4).

    Constrained here: everything the protocol says of a session, but that ``provider_index`` has 32 bits when active.
    """
    around = dict(zip(CONTEXT, context, strict=True))
    session = dict(zip(SESSION_SCALARS, scalars, strict=True))
    before = dict(zip(ACCOUNT_FIELDS, account, strict=True))
    active, count = boolean(circuit, session["active"]), session["count"]
    circuit.assert_equal(before["nonce"], session["nonce"], "the session's nonce is not the account's")
    # The nonce is bounded after the session, so that none makes it 2^32. Before, it could be −1: funds still split in
    # one way only, and those of no leaf that the protocol makes split in that one.
    assert_funds(circuit, {**before, "nonce": before["nonce"] + active})

    present = [boolean(circuit, flag) for flag in circuit.hint(unary, [count], SESSION_RECORDS)]
    assert_prefix(circuit, present)
    circuit.assert_equal(present[0], active, "a session is active exactly when it holds a record")
    circuit.assert_equal(_total(present), count, "the count is not the number of records")
    width = len(RECORD_FIELDS)
    rows = [records[width * i : width * (i + 1)] for i in range(SESSION_RECORDS)]
    words = [
        word
        for flag, row in zip(present, rows, strict=True)
        for word in record_words(circuit, flag, session["agent_index"], row)
    ]
    sums = {name: _total([row[i] for row in rows]) for i, name in enumerate(RECORD_FIELDS) if name in (*USAGE, "fee")}

    message = _message(circuit, around, session, sums["fee"], sponge(circuit, Tag.RECORDS, words))
    key = [before["public_key_x"], before["public_key_y"]]
    r8 = [session["signature_r8_x"], session["signature_r8_y"]]
    assert_signature(circuit, active, key, r8, session["signature_s"], message)
    _assert_terms(circuit, around, session, sums["fee"])

    history = poseidon(circuit, [circuit.constant(Tag.HISTORY), before["history_root"], message])
    after = {
        **before,
        "balance": before["balance"] - sums["fee"],
        "nonce": before["nonce"] + active,
        "usage_a": before["usage_a"] + packed(USAGE_A, sums),
        "usage_b": before["usage_b"] + packed(USAGE_B, sums),
        "history_root": select(circuit, active, history, before["history_root"]),
    }
    uint(circuit, after["balance"], BALANCE_BITS)
    new_root = move_leaf(circuit, root, session["agent_index"], before, after, children)

    posted = {**session, "fee": sums["fee"]}
    share, _ = divmod_constant(circuit, sums["fee"] * session["operator_share_bps"], BASIS_POINTS, FEE_BITS)
    return [
        new_root,
        active * history,
        active * packed(SESSION_WORD_1, posted),
        packed(SESSION_WORD_2, sums),
        share,
        sums["fee"] - share,
    ]


def _message(
    circuit: Circuit, around: dict[str, Variable], session: dict[str, Variable], fee: Variable, records_root: Variable
) -> Variable:
    """What the agent signs."""
    return poseidon(
        circuit,
        [
            circuit.constant(Tag.SESSION), around["chain_id"], around["contract"], around["shard"],
            session["agent_index"], session["provider_index"], session["nonce"], records_root, session["count"],
            fee, session["fee_cap"], session["operator_share_bps"], session["expiry"],
        ],
    )  # fmt: skip


def _assert_terms(circuit: Circuit, around: dict[str, Variable], session: dict[str, Variable], fee: Variable) -> None:
    """The fee within its cap, the cap in 64 bits, the operator's share within the protocol's, the expiry not passed."""
    uint(circuit, session["fee_cap"], FEE_BITS)
    uint(circuit, session["fee_cap"] - fee, FEE_BITS)  # sixteen fees of 64 bits cannot wrap: fee <= cap
    uint(circuit, session["operator_share_bps"], _BPS_BITS)
    uint(circuit, MAX_OPERATOR_SHARE_BPS - session["operator_share_bps"], _BPS_BITS)
    uint(circuit, session["active"] * (session["expiry"] - around["l1_time"]), TIME_BITS)


def _total(variables: Sequence[Variable]) -> Variable:
    first, *rest = variables
    return sum(rest, first)
