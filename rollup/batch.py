"""A batch: sessions applied in order, the data words it posts, and the inputs its circuit takes.

``docs/protocol.md``, "Batch", "Data" and "Binding the data". :func:`build` changes the state it is given; a
refused session raises half-way, so give it an overlay and throw that away (``state.State``).

The circuit's input names and their order are ``circuits.statements.agent_runs``'s; :func:`circuit_inputs` is the only
place of this room that writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aitbc_rollup.algebra.babyjubjub import BASE8
from aitbc_rollup.algebra.eddsa import Signature
from aitbc_rollup.algebra.poseidon import sponge
from aitbc_rollup.circuits.statements import protocol
from aitbc_rollup.circuits.statements.agent_runs import Shape
from aitbc_rollup.circuits.statements.protocol import Tag
from aitbc_rollup.errors import BadInputError

from .accounts import Account
from .binding import Binding, to_data
from .records import Domain, SignedSession
from .state import State, Step

Inputs = dict[str, Any]

_NO_SIGNATURE = Signature(BASE8, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContext:
    """What a batch's header says besides roots and counts."""

    domain: Domain
    batch_number: int
    mode: int
    l1_time: int
    operator_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch applied: its data words, and every account it changed as it was just before.

    ``session_steps`` has one step a session, ``provider_steps`` one a distinct provider in order of first use, both
    filled up to the shape with the operator's account as it stood at that moment; ``operator_step`` is the last.
    """

    context: BatchContext
    shape: Shape
    sessions: tuple[SignedSession, ...]
    old_root: int
    new_root: int
    words: tuple[int, ...]
    session_steps: tuple[Step, ...]
    provider_steps: tuple[Step, ...]
    operator_step: Step

    @property
    def records(self) -> int:
        """The number of records."""
        return sum(len(signed.session.records) for signed in self.sessions)

    @property
    def data(self) -> bytes:
        """The bytes posted on L1."""
        return to_data(self.words)

    @property
    def binding(self) -> Binding:
        """The data's commitment, challenge and evaluation."""
        return bind(self.words, self.shape)


def bind(words: Sequence[int], shape: Shape) -> Binding:
    """C, ζ and y of data words, for a circuit of this shape.

    Raises:
        BadInputError: more words than the shape has room for.
    """
    room = protocol.data_words(shape.sessions)
    if len(words) > room:
        raise BadInputError(
            "more data than the circuit has room for", expected=f"at most {room} words", got=str(len(words))
        )
    commitment = sponge(Tag.BATCH, [*words, *[0] * (room - len(words))])
    return Binding.of(commitment, to_data(words))


def build(state: State, sessions: Sequence[SignedSession], context: BatchContext, shape: Shape) -> Batch:
    """Apply sessions and credits to a state and write down the batch.

    Raises:
        BadInputError: no session, too many sessions or providers for the shape, or a session that does not hold.
    """
    providers = list(dict.fromkeys(signed.session.provider_index for signed in sessions))
    check_room(len(sessions), len(providers), shape)
    old_root = state.root
    session_steps: list[Step] = []
    body: list[int] = []
    for signed in sessions:
        session_steps.append(state.apply_session(signed, context.domain, context.l1_time))
        body += session_words(signed, state.account(signed.session.agent_index).history_root)
    idle = state.step(context.operator_index, "operator")
    session_steps += [idle] * (shape.sessions - len(sessions))
    nets = dict.fromkeys(providers, 0)
    for signed in sessions:
        nets[signed.session.provider_index] += signed.session.fee - signed.session.operator_fee
    provider_steps = [state.credit(index, net) for index, net in nets.items()]
    provider_steps += [state.step(context.operator_index)] * (shape.providers - len(providers))
    operator_step = state.credit(context.operator_index, sum(signed.session.operator_fee for signed in sessions))
    header = _header(context, sessions, old_root, state.root)
    return Batch(
        context=context,
        shape=shape,
        sessions=tuple(sessions),
        old_root=old_root,
        new_root=state.root,
        words=(*header, *body),
        session_steps=tuple(session_steps),
        provider_steps=tuple(provider_steps),
        operator_step=operator_step,
    )


def check_room(sessions: int, providers: int, shape: Shape) -> None:
    """Refuse what a circuit of this shape has no room for.

    Raises:
        BadInputError: no session, or too many sessions or providers.
    """
    if sessions == 0:
        raise BadInputError("a batch without sessions", expected="at least one session", got="none")
    for what, got, room in (("sessions", sessions, shape.sessions), ("providers", providers, shape.providers)):
        if got > room:
            raise BadInputError(
                f"more {what} than the circuit has room for",
                expected=f"at most {room} (shape {shape})",
                got=str(got),
                hint="take fewer records with --limit, or a larger --shape with a new state folder",
            )


def session_words(signed: SignedSession, history_root: int) -> list[int]:
    """The three data words of a session."""
    session = signed.session
    values = {
        "agent_index": session.agent_index,
        "provider_index": session.provider_index,
        "nonce": session.nonce,
        "count": len(session.records),
        "operator_share_bps": session.operator_share_bps,
        "fee": session.fee,
    }
    usage = dict(zip(protocol.USAGE, session.usage, strict=True))
    return [
        history_root,
        protocol.pack(protocol.SESSION_WORD_1, values),
        protocol.pack(protocol.SESSION_WORD_2, usage),
    ]


def _header(context: BatchContext, sessions: Sequence[SignedSession], old_root: int, new_root: int) -> list[int]:
    counts = {
        "sessions": len(sessions),
        "records": sum(len(signed.session.records) for signed in sessions),
        "operator_index": context.operator_index,
    }
    values = {
        "version": protocol.VERSION,
        "chain_id": context.domain.chain_id,
        "contract": context.domain.contract,
        "shard": context.domain.shard,
        "batch_number": context.batch_number,
        "counts": protocol.pack(protocol.COUNTS, counts),
        "byte_length": protocol.WORD_BYTES * protocol.data_words(len(sessions)),
        "mode": context.mode,
        "l1_time": context.l1_time,
        "old_root": old_root,
        "new_root": new_root,
        "queue_digest": 0,
        "withdrawals_digest": 0,
    }
    return [values[name] for name in protocol.HEADER]


# -- the circuit's inputs ------------------------------------------------------------------------------------


def circuit_inputs(batch: Batch, payout: int) -> Inputs:
    """Every input of ``agent_runs`` by name, as integers and nested lists of them.

    Args:
        batch: the batch; its shape is the circuit's.
        payout: the L1 address that the proof pays, as a number.
    """
    context, binding = batch.context, batch.binding
    inputs: Inputs = {
        "commitment": binding.commitment,
        "zeta": binding.zeta,
        "evaluation": binding.evaluation,
        "payout": payout,
        "chain_id": context.domain.chain_id,
        "contract": context.domain.contract,
        "shard": context.domain.shard,
        "batch_number": context.batch_number,
        "mode": context.mode,
        "l1_time": context.l1_time,
        "old_root": batch.old_root,
        "operator_index": context.operator_index,
        "provider_index": [step.index for step in batch.provider_steps],
    }
    inputs |= _session_inputs(batch)
    inputs |= _account_inputs("session_", batch.session_steps)
    inputs |= _account_inputs("provider_", batch.provider_steps)
    inputs |= {name: column[0] for name, column in _account_inputs("operator_", [batch.operator_step]).items()}
    return inputs


def _session_inputs(batch: Batch) -> Inputs:
    """One row a slot; an idle one names the operator's account and its nonce, and nothing else."""
    rows: list[Inputs] = []
    for slot, step in enumerate(batch.session_steps):
        signed = batch.sessions[slot] if slot < len(batch.sessions) else None
        session = signed.session if signed else None
        signature = signed.signature if signed else _NO_SIGNATURE
        records = [list(record.fields) for record in session.records] if session else []
        blank = [[0] * len(protocol.RECORD_FIELDS)] * (protocol.SESSION_RECORDS - len(records))
        rows.append(
            {
                "session_active": int(session is not None),
                "session_agent_index": step.index,
                "session_provider_index": session.provider_index if session else 0,
                "session_nonce": step.account.nonce,
                "session_fee_cap": session.fee_cap if session else 0,
                "session_operator_share_bps": session.operator_share_bps if session else 0,
                "session_expiry": session.expiry if session else 0,
                "session_count": len(records),
                "session_signature_r8_x": signature.r8[0],
                "session_signature_r8_y": signature.r8[1],
                "session_signature_s": signature.s,
                "session_records": records + blank,
            }
        )
    return _columns(rows)


def _account_inputs(prefix: str, steps: Iterable[Step]) -> Inputs:
    return _columns(
        {f"{prefix}account_{name}": value for name, value in _account(step.account).items()}
        | {f"{prefix}children": [list(family) for family in step.children]}
        for step in steps
    )


def _account(account: Account) -> dict[str, int]:
    return {
        "public_key_x": account.public_key[0],
        "public_key_y": account.public_key[1],
        "owner": account.owner,
        "balance": account.balance,
        "nonce": account.nonce,
        "usage_a": account.usage_a,
        "usage_b": account.usage_b,
        "history_root": account.history_root,
        "external_id": account.external_id,
    }


def _columns(rows: Iterable[Inputs]) -> Inputs:
    """Rows of named values as one list a name."""
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return columns
