"""Development agents: keys that anyone can derive, for traces that carry no signatures.

A public trace says what ran, not who signs for it. So that it can go down the same road as agents' sessions,
development agents sign: their keys are SHA-256 of a fixed text and the account's index. They are no secret and never
will be. Genesis marks their accounts, a batch they signed carries a mode bit, and contract and node refuse
both on any chain that is not local.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from aitbc_rollup.algebra.eddsa import public_key, sign
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import PAGE_RECORDS
from aitbc_rollup.errors import BadInputError

from .checks import check_width
from .ingest.azure import TraceRow
from .records import RunRecord, digest_element
from .transactions import Domain, Session, SignedSession

#: Chain ids of anvil and hardhat, and of ganache.
LOCAL_CHAIN_IDS = frozenset({31337, 1337})


def is_local_chain(chain_id: int) -> bool:
    """Whether development keys may be used on this chain."""
    return chain_id in LOCAL_CHAIN_IDS


def development_private_key(index: int) -> bytes:
    """The 32-byte private key of the development account at an index: public by design."""
    return hashlib.sha256(f"aitbc-rollup development key, account {index}".encode()).digest()


@cache
def development_public_key(index: int) -> tuple[int, int]:
    """The public key that belongs to :func:`development_private_key`."""
    return public_key(development_private_key(index))


@dataclass(frozen=True, slots=True)
class Prices:
    """What a token costs, in the asset's smallest unit."""

    input: int = 3
    output: int = 15

    @classmethod
    def parse(cls, text: str) -> Prices:
        """Prices from ``input=3,output=15``.

        Raises:
            BadInputError: another form, or a price that does not fit in 32 bits.
        """
        parts = [part.partition("=") for part in text.split(",")]
        found = {name.strip(): value.strip() for name, _, value in parts}
        if (
            set(found) != {"input", "output"}
            or len(parts) != 2
            or not all(value.isascii() and value.isdigit() and len(value) < 20 for value in found.values())
        ):
            raise BadInputError("prices do not read", place="--prices", expected="input=3,output=15", got=text)
        return cls(**{name: check_width(int(value), 32, field=f"{name} price") for name, value in found.items()})

    def fee(self, row: TraceRow) -> int:
        """The fee of one request.

        Raises:
            BadInputError: it does not fit in a record's 64 bits.
        """
        fee = row.tokens_in * self.input + row.tokens_out * self.output
        return check_width(fee, layout.FEE_BITS, field="fee", place=row.place)

    def __str__(self) -> str:
        return f"input={self.input},output={self.output}"


#: Made up, so that fees are not zero; the batch's provenance shows them.
DEFAULT_PRICES = Prices()


@dataclass(frozen=True, slots=True)
class Assignment:
    """How rows of a trace become sessions: who runs them, who provides, at which price and share, how many in each."""

    agents: tuple[int, ...]
    provider: int
    prices: Prices
    operator_share_bps: int
    session_records: int = PAGE_RECORDS


def group(rows: Sequence[TraceRow], how: Assignment) -> list[tuple[int, list[TraceRow]]]:
    """Rows dealt to agents in turn, cut into sessions: every agent's first session, then every agent's second."""
    groups: list[tuple[int, list[TraceRow]]] = []
    dealt = [(agent, list(rows[start :: len(how.agents)])) for start, agent in enumerate(how.agents)]
    for first in range(0, max((len(own) for _, own in dealt), default=0), how.session_records):
        for agent, own in dealt:
            part = own[first : first + how.session_records]
            if part:
                groups.append((agent, part))
    return groups


def sign_rows(
    rows: Sequence[TraceRow], how: Assignment, nonces: dict[int, int], domain: Domain, expiry: int
) -> list[tuple[SignedSession, list[TraceRow]]]:
    """Sessions for the rows of a trace, signed with development keys, each with its rows.

    Args:
        rows: requests of a trace.
        how: agents, provider, prices, share, size of a session.
        nonces: the nonce of each agent's account; left as it is.
        domain: chain, contract and shard; the caller has checked that the chain is local.
        expiry: of every session, unix seconds.
    """
    nonces = dict(nonces)
    sessions = []
    for agent, part in group(rows, how):
        nonce = nonces[agent]
        nonces[agent] += 1
        records = tuple(
            RunRecord(
                tokens_in=row.tokens_in,
                tokens_out=row.tokens_out,
                fee=how.prices.fee(row),
                sequence=nonce * how.session_records + position,
                task=digest_element(row.identity),
            )
            for position, row in enumerate(part)
        )
        session = Session(
            agent_index=agent,
            provider_index=how.provider,
            nonce=nonce,
            fee_cap=sum(record.fee for record in records),
            operator_share_bps=how.operator_share_bps,
            expiry=expiry,
            records=records,
        )
        signature = sign(development_private_key(agent), session.message(domain))
        sessions.append((SignedSession(session, signature, place=part[0].place), part))
    return sessions
