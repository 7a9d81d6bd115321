"""What attesters sign: the contract's digest, from data they hold and no others, in signatures the contract takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from batch_world import ALICE, context, new_state, session, transfer
from eth_abi.abi import decode, encode
from eth_account import Account
from eth_hash.auto import keccak
from eth_keys.constants import SECPK1_N

from aitbc_rollup.circuits.statements.batch.layout import MODE, Kind, pack
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError, InvalidError, UsageError
from aitbc_rollup.rollup.batch import build
from aitbc_rollup.rollup.data import BatchData
from aitbc_rollup.rollup.l1.attestation import Attestation, attest, evidence
from aitbc_rollup.rollup.l1.signer import development_signer, load_signer
from aitbc_rollup.rollup.transactions import Domain, Transactions

SHAPE = Shape(1, 1, 5, 1, 1, 1, 2, kind=Kind.ATTESTED)
SIGNERS = [load_signer(private_key="0x" + f"{n:02x}" * 32) for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def data() -> BatchData:
    items = Transactions(transfers=(transfer(exit=True),), sessions=(session(ALICE, 1),))
    mode = pack(MODE, {"development_keys": False, "kind": Kind.ATTESTED})
    return build(new_state(), items, context(mode=mode), SHAPE).data


def test_the_digest_is_the_contracts(data: BatchData) -> None:
    """``EIP712Digest.attestation``, hash by hash."""
    made = Attestation.of(data, SHAPE)
    kind = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    address = f"0x{made.domain.contract:040x}"
    domain = keccak(
        encode(
            ["bytes32", "bytes32", "bytes32", "uint256", "address"],
            [kind, keccak(b"AitbcRollup"), keccak(b"2"), made.domain.chain_id, address],
        )
    )
    named = keccak(b"Attestation(uint256 batchNumber,uint256 commitment,bytes32 dataHash)")
    fields = [named, 1, data.binding(SHAPE).commitment, keccak(data.posted)]
    message = keccak(encode(["bytes32", "uint256", "uint256", "bytes32"], fields))
    assert made.digest == keccak(b"\x19\x01" + domain + message)


def test_an_attester_signs_what_it_holds(data: BatchData) -> None:
    made = Attestation.of(data, SHAPE)
    signatures = {signer.address: attest(data, SHAPE, made.commitment, signer) for signer in SIGNERS}
    for address, signature in signatures.items():
        assert made.signer_of(signature) == address == Account._recover_hash(made.digest, signature=signature)
    (sent,) = decode(["bytes[]"], evidence(made, signatures))
    assert list(sent) == [signatures[address] for address in sorted(signatures, key=lambda text: int(text, 16))]
    assert list(sent) != list(signatures.values())  # the order is made, not found


def test_an_attester_refuses_what_it_does_not_hold(data: BatchData) -> None:
    """Told another commitment, or with one word of a session other than what is committed."""
    right = Attestation.of(data, SHAPE).commitment
    (only,) = data.sessions
    other = replace(data, sessions=(replace(only, history_root=only.history_root + 1),))
    for held, told in ((data, right + 1), (other, right)):
        with pytest.raises(InvalidError, match="the commitment is not that of the data"):
            attest(held, SHAPE, told, SIGNERS[0])


def test_only_batches_that_attesters_keep_are_attested(data: BatchData) -> None:
    for shape in (replace(SHAPE, kind=Kind.BLOB), replace(SHAPE, kind=Kind.CALLDATA)):
        with pytest.raises(BadInputError, match="nobody attests such a batch"):
            Attestation.of(data, shape)


def test_the_development_key_attests_nowhere_else(data: BatchData) -> None:
    away = replace(data, context=replace(data.context, domain=Domain(1, 0xC0FFEE, 3)))
    with pytest.raises(UsageError, match="development chains only"):
        attest(away, SHAPE, Attestation.of(away, SHAPE).commitment, development_signer())


@pytest.mark.parametrize("lie", ["batch_number", "commitment", "data_hash", "domain"])
def test_a_signature_is_for_one_batch_of_one_rollup(data: BatchData, lie: str) -> None:
    made = Attestation.of(data, SHAPE)
    signature = attest(data, SHAPE, made.commitment, SIGNERS[0])
    others = {
        "batch_number": 2, "commitment": made.commitment ^ 1, "data_hash": bytes(32), "domain": Domain(31337, 1, 3),
    }  # fmt: skip
    assert replace(made, **{lie: others[lie]}).signer_of(signature) != SIGNERS[0].address  # type: ignore[arg-type]


def test_signatures_that_no_contract_takes(data: BatchData) -> None:
    made = Attestation.of(data, SHAPE)
    good = attest(data, SHAPE, made.commitment, SIGNERS[0])
    s = int.from_bytes(good[32:64], "big")
    twin = good[:32] + (SECPK1_N - s).to_bytes(32, "big") + bytes([55 - good[64]])
    assert Account._recover_hash(made.digest, signature=twin) == SIGNERS[0].address  # the same signer's, made by anyone
    for bad in (b"", good[:-1], good + b"\0", twin, good[:64] + b"\0", bytes(64) + b"\x1b", b"\xff" * 32 + good[32:]):
        with pytest.raises(BadInputError, match="not a signature that a contract takes"):
            made.signer_of(bad)
    with pytest.raises(BadInputError, match="one attester signed twice"):
        evidence(made, {"first": good, "second": good})
