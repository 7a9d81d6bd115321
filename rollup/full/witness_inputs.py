"""A full batch as the inputs of its circuit (``circuits.statements.full``): slots in order, unused ones zero."""

from __future__ import annotations

from collections.abc import Sequence

from aitbc_rollup.circuits.statements.full.sessions import TERMS as SESSION_TERMS
from aitbc_rollup.circuits.statements.full.transfers import TERMS as TRANSFER_TERMS

from ..witness_inputs import Inputs, Visits, public_inputs, shared_inputs, table
from .batch import FullBatch
from .posted import FullSession, FullTransfer


def full_circuit_inputs(batch: FullBatch, payout: int) -> Inputs:
    """Every input of the full batch's circuit by name, as ``witness_inputs.circuit_inputs`` has them.

    Args:
        batch: the batch; its shape is the circuit's.
        payout: the L1 address that the proof pays, as a number.
    """
    visits = Visits(batch)
    shape, given = batch.shape, batch.data.inputs
    inputs = public_inputs(batch.binding, payout) | shared_inputs(batch, visits)
    inputs["session_terms"] = table(
        (_terms(item, SESSION_TERMS) for item in given.sessions), shape.sessions, len(SESSION_TERMS)
    )
    inputs |= visits.both(("session_agent", "session_provider"), map(visits.clock.session, range(shape.sessions)))
    if shape.transfers:
        inputs["transfer_terms"] = table(
            (_terms(item, TRANSFER_TERMS) for item in given.transfers), shape.transfers, len(TRANSFER_TERMS)
        )
        inputs |= visits.both(("transfer_from", "transfer_to"), map(visits.clock.transfer, range(shape.transfers)))
    return inputs


def _terms(item: FullSession | FullTransfer, names: Sequence[str]) -> list[int]:
    said = {"active": 1, "challenge": item.signature.challenge, "s": item.signature.s}
    return [said[name] if name in said else int(getattr(item, name)) for name in names]
