"""The state again, from genesis and the posted data alone: what L1 keeps is enough.

No records, no signatures, no proofs: a finalized batch's data already have them behind it. What is checked is
that the data decode and that the roots come out as the headers say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.statements import protocol
from aitbc_rollup.errors import BadInputError, InvalidError, next_step

from .binding import to_words
from .genesis import Genesis
from .state import State


@dataclass(frozen=True, slots=True)
class SessionData:
    """The three posted words of a session, unpacked."""

    history_root: int
    agent_index: int
    provider_index: int
    nonce: int
    count: int
    operator_share_bps: int
    fee: int
    usage: dict[str, int]

    @property
    def operator_fee(self) -> int:
        """The operator's share of the fee, rounded down."""
        return self.fee * self.operator_share_bps // protocol.BASIS_POINTS


@dataclass(frozen=True, slots=True)
class BatchData:
    """A batch's posted words, unpacked; ``header`` is keyed by ``protocol.HEADER``."""

    header: dict[str, int]
    operator_index: int
    records: int
    sessions: tuple[SessionData, ...]


def words_of(data: bytes, place: str) -> list[int]:
    """The words of posted bytes.

    Raises:
        BadInputError: not whole words, or a word that is no field element.
    """
    words = to_words(data, place)
    for number, word in enumerate(words):
        if word >= R:
            raise BadInputError(
                "a data word is no field element", place=f"{place}, word {number}", expected="below r", got=hex(word)
            )
    return words


def decode(words: Sequence[int], place: str) -> BatchData:
    """The batch that these words say.

    Raises:
        BadInputError: too few words, a version, count or length that does not fit, or bits set above a packed field.
    """
    if len(words) < protocol.HEADER_WORDS:
        raise BadInputError("the header is cut short", place=place, expected="13 words", got=str(len(words)))
    header = dict(zip(protocol.HEADER, words, strict=False))
    if header["version"] != protocol.VERSION:
        raise BadInputError("unknown version", place=place, expected=str(protocol.VERSION), got=str(header["version"]))
    counts = _unpack(protocol.COUNTS, header["counts"], f"{place}, word 5")
    expected = protocol.data_words(counts["sessions"])
    if len(words) != expected or header["byte_length"] != protocol.WORD_BYTES * expected:
        raise BadInputError(
            "the length does not fit the number of sessions",
            place=place,
            expected=f"{expected} words, {protocol.WORD_BYTES * expected} bytes",
            got=f"{len(words)} words, {header['byte_length']} bytes by the header",
        )
    sessions = tuple(
        _session(words[start : start + protocol.SESSION_WORDS], f"{place}, word {start}")
        for start in range(protocol.HEADER_WORDS, expected, protocol.SESSION_WORDS)
    )
    if sum(session.count for session in sessions) != counts["records"]:
        raise BadInputError("the number of records does not fit the sessions", place=place, got=str(counts["records"]))
    return BatchData(header, counts["operator_index"], counts["records"], sessions)


def apply(state: State, batch: BatchData, place: str) -> None:
    """Apply a decoded batch to a state, leaf by leaf.

    Raises:
        InvalidError: the state's root before or after is not the header's, or a session does not fit its account.
    """
    _expect("old root", batch.header["old_root"], state.root, place)
    credits: dict[int, int] = {}
    share = 0
    for number, session in enumerate(batch.sessions):
        where = f"{place}, session {number}"
        account = state.account(session.agent_index, "agent", where)
        _expect("nonce", account.nonce, session.nonce, where)
        if session.fee > account.balance:
            raise InvalidError("the fee overdraws", place=where, expected=f"≤ {account.balance}", got=str(session.fee))
        after = account.after_session(
            fee=session.fee, usage=tuple(session.usage.values()), history_root=session.history_root
        )
        state.put(session.agent_index, after)
        share += session.operator_fee
        credits[session.provider_index] = credits.get(session.provider_index, 0) + session.fee - session.operator_fee
    for index, amount in credits.items():
        state.credit(index, amount)
    state.credit(batch.operator_index, share)
    _expect("new root", batch.header["new_root"], state.root, place)


@next_step("check that genesis is the one the contract was deployed with, and ask another node")
def rebuild(genesis: Genesis, batches: Iterable[bytes]) -> State:
    """The state after these batches' data, from the first on.

    Raises:
        BadInputError: data that do not decode, or of another chain or shard.
        InvalidError: a batch number out of order, or roots that do not come out.
    """
    state = genesis.state()
    for number, data in enumerate(batches, start=1):
        place = f"batch {number}"
        batch = decode(words_of(data, place), place)
        for name, right in (("chain_id", genesis.chain_id), ("shard", genesis.shard)):
            if batch.header[name] != right:
                raise BadInputError(f"wrong {name}", place=place, expected=str(right), got=str(batch.header[name]))
        _expect("batch number", batch.header["batch_number"], number, place)
        apply(state, batch, place)
    return state


def _session(words: Sequence[int], place: str) -> SessionData:
    fields = _unpack(protocol.SESSION_WORD_1, words[1], place)
    usage = _unpack(protocol.SESSION_WORD_2, words[2], place)
    return SessionData(history_root=words[0], usage=usage, **fields)


def _unpack(layout: protocol.Layout, word: int, place: str) -> dict[str, int]:
    try:
        return protocol.unpack(layout, word)
    except ValueError as error:
        raise BadInputError(str(error), place=place) from None


def _expect(what: str, expected: int, got: int, place: str) -> None:
    if expected != got:
        raise InvalidError(f"{what} does not come out", place=place, expected=str(expected), got=str(got))
