import json
import random

import pytest
from eth.exceptions import Revert
from machine import Machine, words
from repository import REPOSITORY

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.poseidon import poseidon
from aitbc_rollup.algebra.reference import poseidon as reference
from aitbc_rollup.contracts.poseidon import CODE_LIMIT, MAX_INPUTS, bytecode
from aitbc_rollup.contracts.poseidon.schedule import evaluate, schedule

ARTIFACTS = {int(path.stem[8:]): path for path in (REPOSITORY / "contracts" / "artifacts").glob("Poseidon*.json")}
INITCODE_LIMIT = 2 * CODE_LIMIT  # EIP-3860


@pytest.fixture(scope="module")
def machine():
    return Machine()


@pytest.fixture(scope="module", params=sorted(ARTIFACTS))
def hasher(request, machine):
    """A number of inputs, and the address of its contract."""
    return request.param, machine.create(bytecode(request.param).creation)


def states(inputs: int) -> list[list[int]]:
    rng = random.Random(inputs)
    return [
        [rng.randrange(R) for _ in range(inputs + 1)],
        [rng.randrange(2**64), *(rng.randrange(R) for _ in range(inputs))],
        [0] * (inputs + 1),
        [R - 1] * (inputs + 1),
        [rng.choice([0, 1, R - 1]) for _ in range(inputs + 1)],
    ]


def test_it_hashes_as_algebra_does(machine, hasher):
    inputs, address = hasher
    for state in states(inputs):
        answer, _ = machine.call(address, words(*state))
        assert answer == words(poseidon(state[1:], initial_state=state[0]))


@pytest.mark.parametrize("inputs", sorted(set(range(1, MAX_INPUTS + 1)) - set(ARTIFACTS)))
def test_those_nobody_deploys_do_so_too(machine, inputs):
    found = bytecode(inputs)
    assert max(len(found.runtime), len(found.creation) // 2) <= CODE_LIMIT
    address = machine.create(found.creation)
    for state in states(inputs)[:2]:
        answer, _ = machine.call(address, words(*state))
        assert answer == words(poseidon(state[1:], initial_state=state[0]))
    assert machine.call(address, words(*[0] * inputs, R))[0] is None


def test_every_word_counts_and_the_initial_state_too(machine, hasher):
    inputs, address = hasher
    state = states(inputs)[0]
    for i in range(inputs + 1):
        changed = [*state]
        changed[i] = (changed[i] + 1) % R
        answer, _ = machine.call(address, words(*changed))
        assert answer == words(reference.poseidon(changed[1:], initial_state=changed[0]))


def test_a_word_of_r_or_more_is_refused_wherever_it_stands(machine, hasher):
    inputs, address = hasher
    state = states(inputs)[0]
    for i in range(inputs + 1):
        for word in (R, R + 1, state[i] + R, 2**255, 2**256 - 1):
            changed = [*state]
            changed[i] = word
            assert machine.call(address, words(*changed))[0] is None


def test_other_lengths_are_refused(machine, hasher):
    inputs, address = hasher
    data = words(*states(inputs)[2])
    assert machine.call(address, data)[0] is not None
    for wrong in (b"", data[:-1], data[:-32], data + b"\0", data + bytes(32), data * 2):
        assert machine.call(address, wrong)[0] is None


def test_a_refusal_is_cheap_and_says_nothing(machine, hasher):
    inputs, address = hasher
    assert machine.call(address, b"")[1] < 600
    assert machine.call(address, words(*[R] * (inputs + 1)), gas=600)[0] is None


def test_the_code_may_be_deployed(machine, hasher):
    inputs, address = hasher
    found = bytecode(inputs)
    assert len(found.runtime) <= CODE_LIMIT
    assert len(found.creation) <= INITCODE_LIMIT
    code = bytearray(machine.code(address))
    for place in found.immutables:
        assert any(code[place + 12 : place + 32]) and not any(code[place : place + 12])
        code[place : place + 32] = bytes(32)
    assert code == found.runtime


def test_the_tables_of_another_contract_are_inert(machine):
    address = machine.create(bytecode(16).creation)
    (place,) = bytecode(16).immutables
    tables = machine.code(address)[place + 12 : place + 32]
    assert len(machine.code(tables)) <= CODE_LIMIT
    assert machine.call(tables, b"anything") == (b"", 0)


def test_without_its_tables_it_is_not_created(machine):
    """Gas for its own code, 200 a byte, but not for the tables'."""
    found = bytecode(16)
    with pytest.raises(Revert):
        machine.create(found.creation, gas=200 * (len(found.creation) - len(found.runtime)))


@pytest.mark.parametrize("inputs", [0, 17])
def test_other_numbers_of_inputs_are_refused(inputs):
    with pytest.raises(ValueError, match=f"takes 1 to 16 inputs, not {inputs}"):
        bytecode(inputs)


@pytest.mark.parametrize("same_matrix", [False, True])
@pytest.mark.parametrize("width", range(2, 18))
def test_the_schedule_is_the_permutation(width, same_matrix):
    for state in states(width - 1):
        expected = reference.permute(state)[0]
        assert evaluate(schedule(width, same_matrix=same_matrix), state) == expected


@pytest.mark.parametrize("inputs", sorted(ARTIFACTS))
def test_the_committed_bytecode_is_the_generators(inputs):
    artifact = json.loads(ARTIFACTS[inputs].read_text())
    found = bytecode(inputs)
    assert artifact["bytecode"] == "0x" + found.creation.hex()
    assert artifact["deployedBytecode"] == "0x" + found.runtime.hex()
    assert artifact["immutables"] == [[place, 32] for place in found.immutables]


def test_no_branch_depends_on_the_words(machine, hasher):
    inputs, address = hasher
    assert len({machine.call(address, words(*state))[1] for state in states(inputs)}) == 1
