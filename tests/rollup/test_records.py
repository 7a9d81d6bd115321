from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import poseidon, sponge
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.records import RunRecord, digest_element, parents_element
from aitbc_rollup.rollup.transactions import Domain, Session, Transfer

RECORD = RunRecord(
    wall_ms=1, cpu_ms=2, gpu_ms=3, memory_mib=4, tokens_in=5, tokens_out=6, outcome=3,
    fee=7, sequence=8, task=9, parents=10, cid=11,
)  # fmt: skip


def test_words_are_packed_as_the_protocol_says() -> None:
    # docs/protocol.md, "Run record", written out by hand.
    assert RECORD.words(12) == [
        1 + 2 * 2**32 + 3 * 2**64 + 4 * 2**96 + 5 * 2**128 + 6 * 2**160 + 3 * 2**192,
        7 + 8 * 2**64 + 12 * 2**112,
        9,
        10,
        11,
    ]


def test_run_hash_has_its_own_tag() -> None:
    assert RECORD.run_hash(12) == poseidon(RECORD.words(12), initial_state=7)


@pytest.mark.parametrize(
    ("field", "bits"),
    [
        *((name, 32) for name in ("wall_ms", "cpu_ms", "gpu_ms", "memory_mib", "tokens_in", "tokens_out")),
        ("outcome", 2),
        ("fee", 64),
        ("sequence", 48),
    ],
)
def test_a_field_wider_than_its_packing_is_refused(field: str, bits: int) -> None:
    RunRecord(**{field: 2**bits - 1})
    for value in (2**bits, -1):
        with pytest.raises(BadInputError) as caught:
            RunRecord(**{field: value})
        assert caught.value.message == f"{field} does not fit"
        assert caught.value.expected == f"0 ≤ {field} < 2^{bits}"


@pytest.mark.parametrize("field", ["task", "parents", "cid"])
def test_elements_are_canonical(field: str) -> None:
    RunRecord(**{field: R - 1})
    with pytest.raises(BadInputError, match=f"{field} is no field element"):
        RunRecord(**{field: R})


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_packing_loses_nothing(data: st.DataObject) -> None:
    parts = [*layout.RECORD_WORD_0, *layout.RECORD_WORD_1]
    values = {name: data.draw(st.integers(0, 2**bits - 1)) for name, bits in parts}
    agent = values.pop("agent_index")
    words = RunRecord(**values).words(agent)
    unpacked = layout.unpack(layout.RECORD_WORD_0, words[0]) | layout.unpack(layout.RECORD_WORD_1, words[1])
    assert unpacked == values | {"agent_index": agent}


def test_digest_element_is_31_bytes_of_sha256() -> None:
    assert digest_element(b"task") == int(hashlib.sha256(b"task").hexdigest()[:62], 16)


def test_parents() -> None:
    assert parents_element([]) == 0
    assert parents_element([3, 4]) == sponge(6, [3, 4])
    assert parents_element([3, 4]) != parents_element([3, 4, 0])


def session(**changes: object) -> Session:
    fields = {
        "agent_index": 2, "provider_index": 3, "nonce": 4, "fee_cap": 100, "operator_share_bps": 500, "expiry": 6,
        "records": (RECORD, RECORD),
    }  # fmt: skip
    return Session(**(fields | changes))  # type: ignore[arg-type]


def test_every_part_of_a_session_is_signed() -> None:
    domain = Domain(1, 2, 3)
    other = RunRecord(task=1)
    variants = [
        session(),
        session(agent_index=9),
        session(provider_index=9),
        session(nonce=9),
        session(fee_cap=99),
        session(operator_share_bps=9),
        session(expiry=9),
        session(records=(RECORD,)),
        session(records=(RECORD, other)),
        session(records=(other, RECORD)),
    ]
    messages = {variant.message(domain) for variant in variants}
    messages |= {session().message(Domain(*parts)) for parts in ((9, 2, 3), (1, 9, 3), (1, 2, 9))}
    assert len(messages) == len(variants) + 3


def transfer(**changes: object) -> Transfer:
    fields = {"from_index": 2, "to_index": 3, "nonce": 4, "exit": False, "expiry": 6, "amount": 7, "fee": 8}
    return Transfer(**(fields | changes))  # type: ignore[arg-type]


def test_a_transfer_s_message_is_what_the_protocol_says() -> None:
    domain = poseidon([31337, 77, 88], initial_state=8)
    terms = 2 + 3 * 2**32 + 4 * 2**64 + 0 * 2**96 + 6 * 2**97
    message = transfer().message(Domain(31337, 77, 88))
    assert message == poseidon([domain, terms, 7 + 8 * 2**88], initial_state=9)


def test_every_part_of_a_transfer_is_signed() -> None:
    domain = Domain(1, 2, 3)
    names = ("from_index", "to_index", "nonce", "expiry", "amount", "fee")
    variants = [transfer(), *(transfer(**{name: 9}) for name in names), transfer(exit=True, to_index=0)]
    messages = {variant.message(domain) for variant in variants} | {transfer().message(Domain(1, 2, 4))}
    assert len(messages) == len(variants) + 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"records": ()}, "wrong number of records in a session"),
        ({"operator_share_bps": -1}, "operator_share_bps does not fit"),
        ({"operator_share_bps": 2**16}, "operator_share_bps does not fit"),
        ({"nonce": 2**32}, "nonce does not fit"),
        ({"agent_index": 2**32}, "agent_index does not fit"),
        ({"fee_cap": 2**64}, "fee_cap does not fit"),
        ({"expiry": 2**40}, "expiry does not fit"),
    ],
)
def test_a_session_out_of_bounds_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BadInputError) as caught:
        session(**changes)
    assert caught.value.message == message


@pytest.mark.parametrize("changes", [{"amount": 2**88}, {"fee": 2**64}, {"nonce": 2**32}, {"to_index": -1}])
def test_a_transfer_out_of_bounds_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadInputError, match=f"{next(iter(changes))} does not fit"):
        transfer(**changes)
