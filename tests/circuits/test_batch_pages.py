"""Pages of records against slots of sessions, tried on every way a prover could cut, join or stretch a session.

Every forgery here is consistent: its states are folded, its totals added up and its slots filled as the forger says. So
only the one rule that it breaks is in the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets.ranges import boolean
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import PAGE_RECORDS, RECORD_ELEMENTS, RECORD_FIELDS, Tag
from aitbc_rollup.circuits.statements.batch.pages import RUNS, TOTALS_A, TOTALS_B, absorb_pages
from aitbc_rollup.circuits.statements.batch.shape import Shape

SHAPE = Shape(pages=4, sessions=3, accounts=1, queue=0, registrations=0, transfers=0, signatures=1)

Record = dict[str, int]


@dataclass(frozen=True)
class Page:
    """A page as a prover fills it: with ``joined`` it goes on from the page before."""

    agent: int = 0
    records: tuple[Record, ...] = ()
    present: tuple[int, ...] = ()
    last: int = 0
    joined: bool = False


@dataclass(frozen=True)
class Run:
    """What a slot of the sessions receives."""

    ordinal: int
    agent: int
    root: int
    totals: tuple[int, int]
    active: int = 1


@dataclass
class Filled:
    """Pages with what follows from them: the state before and after each, and what its session comes to with it."""

    pages: list[Page]
    before: list[int] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pages += [Page()] * (SHAPE.pages - len(self.pages))
        state, total = int(Tag.RECORDS), dict.fromkeys(("count", "fee", *layout.USAGE), 0)
        for page in self.pages:
            if not page.joined:
                state, total = int(Tag.RECORDS), dict.fromkeys(total, 0)
            self.before.append(state)
            words: list[int] = []
            for record, present in zip(page.records, page.present, strict=True):
                values = {**dict.fromkeys(RECORD_FIELDS, 0), **record, "agent_index": page.agent * present}
                words += [layout.pack(part, values) for part in (layout.RECORD_WORD_0, layout.RECORD_WORD_1)]
                words += [values[name] for name in RECORD_ELEMENTS]
                for name in (*layout.USAGE, "fee"):
                    total[name] += values[name]
                total["count"] += present
            words += [0] * (layout.RECORD_WORDS * PAGE_RECORDS - len(words))
            for start in range(0, len(words), 16):
                state = poseidon(words[start : start + 16], initial_state=state)
            totals = layout.pack(TOTALS_A, total), layout.pack(TOTALS_B, total)
            self.runs.append(Run(0, page.agent, state, totals))

    def inputs(self, runs: list[Run]) -> dict[str, Any]:
        """The circuit's inputs, with these slots."""
        runs = runs + [Run(0, 0, 0, (0, 0), 0)] * (SHAPE.sessions - len(runs))
        rest = [PAGE_RECORDS - len(page.records) for page in self.pages]
        records = [
            [[record.get(name, 0) for name in RECORD_FIELDS] for record in page.records]
            + [[0] * len(RECORD_FIELDS)] * n
            for page, n in zip(self.pages, rest, strict=True)
        ]
        return {
            "page_state": self.before,
            "page_agent": [page.agent for page in self.pages],
            "page_last": [page.last % R for page in self.pages],
            "page_present": [
                [*(flag % R for flag in page.present), *[0] * n] for page, n in zip(self.pages, rest, strict=True)
            ],
            "page_records": records,
            "run": [[run.ordinal, run.agent, run.root, *run.totals] for run in runs],
            "run_active": [run.active for run in runs],
        }

    def ends(self, *pages: int) -> list[Run]:
        """Slots in order for sessions that end with these pages."""
        found = [self.runs[page] for page in pages]
        return [Run(n, run.agent, run.root, run.totals) for n, run in enumerate(found)]


def page(agent: int, count: int, *, last: int = 0, joined: bool = False) -> Page:
    records = tuple({"fee": 3 + i, "tokens_in": 7, "task": agent + i} for i in range(count))
    return Page(agent, records, (1,) * count, last, joined)


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    made = Circuit("pages", limb_bits=8)
    absorb_pages(made, SHAPE)
    runs, active = made.private_inputs("run", SHAPE.sessions, 5), made.private_inputs("run_active", SHAPE.sessions)
    for run, flag in zip(runs, active, strict=True):
        made.receive(RUNS, run, boolean(made, flag))
    return made.compile()


def accepted(circuit: CompiledCircuit, filled: Filled, runs: list[Run]) -> bool:
    return check(circuit, circuit.witness(filled.inputs(runs))) is None


LONG = [page(5, 16), page(5, 3, last=1, joined=True)]
SHORT = page(7, 2, last=1)


@pytest.mark.parametrize(
    ("pages", "ends"),
    [
        ([], ()),
        ([SHORT], (0,)),
        ([*LONG, SHORT], (1, 2)),
        ([SHORT, *LONG, page(7, 16, last=1)], (0, 2, 3)),
        ([page(5, 16), page(5, 16, joined=True), page(5, 16, joined=True), page(5, 16, last=1, joined=True)], (3,)),
        ([page(7, 16, last=1), page(7, 16, last=1)], (0, 1)),
    ],
    ids=["nothing", "one", "two", "three", "one of full pages", "full ones of one agent"],
)
def test_honest(circuit: CompiledCircuit, pages: list[Page], ends: tuple[int, ...]) -> None:
    filled = Filled(list(pages))
    assert accepted(circuit, filled, filled.ends(*ends))


def zeros(count: int) -> tuple[Record, ...]:
    return ({},) * count


#: Pages, which of them end a session, and what is wrong.
FORGED: dict[str, tuple[list[Page], tuple[int, ...], str]] = {
    "a session ends on an empty page": (
        [page(5, 16), Page(5, last=1, joined=True)],
        (1,),
        "the pages end before the session does",
    ),
    "an empty page is a session": ([Page(5, last=1)], (0,), "a session ends on an empty page"),
    "a page that no session bills": ([SHORT, page(5, 3)], (0,), "a session goes on after a page that is not full"),
    "a full page that no session bills": ([SHORT, page(5, 16)], (0,), "the pages end before the session does"),
    "full pages to the end that no session bills": (
        [SHORT, page(5, 16), *[page(5, 16, joined=True)] * 2],
        (0,),
        "the pages end before the session does",
    ),
    "a session goes on after a page that is not full": (
        [page(5, 3), page(5, 2, last=1, joined=True)],
        (1,),
        "a session goes on after a page that is not full",
    ),
    "a gap between pages": (
        [page(5, 16), Page(5, joined=True), page(5, 2, last=1, joined=True)],
        (2,),
        "a flag is set after one that is not",
    ),
    "a gap between sessions": ([SHORT, Page(), SHORT], (0, 2), "a flag is set after one that is not"),
    "pages of two agents": ([page(5, 16), page(7, 3, last=1, joined=True)], (1,), "a session's pages have two agents"),
    "a page joins the session before, which has ended": (
        [SHORT, page(7, 2, last=1, joined=True)],
        (0, 1),
        "a page's state",
    ),
    "a page forgets the session it goes on": ([page(5, 16), page(5, 3, last=1)], (1,), "a page's state"),
    "ends that add up to one": ([page(5, 16, last=2), page(5, 3, last=-1, joined=True)], (0, 0), "neither 0 nor 1"),
    "a flag of 2": ([Page(7, zeros(1), (2,), 1)], (0,), "neither 0 nor 1"),
    "flags of 2 and −1": ([Page(7, zeros(2), (2, -1), 1)], (0,), "neither 0 nor 1"),
    "a record after one that is absent": (
        [Page(7, ({}, {"fee": 1}), (0, 1), 1)],
        (0,),
        "a flag is set after one that is not",
    ),
    "an absent record with a fee": (
        [Page(7, ({"fee": 1}, {"fee": 1}), (1, 0), 1)],
        (0,),
        "a record beyond the session's count is not zero",
    ),
    "an absent record with usage": (
        [Page(7, ({"fee": 1}, {"wall_ms": 1}), (1, 0), 1)],
        (0,),
        "a record beyond the session's count is not zero",
    ),
    "an absent record with a task": (
        [Page(7, ({"fee": 1}, {"task": 1}), (1, 0), 1)],
        (0,),
        "a record beyond the session's count is not zero",
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_pages(circuit: CompiledCircuit, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def pack(parts: layout.Layout, values: dict[str, int]) -> int:
        return sum(values[name] << start for name, start in layout.shifts(parts).items()) % R

    monkeypatch.setattr(layout, "pack", pack)
    pages, ends, message = FORGED[name]
    filled = Filled(list(pages))
    violation = check(circuit, circuit.witness(filled.inputs(filled.ends(*ends))))
    assert violation is not None
    assert violation.message == message


@pytest.mark.parametrize(
    "slots",
    [(1, 0), (0, 0), (1, 1), (0,), (1,), ()],
    ids=["swapped", "the first twice", "the second twice", "the second left out", "the first left out", "none"],
)
def test_slots_take_each_session_once_and_in_order(circuit: CompiledCircuit, slots: tuple[int, ...]) -> None:
    filled = Filled([*LONG, SHORT])
    first, second = filled.ends(1, 2)
    chosen = [(first, second)[slot] for slot in slots]
    renumbered = [Run(n, run.agent, run.root, run.totals) for n, run in enumerate(chosen)]
    assert not accepted(circuit, filled, renumbered)


@pytest.mark.parametrize("change", ["agent", "root", "totals"])
def test_slots_take_what_the_pages_come_to(circuit: CompiledCircuit, change: str) -> None:
    filled = Filled([*LONG, SHORT])
    first, second = filled.ends(1, 2)
    other = {"agent": second.agent, "root": second.root, "totals": second.totals}[change]
    mixed = Run(**{**first.__dict__, change: other})
    assert not accepted(circuit, filled, [mixed, second])
