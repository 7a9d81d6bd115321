"""``AccountProofs`` and its hashers, as the deployment proxy creates them, against the plain twin."""

from __future__ import annotations

from dataclasses import replace

import make_account_vector
import pytest
from machine import Machine
from make_hash_gas import calldata, deployed_proofs

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.rollup.account_proof import AccountProof, is_account, prove_account
from aitbc_rollup.rollup.l1.account_proofs import account_proofs, hasher
from aitbc_rollup.rollup.l1.artifacts import DEPLOYMENT_PROXY, artifact
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.l1.signer import development_signer


@pytest.fixture(scope="module")
def contract():
    """Asks ``AccountProofs`` for its answer."""
    machine = Machine()
    address = deployed_proofs(machine)

    def ask(proof: AccountProof) -> bool | None:
        answer, _ = machine.call(address, calldata(proof))
        return None if answer is None else bool(int.from_bytes(answer, "big"))

    return ask


@pytest.mark.parametrize("index", [0, make_account_vector.INDEX ^ 1, 2**32 - 1])
def test_the_proofs_of_a_state_hold(contract, index):
    proof = prove_account(make_account_vector.world(), index)
    assert contract(proof) is is_account(proof) is True


def test_no_word_may_change(contract):
    """One of each level here; contracts/test/AccountProofs.t.sol has them all."""
    proof = make_account_vector.proof()
    for i in range(0, 48, 3):
        place = i + i // 3 % 3
        changed = proof.siblings[place] + R if i % 2 else proof.siblings[place] ^ 1
        other = replace(proof, siblings=(*proof.siblings[:place], changed, *proof.siblings[place + 1 :]))
        assert contract(other) is is_account(other) is False
    for i, word in enumerate(proof.leaf):
        other = replace(proof, leaf=(*proof.leaf[:i], word ^ 1, *proof.leaf[i + 1 :]))
        assert contract(other) is is_account(other) is False
    for other in (replace(proof, index=proof.index ^ 1 << 31), replace(proof, root=proof.root ^ 1)):
        assert contract(other) is is_account(other) is False


def test_the_order_of_levels_and_of_siblings_counts(contract):
    proof = make_account_vector.proof()
    triples = [proof.siblings[3 * level : 3 * level + 3] for level in range(16)]
    for level in range(0, 15, 3):
        swapped = [*triples]
        swapped[level], swapped[level + 1] = swapped[level + 1], swapped[level]
        assert contract(replace(proof, siblings=sum(swapped, ()))) is False
    for level, (a, b, c) in list(enumerate(triples))[::4]:
        swapped = [*triples[:level], (a, c, b), *triples[level + 1 :]]
        assert contract(replace(proof, siblings=sum(swapped, ()))) is False
    assert contract(replace(proof, siblings=sum(triples[::-1], ()))) is False


def test_an_inner_node_is_no_leaf(contract):
    """A proof cannot start above the leaves: a node's four children, hashed as nodes are, are no leaf's words."""
    proof = make_account_vector.proof()
    short = replace(proof, index=proof.index >> 2, siblings=(*proof.siblings[3:], 0, 0, 0))
    assert contract(short) is False
    assert contract(replace(short, leaf=(*proof.siblings[:3], 0, 0, 0, 0, 0))) is False


def test_an_index_beyond_the_tree_reverts(contract):
    proof = make_account_vector.proof()
    assert contract(replace(proof, index=proof.index + 2**32)) is None


def test_the_deployment_proxy_creates_them_where_they_are_said_to_be():
    client, salt = connect(), b"\x01" * 32
    creations = [*account_proofs(salt), hasher(16, salt)]
    for creation in creations:
        assert client.code(creation.address) == b""
        client.send(development_signer(), DEPLOYMENT_PROXY, salt + creation.init_code)
        code = bytearray(client.code(creation.address))
        for place, length in creation.immutables:
            assert any(code[place : place + length])
            code[place : place + length] = bytes(length)
        assert bytes(code) == creation.code
    proofs = client.contract(creations[2].address, artifact("AccountProofs")["abi"])
    assert client.call(proofs.functions.NODE_HASHER()) == creations[0].address
    assert client.call(proofs.functions.LEAF_HASHER()) == creations[1].address
    proof = make_account_vector.proof()
    arguments = (proof.root, proof.index, list(proof.leaf), list(proof.siblings))
    assert client.call(proofs.functions.isAccount(*arguments)) is True
    assert client.call(proofs.functions.isAccount(proof.root ^ 1, *arguments[1:])) is False


def test_another_salt_puts_them_elsewhere():
    addresses = {creation.address for salt in (bytes(32), b"\x01" * 32) for creation in account_proofs(salt)}
    assert len(addresses) == 6
