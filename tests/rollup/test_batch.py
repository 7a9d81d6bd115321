from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from eth_hash.auto import keccak
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rollup_world import L1_TIME, context, make_session

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import sponge
from aitbc_rollup.circuits.statements.agent_runs import Shape
from aitbc_rollup.errors import BadInputError, InvalidError
from aitbc_rollup.rollup.batch import Batch, bind, build, circuit_inputs
from aitbc_rollup.rollup.batch_codec import batch_from_json, batch_to_json
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.rebuild import decode, rebuild, words_of
from aitbc_rollup.rollup.records import RunRecord
from aitbc_rollup.rollup.state import State, path_root


@pytest.fixture(scope="module")
def batch(world: Genesis) -> Batch:
    sessions = [make_session(2, 0), make_session(3, 0), make_session(2, 1)]
    return build(world.state(), sessions, context(), Shape(4, 2))


def test_words_are_what_the_protocol_says(batch: Batch, world: Genesis) -> None:
    header, body = batch.words[:13], batch.words[13:]
    root = world.state().root
    counts = 3 + 6 * 2**32 + 0 * 2**64
    assert header == (1, 31337, 0xC0FFEE, 0, 1, counts, 32 * 22, 1, L1_TIME, root, batch.new_root, 0, 0)
    assert len(body) == 9
    after = batch.session_steps[2].account  # agent 2 between its two sessions
    assert body[0] == after.history_root
    assert body[1] == 2 + 1 * 2**32 + 0 * 2**64 + 2 * 2**96 + 500 * 2**112 + 499 * 2**128
    assert body[2] == 9 + 8 * 2**40 + 7 * 2**80 + 6 * 2**120 + 100 * 2**160 + 7 * 2**200
    assert body[7] == 2 + 1 * 2**32 + 1 * 2**64 + 2 * 2**96 + 500 * 2**112 + 499 * 2**128
    assert batch.data == b"".join(word.to_bytes(32, "big") for word in batch.words)


def test_binding_is_what_the_protocol_says(batch: Batch) -> None:
    binding = batch.binding
    padded = [*batch.words, 0, 0, 0]
    assert binding.commitment == sponge(5, padded)
    tagged = b"aitbc-rollup/data/v1" + binding.commitment.to_bytes(32, "big") + keccak(batch.data)
    assert binding.zeta == int.from_bytes(keccak(tagged), "big") % R
    assert binding.evaluation == sum(word * pow(binding.zeta, i, R) for i, word in enumerate(padded)) % R
    assert binding.public_inputs(9) == [binding.commitment, binding.zeta, binding.evaluation, 9]


def test_money_is_kept(batch: Batch, world: Genesis) -> None:
    state = world.state()
    before = {index: account.balance for index, account in state.accounts.items()}
    build(state, [make_session(2, 0), make_session(3, 0), make_session(2, 1)], context(), Shape(4, 2))
    change = {index: state.account(index).balance - balance for index, balance in before.items()}
    share = 499 * 500 // 10_000
    assert change == {0: 3 * share, 1: 3 * (499 - share), 2: -998, 3: -499}


def test_every_step_opens_under_the_root_before_it(batch: Batch) -> None:
    root = batch.old_root
    inputs = circuit_inputs(batch, payout=7)
    for slot, step in enumerate(batch.session_steps):
        assert path_root(step.account.leaf(), step.index, step.children) == root
        if slot < len(batch.sessions):
            signed = batch.sessions[slot].session
            after = step.account.after_session(
                fee=signed.fee, usage=signed.usage, history_root=batch.words[13 + 3 * slot]
            )
            root = path_root(after.leaf(), step.index, step.children)
        assert inputs["session_children"][slot] == [list(family) for family in step.children]
    share = 499 * 500 // 10_000
    for step, amount in zip(batch.provider_steps, (3 * (499 - share), 0), strict=True):
        assert path_root(step.account.leaf(), step.index, step.children) == root
        root = path_root(step.account.credited(amount).leaf(), step.index, step.children)
    step = batch.operator_step
    assert path_root(step.account.leaf(), step.index, step.children) == root
    assert path_root(step.account.credited(3 * share).leaf(), step.index, step.children) == batch.new_root


def test_inputs_of_an_idle_slot(batch: Batch, world: Genesis) -> None:
    inputs = circuit_inputs(batch, payout=7)
    assert inputs["payout"] == 7
    assert inputs["session_active"] == [1, 1, 1, 0]
    assert inputs["session_agent_index"] == [2, 3, 2, 0]
    assert inputs["session_nonce"] == [0, 0, 1, 0]
    assert inputs["session_count"] == [2, 2, 2, 0]
    assert inputs["session_records"][3] == [[0] * 12] * 16
    assert inputs["session_records"][0][1] == [9, 8, 7, 6, 0, 0, 0, 94, 1, 5, 0, 0]
    assert inputs["session_records"][0][2] == [0] * 12
    assert inputs["session_account_balance"][3] == world.state().account(0).balance
    assert inputs["provider_index"] == [1, 0]
    assert inputs["operator_account_public_key_x"] == world.state().account(0).public_key[0]


def test_codec_round_trip(batch: Batch) -> None:
    assert batch_from_json(batch_to_json(batch)) == batch


@pytest.mark.parametrize(
    ("providers", "shape", "message"),
    [
        ([], Shape(1, 1), "a batch without sessions"),
        ([1, 1], Shape(1, 1), "more sessions than the circuit has room for"),
        ([1, 0], Shape(2, 1), "more providers than the circuit has room for"),
    ],
)
def test_a_batch_out_of_shape(world: Genesis, providers: list[int], shape: Shape, message: str) -> None:
    sessions = [make_session(2, nonce, provider_index=index) for nonce, index in enumerate(providers)]
    with pytest.raises(BadInputError) as caught:
        build(world.state(), sessions, context(), shape)
    assert caught.value.message == message


def test_credits_of_a_batch_are_not_spendable_in_it(world: Genesis) -> None:
    # Agent 3 provides for agent 2 and has nothing of its own: its own session cannot be paid from that credit.
    state = world.state()
    state.put(3, dataclasses.replace(state.account(3), balance=498))
    sessions = [make_session(2, 0, provider_index=3), make_session(3, 0)]
    with pytest.raises(BadInputError, match="the fee overdraws"):
        build(state, sessions, context(), Shape(2, 2))


# -- from L1 data alone --------------------------------------------------------------------------------------

PLANS = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([2, 3]),  # agent
            st.sampled_from([0, 1, 2]),  # provider: the operator, a provider, an agent
            st.integers(0, 2000),  # share
            st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3),  # a record's figures
        ),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PLANS)
def test_the_state_is_rebuilt_from_posted_data_alone(
    world: Genesis, plans: list[list[tuple[int, int, int, list[int]]]]
) -> None:
    state = world.state()
    posted = []
    for number, plan in enumerate(plans, start=1):
        sessions = []
        nonces = {agent: state.account(agent).nonce for agent in (2, 3)}
        for agent, provider, share, figures in plan:
            records = tuple(RunRecord(wall_ms=n, tokens_out=n, fee=n, sequence=n % 2**48, task=n) for n in figures)
            sessions.append(
                make_session(
                    agent, nonces[agent], provider_index=provider, operator_share_bps=share, records=records,
                    fee_cap=2**40,
                )
            )  # fmt: skip
            nonces[agent] += 1
        posted.append(build(state, sessions, context(number), Shape(3, 3)).data)
    again = rebuild(world, posted)
    assert again.root == state.root
    assert again.accounts == state.accounts


def altered(batch: Batch, word: int, change: Callable[[int], int]) -> bytes:
    words = list(batch.words)
    words[word] = change(words[word])
    return b"".join(value.to_bytes(32, "big") for value in words)


#: One word of the data changed. Word 13, agent 2's first history root, is overwritten by its second session.
ALTERED: list[tuple[int, Callable[[int], int], type[Exception], str]] = [
    (0, lambda w: 2, BadInputError, "unknown version"),
    (1, lambda w: 1337, BadInputError, "wrong chain_id"),
    (3, lambda w: 1, BadInputError, "wrong shard"),
    (4, lambda w: 2, InvalidError, "batch number does not come out"),
    (5, lambda w: w - 1, BadInputError, "the length does not fit the number of sessions"),
    (5, lambda w: w + 2**32, BadInputError, "the number of records does not fit the sessions"),
    (5, lambda w: w + 2**96, BadInputError, "bits are set above the last field"),
    (5, lambda w: w + 2**64, InvalidError, "new root does not come out"),
    (6, lambda w: w + 32, BadInputError, "the length does not fit the number of sessions"),
    (9, lambda w: w + 1, InvalidError, "old root does not come out"),
    (10, lambda w: w + 1, InvalidError, "new root does not come out"),
    (14, lambda w: w + 2**64, InvalidError, "nonce does not come out"),
    (14, lambda w: w + 2**32, InvalidError, "new root does not come out"),
    (14, lambda w: w + 100 * 2**112, InvalidError, "new root does not come out"),
    (14, lambda w: w + 2**128, InvalidError, "new root does not come out"),
    (14, lambda w: w + 2**192, BadInputError, "bits are set above the last field"),
    (16, lambda w: w + 1, InvalidError, "new root does not come out"),
    (15, lambda w: w + 1, InvalidError, "new root does not come out"),
    (15, lambda w: w + 2**240, BadInputError, "bits are set above the last field"),
    (12, lambda w: R, BadInputError, "a data word is no field element"),
]


@pytest.mark.parametrize(("word", "change", "error", "message"), ALTERED)
def test_altered_data_are_noticed(
    world: Genesis, batch: Batch, word: int, change: Callable[[int], int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        rebuild(world, [altered(batch, word, change)])
    assert caught.value.message == message  # type: ignore[attr-defined]


@pytest.mark.parametrize(("cut", "message"), [(1, "the data are not whole words"), (32, "the length does not fit")])
def test_data_cut_short(world: Genesis, batch: Batch, cut: int, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        rebuild(world, [batch.data[:-cut]])


def test_a_header_cut_short() -> None:
    with pytest.raises(BadInputError, match="the header is cut short"):
        decode(words_of(bytes(32 * 12), "x"), "x")


def test_more_words_than_room(batch: Batch) -> None:
    with pytest.raises(BadInputError, match="more data than the circuit has room for"):
        bind(batch.words, Shape(2, 1))


def test_a_refused_session_spoils_only_the_overlay(world: Genesis) -> None:
    below = world.state()

    class Below:
        account = staticmethod(below.get)

        @staticmethod
        def node(level: int, index: int) -> int | None:
            return below.nodes.get((level, index))

    with pytest.raises(BadInputError, match="wrong nonce"):
        build(State(Below()), [make_session(2, 0), make_session(2, 0)], context(), Shape(2, 1))
    assert below.root == world.state().root
