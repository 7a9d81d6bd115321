from __future__ import annotations

import pytest
from batch_world import DOMAIN

from aitbc_rollup.algebra.eddsa import verify
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.dev_agents import Assignment, Prices, development_public_key, group, sign_rows
from aitbc_rollup.rollup.ingest.azure import TraceRow
from aitbc_rollup.rollup.records import digest_element


def assignment(*agents: int, size: int = 16) -> Assignment:
    return Assignment(agents, 1, Prices(3, 15), 500, size)


def rows(count: int) -> list[TraceRow]:
    return [TraceRow(f"trace:{n + 2}", f"row {n}".encode(), 100 + n, n) for n in range(count)]


def test_rows_are_dealt_in_turn_and_cut_into_sessions() -> None:
    groups = group(rows(40), assignment(7, 9))
    assert [(agent, len(part)) for agent, part in groups] == [(7, 16), (9, 16), (7, 4), (9, 4)]
    assert [row.tokens_out for row in groups[1][1]] == list(range(1, 32, 2))
    assert sorted(row.tokens_out for _, part in groups for row in part) == list(range(40))


def test_sessions_of_another_size() -> None:
    assert [len(part) for _, part in group(rows(40), assignment(7, 9, size=7))] == [7, 7, 7, 7, 6, 6]
    (signed, _), *_ = sign_rows(rows(40), assignment(7, size=40), {7: 2}, DOMAIN, expiry=99)
    assert (signed.session.pages, signed.session.records[39].sequence) == (3, 2 * 40 + 39)


def test_fewer_rows_than_agents() -> None:
    assert [agent for agent, _ in group(rows(2), assignment(3, 4, 5))] == [3, 4]


def test_signed_rows() -> None:
    how = assignment(2, 3)
    nonces = {2: 5, 3: 0}
    signed_rows = sign_rows(rows(40), how, nonces, DOMAIN, expiry=99)
    sessions = [signed for signed, _ in signed_rows]
    assert [row.tokens_out for row in signed_rows[1][1]] == list(range(1, 32, 2))
    assert nonces == {2: 5, 3: 0}
    assert [(s.session.agent_index, s.session.nonce) for s in sessions] == [(2, 5), (3, 0), (2, 6), (3, 1)]
    first = sessions[0].session
    assert first.records[1].fee == 3 * 102 + 15 * 2
    assert first.records[1].task == digest_element(b"row 2")
    assert [record.sequence for record in first.records] == list(range(80, 96))
    assert (first.fee_cap, first.provider_index, first.operator_share_bps, first.expiry) == (first.fee, 1, 500, 99)
    for signed in sessions:
        key = development_public_key(signed.session.agent_index)
        assert verify(key, signed.session.message(DOMAIN), signed.signature)


def test_prices() -> None:
    assert Prices.parse("output=2, input=1") == Prices(1, 2)
    assert str(Prices(1, 2)) == "input=1,output=2"


@pytest.mark.parametrize("text", ["", "input=1", "input=1,output=2,input=3", "input=-1,output=2", "input=1.5,output=2"])
def test_prices_that_do_not_read(text: str) -> None:
    with pytest.raises(BadInputError, match="prices do not read"):
        Prices.parse(text)


def test_a_price_that_is_too_high() -> None:
    with pytest.raises(BadInputError, match="input price does not fit"):
        Prices.parse(f"input={2**32},output=0")
