"""A small world: a development genesis with two agents, and a maker of signed sessions in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aitbc_rollup.algebra.eddsa import sign
from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.dev_agents import development_private_key
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.records import Domain, RunRecord, Session, SignedSession

DOMAIN = Domain(31337, 0xC0FFEE, 0)
L1_TIME = 1_700_000_000

MakeSession = Callable[..., SignedSession]


@pytest.fixture(scope="session")
def world() -> Genesis:
    return genesis.development(31337, 2)


@pytest.fixture(scope="session")
def domain() -> Domain:
    return DOMAIN


@pytest.fixture(scope="session")
def make_session() -> MakeSession:
    def make(agent: int = 2, nonce: int = 0, *, domain: Domain = DOMAIN, signer: int | None = None, **changes: Any):
        fields: dict[str, Any] = {
            "agent_index": agent,
            "provider_index": 1,
            "nonce": nonce,
            "fee_cap": 10_000,
            "operator_share_bps": 500,
            "expiry": L1_TIME + 60,
            "records": (
                RunRecord(tokens_in=100, tokens_out=7, fee=405, sequence=16 * nonce, task=1000 + nonce, outcome=1),
                RunRecord(wall_ms=9, cpu_ms=8, gpu_ms=7, memory_mib=6, fee=94, sequence=16 * nonce + 1, task=5),
            ),
        } | changes
        session = Session(**fields)
        key = development_private_key(agent if signer is None else signer)
        return SignedSession(session, sign(key, session.message(domain)), "sessions.jsonl:1")

    return make
