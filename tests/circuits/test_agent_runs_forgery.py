"""A node that checks nothing against the batch circuit: whatever the protocol forbids must still have no proof.

The forger here applies sessions and credits by field arithmetic alone, signs, and rebinds C and y, so that each false
batch is consistent in every hash, root and signature: only the constraint that forbids it can refuse it, and the test
names that one. What the protocol leaves free must not show in the posted words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.eddsa import public_key, sign
from aitbc_rollup.algebra.poseidon import poseidon, sponge
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.ir import Op
from aitbc_rollup.circuits.statements import protocol
from aitbc_rollup.circuits.statements.agent_account import ACCOUNT_FIELDS
from aitbc_rollup.circuits.statements.agent_runs import HEADER_INPUTS, Shape, compile_agent_runs, match_provider
from aitbc_rollup.circuits.statements.agent_session import unary
from aitbc_rollup.circuits.statements.protocol import Tag, shifts
from aitbc_rollup.rollup.state import Path, State

SHAPE = Shape(2, 2)
ALICE, BOB, PROVIDER, OTHER, OPERATOR = 5, 0x89ABCDEF, 2, 3, 9
TIME = 1_700_000_000
KEYS = {index: bytes([index % 251] * 32) for index in (ALICE, BOB, PROVIDER, OTHER, OPERATOR)}
NO_RECORD = dict.fromkeys(protocol.RECORD_FIELDS, 0)


@pytest.fixture(scope="module")
def circuit() -> CompiledCircuit:
    return compile_agent_runs(SHAPE)


def word(layout: protocol.Layout, values: dict[str, int]) -> int:
    return sum(values[name] << start for name, start in shifts(layout).items()) % R


@dataclass
class Leaf:
    """An account with no width checked; what ``State.put`` hashes."""

    public_key_x: int
    public_key_y: int
    owner: int = 1
    balance: int = 10**9
    nonce: int = 0
    usage_a: int = 0
    usage_b: int = 0
    history_root: int = 0
    external_id: int = 0

    def leaf(self) -> int:
        funds = word(protocol.FUNDS, vars(self))
        rest = (self.usage_a, self.usage_b, self.history_root, self.external_id)
        return poseidon([Tag.ACCOUNT, self.public_key_x, self.public_key_y, self.owner, 0, funds, *rest])

    def moved(self, **changes: int) -> Leaf:
        return Leaf(**{name: (value + changes.get(name, 0)) % R for name, value in vars(self).items()})


@dataclass
class Session:
    """A session slot as the forger wants it; ``opened_as`` lies about the account, ``present`` about its records."""

    agent: int = ALICE
    provider: int = PROVIDER
    nonce: int = 0
    fee_cap: int = 1 << 40
    operator_share_bps: int = 333
    expiry: int = TIME
    active: int = 1
    records: list[dict[str, int]] = field(default_factory=lambda: [{**NO_RECORD, "fee": 100, "wall_ms": 7}])
    count: int | None = None
    signer: int | None = None
    signed_nonce: int | None = None
    opened_as: dict[str, int] = field(default_factory=dict)
    share: int | None = None
    present: list[int] = field(default_factory=list)


@dataclass
class Forger:
    """Everything a batch says, and the state it is applied to."""

    sessions: list[Session]
    leaves: dict[int, dict[str, int]] = field(default_factory=dict)
    provider_slots: list[int] = field(default_factory=lambda: [PROVIDER, OTHER])
    idle: int = OPERATOR
    operator: int = OPERATOR
    header: dict[str, int] = field(default_factory=dict)
    paid: list[int] | None = None

    def inputs(self) -> dict[str, Any]:
        state = State()
        for index, key in KEYS.items():
            x, y = public_key(key)
            state.put(index, Leaf(x, y, **self.leaves.get(index, {})))  # type: ignore[arg-type]
        header = {"chain_id": 31337, "contract": 0xC0FFEE, "shard": 3, "batch_number": 1, "mode": 0, "l1_time": TIME}
        header |= {"old_root": state.root, "operator_index": self.operator} | self.header
        rows: list[dict[str, Any]] = []
        words: list[int] = []
        credits, shares = [0] * SHAPE.providers, 0
        for slot in range(SHAPE.sessions):
            session = self.sessions[slot] if slot < len(self.sessions) else self._idle(state)
            row, posted, share, fee = _apply(state, session, header)
            rows.append(row)
            words += posted
            shares += share
            if session.active:
                only = self.provider_slots.index(session.provider)
                for i, times in enumerate(self.paid or [int(i == only) for i in range(SHAPE.providers)]):
                    credits[i] += times * (fee - share)
        providers = [_credit(state, *pair) for pair in zip(self.provider_slots, credits, strict=True)]
        operator = _credit(state, self.operator, shares)
        counts = {
            "sessions": sum(row["session_active"] for row in rows),
            "records": sum(row["session_count"] for row in rows),
            "operator_index": self.operator,
        }
        computed = {
            "version": 1,
            "counts": word(protocol.COUNTS, counts),
            "byte_length": 32 * protocol.data_words(counts["sessions"]) % R,
            "new_root": state.root,
            "queue_digest": 0,
            "withdrawals_digest": 0,
        }
        words = [{**header, **computed}[name] for name in protocol.HEADER] + words
        zeta = 0x123456789
        inputs: dict[str, Any] = {name: header[name] for name in HEADER_INPUTS}
        inputs |= {"commitment": sponge(Tag.BATCH, words), "zeta": zeta, "payout": 1}
        inputs["evaluation"] = sum(word * pow(zeta, i, R) for i, word in enumerate(words)) % R
        inputs["provider_index"] = self.provider_slots
        inputs |= {name: [row[name] for row in rows] for name in rows[0]}
        inputs |= {f"provider_{name}": [opened[name] for opened in providers] for name in operator}
        inputs |= {f"operator_{name}": value for name, value in operator.items()}
        self.words = words
        return inputs

    def _idle(self, state: State) -> Session:
        nonce = state.accounts[self.idle].nonce
        return Session(self.idle, 0, nonce, 0, 0, 0, active=0, records=[], signer=OPERATOR)


def _open(state: State, index: int) -> tuple[Leaf, Path]:
    """The account and path that the low 32 bits of an index lead to."""
    leaf: Any = state.accounts[index % (1 << protocol.INDEX_BITS)]
    return leaf, state.path(index % (1 << protocol.INDEX_BITS))


def _account(leaf: Leaf, path: Path) -> dict[str, Any]:
    named = {f"account_{name}": getattr(leaf, name) for name in ACCOUNT_FIELDS}
    return named | {"children": [list(family) for family in path]}


def _credit(state: State, index: int, amount: int) -> dict[str, Any]:
    leaf, path = _open(state, index)
    state.put(index % (1 << protocol.INDEX_BITS), leaf.moved(balance=amount))  # type: ignore[arg-type]
    return _account(leaf, path)


def _apply(state: State, session: Session, header: dict[str, int]) -> tuple[dict[str, Any], list[int], int, int]:
    leaf, path = _open(state, session.agent)
    leaf = Leaf(**{**vars(leaf), **session.opened_as})
    present = session.present or [1] * len(session.records)
    count = sum(present) % R if session.count is None else session.count
    rows = session.records + [NO_RECORD] * (protocol.SESSION_RECORDS - len(session.records))
    flat: list[int] = []
    for row, weight in zip(rows, present + [0] * (protocol.SESSION_RECORDS - len(present)), strict=True):
        agent = session.agent * weight
        flat.append(word(protocol.RECORD_WORD_0, row))
        flat.append(word(protocol.RECORD_WORD_1, {**row, "agent_index": agent}))
        flat += [row[name] for name in protocol.RECORD_ELEMENTS]
    sums = {name: sum(row[name] for row in rows) % R for name in (*protocol.USAGE, "fee")}
    nonce = session.nonce if session.signed_nonce is None else session.signed_nonce
    message = poseidon(
        [
            Tag.SESSION, header["chain_id"], header["contract"], header["shard"], session.agent, session.provider,
            nonce, sponge(Tag.RECORDS, flat), count, sums["fee"], session.fee_cap, session.operator_share_bps,
            session.expiry,
        ]
    )  # fmt: skip
    low = session.agent % (1 << protocol.INDEX_BITS)
    signature = sign(KEYS[low if session.signer is None else session.signer], message)
    history = poseidon([Tag.HISTORY, leaf.history_root, message])
    after = leaf.moved(
        balance=-sums["fee"],
        nonce=session.active,
        usage_a=word(protocol.USAGE_A, sums),
        usage_b=word(protocol.USAGE_B, sums),
        history_root=session.active * (history - leaf.history_root),
    )
    state.put(low, after)  # type: ignore[arg-type]
    share = sums["fee"] * session.operator_share_bps // protocol.BASIS_POINTS
    share = share if session.share is None else session.share
    posted = {
        "agent_index": session.agent,
        "provider_index": session.provider,
        "nonce": session.nonce,
        "count": count,
        "operator_share_bps": session.operator_share_bps,
        "fee": sums["fee"],
    }
    words = [history, word(protocol.SESSION_WORD_1, posted), word(protocol.SESSION_WORD_2, sums)]
    row = {
        "active": session.active, "agent_index": session.agent, "provider_index": session.provider,
        "nonce": session.nonce, "fee_cap": session.fee_cap, "operator_share_bps": session.operator_share_bps,
        "expiry": session.expiry, "count": count, "signature_r8_x": signature.r8[0],
        "signature_r8_y": signature.r8[1], "signature_s": signature.s,
        "records": [[row[name] for name in protocol.RECORD_FIELDS] for row in rows],
        **_account(leaf, path),
    }  # fmt: skip
    named = {f"session_{name}": value for name, value in row.items()}
    return named, [session.active * x % R for x in words], share, sums["fee"]


def violation(circuit: CompiledCircuit, forger: Forger) -> str | None:
    found = check(circuit, circuit.witness(forger.inputs()))
    return None if found is None else f"{found.component}: {found.message}"


def record(**fields: int) -> dict[str, int]:
    return {**NO_RECORD, **fields}


WIDE = 1 << protocol.INDEX_BITS
RICH = {ALICE: {"balance": 1 << 90}}
ALLOWED = {
    "two agents, two providers": Forger([Session(), Session(agent=BOB, provider=OTHER)]),
    "one agent twice": Forger([Session(), Session(nonce=1)]),
    "no session at all": Forger([]),
    "sixteen records": Forger([Session(records=[record(fee=1)] * 16)]),
    "the last credit a balance holds": Forger([Session()], {PROVIDER: {"balance": (1 << 96) - 98}}),
    "all that the agent has": Forger([Session()], {ALICE: {"balance": 100}}),
    "the whole cap": Forger([Session(fee_cap=100)]),
    "the largest fee": Forger([Session(records=[record(fee=(1 << 64) - 1)], fee_cap=(1 << 64) - 1)], RICH),
    "the last nonce": Forger([Session(nonce=(1 << 32) - 2)], {ALICE: {"nonce": (1 << 32) - 2}}),
    "elements of any value": Forger([Session(records=[record(task=R - 1, parents=R - 2, cid=R - 3)])]),
    "agent, provider and operator in one": Forger(
        [Session(provider=ALICE)], provider_slots=[ALICE, OTHER], operator=ALICE
    ),
}
FORBIDDEN = {
    "signed by another": (Forger([Session(signer=BOB)]), "does not verify"),
    "another nonce signed": (Forger([Session(signed_nonce=1)]), "does not verify"),
    "a session twice": (Forger([Session(), Session()]), "nonce is not the account's"),
    "a nonce ahead": (Forger([Session(nonce=1)]), "nonce is not the account's"),
    "a nonce behind, borrowed from the balance": (
        Forger(
            [Session(nonce=0, opened_as={"balance": 1 + (1 << 96), "nonce": 0})], {ALICE: {"nonce": 1, "balance": 1}}
        ),
        "does not fit 96 bits",
    ),
    "a nonce of -1, borrowed from the balance": (
        Forger([Session(nonce=R - 1, opened_as={"balance": 1 + (1 << 96), "nonce": R - 1})], {ALICE: {"balance": 1}}),
        "does not fit 96 bits",
    ),
    "a nonce of 2^32 afterwards": (
        Forger([Session(nonce=(1 << 32) - 1)], {ALICE: {"nonce": (1 << 32) - 1}}),
        "does not fit 32 bits",
    ),
    "more than the balance": (Forger([Session()], {ALICE: {"balance": 99}}), "does not fit 96 bits"),
    "a credit of this batch spent": (
        Forger(
            [Session(agent=BOB, provider=ALICE), Session()], {ALICE: {"balance": 99}}, provider_slots=[ALICE, PROVIDER]
        ),
        "does not fit 96 bits",
    ),
    "a provider's balance of 2^96": (
        Forger([Session()], {PROVIDER: {"balance": (1 << 96) - 97}}),
        "does not fit 96 bits",
    ),
    "an operator's balance of 2^96": (
        Forger([Session()], {OPERATOR: {"balance": (1 << 96) - 3}}),
        "does not fit 96 bits",
    ),
    "a fee above the cap": (Forger([Session(fee_cap=99)]), "does not fit 64 bits"),
    "a cap of 2^64": (Forger([Session(fee_cap=1 << 64)]), "does not fit 64 bits"),
    "a cap of -1": (Forger([Session(fee_cap=R - 1)]), "does not fit 64 bits"),
    "a total fee of 2^64": (
        Forger([Session(records=[record(fee=(1 << 64) - 1), record(fee=1)], fee_cap=(1 << 64) - 1)], RICH),
        "does not fit 64 bits",
    ),
    "a negative fee made up for": (
        Forger([Session(records=[record(fee=R - 1), record(fee=2)])]),
        "does not fit 64 bits",
    ),
    "a share above 2,000": (Forger([Session(operator_share_bps=2001)]), "does not fit 11 bits"),
    "a share of 2,048": (Forger([Session(operator_share_bps=2048)]), "does not fit 11 bits"),
    "a negative share": (Forger([Session(operator_share_bps=R - 1, share=0)]), "does not fit 11 bits"),
    "a share rounded up": (Forger([Session(share=4)]), "does not lie under the root"),
    "a share kept from the operator": (Forger([Session(share=2)]), "does not lie under the root"),
    "an expiry passed": (Forger([Session(expiry=TIME - 1)]), "does not fit 40 bits"),
    "an agent's index of 33 bits": (Forger([Session(agent=ALICE + WIDE)]), "does not fit 32 bits"),
    "a provider's index of 33 bits": (
        Forger([Session(provider=PROVIDER + WIDE)], provider_slots=[PROVIDER + WIDE, OTHER]),
        "does not fit 32 bits",
    ),
    "an operator's index of 33 bits": (Forger([Session()], operator=OPERATOR + WIDE), "does not fit 32 bits"),
    "no record": (Forger([Session(records=[], count=0)]), "active exactly when it holds a record"),
    "seventeen records": (Forger([Session(records=[record(fee=1)] * 16, count=17)]), "not the number of records"),
    "a record uncounted": (Forger([Session(records=[record(fee=3)] * 2, count=1)]), "beyond the session's count"),
    "half active": (Forger([Session(active=pow(2, -1, R))]), "neither 0 nor 1"),
    "records in an idle slot": (Forger([Session(active=0)]), "active exactly when it holds a record"),
    "an idle slot first": (
        Forger([Session(OPERATOR, 0, 0, 0, 0, 0, active=0, records=[]), Session()]),
        "a flag is set after one that is not",
    ),
    "usage of 33 bits": (Forger([Session(records=[record(wall_ms=1 << 32)])]), "does not fit 32 bits"),
    "an outcome of 4": (Forger([Session(records=[record(outcome=4)])]), "does not fit 2 bits"),
    "a sequence of 49 bits": (Forger([Session(records=[record(sequence=1 << 48)])]), "does not fit 48 bits"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_has_a_proof(circuit: CompiledCircuit, name: str) -> None:
    assert violation(circuit, ALLOWED[name]) is None


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_forbidden_has_none(circuit: CompiledCircuit, name: str) -> None:
    forger, message = FORBIDDEN[name]
    found = violation(circuit, forger)
    assert found is not None
    assert message in found


def test_unused_slots_say_nothing(circuit: CompiledCircuit) -> None:
    """Whatever account an idle slot opens, and whether a provider's slot is there twice: the same words."""
    said = []
    for idle, slots in ((OPERATOR, [PROVIDER, OTHER]), (ALICE, [PROVIDER, ALICE]), (BOB, [PROVIDER, PROVIDER])):
        forger = Forger([Session()], provider_slots=slots, idle=idle)
        assert violation(circuit, forger) is None
        said.append(forger.words)
    assert said[0] == said[1] == said[2]
    assert said[0][-3:] == [0, 0, 0]


def hint_of(circuit: CompiledCircuit, function: Callable[..., Any]) -> int:
    """The first wire that the first use of a hint writes."""
    program = circuit.program
    number = [hint.function for hint in program.hints].index(function)
    return int(program.outs[np.flatnonzero((program.ops == Op.PYTHON) & (program.extras == number))[0]])


def refusal(circuit: CompiledCircuit, forger: Forger, hint: Callable[..., Any], lies: list[int]) -> str:
    overrides = dict(enumerate(lies, start=hint_of(circuit, hint)))
    found = check(circuit, circuit.witness(forger.inputs(), overrides=overrides))
    assert found is not None
    return found.message


@pytest.mark.parametrize(
    ("slots", "paid", "message"),
    [
        ([PROVIDER, OTHER], [0, 1], "matched to another provider's slot"),
        ([PROVIDER, PROVIDER], [1, 1], "a session's provider has no slot, or several"),
        ([PROVIDER, PROVIDER], [0, 0], "a session's provider has no slot, or several"),
        ([PROVIDER, PROVIDER], [2, R - 1], "neither 0 nor 1"),
    ],
)
def test_a_session_pays_its_provider_once(
    circuit: CompiledCircuit, slots: list[int], paid: list[int], message: str
) -> None:
    """The hint pays the slots these multiples, and so does the state."""
    forger = Forger([Session()], provider_slots=slots, paid=paid)
    assert refusal(circuit, forger, match_provider, paid) == message


def test_a_record_is_there_or_not(circuit: CompiledCircuit) -> None:
    """A fee in a record whose words the share of its presence makes zero: paid, unsigned, and any count."""
    share = -pow(ALICE << 112, -1, R) % R
    forger = Forger([Session(records=[record(fee=3), record(fee=1)], present=[1, share])])
    assert refusal(circuit, forger, unary, [1, share] + [0] * 14) == "neither 0 nor 1"


def test_records_come_first(circuit: CompiledCircuit) -> None:
    forger = Forger([Session(records=[record(fee=3), NO_RECORD, record(fee=1)], present=[1, 0, 1])])
    assert refusal(circuit, forger, unary, [1, 0, 1] + [0] * 13) == "a flag is set after one that is not"


def test_a_credit_cannot_carry_into_the_nonce(circuit: CompiledCircuit) -> None:
    """A balance that would reach 2^96, opened as (balance − 2^96, nonce + 1): the same leaves before and after."""
    inputs = Forger([Session()], {PROVIDER: {"balance": (1 << 96) - 97}}).inputs()
    inputs["provider_account_balance"][0] = R - 97
    inputs["provider_account_nonce"][0] = 1
    found = check(circuit, circuit.witness(inputs))
    assert found is not None
    assert (found.message, found.n_violations) == ("does not fit 96 bits", 1)
