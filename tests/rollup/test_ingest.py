from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from batch_world import DOMAIN, PROVIDER, registration, session, transfer

from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup import ingest
from aitbc_rollup.rollup.documents import (
    registration_to_json,
    signed_from_line,
    signed_session_to_json,
    signed_transfer_to_json,
    to_line,
)
from aitbc_rollup.rollup.ingest import azure
from aitbc_rollup.rollup.ingest.reading import MAX_LINE_BYTES
from aitbc_rollup.rollup.transactions import SignedSession, SignedTransfer

HEADER = b"TIMESTAMP,ContextTokens,GeneratedTokens\n"
ROW = b"2023-11-16 18:17:03.9799600,4808,10\n"
ROW_2 = b"2023-11-16 18:17:04.0319600,3180,8\n"

Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(data: bytes) -> Path:
        path = tmp_path / "input"
        path.write_bytes(data)
        return path

    return put


def refused(path: Path, form: str | None = None) -> BadInputError:
    with pytest.raises(BadInputError) as caught:
        ingest.read(path, form=form)
    return caught.value


def test_rows_of_a_trace(write: Write) -> None:
    selection = ingest.read(write(HEADER + ROW + ROW_2))
    assert selection.format == "azure-llm-2023"
    assert [(row.tokens_in, row.tokens_out) for row in selection.rows] == [(4808, 10), (3180, 8)]
    identity = b"azure-llm-2023\n2023-11-16 18:17:03.9799600,4808,10"
    assert selection.rows[0].identity == identity
    assert selection.rows[0].place == str(write(HEADER)) + ":2"


def test_line_ends_do_not_enter_the_identity(write: Write) -> None:
    unix = ingest.read(write(HEADER + ROW + ROW_2)).rows
    windows = ingest.read(write((HEADER + ROW + ROW_2).replace(b"\n", b"\r\n"))).rows
    unended = ingest.read(write((b"\xef\xbb\xbf" + HEADER + ROW + ROW_2)[:-1])).rows
    assert unix == windows == unended


def test_skip_and_limit(write: Write) -> None:
    path = write(HEADER + ROW + ROW_2)
    assert [row.tokens_in for row in ingest.read(path, skip=1, limit=5).rows] == [3180]
    assert [row.tokens_in for row in ingest.read(path, limit=1).rows] == [4808]
    with pytest.raises(BadInputError, match="nothing to take") as caught:
        ingest.read(path, skip=2, limit=3)
    assert caught.value.got == "--skip 2 --limit 3"


BAD_TABLES: list[tuple[bytes, str, str]] = [
    (b"", "the file is empty", ""),
    (HEADER, "no records", ""),
    (b"TIMESTAMP,ContextTokens\n" + ROW, "wrong header", ":1"),
    (b"timestamp,ContextTokens,GeneratedTokens\n" + ROW, "wrong header", ":1"),
    (HEADER + ROW + b"2023-11-16 18:17:04.0,1\n", "wrong number of columns", ":3"),
    (HEADER + ROW + b"\n", "wrong number of columns", ":3"),
    (HEADER + b"2023-11-16T18:17:04,1,1\n", "TIMESTAMP is no time", ":2"),
    (HEADER + b"2023-13-16 18:17:04,1,1\n", "TIMESTAMP is no time", ":2"),
    (HEADER + ROW + b"2023-11-16 18:17:04.0,-1,8\n", "ContextTokens does not fit", ":3"),
    (HEADER + ROW + b"2023-11-16 18:17:04.0,4294967296,8\n", "ContextTokens does not fit", ":3"),
    (HEADER + ROW + b"2023-11-16 18:17:04.0,1,1e3\n", "GeneratedTokens is no whole number", ":3"),
    (HEADER + ROW + b"2023-11-16 18:17:04.0,1,\n", "GeneratedTokens is no whole number", ":3"),
    (HEADER + ROW + b"2023-11-16 18:17:04.0,1," + b"9" * 5000 + b"\n", "GeneratedTokens is no whole number", ":3"),
    (HEADER + ROW + "2023-11-16 18:17:04.0,１,1\n".encode(), "ContextTokens is no whole number", ":3"),
    (HEADER + ROW + ROW_2 + b"2023-11-16 18:17:05.0,\xff,1\n", "the line is not UTF-8", ":4"),
    (HEADER + ROW + ROW_2 + ROW, "the request stands twice in the file", ":4"),
    (HEADER + ROW + b"2" * (MAX_LINE_BYTES + 1), "the line is too long", ":3"),
]


@pytest.mark.parametrize(("data", "message", "line"), BAD_TABLES)
def test_a_bad_table_is_refused_with_its_line(write: Write, data: bytes, message: str, line: str) -> None:
    path = write(data)
    error = refused(path, azure.NAME)
    assert error.message == message
    assert error.place == f"{path}{line}"


def test_a_double_names_the_first(write: Write) -> None:
    path = write(HEADER + ROW + ROW_2 + ROW)
    assert refused(path).got == f"the same as {path}:2"


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert refused(tmp_path / "none").got == "No such file or directory"
    assert refused(tmp_path).got == "Is a directory"


def test_an_unknown_format_names_the_known_ones(write: Write) -> None:
    error = refused(write(b"hello\n"))
    assert error.message == "unknown format"
    assert error.hint == "--format names it: azure-llm-2023 or sessions"


# -- signed sessions and transfers ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def lines() -> list[str]:
    return [to_line(signed_session_to_json(session(nonce=nonce, fee_cap=10_000 + nonce), DOMAIN)) for nonce in range(3)]


def test_sessions_round_trip(write: Write, lines: list[str]) -> None:
    countersigned = to_line(signed_session_to_json(session(nonce=3, countersigner=PROVIDER), DOMAIN))
    path = write("\n".join([*distinct(lines), countersigned.replace('"sequence":1', '"sequence":77')]).encode())
    selection = ingest.read(path)
    assert selection.format == "sessions"
    for number, (signed, found) in enumerate(selection.signed):
        assert found == DOMAIN
        assert isinstance(signed, SignedSession)
        assert signed.place == f"{path}:{number + 1}"
        assert (signed.session.nonce, signed.countersignature is not None) == (number, number == 3)


def distinct(lines: list[str]) -> list[str]:
    """The same lines with records of their own."""
    return [
        line.replace('"task":"1"', f'"task":"{10 + n}"').replace('"wall_ms":9', f'"wall_ms":{n}')
        for n, line in enumerate(lines)
    ]


def test_transfers_round_trip(write: Write) -> None:
    made = [transfer(), transfer(nonce=1, exit=True)]
    path = write("\n".join(to_line(signed_transfer_to_json(signed, DOMAIN)) for signed in made).encode())
    found = [signed for signed, _ in ingest.read(path).signed]
    assert [signed.transfer for signed in found if isinstance(signed, SignedTransfer)] == [s.transfer for s in made]
    assert [signed.signature for signed in found] == [signed.signature for signed in made]
    assert found[1].place == f"{path}:2"


def test_sessions_are_taken_whole_and_transfers_with_what_is_before(write: Write, lines: list[str]) -> None:
    moved = to_line(signed_transfer_to_json(transfer(), DOMAIN))
    first, second, third = distinct(lines)
    path = write("\n".join([first, second, moved, third]).encode())
    taken = [signed for signed, _ in ingest.read(path, skip=2, limit=3).signed]
    assert [type(signed) for signed in taken] == [SignedSession, SignedTransfer]
    assert len(ingest.read(path, limit=2).signed) == 1


def test_registrations_round_trip(write: Write) -> None:
    made = [registration(7, permissions=3, external_id=9), registration(8)]
    path = write("\n".join(to_line(registration_to_json(entry)) for entry in made).encode())
    assert ingest.read_registrations(path) == made


BAD_REGISTRATIONS: list[tuple[dict[str, object], str]] = [
    ({"index": 2**32}, "index does not fit"),
    ({"public_key": ["1", "1"]}, "the public key is no point of prime order"),
    ({"l1_owner": "0x1"}, "l1_owner is no address"),
    ({"balance": "5"}, "unknown fields"),
    ({"format": "aitbc-rollup/transfer/v2"}, "field 'format' is wrong"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_REGISTRATIONS)
def test_a_bad_registration_is_refused_with_its_line(write: Write, changes: dict[str, object], message: str) -> None:
    path = write(json.dumps(registration_to_json(registration()) | changes).encode())
    with pytest.raises(BadInputError) as caught:
        ingest.read_registrations(path)
    assert (caught.value.message, caught.value.place) == (message, f"{path}:1")


BAD_TRANSFERS: list[tuple[dict[str, object], str]] = [
    ({"amount": 5}, "field 'amount' is wrong"),
    ({"amount": str(2**88)}, "amount does not fit"),
    ({"exit": 1}, "field 'exit' is wrong"),
    ({"exit": True}, "unknown fields"),  # an exit names no to_index
    ({"to_index": -1}, "to_index does not fit"),
    ({"countersignature": {}}, "unknown fields"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_TRANSFERS)
def test_a_bad_transfer_is_refused_with_its_line(write: Write, changes: dict[str, object], message: str) -> None:
    path = write(json.dumps(signed_transfer_to_json(transfer(), DOMAIN) | changes).encode())
    error = refused(path)
    assert (error.message, error.place) == (message, f"{path}:1")


def changed(line: str, **changes: object) -> bytes:
    value = json.loads(line)
    for path, new in changes.items():
        *parents, last = path.split("__")
        at = value
        for parent in parents:
            at = at[int(parent) if parent.isdigit() else parent]
        if new is None:
            del at[last]
        else:
            at[int(last) if last.isdigit() else last] = new
    return json.dumps(value).encode()


BAD_SESSIONS: list[tuple[dict[str, object], str, str]] = [
    ({"format": "aitbc-rollup/session/v1"}, "field 'format' is wrong", ":1"),
    ({"nonce": None}, "a field is missing", ":1"),
    ({"colour": 1}, "unknown fields", ":1"),
    ({"nonce": "0"}, "field 'nonce' is wrong", ":1"),
    ({"nonce": True}, "field 'nonce' is wrong", ":1"),
    ({"nonce": -1}, "nonce does not fit", ":1"),
    ({"fee_cap": 10000}, "field 'fee_cap' is wrong", ":1"),
    ({"fee_cap": "010"}, "field 'fee_cap' is wrong", ":1"),
    ({"fee_cap": str(2**64)}, "fee_cap does not fit", ":1"),
    ({"operator_share_bps": 65536}, "operator_share_bps does not fit", ":1"),
    ({"countersignature": {"s": "1"}}, "a field is missing", ":1, countersignature"),
    ({"contract": "0xC0FFEE"}, "contract is no address", ":1"),
    ({"records": []}, "wrong number of records in a session", ":1"),
    ({"records": {}}, "field 'records' is wrong", ":1"),
    ({"records__1__fee": 94}, "field 'fee' is wrong", ":1, record 1"),
    ({"records__1__tokens_in": 2**32}, "tokens_in does not fit", ":1, record 1"),
    ({"records__0__energy": 1}, "unknown fields", ":1, record 0"),
    ({"records__0__task": str(2**254)}, "task is no field element", ":1, record 0"),
    ({"signature__s": None}, "a field is missing", ":1, signature"),
    ({"signature__r8": ["1"]}, "field 'r8' is wrong", ":1, signature"),
]


@pytest.mark.parametrize(("changes", "message", "place"), BAD_SESSIONS)
def test_a_bad_session_is_refused_with_its_line(
    write: Write, lines: list[str], changes: dict[str, object], message: str, place: str
) -> None:
    path = write(changed(lines[0], **changes))
    error = refused(path, "sessions")
    assert error.message == message
    assert error.place == f"{path}{place}"


BAD_LINES: list[tuple[bytes, str]] = [
    (b"{", "not JSON"),
    (b"[]", "not an object"),
    (b'{"nonce": 1, "nonce": 1}', "a key stands twice"),
    (b'{"nonce": 1.0}', "not an integer"),
    (b'{"nonce": NaN}', "not an integer"),
    (b'{"nonce": ' + b"9" * 5000 + b"}", "not JSON this program reads"),
    (b'["' + b"]" * 30000 + b'", ' + b"[" * 30000, "nested too deeply"),
    (b'{"a": "\xff"}', "the line is not UTF-8"),
    (b" \n", "the line is empty"),
]


@pytest.mark.parametrize(("data", "message"), BAD_LINES)
def test_a_line_that_is_no_session(write: Write, data: bytes, message: str) -> None:
    path = write(data)
    error = refused(path, "sessions")
    assert (error.message, error.place) == (message, f"{path}:1")


def test_a_session_twice_in_a_file(write: Write, lines: list[str]) -> None:
    lines = distinct(lines)
    path = write(f"{lines[0]}\n{lines[1]}\n{lines[0]}\n".encode())
    error = refused(path)
    assert error.message == "the record stands twice in the file"
    assert error.place == f"{path}:3, record 0"
    assert error.got == f"the same as {path}:1, record 0"


def test_a_record_left_at_zero_is_not_written(lines: list[str]) -> None:
    assert set(json.loads(lines[0])["records"][0]) == {"tokens_in", "tokens_out", "outcome", "fee", "task"}
    signed, _ = signed_from_line(lines[0], "x")
    assert isinstance(signed, SignedSession) and signed.session.records[0].wall_ms == 0
