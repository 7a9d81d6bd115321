"""Blobs under KZG commitments, as L1 takes them: EIP-4844, and EIP-7594's proofs of cells.

c-kzg-4844 computes (PyPI ``ckzg``, which eth-account brings along), under the ceremony's setup that eth-account ships.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import as_file, files
from typing import Any

import ckzg

from aitbc_rollup.circuits.statements.batch.layout import BLOB_WORDS, WORD_BYTES
from aitbc_rollup.errors import BadInputError

from .blob import blob_of_words, evaluate, words_of_blob

#: EIP-4844's VERSIONED_HASH_VERSION_KZG.
_VERSION = b"\x01"


@dataclass(frozen=True)
class Blob:
    """A blob of words; commitment and proofs are computed when they are asked for.

    ``data`` are its 131,072 bytes, ``words`` the 4,096 coefficients of its polynomial.
    """

    data: bytes
    words: tuple[int, ...]

    @classmethod
    def of_words(cls, words: Sequence[int]) -> Blob:
        """The blob of at most 4,096 words; words after the last are 0.

        Raises:
            BadInputError: too many words, or one that is not below r.
        """
        return cls(blob_of_words(words), (*words, *[0] * (BLOB_WORDS - len(words))))

    @classmethod
    def of_data(cls, data: bytes) -> Blob:
        """A blob as it was read from L1.

        Raises:
            BadInputError: not a blob's length, an element that is not canonical, or a coefficient that is no word.
        """
        return cls(data, tuple(words_of_blob(data)))

    @cached_property
    def commitment(self) -> bytes:
        """The KZG commitment, 48 bytes."""
        return bytes(ckzg.blob_to_kzg_commitment(self.data, trusted_setup()))

    @property
    def versioned_hash(self) -> bytes:
        """What a transaction says of the blob: 32 bytes (EIP-4844, ``kzg_to_versioned_hash``)."""
        return versioned_hash(self.commitment)

    def value(self, z: int) -> int:
        """The polynomial's value at z, below BLS12-381's group order."""
        return evaluate(self.words, z)

    def opening(self, z: int) -> bytes:
        """The proof of the value at z, for the point-evaluation precompile; 48 bytes."""
        proof, _ = ckzg.compute_kzg_proof(self.data, z.to_bytes(WORD_BYTES, "big"), trusted_setup())
        return bytes(proof)

    @property
    def blob_proof(self) -> bytes:
        """EIP-4844's proof that commitment and blob belong together; 48 bytes."""
        return bytes(ckzg.compute_blob_kzg_proof(self.data, self.commitment, trusted_setup()))

    @cached_property
    def cell_proofs(self) -> list[bytes]:
        """EIP-7594's proofs of the extended blob's 128 cells, 48 bytes each; they take a second."""
        _, proofs = ckzg.compute_cells_and_kzg_proofs(self.data, trusted_setup())
        return [bytes(proof) for proof in proofs]

    def check(self, expected: bytes, place: str) -> None:
        """Check that this is the blob of a versioned hash.

        Raises:
            BadInputError: it is another.
        """
        if self.versioned_hash != expected:
            raise BadInputError(
                "another blob than the batch's", place=place, expected=expected.hex(), got=self.versioned_hash.hex()
            )


def versioned_hash(commitment: bytes) -> bytes:
    """The versioned hash of a KZG commitment."""
    return _VERSION + hashlib.sha256(commitment).digest()[1:]


@cache
def trusted_setup() -> Any:
    """The ceremony's setup, which takes seconds to load: once a process."""
    source = files("eth_account") / "typed_transactions" / "blob_transactions" / "kzg_trusted_setup.txt"
    with as_file(source) as path:
        return ckzg.load_trusted_setup(str(path), 0)
