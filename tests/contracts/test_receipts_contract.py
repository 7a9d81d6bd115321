"""``Receipts`` and its adapters with Poseidon's bytecode on a chain: a real batch's receipts, beside the plain twin."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_utils.abi import function_signature_to_4byte_selector
from receipt_chain import ReceiptChain, artifact, create, finalize, make_receipt_chain
from receipt_world import ALICE, EXTERNAL_ID, PROVIDER, SESSIONS, settled

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.errors import InvalidError, L1Error
from aitbc_rollup.rollup.batch import Batch
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.l1.receipts import RECEIPT, calldata, encoded, final_root
from aitbc_rollup.rollup.receipts import Receipt, make, verify
from aitbc_rollup.rollup.records import digest_element

LONG = 2


@pytest.fixture(scope="module")
def chain() -> ReceiptChain:
    return make_receipt_chain(connect())


@pytest.fixture(scope="module")
def batch(chain: ReceiptChain) -> Batch:
    """Signed for this chain, and final on it."""
    made = settled(chain.domain)
    finalize(chain.client, chain.rollup, 1, made.data.new_root)
    return made


def refused(name: str) -> Any:
    return pytest.raises(L1Error, match=rf"^receipts: {name}: ")


def test_the_contract_reads_what_is_encoded() -> None:
    """The struct's layout in Python is the contract's."""
    (function,) = (entry for entry in artifact("Receipts")["abi"] if entry.get("name") == "verifyRecord")
    (struct,) = function["inputs"]
    assert f"({','.join(part['type'] for part in struct['components'])})" == RECEIPT


@pytest.mark.parametrize(("session", "place"), [(0, 0), (1, 15), (LONG, 0), (LONG, 16), (LONG, 36), (4, 1)])
def test_a_record_of_a_final_batch_is_proven(chain: ReceiptChain, batch: Batch, session: int, place: int) -> None:
    made = make(batch, session, place)
    run = verify(made)
    answer = decode(["(uint32,uint32,uint32,uint16,uint256,uint256,uint256[5])"], chain.ask(calldata(made)))
    agent, nonce, _ = SESSIONS[session]
    assert answer[0] == (agent, PROVIDER, nonce, place, EXTERNAL_ID, run.run_hash, made.record)


def test_the_domain_is_the_nodes(chain: ReceiptChain) -> None:
    answer = chain.ask(function_signature_to_4byte_selector("domain()"))
    assert int.from_bytes(answer, "big") == chain.domain.element


def test_both_refuse_the_same(chain: ReceiptChain, batch: Batch) -> None:
    good = make(batch, 4, 1)
    account = good.account
    words = good.words
    wrong: list[tuple[str, Receipt]] = [
        ("NotARecord", replace(good, place=2)),
        ("WordsWrong", replace(good, words=words[:-1])),
        ("StateWrong", replace(good, state_before=5)),
        ("FillNotZero", replace(good, words=(*words[:-1], 1))),
        ("RecordMalformed", replace(good, words=(*words[:6], words[6] ^ 1 << 112, *words[7:]))),
        ("RecordMalformed", replace(good, terms=good.terms ^ 1)),
        ("HistoryWrong", replace(good, words=(*words[:7], words[7] ^ 1, *words[8:]))),
        ("HistoryWrong", replace(good, fees=good.fees ^ 1)),
        ("HistoryWrong", replace(good, history_before=good.history_before ^ 1)),
        ("HistoryWrong", replace(good, later_messages=(1,))),
        ("AccountWrong", replace(good, account=replace(account, leaf=(*account.leaf[:7], EXTERNAL_ID + 1)))),
        ("AccountWrong", replace(good, account=replace(account, siblings=(*account.siblings[:-1], 1)))),
    ]
    for name, receipt in wrong:
        with pytest.raises(InvalidError):
            verify(receipt)
        with refused(name):
            chain.ask(calldata(receipt))
    chain.ask(calldata(good))


def test_words_plus_r_hash_alike_and_are_refused(chain: ReceiptChain, batch: Batch) -> None:
    good = make(batch, LONG, 36)
    account = good.account
    with refused("HashRefused"):
        chain.ask(calldata(replace(good, words=(*good.words[:2], good.words[2] + R, *good.words[3:]))))
    with refused("HashRefused"):
        chain.ask(calldata(replace(good, later_messages=(good.later_messages[0] + R,))))
    with refused("HashRefused"):
        chain.ask(calldata(replace(good, history_before=good.history_before + R)))
    with refused("AccountWrong"):
        chain.ask(calldata(replace(good, account=replace(account, leaf=(*account.leaf[:7], account.leaf[7] + R)))))


def test_a_record_of_another_rollup_is_refused(chain: ReceiptChain, batch: Batch) -> None:
    """The same world under a domain that differs in the contract, its root put on this chain."""
    other = settled(replace(chain.domain, contract=1))
    finalize(chain.client, chain.rollup, 2, other.data.new_root)
    with refused("HistoryWrong"):
        chain.ask(calldata(replace(make(other, 0, 0), batch_number=2)))


def test_what_it_costs(chain: ReceiptChain, batch: Batch) -> None:
    """Figures of docs/howto-integrators.md, whole transactions, the data included."""
    first, last = (chain.gas(calldata(make(batch, 1, place))) for place in (0, 15))
    of_three_pages = chain.gas(calldata(make(batch, LONG, 0)))
    assert first == pytest.approx(1_274_000, rel=0.01)
    assert last == pytest.approx(670_000, rel=0.01)
    assert (of_three_pages - first) / 2 == pytest.approx(769_000, rel=0.01)


def test_the_final_root_is_asked_of_the_rollup(chain: ReceiptChain, batch: Batch) -> None:
    contract = int(chain.rollup, 16)
    assert final_root(chain.client, contract, 1) == batch.data.new_root
    with pytest.raises(InvalidError, match="the batch is not final"):
        final_root(chain.client, contract, 10)
    with pytest.raises(L1Error, match="there is no contract"):
        final_root(chain.client, 1, 1)


# -- adapters --------------------------------------------------------------------------------------------------------


def test_a_consumer_of_erc_7992_takes_the_receipt_for_its_proof(chain: ReceiptChain, batch: Batch) -> None:
    """The adapter's pure parts by their twins; the rest is forge's, over stand-ins for the registries."""
    verifier = create(chain.client, "ERC7992RunVerifier", ("address", chain.rollup), ("address", chain.receipts))
    contract = chain.client.contract(verifier, artifact("ERC7992RunVerifier")["abi"])
    made = make(batch, LONG, 36)
    run = verify(made)
    fields = (ALICE, PROVIDER, run.nonce, 36, EXTERNAL_ID, run.run_hash, list(made.record))
    output = chain.client.call(contract.functions.outputOf(fields))
    assert decode(["uint256"] * 3, output) == (run.run_hash, run.record.outcome, run.record.cid)
    model = chain.client.call(contract.functions.commitmentOf(EXTERNAL_ID))
    assert [int.from_bytes(part, "big") for part in model[:3]] == [
        EXTERNAL_ID,
        chain.domain.element,
        int(chain.receipts, 16),
    ]
    assert calldata(made)[4:] == encoded(made)


def test_the_external_id_of_an_erc_8004_agent_is_a_digest(chain: ReceiptChain) -> None:
    """The stand-in says which identity registry its validation registry has: none, at address 0."""
    validator = create(chain.client, "ERC8004RunValidator", ("address", chain.rollup), ("address", chain.receipts))
    contract = chain.client.contract(validator, artifact("ERC8004RunValidator")["abi"])
    text = f"eip155:{chain.client.chain_id}:0x{0:040x}:22".encode()
    found = chain.client.call(contract.functions.externalIdOf(22))
    assert found == digest_element(text) == int.from_bytes(hashlib.sha256(text).digest()[:31], "big")
