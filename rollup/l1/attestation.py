"""What attesters sign of a batch whose data they keep: that they hold all of it, and serve it (EIP-712).

::

    Attestation(uint256 batchNumber, uint256 commitment, bytes32 dataHash)
    domain: name "AitbcRollup", version "2", chainId, verifyingContract = the rollup

``commitment`` is C, over every word of the data; ``dataHash`` the hash of those in the transaction. An attester
computes both from what it holds, and signs nothing that it was merely told (:func:`attest`). The committee's contract
takes signatures in ascending order of their signers (:func:`evidence`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from eth_abi.abi import encode
from eth_account.messages import SignableMessage, encode_typed_data
from eth_hash.auto import keccak
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError, InvalidError

from ..checks import format_address
from ..data import BatchData
from ..transactions import Domain
from .signer import Signer, check_chain

_NAME, _VERSION = "AitbcRollup", "2"
_TYPES = {
    "Attestation": [
        {"name": "batchNumber", "type": "uint256"},
        {"name": "commitment", "type": "uint256"},
        {"name": "dataHash", "type": "bytes32"},
    ]
}
#: A signature's last byte: 27, or 28 if R's y is odd.
_PARITIES = (b"\x1b", b"\x1c")


@dataclass(frozen=True)
class Attestation:
    """That somebody holds the data of a batch of a rollup."""

    domain: Domain
    batch_number: int
    commitment: int
    data_hash: bytes

    @classmethod
    def of(cls, data: BatchData, shape: Shape) -> Attestation:
        """What who holds these data can say.

        Raises:
            BadInputError: the circuit has no room for them, or they are not of a batch that attesters keep.
        """
        if shape.kind != Kind.ATTESTED:
            raise BadInputError("nobody attests such a batch", expected="attested", got=shape.kind.name.lower())
        context = data.context
        commitment = data.binding(shape).commitment
        return cls(context.domain, context.batch_number, commitment, keccak(data.posted))

    @cached_property
    def message(self) -> SignableMessage:
        """The typed data as eth-account signs them."""
        domain = {
            "name": _NAME,
            "version": _VERSION,
            "chainId": self.domain.chain_id,
            "verifyingContract": format_address(self.domain.contract),
        }
        fields = {"batchNumber": self.batch_number, "commitment": self.commitment, "dataHash": self.data_hash}
        return encode_typed_data(domain, _TYPES, fields)

    @property
    def digest(self) -> bytes:
        """The 32 bytes that are signed."""
        message = self.message
        return keccak(b"\x19" + message.version + message.header + message.body)

    def signer_of(self, signature: bytes, place: str = "attestation") -> str:
        """The checksummed address of whoever made a signature, r ‖ s ‖ v.

        Raises:
            BadInputError: no contract takes it: another length, the other s, or no signature at all.
        """
        *r_s, v = (signature[:32], signature[32:64], signature[64:])
        r, s = (int.from_bytes(part, "big") for part in r_s)
        try:
            if s > SECPK1_N // 2 or v not in _PARITIES:
                raise BadSignature("not the lower s, or neither 27 nor 28")
            made = Signature(vrs=(_PARITIES.index(v), r, s))
            return str(made.recover_public_key_from_msg_hash(self.digest).to_checksum_address())
        except (BadSignature, ValidationError) as error:
            raise BadInputError(
                "not a signature that a contract takes",
                place=place,
                expected="65 bytes: r, the lower s, and 27 or 28",
                got=str(error),
            ) from None


def attest(data: BatchData, shape: Shape, commitment: int, signer: Signer) -> bytes:
    """Sign that one holds a batch's data; 65 bytes.

    Args:
        data: what one holds: posted words, those elsewhere, and queue items.
        shape: of the batch's circuit.
        commitment: C as the operator says it.
        signer: the attester's key.

    Raises:
        InvalidError: C is not that of the data, so that what is committed is something else.
        BadInputError: as :meth:`Attestation.of`.
        UsageError: a development key off the development chains.
    """
    attestation = Attestation.of(data, shape)
    if attestation.commitment != commitment:
        raise InvalidError(
            "the commitment is not that of the data",
            place=f"batch {attestation.batch_number}",
            expected=str(attestation.commitment),
            got=str(commitment),
            hint="do not sign: ask the operator for the batch's data again",
        )
    check_chain(signer, attestation.domain.chain_id)
    return bytes(signer.account.sign_message(attestation.message).signature)


def evidence(attestation: Attestation, signatures: Mapping[str, bytes]) -> bytes:
    """What ``commit`` is given of an attested batch: the signatures, abi-encoded in ascending order of their signers.

    Args:
        attestation: what was to be signed.
        signatures: by a name of who sent each, for error messages.

    Raises:
        BadInputError: one is no signature of anybody's, or two are of one signer.
    """
    found: dict[int, bytes] = {}
    for name, signature in signatures.items():
        address = attestation.signer_of(signature, name)
        if int(address, 16) in found:
            raise BadInputError("one attester signed twice", place=name, expected="one signature each", got=address)
        found[int(address, 16)] = signature
    return encode(["bytes[]"], [[found[address] for address in sorted(found)]])
