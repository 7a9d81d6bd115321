"""The batch of agent runs: sessions signed by agents move one shard's state root (``docs/protocol.md``, "Batch").

The statement, for public C, ζ, y and payout: *I know data words and, for each session in them, records and a
signature, such that C and y are the words' commitment and evaluation, and applying the sessions in order, then the
credits, takes the header's old root to its new root.*

What it does not say, because the contract checks it: that chain id, contract, shard, batch number, old root, mode, L1
time and length in the header are the right ones. What nobody checks: that ``task``, ``parents`` and ``cid`` mean what
the agent claims.

A circuit has a shape, room for K sessions and P providers. An unused session slot re-opens the operator's leaf and
changes nothing; its words are masked to zero. An unused provider slot credits zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..api import Circuit, Variable
from ..compiler import CompiledCircuit
from ..gadgets.boolean import assert_prefix
from ..gadgets.poseidon import sponge
from .agent_account import ACCOUNT_FIELDS, credit_account
from .agent_session import CONTEXT, SESSION_SCALARS, apply_session
from .protocol import (
    COUNTS,
    HEADER,
    HEADER_WORDS,
    RECORD_FIELDS,
    SESSION_RECORDS,
    SESSION_WORDS,
    TREE_ARITY,
    TREE_DEPTH,
    VERSION,
    WORD_BYTES,
    Tag,
    shifts,
)

#: Private inputs that stand in the header (or, the operator's index, in one of its words).
HEADER_INPUTS = ("chain_id", "contract", "shard", "batch_number", "mode", "l1_time", "old_root", "operator_index")


@dataclass(frozen=True)
class Shape:
    """Room in a batch: sessions (each of up to 16 records) and distinct providers."""

    sessions: int
    providers: int = 1

    def __post_init__(self) -> None:
        if not (1 <= self.sessions <= 1 << 12 and 1 <= self.providers <= self.sessions):
            raise ValueError(f"a shape needs 1 <= providers <= sessions <= 4096, got {self}")

    @property
    def records(self) -> int:
        """The most records a batch of this shape holds."""
        return self.sessions * SESSION_RECORDS

    def __str__(self) -> str:
        return f"{self.sessions}x{SESSION_RECORDS}p{self.providers}"


@dataclass(frozen=True)
class _Session:
    """The wires of one session slot that the batch looks at again."""

    provider_index: Variable
    active: Variable
    count: Variable
    words: list[Variable]
    share: Variable
    net: Variable


def compile_agent_runs(shape: Shape) -> CompiledCircuit:
    """The circuit of a shape, deterministic.

    Its inputs, by name (``[K]``, ``[P]`` as in the shape). Public: ``commitment zeta evaluation payout``.
    Private: ``chain_id contract shard batch_number mode l1_time old_root operator_index``; per session slot each of
    ``SESSION_SCALARS`` as ``session_<name>[K]`` and ``session_records[K][16][12]`` (``RECORD_FIELDS``);
    ``provider_index[P]``; and for each prefix ``session_``, ``provider_`` (arrays) and ``operator_`` (no array) the
    account before the change, ``<prefix>account_<field>`` (``ACCOUNT_FIELDS``), and ``<prefix>children[…][16][4]``, the
    hashes beside the path, leaves first.
    """
    circuit = Circuit(f"agent_runs_{shape}")
    commitment, zeta, evaluation, payout = (
        circuit.public_input(name) for name in ("commitment", "zeta", "evaluation", "payout")
    )
    header = {name: circuit.private_input(name) for name in HEADER_INPUTS}

    sessions, root = _sessions(circuit, shape, header)
    root = _provider_credits(circuit, shape, sessions, root)
    shares = _total(session.share for session in sessions)
    account = [circuit.private_input(f"operator_account_{name}") for name in ACCOUNT_FIELDS]
    children = _flat(circuit.private_inputs("operator_children", TREE_DEPTH, TREE_ARITY))
    root = credit_account(circuit, root, header["operator_index"], shares, account, children)

    words = _header_words(circuit, header, sessions, root)
    for session in sessions:
        words += session.words
    _bind_data(circuit, words, commitment, zeta, evaluation)
    _ = payout * payout  # an input in no constraint of its own is one that a verifier could fail to bind
    return circuit.compile()


def _sessions(circuit: Circuit, shape: Shape, header: dict[str, Variable]) -> tuple[list[_Session], Variable]:
    """Every session slot applied in order; active slots come first."""
    count = shape.sessions
    scalars = {name: circuit.private_inputs(f"session_{name}", count) for name in SESSION_SCALARS}
    records = circuit.private_inputs("session_records", count, SESSION_RECORDS, len(RECORD_FIELDS))
    account = {name: circuit.private_inputs(f"session_account_{name}", count) for name in ACCOUNT_FIELDS}
    children = circuit.private_inputs("session_children", count, TREE_DEPTH, TREE_ARITY)
    context = [header[name] for name in CONTEXT]
    root = header["old_root"]
    sessions = []
    for slot in range(count):
        root, *words, share, net = apply_session(
            circuit,
            context,
            root,
            [scalars[name][slot] for name in SESSION_SCALARS],
            _flat(records[slot]),
            [account[name][slot] for name in ACCOUNT_FIELDS],
            _flat(children[slot]),
        )
        provider, active, runs = (scalars[name][slot] for name in ("provider_index", "active", "count"))
        # The session constrains its flag.
        sessions.append(_Session(provider, active.within(0, 1), runs, words, share, net))
    assert_prefix(circuit, [session.active for session in sessions])
    return sessions, root


def match_provider(active: int, provider: int, *slots: int) -> list[int]:
    """Hint: one-hot, the first provider slot that is this session's provider; all zero when inactive or unmatched."""
    first = slots.index(provider) if active and provider in slots else None
    return [int(slot == first) for slot in range(len(slots))]


def _provider_credits(circuit: Circuit, shape: Shape, sessions: list[_Session], root: Variable) -> Variable:
    """Each active session's fee less its share goes to the slot of its provider; returns the root after the credits.

    A slot's index has 32 bits because its leaf is opened there, and a matched session's provider is that index.
    """
    slots = circuit.private_inputs("provider_index", shape.providers)
    account = {name: circuit.private_inputs(f"provider_account_{name}", shape.providers) for name in ACCOUNT_FIELDS}
    children = circuit.private_inputs("provider_children", shape.providers, TREE_DEPTH, TREE_ARITY)
    amounts = [circuit.constant(0)] * shape.providers
    for session in sessions:
        matches = circuit.hint(match_provider, [session.active, session.provider_index, *slots], shape.providers)
        for slot, match in enumerate(matches):
            circuit.assert_boolean(match)
            difference = session.provider_index - slots[slot]
            circuit.assert_product(match, difference, circuit.constant(0), "matched to another provider's slot")
            amounts[slot] = amounts[slot] + match * session.net
        circuit.assert_equal(_total(matches), session.active, "a session's provider has no slot, or several")
    for slot, amount in enumerate(amounts):
        fields = [account[name][slot] for name in ACCOUNT_FIELDS]
        root = credit_account(circuit, root, slots[slot], amount, fields, _flat(children[slot]))
    return root


def _header_words(
    circuit: Circuit, header: dict[str, Variable], sessions: list[_Session], new_root: Variable
) -> list[Variable]:
    """The thirteen header words."""
    active = _total(session.active for session in sessions)
    start = shifts(COUNTS)
    counts = (
        active
        + _total(session.count for session in sessions) * (1 << start["records"])
        + header["operator_index"] * (1 << start["operator_index"])
    )
    computed = {
        "version": circuit.constant(VERSION),
        "counts": counts,
        "byte_length": active * (WORD_BYTES * SESSION_WORDS) + WORD_BYTES * HEADER_WORDS,
        "new_root": new_root,
        "queue_digest": circuit.constant(0),
        "withdrawals_digest": circuit.constant(0),
    }
    return [computed[name] if name in computed else header[name] for name in HEADER]


def _bind_data(
    circuit: Circuit, words: list[Variable], commitment: Variable, zeta: Variable, evaluation: Variable
) -> None:
    """C is the words' sponge, y their polynomial at ζ (Horner: one constraint a word)."""
    circuit.assert_equal(sponge(circuit, Tag.BATCH, words), commitment, "C is not the commitment to the data words")
    value = words[-1]
    for word in reversed(words[:-1]):
        value = value * zeta + word
    circuit.assert_equal(value, evaluation, "y is not the data polynomial at ζ")


def _total(variables: Iterable[Variable]) -> Variable:
    first, *rest = variables
    return sum(rest, first)


def _flat(nested: Sequence[Sequence[Variable]]) -> list[Variable]:
    return [variable for row in nested for variable in row]
