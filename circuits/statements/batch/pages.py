"""Records, sixteen to a page; a session's pages follow one another and end in its records root and totals.

A page absorbs its records' words (five permutations of Poseidon-16) from the state the page before left, or from the
tag ``RECORDS`` at the beginning of a session. Totals run along in two packed words whose lanes are too wide to overflow
in any shape. The last page of the n-th session sends (n, agent, records root, totals) on the bus ``runs``, and the
session's slot receives it: so pages and sessions have room of their own, and a session may be of any size.
"""

from __future__ import annotations

from ...api import Circuit, Variable
from ...buses import Bus
from ...gadgets.boolean import assert_prefix
from ...gadgets.poseidon import poseidon
from ...gadgets.ranges import boolean, pack, uint
from ...template import template
from .layout import (
    INDEX_BITS,
    PAGE_RECORDS,
    RECORD_ELEMENTS,
    RECORD_FIELDS,
    RECORD_WORD_0,
    RECORD_WORD_1,
    RECORD_WORDS,
    USAGE,
    Layout,
    Tag,
)
from .shape import MAX_PAGES, Shape

_RECORD_BITS = (MAX_PAGES * PAGE_RECORDS).bit_length()
#: Totals of a session in two words: wide enough for every record of the largest shape.
FEE_TOTAL_BITS = 64 + _RECORD_BITS
USAGE_TOTAL_BITS = 32 + _RECORD_BITS
TOTALS_A: Layout = [
    ("count", _RECORD_BITS), ("fee", FEE_TOTAL_BITS), *((name, USAGE_TOTAL_BITS) for name in USAGE[:2]),
]  # fmt: skip
TOTALS_B: Layout = [(name, USAGE_TOTAL_BITS) for name in USAGE[2:]]

#: (number of the session's slot, agent's index, records root, totals a, totals b).
RUNS = Bus("runs", 5)

_WIDTHS = dict((*RECORD_WORD_0, *RECORD_WORD_1))


def _record(
    circuit: Circuit, present: Variable, agent_index: Variable, fields: list[Variable]
) -> tuple[list[Variable], dict[str, Variable]]:
    """The five words of a record, all zero unless it is present, and its fields, each of its width."""
    record = dict(zip(RECORD_FIELDS, fields, strict=True))
    for name, bits in _WIDTHS.items():
        if name != "agent_index":
            record[name] = uint(circuit, record[name], bits)
    record["agent_index"] = present * agent_index
    words = [
        pack(circuit, RECORD_WORD_0, record),
        pack(circuit, RECORD_WORD_1, record),
        *(record[name] for name in RECORD_ELEMENTS),
    ]
    for word in words:
        circuit.assert_product(word, 1 - present, 0, "a record beyond the session's count is not zero")
    return words, record


@template
def page(
    circuit: Circuit, state: Variable, agent_index: Variable, present: list[Variable], fields: list[list[Variable]]
) -> tuple[Variable, Variable, Variable]:
    """The state after a page's records, and their totals in two words.

    Present records come first. ``agent_index`` is an index where a record is present: the session's slot says so.
    """
    present = [boolean(circuit, flag) for flag in present]
    assert_prefix(circuit, present)
    agent = agent_index.within(0, (1 << INDEX_BITS) - 1)
    words: list[Variable] = []
    totals: dict[str, Variable] = {"count": circuit.sum(present)}
    with circuit.component("records"):
        for flag, row in zip(present, fields, strict=True):
            own, record = _record(circuit, flag, agent, row)
            words += own
            for name in (*USAGE, "fee"):
                totals[name] = circuit.sum([totals.get(name, 0), record[name]])
    for i in range(0, PAGE_RECORDS * RECORD_WORDS, 16):
        state = poseidon(circuit, words[i : i + 16], state)
    return state, pack(circuit, TOTALS_A, totals), pack(circuit, TOTALS_B, totals)


def absorb_pages(circuit: Circuit, shape: Shape) -> None:
    """Every page, and the end of every session's on the bus ``runs``.

    Declares ``page_state[n]`` (the state a page begins with), ``page_agent[n]``, ``page_last[n]`` (1 where a session
    ends), ``page_present[n][16]`` and ``page_records[n][16][12]`` (``RECORD_FIELDS``).
    """
    n = shape.pages
    states, agents, lasts = (circuit.private_inputs(f"page_{name}", n) for name in ("state", "agent", "last"))
    presents = circuit.private_inputs("page_present", n, PAGE_RECORDS)
    records = circuit.private_inputs("page_records", n, PAGE_RECORDS, len(RECORD_FIELDS))
    results = page.repeat(circuit, list(zip(states, agents, presents, records, strict=True)))
    with circuit.component("sessions_of_pages"):
        lasts = [boolean(circuit, last) for last in lasts]
        used = [present[0].within(0, 1) for present in presents]  # each page constrains its own flags
        assert_prefix(circuit, used)
        goes_on, state, agent = circuit.constant(0), circuit.constant(0), circuit.constant(0)
        totals, ordinal = [circuit.constant(0), circuit.constant(0)], circuit.constant(0)
        for i, (after, *own) in enumerate(results):
            full, following = presents[i][-1], used[i + 1] if i + 1 < n else 0
            circuit.assert_product(goes_on, state - int(Tag.RECORDS), states[i] - int(Tag.RECORDS), "a page's state")
            circuit.assert_product(goes_on, agent - agents[i], 0, "a session's pages have two agents")
            circuit.assert_product(lasts[i], 1 - used[i], 0, "a session ends on an empty page")
            circuit.assert_product(1 - lasts[i], used[i] - full, 0, "a session goes on after a page that is not full")
            circuit.assert_product(1 - lasts[i], used[i] - following, 0, "the pages end before the session does")
            totals = [part + goes_on * before for part, before in zip(own, totals, strict=True)]
            circuit.send(RUNS, [ordinal, agents[i], after, *totals], lasts[i])
            ordinal = circuit.materialise(ordinal + lasts[i])
            goes_on, state, agent = used[i] - lasts[i], after, agents[i]
