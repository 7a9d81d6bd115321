from typing import ClassVar

import pytest
from batch_chain import TRAPDOOR, make_chain, plan_of
from trapdoor import g1, g2
from web3.exceptions import ContractLogicError, Web3RPCError

from aitbc_rollup.algebra.bn254 import P
from aitbc_rollup.errors import L1Error
from aitbc_rollup.rollup.l1.artifacts import DEPLOYMENT_PROXY, artifact, create2_address, verifier_code
from aitbc_rollup.rollup.l1.client import L1Client, connect
from aitbc_rollup.rollup.l1.contracts import deploy
from aitbc_rollup.rollup.l1.embedded import CHAIN_ID, EmbeddedVM, embedded_web3
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.l1.signer import development_signer
from aitbc_rollup.verifier.formats import proof_to_calldata
from aitbc_rollup.verifier.types import g1_words, g2_words

PAIRING = "0x" + "00" * 19 + "08"
G1, G2 = g1_words(g1(1)), g2_words(g2(1))
INFINITY1, INFINITY2 = (0, 0), (0, 0, 0, 0)


def call(*words: int) -> bytes:
    return b"".join(word.to_bytes(32, "big") for word in words)


def changed(words: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return *words[:index], value, *words[index + 1 :]


CASES = {
    "no pairs": b"",
    "one pair": call(*G1, *G2),
    "a pair and its inverse": call(*G1, *G2, *g1_words(g1(-1)), *G2),
    "bilinear": call(*g1_words(g1(6)), *G2, *g1_words(g1(-2)), *g2_words(g2(3))),
    "not equal": call(*g1_words(g1(7)), *G2, *g1_words(g1(-2)), *g2_words(g2(3))),
    "infinity on the left": call(*INFINITY1, *G2),
    "infinity on the right": call(*G1, *INFINITY2),
    "infinity on both sides": call(*INFINITY1, *INFINITY2),
    "a byte too few": call(*G1, *G2)[:-1],
    "a byte too many": call(*G1, *G2) + b"\0",
    "G1 off the curve": call(1, 3, *G2),
    "G2 off the twist": call(*G1, *changed(G2, 2, G2[2] ^ 1)),
    "G2 off the twist, with infinity": call(*INFINITY1, *changed(G2, 2, G2[2] ^ 1)),
    "coordinate p": call(P, 2, *G2),
    "x + p": call(1 + P, 2, *G2),
    "infinity as p": call(P, P, *G2),
    "G2 coordinate + p": call(*G1, *changed(G2, 0, G2[0] + P)),
    "the second pair malformed": call(*G1, *G2, 1, 3, *G2),
}
# The point of the twist outside G2 of contracts/test/Groth16Vector.sol.
OUTSIDE = (
    1,
    0,
    3499505209057624827709920819629410982529044040404494099368353913743455207650,
    5857410223677516958241855868975604786906559121396168184066542210254491971240,
)
CASES["G2 outside the subgroup"] = call(*G1, *OUTSIDE)
CASES["G2 outside the subgroup, with infinity"] = call(*INFINITY1, *OUTSIDE)


def answer(client: L1Client, data: bytes) -> bytes | None:
    try:
        return bytes(client.web3.eth.call({"to": PAIRING, "data": data, "gas": 1_000_000}))
    except (ContractLogicError, Web3RPCError):
        return None


@pytest.fixture(scope="module")
def embedded():
    return connect()


@pytest.mark.node
@pytest.mark.parametrize("name", CASES)
def test_the_pairing_answers_as_anvils(embedded, anvil, name):
    assert answer(embedded, CASES[name]) == answer(connect(anvil), CASES[name])


def test_the_cases_above_are_of_all_three_kinds(embedded):
    answers = {name: answer(embedded, data) for name, data in CASES.items()}
    assert answers["bilinear"] == answers["no pairs"] == (1).to_bytes(32, "big")
    assert answers["not equal"] == answers["one pair"] == bytes(32)
    assert [name for name, got in answers.items() if got is None] == list(CASES)[8:]


def test_each_chain_is_new():
    first = make_chain(connect(), "new")
    assert first.rollup.status().committed == 0
    with pytest.raises(L1Error, match="there is no contract"):
        RollupContract(connect(), first.deployment.rollup).status()


def test_contracts_see_the_chain_id():
    """PUSH1 … CHAINID … RETURN, run as creation code."""
    code = bytes.fromhex("4660005260206000f3")
    assert int.from_bytes(embedded_web3().eth.call({"data": code}), "big") == CHAIN_ID == 31337


FAST = EmbeddedVM._state_class.computation_class


class WithoutPairingComputation(FAST):
    _precompiles: ClassVar = {at: code for at, code in FAST._precompiles.items() if at != bytes.fromhex(PAIRING[2:])}


class WithoutPairingState(EmbeddedVM._state_class):
    computation_class = WithoutPairingComputation


class WithoutPairing(EmbeddedVM):
    """A chain without the pairing precompile: a call of it succeeds and answers nothing."""

    _state_class = WithoutPairingState


@pytest.fixture
def without_pairing():
    client = L1Client(embedded_web3(WithoutPairing), "embedded", CHAIN_ID)
    assert answer(client, CASES["bilinear"]) == b""
    return client


def test_without_the_pairing_no_key_is_accepted(without_pairing):
    with pytest.raises(L1Error, match="KeyPointNotInGroup"):
        deploy(without_pairing, development_signer(), plan_of("no pairing"))


def test_without_the_pairing_no_proof_is_accepted(without_pairing):
    code = verifier_code(TRAPDOOR.key)
    # PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: installs what follows, unchecked.
    init_code = b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a5f395ff3") + code
    without_pairing.send(development_signer(), DEPLOYMENT_PROXY, bytes(32) + init_code)
    address = create2_address(bytes(32), init_code)
    assert without_pairing.code(address) == code
    verifier = without_pairing.contract(address, artifact("Groth16Verifier")["abi"])
    proof = proof_to_calldata(TRAPDOOR.prove([1, 2, 3, 4]))
    with pytest.raises(L1Error, match="ProofInvalid"):
        without_pairing.call(verifier.functions.verify(proof, [1, 2, 3, 4]))


def test_the_fast_pairing_is_what_the_contracts_run(monkeypatch):
    calls = []
    from aitbc_rollup.rollup.l1 import embedded

    fast = embedded.pairing_check
    monkeypatch.setattr(embedded, "pairing_check", lambda pairs: calls.append(len(pairs)) or fast(pairs))
    make_chain(connect(), "fast")
    assert set(calls) == {3}
